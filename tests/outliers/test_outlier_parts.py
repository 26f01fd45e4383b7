"""The rooms of the outlier detector: points, surprisals, the batched ensemble, thresholds."""

import pickle

import narwhals as nw
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import norm
from torch import nn

from skae.nn.ensemble import BatchedLinear, Ensemble
from skae.outliers.conformal import (
    conformal_threshold,
    find_gap,
    p_values,
    robust_threshold,
    share_threshold,
)
from skae.outliers.coordinates import VIEWS, Coordinates
from skae.outliers.interpolation import Interpolation
from skae.outliers.known import Known
from skae.outliers.margins import Margins
from skae.outliers.members import Reading
from skae.outliers.memory import Memory, mean_of_equal, weighted_order
from skae.outliers.neighbors import Nearest, TypicalDistance
from skae.outliers.parts import NearCodes, References
from skae.outliers.surprisal import Surprisal, logarithm
from skae.outliers.whitening import Whitening, measures
from skae.tables.cells import OTHER
from skae.tables.kinds import TableOptions
from skae.tables.table import Table

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _same_draws():
    """Every test draws the same, whatever the others draw."""
    RNG.bit_generator.state = np.random.default_rng(0).bit_generator.state


def make_ensemble(n_folds=3, **options):
    options = {"hidden_layer_sizes": (8, 8), "activation": nn.GELU, "noise": (0.1, 0.5), **options}
    return Ensemble([0, 1, 1, 2], 2, n_folds, **options)


def make_rows(n_rows, n_folds=3):
    points = torch.randn(n_rows, 8)
    return torch.cat([points, torch.arange(n_rows)[:, None] % n_folds], dim=1)


class TestEnsemble:
    """Members side by side."""

    def test_members_are_what_they_would_be_alone(self):
        torch.manual_seed(0)
        layer = BatchedLinear(3, 4, 5).double()
        x = torch.randn(3, 7, 4, dtype=torch.float64)
        alone = [x[k] @ layer.weight[k] + layer.bias[k] for k in range(3)]
        torch.testing.assert_close(layer(x), torch.stack(alone))

    def test_a_member_learns_nothing_from_its_fold(self):
        torch.manual_seed(0)
        ensemble, x = make_ensemble().train(), make_rows(12)
        x = x[x[:, -1] == 1]
        ensemble.loss(*ensemble(x), x).sum().backward()
        gradient = ensemble.output.weight.grad.abs().sum((1, 2))
        assert (gradient[ensemble.folds == 1] == 0).all()
        assert (gradient[ensemble.folds != 1] > 0).all()

    def test_rows_are_judged_by_members_that_do_not_know_them(self):
        ensemble, x = make_ensemble().eval(), make_rows(12)
        losses = ensemble.loss(*ensemble(x), x)
        output, points = ensemble(x)
        error = (output - points).square().mean(2)
        for i in range(12):
            own = ensemble.folds == x[i, -1]
            torch.testing.assert_close(losses[i], error[own, i].mean())

    def test_evaluation_corrupts_alike_every_time_and_training_does_not(self):
        ensemble, x = make_ensemble(), make_rows(6)
        ensemble.eval()
        assert torch.equal(ensemble(x)[0], ensemble(x)[0])
        ensemble.train()
        assert not torch.equal(ensemble(x)[0], ensemble(x)[0])

    def test_hidden_columns_are_not_seen(self):
        ensemble, x = make_ensemble().eval(), make_rows(5)
        points = ensemble.points(x)
        hidden = torch.zeros(6, 5, 3)
        hidden[:, :, 1] = 1
        changed = points.clone()
        changed[:, :, 1:3] += 5
        torch.testing.assert_close(
            ensemble.reconstruct(points, hidden), ensemble.reconstruct(changed, hidden)
        )
        assert not torch.allclose(
            ensemble.reconstruct(points, 0 * hidden), ensemble.reconstruct(changed, 0 * hidden)
        )

    def test_layers_of_one_size_add_up(self):
        plain = make_ensemble(hidden_layer_sizes=(8, 4))
        points = plain.points(make_rows(5))
        assert plain.encode(points).shape == (6, 5, 4)
        ensemble = make_ensemble()
        with torch.no_grad():
            ensemble.layers[1].weight.zero_()
            ensemble.layers[1].bias.zero_()
        first = ensemble.activation(
            ensemble.layers[0](ensemble._hide(points, torch.zeros(6, 5, 3)))
        )
        torch.testing.assert_close(ensemble.encode(points), first)


