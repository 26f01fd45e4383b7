"""Columns that fix another: every combination of their cells comes with one cell of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np

from skae.dependencies.cells import MISSING, Column, Draws
from skae.dependencies.relation import Relation, one_of

# The evidence, in nats, that agreement is not by chance.
_EVIDENCE = 30.0
# The fewest rows, and their share, whose source was seen before, so that they could disagree.
_FEWEST_CHECKS, _SHARE_OF_CHECKS = 30, 0.5
# Pairs of columns are tried as sources among so many columns, those with the fewest values.
_MOST_PAIRED = 24
_N_TRIALS = 2000
_NEARLY = 0.995
# The share of rows from which on combinations that are not known cannot be.
_NEARLY_ALL = 0.98
# The largest share of disagreement, relative to that of independent columns, of a near relation.
_MOST_DISAGREEMENT = 0.1


@dataclass(frozen=True)
class Fixes(Relation):
    """One or two columns whose cells fix those of another.

    Attributes
    ----------
    sources : tuple of int
        The places of the columns that fix it.
    target : int
        Its place.
    levels : tuple of ndarray
        The cells of each source that are known, in rising order.
    keys : ndarray of shape (n_keys,)
        The combinations that are known, in rising order, as one number each.
    cells : ndarray of shape (n_keys,)
        The cell of the target that comes with each.
    counts : ndarray of shape (n_keys,)
        The number of rows that had it.
    is_complete : bool
        Whether nearly all rows had one of these combinations.
    """

    sources: tuple[int, ...]
    target: int
    levels: tuple[np.ndarray, ...]
    keys: np.ndarray
    cells: np.ndarray
    counts: np.ndarray
    is_complete: bool = True

    @classmethod
    def learn(
        cls, values: np.ndarray, sources: tuple[int, ...], target: int, min_count: int
    ) -> "Fixes":
        """Return the relation of rows in which it holds, of what enough rows share.

        Where it nearly holds, the commonest cell of the target counts. Missing sources count where
        they have one target as well.
        """
        known = ~np.isnan(values[:, [*sources, target]]).any(1)
        rows, counts = np.unique(values[known][:, [*sources, target]], axis=0, return_counts=True)
        order = np.lexsort([-counts, *rows[:, :-1].T[::-1]])
        rows, counts = rows[order], counts[order]
        is_new = np.append(True, (rows[1:, :-1] != rows[:-1, :-1]).any(1))[: len(rows)]
        is_last = np.append(is_new[1:], True)[: len(rows)]
        is_clear = (rows[:, :-1] != MISSING).all(1) | (is_new & is_last)
        chosen = is_new & is_clear & (counts >= min_count)
        is_complete = counts[chosen].sum() >= _NEARLY_ALL * known.sum()
        rows, counts = rows[chosen], counts[chosen]
        levels = tuple(np.unique(column) for column in rows[:, :-1].T)
        keys, _ = _keys_of(rows, tuple(range(len(sources))), levels)
        order = np.argsort(keys)
        return cls(
            sources, target, levels, keys[order], rows[order, -1], counts[order], bool(is_complete)
        )

    def look_up(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the cells that the sources fix, and where these are known."""
        keys, is_known = _keys_of(values, self.sources, self.levels)
        if not len(self.keys):
            return np.full(len(values), np.nan), np.zeros(len(values), dtype=bool)
        place = np.searchsorted(self.keys, keys).clip(max=len(self.keys) - 1)
        return self.cells[place], is_known & (self.keys[place] == keys)

    def derive(self, draws: Draws) -> None:
        """Set the target where the sources are settled."""
        where = draws.settled[:, list(self.sources)].all(1) & ~draws.settled[:, self.target]
        if where.any():
            cells, is_known = self.look_up(draws.values)
            draws.put(where & is_known, self.target, cells)

    def settle(self, draws: Draws) -> None:
        """Set the target, and settle the sources with it."""
        where = ~draws.settled[:, self.target]
        cells, is_known = self.look_up(draws.values)
        where &= is_known
        draws.put(where, self.target, cells)
        for source in self.sources:
            draws.settled[where, source] = True

    def is_broken(self, values: np.ndarray) -> np.ndarray:
        """Tell where the target is another than the source fixes, or the source is not known.

        A combination that is not known is broken only where nearly all rows had known ones of a
        single source; a pair of cells may be a new one, and have any target.
        """
        cells, is_known = self.look_up(values)
        is_label = ~np.isnan(values[:, [*self.sources, self.target]]).any(1)
        if len(self.sources) > 1 or not self.is_complete:
            return is_label & is_known & (cells != values[:, self.target])
        is_there = values[:, self.sources[0]] != MISSING
        return is_label & np.where(is_known, cells != values[:, self.target], is_there)

    def text(self, columns: Sequence[Column]) -> str:
        """Return it in words."""
        verb = "fix" if len(self.sources) > 1 else "fixes"
        sources = [columns[source] for source in self.sources]
        return f"{one_of(sources)} {verb} {columns[self.target].title}"


