"""ContractiveAE: an autoencoder whose code hardly moves with the rows."""

from numbers import Real
from typing import ClassVar

from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from skae.autoencoders.base import BaseAutoencoder
from skae.autoencoders.plain import AutoencoderTransformer
from skae.common.documentation import documented_like
from skae.nn.bottlenecks import Activated
from skae.nn.penalties import Contraction

_STRENGTH = 0.1


@documented_like(AutoencoderTransformer)
class ContractiveAE(BaseAutoencoder):
    r"""Contractive autoencoder: the code moves only where the rows make it.

    The loss of a row has a penalty on the derivative of its code,

    .. math:: -\log p(x \mid z) + \lambda \lVert \partial z / \partial x \rVert_F^2,

    so the code is blind to all directions but those that reconstruction needs: along which the rows
    vary. The units of the code have the activation of the hidden layers, and encoder and decoder
    share their weights, or a small code with a large decoder would cost nothing.

    Parameters
    ----------
    n_components : int or float, default=32
        The number of units of the code. A float in (0, 1) takes as many as there are principal
        components that together explain more than this share of the variance.

    strength : "auto" or float, default="auto"
        What the penalty is multiplied by, where half the squared error of a row, in units of the
        mean variance of a column, is the rest of the loss; "auto" is 0.1.

    hidden_layer_sizes : "auto" or array-like of int, default=()
        The number of units of every hidden layer of the encoder; the decoder mirrors them. None by
        default: the penalty is then computed in closed form, and otherwise estimated without bias
        from one random direction of the code a step. "auto" is (128, 128), or, with `image_shape`,
        (16, 32) channels.

    activation : str, default="logistic"
        The activation of the hidden layers and of the code: "elu", "gelu", "identity",
        "leaky_relu", "logistic", "relu", "silu" or "tanh".

    tied_weights : bool, default=True
        Whether the weights of the decoder are those of the encoder, transposed. Each keeps its
        own biases.

    init : {"random", "greedy", "rbm"}, default="random"
        Where training starts: at random orthogonal weights, or at those of a pre-training, layer by
        layer, as autoencoders or as restricted Boltzmann machines.

    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    AutoencoderTransformer : The plain autoencoder.
    DenoisingAE : Contracts too, by noise.

    References
    ----------
    Rifai, S., Vincent, P., Muller, X., Glorot, X. and Bengio, Y. (2011). Contractive auto-encoders:
    explicit invariance during feature extraction. International Conference on Machine Learning.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import ContractiveAE
    >>> X = load_digits().data / 16
    >>> autoencoder = ContractiveAE(64, strength=0.1, max_epochs=20, random_state=0).fit(X)
    >>> autoencoder.transform(X).shape
    (1797, 64)
    """

    _parameter_constraints: ClassVar[dict] = {
        **BaseAutoencoder._parameter_constraints,
        "strength": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "init": [StrOptions({"random", "greedy", "rbm"})],
    }
    del _parameter_constraints["noise"]

    def __init__(
        self,
        n_components=32,
        *,
        strength="auto",
        hidden_layer_sizes=(),
        activation="logistic",
        tied_weights=True,
        quantize=None,
        dropout=0.0,
        image_shape=None,
        encoder=None,
        decoder=None,
        likelihood="auto",
        bounds="auto",
        init="random",
        pretraining_epochs="auto",
        categorical_features="from_dtype",
        max_categories=256,
        min_frequency=0.001,
        handle_unknown="other",
        mask_fraction="auto",
        prior="gmm",
        learning_rate=3e-3,
        learning_rate_schedule="one_cycle",
        weight_decay=0.0,
        batch_size="auto",
        max_epochs="auto",
        early_stopping=True,
        validation_fraction="auto",
        n_iter_no_change="auto",
        tol=1e-4,
        warm_start=False,
        device="auto",
        net_params=None,
        random_state=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.strength = strength
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.tied_weights = tied_weights
        self.quantize = quantize
        self.dropout = dropout
        self.image_shape = image_shape
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood
        self.bounds = bounds
        self.init = init
        self.pretraining_epochs = pretraining_epochs
        self.categorical_features = categorical_features
        self.max_categories = max_categories
        self.min_frequency = min_frequency
        self.handle_unknown = handle_unknown
        self.mask_fraction = mask_fraction
        self.prior = prior
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.device = device
        self.net_params = net_params
        self.random_state = random_state
        self.verbose = verbose

    def _make_noise(self, noise_unit, n_rows):
        return nn.Identity()

    def _training_variance(self, residual):
        return 1.0

    def _make_bottleneck(self):
        return Activated(self.activation)

    def _make_penalty(self):
        return Contraction(_STRENGTH if isinstance(self.strength, str) else self.strength)
