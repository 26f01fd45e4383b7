"""Numbers as normal scores, and the mixtures that give them probabilities."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import kstest

from skae.nn.mixtures import ScoresAndStates
from skae.tables.mixed import as_frame
from skae.tables.scores import NormalScores, ScoredColumns


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def learn(numbers, weights=None):
    return NormalScores.learn(numbers, np.ones(len(numbers)) if weights is None else weights)


class TestNormalScores:
    def test_scores_of_a_column_are_standard_normal(self):
        numbers = np.exp(3 * np.random.default_rng(0).normal(size=5000))
        scores = learn(numbers).encode(numbers)
        assert kstest(scores, "norm").pvalue > 0.99
        assert np.corrcoef(scores, np.log(numbers))[0, 1] > 0.999

    @pytest.mark.parametrize("n_values", [1, 2, 40, 1024])
    def test_few_numbers_come_back_exactly(self, n_values):
        numbers = np.random.default_rng(0).integers(n_values, size=5000) * 3.0
        scores = learn(numbers)
        np.testing.assert_array_equal(scores.decode(scores.encode(numbers)), numbers)

    def test_many_numbers_come_back_nearly(self):
        numbers = np.random.default_rng(0).exponential(size=20_000)
        scores = learn(numbers)
        back = scores.decode(scores.encode(numbers))
        middle = numbers < np.quantile(numbers, 0.99)
        assert np.abs(back - numbers)[middle].max() < 0.05
        assert len(scores.upper) <= 1024

    def test_draws_of_normals_have_the_distribution_of_the_column(self):
        rng = np.random.default_rng(0)
        numbers = rng.exponential(size=20_000)
        draws = learn(numbers).decode(rng.normal(size=20_000))
        assert kstest(draws, numbers).statistic < 0.015
        assert draws.min() >= numbers.min()
        assert draws.max() <= numbers.max()

    def test_weights_count(self):
        scores = learn(np.array([1.0, 2.0]), np.array([3.0, 1.0]))
        np.testing.assert_allclose(scores.upper, [0.75, 1])

    def test_new_numbers_take_the_nearest_interval_and_holes_stay(self):
        scores = learn(np.array([1.0, 2.0, 10.0]))
        found = scores.encode(np.array([-5.0, 1.4, 5.0, 7.0, 99.0, np.nan]))
        np.testing.assert_array_equal(found[:5], scores.middle[[0, 0, 1, 2, 2]])
        assert np.isnan(found[5])
        assert np.isnan(scores.decode(np.array([np.nan]))).all()


def test_frequent_numbers_have_a_code_and_no_score():
    rng = np.random.default_rng(0)
    numbers = np.where(rng.random(1000) < 0.6, 0.0, rng.exponential(size=1000))
    frame = as_frame(np.stack([numbers, rng.normal(size=1000)], axis=1))
    columns = ScoredColumns.learn(frame, None)
    encoded = columns.encode(frame)
    assert np.isnan(encoded[numbers == 0, 0]).all()
    assert np.isfinite(encoded[numbers != 0, 0]).all()
    back = columns.to_frame(encoded).to_pandas().to_numpy()
    assert (back[:, 0] == 0).sum() == (numbers == 0).sum()
    np.testing.assert_allclose(back[:, 0], numbers, atol=0.05)


class TestScoresAndCodes:
    edges, numbers = (-1e4, -1.0, 0.0, 0.5, 1e4), (-2.0, 1.0, 3.0, 9.0)
    seen = ([True] * 2, [True] * 3)

    @pytest.fixture
    def likelihood(self):
        return ScoresAndStates([2, 3], [0], [self.edges], [self.numbers], self.seen)

    @pytest.fixture
    def output(self, likelihood):
        return torch.randn(7, likelihood.n_outputs, generator=torch.Generator().manual_seed(1))

    def test_probabilities_of_all_intervals_and_codes_add_up_to_one(self, likelihood, output):
        total = 0.0
        for number in (-2.0, -0.5, 0.2, 3.0):
            for code in range(3):
                x = torch.tensor([number, 0.0, code]).expand(7, 3)
                total = total + likelihood.log_prob(output, x)[:, [0, 2]].sum(1).exp()
        torch.testing.assert_close(total, torch.ones(7))

    def test_row_is_the_sum_of_its_cells_and_hidden_cells_are_free(self, likelihood, output):
        x = torch.tensor([[0.2, 0.0, 2.0]]).expand(7, 3)
        cells = likelihood.log_prob(output, x)
        torch.testing.assert_close(likelihood.negative_log_prob(output, x), -cells.sum(1))
        hidden = torch.tensor([[torch.nan, -1.0, -1.0]]).expand(7, 3)
        assert not likelihood.log_prob(output, hidden).any()

    def test_frequencies_of_draws_are_the_probabilities(self, likelihood, output, generator):
        draws = likelihood.sample(output[:1].expand(50_000, -1), generator)
        inside = ((draws[:, 0] > 0) & (draws[:, 0] <= 0.5)).float().mean()
        x = torch.tensor([[0.2, 0.0, 2.0]])
        exact = likelihood.log_prob(output[:1], x)[0].exp()
        assert float(inside) == pytest.approx(float(exact[0]), abs=0.01)
        assert float((draws[:, 2] == 2).float().mean()) == pytest.approx(float(exact[2]), abs=0.01)
        numbers = torch.tensor(self.numbers)[
            torch.bucketize(draws[:, 0].contiguous(), likelihood.edges[0]) - 1
        ]
        expected = likelihood.expected_numbers(output[:1])[0, 0]
        torch.testing.assert_close(numbers.mean(), expected, atol=0.3, rtol=0)

    def test_scores_of_numbers_are_in_their_intervals(self, likelihood):
        scores = likelihood.scores_of(torch.tensor([[-9.0], [-2], [0.9], [3.1], [99]]))[:, 0]
        places = torch.bucketize(scores, likelihood.edges[0]) - 1
        assert places.tolist() == [0, 0, 1, 2, 3]

    def test_codes_that_were_never_seen_are_not_drawn(self, output, generator):
        seen = [[True, False], [False, True, True]]
        likelihood = ScoresAndStates([2, 3], [0], [self.edges], [self.numbers], seen)
        draws = likelihood.sample(output.repeat(1000, 1), generator)
        assert draws[:, 1].unique().tolist() == [0]
        assert draws[:, 2].unique().tolist() == [1, 2]

    def test_gradient_is_that_of_differences(self, output):
        likelihood = ScoresAndStates(
            [2, 3], [0], [self.edges], [self.numbers], [[True] * 2, [True] * 3]
        ).double()
        x = torch.tensor([[0.2, 0.0, 2.0], [-30.0, 0.0, 0.0], [torch.nan, 1.0, 1.0]]).double()
        inputs = (output[:3].double().requires_grad_(),)
        assert torch.autograd.gradcheck(lambda o: likelihood.negative_log_prob(o, x), inputs)

    def test_far_numbers_have_a_finite_loss_and_gradient(self, likelihood, output):
        output = (100 * output).requires_grad_()
        x = torch.tensor([[3.0, 0.0, 1.0]]).expand(7, 3)
        losses = likelihood.negative_log_prob(output, x)
        losses.sum().backward()
        assert torch.isfinite(losses).all()
        assert torch.isfinite(output.grad).all()


def test_scored_columns_keep_the_types_of_a_frame():
    frame = pd.DataFrame({"a": [1, 2, 3] * 20, "b": list("xyz") * 20, "c": np.linspace(0, 1, 60)})
    columns = ScoredColumns.learn(as_frame_of(frame), None)
    back = columns.to_frame(columns.encode(as_frame_of(frame))).to_native()
    pd.testing.assert_frame_equal(back[["a", "b"]], frame[["a", "b"]])
    np.testing.assert_allclose(back["c"], frame["c"], atol=1e-3)


def as_frame_of(frame):
    import narwhals as nw

    return nw.from_native(frame)
