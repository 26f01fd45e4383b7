"""GANSampler: a generator that is trained against a discriminator."""

from copy import deepcopy
from dataclasses import field
from typing import Annotated, Any, Literal, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.frozen import FrozenEstimator
from torch import nn

from skae.autoencoders.adversarial import AdversarialAE
from skae.autoencoders.base import BaseAutoencoder
from skae.autoencoders.given import cloned, unfrozen
from skae.autoencoders.reader import Reader
from skae.building.components import find_principal_components
from skae.building.networks import hidden_sizes
from skae.common.annotations import (
    Auto,
    Named,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Share,
    Sizes,
)
from skae.common.documentation import Documented
from skae.common.parameters import estimator
from skae.common.processes import check_one_process
from skae.common.shared_parameters import TrainingParameters
from skae.common.sizes import check_image_shape
from skae.common.sklearn_private import fit_context
from skae.common.state import FittedState
from skae.gans.inference import GANInference
from skae.gans.inverting import invert
from skae.gans.judging import Judge, KeepBestGenerator, some_of
from skae.nn.chain import Autoencoder
from skae.nn.discriminators import convolutional_discriminator, dense_discriminator
from skae.nn.game import Game, Generator
from skae.nn.laws import Law, Normal, Sampled
from skae.nn.likelihoods import VarianceLikelihood
from skae.sampling.prior import LawPrior
from skae.saving.saves import Saves
from skae.tables.mixed import is_table
from skae.tables.training_rows import check_training_rows
from skae.training.checkpoints import checkpointed, draw_fit_seed
from skae.training.reading import calibrate
from skae.training.rows import HeldOut, Rows, encode_rows
from skae.training.running import loss_curves, make_net, repeatable, train
from skae.training.schedule import Plan, unless_auto
from skae.training.sklearn_bridge import FitTask

# The number of draws by which the density of codes is known in training.
_N_CODES = 100_000
# The length of a training, in steps per root of the number of rows; the batch size by rule; the
# number of comparisons without improvement that end it.
_STEPS, _BATCH_SIZE, _PATIENCE = 50, 64, 10
# The decays of the optimiser's means.
_BETAS = (0.0, 0.99)
# The hidden layers of a discriminator.
_DENSE, _CHANNELS = (256, 256), (32, 64)


