"""AdversarialAE: an autoencoder whose codes have a chosen distribution."""

from dataclasses import field, replace
from typing import Any, Literal

import numpy as np
import torch

from skae.autoencoders.deterministic import DeterministicAutoencoder
from skae.building.recipe import Facts, Recipe
from skae.common.annotations import Auto, Density, NonNegativeFloat, PositiveInt, Share
from skae.common.parameters import estimator
from skae.nn.initialisation import start_at_whitened_pca
from skae.nn.laws import LAWS, Law, Sampled
from skae.nn.matching import MATCHINGS, Adversarial, Matching, sliced_distance
from skae.nn.seeding import seeded
from skae.sampling.densities import draw_codes
from skae.training.schedule import unless_auto

# The strength that "auto" stands for, in nats, per unit of the code for the sliced distance.
_STRENGTHS = {"sliced": 100.0, "mmd": 100.0, "cramer_wold": 300.0, "discriminator": 30.0}
# The number of draws that a law of one's own is known by.
_N_DRAWS = 50_000


@estimator()
class AdversarialAE(DeterministicAutoencoder):
    r"""Adversarial autoencoder: an autoencoder whose codes have a chosen distribution.

    The code is a point, as that of the plain autoencoder; a penalty pulls the codes of all rows
    together, the aggregated posterior :math:`q(z)`, to a law :math:`p(z)`,

    .. math:: -\log p(x \mid z) + \lambda\, d\big(q(z), p(z)\big),

    so that rows can be drawn, and codes are comparable. Training starts at whitened principal
    components.

    See Also
    --------
    VAETransformer : A density, with a posterior for each row.
    AutoencoderTransformer : The plain autoencoder, whose codes have any distribution.

    Notes
    -----
    The distance is that of the codes of a batch from as many draws of the law. Epochs are compared
    by the sliced Wasserstein distance, whatever is trained by, since the losses of a game do not
    fall.

    References
    ----------
    Makhzani, A., Shlens, J., Jaitly, N., Goodfellow, I. and Frey, B. (2016). Adversarial
    autoencoders. ICLR workshop.

    Tolstikhin, I., Bousquet, O., Gelly, S. and Schoelkopf, B. (2018). Wasserstein auto-encoders.
    International Conference on Learning Representations.

    Kolouri, S., Pope, P. E., Martin, C. E. and Rohde, G. K. (2019). Sliced Wasserstein
    auto-encoders. International Conference on Learning Representations.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import AdversarialAE
    >>> X = load_digits().data
    >>> autoencoder = AdversarialAE(8, max_epochs=30, random_state=0).fit(X)
    >>> codes = autoencoder.transform(X)
    >>> bool(abs(codes.std(axis=0) - 1).max() < 0.3)
    True
    >>> autoencoder.sample(3, random_state=0).shape
    (3, 64)
    """

    n_components: PositiveInt | Share = field(default=8, kw_only=False)
    """The number of units of the code. For a float in (0, 1), it is the smallest number of
    principal components that together explain more than this share of the variance."""

    matching: Literal["cramer_wold", "sliced", "mmd", "discriminator"] = "cramer_wold"
    """The distance of codes from the law.

    - "cramer_wold": the Cramer-Wold distance, a mean discrepancy by kernels.
    - "sliced": the sliced Wasserstein distance, of sorted projections.
    - "mmd": the maximum mean discrepancy by inverse multiquadrics.
    - "discriminator": a network that tells codes from draws of the law, which the encoder fools.
    """

    latent_distribution: Literal["normal", "uniform", "mixture", "swiss_roll"] | Density = "normal"
    """The law of the codes: a standard normal; a uniform one of variance one; ten normals on a
    circle in the first two units, or a spiral there, with standard normals in the others; or any
    fitted density with `sample`, of as many columns as the code has units."""

    strength: Auto | NonNegativeFloat = "auto"
    """The strength of the penalty, in nats. "auto" is 300 for "cramer_wold", 100 times the number
    of units for "sliced", 100 for "mmd" and 30 for "discriminator"."""

    init: Literal["pca", "random"] = "pca"
    """The initial weights: the whitened principal components ("pca"); or, without linear paths,
    random orthogonal weights ("random")."""

    prior: Literal["law", "gmm", "normal", "posterior"] | Density = "gmm"
    """The density of the codes that `sample` draws from: "law" is `latent_distribution`; fitted at
    the end of `fit`, "gmm" is a Gaussian mixture of up to ten components, "normal" a single
    Gaussian, and "posterior" the codes of at most 50,000 training rows themselves; or any estimator
    with `fit` and `sample`. Codes of fewer dimensions than units cannot fill a law, and a mixture
    of them makes rows more like those of `fit`."""

    law_distance_: float = field(init=False)
    """The sliced Wasserstein distance of the codes of (a sample of) the training rows from the
    law."""

    law_distance_of_itself_: float = field(init=False)
    """The same of as many draws of the law: what `law_distance_` is at best."""

    discriminator_accuracy_: float | None = field(init=False)
    """The share of codes and draws of the law that the discriminator tells apart after training,
    0.5 if none; None for other kinds of matching."""

    def _recipe(self, facts: Facts) -> Recipe:
        if self.tied_weights:
            raise ValueError(
                "The 'tied_weights' parameter must be False, since the start is whitened. Got True."
            )
        n_components = facts.pca.number_for(self.n_components)
        recipe = self._plain_recipe(facts, n_components)
        penalty = self._make_matching(n_components)
        return replace(recipe, penalty=penalty, start=start_at_whitened_pca)

    def _make_matching(self, n_components: int) -> Matching:
        factor = n_components if self.matching == "sliced" else 1
        strength = unless_auto(self.strength, _STRENGTHS[self.matching] * factor)
        return MATCHINGS[self.matching](strength, self._make_law(n_components))

    def _make_law(self, n_components: int) -> Law:
        law = self.latent_distribution
        if not isinstance(law, str):
            codes = np.asarray(draw_codes(law, _N_DRAWS, 0), dtype=np.float32)
            if codes.shape[1:] != (n_components,):
                raise ValueError(
                    f"The 'latent_distribution' parameter must draw codes of {n_components} units. "
                    f"Got draws of shape {codes.shape}."
                )
            return Sampled(torch.from_numpy(codes))
        if law in ("mixture", "swiss_roll") and n_components < 2:
            raise ValueError(
                f"The 'latent_distribution' parameter {law!r} needs at least 2 units of the code. "
                f"Got n_components={self.n_components!r}."
            )
        return LAWS[law](n_components)

    def _diagnose(self, latent: torch.Tensor) -> dict[str, Any]:
        matching = self._module.penalty
        assert isinstance(matching, Matching)
        law, latent = matching.law.cpu(), latent.cpu()
        with seeded(0, latent.device):
            distances = [
                float(sliced_distance(codes, law.draw(latent))) ** 0.5
                for codes in (latent, law.draw(latent))
            ]
        found = {"law_distance_": distances[0], "law_distance_of_itself_": distances[1]}
        law.to(self.net_.device)
        accuracy = None
        if isinstance(matching, Adversarial):
            accuracy = matching.accuracy(latent.to(self.net_.device))
        return found | {"discriminator_accuracy_": accuracy}
