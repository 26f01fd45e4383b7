"""SparseAE: few units are active, as many as was asked."""

import numpy as np
import pytest
import torch
from helpers import make_rows
from torch import nn

from skae import SparseAE
from skae.nn.bottlenecks import Activated, Lifetime, TopK
from skae.nn.chain import Autoencoder
from skae.nn.networks import linear_pair
from skae.nn.penalties import L1, ActivityDivergence

PENALTIES = ["l1", "topk", "lifetime", "kl"]
UNITS = torch.randn(200, 10, generator=torch.Generator().manual_seed(0))


def make(**params):
    return SparseAE(**{"max_epochs": 60, "random_state": 0, **params})


class TestModules:
    def test_the_largest_units_of_a_row_are_kept(self):
        z = TopK(3, 10).eval()(UNITS).z
        assert ((z > 0).sum(1) <= 3).all()
        torch.testing.assert_close(z.max(1).values, UNITS.max(1).values)

    def test_training_comes_down_from_all_units(self):
        bottleneck = TopK(3, 10).train()
        numbers = []
        for progress in (0.0, 0.25, 0.5, 1.0):
            bottleneck.set_progress(progress)
            numbers.append(int((bottleneck(UNITS.abs()).z > 0).sum(1).max()))
        assert numbers == [10, 7, 3, 3]

    def test_every_unit_fires_for_its_share_of_the_rows(self):
        bottleneck = Lifetime(0.05, 10).train()
        z = bottleneck(UNITS).z
        assert (z > 0).sum(0).tolist() == [10] * 10
        for _ in range(100):
            bottleneck(UNITS)
        share = (bottleneck.eval()(UNITS).z > 0).float().mean()
        assert share == pytest.approx(0.05, abs=0.01)

    @pytest.mark.parametrize(
        "bottleneck", [TopK(3, 10), Lifetime(0.1, 10), Activated("relu"), Activated("logistic")]
    )
    def test_constraining_a_code_changes_nothing(self, bottleneck):
        z = bottleneck.eval()(UNITS).z
        torch.testing.assert_close(bottleneck.constrain(z), z)
        torch.testing.assert_close(
            bottleneck.constrain(bottleneck.constrain(UNITS)), bottleneck.constrain(UNITS)
        )

    @pytest.mark.parametrize("tied", [False, True])
    def test_l1_does_not_depend_on_the_scale_of_a_unit(self, tied):
        encoder, decoder = linear_pair(5, 10, tied=tied)
        chain = Autoencoder(encoder, decoder, nn.Identity(), Activated("relu"))
        x = UNITS[:, :5]
        before = L1(2.0)(chain, x, chain.encode(x))
        with torch.no_grad():
            if not tied:
                encoder.weight *= 3
                decoder.weight /= 3
        torch.testing.assert_close(L1(2.0)(chain, x, chain.encode(x)), before)
        norms = (decoder.weight.T if tied else decoder.weight).norm(dim=0)
        torch.testing.assert_close(before, 2 * (chain.encode(x) * norms).sum(1))

    def test_divergence_is_that_of_coins(self):
        z = torch.full((7, 2), 0.3)
        coins = torch.distributions.Bernoulli(torch.tensor(0.1))
        others = torch.distributions.Bernoulli(torch.tensor(0.3))
        expected = 2 * 2 * torch.distributions.kl_divergence(coins, others)
        cost = ActivityDivergence(2.0, 0.1)(None, z, z)
        torch.testing.assert_close(cost, expected.expand(7))
        assert ActivityDivergence(2.0, 0.3)(None, z, z).abs().max() < 1e-6


@pytest.mark.parametrize("penalty", PENALTIES)
def test_it_reconstructs_from_few_active_units(digits, penalty):
    fitted = make(penalty=penalty).fit(digits[:1500])
    assert fitted.n_components_ == 128
    error = ((fitted.reconstruct(digits[1500:]) - digits[1500:]) ** 2).sum(1).mean()
    assert error < 0.35 * digits.var(0).sum()
    assert fitted.activity_.shape == (128,)
    assert 0 < fitted.activity_.mean() < 0.45
    codes = fitted.transform(digits[1500:])
    assert (codes >= 0).all()


def test_activity_is_what_was_asked(digits):
    by_number = make(penalty="topk", activity=4).fit(digits)
    assert (by_number.transform(digits) > 0).sum(1).max() == 4
    by_share = make(penalty="lifetime", activity=0.1).fit(digits)
    assert by_share.activity_.mean() == pytest.approx(0.1, abs=0.02)
    by_mean = make(penalty="kl", activity=0.1, strength=30.0).fit(digits)
    assert by_mean.activity_.mean() == pytest.approx(0.1, abs=0.02)


def test_strength_makes_it_sparser(digits):
    weak, strong = (make(strength=s, max_epochs=20).fit(digits) for s in (0.1, 2.0))
    assert strong.activity_.mean() < 0.7 * weak.activity_.mean()


def test_dead_units_are_reported(rows):
    fitted = make(penalty="topk", activity=1, n_components=50, learning_rate=1e-12).fit(rows)
    assert len(fitted.dead_units_) > 0
    assert (fitted.transform(rows)[:, fitted.dead_units_] == 0).all()
    np.testing.assert_array_equal(np.flatnonzero(fitted.activity_ == 0), fitted.dead_units_)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_drawn_codes_are_codes(rows, penalty):
    fitted = make(penalty=penalty, n_components=80, max_epochs=5).fit(rows)
    assert np.isfinite(fitted.sample(20, random_state=0)).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"penalty": "l1", "activity": 0.1}, "'activity' parameter must be 'auto' for"),
        ({"penalty": "kl", "activity": 3}, r"a float in the range \(0, 1\) for penalty='kl'"),
        ({"penalty": "topk", "activity": 11}, "at most the 10 units of the code. Got 11"),
        ({"penalty": "topk", "strength": 1.0}, "'strength' parameter must be 'auto' for"),
        ({"penalty": "entropy"}, "The 'penalty' parameter"),
        ({"n_components": 0.5}, "The 'n_components' parameter"),
        ({"init": "pca"}, "The 'init' parameter"),
    ],
)
def test_what_cannot_be_done(params, message):
    with pytest.raises(ValueError, match=message):
        make(**params).fit(make_rows(30))
