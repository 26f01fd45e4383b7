"""Classes that rows are told to belong to, some of them perhaps unknown."""

import warnings
from numbers import Real
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from skae.tables.conditions import conditions_frame, not_seen


def labels_frame(y: Any) -> nw.DataFrame:
    """Return labels as a frame of one column, in which -1 and missing ones are None.

    Raises
    ------
    ValueError
        If they are no labels: numbers with fractions, or several columns.
    """
    frame = conditions_frame(y)
    if frame.shape[1] != 1:
        raise ValueError(f"y must be a column of labels. Got {frame.shape[1]} columns.")
    if frame[:, 0].dtype.is_float():
        labels = np.asarray(frame[:, 0].to_list(), dtype=float)
        labels = labels[~np.isnan(labels)]
        if (labels % 1 != 0).any():
            found = float(labels[labels % 1 != 0][0])
            raise ValueError(f"y must hold labels. Got the number {found}, of a continuous target.")
    return frame


def learn_classes(labels: nw.DataFrame) -> np.ndarray:
    """Return the classes of the rows of which they are known, sorted.

    Raises
    ------
    ValueError
        If they cannot be sorted, or there are fewer than two.
    """
    known = {label for label in labels[:, 0].to_list() if label is not None}
    check_kinds_of_labels(np.array([*known], dtype=object))
    classes = sorted(known)
    if len(classes) < 2:
        raise ValueError(f"y must hold at least 2 classes. Got {classes}.")
    return np.array(classes)


def check_kinds_of_labels(y: np.ndarray) -> None:
    """Check that labels can be sorted, and warn of unsigned integers where -1 may be meant.

    Raises
    ------
    ValueError
        If some labels are text and others are not.
    """
    if y.dtype == object:
        # -1 marks rows without a label, also among text.
        kinds = {_kind(label) for label in y[~pd.isna(y)].tolist() if label != -1}
        if len(kinds) > 1:
            raise ValueError(f"y must hold labels of one type. Got labels of {sorted(kinds)}.")
    if y.dtype.kind == "u" and len(y) and y.max() == np.iinfo(y.dtype).max:
        warnings.warn(
            f"y holds the label {y.max()}, which is -1 as {y.dtype}. If it means no label, give y "
            f"as a signed type.",
            stacklevel=2,
        )


def _kind(label: Any) -> str:
    return "number" if isinstance(label, (Real, np.bool_)) else type(label).__name__


def parts_of(labels: nw.DataFrame, classes: np.ndarray) -> np.ndarray:
    """Return the place of every label among the classes, -1 for none, shape (n_rows,).

    Raises
    ------
    ValueError
        If there is a label that `fit` did not see.
    """
    places = {label: place for place, label in enumerate(classes.tolist())} | {None: -1}
    cells = labels[:, 0].to_list()
    for cell in cells:
        if cell not in places:
            raise ValueError(not_seen(cell, classes.tolist()))
    return np.array([places[cell] for cell in cells], dtype=np.int64)
