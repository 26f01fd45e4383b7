"""Labels too rare for a state of their own: how often each was seen, as far as that is kept."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import log

import numpy as np

_BYTES = 8


def _salt() -> bytes:
    return secrets.token_bytes(16)


@dataclass(frozen=True)
class RareLabels:
    """The labels of a column that share one state, "other".

    Labels that fewer rows have than may be told are counted, but not kept.

    Attributes
    ----------
    counts : dict
        From each label that is kept to the number of its cells, the commonest first.
    n_hidden_labels, n_hidden_cells : int
        How many labels are not kept, and how many cells have them.
    marks : frozenset of bytes or None
        Salted hashes of these, where unknown labels are not accepted.
    """

    counts: Mapping[object, int] = field(default_factory=dict)
    n_hidden_labels: int = 0
    n_hidden_cells: int = 0
    marks: frozenset[bytes] | None = None
    salt: bytes = field(default_factory=_salt, repr=False, compare=False)

    @classmethod
    def learn(
        cls, counts: Mapping[object, int], min_count: int, *, accepts_unknown: bool
    ) -> "RareLabels":
        """Return what is kept of labels and the numbers of their cells."""
        kept = {label: n for label, n in counts.items() if n >= min_count}
        hidden = {label: n for label, n in counts.items() if n < min_count}
        found = cls(kept, len(hidden), sum(hidden.values()))
        return found if accepts_unknown else found.marking(hidden)

    def marking(self, labels: Iterable[object]) -> "RareLabels":
        """Return the same, which knows more labels."""
        marks = {self._mark(label) for label in labels if label not in self.counts}
        return replace(self, marks=(self.marks or frozenset()) | marks)

    def knows(self, label: object) -> bool:
        """Tell whether a label was seen, as far as that is kept."""
        if label in self.counts:
            return True
        return self.marks is not None and self._mark(label) in self.marks

    @property
    def n_cells(self) -> int:
        """The number of cells with any of the labels."""
        return sum(self.counts.values()) + self.n_hidden_cells

    @property
    def n_labels(self) -> int:
        """The number of labels."""
        return len(self.counts) + self.n_hidden_labels

    @property
    def shares(self) -> np.ndarray:
        """How often each label that is kept was seen, among these."""
        counts = np.array(list(self.counts.values()), dtype=float)
        return counts / counts.sum()

    @property
    def log_largest(self) -> float:
        """The log share of the commonest label in all; minus infinity if none is kept."""
        if not self.counts:
            return -np.inf
        return log(next(iter(self.counts.values())) / self.n_cells)

    def log_share(self, label: object) -> float:
        """Return the log share of a label among all, one of which may be new."""
        hidden = (self.n_hidden_cells + 1) / (self.n_hidden_labels + 1)
        n = float(self.counts.get(label, hidden))
        return log(n / (self.n_cells + 1))

    def _mark(self, label: object) -> bytes:
        text = repr(label).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self.salt, digest_size=_BYTES).digest()
