"""Tables of numbers and labels for the benchmarks, and the usual encoding that rivals see."""

import numpy as np
import pandas as pd
import sklearn.datasets
from sklearn.model_selection import train_test_split

from benchmarks.data import find

TABLES = ("adult", "churn", "melbourne", "california")
BUNDLED = ("breast_cancer", "wine", "diabetes")
IDENTIFIERS = ["RowNumber", "CustomerId", "Surname"]
MOST_LABELS = 256
LEAST_SHARE = 0.001


def lockstep():
    """Return three numbers that each have their label."""
    places = np.random.default_rng(0).integers(3, size=1000)
    return pd.DataFrame({"number": places + 1.0, "label": np.array(["a", "b", "c"])[places]})


def line():
    """Return y = 2 x."""
    return pd.DataFrame({"x": np.arange(1000.0), "y": 2 * np.arange(1000.0)})


SYNTHETIC = {"lockstep": lockstep, "line": line}


def load_table(name):
    """Return a table as pandas reads it; of Melbourne also the dates."""
    if name in SYNTHETIC:
        return SYNTHETIC[name]()
    if name in BUNDLED:
        return getattr(sklearn.datasets, f"load_{name}")(as_frame=True).data
    path = find(f"tables/{name}.csv")
    frame = pd.read_csv(path, skipinitialspace=True, na_values="?")
    if name == "melbourne":
        frame["Date"] = pd.to_datetime(frame["Date"], dayfirst=True)
    return frame


def parts(frame, seed):
    """Return training and test rows, four fifths and one."""
    return train_test_split(frame, test_size=0.2, random_state=seed)


def are_labels(frame):
    """Tell which columns hold labels: those of text, and numbers that take two values."""
    text = frame.dtypes.map(pd.api.types.is_string_dtype).to_numpy()
    return text | (frame.nunique() <= 2).to_numpy()


def as_numbers(frame):
    """Return columns that are no text as float64, dates as nanoseconds."""
    columns = {}
    for name, column in frame.items():
        if pd.api.types.is_datetime64_any_dtype(column):
            column = column.astype("datetime64[ns]").astype("int64")
        columns[name] = column.to_numpy(dtype=float)
    return pd.DataFrame(columns, index=frame.index)


class OneHot:
    """Standardised numbers and one-hot labels side by side, and the way back.

    Labels of fewer than 0.1 % of the rows, or beyond the 256 commonest, have no column.

    Parameters
    ----------
    holes : bool
        Whether a missing cell is a hole, NaN in all of its columns. If not, a missing label is a
        label, and a missing number is the mean with a flag beside it.
    """

    def __init__(self, holes=False):
        self.holes = holes

    def fit(self, frame):
        labels = are_labels(frame)
        self.numbers = list(frame.columns[~labels])
        numbers = as_numbers(frame[self.numbers])
        self.center, self.scale = numbers.mean(), numbers.std(ddof=0).replace(0, 1)
        self.flagged = [] if self.holes else [c for c in self.numbers if numbers[c].isna().any()]
        self.labels = {}
        for name in frame.columns[labels]:
            shares = frame[name].value_counts(normalize=True, dropna=self.holes)
            kept = shares.index[(shares >= LEAST_SHARE) | (shares == shares.max())]
            self.labels[name] = list(kept[:MOST_LABELS])
        return self

    def transform(self, frame):
        numbers = (as_numbers(frame[self.numbers]) - self.center) / self.scale
        flags = numbers[self.flagged].isna().to_numpy(float)
        blocks = [numbers.to_numpy() if self.holes else numbers.fillna(0).to_numpy(), flags]
        for name, kept in self.labels.items():
            codes = pd.Index(kept).get_indexer(frame[name])
            block = np.eye(len(kept) + 1)[codes][:, :-1]
            if self.holes:
                block[frame[name].isna()] = np.nan
            blocks.append(block)
        return np.hstack(blocks)

    def inverse_transform(self, matrix):
        start = len(self.numbers)
        numbers = matrix[:, :start] * self.scale.to_numpy() + self.center.to_numpy()
        columns = dict(zip(self.numbers, numbers.T, strict=True))
        start += len(self.flagged)
        for name, kept in self.labels.items():
            best = matrix[:, start : start + len(kept)].argmax(1)
            columns[name] = np.array(kept, dtype=object)[best]
            start += len(kept)
        return pd.DataFrame(columns)

    @property
    def column_of_number(self):
        """The name of the table's column that every column of the matrix belongs to."""
        labels = [name for name, kept in self.labels.items() for _ in kept]
        return [*self.numbers, *self.flagged, *labels]


def equal(a, b):
    """Tell which cells of two columns hold the same, both missing included."""
    a, b = (pd.Series(np.asarray(column, dtype=object)) for column in (a, b))
    return (a.eq(b) | (a.isna() & b.isna())).to_numpy()
