"""AutoencoderTransformer: the plain autoencoder."""

from dataclasses import field, replace
from typing import ClassVar

from skae.autoencoders.deterministic import DeterministicAutoencoder
from skae.autoencoders.family import Family
from skae.building.recipe import Facts, Recipe
from skae.common.annotations import Auto, NonNegativeFloat, PositiveFloat, PositiveInt, Share
from skae.common.parameters import estimator
from skae.nn.corruptions import GaussianNoise
from skae.training.schedule import noise_level


@estimator()
class AutoencoderTransformer(DeterministicAutoencoder):
    r"""Autoencoder: a drop-in replacement for PCA that is nonlinear.

    An encoder maps a row to a short code and a decoder maps the code back,

    .. math:: z = e(x), \qquad x' = d(z),

    and both are trained to minimise the reconstruction error of :math:`x'`. Each is a linear path
    beside a deep one. The linear paths start at the principal components and the deep paths at
    zero, so the autoencoder is PCA before the first step. The weights of the best epoch, including
    this start, are kept, so with the defaults it does not end worse than PCA on new rows.

    See Also
    --------
    sklearn.decomposition.PCA : The linear autoencoder, in closed form.

    Notes
    -----
    The loss of a row is :math:`-\log p(x \mid z)`. For a Gaussian this is the squared error, in
    the metric of X as for PCA: columns are centred and divided by one common number. So scale
    columns of different units beforehand; otherwise their errors do not have equal weight.

    A dataframe with labels, times or missing cells is a table, and so is an array with missing
    cells. Every column of numbers is divided by its own standard deviation, every cell is a number
    or a label, with a label for missing cells, and the loss is the sum of the Gaussian loss of the
    numbers and the cross-entropy of the labels.

    A linear autoencoder with a Bernoulli likelihood, ``hidden_layer_sizes=()`` and
    ``likelihood="bernoulli"``, is logistic PCA.

    References
    ----------
    Hinton, G. E. and Salakhutdinov, R. R. (2006). Reducing the dimensionality of data with neural
    networks. Science 313.

    Bengio, Y., Lamblin, P., Popovici, D. and Larochelle, H. (2007). Greedy layer-wise training of
    deep networks. Advances in Neural Information Processing Systems 19.

    Schein, A. I., Saul, L. K. and Ungar, L. H. (2003). A generalized linear model for principal
    component analysis of binary data. Artificial Intelligence and Statistics.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from skae import AutoencoderTransformer
    >>> X, _ = load_digits(return_X_y=True)
    >>> X_train, X_test = train_test_split(X, random_state=0)
    >>> autoencoder = AutoencoderTransformer(n_components=8, random_state=0).fit(X_train)
    >>> autoencoder.transform(X_test).shape
    (450, 8)
    >>> autoencoder.reconstruct(X_test).shape
    (450, 64)
    """

    n_components: PositiveInt | Share = field(default=2, kw_only=False)
    """The number of units of the code. For a float in (0, 1), it is the smallest number of
    principal components that together explain more than this share of the variance."""

    noise: Auto | NonNegativeFloat = "auto"
    """The standard deviation of the normal noise that training adds to the encoder's input, in
    units of the residual of PCA with as many components: the geometric mean of its root mean
    squared error per column and per direction that is left out. "auto" is 0.7 for up to 500 rows
    and falls with the root of their number beyond."""

    learning_rate: PositiveFloat = 0.01

    max_epochs: Auto | PositiveInt = "auto"
    """The largest number of epochs, that is, passes over the training rows. "auto" makes about 20
    steps times the root of their number: 200 for a hundred rows, 20,000 for a million."""

    _family: ClassVar[Family] = Family(steps_per_root_row=20)

    def _recipe(self, facts: Facts) -> Recipe:
        recipe = self._plain_recipe(facts, facts.pca.number_for(self.n_components))
        scale = noise_level(self.noise, facts.n_rows)
        scale *= facts.pca.keep(recipe.n_components).noise_unit
        return replace(recipe, smoothing=GaussianNoise(scale))
