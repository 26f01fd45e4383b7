"""SequenceVAE: `fit` of all variational autoencoders of sequences."""

import warnings
from abc import ABC, abstractmethod
from math import ceil
from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback, GradientNormClipping
from torch import nn

from skae.autoencoders.diagnostics import ACTIVE, diagnostics
from skae.common.devices import resolve_device
from skae.common.documentation import Documented
from skae.common.parameters import estimator
from skae.common.processes import check_one_process
from skae.common.sklearn_private import fit_context
from skae.common.state import FittedState
from skae.nn.posteriors import NormalPosterior
from skae.nn.recurrent import CELLS
from skae.nn.sequence_chain import SequenceAutoencoder
from skae.nn.sequence_heads import Head
from skae.nn.sequence_networks import NoEncoder, SequenceDecoder, SequenceEncoder
from skae.nn.variational_chain import Variational
from skae.sampling.prior import MOST_CODES, N_CODES, make_prior
from skae.saving.saves import Saves
from skae.sequences.codec import Codec
from skae.sequences.fitted import FittedSequences
from skae.sequences.inference import SequenceInference
from skae.sequences.parameters import SequenceParameters, SequenceTraining
from skae.tables.training_rows import checked_weights
from skae.training.callbacks import KeepBest, Progress
from skae.training.checkpoints import checkpointed, draw_fit_seed
from skae.training.mode import Mode
from skae.training.reading import read
from skae.training.rows import HeldOut, Rows, on_device
from skae.training.running import loss_curves, make_net, repeatable, train, unchanged_on_failure
from skae.training.schedule import Plan, unless_auto
from skae.training.sklearn_bridge import FitTask

# The number of steps of the training per root of the number of rows, and the rows of a step, where
# parameters are "auto".
_STEPS, _LARGEST_BATCH = 40, 50


