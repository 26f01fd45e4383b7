"""Images from captions: texts among conditions, and attention to their words."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

import skae
from skae import ConditionalVAE
from skae.tables import remembered

SHAPE = (8, 8)
BARS = {"cross": np.eye(4), "bar": np.tile([0, 1, 1, 0], (4, 1)), "box": np.ones((4, 4))}
SIDES = {"left": 0, "right": 4}


def pictures(n, seed=0, pairs=None):
    """Return images of a shape at a side of the canvas, or of one at each, and captions."""
    random = np.random.default_rng(seed)
    pairs = [(shape, side) for shape in BARS for side in SIDES] if pairs is None else pairs
    images, captions = np.zeros((n, 8, 8)), []
    for image in images:
        shape, side = pairs[random.integers(len(pairs))]
        top = random.integers(0, 5)
        strength = random.uniform(0.6, 1)
        image[top : top + 4, SIDES[side] : SIDES[side] + 4] = BARS[shape] * strength
        captions.append(f"a {shape} on the {side}")
    return images.reshape(n, -1), captions


X, CAPTIONS = pictures(300)


def quick(**parameters):
    defaults = {"n_components": 3, "image_shape": SHAPE, "text": "words", "max_epochs": 3}
    return ConditionalVAE(**defaults | {"random_state": 0, "hidden_layer_sizes": (8,)} | parameters)


@pytest.fixture(scope="module")
def drawn():
    model = ConditionalVAE(
        4,
        image_shape=SHAPE,
        text="words",
        hidden_layer_sizes=(16,),
        max_epochs=60,
        batch_size=64,
        learning_rate=0.004,
        random_state=0,
    )
    return model.fit(*pictures(900, seed=1))


@pytest.fixture(scope="module")
def small():
    return quick().fit(X, CAPTIONS)


def side_of(rows):
    """Return where the ink of images is, from 0 on the left to 1 on the right."""
    images = np.clip(rows, 0, None).reshape(-1, 8, 8)
    return images[:, :, 4:].sum((1, 2)) / images.sum((1, 2))


class TestDrawing:
    """An image is what its caption says."""

    def test_sides_and_shapes(self, drawn):
        left, right = (drawn.sample(50, 0, y=f"a box on the {side}", noise=False) for side in SIDES)
        assert (side_of(left) < 0.4).mean() > 0.8
        assert (side_of(right) > 0.6).mean() > 0.8
        cross = drawn.sample(50, 0, y="a cross on the left", noise=False)
        assert left.sum(1).mean() > 2 * cross.sum(1).mean()

    def test_captions_are_found(self, drawn):
        rows, captions = pictures(60, seed=2)
        candidates = [f"a {shape} on the {side}" for shape in BARS for side in SIDES]
        log_proba = drawn.condition_log_proba(rows, candidates)
        np.testing.assert_allclose(np.exp(log_proba).sum(1), 1, rtol=1e-4)
        assert (np.array(candidates)[log_proba.argmax(1)] == captions).mean() > 0.9
        assert drawn.score(rows, captions) > drawn.score(rows)

    def test_attention(self, drawn):
        rows, captions = pictures(20, seed=3)
        weights, words = drawn.attention(rows, captions)
        assert weights.shape == (20, 4, 4, 5)
        assert words[0] == captions[0].split()
        assert (weights >= 0).all()
        assert (weights.sum(3) <= 1 + 1e-5).all()
        assert weights.std((1, 2)).max() > 0.01
        assert drawn.net_.chain.decoder.attention is None

    def test_one_caption_for_all(self, drawn):
        whole = drawn.sample(3, 0, y=["a box on the left"] * 3)
        np.testing.assert_array_equal(drawn.sample(3, 0, y="a box on the left"), whole)
        assert drawn.sample(4, random_state=0).shape == (4, 64)


class TestTexts:
    """Texts of all kinds."""

    def test_words_that_fit_did_not_see_are_unknown(self, small):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert small.sample(2, y="a sphere on the left").shape == (2, 64)
        with pytest.warns(UserWarning, match="seen none of the words, such as 'quite another'"):
            small.sample(2, y="quite another")

    def test_case_and_length(self, small):
        upper, lower = (small.score_samples(X[:3], each) for each in ("A Box", "a box"))
        np.testing.assert_array_equal(upper, lower)
        many = "a box on the left of a box on the left of a box on the left"
        assert np.isfinite(small.score_samples(X[:3], many)).all()
        with pytest.warns(UserWarning, match="up to 400 words; the first 256 count"):
            small.score_samples(X[:3], "box " * 400)

    def test_order_counts(self, small):
        first, second = (
            small.score_samples(X[:3], each) for each in ("left on the box", "box on the left")
        )
        assert (first != second).all()

    def test_length_of_the_others_does_not_count(self, small):
        alone = small.score_samples(X[:1], CAPTIONS[0])
        beside = small.score_samples(X[:2], [CAPTIONS[0], "a box " * 10])
        np.testing.assert_allclose(alone, beside[:1], rtol=1e-4)

    def test_missing_and_empty_texts_are_unknown_conditions(self):
        some = [caption if i % 3 else None for i, caption in enumerate(CAPTIONS)]
        model = quick().fit(X, some)
        unknown = model.score_samples(X[:5])
        for nothing in (None, "", np.nan, "  "):
            found = model.score_samples(X[:5], [nothing] * 5)
            np.testing.assert_allclose(found, unknown, rtol=1e-4)

    def test_characters(self):
        model = quick(text="characters").fit(X, CAPTIONS)
        assert model.attention(X[:2], CAPTIONS[:2])[1][0] == [*CAPTIONS[0]]
        assert model.sample(2, y="a bax on the left").shape == (2, 64)

    @pytest.mark.parametrize(
        "container", [list, tuple, np.array, pd.Series, pl.Series, lambda y: pd.DataFrame({"t": y})]
    )
    def test_containers(self, small, container):
        model = quick().fit(X, container(CAPTIONS))
        found = model.score_samples(X[:4], container(CAPTIONS[:4]))
        np.testing.assert_allclose(found, small.score_samples(X[:4], CAPTIONS[:4]), rtol=1e-3)

    def test_frames_of_texts_labels_and_numbers(self):
        random = np.random.default_rng(0)
        y = pd.DataFrame(
            {
                "caption": CAPTIONS,
                "sort": pd.Categorical(random.choice(["new", "old"], 300)),
                "size": random.normal(size=300),
                "title": random.choice(["one", "two words"], 300),
            }
        )
        model = quick().fit(X, y)
        assert model.conditions_.texts.names == ["caption", "title"]
        assert model.conditions_.columns.n_encoded == 3
        assert np.isfinite(model.score_samples(X, y)).all()
        assert model.attention(X[:1], y[:1])[1][0][0] == "<caption>"
        one = {"caption": "a box on the left", "sort": "new", "size": 0.5, "title": "one"}
        assert model.sample(3, y=one).shape == (3, 64)
        with pytest.raises(ValueError, match="y holds 'odd', which fit did not see"):
            model.sample(3, y=one | {"sort": "odd"})

    def test_vocabulary(self):
        model = quick(max_vocabulary=3).fit(X, CAPTIONS)
        assert model.conditions_.texts.vocabulary == ["a", "on", "the"]
        rare = quick(min_count=2).fit(X, ["once a box", *CAPTIONS[1:]])
        assert "once" not in rare.conditions_.texts.vocabulary
        assert "words of at least min_count texts" in set(remembered(rare)["what"])


class TestOtherWays:
    """Without attention, without images, without texts."""

    @pytest.mark.parametrize(
        "parameters", [{"word_attention": False}, {"image_shape": None}, {"hidden_layer_sizes": ()}]
    )
    def test_the_mean_of_the_words(self, parameters):
        model = quick(**parameters).fit(X, CAPTIONS)
        assert model.sample(3, y="a box on the left").shape == (3, 64)
        with pytest.raises(ValueError, match="Nothing attends to words"):
            model.attention(X[:1], CAPTIONS[:1])

    def test_strings_are_labels_unless_texts_are_asked_for(self):
        model = quick(text=None).fit(X, CAPTIONS)
        with pytest.raises(ValueError, match="which fit did not see"):
            model.sample(2, y="a sphere on the left")
        log_proba = model.condition_log_proba(X[:2], sorted(set(CAPTIONS)))
        assert log_proba.shape == (2, len(set(CAPTIONS)))

    @pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
    @pytest.mark.parametrize("prior", ["gmm", "normal"])
    def test_likelihoods_and_priors(self, likelihood, prior):
        model = quick(likelihood=likelihood, prior=prior).fit(X, CAPTIONS)
        assert np.isfinite(model.sample(3, y=CAPTIONS[0])).all()

    def test_several_draws(self):
        model = quick(n_importance=3).fit(X, CAPTIONS)
        assert np.isfinite(model.score_samples(X[:3], CAPTIONS[:3])).all()


class TestMessages:
    """What is wrong is said."""

    def test_no_texts(self):
        with pytest.raises(ValueError, match="'text' parameter is 'words', but no column of y"):
            quick().fit(X, np.arange(300) % 3)
        with pytest.raises(ValueError, match="'text' parameter must be None where fit is given no"):
            quick().fit(X)

    def test_texts_beside_something_else(self):
        with pytest.raises(TypeError, match=r"Column 'y' of y must hold texts only.* Got 3"):
            quick().fit(X, [3, *CAPTIONS[1:]])

    def test_skip_connections(self):
        with pytest.raises(ValueError, match="'skip_connections' parameter must be False"):
            quick(skip_connections=True).fit(X, CAPTIONS)

    def test_parameters(self):
        with pytest.raises(ValueError, match="'text' parameter of ConditionalVAE must be"):
            quick(text="lines").fit(X, CAPTIONS)


class TestLife:
    """Files, seeds, passes."""

    def test_same_seed_same_result(self, small):
        again = quick().fit(X, CAPTIONS)
        for read in ("transform", "score_samples"):
            np.testing.assert_array_equal(
                getattr(small, read)(X, CAPTIONS), getattr(again, read)(X, CAPTIONS)
            )

    def test_files(self, small, tmp_path):
        small.save(tmp_path / "model.safetensors")
        for again in (skae.load(tmp_path / "model.safetensors"), pickle.loads(pickle.dumps(small))):
            np.testing.assert_array_equal(
                again.sample(3, 0, y=CAPTIONS[:3]), small.sample(3, 0, y=CAPTIONS[:3])
            )

    def test_passes(self):
        model = quick().partial_fit(X, CAPTIONS).partial_fit(X[:100], CAPTIONS[:100])
        assert model.partial_fit(X[:100]).sample(2, y="a box on the left").shape == (2, 64)

    def test_the_state_of_the_generators_is_not_touched(self):
        before = torch.get_rng_state()
        quick(max_epochs=1).fit(X, CAPTIONS).sample(2, 0, y=CAPTIONS[0])
        assert torch.equal(before, torch.get_rng_state())
