"""Where distances between rows are measured: in standard deviations, or in given units."""

from sklearn.utils import check_array

from skae.containers import unwrap
from skae.metrics.encoding import encode
from skae.metrics.points import Points


def as_points(*, scale: bool, categorical_features, least: int, **samples) -> list[Points]:
    """Return samples of rows as points.

    Parameters
    ----------
    scale : bool
        Whether columns are encoded, and numbers divided by the standard deviations of the first
        sample; if not, all columns are numbers and taken as they are.
    categorical_features : "from_dtype", array-like of str, int or bool
        The numeric columns that hold labels, where `scale` is true.
    least : int
        The smallest number of rows that a sample may have.
    **samples : array or frame
        The samples, by the names that messages give them; the first are the real rows.
    """
    if scale:
        encoded = encode(categorical_features=categorical_features, least=least, **samples)
        return [each.points() for each in encoded]
    _check_unmarked(categorical_features)
    arrays = {
        name: check_array(unwrap(rows), dtype=float, input_name=name, ensure_min_samples=least)
        for name, rows in samples.items()
    }
    widths = {name: array.shape[1] for name, array in arrays.items()}
    if len(set(widths.values())) > 1:
        raise ValueError(f"Samples must have the same number of columns. Got {widths}.")
    center = next(iter(arrays.values())).mean(0)
    return [Points.of(array - center) for array in arrays.values()]


def _check_unmarked(categorical_features) -> None:
    if not (isinstance(categorical_features, str) and categorical_features == "from_dtype"):
        raise ValueError(
            f"The 'categorical_features' parameter must be 'from_dtype' with scale=False, which "
            f"takes all columns as numbers. Got {categorical_features!r}."
        )
