"""The linear expectation of hidden numbers is that of a normal distribution."""

import numpy as np
import pytest
import torch

from skae import AutoencoderTransformer
from skae.nn.table_likelihoods import NumbersAndStates
from skae.sampling.linear_expert import LinearExpert


@pytest.fixture
def rows():
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(4, 4, generator=generator)
    numbers = torch.randn(4000, 4, generator=generator) @ mixing
    return torch.cat([numbers, torch.zeros(4000, 4)], dim=1)


def likelihood(n_states, column_of_number):
    masses = [np.empty(0)] * len(column_of_number)
    return NumbersAndStates(n_states, column_of_number, masses, 1.0)


def hide(x, n_numbers, column):
    hidden = x.clone()
    hidden[:, column], hidden[:, n_numbers + column] = torch.nan, -1
    return hidden


def test_it_is_the_regression_on_the_cells_that_are_there(rows):
    expert = LinearExpert.learn(rows, rows, likelihood((3,) * 4, range(4)))
    found = expert.expected(hide(rows, 4, 2), 4)
    others = np.delete(rows[:, :4].numpy(), 2, axis=1)
    design = np.column_stack([np.ones(len(others)), others])
    fitted = design @ np.linalg.lstsq(design, rows[:, 2].numpy())[0]
    np.testing.assert_allclose(found[:, 2], fitted, atol=0.1 * float(rows[:, 2].std()))


def test_rows_without_any_cell_have_the_mean(rows):
    expert = LinearExpert.learn(rows, rows, likelihood((3,) * 4, range(4)))
    empty = torch.cat([torch.full((1, 4), torch.nan), -torch.ones(1, 4)], dim=1)
    torch.testing.assert_close(expert.expected(empty, 4)[0], rows[:, :4].mean(0))


def test_labels_tell_of_numbers():
    states = torch.arange(900) % 3 + 2.0
    number = 5 * (states == 3) + 0.01 * torch.arange(900) / 900
    rows = torch.stack([number, torch.zeros(900), states], dim=1)
    expert = LinearExpert.learn(rows, rows, likelihood((3, 5), [0]))
    found = expert.expected(hide(rows, 1, 0), 1)[:, 0]
    assert (found - number).abs().max() < 0.3


def test_linear_relations_are_imputed_as_such():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(600, 3)) @ rng.normal(size=(3, 8))
    holed = rows.copy()
    holed[rng.random(rows.shape) < 0.2] = np.nan
    filled = AutoencoderTransformer(2, random_state=0, max_epochs=10).fit(holed).impute(holed)
    assert ((filled - rows)[np.isnan(holed)] ** 2).mean() < 0.1 * rows.var()
