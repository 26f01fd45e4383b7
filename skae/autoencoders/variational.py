"""VAETransformer: an autoencoder that is a density."""

import math
import warnings
from functools import partial
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_scalar
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from torch import nn

from skae.autoencoders.base import BaseAutoencoder
from skae.autoencoders.plain import AutoencoderTransformer
from skae.building.likelihoods import make_likelihood
from skae.building.networks import starts_at_pca
from skae.common.documentation import documented_like
from skae.common.seeds import draw_seed
from skae.nn.corruptions import HideCells
from skae.nn.initialisation import start_at_mean, start_at_probabilistic_pca
from skae.nn.likelihoods import Gaussian
from skae.nn.mixtures import ScoresAndStates
from skae.nn.posteriors import NormalPosterior, SphericalPosterior
from skae.nn.variational_chain import Variational, VariationalAutoencoder, mutual_information
from skae.sampling.conditional import Conditional, ImportanceFilling
from skae.sampling.given import Given
from skae.sampling.prior import Own, Prior
from skae.tables.containers import wrap_table
from skae.tables.scores import ScoredColumns
from skae.training.reading import calibrate, read
from skae.training.schedule import BETA_SCHEDULES

_MOST_COMPONENTS = 16
_LEAST_VARIANCE = 1e-4
_ACTIVE = 0.01
_MASK_FRACTION = 0.5
_SHARE_OF_ROWS = 0.1


