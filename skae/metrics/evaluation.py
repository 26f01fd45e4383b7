"""The report: every metric of synthetic rows, beside a baseline and a ceiling."""

from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from skae.common.seeds import draw_seed
from skae.common.sklearn_private import validate_params
from skae.metrics.copies import nearest_copies
from skae.metrics.discrepancy import maximum_mean_discrepancy
from skae.metrics.encoding import as_rows
from skae.metrics.frechet import frechet_distance
from skae.metrics.neighbors import density_coverage
from skae.metrics.shapes import column_shapes
from skae.metrics.trends import pair_trends
from skae.metrics.two_sample import two_sample_auc
from skae.metrics.utility import train_on_synthetic
from skae.tables.containers import frame_without_rows, with_index
from skae.tables.unwrapping import unwrap

# The quantile of `nearest_copies`.
_NEAR = 0.05
# The metrics in the order of the report, and their ideal values.
_BETTER = {
    "shape": "higher",
    "trend": "higher",
    "two_sample_auc": 0.5,
    "density": 1.0,
    "coverage": "higher",
    "mmd": "lower",
    "frechet": "lower",
    "nearest_copy_ratio": 1.0,
    "nearest_copy_share": _NEAR,
    "train_on_synthetic": "higher",
}


@validate_params({"random_state": ["random_state"]}, prefer_skip_nested_validation=True)
def evaluate_samples(
    train: Any,
    test: Any,
    synthetic: Any,
    *,
    target: Any = None,
    categorical_features: Any = "from_dtype",
    random_state: Any = None,
) -> pd.DataFrame:
    r"""Return every metric of synthetic rows, beside a floor and a ceiling.

    The column "samples" has the values of the metrics with training rows as the real ones,

    .. math:: \mathrm{metric}(\mathrm{train}, \mathrm{synthetic}),

    and default parameters. The floor is a baseline that ignores all dependence between columns: the
    metrics of as many training rows as there are synthetic ones, drawn with replacement, whose
    columns are then shuffled independently. The ceiling has the metrics of

    - the same rows before shuffling, for "shape", "trend" and "frechet", which depend on the number
      of rows: no model can do much better with this number;
    - test rows, new ones from the true distribution, for "two_sample_auc", "density", "coverage",
      "mmd" and both metrics of nearest copies, which repeated training rows would distort;
    - training rows, for "train_on_synthetic".

    Parameters
    ----------
    train, test, synthetic : array or frame of shape (n_rows, n_columns)
        The rows that a model was fitted to, new real rows, and rows from the model.
    target : column name or int, default=None
        The column to predict for "train_on_synthetic", for an array its index; None leaves this
        metric out.
    categorical_features : "from_dtype", array-like of str, int or bool, default="from_dtype"
        The numeric columns that hold labels, by name, by index or as a mask; booleans, strings,
        categories and objects hold labels anyway, and so do numbers of one or two values.
    random_state : int, RandomState or None, default=None
        The seed of the drawn rows and of the predictors.

    Returns
    -------
    pandas.DataFrame
        A row for every metric, with columns "samples", "floor", "ceiling" and "better", which is
        "higher", "lower" or the ideal value.

    Raises
    ------
    ValueError
        If the columns differ, there are too few rows or there is no such target.

    See Also
    --------
    independent_columns : The rows of the floor.

    References
    ----------
    The references of every metric are in its own documentation.

    Examples
    --------
    >>> import numpy as np
    >>> from skae.metrics import evaluate_samples
    >>> a, b = np.random.default_rng(0).normal(size=(2, 600, 1))
    >>> train, test, synthetic = np.split(np.hstack([a, a + b / 9]), 3)
    >>> report = evaluate_samples(train, test, synthetic, random_state=0)
    >>> report.loc[["shape", "trend"], ["samples", "floor", "ceiling"]].round(1)
           samples  floor  ceiling
    shape      1.0    0.9      0.9
    trend      1.0    0.5      1.0
    """
    seed = draw_seed(random_state)
    options = {"categorical_features": categorical_features}
    seeded = {**options, "random_state": seed}
    drawn = _resampled(train, len(as_rows(synthetic, "synthetic")), seed)
    columns = {
        name: {
            **_moments(train, rows, options),
            **_neighbourhoods(train, rows, seeded),
            **_copies(train, test, rows, seeded),
            **_use(rows, test, target, seeded),
        }
        for name, rows in {
            "samples": synthetic,
            "floor": independent_columns(drawn, seed + 1),
        }.items()
    }
    columns["ceiling"] = {
        **_moments(train, drawn, options),
        **_neighbourhoods(train, test, seeded),
        # The values of test rows, by definition.
        **{"nearest_copy_ratio": 1.0, "nearest_copy_share": _NEAR},
        **_use(train, test, target, seeded),
    }
    report = pd.DataFrame(columns).assign(better=pd.Series(_BETTER, dtype=object))
    return report.loc[[name for name in _BETTER if name in report.index]]


