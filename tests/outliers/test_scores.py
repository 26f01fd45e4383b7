"""What the score is made of."""

import pickle

import numpy as np
import pytest
import torch
from outlier_helpers import make, make_table

from skae.outliers.joining import join
from skae.outliers.model import PARTS


def test_one_part_that_is_sure_is_enough_and_so_are_all_together(detector, frame):
    frame = make_table(400, seed=1)
    parts = detector.score_parts(frame)
    assert list(parts) == ["neighbors", "reconstruction", "center"]
    assert all((part >= 0).all() for part in parts.values())
    surprisal = -detector.score_samples(frame)
    together = 1.25 * np.mean(list(parts.values()), axis=0)
    assert (surprisal >= together - 1e-9).all()
    assert (surprisal >= parts["neighbors"] - 1e-9).all()
    assert (surprisal >= 0.8 * parts["reconstruction"] - 1e-9).all()
    assert (surprisal < parts["center"]).any()


@pytest.mark.parametrize("part", PARTS)
def test_a_part_can_stand_alone(frame, part):
    alone = make(parts=[part]).fit(frame)
    whole = make(parts=PARTS).fit(frame)
    frame = make_table(400, seed=1)
    surprisal = whole.score_parts(frame)[part]
    np.testing.assert_allclose(alone.score_parts(frame)[part], surprisal)
    if part in ("center", "latent"):
        np.testing.assert_allclose(alone.score_samples(frame), -surprisal)
    else:
        assert (alone.score_samples(frame) <= -surprisal + 1e-9).all()


def test_the_joint_surprisal():
    surprisals = {"a": [np.array([1.0, 6.0, 0.0])], "b": [np.array([1.0, 0.0, 0.0]), np.zeros(3)]}
    surprisals["c"] = [np.array([4.0, 0.0, 9.0])]
    expected = [1.25 * (1 + 0.5 + 4) / 3, 6, 1.25 * 3]
    np.testing.assert_allclose(join(surprisals, {"a": 1.0, "b": 0.5, "c": 0.0}), expected)
    surprisals["b"][1] = np.array([0.0, 0.0, 8.0])
    found = join(surprisals, {"a": 1.0, "b": 0.5, "c": 0.0})
    np.testing.assert_allclose(found, [*expected[:2], 1.25 * (4 + 9) / 3])
    np.testing.assert_allclose(join({"b": surprisals["b"]}, {"b": 0.5}), [0.5, 0.0, 4.0])


def test_spread_is_that_of_the_members(detector, frame):
    scores, std = detector.score_samples(frame, return_std=True)
    np.testing.assert_array_equal(scores, detector.score_samples(frame))
    assert (std > 0).mean() > 0.9
    _, none = make(parts=["center"]).fit(frame).score_samples(frame, return_std=True)
    assert (none == 0).all()


def test_no_ties_at_the_top(normal_rows):
    detector = make(novelty=True).fit(normal_rows[:500])
    far = normal_rows[0] + 10.0 ** np.arange(1, 8)[:, None]
    assert (np.diff(detector.score_samples(far)) < 0).all()


def test_two_calls_and_refits_agree(frame):
    first, second = make().fit(frame), make().fit(frame)
    np.testing.assert_array_equal(first.score_samples(frame), first.score_samples(frame))
    np.testing.assert_array_equal(first.score_samples(frame), second.score_samples(frame))
    other = make(random_state=1).fit(frame)
    assert (other.score_samples(frame) != first.score_samples(frame)).any()


def test_no_global_generator_is_touched(frame):
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(3)
    expected = np.random.random(), torch.rand(())  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(3)
    make().fit(frame)
    assert (np.random.random(), torch.rand(())) == expected  # noqa: NPY002


def test_units_of_columns_make_no_difference(normal_rows):
    rows = normal_rows[:300]
    scores = make().fit(rows).score_samples(rows)
    scaled = rows * [1, 1024, 1, 1 / 64, 1, 1] + [0, 0, 0, 0, 0, 256]
    np.testing.assert_allclose(make().fit(scaled).score_samples(scaled), scores, rtol=1e-3)


def test_a_pickle_scores_the_same(detector, frame):
    again = pickle.loads(pickle.dumps(detector))
    np.testing.assert_array_equal(again.score_samples(frame), detector.score_samples(frame))