@estimator()
class GANSampler(
    ClassNamePrefixFeaturesOutMixin,
    GANInference,
    TrainingParameters,
    FittedState,
    Saves,
    Documented,
    CallbackSupportMixin,
    BaseEstimator,
):
    r"""Generative adversarial network: a generator that is trained against a discriminator.

    The generator is by default the decoder of an autoencoder, and its codes are drawn as that
    autoencoder draws them, so that training can only improve on its samples. With the logits
    :math:`D` of a row and of a generated one, the losses of the discriminator and of the generator
    are

    .. math::

        \log(1 + e^{D(G(z)) - D(x)}) + \frac\gamma2 \big(\lVert \nabla D(x) \rVert^2
        + \lVert \nabla D(G(z)) \rVert^2\big) \quad \text{and} \quad
        \log(1 + e^{D(x) - D(G(z))}).

    Weights of the generator are averaged over the last thousand steps. Every few hundred steps,
    rows that they generate are compared with held-out ones, and the best weights are kept, the
    start included. At the end the encoder learns to invert the generator.

    See Also
    --------
    VAETransformer : Draws rows of tables, which a GAN does not, and has a likelihood.
    AdversarialAE : The autoencoder of the default start.

    Notes
    -----
    It is for images and other rows of numbers. On tables a GAN loses to `VAETransformer`, and there
    is none here.

    References
    ----------
    Goodfellow, I., Pouget-Abadie, J., Mirza, M., Xu, B., Warde-Farley, D., Ozair, S.,
    Courville, A. and Bengio, Y. (2014). Generative adversarial nets. Advances in Neural Information
    Processing Systems 27.

    Huang, Y., Gokaslan, A., Kuleshov, V. and Tompkin, J. (2024). The GAN is dead; long live the
    GAN! A modern GAN baseline. Advances in Neural Information Processing Systems 37.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import AdversarialAE, GANSampler
    >>> X = load_digits().data
    >>> gan = GANSampler(AdversarialAE(8, max_epochs=20), max_epochs=20, random_state=0).fit(X)
    >>> gan.sample(3, random_state=0).shape
    (3, 64)
    >>> gan.distance_curve_[0] >= min(gan.distance_curve_)
    True
    """

    autoencoder: (
        Annotated[BaseAutoencoder | FrozenEstimator, Named("autoencoder or FrozenEstimator")] | None
    ) = field(default=None, kw_only=False)
    """The autoencoder whose decoder is the generator: one of skae's, which is cloned and fitted, or
    a fitted one in a `sklearn.frozen.FrozenEstimator`, which is copied. Its device is also that of
    the sampler, and its `image_shape` makes a convolutional discriminator. None is
    `AdversarialAE(16)`."""

    init: Literal["autoencoder", "random"] = "autoencoder"
    """The initial weights of the generator: those of the decoder of the fitted autoencoder, or
    random ones, in a network of the same architecture whose codes are standard normal."""

    hidden_layer_sizes: Auto | Sizes = "auto"
    """The number of units of every hidden layer of the discriminator or, where the autoencoder has
    an `image_shape`, of channels of every convolution. "auto" is (256, 256) or (32, 64)."""

    gradient_penalty: NonNegativeFloat = 1.0
    """The strength of the penalty on the gradients of the discriminator, for rows of variance one
    in total."""

    learning_rate: PositiveFloat = 0.0003
    """The learning rate of both players."""

    learning_rate_schedule: Literal["one_cycle", "constant"] = "constant"

    batch_size: Auto | PositiveInt = 64
    """The number of rows of a training step; "auto" is 64, or all rows if they are fewer."""

    max_epochs: Auto | PositiveInt = "auto"
    """The largest number of epochs, that is, passes over the training rows. "auto" makes about 50
    steps times the root of their number: 2,000 for two thousand rows, 12,000 for sixty thousand."""

    early_stopping: bool = True
    """Whether to hold out rows to compare generated ones with, and stop when these no longer get
    nearer. If False, they are compared with training rows, and training does not stop early."""

    n_iter_no_change: Auto | PositiveInt = "auto"
    """The patience of early stopping: the number of comparisons without improvement that end the
    training; "auto" is 10."""

    validation_fraction: Auto | Share = "auto"
    """The share of the rows that are held out, in (0, 1). "auto" is a tenth, or 20 rows where these
    are more, but at most a quarter."""

    keep_discriminator: bool = True
    """Whether the discriminator is kept for `score_samples`; it is as large as the generator."""

    autoencoder_: BaseAutoencoder = field(init=False)
    """The autoencoder, whose decoder is now the generator: it interpolates, edits and repairs."""

    discriminator_: nn.Module | None = field(init=False)
    """The discriminator, of encoded rows; None if it was not kept."""

    distance_curve_: list[float] = field(init=False)
    """The energy distances of generated rows from held-out ones, in up to 64 principal components,
    as shares of the mean distance of rows; the first is that of the start."""

    step_curve_: list[int] = field(init=False)
    """The steps at which the distances were found."""

    best_step_: int = field(init=False)
    """The step whose weights were kept; 0 is the start."""

    loss_curve_: list[float] = field(init=False)
    """The mean loss of both players together in every epoch, which need not fall."""

    n_iter_: int = field(init=False)
    """The number of epochs of the training."""

    n_features_in_: int = field(init=False)
    """The number of features that `fit` saw."""

    feature_names_in_: np.ndarray = field(init=False)
    """The names of the features, if `fit` was given a frame whose names are all strings."""

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit the autoencoder, and train its decoder against a discriminator.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows, numbers without missing cells.
        y : Ignored
            Not used, present for API consistency by convention.
        sample_weight : array-like of shape (n_samples,), default=None
            The weight of every row; None for weights of one.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X is a table, with labels or missing cells.
        """
        with self._restored_on_failure(), checkpointed(self, X, None, sample_weight):
            self._forget()
            self._fit_to(X, sample_weight)
        return self

    def _fit_to(self, X: Any, sample_weight: Any) -> None:
        """Fit the autoencoder, train both players, invert the generator."""
        check_one_process(type(self).__name__ + ".fit")
        seed = draw_fit_seed(self.random_state)
        self._refuse(is_table(X, self._unfitted))
        rows = check_training_rows(self, X, None, sample_weight, reset=True, as_table=False)
        self.autoencoder_ = self._start(X, sample_weight, seed)
        reader = Reader.of(self.autoencoder_)
        self._refuse(reader.columns.is_table)
        plan = Plan.of(self, rows.n_rows, largest_batch=_BATCH_SIZE, steps_per_root_row=_STEPS)
        task = FitTask(self, plan.max_epochs, X, sample_weight)
        with repeatable(seed, reader.device):
            data = held_out = encode_rows(rows, reader.columns, reader.device)
            if self.early_stopping:
                data, held_out = HeldOut(self.validation_fraction)(data)
            law = self._law(seed)
            game = self._make_game(reader.chain, law)
            self._play(game, data, held_out, plan, task)
            reader.chain.decoder.load_state_dict(game.averaged.decoder.state_dict())
            if self.best_step_ > 0 or self.init == "random":
                invert(reader.chain, law, data, reader.device)
            self._calibrate(held_out)
        task.end()

    @property
    def _unfitted(self) -> BaseAutoencoder:
        """The autoencoder that was given, which is not changed."""
        if self.autoencoder is None:
            return AdversarialAE(16)
        is_frozen = isinstance(self.autoencoder, FrozenEstimator)
        return unfrozen(self.autoencoder) if is_frozen else self.autoencoder

    def _start(self, X: Any, sample_weight: Any, seed: int) -> BaseAutoencoder:
        """Return a copy of the fitted autoencoder, or one that has learned nothing."""
        if self.init == "random":
            start = cloned(self._unfitted, seed).set_params(init="random")
            start.fit_start(X, sample_weight)
            start.prior_ = LawPrior(Normal(start.n_components_))
            return start
        if isinstance(self.autoencoder, FrozenEstimator):
            return deepcopy(self._unfitted)
        return cloned(self._unfitted, seed).fit(X, sample_weight=sample_weight)

    def _refuse(self, is_table: bool) -> None:
        if is_table:
            raise ValueError(
                "GANSampler is for images and other rows of numbers without missing cells, and "
                "these are read as a table, with labels, times or missing cells (NaN). "
                "VAETransformer draws rows of tables."
            )

    def _law(self, seed: int) -> Law:
        if self.init == "random":
            return Normal(self.n_components_)
        codes = self.autoencoder_.prior_.sample(_N_CODES, seed).astype(np.float32)
        return Sampled(torch.from_numpy(codes))

    def _make_game(self, chain: Autoencoder, law: Law) -> Game:
        n_columns = self.autoencoder_.columns_.n_encoded
        shape = check_image_shape(self.autoencoder_.image_shape, n_columns)
        hidden = hidden_sizes(self.hidden_layer_sizes, _DENSE if shape is None else _CHANNELS)
        if shape is None:
            discriminator = dense_discriminator(n_columns, hidden)
        else:
            discriminator = convolutional_discriminator(shape, hidden)
        generator = deepcopy(Generator(chain)).requires_grad_(True)
        # Rows have a variance of about one in every column, and of one in total for the penalty.
        return Game(generator, discriminator, law, self.gradient_penalty * n_columns)

    def _play(self, game: Game, data: Rows, held_out: Rows, plan: Plan, task: FitTask) -> None:
        """Train both players, and note what came of it."""
        n_columns, device = data.n_columns, torch.device(self.autoencoder_.net_.device)
        net = make_net(game, self, plan, device, n_columns=n_columns, betas=_BETAS)
        pca = find_principal_components(data, nn.Identity(), n_columns)
        patience = unless_auto(self.n_iter_no_change, _PATIENCE) if self.early_stopping else None
        keeper = KeepBestGenerator(Judge(pca, some_of(held_out, device)), patience)
        train(net, data, [*task.callbacks, keeper])
        self.distance_curve_, self.step_curve_ = keeper.distances_, keeper.steps_
        self.best_step_ = keeper.steps_[keeper.best_]
        self.loss_curve_, _ = loss_curves(net)
        self.n_iter_ = len(self.loss_curve_)
        self.discriminator_ = None
        if self.keep_discriminator:
            self.discriminator_ = game.discriminator.requires_grad_(False).eval()

    def _calibrate(self, held_out: Rows) -> None:
        """Set the variance of the autoencoder's likelihood to its squared error now."""
        net, columns = self.autoencoder_.net_, self.autoencoder_.columns_
        if isinstance(Reader.of(self.autoencoder_).chain.likelihood, VarianceLikelihood):
            self.autoencoder_.noise_variance_ = columns.noise_variance(calibrate(net, held_out))
