"""Displays: what is drawn is the estimator's, and it says what it is."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from helpers import make_rows
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import FunctionTransformer

from skae import AEOutlierDetector, AutoencoderTransformer, ConditionalVAE
from skae.plotting import (
    AttentionDisplay,
    LatentDisplay,
    LossCurveDisplay,
    ReconstructionDisplay,
)

X = make_rows(30)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def make(**params):
    return AutoencoderTransformer(**{"max_epochs": 3, "random_state": 0, **params})


@pytest.fixture(scope="module")
def autoencoder():
    return make(n_components=3).fit(X)


@pytest.fixture(scope="module")
def detector():
    frame = pd.DataFrame(X, columns=list("abcde")).assign(label="a label")
    return AEOutlierDetector(max_epochs=3, random_state=0).fit(frame)


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(size=(12, 24))


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


class TestLossCurve:
    """The loss of every epoch."""

    def test_curves_are_the_estimator_s(self, autoencoder):
        display = LossCurveDisplay.from_estimator(autoencoder)
        train, held_out = display.lines_
        for line in (train, held_out):
            assert line.get_xdata().tolist() == [1, 2, 3]
        assert train.get_ydata().tolist() == autoencoder.loss_curve_
        assert held_out.get_ydata().tolist() == autoencoder.validation_loss_curve_
        ax = display.ax_
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("Epoch", "Loss (nats per row)")
        assert legend_of(ax) == ["training rows", "held-out rows", "weights kept"]
        assert set(ax.lines[-1].get_xdata()) == {autoencoder.best_epoch_}

    def test_without_held_out_rows_there_is_one_curve(self):
        display = LossCurveDisplay.from_estimator(make(early_stopping=False).fit(X))
        assert legend_of(display.ax_) == ["training rows", "weights kept"]
        assert len(display.lines_) == 1

    def test_a_stream_has_no_best_epoch(self):
        display = LossCurveDisplay.from_estimator(make().partial_fit(X).partial_fit(X))
        assert legend_of(display.ax_) == ["training rows"]
        assert display.lines_[0].get_xdata().tolist() == [1, 2]


class TestReconstruction:
    """Rows above their reconstructions."""

    def test_rows_are_lines(self, autoencoder):
        display = ReconstructionDisplay.from_estimator(autoencoder, X[:4])
        expected = [X[:4], autoencoder.reconstruct(X[:4])]
        assert display.axes_.shape == (4, 1)
        for i, ax in enumerate(display.axes_[:, 0]):
            drawn = [line.get_ydata() for line in ax.lines]
            np.testing.assert_allclose(drawn, [rows[i] for rows in expected], rtol=1e-6)
        assert legend_of(display.axes_[0, 0]) == ["original", "AutoencoderTransformer"]
        assert display.axes_[-1, 0].get_xlabel() == "Column"

    @pytest.mark.parametrize("image_shape", [(4, 6), (1, 4, 6)])
    def test_rows_are_images_beside_other_transformers(self, images, image_shape):
        pca, autoencoder = PCA(2).fit(images), make(image_shape=image_shape).fit(images)
        display = ReconstructionDisplay.from_estimator([pca, autoencoder], images[:5])
        left = [pca.inverse_transform(pca.transform(images)), autoencoder.reconstruct(images)]
        extremes = images[:5].min(), images[:5].max()
        for axes, expected in zip(display.axes_, [images, *left], strict=True):
            drawn = [ax.get_images()[0] for ax in axes]
            expected = np.interp(expected[:5], extremes, (0, 1)).reshape(5, 4, 6)
            np.testing.assert_allclose([image.get_array() for image in drawn], expected, atol=1e-5)
            assert {image.get_clim() for image in drawn} == {(0, 1)}
        names = [ax.get_ylabel() for ax in display.axes_[:, 0]]
        assert names == ["original", "PCA", "AutoencoderTransformer"]

    def test_channels_are_colours(self, images):
        pca = PCA(2).fit(images)
        display = ReconstructionDisplay.from_estimator(pca, images[:2], image_shape=(3, 2, 4))
        drawn = display.axes_[0, 1].get_images()[0].get_array()
        shown = images[:2]
        expected = (shown[1] - shown.min()) / (shown.max() - shown.min())
        np.testing.assert_allclose(drawn[..., 1], expected.reshape(3, 2, 4)[1])
        assert drawn.shape == (2, 4, 3)

    def test_two_channels_are_refused(self, images):
        with pytest.raises(ValueError, match="Images of 2 channels cannot be drawn"):
            ReconstructionDisplay.from_estimator(PCA(2).fit(images), images, image_shape=(2, 3, 4))

    def test_estimators_of_one_class_are_numbered(self, autoencoder):
        pair = [autoencoder, make(n_components=1).fit(X)]
        rows = ReconstructionDisplay.from_estimator(pair, X[:2]).rows
        assert list(rows) == ["original", "AutoencoderTransformer", "AutoencoderTransformer 2"]

    @pytest.mark.parametrize("convert", [sparse.csr_array, torch.from_numpy])
    def test_containers(self, autoencoder, convert):
        rows = ReconstructionDisplay.from_estimator(autoencoder, convert(X[:3])).rows
        np.testing.assert_array_equal(rows["original"], X[:3])


class TestLatent:
    """Rows in the plane of two components."""

    def test_points_are_codes(self, autoencoder):
        display = LatentDisplay.from_estimator(autoencoder, X, components=(2, 0))
        codes = autoencoder.transform(X)[:, [2, 0]]
        np.testing.assert_allclose(display.scatter_.get_offsets(), codes)
        labels = (display.ax_.get_xlabel(), display.ax_.get_ylabel())
        assert labels == ("autoencodertransformer2", "autoencodertransformer0")
        assert display.ax_.get_legend() is None
        assert display.figure_.axes == [display.ax_]

    @pytest.mark.parametrize("classes", [["a", "b", "c"], [3, 7], ["only"], list(range(20))])
    def test_few_labels_have_a_legend(self, autoencoder, classes):
        y = np.resize(classes, len(X))
        display = LatentDisplay.from_estimator(autoencoder, X, y)
        assert legend_of(display.ax_) == [str(label) for label in classes]
        np.testing.assert_array_equal(
            np.asarray(classes)[display.scatter_.get_array().astype(int)], y
        )
        display.figure_.canvas.draw()
        colours = {tuple(colour) for colour in display.scatter_.get_facecolors()}
        assert len(colours) == len(classes)

    def test_many_labels_have_a_colour_bar(self, autoencoder):
        display = LatentDisplay.from_estimator(autoencoder, X, X[:, 0])
        np.testing.assert_array_equal(display.scatter_.get_array(), X[:, 0])
        assert display.ax_.get_legend() is None
        assert display.scatter_.colorbar is not None

    def test_many_names_are_refused(self, autoencoder):
        with pytest.raises(ValueError, match=r"at most 20 different labels\. Got 30"):
            LatentDisplay.from_estimator(autoencoder, X, [f"row {i}" for i in range(30)])

    @pytest.mark.parametrize("components", [(0, 3), (0, -1), (0,), (0, 1, 2)])
    def test_components_that_are_not_there_are_refused(self, autoencoder, components):
        with pytest.raises(ValueError, match=r"two numbers in the range \[0, 3\)"):
            LatentDisplay.from_estimator(autoencoder, X, components=components)

    def test_the_plane_is_drawn_as_what_it_decodes_to(self, images):
        autoencoder = make(n_components=3, image_shape=(4, 6), hidden_layer_sizes=(2,)).fit(images)
        display = LatentDisplay.from_estimator(autoencoder, n_images=5, components=(2, 0))
        assert display.manifold.shape == (5, 5, 4, 6)
        assert display.image_.get_array().shape == (5 * 6, 5 * 8)
        low, high, bottom, top = display.image_.get_extent()
        step = np.array([high - low, top - bottom]) / 5
        prior = autoencoder.prior_.sample(2000, 0)
        code = prior.mean(0)
        code[[2, 0]] = [low + 4.5 * step[0], bottom + 0.5 * step[1]]
        expected = autoencoder.inverse_transform(code[None]).reshape(4, 6)
        np.testing.assert_allclose(display.manifold[0, 4], expected, atol=1e-5)
        lower_right = display.image_.get_array()[-5:-1, -7:-1]
        np.testing.assert_allclose(lower_right, expected, atol=1e-5)
        both = LatentDisplay.from_estimator(autoencoder, images, n_images=2)
        assert len(both.scatter_.get_offsets()) == len(images)
        assert both.manifold.shape[0] == 2

    def test_the_plane_needs_the_shape_of_an_image(self, autoencoder):
        with pytest.raises(ValueError, match="'image_shape' must be given"):
            LatentDisplay.from_estimator(autoencoder)
        with pytest.raises(ValueError, match="'y' colours rows"):
            LatentDisplay.from_estimator(autoencoder, y=np.zeros(3), image_shape=(1, 5))


def test_displays_draw_on_what_they_are_given(autoencoder):
    figure, axes = plt.subplots(1, 2)
    curve = LossCurveDisplay.from_estimator(autoencoder, ax=axes[0])
    latent = LatentDisplay.from_estimator(autoencoder, X, ax=axes[1])
    assert (curve.ax_, latent.ax_) == tuple(axes)
    assert curve.figure_ is latent.figure_ is figure


def test_what_is_not_fitted_is_refused():
    with pytest.raises(NotFittedError):
        LossCurveDisplay.from_estimator(make())
    for display in (ReconstructionDisplay, LatentDisplay):
        with pytest.raises(NotFittedError):
            display.from_estimator(make(), X)


def test_columns_of_labels_cannot_be_drawn():
    frame = pd.DataFrame({"a": ["x", "y"] * 10, "b": range(20)})
    autoencoder = AutoencoderTransformer(1, max_epochs=1).fit(frame)
    with pytest.raises(ValueError, match="draws columns of numbers, but X has others"):
        ReconstructionDisplay.from_estimator(autoencoder, frame)


def test_messages_name_their_own_display():
    frame = pd.DataFrame({"x": np.arange(40.0) ** 2, "side": ["left", "right"] * 20})
    autoencoder = AutoencoderTransformer(2, max_epochs=1).fit(frame)
    with pytest.raises(ValueError, match="LatentDisplay draws decoded images"):
        LatentDisplay.from_estimator(autoencoder, image_shape=(1, 2))
    selector = FunctionTransformer(feature_names_out="one-to-one").fit(frame)
    with pytest.raises(ValueError, match="LatentDisplay draws components that are numbers"):
        LatentDisplay.from_estimator(selector, frame)


@pytest.fixture
def captioned():
    rows = np.random.default_rng(0).uniform(size=(60, 64))
    captions = ["a dark one", "a light one with more words"] * 30
    model = ConditionalVAE(
        2, image_shape=(8, 8), text="words", max_epochs=1, hidden_layer_sizes=(4,)
    )
    return model.fit(rows, captions), rows[:2], captions[:2]


class TestAttention:
    """Where images attend to words."""

    def test_a_line_of_words_for_every_image(self, captioned):
        display = AttentionDisplay.from_estimator(*captioned)
        assert display.axes_.shape == (2, 7)
        titles = [[ax.get_title() for ax in line[1:]] for line in display.axes_]
        assert titles[1] == captioned[2][1].split()
        assert titles[0] == [*captioned[2][0].split(), "", "", ""]
        np.testing.assert_array_equal(
            display.axes_[0, 1].get_images()[0].get_array(), display.weights[0, :, :, 0]
        )

    def test_without_attention(self):
        rows = np.random.default_rng(0).uniform(size=(60, 64))
        labels = ConditionalVAE(2, image_shape=(8, 8), max_epochs=1).fit(rows, [0, 1] * 30)
        with pytest.raises(ValueError, match="Nothing attends to words"):
            AttentionDisplay.from_estimator(labels, rows[:2], [0, 1])