@dataclass(frozen=True)
class NearlyFixes:
    """A column that fixes another in nearly all rows."""

    source: int
    target: int
    share: float


@dataclass(frozen=True)
class Codes:
    """The cells of columns as small integers, -1 where a label is unknown.

    As a source, a missing cell counts for nothing: `sources` has -1 there as well.
    """

    codes: np.ndarray
    sources: np.ndarray
    sizes: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> "Codes":
        """Return the codes of rows."""
        codes = np.full(values.shape, -1, dtype=np.int64)
        for code, column in zip(codes.T, values.T, strict=True):
            known = ~np.isnan(column)
            code[known] = np.unique(column[known], return_inverse=True)[1]
        sources = np.where(values == MISSING, -1, codes)
        return cls(codes, sources, codes.max(0, initial=-1) + 1)


def in_order(fixes: Sequence[Fixes]) -> list[Fixes]:
    """Return relations in an order in which what fixes a column comes before what it fixes.

    Columns that fix each other, at once or by way of others, come one after another, single sources
    first.
    """
    places = {place for each in fixes for place in (*each.sources, each.target)}
    edges = {(source, each.target) for each in fixes for source in each.sources}
    reach = set(edges)
    for m in places:
        into, out = {s for s, t in reach if t == m}, {t for s, t in reach if s == m}
        reach |= {(s, t) for s in into for t in out}
    level = {j: sum((i, j) in reach and (j, i) not in reach for i in places) for j in places}

    def key(each: Fixes) -> tuple:
        is_mutual = any((each.target, source) in reach for source in each.sources)
        return level[each.target], is_mutual, len(each.sources), -len(each.keys)

    return sorted(fixes, key=key)


def find_fixes(
    values: np.ndarray,
) -> tuple[list[tuple[tuple[int, ...], int]], list[NearlyFixes]]:
    """Return which columns fix which, as sources and target, and which nearly do.

    It counts as found where no row disagrees, half of the rows or more could have, and their
    agreement cannot be by chance. Two columns are tried as sources where neither is one.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        The cells of the rows; see `Draws`.
    """
    trial = Codes.of(values[_trials(len(values))])
    coded = Codes.of(values)
    exact: list[tuple[tuple[int, ...], int]] = []
    near = []
    # Rows whose label is unknown may hold cells of the target that no other row has.
    most = coded.sizes + (coded.codes < 0).sum(0)
    for source, target in permutations(range(values.shape[1]), 2):
        if not 1 < coded.sizes[target] <= most[source]:
            continue
        if 2 * coded.sizes[source] > len(values):
            continue
        if _disagreement(trial.sources[:, source], trial.codes[:, target]) > 2 * (1 - _NEARLY):
            continue
        share = _agreement(coded, coded.sources[:, source], target)
        if share == 1:
            exact.append(((source,), target))
        elif share >= _NEARLY:
            near.append(NearlyFixes(source, target, share))
    single = {(sources[0], target) for sources, target in exact}
    exact += _find_pairs(coded, trial, single)
    return exact, _without_detours(near, single)


def _find_pairs(
    coded: Codes, trial: Codes, single: set[tuple[int, int]]
) -> list[tuple[tuple[int, ...], int]]:
    """Return the pairs of columns that fix a third that neither of them fixes."""
    order, most = np.argsort(coded.sizes, kind="stable"), len(coded.codes) // 2
    candidates = [j for j in order if 1 < coded.sizes[j] <= most]
    candidates = sorted(candidates[:_MOST_PAIRED])
    is_target = {j for j in range(len(coded.sizes)) if coded.sizes[j] > 1}
    found: list[tuple[tuple[int, ...], int]] = []
    for pair in combinations(candidates, 2):
        if pair in single or pair[::-1] in single:
            continue
        targets = [t for t in is_target - set(pair) if not {(pair[0], t), (pair[1], t)} & single]
        source = _joined(coded, pair)
        n_sources = len(np.unique(source[source >= 0]))
        if (source >= 0).sum() - n_sources < _SHARE_OF_CHECKS * (source >= 0).sum():
            continue
        for target in _possible(trial, pair, targets):
            is_fixed = n_sources >= coded.sizes[target] and _agreement(coded, source, target) == 1
            if is_fixed and _needs_both(coded, pair, target):
                found.append((pair, target))
    return [each for each in found if not _has_coarser(each, found, single)]


def _needs_both(coded: Codes, pair: tuple[int, int], target: int) -> bool:
    """Tell whether neither column alone would agree as well, but for chance."""
    source = _joined(coded, pair)
    n_checks = (source >= 0).sum() - len(np.unique(source[source >= 0]))
    alone = max(_count_agreement(coded, coded.sources[:, j], target)[0] for j in pair)
    return bool(-n_checks * np.log(max(alone, 1e-12)) >= _EVIDENCE)


