"""SeriesAutoencoder: no worse than PCA, lengths, likelihoods in nats, tools, files."""

import math

import numpy as np
import pytest
import torch
from panel_helpers import as_frame, ragged_waves, waves
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

import skae
from skae import AEOutlierDetector, SeriesAutoencoder
from skae.nn.ragged import Lengths, RaggedGaussian, Stretch, resample

EQUAL, RAGGED = waves(), ragged_waves()
QUICK = {"n_components": 3, "channels": 4, "max_epochs": 5, "random_state": 0}


def fitted(X, **how):
    return SeriesAutoencoder(**{**QUICK, **how}).fit(X)


def error(X, other):
    squares = [np.square(a - b).mean() for a, b in zip(X, other, strict=True)]
    return float(np.mean(squares))


def test_it_starts_at_pca_and_does_not_end_worse():
    new = waves(300, seed=1)
    pca = PCA(3).fit(EQUAL.reshape(60, -1))
    linear = pca.inverse_transform(pca.transform(new.reshape(300, -1))).reshape(new.shape)
    start = fitted(EQUAL, max_epochs=1)
    assert start.best_epoch_ == 0
    assert error(new, start.reconstruct(new)) == pytest.approx(error(new, linear), rel=1e-3)
    assert error(new, fitted(EQUAL).reconstruct(new)) <= 1.001 * error(new, linear)


def test_it_learns_what_is_not_linear():
    X, new = waves(1500, 1), waves(300, 1, seed=1)
    pca = PCA(2).fit(X[:, 0])
    linear = pca.inverse_transform(pca.transform(new[:, 0]))[:, None]
    bent = np.sign(X) * np.abs(X) ** 3, np.sign(new) * np.abs(new) ** 3
    pca = PCA(2).fit(bent[0][:, 0])
    linear = pca.inverse_transform(pca.transform(bent[1][:, 0]))[:, None]
    estimator = SeriesAutoencoder(2, channels=16, max_epochs=40, random_state=0).fit(bent[0])
    assert error(bent[1], estimator.reconstruct(bent[1])) < 0.5 * error(bent[1], linear)


@pytest.mark.parametrize("variational", [False, True])
def test_lengths_come_back(variational):
    new = ragged_waves(100, seed=1)
    estimator = fitted(RAGGED, variational=variational)
    codes, lengths = estimator.transform(new), np.array([case.shape[1] for case in new])
    expected = np.array([case.shape[1] for case in estimator.inverse_transform(codes)])
    assert np.abs(expected - lengths).mean() < 1
    at = estimator.inverse_transform(codes, lengths=lengths)
    for one, other in zip(at, estimator.reconstruct(new), strict=True):
        np.testing.assert_array_equal(one, other)
    assert error(new, at) < 0.01
    drawn = estimator.sample(200, random_state=0)
    sizes = [case.shape[1] for case in drawn]
    assert min(sizes) >= 8
    assert max(sizes) <= 20
    assert np.mean(sizes) == pytest.approx(lengths.mean(), abs=1.5)


def test_longer_and_shorter_cases_than_any_of_fit_are_read():
    estimator, t = fitted(RAGGED), np.linspace(0, 6, 200)
    wave = 1.5 * np.sin(t + np.arange(2)[:, None])
    long, short = wave, wave[:, [0, 60, 130, 199]]
    codes = estimator.transform([long, wave[:, ::10]])
    assert np.abs(codes[0] - codes[1]).max() < 0.5
    back = estimator.reconstruct([long, short, wave[:, :1]])
    assert [case.shape for case in back] == [(2, 200), (2, 4), (2, 1)]
    assert np.square(back[0] - long).mean() < 0.02
    assert np.isfinite(estimator.score_samples([long, short, wave[:, :1]])).all()
    with pytest.raises(ValueError, match="200 timepoints, more than the 20"):
        estimator.score_cells([long])


def test_lengths_are_checked():
    codes = np.zeros((2, 3))
    estimator = fitted(RAGGED)
    for lengths in ([1], [1, 0], [1.5, 2], "ab"):
        with pytest.raises(ValueError, match="'lengths' parameter must hold"):
            estimator.inverse_transform(codes, lengths=lengths)
    with pytest.raises(ValueError, match="'lengths' parameter is for cases of unequal"):
        fitted(EQUAL).inverse_transform(codes, lengths=[24, 24])


def test_padding_is_in_no_sum():
    lengths = Lengths(center=3.0, scale=1.0, bounds=(1, 5))
    likelihood = RaggedGaussian(1, 5, lengths, torch.ones(5), variance=0.5)
    likelihood.length_variance = torch.tensor(0.7)
    output = torch.cat([torch.tensor([[0.0, 1, 2, 3, 4]]), torch.full((1, 5), 0.4)], dim=1)
    x = torch.tensor([[0.5, 2.0, 4.5, 9.0, -9.0, 0.0]])
    # Of three points, the middle of the grid is the second.
    squares = torch.tensor([0.25, 0.0, 0.25])
    points = -0.5 * (math.log(2 * math.pi * 0.5) + squares / 0.5)
    length = -0.5 * (math.log(2 * math.pi * 0.7) + 0.4**2 / 0.7)
    found = likelihood.log_prob(output, x)[0]
    torch.testing.assert_close(found, torch.tensor([*points, 0.0, 0.0, length]))
    torch.testing.assert_close(likelihood.negative_log_prob(output, x)[0], -found.sum())
    assert likelihood.squared_error(output, x)[0].isnan().tolist() == [False] * 3 + [True] * 2 + [
        False
    ]


