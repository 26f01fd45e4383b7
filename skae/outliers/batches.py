"""Batches of rows."""


def batches_of(n_rows: int, size: int) -> list[slice]:
    """Return slices of at most `size` rows, at least one, that follow each other."""
    # scikit-learn's `gen_batches` checks its arguments for longer than a small batch takes.
    size = max(1, size)
    return [slice(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]
