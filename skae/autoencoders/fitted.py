"""Attributes that all fitted autoencoders have."""

from dataclasses import field
from typing import Annotated, cast

import narwhals as nw
import numpy as np

from skae.common.annotations import Module, Named
from skae.common.parameters import estimator
from skae.nn.chain import Autoencoder
from skae.nn.encoder_decoder import Decoder, Encoder
from skae.sampling.prior import LawPrior, ModelPrior, Prior
from skae.tables.columns import Columns
from skae.tables.remembering import Remembered
from skae.tables.table import Table
from skae.training.net import AutoencoderNet


@estimator(fixes_model=False)
class FittedAttributes:
    """What `fit` finds."""

    n_components_: int = field(init=False)
    """The number of units of the code."""

    likelihood_: str = field(init=False)
    """The likelihood in use."""

    noise_variance_: float | np.ndarray = field(init=False)
    """The variance of a Gaussian likelihood, in the units of X: the mean squared error of a cell
    on the validation rows, unless it is fixed. Only for that likelihood. It is an array where each
    column of numbers has its own variance, as in a table, whose times and integers are in units of
    their steps."""

    net_: AutoencoderNet = field(init=False)
    """The trained net; ``net_.module_`` is the chain, ``net_.history`` its history."""

    columns_: Columns = field(init=False)
    """The columns, which encode and decode rows."""

    schema_: Table = field(init=False)
    """The columns and what they are; print it. For rows with labels, times or missing cells, and
    for frames of up to 64 columns of numbers."""

    dependencies_: tuple[str, ...] = field(init=False)
    """What held between the columns in every row, in words, and holds in samples and in imputed
    cells; last, and so marked, what held in nearly every row. Empty without `keep_dependencies`."""

    prior_: Annotated[Prior | ModelPrior | LawPrior, Named("Prior")] = field(init=False)
    """The fitted density of the codes."""

    n_iter_: int = field(init=False)
    """The number of epochs of the training."""

    best_epoch_: int = field(init=False)
    """The epoch whose weights were kept; 0 is the start. Not after `partial_fit`."""

    best_loss_: float = field(init=False)
    """The loss of the best epoch, on the validation rows if there are any, in nats per row. Not
    after `partial_fit`."""

    loss_curve_: list[float] = field(init=False)
    """The mean loss of the training rows in every epoch, in nats per row."""

    validation_loss_curve_: list[float] | None = field(init=False)
    """The mean loss of the validation rows after every epoch; None where there were none."""

    frame_: nw.DataFrame | None = field(init=False)
    """The template of dataframes: the one passed to `fit`, without its rows. None for arrays."""

    n_features_in_: int = field(init=False)
    """The number of features that `fit` saw."""

    feature_names_in_: np.ndarray = field(init=False)
    """The names of the features, if `fit` was given a frame whose names are all strings."""

    @property
    def encoder_(self) -> Module:
        """A copy of the encoder: a module from rows to codes.

        For a table, its inputs are encoded rows, the output of ``columns_.encode``.
        """
        return Encoder(self._module, **self.columns_.units)

    @property
    def decoder_(self) -> Module:
        """A copy of the decoder: a module from codes to expected rows.

        For a table, its outputs are encoded rows.
        """
        return Decoder(self._module, **self.columns_.units)

    @property
    def _module(self) -> Autoencoder:
        return cast(Autoencoder, self.net_.chain)

    def remembered_columns(self) -> list[Table | Columns]:
        """Return what is known of the columns, for `skae.tables.remembered`."""
        table = vars(self).get("schema_")
        return [self.columns_] if table is None else [table, self.columns_]

    def remembered_rows(self) -> list[Remembered]:
        """Return what is held of whole rows, for `skae.tables.remembered`."""
        n_codes = self.prior_.n_codes
        what = "codes of training rows, of which `sample` makes rows like them (prior='posterior')"
        return [Remembered("", what, n_codes)] if n_codes else []
