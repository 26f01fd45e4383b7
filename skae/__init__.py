"""Autoencoders for scikit-learn.

Every estimator is a scikit-learn transformer that stands wherever `PCA` does. Names are imported
when they are first used, so that `import skae` is quick and loads no torch.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "AEOutlierDetector": "skae._outlier",
    "AutoencoderTransformer": "skae._autoencoder",
    "ContractiveAE": "skae._contractive",
    "DenoisingAE": "skae._denoising",
    "EncoderClassifier": "skae._classifier",
    "EncoderRegressor": "skae._regressor",
    "SparseAE": "skae._sparse",
    "VAETransformer": "skae._variational",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__():
    return __all__