def _has_coarser(
    each: tuple[tuple[int, ...], int],
    found: list[tuple[tuple[int, ...], int]],
    single: set[tuple[int, int]],
) -> bool:
    """Tell whether a column that one of the sources fixes serves as well in its place."""
    pair, target = each
    for own, other in (pair, pair[::-1]):
        coarser = {t for s, t in single if s == own and (t, own) not in single}
        if any((tuple(sorted((m, other))), target) in found for m in coarser):
            return True
    return False


def _possible(trial: Codes, pair: tuple[int, int], targets: list[int]) -> Iterator[int]:
    """Yield the targets that a few rows leave possible."""
    source = _joined(trial, pair)
    order = np.argsort(source, kind="stable")
    same = (np.diff(source[order]) == 0) & (source[order][1:] >= 0)
    if not same.any():
        yield from targets
        return
    cells = trial.codes[order][:, targets]
    differs = (cells[1:] != cells[:-1]) & (cells[1:] >= 0) & (cells[:-1] >= 0)
    yield from (
        t for t, bad in zip(targets, (differs & same[:, None]).any(0), strict=True) if not bad
    )


def _joined(coded: Codes, pair: tuple[int, int]) -> np.ndarray:
    """Return the combinations of two columns as one code, -1 where one is unknown."""
    first, second = (coded.sources[:, j] for j in pair)
    joined = first * coded.sizes[pair[1]] + second
    return np.where((first < 0) | (second < 0), -1, joined)


def _agreement(coded: Codes, source: np.ndarray, target: int) -> float:
    """Return the share of rows that agree with others of their source; 0 where it may be chance."""
    share, n_checks = _count_agreement(coded, source, target)
    if n_checks < max(_FEWEST_CHECKS, _SHARE_OF_CHECKS * (source >= 0).sum()):
        return 0.0
    cells = coded.codes[coded.codes[:, target] >= 0, target]
    by_chance = float(((np.bincount(cells) / len(cells)) ** 2).sum())
    if -n_checks * np.log(by_chance) < _EVIDENCE:
        return 0.0
    is_near = 1 - share <= _MOST_DISAGREEMENT * (1 - by_chance)
    return share if share == 1 or is_near else 0.0


def _count_agreement(coded: Codes, source: np.ndarray, target: int) -> tuple[float, int]:
    """Return the share of rows, and of how many, that agree with an earlier row of their source."""
    known = (source >= 0) & (coded.codes[:, target] >= 0)
    source, cells, size = source[known], coded.codes[known, target], coded.sizes[target]
    pairs, counts = np.unique(source * size + cells, return_counts=True)
    starts = np.flatnonzero(np.diff(pairs // size, prepend=-1))
    n_checks = len(source) - len(starts)
    if n_checks == 0:
        return 0.0, 0
    n_agreeing = int(np.maximum.reduceat(counts, starts).sum())
    return (n_agreeing - len(starts)) / n_checks, n_checks


def _disagreement(source: np.ndarray, target: np.ndarray) -> float:
    """Return the share of rows that have another cell than most rows of their source."""
    known = (source >= 0) & (target >= 0)
    source, target = source[known], target[known]
    if not len(source):
        return 0.0
    pairs, counts = np.unique(source * (target.max() + 1) + target, return_counts=True)
    starts = np.flatnonzero(np.diff(pairs // (target.max() + 1), prepend=-1))
    return 1 - float(np.maximum.reduceat(counts, starts).sum()) / len(source)


def _without_detours(near: list[NearlyFixes], single: set[tuple[int, int]]) -> list[NearlyFixes]:
    """Leave out what follows from another near relation and an exact one."""
    ends = {(each.source, each.target) for each in near}

    def follows(each: NearlyFixes) -> bool:
        middles = {t for s, t in ends | single if s == each.source} - {each.target}
        return any((m, each.target) in single and (each.target, m) not in single for m in middles)

    return [each for each in near if not follows(each)]


def _keys_of(
    values: np.ndarray, sources: tuple[int, ...], levels: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return combinations of cells as one number each, and where all of these cells are known."""
    keys, is_known = np.zeros(len(values), dtype=np.int64), np.ones(len(values), dtype=bool)
    for source, known in zip(sources, levels, strict=True):
        cells = values[:, source]
        place = np.searchsorted(known, cells).clip(max=max(0, len(known) - 1))
        is_known &= (known[place] == cells) if len(known) else False
        keys = keys * max(1, len(known)) + place
    return keys, is_known


def _trials(n_rows: int) -> np.ndarray:
    return np.unique(np.linspace(0, n_rows - 1, min(n_rows, _N_TRIALS)).astype(int))