def test_densities_of_lengths_are_probabilities():
    lengths = Lengths(center=10.0, scale=4.0, bounds=(1, 30))
    likelihood = RaggedGaussian(1, 30, lengths, torch.ones(30))
    likelihood.calibrate(torch.zeros(31))
    x = torch.zeros(60, 31)
    x[:, -1] = lengths.encode(torch.arange(-20, 40))
    for mean in (0.0, 0.1):
        output = torch.cat([torch.zeros(60, 30), torch.full((60, 30), mean)], dim=1)
        found = likelihood.log_prob(output, x)[:, -1] - math.log(4.0)
        assert float(found.exp().sum()) == pytest.approx(1, abs=0.02)


def test_stretching_and_its_way_back():
    series = torch.zeros(2, 1, 5)
    series[0, 0, :3] = torch.tensor([0.0, 2.0, 4.0])
    series[1, 0, :1] = 7.0
    grid = resample(series, torch.tensor([3, 1]), to_points=False)
    torch.testing.assert_close(grid[:, 0], torch.tensor([[0.0, 1, 2, 3, 4], [7.0] * 5]))
    points = resample(grid, torch.tensor([3, 1]), to_points=True)
    torch.testing.assert_close(points[0, 0, :3], series[0, 0, :3])
    assert points[1, 0, 0] == 7
    seen = Stretch(1, Lengths(2.0, 1.0, (1, 5)))(torch.cat([series[:, 0], torch.ones(2, 1)], 1))
    assert seen.shape == (2, 10)
    assert (seen[:, 5:] == 1).all()


@pytest.mark.parametrize("variational", [False, True])
@pytest.mark.parametrize("X", [EQUAL, RAGGED], ids=["equal", "ragged"])
def test_scores_are_densities_in_the_units_of_x(X, variational):
    how = {"variational": variational}
    scores = fitted(X, **how).score_samples(X)
    tenfold = [10 * case for case in X] if isinstance(X, list) else 10 * X
    n_cells = np.array([case.size for case in X])
    expected = scores - n_cells * math.log(10)
    np.testing.assert_allclose(fitted(tenfold, **how).score_samples(tenfold), expected, atol=0.1)
    scaled = fitted(tenfold, **how, scale_channels=True).score_samples(tenfold)
    assert np.median(scaled - expected) == pytest.approx(0, abs=5)


@pytest.mark.parametrize("how", [{}, {"scale_channels": True}, {"variational": True}])
def test_scores_of_cells_add_up(how):
    estimator = fitted(EQUAL * [[1], [50]], **how)
    X = EQUAL[:5] * [[1], [50]]
    cells = estimator.score_cells(X)
    assert cells.shape == X.shape
    np.testing.assert_allclose(cells.sum((1, 2)), estimator.score_samples(X), rtol=1e-3, atol=0.05)


def test_scores_of_ragged_cells_point_at_what_is_odd():
    estimator = fitted(RAGGED)
    X = [case.copy() for case in RAGGED[:3]]
    X[1][0, 4] += 3
    cells = estimator.score_cells(X)
    assert [case.shape for case in cells] == [case.shape for case in X]
    assert np.unravel_index(cells[1].argmin(), cells[1].shape) == (0, 4)
    assert estimator.score_samples(X)[1] < estimator.score_samples(RAGGED[:3])[1] - 10


def test_scaled_channels_count_alike():
    X = EQUAL * np.array([[1.0], [1000.0]])
    first = [
        np.square(estimator.reconstruct(X)[:, 0] - X[:, 0]).mean()
        for estimator in (fitted(X, n_components=1), fitted(X, n_components=1, scale_channels=True))
    ]
    assert first[1] < first[0]


EDGES = {
    "one timepoint": waves(30)[:, :, :1],
    "one channel and timepoint": waves(30)[:, :1, :1],
    "two cases": waves(2),
    "constant": np.ones((20, 2, 9)),
    "a constant channel": np.stack([waves(20)[:, 0], np.ones((20, 24))], 1),
    "large": 1e30 * waves(20),
    "far away": 1e9 + waves(20),
    "integers": (10 * waves(20)).astype(int),
    "short and ragged": [np.ones((1, n)) + i for i, n in enumerate([1, 2, 3] * 5)],
    "constant and ragged": [np.ones((1, n)) for n in [1, 2, 3] * 5],
}


