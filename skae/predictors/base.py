"""EncoderPredictor: the base class of a classifier and a regressor on top of an encoder."""

import copy
from abc import ABC, abstractmethod
from dataclasses import field
from math import ceil
from typing import Annotated, Any, Self, cast

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skae.autoencoders.base import BaseAutoencoder
from skae.autoencoders.denoising import DenoisingAE
from skae.autoencoders.given import cloned, unfrozen
from skae.autoencoders.reader import Reader
from skae.building.networks import hidden_sizes
from skae.common.annotations import (
    Activation,
    Auto,
    Dropout,
    Module,
    Named,
    NonNegativeFloat,
    PositiveInt,
    Share,
    Sizes,
)
from skae.common.documentation import Documented
from skae.common.parameters import estimator
from skae.common.processes import check_one_process
from skae.common.shared_parameters import TrainingParameters
from skae.common.sklearn_private import fit_context, n_samples_of
from skae.common.state import FittedState
from skae.common.weights import check_weights
from skae.nn.chain import Autoencoder
from skae.nn.encoder_decoder import Encoder
from skae.nn.heads import make_head
from skae.nn.networks import SkipNetwork
from skae.nn.predictions import Labels, Targets
from skae.saving.saves import N_TRIED, Saves
from skae.tables.columns import Columns
from skae.tables.remembering import Remembered
from skae.tables.sources import refuse_source
from skae.tables.table import Table
from skae.training.callbacks import KeepBest
from skae.training.checkpoints import checkpointed, draw_fit_seed
from skae.training.net import AutoencoderNet
from skae.training.reading import encode, in_double
from skae.training.rows import HeldOut, Rows, on_device
from skae.training.running import loss_curves, make_net, repeatable, train
from skae.training.schedule import Plan

# The length of the final training, in units of the best epoch of the one with validation rows. The
# best epoch comes before the learning rate has fallen to zero; a whole cycle takes more epochs to
# get as far.
_EPOCHS_PER_BEST = 1.5


