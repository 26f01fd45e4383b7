"""The autoencoders of flattened series: convolutions over time beside the linear paths."""

from dataclasses import replace
from functools import partial
from typing import Any

from skae.autoencoders.base import BaseAutoencoder
from skae.autoencoders.plain import AutoencoderTransformer
from skae.autoencoders.variational import VAETransformer
from skae.building.likelihoods import make_ragged_likelihood
from skae.building.recipe import Facts, Recipe
from skae.common.annotations import PositiveInt
from skae.common.parameters import estimator
from skae.nn.likelihoods import Likelihood
from skae.nn.pca import PrincipalComponents
from skae.nn.series_networks import series_pair
from skae.series.parameters import ConvolutionParameters
from skae.tables.ragged import RaggedColumns
from skae.tables.training_rows import TrainingRows


@estimator()
class FlatSeries(ConvolutionParameters, BaseAutoencoder):
    """An autoencoder of flattened series: a matrix of numbers, or padded points and lengths."""

    n_channels: PositiveInt = 1
    """The number of channels, which follow each other in a row."""

    is_ragged: bool = False
    """Whether series are padded, with their lengths in the last column."""

    def _reads_as_table(self, X: Any) -> bool:
        return False

    def _learn_columns(self, rows: TrainingRows) -> None:
        super()._learn_columns(rows)
        if self.is_ragged:
            self.columns_ = RaggedColumns.learn(rows.targets, rows.weights, self.n_channels)

    def _convolutional(self, recipe: Recipe, facts: Facts) -> Recipe:
        """Return a recipe whose deep paths are convolutions over time."""
        n_seen = self.n_channels + self.is_ragged
        shape = n_seen, facts.n_columns // n_seen
        pair = partial(series_pair, shape, (self.channels,) * self.n_blocks, self.kernel_size)
        return replace(recipe, architecture=replace(recipe.architecture, deep_pair=pair))


@estimator()
class DeterministicSeries(FlatSeries, AutoencoderTransformer):
    """The plain autoencoder of flattened series."""

    def _recipe(self, facts: Facts) -> Recipe:
        return self._convolutional(super()._recipe(facts), facts)


@estimator()
class VariationalSeries(FlatSeries, VAETransformer):
    """The variational autoencoder of flattened series."""

    def _recipe(self, facts: Facts) -> Recipe:
        return self._convolutional(super()._recipe(facts), facts)

    def _make_likelihood(self, facts: Facts, pca: PrincipalComponents) -> Likelihood:
        likelihood = super()._make_likelihood(facts, pca)
        if not isinstance(facts.columns, RaggedColumns):
            return likelihood
        variance = float(likelihood.get_buffer("variance"))
        return make_ragged_likelihood(facts.columns, variance, learns_variance=True)
