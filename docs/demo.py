"""The main job in a minute: PCA beside an autoencoder on the digits of scikit-learn.

Run as ``python docs/demo.py [folder for the figures]``.
"""

import sys
from pathlib import Path

import matplotlib as mpl
from sklearn.callback import ProgressBar
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skae import AutoencoderTransformer
from skae.plotting import LatentDisplay, LossCurveDisplay, ReconstructionDisplay

SIZES = (2, 4, 8, 16, 32)


def compare(X_train, X_test):
    """Print the held-out errors of both, and return the fitted pairs by size."""
    print("Held-out squared error per image:\n")
    print("components    PCA    autoencoder    ratio")
    fitted = {}
    for k in SIZES:
        pair = PCA(k), AutoencoderTransformer(k, random_state=0)
        fitted[k] = [transformer.fit(X_train) for transformer in pair]
        pca, autoencoder = (squared_error(transformer, X_test) for transformer in pair)
        print(f"{k:10d} {pca:6.1f} {autoencoder:14.1f} {autoencoder / pca:8.2f}", flush=True)
    return fitted


def squared_error(transformer, X):
    """Return the squared error of an image, on average."""
    back = transformer.inverse_transform(transformer.transform(X))
    return ((back - X) ** 2).sum(1).mean()


def search(X_train, X_test, y_train, y_test):
    """Choose the size of the code by what a linear classifier makes of it."""
    print("\nGrid search over the size of the code, for a linear classifier:\n", flush=True)
    pipeline = Pipeline(
        [
            ("reduce", AutoencoderTransformer(random_state=0)),
            ("scale", StandardScaler()),
            ("classify", LogisticRegression(max_iter=1000)),
        ]
    )
    grid = {"reduce__n_components": SIZES}
    found = GridSearchCV(pipeline, grid, cv=3).set_callbacks(ProgressBar(max_propagation_depth=1))
    found.fit(X_train, y_train)
    print("\ncomponents    accuracy in cross-validation")
    results = found.cv_results_
    for k, accuracy in zip(SIZES, results["mean_test_score"], strict=True):
        print(f"{k:10d} {accuracy:11.3f}")
    print(f"\nBest: {found.best_params_}, held-out accuracy {found.score(X_test, y_test):.3f}")
    pipeline.set_params(reduce=PCA(random_state=0))
    peer = GridSearchCV(pipeline, grid, cv=3).fit(X_train, y_train)
    print(f"PCA:  {peer.best_params_}, held-out accuracy {peer.score(X_test, y_test):.3f}")


def draw(fitted, X_test, y_test, folder):
    """Save the figures."""
    folder.mkdir(parents=True, exist_ok=True)
    images = ReconstructionDisplay.from_estimator(fitted[8], X_test[:12], image_shape=(8, 8))
    curve = LossCurveDisplay.from_estimator(fitted[8][1])
    latent = LatentDisplay.from_estimator(fitted[2][1], X_test, y_test)
    named = {"reconstructions": images, "loss_curve": curve, "latent_map": latent}
    for name, display in named.items():
        display.figure_.savefig(folder / f"{name}.png", dpi=120, bbox_inches="tight")
    print(f"\nFigures: {', '.join(f'{name}.png' for name in named)} in {folder.resolve()}")


def main():
    """Run the demonstration."""
    mpl.use("Agg")
    digits = load_digits()
    X_train, X_test, y_train, y_test = train_test_split(
        digits.data, digits.target, test_size=0.25, random_state=0
    )
    fitted = compare(X_train, X_test)
    search(X_train, X_test, y_train, y_test)
    draw(fitted, X_test, y_test, Path(sys.argv[1] if sys.argv[1:] else "demo_figures"))


if __name__ == "__main__":
    main()