class TestSurprisal:
    """Ranks, and a tail beyond them."""

    def test_it_is_the_log_of_the_rank(self):
        sample = RNG.normal(size=20_000)
        values = np.array([-1.0, 0.0, 1.0])
        np.testing.assert_allclose(Surprisal.learn(sample)(values), -norm.logsf(values), atol=0.03)

    def test_the_tail_of_an_exponential_is_a_line(self):
        surprisal = Surprisal.learn(RNG.exponential(size=50_000))
        np.testing.assert_allclose(surprisal(np.array([4.0, 6.0])), [4, 6], rtol=0.05)

    def test_it_rises(self):
        for sample in (RNG.normal(size=300), RNG.integers(3, size=50), np.zeros(5), np.ones(1)):
            values = np.linspace(-5, 50, 300)
            found = Surprisal.learn(sample.astype(float))(values)
            assert (np.diff(found) >= 0).all()
            assert np.isfinite(found).all()
            assert found[-1] > found[0]

    def test_what_all_have_is_no_surprise(self):
        assert Surprisal.learn(np.ones(30))(np.ones(1)) == pytest.approx(0, abs=0.02)
        ties = Surprisal.learn(np.array([0.0] * 60 + [1.0] * 40))
        np.testing.assert_allclose(ties(np.array([0.0, 1.0])), [0, -np.log(0.4)], atol=0.02)


class TestInterpolation:
    """Piecewise linear functions."""

    @pytest.mark.parametrize(
        "knots",
        [
            np.array([1.0]),
            np.array([0.0, 1.0]),
            np.array([-1e308, 0.0, 1e308]),
            np.array([0.0, 1e-300]),
            np.linspace(0, 1, 300),
            norm.ppf(np.linspace(0.001, 0.999, 200)),
            np.exp(np.linspace(0, 30, 200)),
            np.array([0.0, 1.0, 1.0 + 1e-9, 1.0 + 2e-9, 3.0]),
        ],
    )
    def test_it_is_that_of_numpy(self, knots):
        values = RNG.normal(size=len(knots))
        at = RNG.random(1000)
        inside = knots[0] * (1 - at) + knots[-1] * at
        ends = [knots, np.nextafter(knots, np.inf), np.nextafter(knots, -np.inf)]
        x = np.concatenate([inside, *ends, [np.nan, np.inf, -np.inf, 1e300, -1e300]])
        expected = np.interp(x, knots, values)
        np.testing.assert_allclose(Interpolation(knots, values)(x), expected, atol=1e-12)
        np.testing.assert_array_equal(Interpolation(knots, values)(x[:9]), expected[:9])


class TestThresholds:
    """Conformal p-values and what follows from them."""

    def test_p_values_by_counting(self):
        held_out = np.array([1.0, 2.0, 2.0, 3.0])
        expected = [5 / 5, 4 / 5, 2 / 5, 1 / 5]
        np.testing.assert_allclose(p_values(np.array([0.5, 2.0, 3.0, 9.0]), held_out), expected)

    @pytest.mark.parametrize("n_rows", [19, 20, 99, 1000])
    @pytest.mark.parametrize("share", [0.05, 0.1, 0.5])
    def test_threshold_and_p_values_agree(self, n_rows, share):
        held_out, scores = RNG.normal(size=n_rows), RNG.normal(size=500)
        threshold = conformal_threshold(held_out, share, np.ones(n_rows))
        np.testing.assert_array_equal(scores > threshold, p_values(scores, held_out) <= share)

    def test_p_values_of_like_rows_are_uniform(self):
        held_out, scores = RNG.normal(size=4000), RNG.normal(size=4000)
        found = p_values(scores, held_out)
        for share in (0.01, 0.1, 0.5):
            assert abs((found <= share).mean() - share) < 0.03

    def test_few_rows_extrapolate(self):
        held_out = RNG.exponential(size=40)
        assert 3 < conformal_threshold(held_out, 0.001, np.ones(40)) < 14
        assert conformal_threshold(held_out, 0.001, np.ones(40)) >= held_out.max()

    def test_share(self):
        scores = RNG.permutation(100.0 * np.arange(10))
        assert (scores > share_threshold(scores, 0.3, np.ones(10))).sum() == 3

    def test_weights_count_as_repeated_rows(self):
        held_out, repeats = RNG.normal(size=60), RNG.integers(1, 4, size=60)
        repeated = np.repeat(held_out, repeats)
        weights = repeats * 1.0
        scores = RNG.normal(size=50)
        np.testing.assert_allclose(p_values(scores, held_out, weights), p_values(scores, repeated))
        found = share_threshold(held_out, 0.2, weights)
        assert found == share_threshold(repeated, 0.2, np.ones(len(repeated)))

    def test_few_outliers_do_not_take_the_robust_threshold_with_them(self):
        scores, weights = RNG.exponential(size=5000), np.ones(5000)
        none = np.zeros(5000, dtype=bool)
        clean, share = robust_threshold(scores, 0.01, weights, none)
        assert clean == pytest.approx(-np.log(0.01), abs=0.4)
        assert share < 0.01
        scores[:250] += 20
        far = np.arange(5000) < 250
        threshold, share = robust_threshold(scores, 0.01, weights, far)
        assert threshold < clean + 1
        assert share == pytest.approx(0.05, abs=0.005)