@estimator()
class EncoderPredictor(TrainingParameters, FittedState, Saves, Documented, BaseEstimator, ABC):
    """Learn an encoder from all rows, and a head on its codes from the rows that have a label."""

    autoencoder: (
        Annotated[BaseAutoencoder | FrozenEstimator, Named("autoencoder or FrozenEstimator")] | None
    ) = field(default=None, kw_only=False)
    """The autoencoder that learns the encoder: one of skae's, which is cloned and fitted to all
    rows, or a fitted one in a `sklearn.frozen.FrozenEstimator`, which is used as it is. Its device
    is also that of the predictor. None is `DenoisingAE()`."""

    freeze: bool | PositiveInt = 20
    """Whether to freeze the encoder: if True, only the head is trained; if False, all weights are;
    an int is the number of epochs in which only the head is trained, before all weights are."""

    hidden_layer_sizes: Sizes = ()
    """The number of units of every hidden layer of the head, whose input is standardised codes; an
    empty tuple makes a linear head."""

    activation: Activation = "gelu"
    """The activation of the head's hidden layers."""

    dropout: Dropout = 0.3
    """The share of the inputs of every layer of the head that a training step leaves out, in
    [0, 1)."""

    weight_decay: NonNegativeFloat = 0.01

    max_epochs: Auto | PositiveInt = "auto"
    """The largest number of epochs, that is, passes over the labelled rows. "auto" makes about 25
    steps times the root of their number: 250 for a hundred rows, 25,000 for a million."""

    early_stopping: bool = True
    """Whether to find the number of epochs by early stopping: a first training holds labelled rows
    out and stops when their loss no longer improves, and a second one uses all labelled rows, for
    one and a half times the best number of epochs. If False, there is one training, with all
    labelled rows, of `max_epochs`."""

    validation_fraction: Auto | Share = "auto"
    """The share of the labelled rows that early stopping holds out, in (0, 1). "auto" is a tenth,
    or 20 rows where these are more, but at most a quarter."""

    autoencoder_: BaseAutoencoder = field(init=False)
    """The fitted autoencoder."""

    net_: AutoencoderNet = field(init=False)
    """The trained net; ``net_.module_.decoder`` is the head."""

    n_iter_: int = field(init=False)
    """The number of epochs of the last training: of all weights or, with a frozen encoder, of the
    head."""

    loss_curve_: list[float] = field(init=False)
    """The mean loss of the training rows in every epoch of the last training, in nats per row."""

    validation_loss_curve_: list[float] | None = field(init=False)
    """The mean loss of the validation rows after every epoch of the training with validation rows;
    None if there was no such training."""

    n_features_in_: int = field(init=False)
    """The number of features that `fit` saw."""

    feature_names_in_: np.ndarray = field(init=False)
    """The names of the features, if `fit` was given a frame whose names are all strings."""

    def _rows_to_try(self) -> Any:
        return self.autoencoder_.sample(N_TRIED, random_state=0)

    def remembered_columns(self) -> list[Table | Columns]:
        """Return what is known of the columns, for `skae.tables.remembered`."""
        return self.autoencoder_.remembered_columns()

    def remembered_rows(self) -> list[Remembered]:
        """Return what is held of whole rows, for `skae.tables.remembered`."""
        return self.autoencoder_.remembered_rows()

    @property
    def columns_(self) -> Columns:
        """The columns, which encode and decode rows."""
        return self.autoencoder_.columns_

    @property
    def encoder_(self) -> Module:
        """A copy of the encoder after the training: a module from rows to codes."""
        return Encoder(self._module, **self.columns_.units)

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the autoencoder to all rows, and the predictor to those that have a label.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,)
            The labels of the rows.
        sample_weight : array-like of shape (n_samples,), default=None
            The weight of every row; None for weights of one.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y "
                f"is None."
            )
        with self._restored_on_failure(), checkpointed(self, X, y, sample_weight):
            self._forget()
            self._fit_to(X, y, sample_weight)
        return self

    @property
    def _module(self) -> Autoencoder:
        return cast(Autoencoder, self.net_.chain)

    def __sklearn_is_fitted__(self) -> bool:
        return "net_" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        return tags

    @abstractmethod
    def _read_labels(self, y: Any, sample_weight: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return a mask of the rows that have a label, and the labels as a float32 matrix."""

    @abstractmethod
    def _make_prediction(self) -> Labels | Targets:
        """Return the distribution of labels, given the output of the head."""

    def _weigh(self, labels: np.ndarray, weights: np.ndarray | None) -> np.ndarray | None:
        """Return the weights of the labelled rows, or None for weights of one."""
        return weights

    def _strata(self, data: Rows) -> torch.Tensor | None:
        """Return the class of every row, by which validation rows are stratified, or None."""
        return None

    def _fit_to(self, X: Any, y: Any, sample_weight: Any) -> None:
        """Fit the autoencoder, encode the labelled rows, train the head."""
        check_one_process(type(self).__name__ + ".fit")
        refuse_source(X)
        check_consistent_length(X, y)
        if sample_weight is not None:
            sample_weight = check_weights(sample_weight, n_samples_of(X))
        has_label, labels = self._read_labels(y, sample_weight)
        weights = None if sample_weight is None else sample_weight[has_label]
        weights = self._weigh(labels, weights)
        seed = draw_fit_seed(self.random_state)
        self.autoencoder_ = self._fitted_autoencoder(X, sample_weight, seed)
        self._take_over_names()
        reader = Reader.of(self.autoencoder_)
        rows = reader.check(X)
        rows = rows[np.flatnonzero(has_label).tolist() if reader.columns.is_table else has_label]
        with repeatable(seed, reader.device):
            encoded = torch.from_numpy(reader.columns.encode(rows))
            self._train(encoded, torch.from_numpy(labels), weights, reader.device)

    def _fitted_autoencoder(self, X: Any, sample_weight: Any, seed: int) -> BaseAutoencoder:
        if isinstance(self.autoencoder, FrozenEstimator):
            return unfrozen(self.autoencoder)
        given = DenoisingAE() if self.autoencoder is None else self.autoencoder
        return cloned(given, seed).fit(X, sample_weight=sample_weight)

    def _take_over_names(self) -> None:
        learned = vars(self.autoencoder_)
        for name in {"n_features_in_", "feature_names_in_"} & set(learned):
            setattr(self, name, learned[name])

    def _train(
        self,
        encoded: torch.Tensor,
        labels: torch.Tensor,
        weights: np.ndarray | None,
        device: torch.device,
    ) -> None:
        """Find the number of epochs on validation rows, then train on all rows."""
        shares = None
        if weights is not None:
            shares = torch.from_numpy((weights / weights.mean()).astype(np.float32)).to(device)
        data = on_device(torch.cat([encoded, labels], dim=1), device, shares)
        plan = Plan.of(self, len(encoded))
        self.validation_loss_curve_ = None
        stops_early = self.early_stopping and len(encoded) > 1
        net = self._train_anew(encoded, data, plan, device, holds_out=stops_early)
        if stops_early:
            _, curve = loss_curves(net)
            self.validation_loss_curve_ = curve
            best = 0 if curve is None else int(np.argmin(curve))
            plan = plan.shortened(ceil(_EPOCHS_PER_BEST * (1 + best)))
            net = self._train_anew(encoded, data, plan, device)
        self.net_ = net
        self.loss_curve_, _ = loss_curves(net)
        self.n_iter_ = len(self.loss_curve_)

    def _train_anew(
        self,
        encoded: torch.Tensor,
        data: Rows,
        plan: Plan,
        device: torch.device,
        *,
        holds_out: bool = False,
    ) -> AutoencoderNet:
        """Train the head with a frozen encoder, then all weights, depending on `freeze`."""
        chain = self._make_chain(encoded)
        if self.freeze is not False:
            chain.encoder.requires_grad_(False)
        if not isinstance(self.freeze, bool):
            self._train_phase(chain, data, plan.shortened(self.freeze), device)
            chain.encoder.requires_grad_(True)
        return self._train_phase(chain, data, plan, device, holds_out=holds_out)

    def _make_chain(self, encoded: torch.Tensor) -> Autoencoder:
        """Return the autoencoder's chain with a head instead of the decoder."""
        chain = copy.deepcopy(self.autoencoder_._module)
        codes = torch.from_numpy(encode(self.autoencoder_.net_, Rows(encoded)))
        prediction = self._make_prediction()
        hidden = hidden_sizes(self.hidden_layer_sizes, ())
        head = make_head(codes, hidden, prediction.n_outputs, self.activation, self.dropout)
        for part in chain.encoder.modules():
            if isinstance(part, SkipNetwork):
                part.linear_rate = 1.0
        bottleneck = chain.bottleneck.deterministic()
        parts = (chain.encoder, head, prediction, bottleneck, chain.corruption)
        return Autoencoder(*parts, n_columns=encoded.shape[1])

    def _train_phase(
        self,
        chain: Autoencoder,
        data: Rows,
        plan: Plan,
        device: torch.device,
        *,
        holds_out: bool = False,
    ) -> AutoencoderNet:
        """Train a chain, and return its net."""
        split = HeldOut(self.validation_fraction, self._strata(data)) if holds_out else None
        net = make_net(chain, self, plan, device, n_columns=self.columns_.n_encoded, split=split)
        net.set_params(max_epochs=plan.max_epochs, train_split=split)
        patience = plan.patience if holds_out else None
        train(net, data, [KeepBest(patience, self.tol, plan.warm_up)])
        net.finish()
        return net

    def _predict(self, X: Any) -> np.ndarray:
        """Return the output of the head for rows."""
        check_is_fitted(self)
        reader = Reader.of(self.autoencoder_)
        chain, dtype = in_double(self._module, self.net_.device)
        return reader.read(lambda x: chain.decoder(chain.encode(x.to(dtype))), reader.check(X))
