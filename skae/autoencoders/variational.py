"""VAETransformer: the variational autoencoder."""

import warnings
from dataclasses import field
from functools import partial
from typing import Any, ClassVar, Literal

import torch
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from skae.autoencoders.base import BaseAutoencoder
from skae.autoencoders.diagnostics import ACTIVE, CodeDiagnostics, diagnostics
from skae.autoencoders.family import Family
from skae.autoencoders.variational_inference import VariationalInference, as_variational
from skae.autoencoders.variational_parameters import BoundParameters
from skae.building.likelihoods import make_likelihood
from skae.building.networks import Architecture
from skae.building.recipe import Facts, Recipe
from skae.common.annotations import Auto, Density, Half, Module, PositiveFloat, PositiveInt, Share
from skae.common.parameters import estimator
from skae.nn.corruptions import HideCells
from skae.nn.initialisation import start_at_probabilistic_pca
from skae.nn.likelihoods import Gaussian, Likelihood
from skae.nn.mixtures import ScoresAndStates
from skae.nn.pca import PrincipalComponents
from skae.nn.posteriors import NormalPosterior, Posterior, SphericalPosterior
from skae.nn.variational_chain import Variational, VariationalAutoencoder
from skae.sampling.conditional import ImportanceImputer
from skae.tables.matrix import MatrixColumns
from skae.tables.mixed import is_narrow
from skae.tables.scores import ScoredColumns
from skae.training.net import AutoencoderNet
from skae.training.reading import calibrate
from skae.training.rows import Rows
from skae.training.schedule import unless_auto

# The largest number of units that "auto" stands for.
_MOST_COMPONENTS = 16
# The smallest variance of the noise at the start.
_LEAST_VARIANCE = 1e-4
# The mean share of masked cells that "auto" stands for, in the share of the rows where cells are
# masked. With masking in all rows the code had half of the information, and samples were worse
# (docs/design.md, "The variational autoencoder").
_MASK_FRACTION = 0.5
_SHARE_OF_ROWS = 0.1
# Rows of numbers alone with more columns are a matrix, with fewer a table.
_MOST_COLUMNS_OF_TABLE = 63


