"""Every defining option does, at its default, what it is for: on rows that it has not seen."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skae import (
    AutoencoderTransformer,
    ContractiveAE,
    DenoisingAE,
    SparseAE,
    VAETransformer,
)
from skae.nn.penalties import Contraction

KINDS = ["images", "numbers", "mixed"]


def rows(kind):
    """Return training and test rows of a kind."""
    if kind == "images":
        return train_test_split(load_digits().data / 16, random_state=0)
    cancer = load_breast_cancer()
    X = StandardScaler().fit_transform(cancer.data)
    if kind == "mixed":
        X = pd.DataFrame(X[:, :8]).add_prefix("c").assign(kind=np.where(cancer.target, "a", "b"))
    return train_test_split(X, random_state=0)


def error(fitted, X):
    return ((fitted.reconstruct(X) - X) ** 2).sum(1).mean()


def squared_derivative(fitted, X):
    reader, chain = fitted._reader(), fitted.net_.module_.eval()
    x = torch.from_numpy(fitted.columns_.encode(reader.check(X)))
    with torch.no_grad():
        return float(Contraction(1.0)(chain, x, chain.bottleneck(chain.encoder(x)).z).mean())


@pytest.mark.parametrize("kind", KINDS)
def test_a_contractive_code_contracts(kind):
    train, test = rows(kind)
    without, fitted = (
        ContractiveAE(random_state=0, **options).fit(train) for options in ({"strength": 1e-6}, {})
    )
    assert squared_derivative(fitted, test) < 0.9 * squared_derivative(without, test)
    if kind != "mixed":
        assert error(fitted, test) < 1.1 * error(without, test)


@pytest.mark.parametrize("penalty", ["topk", "lifetime", "kl"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_sparse_code_is_as_active_as_was_asked(kind, penalty):
    train, test = rows(kind)
    share = 0.1
    fitted = SparseAE(60, penalty=penalty, activity=share, random_state=0).fit(train)
    codes = fitted.transform(test)
    if penalty == "kl":
        # A penalty and no constraint: it is drawn there.
        assert share / 2 < codes.mean() < 2 * share
    else:
        assert (codes > 0).mean() == pytest.approx(share, rel=0.2)
    assert len(fitted.dead_units_) <= 0.02 * codes.shape[1]


def corrupted(X, corruption):
    random = np.random.default_rng(0)
    if corruption == "gaussian":
        return X + 0.5 * np.sqrt(X.var(0).mean()) * random.normal(size=X.shape)
    spoilt = (
        random.random(X.shape) < {"swap": 0.15, "masking": 0.25, "salt_and_pepper": 0.3}[corruption]
    )
    other = {
        "swap": random.permuted(X, axis=0),
        "masking": X.mean(0),
        "salt_and_pepper": np.where(random.random(X.shape) < 0.5, X.min(0), X.max(0)),
    }
    return np.where(spoilt, other[corruption], X)


@pytest.mark.parametrize("kind", ["images", "numbers"])
def test_every_corruption_is_best_undone_by_its_own(kind):
    train, test = rows(kind)
    names = ("swap", "masking", "gaussian", "salt_and_pepper")
    fits = {each: DenoisingAE(corruption=each, random_state=0).fit(train) for each in names}
    fits["none"] = AutoencoderTransformer(min(32, test.shape[1]), random_state=0).fit(train)
    for name in names:
        bad = corrupted(test, name)
        left = {
            each: ((fitted.reconstruct(bad) - test) ** 2).sum() for each, fitted in fits.items()
        }
        assert min(left, key=left.get) == name
        assert left[name] < 0.6 * ((bad - test) ** 2).sum()


def of_digits(**options):
    train, test = rows("images")
    fitted = VAETransformer(12, likelihood="bernoulli", max_epochs=60, random_state=0, **options)
    return fitted.fit(train), test


def divergence(fitted):
    return np.sum(fitted.kl_per_component_)


def test_beta_trades_divergence_for_error():
    found = [of_digits(beta=beta) for beta in (0.25, 1.0, 4.0)]
    divergences = [divergence(fitted) for fitted, _ in found]
    errors = [error(fitted, test) for fitted, test in found]
    assert divergences == sorted(divergences, reverse=True)
    assert errors == sorted(errors)
    (half, test), (one, _), _ = found
    assert one.score(test) > half.score(test)


def test_free_bits_keep_units_active():
    options = {"beta": 4.0, "init": "random"}
    with pytest.warns(ConvergenceWarning, match="free_bits"):
        without, _ = of_digits(**options)
    fitted, _ = of_digits(**options, free_bits=0.5)
    assert divergence(fitted) > 10 * divergence(without)
    assert len(fitted.active_units_) > len(without.active_units_)


def test_importance_draws_tighten_the_bound():
    (without, test), (fitted, _) = (of_digits(n_importance=n) for n in (1, 5))
    assert fitted.score(test) > without.score(test)


def test_tied_weights_are_half_as_many():
    train, _ = rows("numbers")
    n_weights = [
        sum(
            each.numel()
            for each in AutoencoderTransformer(4, max_epochs=1, tied_weights=tied)
            .fit(train)
            .net_.module_.parameters()
            if each.dim() > 1
        )
        for tied in (False, True)
    ]
    assert n_weights[0] == 2 * n_weights[1]
