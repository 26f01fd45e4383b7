"""AEOutlierDetector: regimes, thresholds that keep their promise, explanations, streams."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import EarlyStopping

from skae import AEOutlierDetector
from skae.outliers.detector import PARTS


def make(**params):
    return AEOutlierDetector(**{"max_epochs": 20, "random_state": 0, **params})


def make_table(n_rows, seed=0):
    """A table of each kind of column, in which y follows x and the side its sign."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n_rows)
    frame = pd.DataFrame(
        {
            "x": x,
            "y": 2 * x + 0.1 * rng.normal(size=n_rows),
            "side": np.where(x > 0, "right", "left"),
            "flag": rng.random(n_rows) < 0.3,
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(90, size=n_rows), "D"),
            "same": 1.0,
            "hole": np.where(rng.random(n_rows) < 0.2, np.nan, rng.normal(size=n_rows)),
        }
    )
    frame.loc[rng.random(n_rows) < 0.05, "side"] = None
    return frame


@pytest.fixture(scope="module")
def frame():
    return make_table(400)


@pytest.fixture(scope="module")
def detector(frame):
    return make(novelty=True, max_epochs=150).fit(frame)


@pytest.fixture(scope="module")
def normal_rows():
    """Rows of a correlated normal: half of them to learn from."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(3000, 3)) @ rng.normal(size=(3, 6)) + 0.3 * rng.normal(size=(3000, 6))


def with_outliers(n_rows=500, n_outliers=25, seed=0):
    """Rows of a normal, the first of them a cluster of outliers."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n_rows, 4))
    rows[:n_outliers] = 5 + 0.05 * rng.normal(size=(n_outliers, 4))
    return rows, np.arange(n_rows) < n_outliers


class TestScores:
    """What the score is made of."""

    def test_the_score_is_minus_the_mean_of_its_parts(self, detector, frame):
        parts = detector.score_parts(frame)
        assert set(parts) == set(PARTS)
        assert all((part >= 0).all() for part in parts.values())
        mean = np.mean([parts[name] for name in detector.parts], axis=0)
        np.testing.assert_allclose(detector.score_samples(frame), -mean)
        more = make(parts=PARTS).fit(frame)
        mean = np.mean(list(more.score_parts(frame).values()), axis=0)
        np.testing.assert_allclose(more.score_samples(frame), -mean)

    @pytest.mark.parametrize("part", PARTS)
    def test_a_part_can_stand_alone(self, frame, part):
        alone = make(parts=[part]).fit(frame)
        whole = make().fit(frame)
        expected = whole.score_parts(frame)[part]
        np.testing.assert_allclose(alone.score_samples(frame), -expected)

    def test_spread_is_that_of_the_members(self, detector, frame):
        scores, std = detector.score_samples(frame, return_std=True)
        np.testing.assert_array_equal(scores, detector.score_samples(frame))
        assert (std > 0).all()
        _, none = make(parts=["center"]).fit(frame).score_samples(frame, return_std=True)
        assert (none == 0).all()

    def test_no_ties_at_the_top(self, normal_rows):
        detector = make(novelty=True).fit(normal_rows[:500])
        far = normal_rows[0] + 10.0 ** np.arange(1, 8)[:, None]
        assert (np.diff(detector.score_samples(far)) < 0).all()

    def test_two_calls_and_refits_agree(self, frame):
        first, second = make().fit(frame), make().fit(frame)
        np.testing.assert_array_equal(first.score_samples(frame), first.score_samples(frame))
        np.testing.assert_array_equal(first.score_samples(frame), second.score_samples(frame))
        other = make(random_state=1).fit(frame)
        assert (other.score_samples(frame) != first.score_samples(frame)).any()

    def test_no_global_generator_is_touched(self, frame):
        np.random.seed(3)  # noqa: NPY002
        torch.manual_seed(3)
        expected = np.random.random(), torch.rand(())  # noqa: NPY002
        np.random.seed(3)  # noqa: NPY002
        torch.manual_seed(3)
        make().fit(frame)
        assert (np.random.random(), torch.rand(())) == expected  # noqa: NPY002

    def test_units_of_columns_make_no_difference(self, normal_rows):
        rows = normal_rows[:300]
        scores = make().fit(rows).score_samples(rows)
        scaled = rows * [1, 1024, 1, 1 / 64, 1, 1] + [0, 0, 0, 0, 0, 256]
        np.testing.assert_allclose(make().fit(scaled).score_samples(scaled), scores, rtol=1e-3)

    def test_a_pickle_scores_the_same(self, detector, frame):
        again = pickle.loads(pickle.dumps(detector))
        np.testing.assert_array_equal(again.score_samples(frame), detector.score_samples(frame))


