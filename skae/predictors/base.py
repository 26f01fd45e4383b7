"""EncoderPredictor: what a classifier and a regressor on top of an encoder share."""

import copy
from math import ceil
from numbers import Integral
from typing import ClassVar

import numpy as np
import torch
from sklearn.base import BaseEstimator, _fit_context, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import (
    _check_sample_weight,
    _num_samples,
    check_consistent_length,
    check_is_fitted,
)

from skae.autoencoders.base import BaseAutoencoder
from skae.autoencoders.denoising import DenoisingAE
from skae.building.networks import hidden_sizes
from skae.common.devices import has_room
from skae.common.seeds import draw_seed
from skae.common.state import FittedState
from skae.nn.chain import Autoencoder
from skae.nn.encoder_decoder import Encoder
from skae.nn.heads import make_head
from skae.nn.seeding import seeded
from skae.training.callbacks import KeepBest
from skae.training.reading import encode
from skae.training.rows import HeldOut, Rows
from skae.training.running import make_net, train
from skae.training.schedule import Plan

# The best epoch lies in the middle of a cycle of the learning rate; a cycle of its own, which comes
# down to zero, is longer for the same way.
_EPOCHS_PER_BEST = 1.5
_SHARED = (
    "activation",
    "dropout",
    "learning_rate",
    "learning_rate_schedule",
    "weight_decay",
    "batch_size",
    "max_epochs",
    "early_stopping",
    "validation_fraction",
    "n_iter_no_change",
    "tol",
    "net_params",
    "random_state",
    "verbose",
)


