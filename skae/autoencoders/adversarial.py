"""AdversarialAE: an autoencoder whose codes have a chosen distribution."""

from dataclasses import field, replace
from functools import partial
from numbers import Integral
from typing import Any, Literal

import narwhals as nw
import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.utils import check_scalar
from skorch.callbacks import Callback

from skae.autoencoders.deterministic import DeterministicAutoencoder
from skae.building.recipe import Facts, Recipe
from skae.common.annotations import Auto, Density, NonNegativeFloat, PositiveInt, Share
from skae.common.parameters import estimator
from skae.common.seeds import draw_seed
from skae.nn.initialisation import start_at_whitened_pca
from skae.nn.labelled_chain import LabelledAutoencoder
from skae.nn.laws import LAWS, Law, Sampled
from skae.nn.matching import MATCHINGS, Adversarial, Matching, sliced_distance
from skae.nn.seeding import seeded
from skae.sampling.conditional_prior import ConditionalPrior, LawOfParts
from skae.sampling.densities import draw_codes
from skae.sampling.prior import LawPrior, make_prior
from skae.tables.conditions import as_many
from skae.tables.labels import labels_frame, learn_classes, parts_of
from skae.tables.training_rows import TrainingRows
from skae.training.callbacks import DiscriminatorAccuracy
from skae.training.mode import Mode
from skae.training.reading import read
from skae.training.rows import Rows, encode_beside
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

    supervised: bool = False
    """Whether the classes of the `y` of `fit` are tied to parts of the law, each to one near the
    codes that training starts from: petals of "mixture", of which there are then as many; stretches
    of "swiss_roll", and of the first unit of "uniform"; sectors of the first two units of "normal";
    or groups of the draws of a density, by k-means. Rows whose label is missing or -1 may have any
    part. If False, `y` is ignored."""

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

    discriminator_accuracy_curve_: list | None = field(init=False)
    """The mean of the same over the steps of every epoch; None for other kinds of matching."""

    classes_: np.ndarray = field(init=False)
    """The classes of `y`, sorted. Only if `supervised`."""

    class_prior_: LawOfParts | ConditionalPrior = field(init=False)
    """The density of the codes of every class that `sample` draws from where it is given `y`. Only
    if `supervised`."""

    def sample(
        self,
        n_samples: int = 1,
        random_state: Any = None,
        *,
        y: Any = None,
        noise: bool = True,
    ) -> Any:
        """Draw new rows: codes from the prior, or that of given classes, then rows.

        Parameters
        ----------
        n_samples : int, default=1
            The number of rows.
        random_state : int, RandomState instance or None, default=None
            The seed; an int makes the draw reproducible.
        y : array-like of shape (n_samples,) or label, default=None
            The classes of the rows, or one for all; only if `supervised`.
        noise : bool, default=True
            Whether cells are drawn from the likelihood; False returns the expected rows of the
            drawn codes, as is usual for images.

        Returns
        -------
        X : ndarray or dataframe of shape (n_samples, n_features)
            The rows, a frame if `fit` was given one.
        """
        reader = self._reader()
        if y is None:
            return super().sample(n_samples, random_state, noise=noise)
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
        parts = self._parts(y, n_samples)
        classes = np.eye(len(self.classes_))[parts]

        def draw(places: np.ndarray, seed: int) -> np.ndarray:
            return self.class_prior_.sample(classes[places], seed)

        return self._draw_rows(reader, draw, n_samples, draw_seed(random_state), noise=noise)

    def _recipe(self, facts: Facts) -> Recipe:
        if self.tied_weights:
            raise ValueError(
                "The 'tied_weights' parameter must be False, since the start is whitened. Got True."
            )
        n_components = facts.pca.number_for(self.n_components)
        recipe = self._plain_recipe(facts, n_components)
        if not self.supervised:
            penalty = self._make_matching(n_components, None)
            return replace(recipe, penalty=penalty, start=start_at_whitened_pca)
        shares, middles = self._describe_classes(facts, n_components)
        penalty = self._make_matching(n_components, shares)
        penalty.law.place_near(middles)
        chain = LabelledAutoencoder
        return replace(recipe, penalty=penalty, start=start_at_whitened_pca, chain=chain)

    def _make_matching(self, n_components: int, shares: torch.Tensor | None) -> Matching:
        factor = n_components if self.matching == "sliced" else 1
        strength = unless_auto(self.strength, _STRENGTHS[self.matching] * factor)
        return MATCHINGS[self.matching](strength, self._make_law(n_components, shares))

    def _make_law(self, n_components: int, shares: torch.Tensor | None) -> Law:
        law = self.latent_distribution
        if not isinstance(law, str):
            codes = np.asarray(draw_codes(law, _N_DRAWS, 0), dtype=np.float32)
            if codes.shape[1:] != (n_components,):
                raise ValueError(
                    f"The 'latent_distribution' parameter must draw codes of {n_components} units. "
                    f"Got draws of shape {codes.shape}."
                )
            if shares is None:
                return Sampled(torch.from_numpy(codes))
            groups = KMeans(len(shares), n_init=1, random_state=0).fit_predict(codes)
            return Sampled(torch.from_numpy(codes), shares, torch.from_numpy(groups).long())
        if law in ("mixture", "swiss_roll") and n_components < 2:
            raise ValueError(
                f"The 'latent_distribution' parameter {law!r} needs at least 2 units of the code. "
                f"Got n_components={self.n_components!r}."
            )
        return LAWS[law](n_components, shares)

    def _describe_classes(
        self, facts: Facts, n_components: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the classes' shares, and the middles of the codes that training starts from."""
        parts, weights = self._parts_of(facts.data)
        x, _ = facts.data.take((parts >= 0).nonzero()[:, 0])
        codes = facts.pca.keep(n_components).whitened(
            facts.one_hot(x[:, -self.columns_.n_encoded :])
        )
        own, own_weights = parts[parts >= 0], weights[parts >= 0]
        belongs = torch.nn.functional.one_hot(own, len(self.classes_)).T.to(codes) * own_weights
        shares = belongs.sum(1)
        return shares.float(), (belongs @ codes / shares[:, None]).float()

    def _parts_of(self, data: Rows) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the parts of training rows, and their weights."""
        x, weights = data.take(torch.arange(len(data)))
        parts = LabelledAutoencoder.parts_of(x[:, : -self.columns_.n_encoded]).cpu()
        return parts, torch.ones(len(parts)) if weights is None else weights.cpu()

    def _parts(self, y: Any, n_rows: int) -> np.ndarray:
        """Return the parts of the classes that are asked for."""
        if not self.supervised:
            raise ValueError(
                "The 'y' parameter must be None, since 'supervised' is False: classes have no "
                f"parts of their own. Got {y!r}."
            )
        parts = parts_of(labels_frame(as_many(y, n_rows)), self.classes_)
        if len(parts) != n_rows or (parts < 0).any():
            raise ValueError(
                f"The 'y' parameter must be one class, or one for each of the {n_rows} rows. "
                f"Got {len(parts)}, {(parts < 0).sum()} of them missing."
            )
        return parts

    def _conditions_of(self, X: Any, y: Any) -> nw.DataFrame | None:
        if not self.supervised:
            return None
        if y is None:
            raise ValueError("The 'supervised' parameter is True, so fit needs y. Got None.")
        return labels_frame(y)

    def _learn_columns(self, rows: TrainingRows) -> None:
        super()._learn_columns(rows)
        if rows.conditions is not None:
            self.classes_ = learn_classes(rows.conditions)

    def _encode(self, rows: TrainingRows, device: torch.device) -> Rows:
        if rows.conditions is None:
            return super()._encode(rows, device)
        parts = parts_of(rows.conditions, self.classes_).astype(np.float32)
        return encode_beside(parts[:, None], rows, self.columns_, device)

    def _callbacks(self) -> list[Callback]:
        return [DiscriminatorAccuracy()] if self.matching == "discriminator" else []

    def _diagnose(self, latent: torch.Tensor, sample: Rows) -> dict[str, Any]:
        matching = self._module.penalty
        assert isinstance(matching, Matching)
        parts = self._parts_of(sample)[0] if self.supervised else None
        law, latent = matching.law.cpu(), latent.cpu()
        with seeded(0, latent.device):
            distances = [
                float(sliced_distance(codes, law.draw(latent, parts), parts)) ** 0.5
                for codes in (latent, law.draw(latent, parts))
            ]
        found = {"law_distance_": distances[0], "law_distance_of_itself_": distances[1]}
        law.to(self.net_.device)
        accuracy, curve = None, None
        if isinstance(matching, Adversarial):
            tied = None if parts is None else parts.to(self.net_.device)
            accuracy = matching.accuracy(latent.to(self.net_.device), tied)
            curve = [epoch["discriminator_accuracy"] for epoch in self.net_.history]
        return found | {
            "discriminator_accuracy_": accuracy,
            "discriminator_accuracy_curve_": curve,
        }

    def _conclude(self, sample: Rows, validation_rows: Rows, seed: int, mode: Mode) -> None:
        super()._conclude(sample, validation_rows, seed, mode)
        if self.supervised:
            self.class_prior_ = self._make_class_prior(sample, seed)

    def _make_class_prior(self, sample: Rows, seed: int) -> LawOfParts | ConditionalPrior:
        """Return the density of the codes of every class."""
        make = partial(make_prior, self.prior, self._module)
        if isinstance(law := make(), LawPrior):
            return LawOfParts(law.law)
        parts, codes = (
            self._parts_of(sample)[0].numpy(),
            read(self.net_, sample, self._module.latent),
        )
        known = parts >= 0
        classes = np.eye(len(self.classes_))[parts[known]]
        return ConditionalPrior().fit(make, classes, codes[known], seed)
