"""`feeds`: rows as the inputs of an ONNX model."""

from typing import Any

import narwhals as nw
import numpy as np
from sklearn.utils.validation import check_is_fitted

from skae.onnx.inputs import NO_INTEGER, Input
from skae.onnx.readings import autoencoder_of
from skae.onnx.rows import make_rows
from skae.onnx.tables import TableCells
from skae.outliers.detector import AEOutlierDetector
from skae.tables.category import Category
from skae.tables.cells import cells_of
from skae.tables.mixed import MixedColumns
from skae.tables.number import Number
from skae.tables.raw_numbers import raw_numbers
from skae.tables.summary import dense_chunks
from skae.tables.table import Table

_KINDS = {"float": np.float32, "double": np.float64, "int64": np.int64}


def feeds(estimator: Any, X: Any) -> dict[str, np.ndarray]:
    """Return rows as the inputs of an ONNX model that `export` made of an estimator.

    Parameters
    ----------
    estimator : estimator
        The fitted estimator.
    X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
        The rows.

    Returns
    -------
    feeds : dict of str to ndarray
        The inputs, by name: for ``session.run(None, feeds)`` of onnxruntime.

    Raises
    ------
    ValueError
        If the rows are not valid for the estimator, or a cell cannot be the input of a model.

    See Also
    --------
    skae.onnx.export : Writes the model.

    Examples
    --------
    >>> import pandas as pd
    >>> from skae import AutoencoderTransformer
    >>> from skae.onnx import feeds
    >>> X = pd.DataFrame({"size": [1.5, None, 2.5] * 9, "sort": ["a", "b", None] * 9})
    >>> fitted = AutoencoderTransformer(1, max_epochs=1).fit(X)
    >>> {name: cells[:3, 0].tolist() for name, cells in feeds(fitted, X).items()}
    {'size': [1.5, nan, 2.5], 'sort': ['a', 'b', '']}
    """
    check_is_fitted(estimator)
    if isinstance(estimator, AEOutlierDetector):
        checked, is_array = estimator._check_rows(X), estimator.frame_ is None
        inputs = TableCells(estimator.schema_, is_array=is_array).inputs
        return _of_frame(estimator.schema_, inputs, checked, is_array=is_array)
    autoencoder = autoencoder_of(estimator)
    checked = autoencoder._reader().check(X)
    is_array = autoencoder.frame_ is None
    (first, *_) = inputs = make_rows(autoencoder.columns_, is_array=is_array).inputs
    if isinstance(checked, nw.DataFrame):
        assert isinstance(autoencoder.columns_, MixedColumns)
        return _of_frame(autoencoder.columns_.table, inputs, checked, is_array=is_array)
    dense = [chunk for _, chunk in dense_chunks(checked)]
    return {"X": np.concatenate(dense).astype(_KINDS[first.kind])}


def _of_frame(
    table: Table, inputs: list[Input], frame: nw.DataFrame, *, is_array: bool
) -> dict[str, np.ndarray]:
    """Return the checked rows of a table as inputs."""
    if inputs[0].name == "X" and is_array and len(inputs) == 1:
        return {"X": frame.to_numpy().astype(_KINDS[inputs[0].kind])}
    columns = [frame[:, place] for place in table.places]
    named = zip(inputs, table.modelled, columns, strict=True)
    return {given.name: _column(given, field, column)[:, None] for given, field, column in named}


def _column(given: Input, field: Category | Number, column: nw.Series) -> np.ndarray:
    """Return a column as an input, shape (n_rows,)."""
    if isinstance(field, Number):
        return _numbers(given, field, column)
    cells = cells_of(column)
    if given.kind == "string":
        texts = [given.missing if cell is None else str(cell) for cell in cells]
        return np.array(texts, dtype=object)
    missing = NO_INTEGER if given.kind == "int64" else np.nan
    return np.array([missing if cell is None else cell for cell in cells], _KINDS[given.kind])


def _numbers(given: Input, field: Number, column: nw.Series) -> np.ndarray:
    parsed = field.format.parse(column)
    words = {str(word) for word in parsed.words if word is not None}
    if words:
        raise ValueError(
            f"Column {field.name!r} of X holds {', '.join(sorted(map(repr, words))[:5])}, which no "
            f"ONNX model can take where numbers or times are expected."
        )
    raw = raw_numbers(parsed.values, field.scale.template.dtype)
    missing = NO_INTEGER if given.kind == "int64" else np.nan
    found = np.full(len(column), missing, dtype=_KINDS[given.kind])
    found[~raw.missing] = raw.numbers
    return found
