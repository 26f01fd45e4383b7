"""BaseAutoencoder: `fit` and `partial_fit` of all autoencoders."""

from abc import ABC, abstractmethod
from contextlib import nullcontext
from math import ceil
from typing import Any, ClassVar, Self

import narwhals as nw
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback

from skae.autoencoders.cell_inference import CellInference
from skae.autoencoders.editing import Editing
from skae.autoencoders.family import Family
from skae.autoencoders.fitted import FittedAttributes
from skae.autoencoders.inference import Inference
from skae.autoencoders.other_fits import OtherFits
from skae.autoencoders.parameters import FitParameters, ModelParameters
from skae.autoencoders.reader import Reader
from skae.autoencoders.streaming import Given
from skae.building.recipe import Facts, Recipe, build_chain
from skae.common.devices import resolve_device
from skae.common.documentation import Documented
from skae.common.parameters import estimator
from skae.common.processes import check_one_process, of_first
from skae.common.shared_parameters import DeviceParameters, TableParameters, TrainingParameters
from skae.common.sklearn_private import fit_context
from skae.common.state import FittedState
from skae.nn.chain import Autoencoder
from skae.nn.likelihoods import VarianceLikelihood
from skae.sampling.imputer import learn_imputer
from skae.sampling.prior import MOST_CODES, N_CODES, make_prior
from skae.saving.saves import Saves
from skae.tables.containers import eager_frame, frame_without_rows, holds_labels
from skae.tables.drawn import MOST_COLUMNS
from skae.tables.identifiers import warn_of_identifiers, warn_of_numbers
from skae.tables.kinds import options_of
from skae.tables.learning import learn_matrix, learn_table
from skae.tables.mixed import is_table
from skae.tables.table import Table
from skae.tables.training_rows import TrainingRows, check_training_rows
from skae.training.callbacks import KeepBest, Progress
from skae.training.checkpoints import checkpointed, draw_fit_seed
from skae.training.mode import Mode
from skae.training.net import AutoencoderNet
from skae.training.reading import calibrate, mean_loss, read
from skae.training.rows import HeldOut, Rows, encode_rows
from skae.training.running import (
    loss_curves,
    make_net,
    prepare_pass,
    repeatable,
    train,
    train_pass,
    unchanged_on_failure,
)
from skae.training.schedule import Plan
from skae.training.shards import as_one_of_several
from skae.training.sklearn_bridge import FitTask


