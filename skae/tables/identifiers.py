"""What users are told of columns that look like identifiers."""

import warnings

import narwhals as nw

from skae.tables.kinds import looks_like_identifier
from skae.tables.table import Table


def warn_of_identifiers(table: Table) -> None:
    """Warn of columns that are left out because they are found to be identifiers."""
    found = [f"{field.name!r} ({field.about.reason})" for field in table.identifiers]
    if found:
        name = table.identifiers[0].name
        warnings.warn(
            f"{'Columns look' if len(found) > 1 else 'A column looks'} like identifiers and "
            f"{'are' if len(found) > 1 else 'is'} left out of the model: {', '.join(found)}. To "
            f"say so yourself, column_kinds={{{name!r}: 'identifier'}}; else say what it is, such "
            f"as 'category' or 'number'.",
            UserWarning,
            stacklevel=2,
        )


def warn_of_numbers(frame: nw.DataFrame, max_categories: int) -> None:
    """Warn of columns among numbers alone that look like identifiers, and are not left out."""
    reasons = {
        column.name: reason
        for column in frame.iter_columns()
        if column.dtype.is_numeric() and (reason := looks_like_identifier(column, max_categories))
    }
    if reasons:
        found = ", ".join(f"{name!r} ({reason})" for name, reason in reasons.items())
        warnings.warn(
            f"X holds numbers alone, and all of them are modelled, though these look like "
            f"identifiers: {found}. Drop them, or leave them out with "
            f"column_kinds={{{next(iter(reasons))!r}: 'identifier'}}.",
            UserWarning,
            stacklevel=2,
        )