class TestRegimes:
    """Clean rows and contaminated ones."""

    def test_clean_rows_are_all_learned_from(self, normal_rows):
        detector = make(novelty=True).fit(normal_rows[:300])
        assert detector.n_trimmed_ == 0
        assert detector.n_neighbors_ == 1
        assert detector.stop_reason_ == "max_epochs"
        assert len(detector.loss_curve_) == len(detector.validation_loss_curve_) == 20

    def test_training_stops_when_held_out_rows_gain_no_more(self):
        noise = np.random.default_rng(0).normal(size=(60, 3))
        detector = make(novelty=True, max_epochs=2000, learning_rate_schedule="constant").fit(noise)
        assert detector.stop_reason_ == "n_iter_no_change"
        assert detector.best_epoch_ < detector.n_iter_ < 2000

    def test_a_callback_may_stop_training(self, normal_rows):
        stop = EarlyStopping(monitor="train_loss", patience=1, threshold=10)
        detector = make(net_params={"callbacks": [stop]}).fit(normal_rows[:200])
        assert detector.n_iter_ < 20
        assert detector.stop_reason_ == "callback"

    def test_a_cluster_of_outliers_is_trimmed_and_found(self):
        rows, is_outlier = with_outliers()
        detector = make(contamination=0.05)
        labels = detector.fit_predict(rows)
        assert detector.n_trimmed_ == 50
        assert detector.n_neighbors_ == 5
        assert roc_auc_score(is_outlier, -detector.score_samples(rows)) > 0.99
        assert (labels[is_outlier] == -1).mean() > 0.9

    def test_without_trimming_a_cluster_vouches_for_itself(self):
        rows, is_outlier = with_outliers(n_outliers=20)
        trimmed = make(parts=["neighbors"]).fit(rows)
        untrimmed = make(parts=["neighbors"], trim_fraction=0).fit(rows)
        assert untrimmed.n_trimmed_ == 0
        scores = [roc_auc_score(is_outlier, -d.score_samples(rows)) for d in (trimmed, untrimmed)]
        assert scores[0] > scores[1] + 0.2

    @pytest.mark.parametrize("contamination", [0.02, 0.1, 0.3])
    def test_the_share_of_training_rows_that_are_flagged_is_contamination(self, contamination):
        rows, _ = with_outliers()
        labels = make(contamination=contamination).fit_predict(rows)
        assert (labels == -1).sum() == round(contamination * len(rows))

    def test_auto_flags_what_lies_apart(self):
        rows, is_outlier = with_outliers()
        labels = make().fit_predict(rows)
        assert (labels[is_outlier] == -1).all()
        assert (labels[~is_outlier] == -1).mean() < 0.05

    def test_early_training_is_shorter(self, normal_rows):
        rows = normal_rows[:400]
        clean = make(novelty=True, max_epochs="auto").fit(rows)
        contaminated = make(max_epochs="auto", early_stopping=False).fit(rows)
        assert contaminated.n_iter_ < clean.n_iter_ / 2
        assert contaminated.validation_loss_curve_ is None


