"""The rooms of the outlier detector: points, surprisals, the batched ensemble, thresholds."""

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
    p_values,
    robust_threshold,
    share_threshold,
)
from skae.outliers.coordinates import VIEWS, Coordinates
from skae.outliers.memory import Memory
from skae.outliers.neighbors import Neighbors, TypicalDistance
from skae.outliers.parts import NearCodes
from skae.outliers.surprisal import Surprisal
from skae.tables.kinds import TableOptions
from skae.tables.table import Table

RNG = np.random.default_rng(0)


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
        threshold = conformal_threshold(held_out, share)
        np.testing.assert_array_equal(scores > threshold, p_values(scores, held_out) <= share)

    def test_p_values_of_like_rows_are_uniform(self):
        held_out, scores = RNG.normal(size=4000), RNG.normal(size=4000)
        found = p_values(scores, held_out)
        for share in (0.01, 0.1, 0.5):
            assert abs((found <= share).mean() - share) < 0.03

    def test_few_rows_extrapolate(self):
        held_out = RNG.exponential(size=40)
        assert 3 < conformal_threshold(held_out, 0.001) < 14
        assert conformal_threshold(held_out, 0.001) >= held_out.max()

    def test_share(self):
        scores = RNG.permutation(100.0 * np.arange(10))
        assert (scores > share_threshold(scores, 0.3)).sum() == 3

    def test_few_outliers_do_not_take_the_robust_threshold_with_them(self):
        scores = RNG.exponential(size=5000)
        clean = robust_threshold(scores, 0.01)
        scores[:250] += 20
        assert robust_threshold(scores, 0.01) < clean + 2
        assert clean == pytest.approx(-np.log(0.01), abs=0.4)


class TestNeighbors:
    """Distances to others."""

    def test_equal_references_are_at_no_distance(self):
        points = np.repeat(RNG.normal(size=(10, 3)), 3, axis=0)
        assert (Neighbors(points, 2).distances_to_others(points) == 0).all()
        assert (Neighbors(points, 3).distances_to_others(points) > 0).all()
        assert (Neighbors(points, 3).distances(points) == 0).all()

    def test_a_reference_is_not_its_own_neighbour(self):
        points = RNG.normal(size=(30, 3))
        distances = np.linalg.norm(points[:, None] - points, axis=2)
        for k in (1, 4):
            expected = np.sort(distances, axis=1)[:, k]
            found = Neighbors(points, k).distances_to_others(points)
            np.testing.assert_allclose(found, expected)
            new = RNG.normal(size=(5, 3))
            expected = np.sort(np.linalg.norm(new[:, None] - points, axis=2), axis=1)[:, k - 1]
            np.testing.assert_allclose(Neighbors(points, k).distances(new), expected)

    def test_small_distances_keep_their_digits(self):
        points = 1e4 + RNG.normal(size=(50, 40))
        new = points[:1] + 1e-6
        found = Neighbors(points, 1).distances(new)
        np.testing.assert_allclose(found, 1e-6 * np.sqrt(40), rtol=1e-4)

    def test_typical_distance(self):
        points, new = RNG.normal(size=(100, 3)), RNG.normal(size=(4, 3))
        expected = np.sort(np.linalg.norm(new[:, None] - points, axis=2), axis=1)[:, 50]
        np.testing.assert_allclose(TypicalDistance(points, 0.5).distances(new), expected)


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


class TestMemory:
    """The rows that are remembered."""

    def test_older_rows_stand_among_newer_ones(self):
        rng = np.random.default_rng(0)
        parts = np.zeros((50, 1)), np.zeros((50, 1), dtype=int), np.arange(50) % 4, np.arange(50)
        joined = Memory(*parts).make_room(Memory(*parts), 80, rng)
        is_old = joined.positions == -1
        assert (len(joined), is_old.sum()) == (80, 30)
        assert 5 < is_old[:40].sum() < 25
        assert sorted(joined.positions[~is_old]) == list(range(50))


class TestNearCodes:
    """Codes beside those of rows that a member has not learned from."""

    def test_references_are_of_the_fold_that_was_left_out(self):
        class Members:
            n_folds = 3

            def codes(self, points):
                return np.broadcast_to(points["standard"], (2, 3, *points["standard"].shape))

        folds = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
        points = {"standard": RNG.normal(size=(9, 2))}
        part = NearCodes(Members(), points, folds, 1)
        for view in part.neighbors:
            for fold, near in enumerate(view):
                np.testing.assert_array_equal(near.references, points["standard"][folds == fold])
        found = part.held_out_quantities(points, folds)
        distances = np.linalg.norm(points["standard"][:, None] - points["standard"], axis=2)
        same = (folds[:, None] == folds) & ~np.eye(9, dtype=bool)
        np.testing.assert_allclose(found[0], np.where(same, distances, np.inf).min(1))
