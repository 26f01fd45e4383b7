"""Number: a column of numbers or times as numbers and states, and the way back."""

from dataclasses import dataclass
from typing import ClassVar

import narwhals as nw
import numpy as np
import pandas as pd

from skae.dependencies.cells import Column
from skae.tables.cells import MISSING, N_RESERVED, VALUE
from skae.tables.field import DRAWN, About, Decoding, Field
from skae.tables.formats import Format, Plain, column_like
from skae.tables.kinds import Reading, TableOptions
from skae.tables.raw_numbers import raw_numbers, seconds_of
from skae.tables.scale import Scale
from skae.tables.words import Words, find_words

_LEAST_POINT_MASS = 0.02
_POINT_MASS_TO_MEAN = 10
# A column whose values come again so often has levels, of which there are not more than so many.
_ROWS_PER_LEVEL = 10
_MOST_LEVELS = 1000
# The largest number of levels of which each can have a state.
_MOST_LEVEL_STATES = 120


@dataclass(frozen=True)
class Number(Field):
    """A column of numbers or times, some of whose values may be too frequent to be called numbers.

    A cell has one of these states: it is a number, it is missing, it is a point mass, or it is a
    word.

    Attributes
    ----------
    format : Format
        How its cells are written.
    template : narwhals.Series
        The column without its rows.
    scale : Scale
        The way between its values and encoded numbers.
    low, high : float
        The range of the encoded numbers.
    point_masses : ndarray of shape (n_point_masses,)
        The encoded numbers that have a state of their own.
    levels : ndarray of shape (n_levels,) or None
        All encoded numbers that there are, where these are few; numbers come back as one of them.
    words : Words or None
        The cells that stand for no number; None where none can.
    shares : ndarray of shape (n_states,)
        How often each state was seen.
    """

    format: Format
    template: nw.Series
    scale: Scale
    low: float
    high: float
    point_masses: np.ndarray
    levels: np.ndarray | None
    words: Words | None
    shares: np.ndarray
    is_number: ClassVar[bool] = True

    @classmethod
    def learn(
        cls, column: nw.Series, reading: Reading, options: TableOptions, fewest: float
    ) -> "Number":
        """Return the field of a column; see `Category.learn`."""
        parsed = reading.format.parse(column)
        raw = raw_numbers(parsed.values)
        scale = Scale.learn(parsed.values, raw.numbers)
        numbers = scale.encode(raw.numbers)
        values, counts = np.unique(numbers, return_counts=True)
        n_rows = len(column)
        levels = values if len(values) <= min(_MOST_LEVELS, n_rows // _ROWS_PER_LEVEL) else None
        is_frequent = counts >= _fewest_of_state(counts, n_rows, levels, options)
        words, n_words = find_words(parsed.words, reading.format, options, fewest)
        n_missing = int(raw.missing.sum()) - sum(n_words)
        n_plain = int(counts[~is_frequent].sum())
        seen = [n_plain, n_missing, *counts[is_frequent], *n_words]
        kind = "integer" if reading.kind == "number" and scale.is_whole else reading.kind
        about = About(
            kind,
            reading.reason,
            len(values) + (words.rare.n_labels + len(words.labels) if words else 0),
            n_missing / n_rows,
            n_words[-1] / n_rows if n_words else 0.0,
            reading.format.text,
        )
        return cls(
            column.name,
            about,
            reading.format,
            column.to_frame()[:0].clone().get_column(column.name),
            scale,
            float(values[0]),
            float(values[-1]),
            values[is_frequent],
            levels,
            words,
            np.array(seen) / n_rows,
        )

    @property
    def n_states(self) -> int:
        """The number of states: a number, a missing cell, every point mass and every word."""
        return N_RESERVED + len(self.point_masses) + (self.words.n_states if self.words else 0)

    @property
    def _kind(self) -> type:
        """The type of numpy whose rounding the numbers have."""
        return np.float32 if self.scale.template.dtype == nw.Float32 else np.float64

    @property
    def first_word(self) -> int:
        """The first state of a word, if there are any."""
        return N_RESERVED + len(self.point_masses)

    @property
    def share_without_number(self) -> float:
        """The share of cells that hold no number."""
        return float(self.shares[MISSING] + self.shares[self.first_word :].sum())

    @property
    def has_level_states(self) -> bool:
        """Whether every level has a state, so that no cell is a number by itself."""
        return self.levels is not None and len(self.levels) == len(self.point_masses)

    @property
    def log_largest(self) -> float:
        """The log share of a number among its state."""
        return 0.0

    def encode(self, column: nw.Series) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers, NaN where cells hold none, and the states, shapes (n_rows,)."""
        self._check_same_sort(column)
        parsed = self.format.parse(column)
        raw = raw_numbers(parsed.values, self.scale.template.dtype)
        numbers = np.full(len(column), np.nan)
        numbers[~raw.missing] = self.scale.encode(raw.numbers)
        states = self.states_of(numbers)
        if self.words is not None:
            is_word = np.array([word is not None for word in parsed.words], dtype=bool)
            states[is_word] = self._states_of_words(parsed.words[is_word])
        return numbers, states

    def states_of(self, numbers: np.ndarray) -> np.ndarray:
        """Return the states of encoded numbers, shape (n_rows,)."""
        states = np.where(np.isnan(numbers), MISSING, VALUE).astype(np.int32)
        if len(self.point_masses):
            place = np.searchsorted(self.point_masses, numbers).clip(max=len(self.point_masses) - 1)
            states[self.point_masses[place] == numbers] = N_RESERVED
            is_frequent = states == N_RESERVED
            states[is_frequent] += place[is_frequent].astype(np.int32)
        return states

    def numbers_of(self, numbers: np.ndarray, states: np.ndarray) -> np.ndarray:
        """Return the encoded numbers that states stand for, NaN where cells hold none."""
        return np.where(states == VALUE, numbers, self._numbers_of_states[states])

    def bring(self, numbers: np.ndarray, states: np.ndarray) -> np.ndarray:
        """Return the numbers that cells are decoded to, NaN where they hold none."""
        states = self.likely_states(numbers, states)
        numbers = np.clip(self.numbers_of(numbers, states), self.low, self.high)
        if self.levels is not None:
            there = ~np.isnan(numbers)
            numbers[there] = _nearest(self.levels, numbers[there])
            return numbers
        return self.scale.round(numbers)

    def likely_states(self, numbers: np.ndarray, states: np.ndarray) -> np.ndarray:
        """Return states of draws, of which none is missing if no cell of the column was."""
        is_number = (states == MISSING) & (self.shares[MISSING] == 0) & ~np.isnan(numbers)
        return np.where(is_number, VALUE, states)

    def as_column(self) -> Column:
        """Return what dependencies need to know of it."""
        scale = self.scale
        per_second = seconds_of(scale.template.dtype)
        unit = float(scale.step) if scale.is_stepped else 1.0
        step = unit if scale.is_stepped else scale.grid.unit if scale.grid else 0.0
        return Column(
            self.name,
            is_number=True,
            is_time=self.kind in ("date", "datetime"),
            offset=scale.origin / per_second,
            unit=unit / per_second,
            step=step / per_second,
            precision=float(np.finfo(self._kind).eps),
            low=self.low,
            high=self.high,
            levels=self.levels,
            is_vague=self.levels is not None and not self.has_level_states,
        )

    def log_shares(self, column: nw.Series, states: np.ndarray) -> np.ndarray:
        """Return the log share of each word among those of its state, shape (n_rows,)."""
        found = np.zeros(len(states))
        if self.words is None:
            return found
        places = np.flatnonzero(states == self.n_states - 1)
        if len(places):
            words = self.format.parse(column[places.tolist()]).words
            found[places] = [self.words.rare.log_share(word) for word in words]
        return found

    def decode(
        self, numbers: np.ndarray, states: np.ndarray, decoding: Decoding = DRAWN
    ) -> nw.Series:
        """Return the column of numbers and states, of shapes (n_rows,).

        Numbers are brought to the levels, the steps or the grid that the column had, and to its
        range; if they extrapolate, integers and times alone are kept in the range, and others on
        the side of zero where the column was. Where it had no missing cells, none comes back.
        """
        missing = (states == MISSING) & (self.shares[MISSING] > 0)
        is_word = states >= self.first_word
        numbers = np.where(states >= N_RESERVED, self._numbers_of_states[states], numbers)
        low, high = self._bounds(decoding)
        numbers = np.clip(np.where(missing | np.isnan(numbers), self.low, numbers), low, high)
        if self.levels is not None and not decoding.is_brought:
            is_inside = (numbers >= self.low) & (numbers <= self.high)
            numbers = np.where(is_inside, _nearest(self.levels, numbers), numbers)
        values = self.scale.decode(numbers, missing | is_word)
        column = self.format.render(values, self.template)
        return self._with_words(column, states, decoding.rng) if is_word.any() else column

    @property
    def values(self) -> str:
        """What the schema says of the numbers."""
        ends = np.array([self.low, self.high])
        low, high = self._show(ends)
        text = f"{low} to {high}"
        if self.levels is not None and len(self.levels) < 10:
            text = ", ".join(map(str, self._show(self.levels)))
        elif not self.has_level_states and len(self.point_masses):
            text += f", often {', '.join(map(str, self._show(self.point_masses)[:5]))}"
        if self.words is not None and self.words.labels:
            text += f", or {', '.join(map(repr, self.words.labels))}"
        return text

    def _show(self, numbers: np.ndarray) -> list:
        return self.decode(numbers, np.full(len(numbers), VALUE), Decoding()).to_list()

    @property
    def _numbers_of_states(self) -> np.ndarray:
        n_words = self.words.n_states if self.words else 0
        return np.concatenate([[0.0, np.nan], self.point_masses, np.full(n_words, np.nan)])

    def _bounds(self, decoding: Decoding) -> tuple[float, float]:
        if not decoding.extrapolates or self.scale.is_stepped:
            return self.low, self.high
        return 0.0 if self.low >= 0 else -np.inf, 0.0 if self.high <= 0 else np.inf

    def _states_of_words(self, words: np.ndarray) -> np.ndarray:
        assert self.words is not None
        first = self.first_word
        known = {word: first + i for i, word in enumerate(self.words.labels)}
        unknown = set(words).difference(known)
        if self.words.rare.marks is not None:
            strange = sorted(repr(w) for w in unknown if not self.words.rare.knows(w))
            if strange:
                raise ValueError(
                    f"Column {self.name!r} of X holds cells that fit did not see and that are no "
                    f"numbers as {self.format.text} is: {', '.join(strange[:5])}. With "
                    f"handle_unknown='other' they count as other cells."
                )
        return np.array([known.get(word, self.n_states - 1) for word in words], dtype=np.int32)

    def _with_words(
        self, column: nw.Series, states: np.ndarray, rng: np.random.Generator | None
    ) -> nw.Series:
        """Put words where states stand for them."""
        assert self.words is not None
        first = self.first_word
        labels, rare = [*self.words.labels, None], self.words.rare
        cells = column.to_list()
        for i in np.flatnonzero(states >= first):
            cells[i] = labels[states[i] - first]
        others = np.flatnonzero(states == self.n_states - 1)
        if rare.counts and len(others):
            kept = list(rare.counts)
            drawn = np.zeros(len(others), dtype=int)
            if rng is not None:
                drawn = rng.choice(len(kept), size=len(others), p=rare.shares)
            for i, j in zip(others, drawn, strict=True):
                cells[i] = kept[j]
        return column_like(pd.Series(cells, dtype=object), self.template)

    def _check_same_sort(self, column: nw.Series) -> None:
        dtype = self.template.dtype
        if isinstance(self.format, Plain):
            if column.is_null().all():
                return
            if dtype.is_temporal():
                zones = [getattr(each, "time_zone", None) is None for each in (dtype, column.dtype)]
                same = type(dtype) is type(column.dtype) and zones[0] == zones[1]
            else:
                same = column.dtype.is_numeric() or column.dtype == nw.Boolean
        else:
            same = self.format.accepts(column.dtype)
        if not same:
            raise ValueError(
                f"Column {self.name!r} of X held {self.kind} values of type {dtype} in fit. Got "
                f"values of type {column.dtype}."
            )


def _nearest(levels: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    between = (levels[:-1] + levels[1:]) / 2
    return levels[np.searchsorted(between, numbers)]


def _fewest_of_state(
    counts: np.ndarray, n_rows: int, levels: np.ndarray | None, options: TableOptions
) -> float:
    """Return the number of cells that a number needs for a state of its own."""
    if options.has_level_states and levels is not None and len(levels) <= _MOST_LEVEL_STATES:
        return 0.0
    return max(_LEAST_POINT_MASS * n_rows, _POINT_MASS_TO_MEAN * float(counts.mean()))
