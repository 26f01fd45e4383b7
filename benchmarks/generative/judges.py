"""Judges of drawn images: distances, coverage and classes in the units of a classifier."""

import numpy as np
import torch
from scipy.linalg import eigvalsh
from sklearn.neural_network import MLPClassifier
from torch import nn

from skae.metrics import density_coverage

N_EPOCHS, BATCH_SIZE = 4, 128
N_NEIGHBOURHOODS = 4000


def frechet(found, real):
    """Return the Frechet distance of normal distributions with the moments of two samples."""
    means = found.mean(0) - real.mean(0)
    first, second = (np.cov(each.T) for each in (found, real))
    # The roots of the eigenvalues of a product of covariances add up to the trace of its root.
    root = np.linalg.cholesky(second + 1e-9 * np.eye(len(second)))
    roots = np.sqrt(eigvalsh(root.T @ first @ root).clip(0)).sum()
    return float(means @ means + np.trace(first + second) - 2 * roots)


class Judge:
    """A classifier of training images, and what it makes of test images."""

    def __init__(self, train, labels, test):
        self.learn(train, labels)
        self.real, self.classes = self.features(test), self.predict(test)

    def __call__(self, rows):
        """Return Frechet distance, coverage, density, and how far the shares of classes are off."""
        found = self.features(rows)
        near = density_coverage(
            self.real[:N_NEIGHBOURHOODS], found[:N_NEIGHBOURHOODS], scale=False, random_state=0
        )
        shares = [
            np.bincount(each, minlength=10) / len(each)
            for each in (self.predict(rows), self.classes)
        ]
        off = abs(shares[0] - shares[1]).sum() / 2
        return [frechet(found, self.real), near.coverage, near.density, off]


class MLPJudge(Judge):
    """The judge of scikit-learn's digits: 64 hidden units."""

    def learn(self, train, labels):
        """Fit the classifier."""
        self.classifier = MLPClassifier((64,), max_iter=500, random_state=0).fit(train / 16, labels)

    def features(self, rows):
        """Return the hidden units."""
        weight, bias = self.classifier.coefs_[0], self.classifier.intercepts_[0]
        return np.maximum(rows / 16 @ weight + bias, 0)

    def predict(self, rows):
        """Return the classes."""
        return self.classifier.predict(rows / 16)


class LeNetJudge(Judge):
    """The judge of MNIST: two convolutions and 64 hidden units."""

    def learn(self, train, labels):
        """Fit the classifier, with a fixed seed."""
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.manual_seed(0)
        convolutions = [
            layer
            for before, after in ((1, 16), (16, 32))
            for layer in (nn.Conv2d(before, after, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2))
        ]
        dense = [nn.Flatten(), nn.Linear(32 * 49, 64), nn.ReLU()]
        self.trunk = nn.Sequential(nn.Unflatten(1, (1, 28, 28)), *convolutions, *dense)
        self.head = nn.Linear(64, 10)
        network = nn.Sequential(self.trunk, self.head).to(self.device)
        optimiser = torch.optim.Adam(network.parameters(), 1e-3)
        x = torch.from_numpy(train.astype(np.float32)).to(self.device)
        y = torch.from_numpy(labels.astype(np.int64)).to(self.device)
        for _ in range(N_EPOCHS):
            for places in torch.randperm(len(x)).to(self.device).split(BATCH_SIZE):
                optimiser.zero_grad()
                nn.functional.cross_entropy(network(x[places]), y[places]).backward()
                optimiser.step()

    @torch.no_grad()
    def features(self, rows):
        """Return the hidden units."""
        x = torch.from_numpy(rows.astype(np.float32)).to(self.device)
        return torch.cat([self.trunk(part) for part in x.split(2000)]).double().cpu().numpy()

    @torch.no_grad()
    def predict(self, rows):
        """Return the classes."""
        features = torch.from_numpy(self.features(rows)).float().to(self.device)
        return self.head(features).argmax(1).cpu().numpy()