class EncoderPredictor(FittedState, BaseEstimator):
    """Learn an encoder from all rows, and what its codes mean from the rows that have a label.

    Subclasses store their parameters in `__init__`; `_read_labels` returns which rows have a label
    and the labels as a float32 matrix, and `_make_likelihood` what they are, given the output of
    the head.
    """

    _doc_link_module = "skae"
    _doc_link_template = BaseAutoencoder._doc_link_template

    _parameter_constraints: ClassVar[dict] = {
        "autoencoder": [None, BaseAutoencoder, FrozenEstimator],
        "freeze": ["boolean", Interval(Integral, 1, None, closed="left")],
        "hidden_layer_sizes": ["array-like"],
        **{name: BaseAutoencoder._parameter_constraints[name] for name in _SHARED},
    }

    @property
    def columns_(self):
        """The way between rows and encoded rows."""
        return self.autoencoder_.columns_

    @property
    def encoder_(self):
        """The encoder as the training left it, a torch module from rows to codes."""
        return Encoder(self.net_.module_, **self.columns_.units)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the autoencoder to all rows, and the predictor to those that have a label.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,)
            Their labels.
        sample_weight : array-like of shape (n_samples,), default=None
            How much every row counts; None counts each as one.

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
        with self._restored_on_failure():
            self._forget()
            self._fit_to(X, y, sample_weight)
        return self

    def __sklearn_is_fitted__(self):
        return hasattr(self, "net_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        return tags

    def _weigh(self, labels, weights):
        """Return the weights of the labelled rows, or None for one each."""
        return weights

    def _fitted_autoencoder(self, X, sample_weight, seed):
        if isinstance(self.autoencoder, FrozenEstimator):
            fitted = self.autoencoder.estimator
            if not isinstance(fitted, BaseAutoencoder):
                raise TypeError(
                    f"The 'autoencoder' parameter must be an autoencoder of skae, or a "
                    f"FrozenEstimator of one that is fitted. Got {self.autoencoder!r}."
                )
            check_is_fitted(fitted)
            return fitted
        autoencoder = DenoisingAE() if self.autoencoder is None else clone(self.autoencoder)
        if autoencoder.random_state is None:
            autoencoder.set_params(random_state=seed)
        return autoencoder.fit(X, sample_weight=sample_weight)

    def _fit_to(self, X, y, sample_weight):
        check_consistent_length(X, y)
        if sample_weight is not None:
            ones = np.empty((_num_samples(X), 1))
            sample_weight = _check_sample_weight(sample_weight, ones, ensure_non_negative=True)
        has_label, labels = self._read_labels(y, sample_weight)
        weights = None if sample_weight is None else sample_weight[has_label]
        weights = self._weigh(labels, weights)
        seed = draw_seed(self.random_state)
        self.autoencoder_ = self._fitted_autoencoder(X, sample_weight, seed)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.autoencoder_, name):
                setattr(self, name, getattr(self.autoencoder_, name))
        rows = self.autoencoder_._check_rows(X)
        is_table = self.autoencoder_._takes_tables_
        rows = rows[np.flatnonzero(has_label).tolist() if is_table else has_label]
        device = torch.device(self.autoencoder_.net_.device)
        with seeded(seed, device), torch.inference_mode(False), torch.enable_grad():
            encoded = torch.from_numpy(self.columns_.encode(rows))
            self._train(encoded, torch.from_numpy(labels), weights, device)

    def _train(self, encoded, labels, weights, device):
        """Find out on held-out rows how long to train, then train on all rows."""
        data = torch.cat([encoded, labels], dim=1)
        if weights is not None:
            weights = torch.from_numpy((weights / weights.mean()).astype(np.float32)).to(device)
        data = Rows(data.to(device) if has_room(device, data) else data, weights=weights)
        plan = Plan.of(self, len(encoded), one_pass=False)
        self.validation_loss_curve_ = None
        finds_out = self.early_stopping and len(encoded) > 1
        net = self._train_anew(encoded, data, plan, device, holds_out=finds_out)
        if finds_out:
            curve = [epoch["valid_loss"] for epoch in net.history if "valid_loss" in epoch]
            self.validation_loss_curve_ = curve
            plan = plan.shortened(ceil(_EPOCHS_PER_BEST * (1 + int(np.argmin(curve)))))
            net = self._train_anew(encoded, data, plan, device)
        self.net_ = net
        self.loss_curve_ = [epoch["train_loss"] for epoch in net.history]
        self.n_iter_ = len(self.loss_curve_)

    def _train_anew(self, encoded, data, plan, device, *, holds_out=False):
        """Train the head with the encoder frozen, and then all weights, as `freeze` says."""
        chain = self._chain(encoded)
        if self.freeze is not False:
            chain.encoder.requires_grad_(False)
        if not isinstance(self.freeze, bool):
            self._train_phase(chain, data, plan.shortened(self.freeze), device)
            chain.encoder.requires_grad_(True)
        return self._train_phase(chain, data, plan, device, holds_out=holds_out)

    def _chain(self, encoded):
        """Return the autoencoder's chain with a head for a decoder."""
        chain = copy.deepcopy(self.autoencoder_._module)
        codes = torch.from_numpy(encode(self.autoencoder_.net_, Rows(encoded)))
        likelihood = self._make_likelihood()
        hidden = hidden_sizes(self.hidden_layer_sizes, ())
        head = make_head(codes, hidden, likelihood.n_outputs, self.activation, self.dropout)
        parts = (chain.encoder, head, likelihood, chain.bottleneck.settled(), chain.corruption)
        return Autoencoder(*parts, n_columns=encoded.shape[1])

    def _train_phase(self, chain, data, plan, device, *, holds_out=False):
        """Train a chain, and return its net."""
        net = make_net(self, chain, device, plan)
        split = HeldOut(self.validation_fraction, self._strata(data)) if holds_out else None
        net.set_params(max_epochs=plan.max_epochs, train_split=split)
        patience = plan.patience if holds_out else None
        train(net, data, [KeepBest(patience, self.tol, plan.warm_up)])
        net.finish()
        return net

    def _strata(self, data):
        """Return the classes that a held-out part should hold in proportion, if there are any."""
        return None

    def _predict(self, X):
        """Return the output of the head for rows."""
        check_is_fitted(self)
        rows = self.autoencoder_._check_rows(X)
        # In float32 the last digits of a row's output depend on the rows beside it.
        dtype = torch.float32 if torch.device(self.net_.device).type == "mps" else torch.float64
        module = copy.deepcopy(self.net_.module_).to(dtype)
        return self.autoencoder_._read(lambda x: module.decoder(module.encode(x.to(dtype))), rows)
