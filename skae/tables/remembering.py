"""What of the training rows a fitted estimator holds."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import pandas as pd
from sklearn.utils.validation import check_is_fitted

from skae.tables.category import Category
from skae.tables.columns import Columns
from skae.tables.left_out import LeftOut
from skae.tables.matrix import MatrixColumns
from skae.tables.number import Number
from skae.tables.scores import ScoredColumns
from skae.tables.table import Table


class Remembered(NamedTuple):
    """One kind of thing that an estimator holds.

    Attributes
    ----------
    column : str
        The column that it is from; empty for whole rows.
    what : str
        What it is.
    n : int
        How many there are.
    """

    column: str
    what: str
    n: int


def remembered(estimator: Any) -> pd.DataFrame:
    """Return what of the training rows a fitted estimator holds, and so do its files.

    Not listed are weights, means and variances, to which every row contributes.

    Parameters
    ----------
    estimator : estimator
        A fitted autoencoder, detector, classifier or regressor of skae.

    Returns
    -------
    remembered : pandas.DataFrame
        A row for each kind of thing: the `column` that it is from, empty for whole rows, `what` it
        is, and how many (`n`) there are.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is none of skae's.

    See Also
    --------
    skae.AutoencoderTransformer : Its `min_count` is the number of rows that must share a label.

    Examples
    --------
    >>> import pandas as pd
    >>> from skae import AutoencoderTransformer
    >>> from skae.tables import remembered
    >>> names = [f"patient {i:03d}" for i in range(90)]
    >>> X = pd.DataFrame({"name": names, "sex": ["f", "m", "f"] * 30, "age": range(20, 110)})
    >>> kinds = {"name": "identifier", "age": "number"}
    >>> fitted = AutoencoderTransformer(1, max_epochs=1, column_kinds=kinds).fit(X)
    >>> for held in remembered(fitted).itertuples():
    ...     print(f"{held.column}: {held.n} {held.what}")
    name: 1 patterns of letters and digits, no cell as a whole
    sex: 2 labels of at least min_count rows
    age: 2 the smallest and largest number
    """
    if not hasattr(estimator, "remembered_rows"):
        raise TypeError(
            f"'estimator' must be an estimator of skae that has been fitted to rows. Got "
            f"{estimator!r}."
        )
    check_is_fitted(estimator)
    found = [*_of_columns(estimator.remembered_columns()), *estimator.remembered_rows()]
    return pd.DataFrame(found, columns=list(Remembered._fields))


def _of_columns(known: Iterable[Table | Columns]) -> Iterator[Remembered]:
    for each in known:
        if isinstance(each, Table):
            for field in each.fields:
                yield from _of_field(field)
        else:
            yield from _of_encoding(each)


def _of_field(field: Category | Number | LeftOut) -> Iterator[Remembered]:
    if isinstance(field, LeftOut):
        n = 0 if field.fresh is None else field.fresh.n_forms
        yield Remembered(field.name, "patterns of letters and digits, no cell as a whole", n)
        return
    rare = field.rare if isinstance(field, Category) else field.words and field.words.rare
    if isinstance(field, Category):
        n = len(field.states) + len(field.rare.counts)
        yield Remembered(field.name, "labels of at least min_count rows", n)
    else:
        if field.words:
            n = len(field.words.labels) + len(field.words.rare.counts)
            if n:
                what = "cells that are no numbers, of at least min_count rows"
                yield Remembered(field.name, what, n)
        if field.levels is not None:
            yield Remembered(field.name, "all numbers, which are few", len(field.levels))
        else:
            yield Remembered(field.name, "the smallest and largest number", 2)
    if rare and rare.marks:
        what = "salted hashes of other labels, for handle_unknown='error'"
        yield Remembered(field.name, what, len(rare.marks))


def _of_encoding(columns: Columns) -> Iterator[Remembered]:
    if isinstance(columns, MatrixColumns) and columns.drawn is not None:
        what = "the smallest and largest number of every column"
        yield Remembered("", what, 2 * columns.n_numbers)
    if isinstance(columns, ScoredColumns):
        for field, scores in zip(columns.table.numbers, columns.scores, strict=True):
            if field.levels is None:
                what = "ends of intervals, which are numbers of rows"
                yield Remembered(field.name, what, 2 * len(scores.first))
    for relation in columns.dependencies.fixes:
        text = relation.text(columns.dependencies.columns)
        name = str(columns.dependencies.columns[relation.target].name)
        what = f"combinations of at least min_count rows: {text}"
        yield Remembered(name, what, len(relation.keys))
