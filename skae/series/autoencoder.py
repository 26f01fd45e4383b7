"""SeriesAutoencoder: an autoencoder of panels of series."""

import copy
from dataclasses import field
from typing import Annotated, Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin

from skae.autoencoders.parameters import FitParameters
from skae.common.annotations import (
    Auto,
    Density,
    Named,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Share,
)
from skae.common.documentation import Documented
from skae.common.parameters import estimator
from skae.common.shared_parameters import DeviceParameters, TrainingParameters
from skae.common.sklearn_private import fit_context
from skae.common.state import FittedState
from skae.saving.saves import Saves
from skae.series.form import PanelForm
from skae.series.models import DeterministicSeries, VariationalSeries
from skae.series.panels import read_panel
from skae.series.parameters import ConvolutionParameters
from skae.series.reading import PanelInference

# What the fitted autoencoder has and this one shows.
_SHOWN = ("n_components_", "n_iter_", "loss_curve_", "validation_loss_curve_", "n_features_in_")
_SHOWN_IF_THERE = ("best_epoch_", "best_loss_", "noise_variance_", "feature_names_in_")
# The parameters that are this one's alone.
_OWN = frozenset({"variational", "scale_channels", "beta", "prior"})


@estimator()
class SeriesAutoencoder(
    PanelInference,
    ConvolutionParameters,
    FitParameters,
    TrainingParameters,
    DeviceParameters,
    ClassNamePrefixFeaturesOutMixin,
    FittedState,
    Saves,
    Documented,
    BaseEstimator,
):
    r"""Autoencoder of series: codes of cases of one or more channels, of equal lengths or not.

    A case :math:`x` of :math:`C` channels and :math:`T` timepoints has the code :math:`z = e(x)`
    and the reconstruction :math:`x' = d(z)`. Each of encoder and decoder is a linear path beside
    convolutions over time. The linear paths start at the principal components of the flattened
    cases and the convolutions at zero, and the best weights on held-out cases are kept, this start
    included. So it hardly ends worse than PCA on new cases where lengths are equal; of few cases
    it often is PCA.

    Where lengths differ, networks see a case stretched to the largest length :math:`T`, by linear
    interpolation, and its length :math:`l` as one channel more; and the likelihood is that of its
    own points and of its length,

    .. math:: x_{ct} \sim N((W_l\, d_c(z))_t, \sigma^2), \quad t = 1, \dots, l, \qquad
              l \sim N(d_l(z), s^2),

    with :math:`W_l` the interpolation from :math:`T` values to :math:`l`. Nothing is padded.

    If it is variational, codes have posteriors and the standard normal prior, and a bound on
    :math:`\log p(x)` is maximised, from the start of probabilistic PCA; see `VAETransformer`.

    See Also
    --------
    AutoencoderTransformer : The same for rows whose columns have no order.
    VAETransformer : The same for rows, variational.
    WindowedDetector : Outliers in long series.

    Notes
    -----
    Cases are arrays of shape (n_cases, n_channels, n_timepoints), also tensors; lists of arrays of
    shape (n_channels, n_timepoints_i); frames of pandas with an index of cases and times and a
    column for each channel, whose times are taken to follow each other in equal steps; or rows of
    one channel, of shape (n_cases, n_timepoints). Cases come back in the container that `fit` saw.
    NaN and infinity are refused.

    The error is in the metric of X, as for PCA: channels of larger numbers count for more, unless
    `scale_channels`.

    References
    ----------
    Hinton, G. E. and Salakhutdinov, R. R. (2006). Reducing the dimensionality of data with neural
    networks. Science 313.

    Desai, A., Freeman, C., Wang, Z. and Beaver, I. (2021). TimeVAE: a variational auto-encoder for
    multivariate time series generation. arXiv:2111.08095.

    Examples
    --------
    >>> import numpy as np
    >>> from skae import SeriesAutoencoder
    >>> rng = np.random.default_rng(0)
    >>> lengths, starts = rng.integers(20, 30, 80), rng.uniform(0, 6, 80)
    >>> cases = [np.sin(start + np.arange(n) / 3)[None] for n, start in zip(lengths, starts)]
    >>> autoencoder = SeriesAutoencoder(3, max_epochs=20, random_state=0).fit(cases)
    >>> autoencoder.transform(cases).shape
    (80, 3)
    >>> [case.shape for case in autoencoder.reconstruct(cases[:3])]
    [(1, 28), (1, 26), (1, 25)]
    >>> [case.shape for case in autoencoder.inverse_transform([[0, 0, 0]], lengths=[40])]
    [(1, 40)]
    """

    n_components: PositiveInt | Share = field(default=16, kw_only=False)
    """The number of units of the code. For a float in (0, 1), it is the smallest number of
    principal components that together explain more than this share of the variance."""

    variational: bool = False
    """Whether codes have posteriors and a prior, and `score_samples` is a bound on the
    log-likelihood of a case rather than that given its code."""

    scale_channels: bool = False
    """Whether channels are divided by their standard deviations, so that all count alike. If False,
    the error is in the metric of X."""

    beta: NonNegativeFloat = 1.0
    """The weight of the divergence in the loss, if `variational`; else it must be 1."""

    prior: Literal["auto", "gmm", "normal", "posterior"] | Annotated[Density, Named("density")] = (
        "auto"
    )
    """The density of the codes that `sample` draws from, fitted at the end of `fit`: "gmm" is a
    Gaussian mixture of up to ten components, "normal" a single Gaussian or, if `variational`, the
    model's own prior, "posterior" the codes of at most 50,000 training cases themselves; or any
    estimator with `fit` and `sample`. "auto" is "posterior" if `variational`, else "gmm"."""

    learning_rate: PositiveFloat = 0.01

    batch_size: Auto | PositiveInt = "auto"
    """The number of cases of a training step; "auto" is 256, or 512 if `variational`, or all cases
    if they are fewer."""

    max_epochs: Auto | PositiveInt = "auto"
    """The largest number of epochs, that is, passes over the training cases. "auto" makes about 20
    steps times the root of their number, or 32 if `variational`."""

    autoencoder_: DeterministicSeries | VariationalSeries = field(init=False)
    """The fitted autoencoder of flattened cases."""

    form_: PanelForm = field(init=False)
    """The container and the shape of the cases of `fit`."""

    n_components_: int = field(init=False)
    """The number of units of the code."""

    noise_variance_: float = field(init=False)
    """The variance of a number around its expectation: the mean squared error on the validation
    cases, in the units of X or, with `scale_channels`, of channels of variance one."""

    n_iter_: int = field(init=False)
    """The number of epochs of the training."""

    best_epoch_: int = field(init=False)
    """The epoch whose weights were kept; 0 is the start. Not after `partial_fit`."""

    best_loss_: float = field(init=False)
    """The loss of the best epoch, on the validation cases if there are any, in nats per case. Not
    after `partial_fit`."""

    loss_curve_: list[float] = field(init=False)
    """The mean loss of the training cases in every epoch, in nats per case."""

    validation_loss_curve_: list[float] | None = field(init=False)
    """The mean loss of the validation cases after every epoch; None where there were none."""

    n_features_in_: int = field(init=False)
    """The number of numbers of the longest case, and one for the length where lengths differ."""

    feature_names_in_: np.ndarray = field(init=False)
    """The names of the timepoints, if `fit` was given a frame of rows whose names are strings."""

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit the autoencoder to cases.

        Parameters
        ----------
        X : {array-like, tensor} of shape (n_cases, n_channels, n_timepoints), list or dataframe
            The cases. Also rows of one channel, of shape (n_cases, n_timepoints).
        y : Ignored
            Not used, present for API consistency by convention.
        sample_weight : array-like of shape (n_cases,), default=None
            The weight of every case; None for weights of one.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        continues = self.warm_start and self.__sklearn_is_fitted__()
        with self._restored_on_failure():
            self._train("fit", X, sample_weight, continues=continues)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train for one pass over cases, at a constant learning rate.

        The first call learns what cases are, and the principal components to start from: give it a
        representative sample. Where their lengths differ, none of the later ones is trained on at
        more timepoints than the longest of them has.

        Parameters
        ----------
        X : {array-like, tensor} of shape (n_cases, n_channels, n_timepoints), list or dataframe
            The next cases to learn from.
        y : Ignored
            Not used, present for API consistency by convention.
        sample_weight : array-like of shape (n_cases,), default=None
            The weight of every case; None for weights of one.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        with self._restored_on_failure():
            is_fitted = self.__sklearn_is_fitted__()
            self._train("partial_fit", X, sample_weight, continues=is_fitted)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return "autoencoder_" in vars(self)

    @property
    def _n_features_out(self) -> int:
        return self.n_components_

    def _train(self, method: str, X: Any, sample_weight: Any, *, continues: bool) -> None:
        """Read the cases as rows, train an autoencoder of rows, show what it found."""
        self._check_parameters()
        if continues:
            self._check_same_model(" with warm_start=False")
            rows, _ = self._rows(X)
            form, model = self.form_, copy.copy(self.autoencoder_)
            model.set_params(**self._params_of(model))
        else:
            self._forget()
            panel, form = read_panel(X), None
            if panel is not None:
                form = PanelForm.of(panel, scale_channels=self.scale_channels)
            rows = X if panel is None or form is None else form.rows(panel)
            model = self._make_model(form)
        getattr(model, method)(rows, sample_weight=sample_weight)
        self._show(model)
        self.form_ = PanelForm.of_rows(model.n_features_in_) if form is None else form
        self._remember_parameters()

    def _make_model(self, form: PanelForm | None) -> DeterministicSeries | VariationalSeries:
        """Return the autoencoder of the rows of a form."""
        kind = VariationalSeries if self.variational else DeterministicSeries
        n_channels = 1 if form is None else form.n_channels
        is_ragged = form is not None and form.is_ragged
        model = kind(
            n_channels=n_channels,
            is_ragged=is_ragged,
            likelihood="gaussian",
            bounds=None if is_ragged else "auto",
            keep_dependencies=False,
        )
        return model.set_params(**self._params_of(model))

    def _params_of(self, model: DeterministicSeries | VariationalSeries) -> dict[str, Any]:
        """Return the parameters of an autoencoder of rows that this one has as well."""
        own = self.get_params(deep=False)
        shared = {name: own[name] for name in own.keys() - _OWN & model.get_params().keys()}
        by_rule = "posterior" if self.variational else "gmm"
        is_auto = isinstance(self.prior, str) and self.prior == "auto"
        prior = {"prior": by_rule if is_auto else self.prior}
        return shared | prior | ({"beta": self.beta} if self.variational else {})

    def _show(self, model: DeterministicSeries | VariationalSeries) -> None:
        self.autoencoder_ = model
        for name in _SHOWN:
            setattr(self, name, getattr(model, name))
        for name in _SHOWN_IF_THERE:
            if name in vars(model):
                setattr(self, name, vars(model)[name])
            elif name in vars(self):
                delattr(self, name)

    def _check_parameters(self) -> None:
        if self.kernel_size % 2 == 0:
            raise ValueError(
                f"The 'kernel_size' parameter must be odd, so that a convolution has a middle. Got "
                f"{self.kernel_size!r}."
            )
        if self.beta != 1 and not self.variational:
            raise ValueError(
                f"The 'beta' parameter is for variational=True; it must else be 1. Got "
                f"{self.beta!r}."
            )
