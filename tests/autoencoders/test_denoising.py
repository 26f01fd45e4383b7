"""DenoisingAE: corruptions do what they say, and are undone."""

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import make_rows, rows_of_a_shop
from sklearn.decomposition import PCA
from torch import nn

from skae import DenoisingAE
from skae.nn.corruptions import MaskCells, Repeated, SaltAndPepper, SwapCells
from skae.nn.image_corruptions import Blur, Grey, InUnits, Patch

ROWS = torch.arange(4000.0).reshape(1000, 4)
IMAGES = torch.rand(50, 3 * 6 * 8)
SHAPE = (3, 6, 8)


def make(**params):
    return DenoisingAE(**{"n_components": 8, "max_epochs": 30, "random_state": 0, **params})


class TestModules:
    @pytest.mark.parametrize(
        "corruption",
        [
            MaskCells(0.3, torch.zeros(4)),
            SaltAndPepper(0.3, torch.zeros(4), torch.ones(4)),
            SwapCells(0.3, range(4)),
        ],
        ids=lambda corruption: type(corruption).__name__,
    )
    def test_a_share_of_the_cells_is_changed_in_training_alone(self, corruption):
        assert torch.equal(corruption.eval()(ROWS), ROWS)
        changed = (corruption.train()(ROWS) != ROWS).float().mean()
        assert changed == pytest.approx(0.3, abs=0.03)

    def test_swapped_cells_come_from_their_column(self):
        swapped = SwapCells(0.5, range(4))(ROWS)
        assert all(torch.isin(swapped[:, j], ROWS[:, j]).all() for j in range(4))

    def test_columns_of_a_cell_are_swapped_together(self):
        swapped = SwapCells(0.5, [0, 1, 0, 1])(ROWS)
        assert torch.equal(swapped[:, 2] - swapped[:, 0], torch.full((1000,), 2.0))

    def test_salt_and_pepper_are_the_extremes(self):
        spoilt = SaltAndPepper(1.0, torch.zeros(4), torch.ones(4))(ROWS)
        assert spoilt.unique().tolist() == [0, 1]
        assert spoilt.mean() == pytest.approx(0.5, abs=0.03)

    def test_blur_averages_blocks(self):
        images = Blur(2, SHAPE)(IMAGES).unflatten(1, SHAPE)
        block = IMAGES.unflatten(1, SHAPE)[:, :, :2, :2].mean((2, 3))
        torch.testing.assert_close(images[:, :, 1, 1], block)
        torch.testing.assert_close(images[:, :, 0, 0], block)

    def test_blur_takes_blocks_that_do_not_fill_the_image(self):
        image = torch.arange(7.0).expand(1, 7, 7).reshape(1, 49)
        blurred = Blur(3, (1, 7, 7))(image).reshape(7, 7)
        assert blurred[0].tolist() == [1, 1, 1, 4, 4, 4, 6]

    def test_grey_has_equal_channels(self):
        images = Grey(SHAPE)(IMAGES).unflatten(1, SHAPE)
        torch.testing.assert_close(images[:, 0], images[:, 2])
        torch.testing.assert_close(images[:, 0], IMAGES.unflatten(1, SHAPE).mean(1))

    def test_patches_are_squares_anywhere(self):
        cut = Patch(2, SHAPE)(IMAGES).unflatten(1, SHAPE) == 0
        assert (cut.sum((1, 2, 3)) == 3 * 4).all()
        assert (cut[:, 0] == cut[:, 2]).all()
        assert len(cut[:, 0].flatten(1).float().argmax(1).unique()) > 5

    def test_units(self):
        center = torch.arange(4.0)
        corruption = InUnits(lambda x: 2 * x, center, 3.0)
        torch.testing.assert_close(corruption(ROWS) * 3 + center, 2 * (ROWS * 3 + center))

    def test_evaluation_repeats_itself_and_touches_no_generator(self):
        corruption = Repeated(nn.Sequential(MaskCells(0.3, torch.zeros(4)))).eval()
        state = torch.get_rng_state()
        first = corruption(ROWS)
        assert torch.equal(corruption(ROWS), first)
        assert not torch.equal(first, ROWS)
        assert torch.equal(torch.get_rng_state(), state)
        assert not corruption.corruption.training


