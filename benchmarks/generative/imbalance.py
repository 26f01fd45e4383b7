"""LatentResampler beside SMOTE, class weights and nothing, where one class is rare.

    python -m benchmarks.generative.imbalance [--parts adbench adult] [--seeds 0] [--rows 4000]

Two-fold cross-validation. "adbench": the shared sets, of which outliers are the rare class, numbers
standardised. "adult": a sample of Adult, its rare class thinned to 5 % (SMOTENC instead of SMOTE).
Average precision of a logistic regression and of boosted trees, and balanced accuracy at the
threshold that is best for it on the training rows before any were added; means over sets, and the
number of sets where the method has a higher average precision than nothing has.
"""

import argparse

import numpy as np
from imblearn.over_sampling import SMOTE, SMOTENC
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, balanced_accuracy_score, roc_curve
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.data import find
from benchmarks.frames import load_table
from benchmarks.report import circumstances, table
from skae import LatentResampler

FEWEST_RARE = 10
N_ROWS_OF_ADULT, RARE_SHARE = 8000, 0.05
LABEL = "income"


def sets(n_rows):
    """Yield the names, rows and labels of sets, at most as many rows of each."""
    random = np.random.default_rng(0)
    for path in sorted(find("adbench").glob("*.npz")):
        data = np.load(path)
        X, y = data["X"].astype(float), data["y"].astype(int)
        kept = np.sort(random.permutation(len(X))[:n_rows])
        X, y = X[kept], y[kept]
        if min(np.bincount(y, minlength=2)) >= FEWEST_RARE and y.mean() < 0.5:
            yield path.stem, StandardScaler().fit_transform(X), y


def adult():
    """Return a sample of Adult in which one row in twenty earns much, without holes."""
    frame = load_table("adult").dropna().reset_index(drop=True)
    y = (frame.pop(LABEL).astype(str).str.contains(">50K")).to_numpy().astype(int)
    random = np.random.default_rng(0)
    rare, common = (random.permutation(np.flatnonzero(y == k)) for k in (1, 0))
    n_rare = int(RARE_SHARE * N_ROWS_OF_ADULT)
    kept = np.sort(np.r_[rare[:n_rare], common[: N_ROWS_OF_ADULT - n_rare]])
    return frame.iloc[kept].reset_index(drop=True), y[kept]


def samplers(seed, n_rare, labels):
    """Return the samplers by name; None adds nothing."""
    k = min(5, n_rare - 1)
    smote = SMOTE(k_neighbors=k, random_state=seed)
    if labels:
        smote = SMOTENC(labels, k_neighbors=k, random_state=seed)
    return {
        "nothing": None,
        "class weights": None,
        "SMOTENC" if labels else "SMOTE": smote,
        "LatentResampler, interpolation": LatentResampler(random_state=seed),
        "LatentResampler, draws": LatentResampler(kind="draws", random_state=seed),
    }


def classifiers(seed, weight, labels):
    """Return a linear and a boosted classifier."""
    linear = LogisticRegression(max_iter=2000, class_weight=weight)
    boosted = HistGradientBoostingClassifier(random_state=seed, class_weight=weight)
    if not labels:
        return {"linear": linear, "boosted": boosted}
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), labels),
        (StandardScaler(), make_column_selector(dtype_include="number")),
    )
    boosted.set_params(categorical_features="from_dtype")
    return {"linear": make_pipeline(encode, linear), "boosted": boosted}


def judged(classifier, resampled, train, test):
    """Return average precision and balanced accuracy at the threshold of the training rows."""
    classifier.fit(*resampled)
    own, other = (classifier.predict_proba(X)[:, 1] for X, _ in (train, test))
    false, true, thresholds = roc_curve(train[1], own)
    threshold = thresholds[np.argmax(true - false)]
    precision = average_precision_score(test[1], other)
    return precision, balanced_accuracy_score(test[1], other >= threshold)


def run(X, y, seed, labels=()):
    """Return the mean figures of every sampler and classifier over two folds."""
    found = {}
    take = X.iloc.__getitem__ if labels else X.__getitem__
    for places in StratifiedKFold(2, shuffle=True, random_state=seed).split(X, y):
        train, test = ((take(each), y[each]) for each in places)
        for name, sampler in samplers(seed, int(train[1].sum()), labels).items():
            resampled = train if sampler is None else sampler.fit_resample(*train)
            weight = "balanced" if name == "class weights" else None
            for kind, classifier in classifiers(seed, weight, labels).items():
                figures = judged(classifier, resampled, train, test)
                found.setdefault((name, kind), []).append(figures)
    return {key: np.mean(values, axis=0) for key, values in found.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", default=["adbench", "adult"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--rows", type=int, default=4000)
    args = parser.parse_args()
    print(circumstances(), flush=True)
    for part in args.parts:
        runs = []
        for seed in args.seeds:
            if part == "adult":
                X, y = adult()
                labels = [*X.select_dtypes(exclude="number")]
                X = X.astype(dict.fromkeys(labels, "category"))
                runs.append(run(X, y, seed, labels))
                continue
            for name, X, y in sets(args.rows):
                runs.append(run(X, y, seed))
                shown = {key: round(float(value[0]), 3) for key, value in runs[-1].items()}
                print(name, len(X), int(y.sum()), [*shown.values()], flush=True)
        rows = []
        for name in dict.fromkeys(key[0] for key in runs[0]):
            cells = []
            for kind in ("linear", "boosted"):
                figures = np.array([each[name, kind] for each in runs])
                plain = np.array([each["nothing", kind][0] for each in runs])
                cells += [f"{mean:.3f}" for mean in figures.mean(0)]
                cells.append(f"{(figures[:, 0] > plain).sum()} of {len(runs)}")
            rows.append([name, *cells])
        figures = "AP", "balanced accuracy", "better"
        header = ["", *(f"{kind}, {each}" for kind in ("linear", "boosted") for each in figures)]
        print(f"\n{part}\n{table(header, rows)}", flush=True)


if __name__ == "__main__":
    main()
