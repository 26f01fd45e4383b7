"""SketchVAE: what it learns, draws and refuses."""

import warnings

import numpy as np
import pytest
from helpers import sequences_for
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

import skae
from skae import SketchVAE
from skae.training.callbacks import KeepBest


def shapes(n=120, seed=0):
    """Squares and zigzags of several sizes."""
    rng = np.random.default_rng(seed)
    square = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], dtype=float)
    zigzag = np.array([[1, 1], [1, -1], [1, 1], [1, -1], [1, 1], [1, -1]], dtype=float)
    drawings = []
    for i in range(n):
        offsets = (square, zigzag)[i % 2] * rng.uniform(1, 3) + 0.05 * rng.normal()
        lifted = np.arange(len(offsets)) == len(offsets) - 1
        drawings.append(np.column_stack([offsets, lifted]))
    return drawings


@pytest.fixture(scope="module")
def fitted():
    model = SketchVAE(
        4,
        hidden_size=32,
        n_mixtures=3,
        max_epochs=150,
        beta=0.3,
        dropout=0.0,
        learning_rate=0.01,
        random_state=0,
    )
    return model.fit(shapes())


def quick(**params):
    options = {"hidden_size": 8, "n_mixtures": 2, "max_epochs": 2, "random_state": 0}
    return SketchVAE(2, **{**options, **params})