class TestThresholds:
    """The promise of p-values."""

    @pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
    def test_new_normal_rows_are_flagged_as_often_as_asked(self, normal_rows, share):
        detector = make(novelty=True, contamination=share).fit(normal_rows[:1000])
        flagged = detector.predict(normal_rows[1000:]) == -1
        # Both the threshold and the share of 2,000 rows vary.
        spread = 4 * np.sqrt(share * (1 - share) * (1 / 1000 + 1 / 2000))
        assert abs(flagged.mean() - share) < spread
        p_values = detector.p_values(normal_rows[1000:])
        np.testing.assert_array_equal(flagged, p_values <= share)

    def test_also_of_rows_that_repeat(self):
        rng = np.random.default_rng(0)
        rows = rng.integers(5, size=(3000, 3)).astype(float)
        detector = make(novelty=True, contamination=0.1).fit(rows[:1000])
        assert (detector.predict(rows[1000:]) == -1).mean() < 0.14

    @pytest.mark.parametrize("n_rows", [40, 100])
    def test_also_of_heavy_tails(self, n_rows):
        flagged = []
        for seed in range(4):
            rng = np.random.default_rng(seed)
            rows = rng.standard_cauchy(size=(n_rows + 500, 10))
            detector = make(novelty=True, max_epochs=5).fit(rows[:n_rows])
            flagged.append((detector.p_values(rows[n_rows:]) <= 0.1).mean())
        assert 0.03 < np.mean(flagged) < 0.17

    def test_few_rows_extrapolate(self, normal_rows):
        detector = make(novelty=True, contamination=0.001).fit(normal_rows[:50])
        assert (detector.predict(normal_rows[50:]) == -1).mean() < 0.02
        assert detector.predict(normal_rows[:1] + 100) == [-1]

    def test_false_discoveries_are_as_few_as_asked(self, normal_rows):
        detector = make(novelty=True).fit(normal_rows[:1500])
        rows = np.vstack([normal_rows[1500:], normal_rows[:100] + 8])
        alarms = detector.predict(rows, false_discovery_rate=0.1) == -1
        is_outlier = np.arange(len(rows)) >= 1500
        assert alarms[is_outlier].all()
        assert alarms[~is_outlier].sum() / alarms.sum() < 0.2
        none = detector.predict(normal_rows[1500:], false_discovery_rate=0.01) == -1
        assert none.mean() < 0.01

    @pytest.mark.parametrize("rate", [0, 1, -0.1, np.nan])
    def test_rates_are_between_0_and_1(self, detector, frame, rate):
        with pytest.raises(ValueError, match="false_discovery_rate"):
            detector.predict(frame, false_discovery_rate=rate)


class TestExplanations:
    """Which columns, what is there and what would be expected."""

    def test_shares_add_up_to_the_score(self, detector, frame):
        explanation = detector.explain(frame[:20], top=None)
        sums = explanation.groupby("row")["share"].sum()
        np.testing.assert_allclose(sums, -detector.score_samples(frame[:20]))
        assert (explanation["share"] >= 0).all()

    def test_the_odd_cell_comes_first(self, detector, frame):
        rows = frame[frame["x"].between(0.5, 1.5) & frame["side"].eq("right")][:3].copy()
        rows["y"] = [-3.0, rows["y"].iloc[1], rows["y"].iloc[2]]
        rows["side"] = ["right", "left", "right"]
        rows["same"] = [1.0, 1.0, 7.0]
        explanation = detector.explain(rows, top=1)
        assert explanation["row"].tolist() == rows.index.tolist()
        assert explanation["column"].tolist() == ["y", "side", "same"]
        assert explanation["value"].tolist() == [-3.0, "left", 7.0]
        assert explanation["expected"][0] == pytest.approx(2 * rows["x"].iloc[0], abs=0.7)
        assert explanation["expected"][1:].tolist() == ["right", 1.0]

    def test_lines_are_in_order_and_as_many_as_asked(self, detector, frame):
        explanation = detector.explain(frame[:5], top=2)
        assert len(explanation) == 10
        assert (explanation["share"][::2].to_numpy() >= explanation["share"][1::2].to_numpy()).all()
        assert len(detector.explain(frame[:5], top=100)) == 5 * frame.shape[1]

    def test_many_rows_are_explained_in_parts(self, detector, frame, monkeypatch):
        whole = detector.explain(frame[:30])
        monkeypatch.setattr("skae.outliers.model._ROWS_AT_A_TIME", 7)
        again = detector.explain(frame[:30])
        pd.testing.assert_frame_equal(again, whole, rtol=1e-6)

    def test_arrays_have_columns_by_number(self, normal_rows):
        detector = make(novelty=True).fit(normal_rows[:500])
        row = normal_rows[:1].copy()
        row[0, 4] = 30
        explanation = detector.explain(row, top=1)
        assert explanation["column"].tolist() == [4]
        assert explanation["row"].tolist() == [0]

    def test_polars(self, frame):
        table = pl.from_pandas(frame)
        detector = make().fit(table)
        assert isinstance(detector.reconstruct(table[:3]), pl.DataFrame)
        assert detector.explain(table[:3])["row"].tolist() == [0] * 3 + [1] * 3 + [2] * 3
        with pytest.raises(TypeError, match="collect"):
            detector.predict(table.lazy())


