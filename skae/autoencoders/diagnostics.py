"""Diagnostics of the codes of variational autoencoders."""

from dataclasses import field
from typing import Any

import numpy as np
from torch import Tensor

from skae.common.parameters import estimator
from skae.nn.posteriors import Posterior
from skae.nn.variational_chain import mutual_information

# The variance of a posterior mean above which a unit is active.
ACTIVE = 0.01


@estimator(fixes_model=False)
class CodeDiagnostics:
    """What the codes of the training rows carry."""

    active_units_: np.ndarray = field(init=False)
    """The indices of the active units of the code: those whose posterior mean has a variance above
    0.01 over (a sample of) the training rows."""

    kl_per_component_: np.ndarray = field(init=False)
    """The mean KL divergence of every unit from the prior in nats; on the sphere, that of the code.
    """

    mutual_information_: float = field(init=False)
    """The mutual information of rows and codes in nats, estimated from at most 2,000 rows; it
    cannot exceed the logarithm of their number."""


def diagnostics(posterior: Posterior, latent: Tensor) -> dict[str, Any]:
    """Return the diagnostics of the outputs of an encoder, $(B, m)$, by attribute."""
    mean, _ = posterior.moments(latent)
    return {
        "kl_per_component_": posterior.divergence(latent).mean(0).numpy(),
        "active_units_": np.flatnonzero(mean.var(0, correction=0).numpy() > ACTIVE),
        "mutual_information_": mutual_information(posterior, latent),
    }
