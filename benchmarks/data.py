"""The data of the benchmarks: where it is looked for, and how it is split."""

import os
from pathlib import Path

import numpy as np
import sklearn.datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

FOLDERS = [
    Path(folder)
    for folder in (os.environ.get("SKAE_DATA"), Path(__file__).parents[2] / "shared" / "data")
    if folder
]
SOURCES = {
    "adbench": (
        "the sets come from https://github.com/Minqi824/ADBench, folder adbench/datasets/Classical"
    ),
    "series": (
        "InternalBleeding16 is number 135 of the UCR anomaly archive, which the wheel of aeon "
        "holds: train, test and is_anomaly"
    ),
    "sketches": (
        "icons.npz is made of the outline icons of the npm package @tabler/icons (MIT), simplified"
    ),
    "tables": (
        "adult.csv is that of the UCI repository with a header, churn.csv, melbourne.csv and "
        "california.csv are the bank churn, Melbourne housing snapshot and California housing "
        "sets of Kaggle and scikit-learn"
    ),
}
BUNDLED = ("digits", "breast_cancer", "wine", "diabetes")

# Defaults were chosen on these sets, with at most 7,500 training rows and one split each ...
DEVELOPMENT = (
    "digits",
    "breast_cancer",
    "wine",
    "diabetes",
    "12_fault",
    "15_Hepatitis",
    "23_mammography",
    "28_pendigits",
    "30_satellite",
    "32_shuttle",
    "42_WBC",
    "43_WDBC",
    "47_yeast",
    "5_campaign",
    "7_Cardiotocography",
)
# ... and these were kept aside.
KEPT_ASIDE = (
    "mnist",
    "17_InternetAds",
    "1_ALOI",
    "31_satimage-2",
    "33_skin",
    "34_smtp",
    "37_Stamps",
    "38_thyroid",
    "39_vertebral",
    "4_breastw",
    "6_cardio",
    "8_celeba",
)


def load(name):
    """Return the rows of a set, or for MNIST a pair of training and test rows."""
    if name in BUNDLED:
        return getattr(sklearn.datasets, f"load_{name}")().data
    if name == "mnist":
        path = find("images/mnist.npz", required=False)
        if path is None:
            return _fetch_mnist()
        images = np.load(path)
        return tuple(images[part].reshape(-1, 784) / 255 for part in ("X_train", "X_test"))
    return np.load(find(f"adbench/{name}.npz"))["X"].astype(float)


def split(name, seed):
    """Return training and test rows: images as they are, tables standardised on training rows."""
    if name == "mnist":
        return load(name)
    train, test = train_test_split(load(name), test_size=0.25, random_state=seed)
    if name == "digits":
        return train, test
    scaler = StandardScaler().fit(train)
    return scaler.transform(train), scaler.transform(test)


def find(path, *, required=True):
    """Return where a file lies, or None if it need not be anywhere."""
    for folder in FOLDERS:
        if (folder / path).exists():
            return folder / path
    if required:
        raise FileNotFoundError(
            f"{path} is in none of {[str(folder) for folder in FOLDERS]}. Set SKAE_DATA to a "
            f"folder that holds it; {SOURCES[path.split('/')[0]]}."
        )
    return None


def _fetch_mnist():
    pixels = sklearn.datasets.fetch_openml("mnist_784", as_frame=False).data / 255
    return pixels[:60_000], pixels[60_000:]