class TestReadings:
    """What the autoencoders make of rows."""

    def test_reconstructions_are_rows(self, detector, frame):
        rows = detector.reconstruct(frame)
        assert rows.dtypes.tolist() == frame.dtypes.tolist()
        assert rows.index.equals(frame.index)
        assert not rows.isna().any().any()
        assert np.corrcoef(rows["y"], frame["y"])[0, 1] > 0.9
        there = frame["side"].notna()
        assert (rows["side"] == frame["side"])[there].mean() > 0.9

    def test_reconstructions_of_arrays_are_arrays(self, normal_rows):
        detector = make(novelty=True, max_epochs=100).fit(normal_rows[:500])
        rows = detector.reconstruct(normal_rows[500:600])
        assert rows.shape == (100, 6)
        assert ((rows - normal_rows[500:600]) ** 2).mean() < 0.5 * normal_rows.var()
        tensor = detector.reconstruct(torch.from_numpy(normal_rows[500:600]))
        assert isinstance(tensor, torch.Tensor)

    def test_codes(self, detector, frame):
        codes = detector.transform(frame)
        assert codes.shape == (len(frame), 8 * 64)
        assert codes.dtype == np.float32
        assert len(detector.get_feature_names_out()) == codes.shape[1]

    def test_many_rows_are_read_in_parts(self, detector, frame, monkeypatch):
        readings = ("score_samples", "transform", "reconstruct")
        expected = [getattr(detector, reading)(frame) for reading in readings]
        monkeypatch.setattr("skae.outliers.model._ROWS_AT_A_TIME", 150)
        for reading, whole in zip(readings, expected, strict=True):
            again = getattr(detector, reading)(frame)
            if reading == "reconstruct":
                pd.testing.assert_frame_equal(again, whole)
            else:
                np.testing.assert_allclose(again, whole, rtol=1e-5)

    def test_in_a_pipeline(self, normal_rows):
        pipeline = make_pipeline(StandardScaler(), make()).fit(normal_rows[:200])
        assert set(pipeline.predict(normal_rows[:200])) == {-1, 1}