@pytest.fixture(scope="module")
def images():
    from sklearn.datasets import load_digits

    return load_digits().data / 16


@pytest.mark.parametrize(
    ("corruption", "level", "spoil"),
    [
        ("gaussian", 0.5, lambda X, rng: X + 0.5 * rng.normal(size=X.shape)),
        ("masking", 0.3, lambda X, rng: np.where(rng.random(X.shape) < 0.3, X.mean(0), X)),
        (
            "salt_and_pepper",
            0.3,
            lambda X, rng: np.where(rng.random(X.shape) < 0.3, rng.integers(2, size=X.shape), X),
        ),
        (
            "swap",
            0.3,
            lambda X, rng: np.where(rng.random(X.shape) < 0.3, rng.permuted(X, axis=0), X),
        ),
    ],
)
def test_it_cleans_better_than_pca(images, corruption, level, spoil):
    train, test = images[:1500], images[1500:]
    spoilt = spoil(test, np.random.default_rng(0))
    fitted = make(n_components=32, corruption=corruption, corruption_level=level).fit(train)
    pca = PCA(16).fit(train)
    by_pca = pca.inverse_transform(pca.transform(spoilt))
    error = ((fitted.reconstruct(spoilt) - test) ** 2).mean()
    assert error < 0.8 * ((by_pca - test) ** 2).mean()
    assert error < 0.7 * ((spoilt - test) ** 2).mean()


def test_it_fills_patches(images):
    train, test = images[:1500], images[1500:].copy()
    cut = test.reshape(-1, 8, 8).copy()
    cut[:, 2:5, 3:6] = 0
    fitted = make(corruption="patch", corruption_level=3, image_shape=(8, 8), n_components=32)
    filled = fitted.fit(train).reconstruct(cut.reshape(-1, 64)).reshape(-1, 8, 8)
    truth = test.reshape(-1, 8, 8)[:, 2:5, 3:6]
    assert ((filled[:, 2:5, 3:6] - truth) ** 2).mean() < 0.3 * (truth**2).mean()


def test_pairs_teach_what_no_corruption_says(images):
    mirrored = images.reshape(-1, 8, 8)[:, :, ::-1].reshape(-1, 64)
    fitted = make(n_components=32, clean="y", max_epochs=100)
    fitted.fit(mirrored[:1500], images[:1500])
    error = ((fitted.reconstruct(mirrored[1500:]) - images[1500:]) ** 2).mean()
    assert error < 0.3 * images[1500:].var()
    assert fitted.noise_variance_ == pytest.approx(error, rel=0.5)


def test_pairs_may_be_weighted_frames_of_tables():
    clean = rows_of_a_shop()
    spoilt = clean.assign(price=clean["price"].sample(frac=1, random_state=0).to_numpy())
    weights = np.r_[np.zeros(100), np.ones(200)]
    fitted = make(corruption_level=0.0, clean="y").fit(spoilt, clean, sample_weight=weights)
    again = make(corruption_level=0.0, clean="y").fit(spoilt[100:], clean[100:])
    np.testing.assert_array_equal(fitted.transform(spoilt), again.transform(spoilt))
    back = fitted.reconstruct(spoilt)["price"]
    assert back.corr(clean["price"]) > 0.6


def test_labels_are_no_clean_rows(rows):
    fitted = make(max_epochs=3).fit(rows)
    labelled = make(max_epochs=3).fit(rows, np.arange(len(rows)))
    np.testing.assert_array_equal(fitted.transform(rows), labelled.transform(rows))


def test_pairs_continue_with_partial_fit(rows):
    fitted = make(clean="y").partial_fit(rows, rows).partial_fit(rows[:20], rows[:20])
    assert np.isfinite(fitted.score(rows))