class TestGap:
    """Values that a gap parts from the others."""

    @pytest.mark.parametrize("share", [0.01, 0.1, 0.3, 0.45])
    def test_values_beyond_it_are_counted(self, share):
        values = RNG.normal(size=400)
        n_beyond = int(share * 400)
        values[:n_beyond] = RNG.uniform(8, 20, size=n_beyond)
        assert find_gap(values, 0.5) == n_beyond

    @pytest.mark.parametrize("n_values", [3, 12, 100, 3000])
    def test_mostly_there_is_none(self, n_values):
        draws = [RNG.normal, RNG.exponential, RNG.uniform, RNG.logistic, RNG.gumbel]
        found = [find_gap(draw(size=n_values), 0.5) for draw in draws for _ in range(40)]
        assert np.mean(np.array(found) > 0) < 0.05

    def test_equal_values_have_none(self):
        assert find_gap(np.zeros(50), 0.5) == 0
        assert find_gap(np.r_[np.zeros(80), np.ones(20)], 0.5) == 0


class TestNearest:
    """Distances to references."""

    def test_the_nearest_of_every_group(self):
        points, new = RNG.normal(size=(30, 3)), RNG.normal(size=(5, 3))
        distances = np.linalg.norm(new[:, None] - points, axis=2)
        for n_groups, rank in ((1, 1), (3, 1), (1, 4), (3, 2)):
            least = np.sort(distances.reshape(5, n_groups, -1), axis=2)[:, :, rank - 1]
            expected = logarithm(least).mean(1)
            nearest = Nearest(points, n_groups, rank)
            np.testing.assert_allclose(nearest(new), expected, atol=1e-5)
            np.testing.assert_allclose(nearest(new.astype(np.float32)), expected, atol=1e-4)

    def test_a_reference_is_not_its_own_neighbour(self):
        points = RNG.normal(size=(40, 3))
        found = Nearest(points, 4).of_references(points, np.arange(40))
        distances = np.linalg.norm(points[:, None] - points, axis=2) + np.diag(np.full(40, np.inf))
        expected = logarithm(distances.reshape(40, 4, -1).min(2)).mean(1)
        np.testing.assert_allclose(found, expected, atol=1e-5)

    def test_where_references_are_equal_all_count(self):
        points = np.repeat(RNG.normal(size=(10, 3)), 3, axis=0)
        none = logarithm(np.zeros(30))
        np.testing.assert_array_equal(Nearest(points, 1, 3)(points), none)
        places = np.arange(30)
        np.testing.assert_array_equal(Nearest(points, 1, 2).of_references(points, places), none)
        assert (Nearest(points, 1, 3).of_references(points, places) > none).all()

    def test_single_and_double_precision_agree(self):
        points, new = RNG.normal(size=(500, 30)), RNG.normal(size=(300, 30))
        new[:50] = points[:50] + 1e-4 * RNG.normal(size=(50, 30))
        nearest = Nearest(points, 4)
        np.testing.assert_allclose(nearest(new.astype(np.float32)), nearest(new), atol=2e-3)

    def test_few_references_are_one_group(self):
        points = RNG.normal(size=(3, 2))
        assert Nearest(points, 4).n_groups == 1
        assert np.isfinite(Nearest(points[:2], 4, 5)(points)).all()
        assert np.isfinite(Nearest(points[:1], 1).of_references(points[:1], np.zeros(1, int))).all()

    @pytest.mark.parametrize("kind", [np.float64, np.float32])
    def test_typical_distance(self, kind):
        points, new = RNG.normal(size=(100, 3)), RNG.normal(size=(4, 3))
        expected = np.sort(np.linalg.norm(new[:, None] - points, axis=2), axis=1)[:, 50]
        found = TypicalDistance(points, 0.5)(new.astype(kind))
        np.testing.assert_allclose(found, expected, rtol=1e-5)


