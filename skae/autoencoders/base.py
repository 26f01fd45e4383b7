"""BaseAutoencoder: the scikit-learn contract, written once for the whole family."""

from contextlib import nullcontext
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import torch
from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    _fit_context,
)
from sklearn.callback import CallbackSupportMixin
from sklearn.utils._param_validation import HasMethods, Interval, RealNotInt, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_consistent_length
from torch import nn

from skae.autoencoders.cell_readings import CellReadings
from skae.autoencoders.readings import Readings
from skae.building.components import find_principal_components
from skae.building.likelihoods import UNIT_INTERVAL, make_likelihood, make_widening
from skae.building.networks import Sizes, make_networks, starts_at_pca
from skae.building.pretraining import pretrain
from skae.common.devices import has_room, resolve_device
from skae.common.seeds import draw_seed
from skae.common.state import FittedState
from skae.nn.bottlenecks import Identity
from skae.nn.chain import Autoencoder
from skae.nn.corruptions import GaussianNoise, HideCells, Repeated
from skae.nn.encoder_decoder import Decoder, Encoder
from skae.nn.initialisation import start_at_mean, start_at_pca
from skae.nn.networks import ACTIVATIONS
from skae.nn.quantization import Quantizer
from skae.nn.seeding import seeded
from skae.sampling.filling import Filling
from skae.sampling.prior import MOST_CODES, N_CODES, Prior
from skae.tables.columns import make_columns, summarise
from skae.tables.containers import frame_without_rows, is_memory_map
from skae.tables.mixed import MixedColumns, is_table
from skae.training.callbacks import KeepBest, Progress
from skae.training.reading import calibrate, encode
from skae.training.rows import Rows
from skae.training.running import make_net, prepare_pass, train, unchanged_on_failure
from skae.training.schedule import SCHEDULES, Plan, noise_level
from skae.training.sklearn_bridge import SklearnBridge

_LEAST_RESIDUAL = 1e-6
_LEAST_RESIDUAL_OF_TABLES = 0.05
_MASK_FRACTION = 0.2
_MAKE_THE_MODEL = (
    "n_components",
    "hidden_layer_sizes",
    "activation",
    "tied_weights",
    "quantize",
    "dropout",
    "image_shape",
    "encoder",
    "decoder",
    "likelihood",
    "bounds",
    "init",
    "noise",
    "corruption",
    "corruption_level",
    "penalty",
    "activity",
    "strength",
    "categorical_features",
    "max_categories",
    "min_frequency",
    "handle_unknown",
    "mask_fraction",
    "latent_distribution",
    "noise_variance",
    "skip_connections",
)