class TestStreams:
    """More rows, later."""

    def test_memory_is_bounded(self, normal_rows):
        detector = make(max_samples=200).fit(normal_rows[:300])
        assert (len(detector._memory_), detector.n_rows_) == (200, 300)
        detector.partial_fit(normal_rows[300:350])
        assert (len(detector._memory_), detector.n_rows_) == (200, 350)
        detector.partial_fit(normal_rows[350:1000])
        assert (len(detector._memory_), detector.n_rows_) == (200, 1000)

    def test_rows_one_by_one_fall_into_all_folds(self, normal_rows):
        detector = make(novelty=True, max_samples=100, max_epochs=2).fit(normal_rows[:100])
        for i in range(100, 200):
            detector.partial_fit(normal_rows[i : i + 1])
        assert np.bincount(detector._memory_.folds, minlength=4).min() > 10

    def test_a_failure_after_the_pass_undoes_it(self, normal_rows, monkeypatch):
        detector = make(novelty=True).fit(normal_rows[:300])
        before, n_epochs = detector.score_samples(normal_rows[:50]), detector.n_iter_

        def fail(*args):
            raise KeyboardInterrupt

        monkeypatch.setattr("skae.outliers.model.NearRows", fail)
        with pytest.raises(KeyboardInterrupt):
            detector.partial_fit(normal_rows[300:400])
        np.testing.assert_array_equal(detector.score_samples(normal_rows[:50]), before)
        assert len(detector.net_.history) == n_epochs

    def test_scale_and_threshold_follow(self, normal_rows):
        detector = make(novelty=True, contamination=0.05, max_samples=500).fit(normal_rows[:500])
        moved = 10 + 3 * normal_rows
        assert (detector.predict(moved[500:1000]) == -1).all()
        for start in range(500, 2000, 250):
            detector.partial_fit(moved[start : start + 250])
        assert (detector.predict(moved[2000:]) == -1).mean() < 0.12
        assert (detector.predict(normal_rows[2000:] + 40) == -1).all()

    def test_another_model_is_refused(self, normal_rows):
        detector = make(novelty=True).fit(normal_rows[:300])
        with pytest.raises(ValueError, match="n_members=12 differs from the 8"):
            detector.set_params(n_members=12).partial_fit(normal_rows[300:400])

    def test_the_first_call_is_fit(self, frame):
        first, second = make().partial_fit(frame), make().fit(frame)
        np.testing.assert_array_equal(first.score_samples(frame), second.score_samples(frame))

    def test_weights_go_on_from_where_they_were(self, normal_rows):
        detector = make(novelty=True, max_epochs=100).fit(normal_rows[:500])
        n_epochs = detector.n_iter_
        before = detector.net_.module_.linear.weight.detach().clone()
        detector.partial_fit(normal_rows[500:600])
        change = (detector.net_.module_.linear.weight - before).abs().max()
        assert 0 < change < 0.1
        assert detector.n_iter_ == detector.best_epoch_ == n_epochs + 1

    def test_a_failure_leaves_what_was_there(self, normal_rows):
        detector = make(novelty=True).fit(normal_rows[:300])
        before = detector.score_samples(normal_rows)
        bad = normal_rows[300:320].copy()
        bad[0, 0] = np.inf
        with pytest.raises(ValueError, match="infinity"):
            detector.partial_fit(bad)
        with pytest.raises(ValueError, match="features"):
            detector.partial_fit(normal_rows[:, :2])
        detector.set_params(learning_rate=1e30)
        with pytest.raises(FloatingPointError, match="diverged"):
            detector.partial_fit(normal_rows[300:400])
        np.testing.assert_array_equal(detector.score_samples(normal_rows), before)


class TestManyRows:
    """More rows than are learned from."""

    def test_all_are_judged(self, normal_rows):
        labels = make(max_samples=300, contamination=0.1).fit_predict(normal_rows)
        assert labels.shape == (3000,)
        assert abs((labels == -1).mean() - 0.1) < 0.06

    def test_a_sample_does_nearly_as_well(self):
        rows, is_outlier = with_outliers(3000, 100)
        detector = make(max_samples=500).fit(rows)
        assert roc_auc_score(is_outlier, -detector.score_samples(rows)) > 0.99

    def test_their_labels_are_known(self, normal_rows):
        frame = pd.DataFrame({"x": normal_rows[:400, 0], "id": [f"k{i // 4}" for i in range(400)]})
        detector = make(max_samples=100, handle_unknown="error", max_epochs=3)
        assert detector.fit_predict(frame).shape == (400,)
        assert len(detector.explain(frame[:9], top=1)) == 9
        with pytest.raises(ValueError, match="'new'"):
            detector.partial_fit(pd.concat([frame, pd.DataFrame({"x": [0.0], "id": ["new"]})]))

    @pytest.mark.parametrize("seed", range(4))
    def test_all_are_checked(self, normal_rows, seed):
        frame = pd.DataFrame({"x": normal_rows[:400, 0], "y": 1.0})
        detector = make(max_samples=100, max_epochs=3, random_state=seed).fit(frame)
        before = detector.score_samples(frame)
        broken = frame.assign(x=frame["x"].where(frame.index != 37, np.inf))
        for method in ("fit", "fit_predict", "partial_fit"):
            with pytest.raises(ValueError, match="'x' of X contains infinity"):
                getattr(detector, method)(broken)
            np.testing.assert_array_equal(detector.score_samples(frame), before)