class TestWhitening:
    """Residuals given the others."""

    def test_conditional_residuals_are_of_the_size_of_one(self):
        mix = RNG.normal(size=(6, 6))
        residuals = RNG.normal(size=(20_000, 6)) @ mix
        whitening = Whitening.learn(residuals, np.ones(len(residuals)), np.arange(6))
        conditional = whitening.conditional(torch.from_numpy(residuals)).numpy()
        np.testing.assert_allclose(conditional.std(0), 1, rtol=0.15)
        squared = whitening(torch.from_numpy(residuals)).numpy()
        np.testing.assert_allclose(squared, conditional**2)
        # The residual of a regression on the other columns, by ordinary least squares.
        for j in (0, 3):
            others = np.delete(residuals, j, axis=1)
            fitted = others @ np.linalg.lstsq(others, residuals[:, j], rcond=None)[0]
            left = residuals[:, j] - fitted
            assert np.corrcoef(left, conditional[:, j])[0, 1] > 0.99

    def test_more_coordinates_than_directions(self):
        residuals = RNG.normal(size=(50, 400)) * np.r_[10, np.ones(399)]
        whitening = Whitening.learn(residuals, np.ones(50), np.arange(400))
        assert whitening.directions.shape == (400, 50)
        squared = whitening(torch.from_numpy(residuals))
        assert torch.isfinite(squared).all()
        assert [each.shape for each in measures(squared)] == [(50,), (50,)]

    def test_the_squares_of_a_group_are_over_its_degrees_of_freedom(self):
        residuals = RNG.normal(size=(300, 5)) @ RNG.normal(size=(5, 5))
        groups = np.array([0, 1, 1, 1, 2])
        whitening = Whitening.learn(residuals, np.ones(300), groups)
        squared = whitening.conditional(torch.from_numpy(residuals)).square()
        expected = torch.stack([squared[:, 0], squared[:, 1:4].sum(1) / 2, squared[:, 4]], dim=1)
        torch.testing.assert_close(whitening(torch.from_numpy(residuals)), expected)

    @pytest.mark.parametrize("shape", [(60, 4), (20, 40)])
    def test_rows_are_held_out_as_if_the_covariance_was_that_of_the_others(self, shape):
        n, width = shape
        residuals = RNG.normal(size=shape) @ RNG.normal(size=(width, width))
        whitening = Whitening.learn(residuals, np.ones(n), np.arange(width))
        found = whitening.held_out(torch.from_numpy(residuals), torch.ones(n)).numpy()
        precision = np.diag(np.full(width, whitening.rest))
        directions = whitening.directions.double().numpy()
        precision += (directions * whitening.gains.double().numpy()) @ directions.T
        for i in range(n):
            row = residuals[i]
            others = np.linalg.inv(
                np.linalg.inv(precision) - whitening.influence * np.outer(row, row)
            )
            expected = (others @ row) ** 2 / np.diag(others)
            np.testing.assert_allclose(found[i], expected, rtol=2e-3, atol=1e-4)

    def test_held_out_residuals_are_as_large_as_new_ones(self):
        residuals = RNG.normal(size=(2000, 60)) @ RNG.normal(size=(60, 60))
        whitening = Whitening.learn(residuals[:150], np.ones(150), np.arange(60))
        held_out = whitening.held_out(torch.from_numpy(residuals[:150]), torch.ones(150))
        new, own = (
            whitening(torch.from_numpy(each)) for each in (residuals[150:], residuals[:150])
        )
        assert held_out.mean() == pytest.approx(float(new.mean()), rel=0.1)
        assert own.mean() < 0.7 * new.mean()

    def test_no_residuals_at_all(self):
        whitening = Whitening.learn(np.zeros((10, 3)), np.ones(10), np.arange(3))
        assert torch.isfinite(whitening(torch.zeros(2, 3))).all()


