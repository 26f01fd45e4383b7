"""Samples of tables: skae's beside what else draws rows, judged by `skae.metrics`.

    python -m benchmarks.tables.samples [--table adult] [--seeds 5] [--rivals FOLDER]
        [--out runs.json]

Four fifths of the rows train, and as many are drawn. Rivals: columns drawn one by one, a Gaussian
mixture on the one-hot table that skae's PCA sees, and the samples of TVAE, CTGAN and ARF that
`benchmarks.tables.ctgan_samples` left in a folder. `lockstep` is the share of rows whose education
and its number belong together; seconds are those of `fit` and of drawing all rows.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from benchmarks.frames import OneHot, load_table, parts
from benchmarks.report import circumstances, earlier, table
from skae import VAETransformer
from skae.metrics import evaluate_samples, global_utility, independent_columns

TARGETS = {
    "adult": "income",
    "churn": "Exited",
    "california": "target",
    "melbourne": None,
    "superstore": None,
}
MEASURES = [
    "shape",
    "trend",
    "two_sample_auc",
    "train_on_synthetic",
    "nearest_copy_share",
    "density",
    "coverage",
    "global_utility",
    "lockstep",
    "fit",
    "sample",
]
N_DIRECTIONS, N_MIXTURE = 30, 30


def skae(train, seed, **params):
    """Return samples of a variational autoencoder, and the seconds that they took."""
    started = time.perf_counter()
    autoencoder = VAETransformer(random_state=seed, **params).fit(train)
    fitted = time.perf_counter()
    samples = autoencoder.sample(len(train), random_state=seed)
    return samples, fitted - started, time.perf_counter() - fitted


def mixture(train, seed):
    """Return samples of a Gaussian mixture in the space of principal components."""
    started = time.perf_counter()
    encoding = OneHot().fit(train)
    matrix = encoding.transform(train)
    pca = PCA(min(N_DIRECTIONS, matrix.shape[1]), random_state=seed).fit(matrix)
    density = GaussianMixture(N_MIXTURE, reg_covar=1e-4, random_state=seed)
    density.fit(pca.transform(matrix))
    fitted = time.perf_counter()
    codes, _ = density.sample(len(train))
    samples = encoding.inverse_transform(pca.inverse_transform(codes))[train.columns]
    for name in encoding.numbers:
        low, high = train[name].min(), train[name].max()
        samples[name] = samples[name].clip(low, high)
        if pd.api.types.is_integer_dtype(train[name]):
            samples[name] = samples[name].round().astype(int)
    return samples.astype(train.dtypes), fitted - started, time.perf_counter() - fitted


def of_folder(folder, model, name, train, seed):
    """Return samples that were left in a folder, or None."""
    path = folder / f"{model}_{name}_{seed}.csv"
    if not path.exists():
        return None
    seconds = json.loads(path.with_suffix(".json").read_text())
    samples = pd.read_csv(path, na_values="?").astype(train.dtypes)
    return samples[train.columns], seconds["fit"], seconds["sample"]


def judge(train, test, drawn, target, seed):
    """Return all measures of samples."""
    samples, fit, sample = drawn
    found = evaluate_samples(train, test, samples, target=target, random_state=seed)
    measures = dict(found["samples"].items())
    utility = global_utility(train, test, samples, random_state=seed)
    measures["global_utility"] = float(utility.mean())
    if "education-num" in train:
        number = train.groupby("education")["education-num"].first()
        together = samples["education"].map(number).to_numpy() == samples["education-num"]
        measures["lockstep"] = float(np.mean(together))
    return {**measures, "fit": fit, "sample": sample}, found["ceiling"].to_dict()


def methods(args):
    """Return every method by its name, from training rows and seed to samples and seconds."""
    return {
        "VAETransformer": skae,
        "VAETransformer, mixture": lambda train, seed: skae(train, seed, prior="gmm"),
        "independent columns": lambda train, seed: (independent_columns(train, seed), 0.0, 0.0),
        "Gaussian mixture": mixture,
        **{
            model: lambda train, seed, model=model: of_folder(
                args.rivals, model, args.table, train, seed
            )
            for model in ("TVAE", "CTGAN", "ARF")
            if args.rivals
        },
    }


def report(runs):
    """Print means over the seeds, with their standard deviations."""
    frame = pd.DataFrame(runs)
    rows = []
    for name, group in frame.groupby("name", sort=False):
        cells = [
            f"{group[measure].mean():.3f} ± {group[measure].std(ddof=0):.3f}"
            if measure in group and group[measure].notna().any()
            else ""
            for measure in MEASURES
        ]
        rows.append([name, len(group), *cells])
    print(table(["rows from", "seeds", *MEASURES], rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", default="adult", choices=list(TARGETS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--methods", nargs="+")
    parser.add_argument("--rivals", type=Path)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    print(circumstances(), flush=True)
    frame, target = load_table(args.table), TARGETS[args.table]
    runs = earlier(args.out)
    done = {(run["name"], run["seed"]) for run in runs}
    for seed in range(args.seeds):
        train, test = parts(frame, seed)
        for name, draw in methods(args).items():
            if (name, seed) in done or (args.methods and name not in args.methods):
                continue
            drawn = draw(train, seed)
            if drawn is None:
                continue
            measures, ceiling = judge(train, test, drawn, target, seed)
            runs.append({"name": name, "seed": seed, **measures})
            if not any(run["name"] == "real rows" and run["seed"] == seed for run in runs):
                runs.append({"name": "real rows", "seed": seed, **ceiling})
            print(runs[-1], flush=True)
            if args.out:
                args.out.write_text(json.dumps(runs))
    report(runs)


if __name__ == "__main__":
    main()