class TestBadInput:
    """What is odd is judged, what is impossible is refused."""

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"parts": ["reconstruction", "latents"]}, "'parts' parameter must hold some of"),
            ({"parts": []}, "'parts' parameter"),
            ({"parts": [["center"]]}, "'parts' parameter"),
            ({"parts": ["center", "center"]}, "'parts' parameter"),
            ({"n_members": 5}, "'n_members' parameter must be even"),
            ({"contamination": 0.7}, "'contamination' parameter"),
            ({"hidden_layer_sizes": (0,)}, "'hidden_layer_sizes' parameter"),
            ({"device": "nowhere"}, "'device' parameter"),
        ],
    )
    def test_parameters(self, frame, params, message):
        with pytest.raises(ValueError, match=message):
            make(**params).fit(frame)

    def test_labels_that_were_never_seen_are_odd(self, detector, frame):
        row = frame[frame["side"].notna()][:1]
        strange = row.assign(side="up")
        assert detector.score_samples(strange) < detector.score_samples(row)
        assert detector.predict(strange) == [-1]
        strict = make(handle_unknown="error").fit(frame)
        with pytest.raises(ValueError, match="'up'"):
            strict.score_samples(strange)

    def test_a_constant_column_does_not_explode(self, normal_rows):
        rows = np.hstack([normal_rows[:300], np.ones((300, 1))])
        detector = make(novelty=True).fit(rows)
        odd = rows[:1].copy()
        odd[0, -1] = 1 + 1e-9
        assert -20 < detector.score_samples(odd)[0] < detector.score_samples(rows[:1])[0]

    def test_holes_where_there_were_none_are_odd(self, normal_rows):
        detector = make(novelty=True).fit(normal_rows[:500])
        rows = np.vstack([normal_rows[500], np.full(6, np.nan)])
        scores = detector.score_samples(rows)
        assert scores[1] < scores[0]
        assert detector.p_values(rows)[1] < 0.05

    def test_single_precision_after_double(self):
        rng = np.random.default_rng(0)
        rows = np.column_stack(
            [rng.normal(size=(200, 2)), rng.choice([0.1, 0.7], 200), np.full(200, 0.1)]
        )
        detector = make(novelty=True).fit(rows)
        single = detector.score_samples(rows.astype(np.float32))
        np.testing.assert_allclose(single, detector.score_samples(rows), atol=5e-3)
        explanation = detector.explain(rows[:5].astype(np.float32), top=1)
        assert set(explanation["column"]) <= {0, 1, 2}

    @pytest.mark.parametrize("first", [np.float32, np.float64])
    def test_labels_are_matched_in_the_coarser_precision(self, first):
        second = np.float64 if first is np.float32 else np.float32
        rng = np.random.default_rng(0)
        numbers, labels = rng.normal(size=100), rng.choice([0.1, 0.7], 100)
        rows = np.column_stack([numbers, labels])
        detector = make(novelty=True, handle_unknown="error").fit(rows[:50].astype(first))
        scores = [detector.score_samples(rows[50:].astype(dtype)) for dtype in (first, second)]
        np.testing.assert_allclose(*scores, atol=1e-3)
        with pytest.raises(ValueError, match=r"did not see: 0\.5"):
            detector.score_samples(np.array([[0.0, 0.5]]).astype(second))

    def test_large_labels_are_told_apart(self):
        rng = np.random.default_rng(0)
        rows = pd.DataFrame({"x": rng.normal(size=50), "id": rng.choice([2.0**24, 1.0], 50)})
        detector = make(novelty=True, handle_unknown="error").fit(rows)
        with pytest.raises(ValueError, match="16777217"):
            detector.score_samples(pd.DataFrame({"x": [0.0], "id": [2.0**24 + 1]}))

    def test_sentinels_are_found(self, normal_rows):
        rows = normal_rows[:200].copy()
        rows[7, 0] = 1e300
        assert make().fit_predict(rows)[7] == -1

    def test_rows_may_be_empty(self, frame, detector):
        empty = frame[:1].copy()
        empty.loc[:, ["x", "y", "hole"]] = np.nan
        empty["side"] = None
        assert np.isfinite(detector.score_samples(empty)).all()

    def test_columns_may_be_empty(self, frame):
        rows = frame.assign(nothing=np.nan)
        detector = make().fit(rows)
        assert np.isfinite(detector.score_samples(rows)).all()
        assert detector.reconstruct(rows)["nothing"].isna().all()
        assert np.isfinite(detector.explain(rows[:2])["share"]).all()

    @pytest.mark.parametrize("n_rows", [2, 3, 5, 12])
    @pytest.mark.parametrize("novelty", [True, False])
    def test_few_rows(self, normal_rows, n_rows, novelty):
        detector = make(novelty=novelty).fit(normal_rows[:n_rows])
        assert np.isfinite(detector.score_samples(normal_rows[:50])).all()
        assert n_rows < 5 or detector.predict(normal_rows[:1] + 1000) == [-1]

    def test_equal_rows(self):
        detector = make(novelty=True).fit(np.ones((20, 2)))
        assert (detector.predict(np.ones((3, 2))) == 1).all()
        assert (detector.predict(np.full((1, 2), 5.0)) == -1).all()

    def test_one_row_is_too_few(self, frame, normal_rows):
        for rows in (frame[:1], normal_rows[:1]):
            with pytest.raises(ValueError, match="1 sample"):
                make().fit(rows)

    def test_infinity(self, normal_rows, frame):
        with pytest.raises(ValueError, match="infinity"):
            make().fit(np.where(normal_rows > 3, np.inf, normal_rows))
        with pytest.raises(ValueError, match="'x' of X contains infinity"):
            make().fit(frame.assign(x=frame["x"].where(frame["x"] < 1, np.inf)))

    @pytest.mark.parametrize(
        "wrong",
        [{"contamination": 7}, {"novelty": "no"}, {"learning_rate": -1.0}, {"max_samples": 1}],
    )
    def test_parameters_of_a_later_pass(self, normal_rows, wrong):
        detector = make(max_epochs=2).fit(normal_rows[:120])
        with pytest.raises(ValueError, match=f"'{next(iter(wrong))}' parameter"):
            detector.set_params(**wrong).partial_fit(normal_rows[:120])

    def test_lists_of_labels_and_numbers(self, normal_rows):
        rows = [["ab"[i % 2], *row] for i, row in enumerate(normal_rows[:200, :2].tolist())]
        detector = make(categorical_features=[0], max_epochs=3).fit(rows)
        assert [field.kind for field in detector.schema_.fields[1:]] == ["number", "number"]
        scores = detector.score_samples([["a", 0.0, 0.0], ["a", 1e9, -1e9]])
        assert scores[0] > scores[1]
        assert (
            scores == detector.score_samples(np.array([["a", 0.0, 0.0], ["a", 1e9, -1e9]], object))
        ).all()

    def test_parameters_that_are_set_after_fit_wait_for_the_next(self, normal_rows):
        rows = np.array([["ab"[i % 2], *row] for i, row in enumerate(normal_rows[:200])], object)
        detector = make(categorical_features=[0], max_epochs=3).fit(rows)
        before = detector.score_samples(rows)
        detector.set_params(categorical_features="from_dtype", novelty=True, contamination=0.3)
        np.testing.assert_array_equal(detector.score_samples(rows), before)

    def test_names_that_stand_twice(self, frame):
        with pytest.raises(ValueError, match="unique"):
            make().fit(frame.set_axis(["x", "x", *frame.columns[2:]], axis=1))

    def test_an_array_for_a_frame_of_labels(self, detector, frame):
        with pytest.raises(TypeError, match="needs one now"):
            detector.score_samples(np.zeros((2, frame.shape[1])))

    def test_a_failed_fit_leaves_the_one_before(self, frame):
        detector = make().fit(frame)
        before = detector.score_samples(frame)
        detector.set_params(learning_rate=1e30)
        with pytest.raises(FloatingPointError, match="diverged"):
            detector.fit(frame)
        np.testing.assert_array_equal(detector.score_samples(frame), before)

    def test_a_clone_is_not_fitted(self, detector):
        assert not clone(detector).__sklearn_is_fitted__()
