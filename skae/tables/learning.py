"""What `fit` learns of the columns: those of a matrix of numbers, or those of a table."""

from collections.abc import Sequence
from dataclasses import replace

from skae.tables.kinds import ColumnParameters, options_of
from skae.tables.matrix import MatrixColumns, make_columns
from skae.tables.mixed import MixedColumns
from skae.tables.summary import summarise
from skae.tables.training_rows import TrainingRows


def learn_matrix(
    rows: TrainingRows, parameters: ColumnParameters, names: Sequence[str] | None
) -> tuple[MatrixColumns, str]:
    """Return columns of numbers, and the name of their likelihood."""
    if parameters.mask_fraction not in ("auto", 0):
        raise ValueError(
            f"The 'mask_fraction' parameter is for dataframes with labels, times or missing "
            f"cells, but all columns of X are numbers. Got {parameters.mask_fraction!r}."
        )
    summary = summarise(rows.targets, rows.weights)
    likelihood = parameters.likelihood
    if likelihood == "auto":
        likelihood = "bernoulli" if summary.is_binary else "gaussian"
    options = {
        "likelihood": likelihood,
        "bounds": parameters.bounds,
        "names": names,
        "min_count": parameters.min_count if parameters.keep_dependencies else None,
    }
    return make_columns(rows.targets, summary, **options), likelihood


def learn_table(
    rows: TrainingRows,
    parameters: ColumnParameters,
    kind: type[MixedColumns],
    likelihood: str,
    *,
    is_named: bool,
) -> MixedColumns:
    """Return the columns of a table, of a kind that has one likelihood."""
    allowed = {"likelihood": ("auto", likelihood), "bounds": ("auto",)}
    for name, given in (("likelihood", parameters.likelihood), ("bounds", parameters.bounds)):
        if not (isinstance(given, str) and given in allowed[name]):
            raise ValueError(
                f"The {name!r} parameter is for numbers alone, but X has labels, times or "
                f"missing cells; it must then be 'auto'. Got {given!r}."
            )
    options = replace(options_of(parameters), keep_dependencies=parameters.keep_dependencies)
    return kind.learn(rows.targets, rows.weights, options, is_named=is_named)