@estimator()
class BaseAutoencoder(
    ClassNamePrefixFeaturesOutMixin,
    Inference,
    CellInference,
    Editing,
    ModelParameters,
    TableParameters,
    FitParameters,
    TrainingParameters,
    DeviceParameters,
    FittedAttributes,
    FittedState,
    Saves,
    Documented,
    CallbackSupportMixin,
    BaseEstimator,
    OtherFits,
    ABC,
):
    """An autoencoder whose chain is built from a recipe.

    A subclass has its own parameters, `_recipe`, which returns the parts of its chain, and, if it
    has diagnostics of its codes, `_diagnose`.
    """

    _family: ClassVar[Family] = Family()

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit the autoencoder to rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows to learn from. Memory maps of float32 and sparse rows are read a batch at a
            time. Also a source of batches that do not fit into memory: paths of Parquet files, a
            data set of pyarrow, a frame of Dask, a list of frames, or what yields batches anew
            whenever it is iterated over; see `skae.stream`.
        y : array-like of shape (n_samples,) or dataframe, default=None
            The conditions of the rows for `ConditionalVAE`, and their labels for `AdversarialAE`
            with ``supervised=True``; the other autoencoders ignore it.
        sample_weight : array-like of shape (n_samples,), default=None
            The weight of every row; None for weights of one.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        continues = self.warm_start and self.__sklearn_is_fitted__()
        return self._fit(X, y, sample_weight, Mode.CONTINUE if continues else Mode.FIT)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train for one pass over rows, at a constant learning rate.

        The first call learns the centre, scale and range of the columns, and the principal
        components to start from: give it a representative sample. No rows are held out, and the
        weights of the last step are kept. `noise_variance_` and `prior_` are those of the rows of
        the last call.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The next rows to learn from.
        y : array-like of shape (n_samples,) or dataframe, default=None
            The conditions of the rows for `ConditionalVAE`, and their labels for `AdversarialAE`
            with ``supervised=True``; the other autoencoders ignore it.
        sample_weight : array-like of shape (n_samples,), default=None
            The weight of every row; None for weights of one.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        if not self.__sklearn_is_fitted__():
            return self._fit(X, y, sample_weight, Mode.FIRST_PASS)
        self._validate_params()
        return self._fit(X, y, sample_weight, Mode.NEXT_PASS)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return "net_" in vars(self)

    @abstractmethod
    def _recipe(self, facts: Facts) -> Recipe:
        """Return the recipe of the chain for the given rows."""

    def _diagnose(self, latent: torch.Tensor, sample: Rows) -> dict[str, Any]:
        """Return diagnostics of the codes as fitted attributes.

        Parameters
        ----------
        latent : Tensor of shape (n_rows, m)
            The output of the chain's `latent` for a sample of the training rows.
        sample : Rows
            The sample.
        """
        return {}

    def _callbacks(self) -> list[Callback]:
        """Return the callbacks of a training that the class itself needs."""
        return []

    def _targets_of(self, X: Any, y: Any) -> Any:
        """Return the targets of the decoder, or None if they are X."""
        return None

    def _conditions_of(self, X: Any, y: Any) -> nw.DataFrame | None:
        """Return what the rows are conditioned on, or None."""
        return None

    def _encode(self, rows: TrainingRows, device: torch.device) -> Rows:
        """Return the data set of rows of which the columns are known."""
        return encode_rows(rows, self.columns_, device)

    def _reads_as_table(self, X: Any) -> bool:
        """Tell whether rows are read as those of a table rather than as a matrix of numbers."""
        return is_table(X, self)

    def _prepare(self, net: AutoencoderNet) -> None:
        """Prepare a net for a training; parameters may have changed since the last one."""
        self._module.prepare()

    @property
    def _n_features_out(self) -> int:
        return self.n_components_

    def _reader(self) -> Reader:
        check_is_fitted(self)
        return Reader.of(self)

    def _fit(self, X: Any, y: Any, sample_weight: Any, mode: Mode) -> Self:
        if self.checkpoint is not None:
            check_one_process("A fit with a checkpoint")
        with self._restored_on_failure(), checkpointed(self, X, y, sample_weight, mode):
            if mode.learns_columns:
                self._forget()
            self._fit_to(X, y, sample_weight, mode)
        return self

    def _fit_to(self, X: Any, y: Any, sample_weight: Any, mode: Mode) -> None:
        """Check the rows, learn the columns, encode, build the chain, train it, conclude."""
        seed = of_first(draw_fit_seed(self.random_state))
        given = Given.of(X, y, sample_weight, mode, seed)
        X = given.X
        rows = self._check_training_rows(X, y, sample_weight, mode)
        device = resolve_device((self.net_params or {}).get("device", self.device), X)
        plan = self._plan(given.n_rows or rows.n_rows, mode)
        task = FitTask(self, plan.max_epochs, X, sample_weight)
        restored = nullcontext() if mode.is_new else unchanged_on_failure(self.net_)
        with repeatable(seed, device), restored:
            if mode.learns_columns:
                self._learn_columns(rows)
            data = given.data(self, rows, device)
            chain = self._build(rows, data, device) if mode.is_new else self._module
            if mode is not Mode.NEXT_PASS:
                self.net_ = self._make_net(chain, plan, device)
            with as_one_of_several(chain, seed):
                validation_rows = self._train(data, plan, task, mode)
            sample = data.resample(MOST_CODES if self.prior == "posterior" else N_CODES)
            self._conclude(sample, validation_rows, seed, mode)
        task.end()

    def _check_training_rows(self, X: Any, y: Any, sample_weight: Any, mode: Mode) -> TrainingRows:
        how: dict[str, Any] = {"reset": mode.learns_columns}
        if mode.learns_columns:
            self.frame_ = frame_without_rows(X)
            how["as_table"] = self._reads_as_table(X)
        else:
            how["as_table"] = self.columns_.is_table
            how["needs_frame"] = self.columns_.is_table and holds_labels(self.frame_)
        how["conditions"] = self._conditions_of(X, y)
        rows = check_training_rows(self, X, self._targets_of(X, y), sample_weight, **how)
        if mode.learns_columns and self.frame_ is not None and not how["as_table"]:
            frame = eager_frame(X)
            warn_of_numbers(frame, self.max_categories)
            if frame.shape[1] <= MOST_COLUMNS:
                self.schema_ = Table.learn(frame, options_of(self), is_named=False)
        if not mode.is_new:
            self._check_same_model(" with warm_start=False")
        if not mode.learns_columns:
            self.columns_.check(rows.targets)
        return rows

    def _plan(self, n_rows: int, mode: Mode) -> Plan:
        rules = self._family.rules_of_plans
        return Plan.of(self, n_rows, one_pass=mode.is_pass, **rules)

    def _learn_columns(self, rows: TrainingRows) -> None:
        if isinstance(rows.targets, nw.DataFrame):
            self.likelihood_ = self._family.table_likelihood
            kind, is_named = self._family.columns, self.frame_ is not None
            self.columns_ = learn_table(rows, self, kind, self.likelihood_, is_named=is_named)
            self.schema_ = self.columns_.table
            warn_of_identifiers(self.schema_)
        else:
            names = vars(self).get("feature_names_in_")
            self.columns_, self.likelihood_ = learn_matrix(rows, self, names)
        self.dependencies_ = self.columns_.dependencies.texts()

    def _build(self, rows: TrainingRows, data: Rows, device: torch.device) -> Autoencoder:
        """Return the initialised chain, after any pre-training."""
        self._remember_parameters()
        pairs = rows.targets is not rows.inputs
        facts = Facts.of(data, self.columns_, self.likelihood_, has_pairs=pairs)
        recipe = self._recipe(facts)
        self.n_components_ = recipe.n_components
        chain = build_chain(recipe, facts)
        if recipe.pretrain is not None:
            recipe.pretrain(chain, data.in_memory(), device)
        return chain

    def _make_net(self, chain: Autoencoder, plan: Plan, device: torch.device) -> AutoencoderNet:
        split = HeldOut(self.validation_fraction) if self.early_stopping else None
        n_columns = self.columns_.n_encoded
        return make_net(chain, self, plan, device, n_columns=n_columns, split=split)

    def _train(self, data: Rows, plan: Plan, task: FitTask, mode: Mode) -> Rows:
        """Train the net and return the validation rows."""
        self._prepare(self.net_)
        if mode is Mode.START:
            self.net_.module_.eval()
            self.best_epoch_, self.best_loss_ = 0, mean_loss(self.net_, data)
            return data
        if plan.one_pass:
            prepare_pass(self.net_, self, plan)
            n_passes = train_pass(self.net_, data, [*self._callbacks(), *task.callbacks])
            self.n_iter_ = vars(self).get("n_iter_", 0) + n_passes
            for name in {"best_epoch_", "best_loss_"} & set(vars(self)):
                delattr(self, name)
            return data
        warm_up = max(plan.warm_up, ceil(self._module.bottleneck.warm_up * plan.max_epochs))
        keeper = KeepBest(plan.patience, self.tol, warm_up)
        train(self.net_, data, [Progress(), *self._callbacks(), *task.callbacks, keeper])
        self.net_.finish()
        self.best_epoch_, self.best_loss_ = keeper.best_epoch_, keeper.best_loss_
        return keeper.validation_rows_

    def _conclude(self, sample: Rows, validation_rows: Rows, seed: int, mode: Mode) -> None:
        """Set the fitted attributes that depend on the trained chain.

        These are the loss curves, the calibration, the imputer, diagnostics of the codes and the
        prior.

        Parameters
        ----------
        sample : Rows
            A sample of the training rows, drawn by their weights.
        validation_rows : Rows
            The validation rows; without early stopping, a sample of the training rows.
        seed : int
            The seed of the prior.
        mode : Mode
            The kind of training.
        """
        if not mode.is_pass:
            self.n_iter_ = len(self.net_.history)
        self.loss_curve_, self.validation_loss_curve_ = loss_curves(self.net_)
        self._calibrate(sample, validation_rows)
        self._imputer_ = learn_imputer(
            self._family.imputer, self.net_, sample, validation_rows, self.columns_
        )
        latent = torch.from_numpy(read(self.net_, sample, self._module.latent))
        with torch.inference_mode():
            self.__dict__.update(self._diagnose(latent, sample))
            codes = self._module.draw_codes(latent).numpy()
        if mode is Mode.NEXT_PASS:
            self.prior_ = self.prior_.updated(codes)
        else:
            self.prior_ = make_prior(self.prior, self._module).fit(codes, seed)

    def _calibrate(self, sample: Rows, validation_rows: Rows) -> None:
        """Set the variance of the likelihood to the squared error of the validation rows."""
        if isinstance(self._module.likelihood, VarianceLikelihood):
            variance = calibrate(self.net_, validation_rows)
            self.noise_variance_ = self.columns_.noise_variance(variance)