def fit_quietly(model, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(*args, **kwargs)


def test_codes_tell_kinds_apart(fitted):
    codes = fitted.transform(shapes(seed=1))
    assert codes.shape == (120, 4)
    assert codes.dtype == np.float32
    middles = codes[::2].mean(0), codes[1::2].mean(0)
    nearer = [np.linalg.norm(codes - middle, axis=1) for middle in middles]
    assert ((nearer[0] > nearer[1]) == (np.arange(120) % 2 == 1)).mean() > 0.95
    assert len(fitted.active_units_) >= 1
    assert fitted.kl_per_component_.sum() > 0.5


def test_reconstructions_are_of_the_kind_and_the_size(fitted):
    X = shapes(20, seed=2)
    found = fitted.reconstruct(X)
    assert [len(each) for each in found] == [len(each) for each in X]
    sizes = (
        [np.abs(each[:, :2]).mean() for each in X],
        [np.abs(each[:, :2]).mean() for each in found],
    )
    assert np.corrcoef(*sizes)[0, 1] > 0.8
    again = fitted.inverse_transform(fitted.transform(X))
    assert all(np.array_equal(a, b) for a, b in zip(found, again, strict=True))


def test_scores_prefer_what_was_learned(fitted):
    X = shapes(20, seed=3)
    strange = [np.column_stack([each[:, 1], 3 * each[:, 0], each[:, 2]]) for each in X]
    scores = fitted.score_samples(X)
    assert scores.mean() > fitted.score_samples(strange).mean() + 5
    assert fitted.score(X) == pytest.approx(scores.mean())
    np.testing.assert_allclose(fitted.score_samples(X[:3]), scores[:3], rtol=1e-4)
    # Densities are in the units of the drawings.
    larger = [each * [10, 10, 1] for each in X]
    model = clone(fitted).fit([each * [10, 10, 1] for each in shapes()])
    lengths = np.array([len(each) for each in X])
    difference = scores - model.score_samples(larger)
    np.testing.assert_allclose(difference, 2 * lengths * np.log(10), atol=0.5)


def test_draws_are_seeded_drawings(fitted):
    drawn = fitted.sample(30, random_state=1)
    again = fitted.sample(30, random_state=1)
    assert all(np.array_equal(a, b) for a, b in zip(drawn, again, strict=True))
    assert not np.array_equal(drawn[0], fitted.sample(1, random_state=2)[0])
    for each in drawn:
        assert each.shape[1] == 3
        assert 1 <= len(each) <= fitted.max_length_ == 6
        assert set(each[:, 2]) <= {0.0, 1.0}
        assert each[-1, 2] == 1
    # Codes between both kinds may give other lengths.
    assert np.mean([len(each) in (4, 6) for each in drawn]) > 0.6
    # What is drawn can be read.
    assert np.isfinite(fitted.score_samples(drawn)).all()


def test_completions_keep_the_beginning_and_fit_it(fitted):
    square, zigzag = shapes(2, seed=4)
    found = fitted.complete([square[:2], zigzag[:2]], 8, random_state=0)
    assert [len(each) for each in found] == [8, 8]
    for begun, completions in zip((square, zigzag), found, strict=True):
        for each in completions:
            np.testing.assert_allclose(each[:2], begun[:2], rtol=1e-5, atol=1e-6)
    assert np.mean([len(each) == 4 for each in found[0]]) > 0.6
    assert np.mean([len(each) == 6 for each in found[1]]) > 0.6
    with pytest.raises(ValueError, match="has 6 points, but max_length=5"):
        fitted.complete([zigzag], 1)


def test_interpolations_begin_and_end_with_reconstructions(fitted):
    square, zigzag = shapes(2, seed=5)
    way = fitted.interpolate(square, zigzag, 6)
    first, last = fitted.reconstruct([square, zigzag])
    np.testing.assert_allclose(way[0], first, atol=1e-3)
    np.testing.assert_allclose(way[-1], last, atol=1e-3)
    assert len(way) == 6


def test_arithmetic_of_codes(fitted):
    X = shapes(40, seed=6)
    codes = fitted.transform(X)
    turned = codes[:1] - codes[::2].mean(0) + codes[1::2].mean(0)
    assert [len(each) for each in fitted.inverse_transform(turned)] == [6]


@pytest.mark.parametrize("rnn", ["lstm", "gru"])
def test_a_model_without_a_code_draws_completes_and_scores(rnn):
    X = shapes(60)
    model = SketchVAE(0, rnn=rnn, hidden_size=24, n_mixtures=3, max_epochs=60, random_state=0).fit(
        X
    )
    assert len(model.active_units_) == 0
    assert [len(each) for each in model.complete([X[0][:2]], 3, temperature=0, random_state=0)] == [
        3
    ]
    assert len(model.sample(4, random_state=0)) == 4
    assert model.score(X) > SketchVAE(0, hidden_size=24, max_epochs=1, random_state=0).fit(X).score(
        X
    )
    for call in (model.transform, model.reconstruct, lambda X: model.interpolate(X[0], X[1])):
        with pytest.raises(ValueError, match="n_components=0"):
            call(X)


def test_the_same_seed_gives_the_same_model():
    X = shapes(30)
    first, second = (fit_quietly(quick(), X) for _ in range(2))
    other = fit_quietly(quick(random_state=1), X)
    assert np.array_equal(first.transform(X), second.transform(X))
    assert not np.array_equal(first.transform(X), other.transform(X))


def test_weights_count():
    X = shapes(40)
    weights = np.arange(40) % 2
    model = fit_quietly(quick(max_epochs=30, learning_rate=0.01), X, sample_weight=weights)
    plain = fit_quietly(quick(max_epochs=30, learning_rate=0.01), X)
    gains = model.score_samples(X) - plain.score_samples(X)
    assert gains[1::2].mean() > gains[::2].mean() + 0.5
    with pytest.raises(ValueError, match="sample_weight"):
        quick().fit(X, sample_weight=weights[:3])


def test_training_goes_on_with_warm_start():
    X = shapes(40)
    model = fit_quietly(quick(warm_start=True, max_epochs=10), X)
    before = model.best_loss_
    fit_quietly(model, X)
    assert model.best_loss_ <= before
    with pytest.raises(ValueError, match="hidden_size=9 differs"):
        model.set_params(hidden_size=9).fit(X)
    assert model.transform(X).shape == (40, 2)


def test_a_fit_that_was_killed_goes_on(tmp_path, monkeypatch):
    X, end_epoch = shapes(30), KeepBest.on_epoch_end

    def killed(self, net, **kwargs):
        if len(net.history) == 3:
            raise RuntimeError("killed")
        end_epoch(self, net, **kwargs)

    options = {"checkpoint": tmp_path / "state", "checkpoint_every": 1e-9, "max_epochs": 5}
    monkeypatch.setattr(KeepBest, "on_epoch_end", killed)
    with pytest.raises(RuntimeError, match="killed"):
        quick(**options).fit(X)
    assert any((tmp_path / "state").iterdir())
    monkeypatch.undo()
    gone_on = fit_quietly(quick(**options), X)
    whole = fit_quietly(quick(max_epochs=5), X)
    assert np.array_equal(gone_on.transform(X), whole.transform(X))
    assert gone_on.loss_curve_ == whole.loss_curve_


def test_the_scale_is_one_number_for_all():
    X = shapes(30)
    model = fit_quietly(quick(), X)
    assert model.codec_.scale == pytest.approx(np.concatenate(X)[:, :2].std())
    rows = model.codec_.encode(X)
    back = model.codec_.decode(rows)
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(X, back, strict=True))