class TestMargins:
    """Normal scores."""

    def test_scores_are_normal(self):
        margins = Margins.learn(RNG.lognormal(size=(20_000, 1)), np.ones(20_000))
        found = margins(np.exp([[-1.0], [0.0], [2.0]]), np.ones(1))
        np.testing.assert_allclose(found[:, 0], [-1, 0, 2], atol=0.06)


class TestPoints:
    """From tables to points and back."""

    @pytest.fixture
    def frame(self):
        rows = {
            "number": RNG.normal(size=200) * 7 + 3,
            "hole": np.where(RNG.random(200) < 0.3, np.nan, RNG.normal(size=200)),
            "label": RNG.choice(["a", "b", "c"], 200),
            "two": RNG.choice(["yes", "no"], 200, p=[0.9, 0.1]),
            "same": "x",
        }
        return nw.from_native(pd.DataFrame(rows), eager_only=True)

    @pytest.fixture
    def points(self, frame):
        table = Table.learn(frame)
        return Coordinates.learn(table, *table.encode(frame))

    def test_columns_have_variance_one(self, frame, points):
        standard = points.of("standard", *points.table.encode(frame))
        variance = standard.var(0)
        by_column = np.bincount(points.column_of_coordinate, variance)
        np.testing.assert_allclose(by_column[[0, 2, 3]], 1, rtol=0.15)
        assert by_column[4] == 0

    def test_many_rare_labels_count_no_more_than_a_number(self):
        rows = {"label": [f"town {i}" for i in RNG.integers(200, size=2000)]}
        frame = nw.from_native(pd.DataFrame(rows), eager_only=True)
        table = Table.learn(frame)
        points = Coordinates.learn(table, *table.encode(frame))
        for view in VIEWS:
            assert points.of(view, *table.encode(frame)).var(0).sum() == pytest.approx(1, abs=0.1)

    def test_groups(self, points):
        np.testing.assert_array_equal(points.column_of_coordinate, [0, 1, 1, 2, 2, 2, 3, 4])
        np.testing.assert_array_equal(points.group_of_coordinate, [0, 1, 2, 3, 3, 3, 4, 5])

    def test_the_way_back(self, frame, points):
        numbers, codes = points.table.encode(frame)
        again, same_codes = points.cells(points.of("standard", numbers, codes))
        there = ~np.isnan(numbers)
        np.testing.assert_allclose(again[there], numbers[there])
        np.testing.assert_array_equal(same_codes[:, 2:], codes[:, 2:])

    @pytest.mark.parametrize("view", VIEWS)
    def test_unseen_labels_are_far_from_all(self, points, view):
        column = ["a", "b", "c", "strange"]
        rows = {"number": 1.0, "hole": 0.0, "label": column, "two": "yes", "same": "x"}
        frame = nw.from_native(pd.DataFrame(rows), eager_only=True)
        found = points.of(view, *points.table.encode(frame))
        distances = np.linalg.norm(found[:, None] - found, axis=2)
        assert distances[3, :3].min() > distances[:3, :3].max()

    def test_numbers_beyond_those_seen_go_on_rising(self, points):
        numbers = np.repeat([[30.0], [300.0], [3e6], [-30.0], [-3e6]], 2, axis=1)
        codes = np.zeros((5, 5), dtype=int)
        found = points.of("quantile", numbers, codes)[:, 0]
        assert found[0] < found[1] < found[2]
        assert found[3] > found[4]
        assert found[0] > 2.5
        assert found[3] < -2.5

    def test_rare_labels_are_bounded(self):
        labels = ["common"] * 999 + ["rare"]
        frame = nw.from_native(pd.DataFrame({"label": labels}), eager_only=True)
        table = Table.learn(frame, TableOptions(min_frequency=1, min_count=1))
        points = Coordinates.learn(table, *table.encode(frame))
        for view, most in (("standard", 10.1), ("quantile", 4)):
            found = points.of(view, *table.encode(frame))[:, 0]
            assert np.ptp(found) < most

    @pytest.mark.parametrize("view", VIEWS)
    def test_held_out_points_are_those_of_rows_that_were_left_out(self, view):
        numbers = np.random.default_rng(0).standard_t(2, size=(40, 2)) * [1, 1e6]
        labels = np.array(["a", "b"] * 19 + ["c", "a"])
        rows = {"x": numbers[:, 0], "y": numbers[:, 1], "label": labels}
        frame = nw.from_native(pd.DataFrame(rows), eager_only=True)
        table = Table.learn(frame)
        numbers, codes = table.encode(frame)
        held_out = Coordinates.learn(table, numbers, codes).of(view, numbers, codes, held_out=True)
        for i in range(40):
            others = np.arange(40) != i
            left_out = Coordinates.learn(table, numbers[others], codes[others])
            expected = left_out.of(view, numbers[i : i + 1], codes[i : i + 1])[0, :2]
            is_end = np.isin(numbers[i], [numbers.min(0), numbers.max(0)])
            compared = is_end | (np.abs(expected) < 1) | (view == "standard")
            tolerance = 1e-9 if view == "standard" else 0.15
            found = held_out[i, :2][compared]
            np.testing.assert_allclose(found, expected[compared], rtol=tolerance, atol=tolerance)
        strange = nw.from_native(pd.DataFrame({**rows, "label": "new"}), eager_only=True)
        unseen = Coordinates.learn(table, numbers, codes).of(view, *table.encode(strange))[0, 2:]
        np.testing.assert_allclose(held_out[38, 2:], unseen)

    def test_very_large_and_very_small_numbers(self):
        numbers = np.random.default_rng(0).normal(size=(50, 1))
        for unit in (1e200, 1e-200):
            frame = nw.from_native(pd.DataFrame({"x": unit * numbers[:, 0]}), eager_only=True)
            table = Table.learn(frame)
            points = Coordinates.learn(table, *table.encode(frame))
            found = points.of("standard", *table.encode(frame))
            assert found.std() == pytest.approx(1)
            again, _ = points.cells(found)
            np.testing.assert_allclose(again, unit * numbers)

    def test_where_nothing_varies_any_more_the_span_is_the_scale(self):
        frame = nw.from_native(pd.DataFrame({"x": np.linspace(0, 8, 50)}), eager_only=True)
        table = Table.learn(frame)
        points = Coordinates.learn(table, np.full((10, 1), 0.1), np.zeros((10, 1), dtype=int))
        found = points.of("standard", np.array([[0.1], [0.1 + 1e-9], [8.1]]), np.zeros((3, 1), int))
        np.testing.assert_allclose(found[:, 0], [0, 0, 1], atol=1e-6)


