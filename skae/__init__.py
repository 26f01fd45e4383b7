"""Autoencoders for scikit-learn.

Every estimator is a scikit-learn transformer that stands wherever `PCA` does. Names are imported
when they are first used, so that `import skae` is quick and loads no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skae import metrics, nn, onnx, plotting, sketches, tables  # noqa: F401
    from skae.autoencoders.adversarial import AdversarialAE
    from skae.autoencoders.conditional import ConditionalVAE
    from skae.autoencoders.contractive import ContractiveAE
    from skae.autoencoders.denoising import DenoisingAE
    from skae.autoencoders.plain import AutoencoderTransformer
    from skae.autoencoders.sparse import SparseAE
    from skae.autoencoders.variational import VAETransformer
    from skae.common.files import whole_file
    from skae.gans.sampler import GANSampler
    from skae.outliers.detector import AEOutlierDetector
    from skae.predictors.classifier import EncoderClassifier
    from skae.predictors.generative import GenerativeClassifier
    from skae.predictors.regressor import EncoderRegressor
    from skae.predictors.resampler import LatentResampler
    from skae.saving.load import inspect, load
    from skae.sequences.sketch import SketchVAE
    from skae.sequences.text import TextVAE
    from skae.series.autoencoder import SeriesAutoencoder
    from skae.series.windowed import WindowedDetector
    from skae.tables.streams import stream

__version__ = "0.1.0"

__all__ = [
    "AEOutlierDetector",
    "AdversarialAE",
    "AutoencoderTransformer",
    "ConditionalVAE",
    "ContractiveAE",
    "DenoisingAE",
    "EncoderClassifier",
    "EncoderRegressor",
    "GANSampler",
    "GenerativeClassifier",
    "LatentResampler",
    "SeriesAutoencoder",
    "SketchVAE",
    "SparseAE",
    "TextVAE",
    "VAETransformer",
    "WindowedDetector",
    "__version__",
    "inspect",
    "load",
    "stream",
    "whole_file",
]

_HOMES = {
    "AEOutlierDetector": "skae.outliers.detector",
    "AdversarialAE": "skae.autoencoders.adversarial",
    "AutoencoderTransformer": "skae.autoencoders.plain",
    "ConditionalVAE": "skae.autoencoders.conditional",
    "ContractiveAE": "skae.autoencoders.contractive",
    "DenoisingAE": "skae.autoencoders.denoising",
    "EncoderClassifier": "skae.predictors.classifier",
    "EncoderRegressor": "skae.predictors.regressor",
    "GANSampler": "skae.gans.sampler",
    "GenerativeClassifier": "skae.predictors.generative",
    "LatentResampler": "skae.predictors.resampler",
    "SketchVAE": "skae.sequences.sketch",
    "SeriesAutoencoder": "skae.series.autoencoder",
    "SparseAE": "skae.autoencoders.sparse",
    "TextVAE": "skae.sequences.text",
    "VAETransformer": "skae.autoencoders.variational",
    "WindowedDetector": "skae.series.windowed",
    "inspect": "skae.saving.load",
    "load": "skae.saving.load",
    "stream": "skae.tables.streams",
    "whole_file": "skae.common.files",
}
_FOLDERS = ("metrics", "nn", "onnx", "plotting", "sketches", "tables")


def __getattr__(name: str) -> Any:
    if name in _FOLDERS:
        return import_module(f"skae.{name}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, *_FOLDERS]
