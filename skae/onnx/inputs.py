"""The inputs of an ONNX model: what goes in for every column of a row."""

from dataclasses import dataclass, field

# What stands for a missing cell of a column of whole numbers; numpy's NaT is this number.
NO_INTEGER = -(2**63)


@dataclass(frozen=True)
class Input:
    """One input of a model, of shape (n_rows, n_columns).

    Attributes
    ----------
    name : str
        Its name.
    kind : str
        The type of its elements: "float", "double", "int64" or "string".
    n_columns : int
        The number of columns.
    missing : str
        What stands for a missing cell.
    states : dict of str to int
        The states of texts.
    log_shares : dict of str to float
        The log shares of texts in their states, where these are not 0.
    unseen : float
        The log share of texts that are not among the states.
    """

    name: str
    kind: str
    n_columns: int = 1
    missing: str = "NaN"
    states: dict[str, int] = field(default_factory=dict)
    log_shares: dict[str, float] = field(default_factory=dict)
    unseen: float = 0.0
