"""The tables of `benchmarks.outliers.adbench`.

A method's figure on a set is the mean over its seeds; a set on which it failed does not count in
its means, and is the worst of all ranks. Areas are in points, of 100.
"""

import numpy as np
import pandas as pd
from scipy.stats import wilcoxon

from benchmarks.outliers.rivals import RIVALS
from benchmarks.outliers.sets import ASIDE, REGIMES, SETS, TUNED_ON
from benchmarks.report import table

OURS = "skae"
MAIN = (OURS, *RIVALS)
ASKED = (0.01, 0.05, 0.1)
AREAS = ("auc", "ap")
MEASURED = (*AREAS, "fit", "score", *(f"flagged_{asked}" for asked in ASKED), "error")
TIE = 1e-4
NOTHING = "–"


def means(runs, measure):
    """Return a frame of the means over seeds: a line for a set, a column for a method."""
    wide = runs.pivot_table(index="set", columns="method", values=measure, aggfunc="mean")
    failed = runs.loc[runs["error"].notna(), ["set", "method"]].drop_duplicates()
    for name, method in failed.itertuples(index=False):
        if name in wide.index:
            wide.loc[name, [column for column in wide if is_of(method, column)]] = np.nan
    main = [method for method in MAIN if method in wide]
    others = [method for method in dict.fromkeys(runs["method"]) if method in wide]
    order = main + [method for method in others if method not in main]
    return wide.loc[[name for name in SETS if name in wide.index], order]


def is_of(method, column):
    """Tell whether a column is of a method; all that is read from one fit is of skae."""
    return column == method or (method == OURS and column.startswith(OURS))


def ranks(wide):
    """Return the mean rank of the main methods; one is the best."""
    main = wide[[method for method in MAIN if method in wide]]
    return main.fillna(-np.inf).rank(axis=1, ascending=False).mean()


def difference(wide, method):
    """Return what skae has more than a method, on the sets that both have."""
    if OURS not in wide or method == OURS:
        return np.array([])
    return (wide[OURS] - wide[method]).dropna().to_numpy()


def wins(wide, method):
    """Return on how many sets skae is better, and on how many it is worse."""
    more = difference(wide, method)
    return f"{(more > TIE).sum()}–{(more < -TIE).sum()}" if len(more) else NOTHING


def holm(p_values):
    """Return the p-values of several tests, corrected by Holm's procedure."""
    order = np.argsort(p_values)
    steps = np.sort(p_values) * np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected


def tests(wide):
    """Return the corrected p-value of skae beside each rival, over the sets."""
    pairs = {m: difference(wide, m) for m in wide if m in RIVALS}
    found = {m: wilcoxon(more).pvalue for m, more in pairs.items() if np.any(more)}
    return dict(zip(found, holm(np.array(list(found.values()))), strict=True))


def points(value):
    """Return a share in points."""
    return NOTHING if np.isnan(value) else f"{100 * value:.1f}"


def both(cells):
    """Return a cell for the ROC curve beside one for the average precision."""
    cells = list(cells)
    return NOTHING if set(cells) == {NOTHING} else " / ".join(cells)


def mean_cell(wides, method, sets):
    """Return the mean areas of a method over some sets."""
    columns = (wide[method].reindex(sets).dropna() for wide in wides)
    return both(points(column.mean()) if len(column) else NOTHING for column in columns)


def number_cell(by_area, method, form):
    """Return numbers of a method, or that there are none."""
    return both(format(each[method], form) if method in each else NOTHING for each in by_area)


def seconds_cell(runs, method, measure):
    """Return the median seconds of a method."""
    seconds = runs.loc[runs["method"] == method, measure].dropna()
    return f"{seconds.median():.2g}" if len(seconds) else NOTHING


def of_methods(runs):
    """Return the table of all methods."""
    wides = [means(runs, area) for area in AREAS]
    ranked, tested = [ranks(wide) for wide in wides], [tests(wide) for wide in wides]
    rows = []
    for method in wides[0]:
        row = [method, wides[0][method].notna().sum()]
        row += [mean_cell(wides, method, sets) for sets in (SETS, TUNED_ON, ASIDE)]
        row += [number_cell(ranked, method, ".1f"), both(wins(wide, method) for wide in wides)]
        row += [number_cell(tested, method, ".2g")]
        row += [seconds_cell(runs, method, measure) for measure in ("fit", "score")]
        rows.append(row)
    header = ["method", "sets", "all sets: AUC / AP", "tuned on", "kept aside", "mean rank"]
    header += ["skae wins–losses", "p, Holm", "fit s, median", "score s, median"]
    return table(header, rows)


def of_sets(runs):
    """Return the table of all sets."""
    wides = [means(runs, area) for area in AREAS]
    methods = [method for method in MAIN if method in wides[0]]
    rows = []
    for name in wides[0].index:
        cells = [both(points(wide.loc[name, method]) for wide in wides) for method in methods]
        rows.append([f"{name} *" if name in ASIDE else name, *cells])
    return table(["set: AUC / AP", *methods], rows)


def of_thresholds(runs):
    """Return the table of the shares of test inliers that thresholds flag."""
    wides = {asked: means(runs, f"flagged_{asked}") for asked in ASKED}
    rows = []
    for method in wides[ASKED[0]]:
        shares = [(asked, wide[method].dropna()) for asked, wide in wides.items()]
        cells = [threshold_cells(share, asked) for asked, share in shares]
        rows.append([method, *(cell for three in cells for cell in three)])
    header = [[f"{100 * c:g} %: mean", "mean deviation", "largest"] for c in ASKED]
    return table(["method", *(cell for three in header for cell in three)], rows)


def threshold_cells(shares, asked):
    """Return the mean share, and its mean and its largest distance from what was asked for."""
    apart = (shares - asked).abs()
    return [points(value) for value in (shares.mean(), apart.mean(), apart.max())]


def remarks(runs):
    """Return lines on what failed and on what is not there."""
    lines = []
    for (method, name), part in runs[runs["error"].notna()].groupby(["method", "set"]):
        seeds = ", ".join(str(seed) for seed in sorted(part["seed"]))
        lines.append(f"- {method} failed on {name}, seeds {seeds}: {part['error'].iloc[0]}")
    for method, part in runs[runs["method"].isin(MAIN)].groupby("method", sort=False):
        missing = runs[["set", "seed"]].drop_duplicates().shape[0] - len(part)
        if missing:
            lines.append(f"- {method}: {missing} runs are missing, not failed")
    return "\n".join(lines)


def summary(runs):
    """Return all tables of some runs, by regime."""
    if not runs:
        return "no runs"
    frame = pd.DataFrame(runs).drop_duplicates(["method", "set", "regime", "seed"], keep="last")
    frame = frame.reindex(columns=dict.fromkeys([*frame, *MEASURED]))
    sections = []
    for regime in (regime for regime in REGIMES if (frame["regime"] == regime).any()):
        part = frame[frame["regime"] == regime]
        sections += [f"\n## {regime}", of_methods(part), remarks(part)]
        sections += ["Sets with a star were kept aside.", of_sets(part)]
        sections += ["Test inliers that are flagged, in %.", of_thresholds(part)]
    return "\n\n".join(section for section in sections if section)
