"""Encoder and decoder apart, and codes of a few bits."""

import io

import numpy as np
import pytest
import torch
from helpers import AUTOENCODERS, rows_of_a_shop

from skae import AutoencoderTransformer
from skae.nn.quantization import Quantizer


@pytest.fixture(params=AUTOENCODERS, ids=lambda cls: cls.__name__)
def fitted(request, rows):
    autoencoder = request.param(max_epochs=3, random_state=0, likelihood="gaussian")
    return autoencoder.fit(rows + 1000)


def test_they_are_the_transform_and_its_inverse(fitted, rows):
    rows = rows + 1000
    codes = fitted.transform(rows)
    for X in (torch.from_numpy(rows), torch.from_numpy(rows).float()):
        found = fitted.encoder_(X).detach().numpy()
        np.testing.assert_allclose(found, codes, atol=1e-3 * np.abs(codes).max())
    back = fitted.decoder_(torch.from_numpy(codes)).detach().numpy()
    np.testing.assert_allclose(back, fitted.inverse_transform(codes), atol=1e-3)


def test_they_are_copies(fitted, rows):
    """What is done to them, as fine-tuning does it, is not done to the estimator."""
    rows = rows + 1000
    codes, back = fitted.transform(rows), fitted.reconstruct(rows)
    for module in (fitted.encoder_.train().double(), fitted.decoder_.train().double()):
        with torch.no_grad():
            for weight in module.parameters():
                weight.add_(1.0)
    np.testing.assert_array_equal(fitted.transform(rows), codes)
    np.testing.assert_array_equal(fitted.reconstruct(rows), back)


def test_they_go_to_another_machine_without_pickle(fitted, rows):
    X = torch.from_numpy(rows + 1000).float()
    for module, x in ((fitted.encoder_, X), (fitted.decoder_, fitted.encoder_(X).detach())):
        exported = torch.export.export(
            module, (x,), dynamic_shapes=({0: torch.export.Dim.AUTO},), strict=False
        )
        file = io.BytesIO()
        torch.export.save(exported, file)
        file.seek(0)
        elsewhere = torch.export.load(file).module()
        torch.testing.assert_close(elsewhere(x[:7]), module(x[:7]), rtol=1e-4, atol=1e-4)


def test_those_of_tables_go_between_encoded_rows_and_codes():
    frame = rows_of_a_shop()
    fitted = AutoencoderTransformer(4, max_epochs=3, random_state=0).fit(frame)
    encoded = torch.from_numpy(fitted.columns_.encode(fitted._reader().check(frame)))
    codes = fitted.encoder_(encoded).detach()
    np.testing.assert_allclose(codes, fitted.transform(frame), atol=1e-5)
    assert fitted.decoder_(codes).shape == encoded.shape


class TestQuantizer:
    codes = torch.randn(500, 3, generator=torch.Generator().manual_seed(0))

    def test_units_take_so_many_values(self):
        quantizer = Quantizer(2, 3)
        assert torch.equal(quantizer(self.codes), self.codes)
        quantizer.calibrate(self.codes)
        z = quantizer(self.codes)
        assert all(len(unit.unique()) == 4 for unit in z.T)
        assert ((z - self.codes).abs() <= quantizer.step / 2 + 1e-6).all()
        torch.testing.assert_close(quantizer(z), z)
        quantizer.forget()
        assert torch.equal(quantizer(self.codes), self.codes)

    def test_rate_is_the_entropy(self):
        quantizer = Quantizer(2, 1)
        codes = torch.tensor([0.0, 1, 2, 3])[:, None]
        quantizer.calibrate(codes)
        assert quantizer.rate(codes) == pytest.approx(2)
        assert quantizer.rate(codes[[0, 0, 1, 1]]) == pytest.approx(1)

    def test_a_constant_unit_stays(self):
        quantizer = Quantizer(3, 1)
        quantizer.calibrate(torch.full((4, 1), 5.0))
        assert quantizer(torch.full((4, 1), 5.0)).unique().tolist() == [5]


def test_more_bits_cost_more_and_lose_less(digits):
    fits = [
        AutoencoderTransformer(8, quantize=n, max_epochs=20, random_state=0).fit(digits)
        for n in (1, 3, 6, None)
    ]
    rates = [fitted.rate_ for fitted in fits[:3]]
    assert rates == sorted(rates)
    assert all(rate <= 8 * n for rate, n in zip(rates, (1, 3, 6), strict=True))
    distortions = [fitted.noise_variance_ for fitted in fits]
    assert distortions == sorted(distortions, reverse=True)
    assert distortions[2] < 1.1 * distortions[3]


@pytest.mark.parametrize(("n_bits", "dtype"), [(3, np.uint8), (12, np.uint16)])
def test_compressed_rows_come_back(digits, n_bits, dtype):
    fitted = AutoencoderTransformer(8, quantize=n_bits, max_epochs=5, random_state=0).fit(digits)
    levels = fitted.compress(digits)
    assert levels.dtype == dtype
    assert levels.max() == 2**n_bits - 1
    np.testing.assert_array_equal(fitted.decompress(levels), fitted.reconstruct(digits))
    assert set(np.unique(fitted.transform(digits)[:, 0])) <= set(
        fitted.net_.module_.quantizer.values(torch.arange(2.0**n_bits)[:, None])[:, 0].tolist()
    )


def test_bits_that_are_set_after_fit_wait_for_the_next(digits):
    fitted = AutoencoderTransformer(8, quantize=12, max_epochs=1, random_state=0).fit(digits)
    levels = fitted.compress(digits)
    fitted.set_params(quantize=4)
    np.testing.assert_array_equal(fitted.compress(digits), levels)
    np.testing.assert_array_equal(fitted.decompress(levels), fitted.reconstruct(digits))


def test_training_goes_on_after_quantisation(digits):
    fitted = AutoencoderTransformer(4, quantize=4, max_epochs=3, random_state=0).fit(digits)
    before = fitted.noise_variance_
    fitted.partial_fit(digits)
    assert fitted.noise_variance_ < 1.2 * before
    assert fitted.compress(digits).max() == 15


def test_what_cannot_be_done(digits, rows):
    fitted = AutoencoderTransformer(2, max_epochs=1).fit(rows)
    assert not hasattr(fitted, "compress")
    with pytest.raises(AttributeError, match="no attribute 'compress'"):
        fitted.compress(rows)
    with pytest.raises(ValueError, match="The 'quantize' parameter"):
        AutoencoderTransformer(quantize=17).fit(rows)
    fitted = AutoencoderTransformer(2, quantize=2, max_epochs=1).fit(rows)
    with pytest.raises(ValueError, match=r"ints in the range \[0, 3\]"):
        fitted.decompress([[0, 4]])
