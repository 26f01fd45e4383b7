"""What a type checker says of code that uses skae; `make lint` runs mypy on it."""

from typing import Literal, assert_type

import numpy as np

from skae import (
    AEOutlierDetector,
    AutoencoderTransformer,
    EncoderClassifier,
    VAETransformer,
)
from skae.metrics import evaluate_samples

X = np.zeros((10, 3))

autoencoder = AutoencoderTransformer(2, hidden_layer_sizes=(8,), batch_size=4, device="cpu")
assert_type(autoencoder, AutoencoderTransformer)
assert_type(autoencoder.fit(X), AutoencoderTransformer)
assert_type(autoencoder.max_epochs, Literal["auto"] | int)
assert_type(autoencoder.n_components_, int)
assert_type(autoencoder.loss_curve_, list[float])
assert_type(autoencoder.score(X), float)
assert_type(autoencoder.score_samples(X), np.ndarray)
AutoencoderTransformer(2, max_epochs="never")  # type: ignore[arg-type]

vae = VAETransformer(latent_distribution="power_spherical", beta=0.5).partial_fit(X)
assert_type(vae.active_units_, np.ndarray)

detector = AEOutlierDetector(novelty=True, contamination=0.05).fit(X)
assert_type(detector.predict(X), np.ndarray)
detector.explain(X, top=2)["share"].sum()

classifier = EncoderClassifier(autoencoder, freeze=True).fit(X, X[:, 0])
assert_type(classifier.predict_proba(X), np.ndarray)

evaluate_samples(X, X, vae.sample(10)).loc["shape"]
