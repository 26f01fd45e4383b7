"""Where distances between rows are measured: in standard deviations, or in given units."""

from sklearn.utils import check_array

from skae.metrics.encoding import alike_frames, encode
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
    arrays = [
        check_array(frame.to_numpy(), dtype=float, input_name=name)
        for name, frame in zip(samples, alike_frames(least, **samples), strict=True)
    ]
    center = arrays[0].mean(0)
    return [Points.of(array - center) for array in arrays]


def _check_unmarked(categorical_features) -> None:
    if not (isinstance(categorical_features, str) and categorical_features == "from_dtype"):
        raise ValueError(
            f"The 'categorical_features' parameter must be 'from_dtype' with scale=False, which "
            f"takes all columns as numbers. Got {categorical_features!r}."
        )