@validate_params({"random_state": ["random_state"]}, prefer_skip_nested_validation=True)
def independent_columns(rows: Any, random_state: Any = None) -> Any:
    r"""Return rows whose columns are shuffled independently.

    .. math:: p(x) = \prod_j p_j(x_j)

    Every column keeps its cells, and is independent of the others.

    Parameters
    ----------
    rows : array or frame of shape (n_rows, n_columns)
        The rows.
    random_state : int, RandomState or None, default=None
        The seed of the shuffling.

    Returns
    -------
    array or frame of shape (n_rows, n_columns)
        The shuffled rows, in the container of `rows` and with the same types; a pandas frame keeps
        its index.

    See Also
    --------
    evaluate_samples : The report that has these rows as the floor.

    References
    ----------
    L. Breiman, "Random forests", 2001, makes such rows for unsupervised learning.

    Examples
    --------
    >>> import numpy as np
    >>> from skae.metrics import independent_columns
    >>> independent_columns(np.array([[1, 10], [2, 20], [3, 30]]), random_state=0)
    array([[ 1, 10],
           [ 3, 20],
           [ 2, 30]])
    """
    rng = np.random.default_rng(draw_seed(random_state))
    n_rows = len(as_rows(rows, "rows"))
    return _taken(rows, lambda: rng.permutation(n_rows))


def _resampled(rows: Any, n_rows: int, seed: int) -> Any:
    """Return `n_rows` rows, drawn with replacement."""
    chosen = np.random.default_rng(seed).integers(len(as_rows(rows, "train")), size=n_rows)
    return _taken(rows, lambda: chosen)


def _taken(rows: Any, draw: Any) -> Any:
    """Return drawn cells of every column, in the container of the rows."""
    if frame_without_rows(unwrap(rows)) is None:
        array = np.asarray(unwrap(rows))
        return np.stack([column[draw()] for column in array.T], axis=1)
    frame = nw.from_native(rows, eager_only=True)
    drawn = (column[draw().tolist()] for column in frame.iter_columns())
    columns = {column.name: nw.maybe_reset_index(column) for column in drawn}
    taken = nw.DataFrame.from_dict(columns).to_native()
    return with_index(taken, rows) if len(taken) == len(frame) else taken


def _moments(train: Any, rows: Any, options: dict) -> dict:
    trends = pair_trends(train, rows, **options).to_numpy()
    return {
        "shape": column_shapes(train, rows, **options).mean(),
        "trend": trends[~np.isnan(trends)].mean() if len(trends) > 1 else np.nan,
        "frechet": frechet_distance(train, rows, **options),
    }


def _neighbourhoods(train: Any, rows: Any, seeded: dict) -> dict:
    near = density_coverage(train, rows, **seeded)
    return {
        "two_sample_auc": two_sample_auc(train, rows, **seeded),
        "density": near.density,
        "coverage": near.coverage,
        "mmd": maximum_mean_discrepancy(train, rows, **seeded).statistic,
    }


def _copies(train: Any, test: Any, rows: Any, seeded: dict) -> dict:
    copies = nearest_copies(train, test, rows, quantile=_NEAR, **seeded)
    return {"nearest_copy_ratio": copies.ratio, "nearest_copy_share": copies.share}


def _use(rows: Any, test: Any, target: Any, seeded: dict) -> dict:
    if target is None:
        return {}
    return {"train_on_synthetic": train_on_synthetic(rows, test, target, **seeded)}