@documented_like(AutoencoderTransformer)
class VAETransformer(BaseAutoencoder):
    r"""Variational autoencoder: a code that is a distribution, a model that is a density.

    An encoder gives a distribution of the code of a row, and a decoder one of the row given a code,

    .. math:: q(z \mid x) = N(\mu(x), s(x)^2), \qquad p(x \mid z), \qquad p(z) = N(0, I),

    and both are trained to make the evidence lower bound large,

    .. math:: E_{q(z \mid x)} \log p(x \mid z) - \beta\,KL(q(z \mid x) \parallel p(z)),

    summed over columns, so that with :math:`\beta = 1` it is below :math:`\log p(x)`, the
    log-likelihood of a row. Training starts at probabilistic PCA.

    Parameters
    ----------
    n_components : "auto", int or float, default="auto"
        The number of units of the code. Units that are not needed stay at the prior, so "auto" is
        many: 16, or one less than there are columns, labels counted as many times as they are
        different. A float in (0, 1) takes as many as there are principal components that together
        explain more than this share of the variance.

    latent_distribution : {"normal", "von_mises_fisher", "power_spherical"}, default="normal"
        The distribution of the code of a row: independent normals beside a standard normal prior;
        or, on the unit sphere, one that falls with the angle to a direction beside a uniform
        prior. The code then has one degree of freedom less than units, of which there are at least
        2.

    noise_variance : {"shared", "per_column"} or float, default="shared"
        The variance of a Gaussian likelihood: one that is learned, one for each column, or a fixed
        one in the units of X. With one for each, columns that are easy to predict take all the
        capacity, and samples are worse though the likelihood is higher.

    beta : float, default=1.0
        The weight of the divergence in the loss. Held-out rows are always judged with the whole
        of it.

    beta_schedule : {"constant", "linear", "sigmoid", "cyclical"}, default="constant"
        How the weight comes up in training: it is there at once; it rises in a straight line or
        like a logistic function; or four times, in a straight line.

    beta_warm_up : float, default=0.2
        The share of the training, or of each of the four cycles, in which it rises. These epochs,
        of cycles all up to the last rise, do not try the patience of early stopping.

    free_bits : float, default=0.0
        The divergence of a unit, in nats and on the mean of a batch, below which training does not
        press it.

    n_importance : int, default=1
        The number of draws of the code in training: from 2 on, the loss is the tighter
        importance-weighted bound, and a step takes so many times as long.

    n_draws : int, default=100
        The number of draws of the code in `score_samples`.

    n_encoder_steps : int, default=1
        The number of steps of the encoder for each of the decoder: the others leave the decoder
        alone.

    skip_connections : bool, default=False
        Whether every layer of the decoder sees the code.

    init : {"pca", "random"}, default="pca"
        Where training starts: at probabilistic PCA; or, without linear paths, at random orthogonal
        weights.

    encoder, decoder : torch.nn.Module, default=None
        Modules of your own: from (n, n_features) to the means and the logarithms of the scales of
        the code, (n, 2 n_components), or, on the sphere, to direction and concentration,
        (n, n_components + 1); and from (n, n_components) to (n, n_features). With `image_shape`,
        rows are (n, channels, height, width). They are copied, and trained from the weights that
        they have; `init` then does nothing. None builds them from the parameters above.

    prior : {"gmm", "normal", "posterior"} or density estimator, default="posterior"
        The density of the codes that `sample` draws from, fitted at the end of `fit`: a mixture
        of up to ten normals; one normal, of variational autoencoders their own prior, which no
        row has a part in; the codes of the training rows themselves, of at most 50,000; or any
        estimator with `fit` and `sample`.

    learning_rate : float, default=1e-2
        The (largest) learning rate of the optimiser, AdamW.

    {parameters}

    Attributes
    ----------
    active_units_ : ndarray of int
        The units of the code that carry something: those whose mean varies by more than 0.01
        over (a sample of) the training rows.

    kl_per_component_ : ndarray of shape (n_components_,) or (1,)
        The mean divergence of every unit from the prior in nats; on the sphere, of the code.

    mutual_information_ : float
        What a code tells of its row in nats, by the codes of at most 2,000 rows, the logarithm of
        whose number it cannot exceed.

    {attributes}

    See Also
    --------
    AutoencoderTransformer : The plain autoencoder.
    sklearn.mixture.GaussianMixture : Another density to draw rows from.
    skae.metrics : What to judge samples with.

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

    _chain = VariationalAutoencoder
    _columns_of_tables = ScoredColumns
    _likelihood_of_tables = "mixture"
    _largest_batch, _steps_per_root_row = 512, 20
    quantize = None
    tied_weights = False

    _parameter_constraints: ClassVar[dict] = {
        **{
            name: allowed
            for name, allowed in BaseAutoencoder._parameter_constraints.items()
            if name not in ("quantize", "tied_weights", "noise", "pretraining_epochs")
        },
        "n_components": [
            StrOptions({"auto"}),
            *BaseAutoencoder._parameter_constraints["n_components"],
        ],
        "latent_distribution": [StrOptions({"normal", "von_mises_fisher", "power_spherical"})],
        "noise_variance": [
            StrOptions({"shared", "per_column"}),
            Interval(Real, 0, None, closed="neither"),
        ],
        "beta": [Interval(Real, 0, None, closed="left")],
        "beta_schedule": [StrOptions(set(BETA_SCHEDULES))],
        "beta_warm_up": [Interval(Real, 0, 1, closed="right")],
        "free_bits": [Interval(Real, 0, None, closed="left")],
        "n_importance": [Interval(Integral, 1, None, closed="left")],
        "n_draws": [Interval(Integral, 1, None, closed="left")],
        "n_encoder_steps": [Interval(Integral, 1, None, closed="left")],
        "skip_connections": ["boolean"],
        "init": [StrOptions({"pca", "random"})],
    }

    def __init__(
        self,
        n_components="auto",
        *,
        latent_distribution="normal",
        noise_variance="shared",
        beta=1.0,
        beta_schedule="constant",
        beta_warm_up=0.2,
        free_bits=0.0,
        n_importance=1,
        n_draws=100,
        n_encoder_steps=1,
        skip_connections=False,
        hidden_layer_sizes="auto",
        activation="gelu",
        dropout=0.0,
        image_shape=None,
        encoder=None,
        decoder=None,
        likelihood="auto",
        bounds="auto",
        init="pca",
        categorical_features="from_dtype",
        max_categories=256,
        min_frequency=0.001,
        handle_unknown="other",
        mask_fraction="auto",
        prior="posterior",
        learning_rate=1e-2,
        learning_rate_schedule="one_cycle",
        weight_decay=0.0,
        batch_size="auto",
        max_epochs="auto",
        early_stopping=True,
        validation_fraction="auto",
        n_iter_no_change="auto",
        tol=1e-4,
        warm_start=False,
        device="auto",
        net_params=None,
        random_state=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.latent_distribution = latent_distribution
        self.noise_variance = noise_variance
        self.beta = beta
        self.beta_schedule = beta_schedule
        self.beta_warm_up = beta_warm_up
        self.free_bits = free_bits
        self.n_importance = n_importance
        self.n_draws = n_draws
        self.n_encoder_steps = n_encoder_steps
        self.skip_connections = skip_connections
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.image_shape = image_shape
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood
        self.bounds = bounds
        self.init = init
        self.categorical_features = categorical_features
        self.max_categories = max_categories
        self.min_frequency = min_frequency
        self.handle_unknown = handle_unknown
        self.mask_fraction = mask_fraction
        self.prior = prior
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.device = device
        self.net_params = net_params
        self.random_state = random_state
        self.verbose = verbose

    def posterior(self, X):
        """Return the distributions of the codes of rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        mean : ndarray or tensor of shape (n_samples, n_components_), float32
            The means, as `transform` gives them; on the sphere, the directions.
        scale : ndarray or tensor of shape (n_samples, n_components_) or (n_samples, 1), float32
            The standard deviations; on the sphere, the concentrations.
        """
        check_is_fitted(self)
        module = self._module

        def moments(x):
            return torch.cat(module.bottleneck.posterior.moments(module.encoder(x)), dim=1)

        found = self._read(moments, self._check_rows(X))
        if isinstance(X, torch.Tensor):
            found = torch.from_numpy(found).to(X.device)
        return found[:, : self.n_components_], found[:, self.n_components_ :]

    def score_samples(self, X):
        r"""Return a bound on the log-likelihood of rows, in nats.

        .. math:: \log \frac{1}{K} \sum_k \frac{p(x \mid z_k) p(z_k)}{q(z_k \mid x)} \leq \log p(x)

        on the mean, with the :math:`K` draws of `n_draws`, which follow from the row itself; the
        more draws, the closer. It is the likelihood of the model with its own prior, whatever
        `sample` draws from.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float32
            Higher is better. In the units of X; of a table with labels, times or holes, the log
            of a probability, each number being in one of the intervals that `fit` made, the
            last of which have no end.
        """
        check_is_fitted(self)
        rows = self._check_rows(X)
        if self.likelihood_ != "gaussian":
            self.columns_.check(rows)
        points = self._points()
        scores = self._read(lambda x: self._module.bound(x, points), rows)
        return scores - np.float32(self.columns_.log_volume)

    def score_cells(self, X):
        r"""Return the bound on the log-likelihood of rows cell by cell, in nats.

        A cell counts by its log-likelihood given codes, on the mean over the draws of
        `score_samples`, each weighted by how well it explains the row. What the code costs is
        shared alike by all cells, so that the cells of a row add up to its `score_samples`.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        log_likelihood : ndarray or dataframe of shape (n_samples, n_features), float32
            Higher is better; a frame with the names and the index of X if `fit` was given one.
        """
        return super().score_cells(X)

    def sample(self, n_samples=1, random_state=None, given=None):
        """Draw new rows: codes from the prior, then rows from the likelihood.

        Parameters
        ----------
        n_samples : int, default=1
            How many rows; of a dataframe that is given, how many for each of its rows.
        random_state : int, RandomState instance or None, default=None
            An int makes the draw repeatable.
        given : dict or dataframe, default=None
            What is known of the rows: from names of columns (places, where X was an array) to one
            cell each, or a frame of some columns. A missing cell is not given. The codes are then
            drawn by importance: proposed near those that explain the given cells, and weighted
            by the model's own prior and likelihood.

        Returns
        -------
        X : ndarray or dataframe of shape (n_samples, n_features)
            The rows, a frame if `fit` was given one. Those of a frame that is given follow its
            order, n_samples for each.
        """
        if given is None:
            return super().sample(n_samples, random_state)
        check_is_fitted(self)
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
        names = range(self.n_features_in_) if self.frame_ is None else self.frame_.columns
        given = Given(given, names)
        x = torch.from_numpy(given.encode(self.columns_)).to(self.net_.device)
        generator = torch.Generator().manual_seed(draw_seed(random_state))
        conditional = Conditional(self._module, takes_tables=self._takes_tables_)
        with torch.no_grad():
            rows = conditional.draw(x, n_samples, generator).cpu().numpy()
        if self._takes_tables_:
            is_given = np.repeat(given.is_given, n_samples, axis=0)
            frame = self.columns_.to_frame(self.columns_.decode(rows), given=is_given)
            return wrap_table(given.restore(frame, n_samples), self.frame_)
        return self._wrap(given.put(self.columns_.decode(rows), n_samples))

    def _log_cells(self, x):
        return self._module.cells(x, self._points())

    def _number_of_components(self, pca):
        fewest = 1 if self.latent_distribution == "normal" else 2
        if self.n_components == "auto":
            return max(fewest, min(_MOST_COMPONENTS, len(pca.mean) - 1))
        n_components = super()._number_of_components(pca)
        if n_components < fewest:
            raise ValueError(
                f"The 'n_components' parameter must make at least 2 units for "
                f"latent_distribution={self.latent_distribution!r}. Got {self.n_components!r}."
            )
        return n_components

    def _make_bottleneck(self):
        if self.free_bits and self.n_importance > 1:
            raise ValueError(
                f"The 'free_bits' parameter is for one draw of the code, but n_importance is "
                f"{self.n_importance}; it must then be 0. Got {self.free_bits!r}."
            )
        if self.skip_connections and (self.decoder is not None or self._has_no_hidden_layers()):
            raise ValueError(
                "The 'skip_connections' parameter is for the hidden layers of a decoder that skae "
                "builds, and there are none. Got True."
            )
        if self.latent_distribution == "normal":
            posterior = NormalPosterior(self.n_components_)
        else:
            posterior = SphericalPosterior(self.n_components_, self.latent_distribution)
        return Variational(posterior)

    def _has_no_hidden_layers(self):
        return not isinstance(self.hidden_layer_sizes, str) and len(self.hidden_layer_sizes) == 0

    def _prepare(self, chain):
        rise = BETA_SCHEDULES[self.beta_schedule]
        bottleneck = chain.bottleneck
        bottleneck.schedule = None if rise is None else partial(rise, rise=self.beta_warm_up)
        bottleneck.beta, bottleneck.free_bits = self.beta, self.free_bits
        bottleneck.n_draws = self.n_importance
        super()._prepare(chain)

    def _make_noise(self, noise_unit, n_rows):
        return nn.Identity()

    def _make_hiding(self):
        fraction = _MASK_FRACTION if self.mask_fraction == "auto" else self.mask_fraction
        column_of_number = self.columns_.column_of_number
        return HideCells(fraction, column_of_number, _SHARE_OF_ROWS) if fraction else nn.Identity()

    def _number_of_outputs(self, n_columns):
        return self._likelihood_of_cells().n_outputs if self._takes_tables_ else n_columns

    def _likelihood_of_cells(self):
        columns = self.columns_
        seen = [field.shares > 0 for field in columns.table.fields]
        intervals = [scores.edges for scores in columns.scores], columns.numbers_of_intervals
        return ScoresAndStates(columns.n_states, columns.column_of_number, *intervals, seen)

    def _make_likelihood(self, pca, residual, n_rows):
        if self.likelihood_ != "gaussian" and self.noise_variance != "shared":
            raise ValueError(
                f"The 'noise_variance' parameter is for the Gaussian likelihood, but that of X is "
                f"{self.likelihood_!r}; it must then be 'shared'. Got {self.noise_variance!r}."
            )
        if self._takes_tables_:
            return self._likelihood_of_cells()
        if self.likelihood_ != "gaussian":
            return make_likelihood(self.columns_, self.likelihood_, variance=1.0)
        low, high = map(torch.from_numpy, self.columns_.encoded_range)
        if not isinstance(self.noise_variance, str):
            return Gaussian(low, high, self.noise_variance / self.columns_.scale**2)
        variance = torch.tensor(self._probabilistic_variance(pca))
        if self.noise_variance == "shared":
            return Gaussian(low, high, variance, follows=True)
        # One row among all may be off by as much as the column varies, or by a typical cell if
        # the column does not.
        varies = torch.where(pca.feature_variance > 0, pca.feature_variance, 1.0)
        return Gaussian(low, high, variance.expand(len(low)), varies / n_rows, follows=True)

    def _probabilistic_variance(self, pca):
        """Return the variance of the noise that probabilistic PCA finds."""
        n_left_out = max(1, len(pca.mean) - len(pca.variance))
        return max(float(pca.residual.sum()) / n_left_out, _LEAST_VARIANCE)

    def _place(self, encoder, decoder, bottleneck, likelihood, pca, residual):
        logits = self._are_logits(len(pca.mean))
        if starts_at_pca(self):
            variance = self._probabilistic_variance(pca)
            if isinstance(likelihood, Gaussian):
                variance = float(likelihood.variance.mean())
            start_at_probabilistic_pca(
                encoder,
                decoder,
                pca,
                variance,
                logits=logits,
                posterior=bottleneck.posterior,
                likelihood=likelihood,
            )
        elif self.decoder is None:
            start_at_mean(decoder, pca.mean, logits=logits, likelihood=likelihood)

    def _warm_up(self, plan):
        if self.beta_schedule == "constant":
            return 0
        share = self.beta_warm_up
        share = 0.75 + 0.25 * share if self.beta_schedule == "cyclical" else share
        return math.ceil(share * plan.max_epochs)

    def _calibrate(self, judges):
        if self.likelihood_ != "gaussian":
            return
        if isinstance(self.noise_variance, str):
            calibrate(self.net_, judges)
        variance = self._module.likelihood.variance.double().cpu().numpy()
        variance = variance * self.columns_.scale**2
        self.noise_variance_ = variance if variance.ndim else float(variance)

    def _learn_filling(self, data, judges):
        return ImportanceFilling()

    def _find_codes(self, data):
        h = torch.from_numpy(read(self.net_, data, self._module.encoder))
        posterior = self._module.bottleneck.posterior
        with torch.inference_mode():
            self._diagnose(posterior, h)
            return posterior.draw(h).numpy()

    def _diagnose(self, posterior, h):
        """Say what the code carries."""
        divergence = posterior.divergence(h).mean(0).numpy()
        mean, _ = posterior.moments(h)
        self.kl_per_component_ = divergence
        self.active_units_ = np.flatnonzero(mean.var(0, correction=0).numpy() > _ACTIVE)
        self.mutual_information_ = mutual_information(posterior, h)
        if divergence.max() < _ACTIVE:
            warnings.warn(
                f"The code carries nothing: its divergence from the prior is "
                f"{divergence.sum():.2g} nats. Try beta_schedule='linear', a beta below "
                f"{self.beta:g}, free_bits=0.1, skip_connections=True or, if it is fixed, a "
                f"smaller noise_variance.",
                ConvergenceWarning,
                stacklevel=2,
            )

    def _make_prior(self, codes):
        if self.prior == "normal":
            return Own(self._module.bottleneck.posterior)
        return Prior(self.prior)

    def _points(self):
        check_scalar(self.n_draws, "n_draws", Integral, min_val=1)
        return self._module.bottleneck.posterior.points(self.n_draws)
