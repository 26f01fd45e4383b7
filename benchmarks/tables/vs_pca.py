"""AutoencoderTransformer at its defaults beside PCA: held-out squared error and seconds.

    python -m benchmarks.tables.vs_pca [--sets digits wine ...] [--seeds 0 1 2] [--out runs.json]

Every cell is a set and a number of components; its ratio is the autoencoder's squared error on
the test rows over PCA's, in the same metric, as the mean over seeds of the split and the fit.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA

from benchmarks.data import DEVELOPMENT, KEPT_ASIDE, split
from benchmarks.report import circumstances, earlier, table
from skae import AutoencoderTransformer

SIZES = (2, 4, 8, 16, 32)
ALLOWED = 1.005


def squared_error(transformer, X):
    """Return the mean squared error of a row."""
    return ((transformer.inverse_transform(transformer.transform(X)) - X) ** 2).sum(1).mean()


def run(name, n_components, seed):
    """Return the errors and the seconds of both on one split."""
    train, test = split(name, seed)
    result = {"set": name, "k": n_components, "seed": seed, "rows": len(train)}
    result["columns"] = train.shape[1]
    for label, transformer in (
        ("pca", PCA(n_components, random_state=seed)),
        ("ae", AutoencoderTransformer(n_components, random_state=seed)),
    ):
        start = time.perf_counter()
        transformer.fit(train)
        result[f"{label}_seconds"] = time.perf_counter() - start
        result[f"{label}_error"] = float(squared_error(transformer, test))
    return result


def cells(results):
    """Yield the mean ratio, the largest ratio and the mean seconds of every cell."""
    keys = dict.fromkeys((r["set"], r["k"]) for r in results)
    for key in keys:
        runs = [r for r in results if (r["set"], r["k"]) == key]
        ratios = [r["ae_error"] / r["pca_error"] for r in runs]
        errors = [np.mean([r[f"{label}_error"] for r in runs]) for label in ("pca", "ae")]
        seconds = [np.mean([r[f"{label}_seconds"] for r in runs]) for label in ("pca", "ae")]
        yield key, runs[0], errors, ratios, seconds


def summary(results):
    """Return the table of all cells and what they come to."""
    rows, means, largest = [], [], []
    for (name, k), run_, errors, ratios, seconds in cells(results):
        means.append(np.mean(ratios))
        largest.append(max(ratios))
        rows.append(
            [name, run_["rows"], run_["columns"], k]
            + [f"{error:.4g}" for error in errors]
            + [f"{means[-1]:.3f}", f"{largest[-1]:.3f}"]
            + [f"{second:.2f}" for second in seconds]
        )
    header = ["set", "rows", "columns", "components", "PCA error", "AE error"]
    header += ["ratio, mean", "ratio, largest", "PCA s", "AE s"]
    n_runs = len(results)
    n_above = sum(r["ae_error"] > ALLOWED * r["pca_error"] for r in results)
    return "\n".join(
        [
            table(header, rows),
            "",
            f"{len(rows)} cells, {n_runs} runs; median ratio {np.median(means):.3f}; "
            f"cells above {ALLOWED}: {sum(mean > ALLOWED for mean in means)}, "
            f"largest {max(means):.3f}; runs above: {n_above}, largest {max(largest):.3f}",
        ]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=[*DEVELOPMENT, *KEPT_ASIDE])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--out", help="write all runs to this JSON file, and go on from it")
    args = parser.parse_args()
    print(circumstances(), flush=True)
    results = earlier(args.out)
    done = {(r["set"], r["k"]) for r in results}
    for name in args.sets:
        n_columns = split(name, 0)[0].shape[1]
        for k in (k for k in SIZES if k < n_columns and (name, k) not in done):
            results += [run(name, k, seed) for seed in args.seeds]
            last = results[-len(args.seeds) :]
            print(name, k, *(f"{r['ae_error'] / r['pca_error']:.3f}" for r in last), flush=True)
            if args.out:
                Path(args.out).write_text(json.dumps(results))
    for title, names in (("development sets", DEVELOPMENT), ("sets kept aside", KEPT_ASIDE)):
        part = [r for r in results if r["set"] in names]
        if part:
            print(f"\n### {title}\n\n{summary(part)}")
    print(f"\nAll: {summary(results).splitlines()[-1]}")


if __name__ == "__main__":
    main()
