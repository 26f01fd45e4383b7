"""Directions of codes, rows moved along them, and paths between codes."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from helpers import AUTOENCODERS, rows_of_a_shop
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError

from skae import AutoencoderTransformer, VAETransformer
from skae.autoencoders.paths import arcs, lines

X, y = load_digits(return_X_y=True)
HAS = np.random.default_rng(0).random(len(X)) < 0.5


def with_bars(rows):
    """Return images whose first line is full."""
    images = rows.copy().reshape(-1, 8, 8)
    images[:, 0] = 16
    return images.reshape(-1, 64)


ROWS = np.where(HAS[:, None], with_bars(X), X)


@pytest.fixture(scope="module")
def autoencoder():
    return AutoencoderTransformer(16, max_epochs=40, random_state=0).fit(ROWS[:1200])


@pytest.fixture(scope="module")
def bar(autoencoder):
    return autoencoder.direction(ROWS[:1200], HAS[:1200], within=y[:1200])


@pytest.fixture(scope="module")
def shop():
    frame = rows_of_a_shop()
    return frame, VAETransformer(max_epochs=40, random_state=0).fit(frame)


class TestDirection:
    """What differs between rows with and without an attribute."""

    def test_it_is_the_difference_of_the_means(self, autoencoder):
        codes = autoencoder.transform(ROWS)
        expected = codes[HAS].mean(0) - codes[~HAS].mean(0)
        np.testing.assert_allclose(autoencoder.direction(ROWS, HAS), expected, atol=1e-4)

    def test_groups_are_left_out_of_it(self, autoencoder):
        # Most rows of one class have the bar, and few of the other.
        rng = np.random.default_rng(1)
        classes = rng.integers(2, size=1000)
        has = rng.random(1000) < np.where(classes == 1, 0.9, 0.1)
        rows = np.where(has[:, None], with_bars(X[y == 0][:1])[0], X[y == 0][0])
        rows = rows + np.where(classes[:, None] == 1, X[y == 1][0] - X[y == 0][0], 0)
        of_class = autoencoder.direction(rows, classes == 1, within=has)
        mixed, within = (autoencoder.direction(rows, has, within=g) for g in (None, classes))
        cosine = [
            abs(np.dot(each, of_class)) / np.linalg.norm(each) / np.linalg.norm(of_class)
            for each in (mixed, within)
        ]
        assert cosine[1] < 0.5 * cosine[0]

    @pytest.mark.parametrize(
        ("has", "message"),
        [
            (np.zeros(10, dtype=bool), "It is True for 0 of 10 rows"),
            (np.full(10, 2), "'has' must hold True and False only. Got .*2"),
            (np.ones(3, dtype=bool), "inconsistent numbers of samples"),
        ],
    )
    def test_bad_attributes(self, autoencoder, has, message):
        with pytest.raises(ValueError, match=message):
            autoencoder.direction(X[:10], has)


class TestEdit:
    """Rows moved along a direction."""

    @pytest.mark.parametrize("latent", ["normal", "von_mises_fisher"])
    def test_of_a_variational_autoencoder(self, latent):
        density = VAETransformer(16, latent_distribution=latent, max_epochs=30, random_state=0)
        density.fit(ROWS[:1200])
        bar = density.direction(ROWS[:1200], HAS[:1200], within=y[:1200])
        first_line = density.edit(X[1200:], bar)[:, :8]
        assert first_line.mean() > 13

    def test_an_attribute_is_added_and_nothing_else_changes(self, autoencoder, bar):
        edited = autoencoder.edit(X[1200:], bar)
        assert edited[:, :8].mean() > 14
        assert np.abs(edited - X[1200:])[:, 8:].mean() < 0.5

    def test_an_attribute_is_taken_away(self, autoencoder, bar):
        edited = autoencoder.edit(with_bars(X[1200:]), bar, amount=-1)
        before = np.abs(with_bars(X[1200:]) - X[1200:]).mean()
        assert np.abs(edited - X[1200:]).mean() < 0.4 * before

    def test_half_of_it_is_half_of_it(self, autoencoder, bar):
        halves = [autoencoder.edit(X[1200:], bar, amount)[:, :8].mean() for amount in (0, 0.5, 1)]
        assert halves[1] == pytest.approx((halves[0] + halves[2]) / 2, rel=0.25)

    def test_amount_of_each_row(self, autoencoder, bar):
        amounts = np.array([0, -1, 0.5])
        found = autoencoder.edit(X[:3], bar, amounts)
        expected = [autoencoder.edit(X[i : i + 1], bar, amounts[i])[0] for i in range(3)]
        np.testing.assert_allclose(found, expected, atol=1e-4)

    def test_direction_of_each_row(self, autoencoder):
        codes = autoencoder.transform(X[:6])
        ways = codes[3:] - codes[:3]
        moved = autoencoder.edit(X[:3], ways)
        bounds = autoencoder.columns_.decode(np.stack(autoencoder.columns_.encoded_range))
        before, after = (autoencoder.inverse_transform(part) for part in (codes[:3], codes[3:]))
        np.testing.assert_allclose(moved, np.clip(X[:3] + after - before, *bounds), atol=1e-3)
        halves = autoencoder.edit(X[:3], ways, [0.5, 0.5, 0.5])
        np.testing.assert_allclose(halves, autoencoder.edit(X[:3], ways / 2), atol=1e-4)

    def test_what_the_code_does_not_say_is_carried_over(self, autoencoder, bar):
        rows = X[1200:1210].astype(np.float32)
        codes = autoencoder.transform(rows)
        change = autoencoder.inverse_transform(codes + bar) - autoencoder.inverse_transform(codes)
        expected = np.clip(
            rows + change,
            *autoencoder.columns_.decode(np.stack(autoencoder.columns_.encoded_range)),
        )
        np.testing.assert_allclose(autoencoder.edit(rows, bar), expected, atol=1e-4)

    def test_containers(self, autoencoder, bar):
        expected = autoencoder.edit(X[:5], bar)
        tensor = autoencoder.edit(torch.from_numpy(X[:5]), bar)
        assert isinstance(tensor, torch.Tensor)
        np.testing.assert_allclose(tensor.numpy(), expected, atol=1e-5)
        np.testing.assert_allclose(
            autoencoder.edit(sparse.csr_array(X[:5]), bar), expected, atol=1e-5
        )

    def test_tables(self, shop):
        frame, density = shop
        vans = density.direction(frame, (frame["kind"] == "van").to_numpy())
        cars = frame[frame["kind"] == "bike"]
        edited = density.edit(cars, vans, 1.5)
        assert edited.dtypes.equals(frame.dtypes)
        assert edited.index.equals(cars.index)
        assert edited["price"].mean() > cars["price"].mean() + 5
        assert (edited["kind"] != "bike").mean() > 0.5
        pd.testing.assert_frame_equal(edited.isna(), cars.isna())
        pd.testing.assert_frame_equal(density.edit(cars, vans, 0), cars)

    def test_directions_of_rows_of_a_table(self, shop):
        frame, density = shop
        codes = density.transform(frame[:20])
        ways, amounts = codes[10:] - codes[:10], np.linspace(0, 1, 10)
        edited = density.edit(frame[:10], ways, amounts)
        pd.testing.assert_frame_equal(edited[:1], frame[:1])
        one = density.edit(frame[7:8], ways[7], amounts[7])
        pd.testing.assert_frame_equal(edited[7:8], one)

    def test_arrays_that_are_read_as_tables(self):
        rows = np.random.default_rng(0).normal(size=(60, 3))
        density = VAETransformer(max_epochs=5, random_state=0).fit(rows)
        frame = pd.DataFrame(rows, columns=list("abc"))
        named = VAETransformer(max_epochs=5, random_state=0).fit(frame)
        direction = density.direction(rows, rows[:, 0] > 0)
        edited = density.edit(rows, direction)
        assert isinstance(edited, np.ndarray)
        np.testing.assert_allclose(edited, named.edit(frame, direction).to_numpy())
        np.testing.assert_array_equal(density.edit(rows, direction, 0), rows)

    def test_labels_alone(self):
        frame = pd.DataFrame({"a": list("xyz") * 30, "b": list("xyz") * 30})
        density = VAETransformer(max_epochs=100, random_state=0).fit(frame)
        direction = density.direction(frame[frame["a"] != "z"], np.tile([True, False], 30))
        edited = density.edit(frame[frame["a"] == "y"], direction)
        assert (edited == "x").all(axis=None)

    def test_categories_with_a_label_of_a_single_row(self):
        """No file holds such a label, so that decoded columns have other categories."""
        labels = np.resize(np.array(list("xyz"), dtype=object), 120)
        labels[7] = "once"
        names = ["never", "once", "x", "y", "z"]
        cells = pd.Categorical(labels, categories=names, ordered=True)
        frame = pd.DataFrame({"a": cells, "b": np.arange(120.0)})
        density = VAETransformer(max_epochs=3, random_state=0).fit(frame)
        edited = density.edit(frame, np.ones(density.n_components_), 3)
        assert edited.dtypes.equals(frame.dtypes)
        holes = frame.assign(a=frame["a"].mask(frame.index < 5))
        filled = density.impute(holes)
        assert filled.dtypes.equals(frame.dtypes)
        pd.testing.assert_frame_equal(filled[5:], frame[5:])
        lacking = pd.DataFrame({"a": pd.Categorical([None, "x"]), "b": [1.0, 2.0]})
        assert density.impute(lacking)["a"].notna().all()

    def test_small_integers_do_not_overflow(self):
        counts = np.random.default_rng(0).integers(256, size=(200, 1))
        frame = pd.DataFrame(np.hstack([counts, 255 - counts]), columns=["a", "b"], dtype=np.uint8)
        density = VAETransformer(max_epochs=20, random_state=0).fit(frame)
        direction = density.direction(frame, (frame["a"] > 128).to_numpy())
        for amount in (-4, 4):
            edited = density.edit(frame, direction, amount)
            assert edited.dtypes.equals(frame.dtypes)
            change = edited["a"].astype(int) - frame["a"].astype(int)
            assert (change * np.sign(amount) >= -2).all()

    def test_frames_of_polars(self, shop):
        frame = pl.from_pandas(shop[0])
        density = VAETransformer(max_epochs=5, random_state=0).fit(frame)
        direction = density.direction(frame, (frame["price"] > 20).fill_null(False).to_numpy())
        edited = density.edit(frame, direction)
        assert edited.schema == frame.schema
        assert density.edit(frame, direction, 0).equals(frame)

    @pytest.mark.parametrize("cls", AUTOENCODERS)
    @pytest.mark.filterwarnings("ignore:The code carries nothing")
    def test_all_autoencoders(self, cls):
        fitted = cls(4, max_epochs=2, random_state=0).fit(X)
        direction = fitted.direction(X, y < 5)
        assert direction.shape == (4,)
        assert np.isfinite(fitted.edit(X[:3], direction)).all()

    def test_bad_input(self, autoencoder, bar):
        with pytest.raises(ValueError, match="X has 3 components"):
            autoencoder.edit(X, bar[:3])
        with pytest.raises(TypeError, match="amount"):
            autoencoder.edit(X, bar, "much")
        with pytest.raises(ValueError, match="'direction' must be one, or one for each of the 5"):
            autoencoder.edit(X[:5], np.stack([bar, bar]))
        with pytest.raises(ValueError, match=r"'amount' must be one, or .* Got 2."):
            autoencoder.edit(X[:5], bar, [0, 1])
        with pytest.raises(ValueError, match="amount contains NaN"):
            autoencoder.edit(X[:2], bar, [0, np.nan])
        with pytest.raises(NotFittedError):
            AutoencoderTransformer().edit(X, bar)


class TestPaths:
    """Codes between codes."""

    def test_arcs_are_even_and_on_the_sphere(self):
        rng = np.random.default_rng(0)
        start, stop = (rng.normal(size=(6, 3)) for _ in range(2))
        start, stop = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (start, stop))
        codes = arcs(start, stop, 7)
        np.testing.assert_allclose(np.linalg.norm(codes, axis=2), 1)
        np.testing.assert_allclose(codes[:, [0, -1]], np.stack([start, stop], axis=1))
        cosines = (codes[:, 1:] * codes[:, :-1]).sum(2)
        np.testing.assert_allclose(cosines, cosines[:, :1] + np.zeros(6))
        # They are in the plane of both ends.
        for line, first, last in zip(codes, start, stop, strict=True):
            assert np.linalg.matrix_rank(np.vstack([line, first, last]), tol=1e-6) == 2

    def test_an_arc_without_length_is_a_point(self):
        point = np.eye(3)[:1]
        np.testing.assert_allclose(arcs(point, point, 4), np.tile(point[:, None], (1, 4, 1)))

    def test_lines(self):
        found = lines(np.zeros((1, 2)), np.ones((1, 2)), 3)
        np.testing.assert_allclose(found, [[[0, 0], [0.5, 0.5], [1, 1]]])

    def test_interpolation_follows_the_sphere(self):
        density = VAETransformer(
            3, latent_distribution="von_mises_fisher", max_epochs=3, random_state=0
        ).fit(X)
        codes = density.transform(X[:2])
        middle = codes.sum(0) / np.linalg.norm(codes.sum(0))
        expected = density.inverse_transform(middle[None])[0]
        found = density.interpolate(X[0], X[1], 3)
        np.testing.assert_allclose(found[1], expected, atol=1e-3)