@pytest.mark.parametrize("how", [{}, {"variational": True}, {"scale_channels": True}])
@pytest.mark.parametrize("name", EDGES)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_edges(name, how):
    X = EDGES[name]
    estimator = fitted(X, max_epochs=2, kernel_size=31, n_blocks=6, **how)
    back = estimator.reconstruct(X)
    for readings in (back, estimator.sample(5, random_state=0), [estimator.score_samples(X)]):
        assert all(np.isfinite(case).all() for case in readings)
    if "constant" in name and "channel" not in name:
        assert error(X, back) < 1e-4


def test_pipelines_and_searches_on_panels():
    y = (EQUAL[:, 0, 0] > np.median(EQUAL[:, 0, 0])).astype(int)
    pipeline = make_pipeline(SeriesAutoencoder(**QUICK), LogisticRegression())
    grid = {"seriesautoencoder__n_components": [1, 3]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(EQUAL, y)
    assert search.best_score_ > 0.8
    cases = ragged_waves(60)
    assert np.isfinite(cross_val_score(SeriesAutoencoder(**QUICK), cases, cv=3)).all()
    detector = make_pipeline(
        SeriesAutoencoder(**QUICK), AEOutlierDetector(n_members=4, max_epochs=2, random_state=0)
    )
    assert detector.fit(cases).score_samples([*cases[:4], 9 * cases[5]]).argmin() == 4


@pytest.mark.parametrize("X", [EQUAL, RAGGED, as_frame(RAGGED)], ids=["equal", "ragged", "frame"])
@pytest.mark.parametrize("how", [{}, {"variational": True, "scale_channels": True}])
def test_files_hold_it_to_the_bit(X, how, tmp_path):
    estimator = fitted(X, **how)
    estimator.save(tmp_path / "file")
    loaded = skae.load(tmp_path / "file")
    np.testing.assert_array_equal(loaded.transform(X), estimator.transform(X))
    np.testing.assert_array_equal(loaded.score_samples(X), estimator.score_samples(X))
    samples = [each.sample(3, random_state=0) for each in (loaded, estimator)]
    for one, other in zip(*map(list, samples), strict=True):
        np.testing.assert_array_equal(one, other)
    assert loaded.get_params() == estimator.get_params()


def test_the_same_seed_gives_the_same():
    one, other = fitted(RAGGED), fitted(RAGGED)
    np.testing.assert_array_equal(one.transform(RAGGED), other.transform(RAGGED))
    assert clone(one).get_params() == one.get_params()


def test_training_goes_on():
    estimator = fitted(RAGGED, warm_start=True)
    before = estimator.autoencoder_
    again = estimator.set_params(max_epochs=3).fit(ragged_waves(60, seed=2))
    assert again.form_.n_timepoints == 20
    assert again.autoencoder_.columns_ is before.columns_
    estimator = SeriesAutoencoder(**QUICK)
    for seed in range(3):
        estimator.partial_fit(waves(40, seed=seed))
    assert estimator.n_iter_ == 3
    assert not hasattr(estimator, "best_epoch_")
    with pytest.raises(ValueError, match="channels=8 differs"):
        estimator.set_params(channels=8).partial_fit(EQUAL)


def test_a_fit_that_fails_changes_nothing():
    estimator = fitted(EQUAL)
    before = estimator.transform(EQUAL)
    for X in (EQUAL[0, 0], np.full_like(EQUAL, np.nan)):
        with pytest.raises(ValueError, match=r"NaN|1D array"):
            estimator.fit(X)
    np.testing.assert_array_equal(estimator.transform(EQUAL), before)


def test_weights_of_zero_leave_cases_out():
    weights = np.ones(60)
    weights[30:] = 0
    cases = [*RAGGED[:30], *(50 * case for case in RAGGED[30:])]
    part = fitted(RAGGED[:30]).transform(RAGGED)
    weighted = SeriesAutoencoder(**QUICK).fit(cases, sample_weight=weights).transform(RAGGED)
    np.testing.assert_allclose(weighted, part, atol=1e-3)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"kernel_size": 4}, "'kernel_size' parameter must be odd"),
        ({"beta": 2.0}, "'beta' parameter is for variational=True"),
        ({"n_blocks": 0}, "'n_blocks' parameter"),
        ({"prior": "uniform"}, "'prior' parameter"),
    ],
)
def test_parameters_are_checked(how, message):
    with pytest.raises(ValueError, match=message):
        fitted(EQUAL, **how)


def test_posteriors_are_of_the_variational_one_alone():
    mean, scale = fitted(RAGGED, variational=True).posterior(RAGGED)
    assert mean.shape == scale.shape == (60, 3)
    assert not hasattr(fitted(RAGGED), "posterior")


def test_a_fit_goes_on_from_its_checkpoint(tmp_path):
    folder = tmp_path / "state"
    one = fitted(RAGGED, checkpoint=str(folder), checkpoint_every=1e-9)
    np.testing.assert_array_equal(one.transform(RAGGED), fitted(RAGGED).transform(RAGGED))