@estimator()
class SequenceVAE(
    ClassNamePrefixFeaturesOutMixin,
    FittedSequences,
    SequenceInference,
    SequenceParameters,
    SequenceTraining,
    FittedState,
    Saves,
    Documented,
    CallbackSupportMixin,
    BaseEstimator,
    ABC,
):
    """A variational autoencoder of sequences.

    A subclass has its own parameters, the class of its codec, and `_head`, which returns the
    distribution of a step.
    """

    _codec: ClassVar[type[Codec]]

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: None = None, sample_weight: Any = None) -> Self:
        """Fit the autoencoder to sequences.

        Parameters
        ----------
        X : list
            The sequences to learn from.
        y : Ignored
            Not used, present for API consistency by convention.
        sample_weight : array-like of shape (n_samples,), default=None
            The weight of every sequence; None for weights of one.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        continues = self.warm_start and self.__sklearn_is_fitted__()
        mode = Mode.CONTINUE if continues else Mode.FIT
        check_one_process(type(self).__name__ + ".fit")
        sequences = self._codec.check(X)
        with self._restored_on_failure():
            codec = self.codec_ if continues else self._learn_codec(sequences)
            rows = self._training_rows(codec, sequences)
            weights = None if sample_weight is None else checked_weights(sample_weight, rows)
            with checkpointed(self, rows, None, weights, mode):
                self._fit_to(codec, rows, weights, mode)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return "net_" in vars(self)

    @abstractmethod
    def _head(self, codec: Any) -> Head:
        """Return the distribution of a step."""

    @abstractmethod
    def _learn_codec(self, sequences: list) -> Codec:
        """Learn the way from checked training sequences to rows."""

    def _corruption(self) -> nn.Module:
        """Return the corruption of rows in training."""
        return nn.Identity()

    @property
    def _n_features_out(self) -> int:
        return self.n_components_

    def _training_rows(self, codec: Codec, sequences: list) -> np.ndarray:
        if not isinstance(self.max_length, str):
            remedy = "Give a larger max_length, shorten it, or leave it out."
            codec.check_lengths(sequences, self.max_length, remedy)
        return codec.encode(sequences)

    def _fit_to(
        self, codec: Codec, rows: np.ndarray, weights: np.ndarray | None, mode: Mode
    ) -> None:
        """Build the chain, train it, conclude."""
        seed = draw_fit_seed(self.random_state)
        device = resolve_device((self.net_params or {}).get("device", self.device), rows)
        counts = slice(None) if weights is None else weights > 0
        plan = Plan.of(
            self, len(rows[counts]), largest_batch=_LARGEST_BATCH, steps_per_root_row=_STEPS
        )
        task = FitTask(self, plan.max_epochs, rows, weights)
        with repeatable(seed, device):
            shares = None
            if weights is not None:
                shares = torch.from_numpy(weights[counts].astype(np.float32)).to(device)
            data = on_device(torch.from_numpy(rows[counts]), device, shares)
            if mode.is_new:
                self._forget()
                self._remember_parameters()
                chain = self._build(codec, rows)
                self._train(chain, data, plan, task, device)
            else:
                self._check_same_model(" with warm_start=False")
                with unchanged_on_failure(self.net_):
                    self._train(self._module, data, plan, task, device)
            n_codes = MOST_CODES if self.prior == "posterior" else N_CODES
            self._conclude(data.resample(n_codes), seed)
        task.end()

    def _build(self, codec: Codec, rows: np.ndarray) -> SequenceAutoencoder:
        """Return the chain that training starts from."""
        longest = int(codec.lengths(rows).max()) - codec.n_closing
        self.codec_, self.max_length_ = codec, unless_auto(self.max_length, longest)
        self.n_components_, self.n_features_in_ = self.n_components, codec.width
        head, cell = self._head(codec), CELLS[self.rnn]
        posterior = NormalPosterior(self.n_components)
        encoder: nn.Module = NoEncoder()
        if self.n_components:
            n_hidden = ceil(self.hidden_size / 2)
            encoder = SequenceEncoder(head, cell, n_hidden, posterior.n_outputs, self.dropout)
        decoder = SequenceDecoder(
            head, cell, self.hidden_size, self.n_components, self.input_dropout, self.dropout
        )
        bottleneck = Variational(posterior)
        return SequenceAutoencoder(encoder, decoder, head, bottleneck, self._corruption())

    def _train(
        self,
        chain: SequenceAutoencoder,
        data: Rows,
        plan: Plan,
        task: FitTask,
        device: torch.device,
    ) -> None:
        split = HeldOut(self.validation_fraction) if self.early_stopping else None
        n_columns = data.n_columns * (chain.likelihood.n_outputs // chain.likelihood.width)
        net = make_net(chain, self, plan, device, n_columns=n_columns, split=split)
        self._prepare_bottleneck(chain.bottleneck)
        chain.prepare()
        warm_up = max(plan.warm_up, ceil(chain.bottleneck.warm_up * plan.max_epochs))
        keeper = KeepBest(plan.patience, self.tol, warm_up)
        self.net_ = net
        train(net, data, [Progress(), *self._clipping(), *task.callbacks, keeper])
        net.finish()
        self.best_epoch_, self.best_loss_ = keeper.best_epoch_, keeper.best_loss_
        self.n_iter_ = len(net.history)
        self.loss_curve_, self.validation_loss_curve_ = loss_curves(net)

    def _clipping(self) -> list[Callback]:
        if self.max_gradient_norm is None:
            return []
        return [GradientNormClipping(self.max_gradient_norm)]

    def _conclude(self, sample: Rows, seed: int) -> None:
        """Set the diagnostics of the codes, and fit the prior."""
        chain = self._module
        if self.n_components_ == 0:
            self.prior_ = make_prior("normal", chain)
            self.kl_per_component_, self.active_units_ = np.zeros(0, np.float32), np.zeros(0, int)
            self.mutual_information_ = 0.0
            return
        latent = torch.from_numpy(read(self.net_, sample, chain.latent))
        with torch.inference_mode():
            found = diagnostics(chain.posterior, latent)
            codes = chain.draw_codes(latent).numpy()
        self.__dict__.update(found)
        if found["kl_per_component_"].max() < ACTIVE:
            warnings.warn(
                f"The code carries nothing: its divergence from the prior is "
                f"{found['kl_per_component_'].sum():.2g} nats. Try a longer training, a larger "
                f"input_dropout, beta_schedule='linear', free_bits=0.1 or a beta below "
                f"{self.beta:g}.",
                ConvergenceWarning,
                stacklevel=2,
            )
        self.prior_ = make_prior(self.prior, chain).fit(codes, seed)
