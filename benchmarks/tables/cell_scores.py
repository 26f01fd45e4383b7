"""Which cell is wrong: the lowest of `score_cells` beside the largest residual of PCA.

    python -m benchmarks.tables.cell_scores [--set adult] [--sizes 2 4 8 16] [--seeds 0 1 2]

Three quarters of the rows train. In 5 % of the others one random cell takes the value of another
row, a different one; a method hits at 1, or 3, if that cell is the most suspicious of its row, or
among the three most.
"""

import argparse

import numpy as np
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from benchmarks.frames import OneHot, load_table
from benchmarks.report import circumstances, table
from skae import AutoencoderTransformer

SHARE = 0.05


def swap_cells(frame, random, n_rows=None):
    """Return some rows with one cell of another row each, and the positions of those cells.

    Columns of a single value are left alone.
    """
    n_rows = round(SHARE * len(frame)) if n_rows is None else n_rows
    some = random.choice(len(frame), n_rows, replace=False)
    swapped = frame.iloc[some].copy()
    varied = np.flatnonzero(frame.nunique(dropna=False) > 1)
    positions = varied[random.integers(len(varied), size=len(some))]
    for i, j in enumerate(positions):
        here = swapped.iat[i, j]
        others = frame.iloc[:, j].to_numpy()
        different = others[(others != here) & ~(frame.iloc[:, j].isna() & (here != here))]
        swapped.iat[i, j] = random.choice(different)
    return swapped, positions


def hits(suspicion, positions):
    """Return the share of rows whose most suspicious cell, and three such, hold the right one."""
    ranks = (suspicion >= suspicion[np.arange(len(positions)), positions][:, None]).sum(1)
    return (ranks <= 1).mean(), (ranks <= 3).mean()


def by_pca(train, swapped, n_components):
    """Return the largest standardised residual of every cell."""
    encoding = OneHot().fit(train)
    pca = PCA(n_components).fit(encoding.transform(train))

    def residuals(frame):
        rows = encoding.transform(frame)
        return rows - pca.inverse_transform(pca.transform(rows))

    scale = residuals(train).std(0) + 1e-12
    sizes = np.abs(residuals(swapped)) / scale
    column_of_number = np.array(encoding.column_of_number)
    return np.stack([sizes[:, column_of_number == name].max(1) for name in train], axis=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", default="adult")
    parser.add_argument("--sizes", nargs="+", type=int, default=[2, 4, 8, 16])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    args = parser.parse_args()
    print(circumstances(), flush=True)
    rows = []
    for k in args.sizes:
        found = []
        for seed in args.seeds:
            train, test = train_test_split(load_table(args.set), test_size=0.25, random_state=seed)
            swapped, positions = swap_cells(test, np.random.default_rng(seed))
            ours = AutoencoderTransformer(k, random_state=seed).fit(train)
            suspicions = (-ours.score_cells(swapped).to_numpy(), by_pca(train, swapped, k))
            found.append([hits(suspicion, positions) for suspicion in suspicions])
        (ours_1, ours_3), (pca_1, pca_3) = np.mean(found, axis=0)
        rows.append([k, *(f"{hit:.3f}" for hit in (ours_1, pca_1, ours_3, pca_3))])
        print(rows[-1], flush=True)
    header = ["components", "hit@1: skae", "PCA", "hit@3: skae", "PCA"]
    print(f"\n{table(header, rows)}")


if __name__ == "__main__":
    main()
