"""Attributes of a fitted outlier detector."""

from dataclasses import field
from typing import Literal

import narwhals as nw
import numpy as np

from skae.common.parameters import estimator
from skae.outliers.coordinates import Coordinates
from skae.outliers.parts import Part
from skae.tables.table import Table
from skae.training.net import AutoencoderNet

StopReason = Literal["n_iter_no_change", "max_epochs", "callback"]


@estimator(fixes_model=False)
class FittedAttributes:
    """What `fit` finds."""

    offset_: float = field(init=False)
    """The score below which a row is an outlier."""

    n_trimmed_: int = field(init=False)
    """The number of rows that were trimmed because they look like outliers."""

    contamination_: float = field(init=False)
    """The share of outliers among the training rows: with `contamination="auto"` an estimate, the
    share of the rows beyond the threshold less what is expected of normal rows; 0 with `novelty`.
    """

    training_scores_: np.ndarray = field(init=False)
    """The scores of the rows of the last `fit` or `partial_fit`, as if nothing had been learned
    from them, so that ``training_scores_ < offset_`` are the outliers among them. NaN for rows
    that were not learned from, beyond `max_samples` or without weight."""

    n_rows_: int = field(init=False)
    """The number of rows that were passed to `fit` and `partial_fit`."""

    best_epoch_: int = field(init=False)
    """The epoch whose weights were kept; 0 is the start."""

    stop_reason_: StopReason = field(init=False)
    """The reason why the training ended: no improvement, the last epoch, or a callback in
    `net_params`."""

    n_iter_: int = field(init=False)
    """The number of epochs of the training."""

    loss_curve_: list[float] = field(init=False)
    """The mean squared error of rows by the members that learn from them, by epoch."""

    validation_loss_curve_: list[float] | None = field(init=False)
    """The mean squared error of rows by the members that left them out, by epoch; None without
    early stopping, and after `partial_fit`."""

    schema_: Table = field(init=False)
    """The columns and their types; printed, it is a table of them."""

    columns_: Coordinates = field(init=False)
    """The encoding of rows as points."""

    parts_: dict[str, Part] = field(init=False)
    """The parts of the score, by name."""

    net_: AutoencoderNet = field(init=False)
    """The trained net; ``net_.module_`` is the ensemble."""

    frame_: nw.DataFrame | None = field(init=False)
    """The template of dataframes: the one passed to `fit`, without its rows. None for arrays."""

    n_features_in_: int = field(init=False)
    """The number of features that `fit` saw."""

    feature_names_in_: np.ndarray = field(init=False)
    """The names of the features, if `fit` was given a frame whose names are all strings."""