def test_a_pen_that_is_down_at_the_end_is_lifted():
    X = shapes(30)
    down = [each * [1, 1, 0] for each in X]
    model = fit_quietly(quick(), X)
    assert np.array_equal(model.transform(X), model.transform(down))


def test_a_file_holds_the_model(tmp_path):
    X = sequences_for(SketchVAE, 30)
    model = fit_quietly(quick(), X)
    model.save(tmp_path / "model")
    assert "SketchVAE" in str(skae.inspect(tmp_path / "model"))
    loaded = skae.load(tmp_path / "model")
    assert np.array_equal(loaded.transform(X), model.transform(X))
    assert np.array_equal(loaded.sample(random_state=0)[0], model.sample(random_state=0)[0])


BAD = [
    (lambda X: X[0], r"one array of shape \(4, 3\): put a single drawing into a list"),
    (lambda X: "drawing", "must be a list of drawings"),
    (lambda X: 3, "must be a list of drawings"),
    (lambda X: [], "at least one drawing"),
    (lambda X: [*X, X[0][:, :2]], r"Drawing 30 of X must be .* Got the shape \(4, 2\)"),
    (lambda X: [*X, X[0][:0]], "Drawing 30 of X has no points"),
    (lambda X: [X[0] * np.nan, *X], "Drawing 0 of X must hold finite numbers"),
    (lambda X: [X[0] * [np.inf, 1, 1], *X], "Drawing 0 of X must hold finite numbers"),
    (lambda X: [X[0] * [1, 1, 2], *X], "Drawing 0 of X must have 0 or 1 in its third column"),
    (lambda X: [None, *X], r"Drawing 0 of X must be .* Got the shape \(\)"),
    (lambda X: [[["a", 0, 1]], *X], "Drawing 0 of X must be an array"),
]


@pytest.mark.parametrize(("spoil", "message"), BAD)
def test_what_is_no_drawing_is_refused_by_name(spoil, message):
    X = shapes(30)
    model = quick()
    with pytest.raises((TypeError, ValueError), match=message):
        model.fit(spoil(X))
    assert not hasattr(model, "net_")
    fit_quietly(model, X)
    with pytest.raises((TypeError, ValueError), match=message):
        model.transform(spoil(X))


def test_other_refusals(fitted):
    X = shapes(30)
    with pytest.raises(NotFittedError):
        quick().transform(X)
    with pytest.raises(ValueError, match="Drawing 1 of X has 6 points, but max_length=5"):
        quick(max_length=5).fit(X)
    with pytest.raises(ValueError, match="temperature"):
        fitted.sample(1, temperature=-1.0)
    with pytest.raises(ValueError, match="temperature"):
        fitted.sample(1, temperature=np.inf)
    with pytest.raises(ValueError, match="n_samples"):
        fitted.sample(0)
    with pytest.raises(ValueError, match="codes of 4 units"):
        fitted.inverse_transform(np.zeros((1, 3)))
    with pytest.raises(ValueError, match="rnn"):
        quick(rnn="transformer").fit(X)
    assert fitted.transform(X).shape == (30, 4)


def test_what_is_longer_than_the_training_drawings_can_be_read(fitted):
    longer = np.concatenate(shapes(2, seed=7))
    assert fitted.transform([longer]).shape == (1, 4)
    assert np.isfinite(fitted.score_samples([longer])).all()


def test_arrays_of_drawings_of_one_length():
    squares = np.stack(shapes(40)[::2])
    ragged = np.empty(40, dtype=object)
    ragged[:] = shapes(40)
    assert fit_quietly(quick(), squares).transform(squares).shape == (20, 2)
    assert fit_quietly(quick(), ragged).transform(ragged).shape == (40, 2)


def test_drawings_without_extent_are_no_error():
    X = [np.array([[0.0, 0, 1]])] * 30
    model = fit_quietly(quick(), X)
    assert np.isfinite(model.score_samples(X)).all()