def make_mixed():
    """Return a table of a number, labels and a constant, and 50 rows."""
    rows = {"number": RNG.normal(size=50), "label": RNG.choice(["a", "b"], 50), "same": "x"}
    frame = nw.from_native(pd.DataFrame(rows), eager_only=True)
    return Table.learn(frame), frame


class TestMemory:
    """The rows that are remembered."""

    @staticmethod
    def of(cells, folds=None):
        """Return the rows of an array."""
        cells = np.asarray(cells)
        columns = {f"x{j}": column for j, column in enumerate(cells.T)}
        frame = nw.from_native(pd.DataFrame(columns), eager_only=True)
        rng, n = np.random.default_rng(0), len(cells)
        table = Table.learn(frame)
        return Memory.of(table, frame, np.ones(n), np.arange(n), 4, rng)

    def test_older_rows_stand_among_newer_ones(self):
        rng = np.random.default_rng(0)
        rows = self.of(np.zeros((50, 1)), np.arange(50) % 4)
        joined = rows.make_room(self.of(np.zeros((50, 1)), np.arange(50) % 4), 80, rng)
        is_old = joined.positions == -1
        assert (len(joined), is_old.sum()) == (80, 30)
        assert 5 < is_old[:40].sum() < 25
        assert sorted(joined.positions[~is_old]) == list(range(50))

    def test_equal_rows_share_the_mean(self):
        memory = self.of([[1.0], [2.0], [1.0], [np.nan], [np.nan], [-0.0], [0.0]])
        found = mean_of_equal(memory, np.array([1.0, 5.0, 3.0, 0.0, 8.0, 1.0, 3.0]))
        np.testing.assert_array_equal(found, [2, 5, 2, 4, 4, 2, 2])

    @pytest.mark.parametrize("unit", [1.0, 1e-290, 1e290])
    @pytest.mark.parametrize("center", [0.0, 1.7e9])
    def test_numbers_are_kept_in_single_precision(self, unit, center):
        numbers = (RNG.normal(size=(500, 1)) + center) * unit
        kept = self.of(numbers).numbers
        np.testing.assert_allclose(kept - center * unit, numbers - center * unit, atol=1e-6 * unit)
        assert len(np.unique(kept)) > 490

    def test_a_sentinel_does_not_blur_the_others(self):
        numbers = RNG.normal(size=(500, 1))
        numbers[7] = 1e300
        kept = self.of(numbers).numbers
        np.testing.assert_allclose(np.delete(kept, 7), np.delete(numbers, 7), atol=1e-6)
        assert kept[7] > 1e30

    def test_rows_that_differ_have_other_keys(self):
        cells = RNG.integers(4, size=(3000, 8)).astype(float)
        assert len(np.unique(self.of(cells).keys)) == len(np.unique(cells, axis=0))

    def test_a_pickle_has_all_of_it(self):
        table, frame = make_mixed()
        memory = Memory.of(table, frame, np.ones(50), np.arange(50), 4, np.random.default_rng(0))
        again = pickle.loads(pickle.dumps(memory))
        np.testing.assert_array_equal(again.states, memory.states)
        np.testing.assert_array_equal(again.numbers, memory.numbers)
        np.testing.assert_array_equal(again.keys, memory.keys)
        assert len(pickle.dumps(memory)) < 50 * (4 + 1 + 1 + 4 + 8) + 3000

    def test_known_rows_have_their_scores(self):
        table, frame = make_mixed()
        memory = Memory.of(table, frame, np.ones(50), np.arange(50), 4, np.random.default_rng(0))
        scores = np.arange(50.0)
        known = Known(memory.rounding, memory.keys, scores)
        rows = table.encode(frame)
        np.testing.assert_array_equal(known(rows, np.full(50, -1.0)), scores)
        repeated = Known(memory.rounding, np.r_[memory.keys, memory.keys[:2]], np.r_[scores, 0, 1])
        np.testing.assert_array_equal(repeated(rows, np.full(50, -1.0)), np.full(50, -1.0))
        rows[0][:25] += 0.01
        rows[1][25:30, 1] = OTHER
        expected = np.where(np.arange(50) < 30, -1.0, scores)
        np.testing.assert_array_equal(known(rows, np.full(50, -1.0)), expected)

    def test_the_first_rows_are_drawn_by_weight(self):
        weights = np.r_[np.zeros(50), np.ones(400), np.full(100, 9.0)]
        first = [weighted_order(weights, np.random.default_rng(s))[:50] for s in range(40)]
        drawn = weights[np.concatenate(first)]
        assert (drawn > 0).all()
        assert (drawn == 9).mean() == pytest.approx(900 / 1300, abs=0.06)


class TestNearCodes:
    """Codes beside those of rows that a member has not learned from."""

    def test_references_are_of_the_fold_that_was_left_out(self):
        class Members:
            n_folds, n_reading = 3, 2

            def codes(self, points, folds):
                return np.broadcast_to(points["standard"], (2, 1, *points["standard"].shape))

        folds = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
        points = {"standard": RNG.normal(size=(9, 2)).astype(np.float32).astype(float)}
        part = NearCodes(Members(), points, folds, References(None, 4, 1))
        for fold, views in enumerate(part.nearest):
            for nearest in views:
                own = points["standard"][folds == fold]
                np.testing.assert_array_equal(nearest.references, own)
        codes = np.broadcast_to(points["standard"], (2, 1, 9, 2))
        found = part.held_out_quantities(Reading(points, codes, torch.zeros(2, 1, 9, 2)))
        distances = np.linalg.norm(points["standard"][:, None] - points["standard"], axis=2)
        same = (folds[:, None] == folds) & ~np.eye(9, dtype=bool)
        expected = logarithm(np.where(same, distances, np.inf).min(1))
        np.testing.assert_allclose(found[0], expected)
