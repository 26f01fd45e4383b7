"""The autoencoders of flattened series: convolutions over time beside the linear paths."""

from dataclasses import field, replace
from functools import partial
from typing import Any

from skae.autoencoders.plain import AutoencoderTransformer
from skae.autoencoders.variational import VAETransformer
from skae.building.likelihoods import make_ragged_likelihood
from skae.building.recipe import Facts, Recipe
from skae.common.annotations import PositiveInt
from skae.common.parameters import estimator
from skae.nn.likelihoods import Likelihood
from skae.nn.networks import series_pair
from skae.nn.pca import PrincipalComponents
from skae.series.parameters import ConvolutionParameters
from skae.tables.ragged import RaggedColumns
from skae.tables.training_rows import TrainingRows


@estimator()
class DeterministicSeries(ConvolutionParameters, AutoencoderTransformer):
    """The plain autoencoder of flattened series."""

    n_channels: PositiveInt = 1
    """The number of channels, which follow each other in a row."""

    is_ragged: bool = False
    """Whether series are padded, with their lengths in the last column."""

    def _recipe(self, facts: Facts) -> Recipe:
        return with_convolutions(super()._recipe(facts), self, facts)

    def _reads_as_table(self, X: Any) -> bool:
        return False

    def _learn_columns(self, rows: TrainingRows) -> None:
        super()._learn_columns(rows)
        if self.is_ragged:
            self.columns_ = RaggedColumns.learn(rows.targets, rows.weights, self.n_channels)


@estimator()
class VariationalSeries(ConvolutionParameters, VAETransformer):
    """The variational autoencoder of flattened series."""

    n_channels: PositiveInt = 1
    """The number of channels, which follow each other in a row."""

    is_ragged: bool = False
    """Whether series are padded, with their lengths in the last column."""

    def _recipe(self, facts: Facts) -> Recipe:
        return with_convolutions(super()._recipe(facts), self, facts)

    def _reads_as_table(self, X: Any) -> bool:
        return False

    def _learn_columns(self, rows: TrainingRows) -> None:
        super()._learn_columns(rows)
        if self.is_ragged:
            self.columns_ = RaggedColumns.learn(rows.targets, rows.weights, self.n_channels)

    def _make_likelihood(self, facts: Facts, pca: PrincipalComponents) -> Likelihood:
        likelihood = super()._make_likelihood(facts, pca)
        if not isinstance(facts.columns, RaggedColumns):
            return likelihood
        variance = float(likelihood.variance)
        return make_ragged_likelihood(facts.columns, variance, learns_variance=True)
