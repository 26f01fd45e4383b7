"""What stands in holes: against exact conditionals, and how sure it is of itself."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from skae import AutoencoderTransformer
from skae.nn.chain import Autoencoder
from skae.nn.corruptions import HideCells, Repeated, hide_missing
from skae.nn.hidden_cells import NormalCodes
from skae.nn.likelihoods import Gaussian
from skae.nn.table_likelihoods import NumbersAndStates

RNG = np.random.default_rng(0)


def correlated(n_rows):
    """Return rows of three normals; the first two have correlation 0.9."""
    a, b = RNG.normal(size=(2, n_rows))
    return pd.DataFrame({"a": a, "b": 0.9 * a + 0.19**0.5 * b, "c": RNG.normal(size=n_rows)})


def test_the_most_probable_code_of_a_linear_decoder_is_exact():
    torch.manual_seed(0)
    decoder = nn.Linear(2, 3 + 6).double()
    likelihood = NumbersAndStates([2, 2, 2], [0, 1, 2], [[], [], []], 0.3).double()
    with torch.no_grad():
        decoder.weight[3:] = 0
    chain = Autoencoder(nn.Identity(), decoder, likelihood)
    x = torch.tensor([[0.5, np.nan, -1.0, 0, -1, 0]], dtype=torch.float64)
    codes = NormalCodes.of(torch.randn(50, 2, dtype=torch.float64))

    def losses(z, x):
        return chain.likelihood.negative_log_prob(chain.decoder(z), x)

    found = codes.most_probable(losses, x, codes.mean[None])
    seen = [0, 2]
    loadings, offset = decoder.weight[seen].detach(), decoder.bias[seen].detach()
    precision = torch.linalg.inv(codes.factor @ codes.factor.T)
    exact = torch.linalg.solve(
        precision + loadings.T @ loadings / 0.3,
        precision @ codes.mean + loadings.T @ (x[0, seen] - offset) / 0.3,
    )
    torch.testing.assert_close(found[0], exact, atol=1e-2, rtol=1e-2)


def test_the_most_probable_code_of_numbers_is_exact():
    torch.manual_seed(0)
    decoder = nn.Linear(4, 9)
    infinite = torch.full((9,), torch.inf)
    # Signals that are a hundred times as large as the noise need steps by the curvature.
    likelihood = Gaussian(-infinite, infinite, 1e-4)
    codes = NormalCodes.of(torch.randn(50, 4) @ torch.diag(torch.tensor([30.0, 3, 1, 0.1])))
    x = decoder(codes.mean + torch.randn(20, 4) @ codes.factor.T).detach()
    x = torch.where(torch.rand(x.shape) < 0.4, torch.nan, x + 0.01 * torch.randn(x.shape))
    found = codes.most_probable_of_numbers(decoder, likelihood, x)
    precision = torch.linalg.inv((codes.factor @ codes.factor.T).double())
    for row, code in zip(x, found, strict=True):
        seen = ~torch.isnan(row)
        loadings, offset = decoder.weight[seen].detach().double(), decoder.bias[seen].detach()
        exact = torch.linalg.solve(
            precision + loadings.T @ loadings / 1e-4,
            precision @ codes.mean.double() + loadings.T @ (row[seen] - offset).double() / 1e-4,
        )
        torch.testing.assert_close(code.double(), exact, atol=0.02, rtol=0.02)


def test_the_better_of_two_codes_is_found():
    class Fold(nn.Module):
        def forward(self, z):
            return torch.cat([(z - 1).square(), z], dim=1)

    infinite = torch.full((2,), torch.inf)
    codes = NormalCodes(torch.zeros(1), torch.ones(1, 1))
    x = torch.tensor([[4.0, torch.nan], [torch.nan, -1.0]])
    # Of 3 and -1, the codes that explain a 4, -1 is the likelier.
    found = codes.most_probable_of_numbers(Fold(), Gaussian(-infinite, infinite, 1e-3), x)
    torch.testing.assert_close(found[:, 0], torch.tensor([-1.0, -1.0]), atol=0.01, rtol=0)
    assert codes.most_probable_of_numbers(
        Fold(), Gaussian(-infinite, infinite, 1), x[:0]
    ).shape == (0, 1)


def test_codes_that_do_not_vary_are_their_mean():
    codes = NormalCodes.of(torch.ones(9, 2))
    assert torch.isfinite(codes.factor).all()
    assert codes.mean.tolist() == [1.0, 1.0]


def test_hiding():
    x = torch.tensor([[0.5, 0.0, 2.0], [np.nan, 1.0, 1.0]])
    hidden = hide_missing(x, [0])
    torch.testing.assert_close(hidden[0], x[0])
    assert torch.isnan(hidden[1, 0])
    assert hidden[1, 1:].tolist() == [-1.0, -1.0]


@pytest.mark.parametrize("training", [True, False])
def test_cells_are_hidden_with_their_numbers(training):
    hide = Repeated(HideCells(0.3, [1])).train(training)
    x = torch.cat([torch.zeros(4000, 1), torch.full((4000, 1), 2.0), torch.zeros(4000, 1)], dim=1)
    hidden = hide(x)
    assert (torch.isnan(hidden[:, 0]) == (hidden[:, 2] == -1)).all()
    assert (hidden[:, 1:] == -1).float().mean() == pytest.approx(0.3, abs=0.02)
    assert torch.equal(hide(x).nan_to_num(), hidden.nan_to_num()) != training


def test_filled_cells_are_near_their_conditional_mean():
    frame = correlated(900)
    holed = frame.mask(RNG.random(frame.shape) < 0.2)
    fitted = AutoencoderTransformer(3, random_state=0).fit(holed[:600])
    test = frame[600:].assign(b=np.nan)
    error = fitted.impute(test)["b"] - 0.9 * frame["a"][600:]
    assert error.std() < 0.2


def test_draws_are_as_far_apart_as_the_truth_is():
    frame = correlated(1200)
    holed = frame.mask(RNG.random(frame.shape) < 0.2)
    fitted = AutoencoderTransformer(3, random_state=0).fit(holed[:900])
    test = frame[900:].assign(b=np.nan)
    draws = np.stack([d["b"] for d in fitted.impute(test, n_draws=50, random_state=0)])
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    inside = ((low <= frame["b"][900:]) & (frame["b"][900:] <= high)).mean()
    assert 0.8 < inside < 0.98