@estimator()
class VAETransformer(VariationalInference, BoundParameters, CodeDiagnostics, BaseAutoencoder):
    r"""Variational autoencoder: a latent variable model, so a density of rows to sample from.

    The encoder gives the posterior of a row's code, the decoder the distribution of a row given a
    code,

    .. math:: q(z \mid x) = N(\mu(x), s(x)^2), \qquad p(x \mid z), \qquad p(z) = N(0, I),

    and both are trained to maximise the evidence lower bound,

    .. math:: E_{q(z \mid x)} \log p(x \mid z) - \beta\,KL(q(z \mid x) \parallel p(z)),

    summed over columns. With :math:`\beta = 1` it is a lower bound on :math:`\log p(x)`, the
    log-likelihood of a row. Training starts at probabilistic PCA.

    See Also
    --------
    AutoencoderTransformer : The plain autoencoder.
    sklearn.mixture.GaussianMixture : Another density to draw rows from.
    skae.metrics : Metrics of samples.

    References
    ----------
    Kingma, D. P. and Welling, M. (2014). Auto-encoding variational Bayes. International Conference
    on Learning Representations.

    Burda, Y., Grosse, R. and Salakhutdinov, R. (2016). Importance weighted autoencoders.
    International Conference on Learning Representations.

    Lucas, J., Tucker, G., Grosse, R. and Norouzi, M. (2019). Don't blame the ELBO! A linear VAE
    perspective on posterior collapse. Advances in Neural Information Processing Systems 32.

    Rybkin, O., Daniilidis, K. and Levine, S. (2021). Simple and effective VAE training with
    calibrated decoders. International Conference on Machine Learning.

    Ghosh, P., Sajjadi, M. S. M., Vergari, A., Black, M. and Schoelkopf, B. (2020). From variational
    to deterministic autoencoders. International Conference on Learning Representations.

    He, J., Spokoyny, D., Neubig, G. and Berg-Kirkpatrick, T. (2019). Lagging inference networks and
    posterior collapse in variational autoencoders. ICLR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import VAETransformer
    >>> X = load_digits().data
    >>> autoencoder = VAETransformer(8, max_epochs=20, random_state=0).fit(X)
    >>> autoencoder.sample(3, random_state=0).shape
    (3, 64)
    >>> mean, scale = autoencoder.posterior(X)
    >>> bool((mean == autoencoder.transform(X)).all())
    True
    """

    n_components: Auto | PositiveInt | Share = field(default="auto", kw_only=False)
    """The number of units of the code. Units that are not needed stay at the prior, so "auto" is
    large: 16, or one less than the number of columns if that is smaller, where labels count as
    one-hot columns. For a float in (0, 1), it is the smallest number of principal components that
    together explain more than this share of the variance."""

    latent_distribution: Literal["normal", "von_mises_fisher", "power_spherical"] = "normal"
    """The posterior of a row's code: independent normals, with a standard normal prior; or, on the
    unit sphere, a density that falls with the angle to a mean direction, with a uniform prior. On
    the sphere a code has one degree of freedom less than units, of which there are at least 2."""

    noise_variance: Literal["shared", "per_column"] | PositiveFloat = "shared"
    """The variance of a Gaussian likelihood: one that is learned, shared by all columns; one for
    each column; or a fixed number, in the units of X. With one for each column, columns that are
    easy to predict take all the capacity, and samples are worse though the likelihood is higher."""

    skip_connections: bool = False
    """Whether every layer of the decoder has a skip connection from the code."""

    init: Literal["pca", "random"] = "pca"
    """The initial weights: probabilistic PCA ("pca"); or, without linear paths, random orthogonal
    weights ("random")."""

    encoder: Module | None = None
    """A custom module from (n, n_features) or, with `image_shape`, (n, channels, height, width) to
    the means and the logarithms of the scales of the code, (n, 2 n_components), or, on the sphere,
    to direction and concentration, (n, n_components + 1). It is copied, and its training starts at
    its present weights; `init` then has no effect. None builds an encoder from the parameters
    above."""

    mask_fraction: Auto | Half = "auto"
    """The mean share of the cells of a table, in [0, 0.5], that are masked in training, in about
    one row in ten, so that the encoder learns to impute them; "auto" is 0.5. For rows with labels,
    times or missing cells."""

    prior: Literal["gmm", "normal", "posterior"] | Density = "posterior"
    """The density of the codes that `sample` draws from, fitted at the end of `fit`: "gmm" is a
    Gaussian mixture of up to ten components, "normal" the model's own prior p(z), which does not
    depend on the data, "posterior" the codes of at most 50,000 training rows themselves; or any
    estimator with `fit` and `sample`. An estimator without `random_state` is seeded by the global
    generators of numpy and torch, whose states are restored."""

    learning_rate: PositiveFloat = 0.01

    batch_size: Auto | PositiveInt = "auto"
    """The number of rows of a training step; "auto" is 512, or all rows if they are fewer."""

    max_epochs: Auto | PositiveInt = "auto"
    """The largest number of epochs, that is, passes over the training rows. "auto" makes about 32
    steps times the root of their number: 320 for a hundred rows, 32,000 for a million."""

    _family: ClassVar[Family] = Family(
        columns=ScoredColumns,
        table_likelihood="mixture",
        imputer=ImportanceImputer,
        largest_batch=512,
        steps_per_root_row=32,
    )

    def _recipe(self, facts: Facts) -> Recipe:
        self._check_parameters()
        n_components = self._n_components_for(facts)
        pca = facts.pca.keep(n_components)
        posterior = self._make_posterior(n_components)
        likelihood = self._make_likelihood(facts, pca)
        variance = _probabilistic_variance(pca)
        if isinstance(likelihood, Gaussian):
            variance = float(likelihood.variance.mean())
        return Recipe(
            n_components,
            self._architecture(),
            Variational(posterior),
            likelihood,
            has_variance=True,
            hiding=self._make_hiding(facts),
            start=partial(start_at_probabilistic_pca, variance=variance, posterior=posterior),
            chain=VariationalAutoencoder,
        )

    @property
    def _module(self) -> VariationalAutoencoder:
        return as_variational(super()._module)

    def _diagnose(self, latent: torch.Tensor, sample: Rows) -> dict[str, Any]:
        found = diagnostics(self._module.posterior, latent)
        divergence = found["kl_per_component_"]
        if divergence.max() < ACTIVE:
            warnings.warn(
                f"The code carries nothing: its divergence from the prior is "
                f"{divergence.sum():.2g} nats. Try beta_schedule='linear', a beta below "
                f"{self.beta:g}, free_bits=0.1, skip_connections=True or, if it is fixed, a "
                f"smaller noise_variance.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return found

    def _reads_as_table(self, X: Any) -> bool:
        # Of many columns, as of images and embeddings, squared errors are comparable, and a mixture
        # for each would be slow. The parameters that only a matrix has ask for one.
        is_asked_for = (
            self.image_shape is not None
            or self.encoder is not None
            or self.decoder is not None
            or self._is_linear
            or not isinstance(self.bounds, str)
            or self.likelihood != "auto"
            or self.noise_variance != "shared"
        )
        if super()._reads_as_table(X):
            return True
        return not is_asked_for and is_narrow(X, _MOST_COLUMNS_OF_TABLE)

    @property
    def _is_linear(self) -> bool:
        return not isinstance(self.hidden_layer_sizes, str) and len(self.hidden_layer_sizes) == 0

    def _prepare(self, net: AutoencoderNet) -> None:
        self._prepare_bottleneck(self._module.bottleneck)
        self._module.bottleneck.n_draws = self.n_importance
        net.n_encoder_steps = self.n_encoder_steps
        super()._prepare(net)

    def _calibrate(self, sample: Rows, validation_rows: Rows) -> None:
        likelihood, columns = self._module.likelihood, self.columns_
        if not (isinstance(likelihood, Gaussian) and isinstance(columns, MatrixColumns)):
            return
        if isinstance(self.noise_variance, str):
            calibrate(self.net_, validation_rows)
        variance = likelihood.variance.double().cpu().numpy() * columns.scale**2
        self.noise_variance_ = variance if variance.ndim else float(variance)

    def _check_parameters(self) -> None:
        if self.free_bits and self.n_importance > 1:
            raise ValueError(
                f"The 'free_bits' parameter is for one draw of the code, but n_importance is "
                f"{self.n_importance}; it must then be 0. Got {self.free_bits!r}."
            )
        if self.skip_connections and (self.decoder is not None or self._is_linear):
            raise ValueError(
                "The 'skip_connections' parameter is for the hidden layers of a decoder that skae "
                "builds, and there are none. Got True."
            )

    def _n_components_for(self, facts: Facts) -> int:
        fewest = 1 if self.latent_distribution == "normal" else 2
        if isinstance(self.n_components, str):
            return max(fewest, min(_MOST_COMPONENTS, facts.n_columns - 1))
        n_components = facts.pca.number_for(self.n_components)
        if n_components < fewest:
            raise ValueError(
                f"The 'n_components' parameter must make at least 2 units for "
                f"latent_distribution={self.latent_distribution!r}. Got {self.n_components!r}."
            )
        return n_components

    def _architecture(self) -> Architecture:
        return Architecture(
            self.hidden_layer_sizes,
            self.activation,
            self.dropout,
            self.image_shape,
            self.encoder,
            self.decoder,
            has_linear_paths=self.init == "pca",
            skip_connections=self.skip_connections,
        )

    def _make_posterior(self, n_components: int) -> Posterior:
        if self.latent_distribution == "normal":
            return NormalPosterior(n_components)
        return SphericalPosterior(n_components, self.latent_distribution)

    def _make_likelihood(self, facts: Facts, pca: PrincipalComponents) -> Likelihood:
        """Return the likelihood, with its variance at the start of the training."""
        if facts.likelihood != "gaussian" and self.noise_variance != "shared":
            raise ValueError(
                f"The 'noise_variance' parameter is for the Gaussian likelihood, but that of X is "
                f"{facts.likelihood!r}; it must then be 'shared'. Got {self.noise_variance!r}."
            )
        columns = facts.columns
        if isinstance(columns, ScoredColumns):
            return _likelihood_of_cells(columns)
        if facts.likelihood != "gaussian":
            return make_likelihood(columns, facts.likelihood)
        assert isinstance(columns, MatrixColumns)
        low, high = map(torch.from_numpy, columns.encoded_range)
        if not isinstance(self.noise_variance, str):
            return Gaussian(low, high, self.noise_variance / columns.scale**2)
        variance = torch.tensor(_probabilistic_variance(pca))
        if self.noise_variance == "shared":
            return Gaussian(low, high, variance, learns_variance=True)
        # The smallest variance of a column is the error if one row of all is off by a standard
        # deviation of the column or, if the column is constant, of a typical one.
        smallest = torch.where(pca.feature_variance > 0, pca.feature_variance, 1.0) / facts.n_rows
        return Gaussian(low, high, variance.expand(len(low)), smallest, learns_variance=True)

    def _make_hiding(self, facts: Facts) -> nn.Module:
        fraction = unless_auto(self.mask_fraction, _MASK_FRACTION)
        columns = facts.columns
        if not isinstance(columns, ScoredColumns) or fraction == 0:
            return nn.Identity()
        return HideCells(fraction, columns.column_of_number, _SHARE_OF_ROWS)


def _likelihood_of_cells(columns: ScoredColumns) -> ScoresAndStates:
    seen = [field.shares > 0 for field in columns.table.modelled]
    intervals = [scores.edges for scores in columns.scores], columns.numbers_of_intervals
    states = columns.n_states, columns.column_of_number
    return ScoresAndStates(*states, *intervals, seen, columns.log_largest)


def _probabilistic_variance(pca: PrincipalComponents) -> float:
    """Return the variance of the noise of probabilistic PCA."""
    n_left_out = max(1, len(pca.mean) - len(pca.variance))
    return max(float(pca.residual.sum()) / n_left_out, _LEAST_VARIANCE)