@pytest.mark.parametrize("corruption", ["swap", "masking", "gaussian", ["swap", "gaussian"]])
def test_tables(corruption):
    frame = rows_of_a_shop()
    fitted = make(corruption=corruption).fit(frame)
    back = fitted.reconstruct(frame)
    assert back.dtypes.equals(frame.dtypes)
    assert (back["kind"] == frame["kind"])[frame["kind"].notna()].mean() > 0.8
    assert not fitted.impute(frame).isna().to_numpy().any()


@pytest.mark.parametrize(
    "corruption", [nn.Dropout(0.2), lambda x: x + torch.randn_like(x), ["swap", nn.Dropout(0.1)]]
)
def test_your_own_corruption_gets_rows_in_their_units(rows, corruption):
    fitted = make(corruption=corruption, max_epochs=3).fit(rows)
    assert np.isfinite(fitted.reconstruct(rows)).all()


def test_your_own_corruption_gets_rows_in_their_units_exactly(rows):
    seen = []

    def look(x):
        seen.append(x)
        return x

    make(corruption=look, max_epochs=1, early_stopping=False).fit(rows)
    low, high = seen[-1].min(0).values, seen[-1].max(0).values
    np.testing.assert_allclose(low, rows.min(0), atol=1e-4)
    np.testing.assert_allclose(high, rows.max(0), atol=1e-4)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"corruption": "noise"}, "The 'corruption' parameter"),
        ({"corruption": ["swap", "noise"]}, "among .* Got 'noise'"),
        ({"corruption": [3]}, "also a module or a callable. Got 3"),
        ({"corruption": []}, "at least one"),
        ({"corruption": ["swap"], "corruption_level": [0.1, 0.2]}, "one for each of the 1"),
        ({"corruption_level": 1.5}, r"for 'swap', a float in the range \[0, 1\]. Got 1.5"),
        ({"corruption_level": -1}, "The 'corruption_level' parameter"),
        ({"corruption": "patch"}, "corruption='patch' is for images: give their 'image_shape'"),
        (
            {"corruption": "blur", "image_shape": (5, 1), "corruption_level": 2},
            r"for 'blur', an int in the range \[1, 1\]. Got 2",
        ),
        ({"corruption": lambda x: x[:, :2]}, r"For \(2, 5\) it returned \(2, 2\)"),
        ({"corruption": lambda x: None}, "it returned NoneType"),
        ({"corruption": nn.Linear(3, 5)}, r"cannot take rows of shape \(2, 5\)"),
    ],
)
def test_what_cannot_be_done(params, message):
    with pytest.raises(ValueError, match=message):
        make(**params).fit(make_rows(30))


def test_what_cannot_be_done_with_tables():
    frame = pd.DataFrame({"a": ["x", "y"] * 10, "b": range(20)})
    with pytest.raises(ValueError, match=r"for tables, among .* Got 'salt_and_pepper'"):
        make(corruption="salt_and_pepper").fit(frame)
    with pytest.raises(ValueError, match=r"among .* for tables"):
        make(corruption=nn.Identity()).fit(frame)


def test_pairs_that_do_not_match(rows):
    with pytest.raises(ValueError, match="contains infinity"):
        make(clean="y").fit(rows, np.full(rows.shape, np.inf))
    with pytest.raises(ValueError, match=r"of shape \(\d+, 5\)\. Got shape \(\d+, 5\)"):
        make(clean="y").fit(rows, rows[:-1])
    with pytest.raises(ValueError, match=r"Got shape \(\d+, 4\)"):
        make(clean="y").fit(rows, rows[:, :4])
    with pytest.raises(ValueError, match=r"so fit needs y\. Got None"):
        make(clean="y").fit(rows)


def test_clean_rows_are_taken_only_where_they_are_asked_for(rows):
    plain = make(max_epochs=3).fit(rows).transform(rows)
    with pytest.warns(UserWarning, match="y has the shape of X and is ignored"):
        given = make(max_epochs=3).fit(rows, rows + 1).transform(rows)
    np.testing.assert_array_equal(plain, given)
