"""FileSummary: what a file of an estimator holds, without making the estimator."""

from dataclasses import dataclass
from typing import Any

from sklearn.base import BaseEstimator

from skae.saving.errors import FileError
from skae.tables.remembering import remembered
from skae.tables.table import Table

_WIDTH = 100


def about(estimator: BaseEstimator) -> dict[str, Any]:
    """Return what the summary of a file says of an estimator: its columns, and what it remembers.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator of skae.
    """
    found = [each for each in estimator.remembered_columns() if isinstance(each, Table)]
    fields = [field for table in found[:1] for field in table.fields]
    names = getattr(estimator, "feature_names_in_", ())
    columns = [[str(field.name), field.kind] for field in fields] or [[n, ""] for n in names]
    return {
        "n_features": int(estimator.n_features_in_),
        "columns": columns,
        "remembered": [
            [str(column), what, int(n)]
            for column, what, n in remembered(estimator).itertuples(index=False)
        ],
    }


@dataclass(frozen=True)
class FileSummary:
    """What a file of an estimator holds; print it.

    Attributes
    ----------
    class_name : str
        The class of the estimator.
    versions : dict of str to str
        The versions of the packages that wrote it.
    n_bytes : int
        The size of the file.
    n_weights : int
        The number of numbers in it.
    n_features : int
        The number of columns of the training rows.
    columns : list of tuple
        The columns and their kinds, as far as they are known.
    params : dict of str to object
        The parameters, as the file has them.
    remembered : list of tuple
        What it holds of the training rows, as `skae.tables.remembered` has it: the column, which is
        empty for whole rows, what it is, and how many.
    """

    class_name: str
    versions: dict[str, str]
    n_bytes: int
    n_weights: int
    n_features: int
    columns: list[tuple[str, str]]
    params: dict[str, Any]
    remembered: list[tuple[str, str, int]]

    @classmethod
    def of(cls, document: dict[str, Any], n_bytes: int, n_weights: int) -> "FileSummary":
        """Return the summary of a document.

        Raises
        ------
        FileError
            If the document does not have what it needs.
        """
        try:
            about = document["about"]
            return cls(
                str(document["class"]),
                {str(name): str(version) for name, version in document["versions"].items()},
                n_bytes,
                n_weights,
                int(about["n_features"]),
                [(str(name), str(kind)) for name, kind in about["columns"]],
                {name: _plain(node) for name, node in document["params"].items()},
                [(str(column), str(what), int(n)) for column, what, n in about["remembered"]],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise FileError(f"'about' of the document is not complete: {error!r}.") from None

    def __str__(self) -> str:
        return "\n".join([*self._head(), *self._columns(), *self._params(), *self._remembered()])

    def __repr__(self) -> str:
        return str(self)

    def _head(self) -> list[str]:
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return [
            f"{self.class_name}: {self.n_bytes:,} bytes, {self.n_weights:,} numbers",
            f"saved with {versions}",
        ]

    def _columns(self) -> list[str]:
        if not self.columns:
            return ["", f"columns: {self.n_features}, without names"]
        width = max(len(name) for name, _ in self.columns)
        lines = [f"  {name:<{width}}  {kind}".rstrip() for name, kind in self.columns]
        return ["", f"columns: {self.n_features}", *lines]

    def _params(self) -> list[str]:
        lines = [f"  {name} = {value!r}"[:_WIDTH] for name, value in sorted(self.params.items())]
        return ["", "parameters", *lines]

    def _remembered(self) -> list[str]:
        lines = [
            f"  {column + ': ' if column else ''}{n:,} {what}"
            for column, what, n in self.remembered
        ]
        return ["", "of the training rows it holds", *(lines or ["  nothing but what was learned"])]


class _Shown:
    """A value whose repr is a text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _plain(node: Any) -> Any:
    """Return a parameter that a person can read, of its node."""
    if isinstance(node, list):
        return [_plain(each) for each in node]
    if isinstance(node, dict) and len(node) == 1:
        ((kind, content),) = node.items()
        if kind == "tuple" and isinstance(content, list):
            return tuple(_plain(each) for each in content)
        if kind == "dict" and isinstance(content, list) and len(content) == 2:
            keys, values = (_plain(each) for each in content)
            if isinstance(keys, list) and isinstance(values, list):
                return {str(key): value for key, value in zip(keys, values, strict=False)}
        return _Shown(f"<{kind}>")
    return node
