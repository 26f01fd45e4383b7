"""TextVAE: what it learns, writes and refuses."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning

import skae
from skae import TextVAE

WORDS = ["anna", "hanna", "johanna", "ana", "abc-1", "abc-2", "abc-3", "abc-12"] * 20


@pytest.fixture(scope="module")
def fitted():
    options = {"hidden_size": 32, "dropout": 0.0, "learning_rate": 0.01, "random_state": 0}
    return TextVAE(4, max_epochs=80, **options).fit(WORDS)


def quick(**params):
    return TextVAE(2, **{"hidden_size": 8, "max_epochs": 2, "random_state": 0, **params})


def fit_quietly(model, *args):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(*args)


def test_known_words_come_back(fitted):
    words = sorted(set(WORDS))
    same = [a == b for a, b in zip(words, fitted.reconstruct(words), strict=True)]
    assert np.mean(same) >= 0.5


def test_drawn_words_are_like_those_learned(fitted):
    drawn = fitted.sample(50, random_state=0)
    assert drawn == fitted.sample(50, random_state=0)
    assert np.mean([each in WORDS for each in drawn]) > 0.5
    assert max(map(len, drawn)) <= fitted.max_length_ == 7
    assert set("".join(drawn)) <= set("".join(WORDS))


def test_scores_are_log_probabilities(fitted):
    known, other = fitted.score_samples(["hanna", "zzzzz"])
    assert known > other + 5
    # The bounds on the probabilities of different texts sum up to at most one.
    assert np.exp(fitted.score_samples(sorted(set(WORDS)))).sum() < 1.05


def test_completions_begin_as_they_are_told(fitted):
    found = fitted.complete(["abc", "joh"], 5, random_state=0)
    assert all(each.startswith("abc-") for each in found[0])
    assert "johanna" in found[1]


def test_interpolations(fitted):
    way = fitted.interpolate("anna", "abc-1", 5)
    assert len(way) == 5
    assert [way[0], way[-1]] == fitted.reconstruct(["anna", "abc-1"])


def test_unknown_characters_are_read_and_not_written(fitted):
    assert "ü" not in fitted.codec_.characters
    assert np.isfinite(fitted.transform(["hünna", "\N{GRINNING FACE}"])).all()
    assert np.isfinite(fitted.score_samples(["hünna"])).all()
    [completed] = fitted.complete(["hü"], random_state=0)[0]
    assert completed.startswith("h\N{REPLACEMENT CHARACTER}")
    assert np.array_equal(fitted.transform(["hünna"]), fitted.transform(["hönna"]))


def test_rare_characters_are_unknown():
    model = fit_quietly(quick(min_count=3), ["ab", "ab", "ab", "xb"] * 2)
    assert model.codec_.characters == "ab"
    assert fit_quietly(quick(min_count=1), ["ab", "xy"] * 9).codec_.characters == "abxy"


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("word", TypeError, "put a single text into a list"),
        ([], ValueError, "at least one text"),
        (["a", ""], ValueError, "Text 1 of X is empty"),
        (["a", None], TypeError, "Text 1 of X must be a str. Got None"),
        (["a", 3], TypeError, "Text 1 of X must be a str. Got 3"),
        (["a", float("nan")], TypeError, "Text 1 of X must be a str. Got nan"),
        ([["a"]], TypeError, "Text 0 of X must be a str"),
        (5, TypeError, "must be a list of texts"),
    ],
)
def test_what_is_no_text_is_refused_by_name(X, error, message):
    with pytest.raises(error, match=message):
        quick().fit(X)


def test_lengths_are_bounded():
    with pytest.raises(ValueError, match="Text 2 of X has 7 characters, but max_length=5"):
        quick(max_length=5).fit(WORDS)
    model = fit_quietly(quick(max_length=9), WORDS)
    assert max(map(len, model.sample(20, temperature=1.0, random_state=0))) <= 9


def test_series_and_arrays_are_lists():
    by_list = fit_quietly(quick(), WORDS).transform(WORDS)
    for X in (
        np.array(WORDS),
        np.array(WORDS, dtype=object),
        pd.Series(WORDS, index=range(5, 165)),
    ):
        assert np.array_equal(fit_quietly(quick(), X).transform(X), by_list)


def test_a_file_holds_the_model(tmp_path, fitted):
    fitted.save(tmp_path / "model")
    loaded = skae.load(tmp_path / "model")
    assert loaded.sample(20, random_state=0) == fitted.sample(20, random_state=0)
    assert loaded.transform(["hünna"]).tolist() == fitted.transform(["hünna"]).tolist()