class BaseAutoencoder(
    ClassNamePrefixFeaturesOutMixin,
    Readings,
    CellReadings,
    FittedState,
    CallbackSupportMixin,
    BaseEstimator,
):
    """What all autoencoders share: everything but their constructors and their own parts.

    Subclasses store their parameters in `__init__` and override `_make_bottleneck` and
    `_make_corruption` where their chain differs.
    """

    _doc_link_module = "skae"
    _doc_link_template = "https://skae.readthedocs.io/en/latest/api/{estimator_name}.html"

    _parameter_constraints: ClassVar[dict] = {
        "n_components": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="neither"),
        ],
        "hidden_layer_sizes": [StrOptions({"auto"}), "array-like"],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "tied_weights": ["boolean"],
        "quantize": [None, Interval(Integral, 1, 16, closed="both")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "image_shape": [None, "array-like"],
        "encoder": [None, nn.Module],
        "decoder": [None, nn.Module],
        "likelihood": [StrOptions({"auto", "gaussian", "bernoulli", "continuous_bernoulli"})],
        "bounds": [StrOptions({"auto"}), None, "array-like"],
        "init": [StrOptions({"pca", "random", "greedy", "rbm"})],
        "pretraining_epochs": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "noise": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "categorical_features": [StrOptions({"from_dtype"}), "array-like"],
        "max_categories": [Interval(Integral, 1, None, closed="left")],
        "min_frequency": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="left"),
        ],
        "handle_unknown": [StrOptions({"other", "error"})],
        "mask_fraction": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="both")],
        "prior": [StrOptions({"gmm", "normal", "posterior"}), HasMethods(["fit", "sample"])],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "learning_rate_schedule": [StrOptions(set(SCHEDULES))],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_epochs": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "device": [str, torch.device],
        "net_params": [None, dict],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    _chain = Autoencoder
    _columns_of_tables = MixedColumns
    _likelihood_of_tables = "gaussian"

    @property
    def encoder_(self):
        """The trained encoder, a torch module from rows to codes."""
        return Encoder(self._module, **self.columns_.units)

    @property
    def decoder_(self):
        """The trained decoder, a torch module from codes to expected rows."""
        return Decoder(self._module, **self.columns_.units)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit the autoencoder to rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows to learn from. Memory maps of float32 and sparse rows are read a batch at a
            time.
        y : Ignored
            Not used, present for API consistency by convention.
        sample_weight : array-like of shape (n_samples,), default=None
            How much every row counts; None counts each as one.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        continues = self.warm_start and self.__sklearn_is_fitted__()
        return self._fit(X, self._clean_view(X, y), sample_weight, fresh=not continues)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Pass once over some rows, at a constant learning rate.

        The first call learns the centre, scale and range of the columns, and the principal
        components to start from: give it a good sample. Nothing is held out, and the weights of
        the last step are kept. `noise_variance_` and `prior_` follow the rows of the last call.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The next rows to learn from.
        y : Ignored
            Not used, present for API consistency by convention.
        sample_weight : array-like of shape (n_samples,), default=None
            How much every row counts; None counts each as one.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        fresh = not self.__sklearn_is_fitted__()
        if not fresh:
            self._validate_params()
        return self._fit(X, self._clean_view(X, y), sample_weight, fresh=fresh, one_pass=True)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "net_")

    def _number_of_components(self, pca):
        """Return the number of units of the code, given all principal components."""
        if isinstance(self.n_components, Integral):
            return self.n_components
        return pca.number_for(self.n_components)

    def _make_bottleneck(self):
        """Return the module between encoder and code."""
        return Identity()

    def _number_of_outputs(self, n_columns):
        """Return the number of outputs of the decoder, given that of widened columns."""
        return n_columns

    def _make_likelihood(self, pca, residual, n_rows):
        """Return what the decoder's output says of rows."""
        variance = self._training_variance(residual)
        return make_likelihood(self.columns_, self.likelihood_, variance=variance)

    def _are_logits(self, n_columns):
        """Tell which widened columns are numbers in [0, 1] whose logits the decoder gives."""
        n_numbers = 0 if self.likelihood_ in UNIT_INTERVAL else self.columns_.n_numbers
        return torch.arange(n_columns) >= n_numbers

    def _place(self, encoder, decoder, bottleneck, likelihood, pca, residual):
        """Put networks where training starts."""
        logits = self._are_logits(len(pca.mean))
        if starts_at_pca(self):
            start_at_pca(encoder, decoder, pca, residual=residual, logits=logits)
        elif self.decoder is None:
            start_at_mean(decoder, pca.mean, logits=logits)

    def _make_penalty(self):
        """Return what the code costs, or None."""
        return None

    def _find_residual(self, pca, data, widen, corruption):
        """Return the squared error by column that the principal components leave in training."""
        return pca.residual

    def _training_variance(self, residual):
        """Return the variance that a number has in training."""
        least = _LEAST_RESIDUAL_OF_TABLES if self._takes_tables_ else _LEAST_RESIDUAL
        n_numbers = self.columns_.n_numbers
        return max(float(residual[:n_numbers].sum()) / max(1, n_numbers), least)

    def _prepare(self, chain):
        """Make a chain, new or trained before, ready to be trained."""
        chain.at(1.0)
        if self.quantize is not None:
            chain.quantizer.forget()

    def _warm_up(self, plan):
        """Return the number of first epochs that do not try the patience."""
        return 0

    def _look_at(self, codes):
        """Read off what the codes of (a sample of) the training rows tell."""

    def _make_noise(self, noise_unit, n_rows):
        """Return what smooths the encoder in training.

        `noise_unit` is what PCA leaves unexplained, a standard deviation of encoded cells.
        """
        return GaussianNoise(noise_level(self.noise, n_rows) * noise_unit)

    def _make_corruption(self, data):
        """Return what training does to the encoded rows that the encoder sees."""
        return nn.Identity()

    def _make_hidden_corruption(self, n_units):
        """Return what pre-training does to a hidden layer's units that the next layer sees."""
        return nn.Identity()

    def _clean_view(self, X, y):
        """Return the rows that the decoder should give, or None if these are X."""
        return None

    def _make_hiding(self):
        """Return what hides cells of tables from the encoder."""
        fraction = _MASK_FRACTION if self.mask_fraction == "auto" else self.mask_fraction
        if fraction == 0:
            return nn.Identity()
        return Repeated(HideCells(fraction, self.columns_.column_of_number))

    @property
    def _module(self):
        module = self.net_.module_
        return getattr(module, "_orig_mod", module)

    @property
    def _n_features_out(self):
        return self.n_components_

    def _fit(self, X, clean, sample_weight, *, fresh, one_pass=False):
        with self._restored_on_failure():
            if fresh:
                self._forget()
            self._fit_to(X, clean, sample_weight, fresh=fresh, one_pass=one_pass)
        return self

    def _fit_to(self, X, clean, sample_weight, *, fresh, one_pass):
        views, weights = self._check_training_rows(X, clean, sample_weight, fresh=fresh)
        rows, target = views[0], views[-1]
        device = resolve_device((self.net_params or {}).get("device", self.device), X)
        plan = Plan.of(self, rows.shape[0], one_pass=one_pass)
        report = {"X": X, "metadata": {"sample_weight": sample_weight}}
        context = self._init_callback_context(max_subtasks=plan.max_epochs)
        context.call_on_fit_task_begin(estimator=self, **report)
        seed = draw_seed(self.random_state)
        keeping = nullcontext() if fresh else unchanged_on_failure(self.net_)
        with seeded(seed, device), torch.inference_mode(False), torch.enable_grad(), keeping:
            if fresh:
                self._learn_columns(target, weights)
            data = self._load(views, weights, device, by_batch=is_memory_map(X))
            module = self._start(data, device) if fresh else self._module
            if fresh or not one_pass:
                self.net_ = make_net(self, module, device, plan)
            judges = self._train(data, plan, context, report)
            self._conclude(data, judges, seed, continued=one_pass and not fresh)
        context.call_on_fit_task_end(estimator=self, reconstruction_attributes={}, **report)

    def _check_training_rows(self, X, clean, sample_weight, *, fresh):
        """Return the views of validated rows, and the weights of those that count, mean one."""
        if fresh:
            self._takes_tables_ = is_table(X, self.categorical_features)
            self.frame_ = frame_without_rows(X)
        views = [self._check_rows(X, reset=fresh, ensure_min_samples=2 if fresh else 1)]
        if clean is not None:
            views.append(self._check_rows(clean))
            check_consistent_length(*views)
        if not fresh:
            self._check_same_model()
            self.columns_.check(views[-1])
        if sample_weight is None:
            return views, None
        weights = _check_sample_weight(sample_weight, views[0], ensure_non_negative=True)
        counts = weights > 0
        if fresh and counts.sum() < 2:
            raise ValueError("sample_weight is above 0 for 1 row only; at least 2 must count.")
        if not counts.all():
            kept = np.flatnonzero(counts).tolist() if self._takes_tables_ else counts
            views, weights = [rows[kept] for rows in views], weights[counts]
        return views, (weights / weights.mean()).astype(np.float32)

    def _learn_columns(self, rows, weights):
        if self._takes_tables_:
            return self._learn_table(rows, weights)
        if self.mask_fraction not in ("auto", 0):
            raise ValueError(
                f"The 'mask_fraction' parameter is for dataframes with labels, times or missing "
                f"cells, but all columns of X are numbers. Got {self.mask_fraction!r}."
            )
        summary = summarise(rows, weights)
        self.likelihood_ = self.likelihood
        if self.likelihood == "auto":
            self.likelihood_ = "bernoulli" if summary.is_binary else "gaussian"
        self.columns_ = make_columns(
            rows,
            summary,
            likelihood=self.likelihood_,
            bounds=self.bounds,
            names=getattr(self, "feature_names_in_", None),
        )

    def _learn_table(self, rows, weights):
        allowed = ("auto", self._likelihood_of_tables)
        for name, given in (("likelihood", self.likelihood), ("bounds", self.bounds)):
            if given not in (allowed if name == "likelihood" else allowed[:1]):
                raise ValueError(
                    f"The {name!r} parameter is for numbers alone, but X has labels, times or "
                    f"missing cells; it must then be 'auto'. Got {given!r}."
                )
        self.likelihood_ = self._likelihood_of_tables
        self.columns_ = self._columns_of_tables.learn(
            rows,
            weights,
            categorical_features=self.categorical_features,
            max_categories=self.max_categories,
            min_frequency=self.min_frequency,
            handle_unknown=self.handle_unknown,
        )
        self.schema_ = self.columns_.table

    def _load(self, views, weights, device, *, by_batch):
        """Encode the rows and put them on the device, or leave that to every batch."""
        weights = None if weights is None else torch.from_numpy(weights).to(device)
        if len(views) == 1 and (by_batch or sparse.issparse(views[0])):
            return Rows(views[0], self.columns_.encode, weights)
        encoded = [torch.from_numpy(self.columns_.encode(rows)) for rows in views]
        encoded = encoded[0] if len(encoded) == 1 else torch.cat(encoded, dim=1)
        return Rows(encoded.to(device) if has_room(device, encoded) else encoded, weights=weights)

    def _start(self, data, device):
        """Return the chain that training starts from."""
        self._remember_parameters(name for name in _MAKE_THE_MODEL if hasattr(self, name))
        widen = make_widening(self.columns_)
        pca = find_principal_components(data, widen, self.columns_.n_encoded)
        self.n_components_ = self._number_of_components(pca)
        pca = pca.keep(self.n_components_)
        bottleneck = self._make_bottleneck()
        n_columns, n_encoded = len(pca.mean), bottleneck.n_inputs or self.n_components_
        sizes = Sizes(n_columns, self.n_components_, n_encoded, self._number_of_outputs(n_columns))
        encoder, decoder = make_networks(self, sizes)
        corruption = [self._make_corruption(data)]
        residual = self._find_residual(pca, data, widen, corruption[0])
        likelihood = self._make_likelihood(pca, residual, len(data))
        self._place(encoder, decoder, bottleneck, likelihood, pca, residual)
        noise = self._make_noise(pca.noise_unit, len(data))
        if self._takes_tables_:
            encoder = nn.Sequential(widen, noise, encoder)
            corruption.append(self._make_hiding())
        else:
            corruption.append(noise)
        corruption = [part for part in corruption if not isinstance(part, nn.Identity)]
        rounds = self.quantize is not None
        chain = self._chain(
            encoder,
            decoder,
            likelihood,
            bottleneck,
            corruption[0] if len(corruption) == 1 else nn.Sequential(*corruption),
            self._make_penalty(),
            Quantizer(self.quantize, self.n_components_) if rounds else None,
            n_columns=self.columns_.n_encoded,
        ).float()
        if self.init in ("greedy", "rbm") and self.encoder is None and self.decoder is None:
            pretrain(self, chain, data, device)
        return chain

    def _train(self, data, plan, context, report):
        """Train the net and return the rows that judged it."""
        callbacks = [] if plan.one_pass else [Progress()]
        self._prepare(self._module)
        if hasattr(self, "_skl_callbacks"):
            callbacks.append(SklearnBridge(self, context, report))
        if plan.one_pass:
            prepare_pass(self.net_, self, plan)
            train(self.net_, data, callbacks)
            for name in {"best_epoch_", "best_loss_"} & set(vars(self)):
                delattr(self, name)
            return data
        keeper = KeepBest(plan.patience, self.tol, max(plan.warm_up, self._warm_up(plan)))
        train(self.net_, data, [*callbacks, keeper])
        self.net_.finish()
        self.best_epoch_, self.best_loss_ = keeper.best_epoch_, keeper.best_loss_
        return keeper.judges_

    def _conclude(self, data, judges, seed, *, continued):
        """Read off what the training has led to."""
        history = self.net_.history
        self.n_iter_ = len(history)
        self.loss_curve_ = [epoch["train_loss"] for epoch in history]
        held_out = [epoch["valid_loss"] for epoch in history if "valid_loss" in epoch]
        self.validation_loss_curve_ = held_out if len(held_out) == len(history) > 0 else None
        few = data.resample(MOST_CODES if self.prior == "posterior" else N_CODES)
        if self.quantize is not None:
            self._quantize(few, judges)
        self._calibrate(judges)
        if self._takes_tables_:
            self._filling_ = self._learn_filling(few, judges)
        codes = self._find_codes(few)
        if continued:
            self.prior_ = self.prior_.updated(codes)
        else:
            self.prior_ = self._make_prior(codes).fit(codes, seed)

    def _calibrate(self, judges):
        """Set the variance of a Gaussian likelihood."""
        if self.likelihood_ == "gaussian":
            variance = calibrate(self.net_, judges)
            self.noise_variance_ = self.columns_.noise_variance(variance)

    def _learn_filling(self, data, judges):
        """Return what fills the holes of tables."""
        return Filling.learn(self.net_, data, judges, self.columns_.column_of_number)

    def _find_codes(self, data):
        """Return the codes that the prior is fitted to, and read off what they tell."""
        codes = encode(self.net_, data)
        self._look_at(codes)
        return codes

    def _make_prior(self, codes):
        """Return the density of the codes, before its fit."""
        return Prior(self.prior)

    def _quantize(self, data, judges):
        """Set the values that a unit takes, and say what a code then costs."""
        quantizer = self._module.quantizer
        quantizer.calibrate(torch.from_numpy(encode(self.net_, data)).to(self.net_.device))
        codes = torch.from_numpy(encode(self.net_, judges)).to(self.net_.device)
        self.rate_ = quantizer.rate(codes)
