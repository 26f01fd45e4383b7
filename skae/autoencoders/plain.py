"""AutoencoderTransformer: the plain autoencoder."""

from skae.autoencoders.base import BaseAutoencoder


class AutoencoderTransformer(BaseAutoencoder):
    r"""Autoencoder: PCA's drop-in that bends.

    An encoder maps a row to a short code and a decoder maps the code back,

    .. math:: z = e(x), \qquad x' = d(z),

    and both are trained to make :math:`x'` like :math:`x`. Each is a linear path beside a deep
    one. The linear paths start at the principal components and the deep paths at zero, so the
    autoencoder is PCA before the first step; the weights of the best epoch are kept, that start
    included, so with the defaults it does not end worse than PCA on rows that it has not seen.

    Parameters
    ----------
    n_components : int or float, default=2
        The number of units of the code. A float in (0, 1) takes as many as there are principal
        components that together explain more than this share of the variance.

    hidden_layer_sizes : "auto" or array-like of int, default="auto"
        The number of units of every hidden layer of the encoder; the decoder mirrors them.
        "auto" is (128, 128); an empty tuple makes a linear autoencoder. With `image_shape`, the
        number of channels of every convolution, each of which halves height and width; "auto" is
        then (16, 32).

    activation : str, default="gelu"
        The activation of the hidden layers: "elu", "gelu", "identity", "leaky_relu", "logistic",
        "relu", "silu" or "tanh".

    tied_weights : bool, default=False
        Whether the weights of the decoder are those of the encoder, transposed. Each keeps its
        own biases.

    quantize : int, default=None
        The number of bits of a unit of the code, 1 to 16: after training each unit takes one of so
        many evenly spaced values, which `compress` counts. None leaves codes as they are.

    dropout : float, default=0.0
        The share of the hidden units that every training step leaves out, in [0, 1).

    image_shape : tuple of int, default=None
        (height, width) or (channels, height, width) of the image that a row is; the deep paths
        are then convolutional. None takes rows as they are.

    encoder, decoder : torch.nn.Module, default=None
        Modules of your own, from (n, n_features) to (n, n_components) and back, or, with
        `image_shape`, from and to (n, channels, height, width). They are copied, and trained from
        the weights that they have; `init` then does nothing. None builds them from the parameters
        above.

    likelihood : {"auto", "gaussian", "bernoulli", "continuous_bernoulli"}, default="auto"
        What a row is, given its code: normal around the decoder's output with one variance, or,
        for values in [0, 1], coins or continuous Bernoullis whose logits the decoder gives.
        "auto" is "bernoulli" if every value is 0 or 1, else "gaussian".

    bounds : "auto", None or pair of float or array-like, default="auto"
        The smallest and the largest value of the columns, to which a Gaussian's reconstructions
        are clipped, in training too (where the gradient passes as if they were not); None is no
        bound, for either end or for both. "auto" takes an extreme of a column as its bound where
        at least 10 % of the rows, and at least 5, hold it.

    init : {"pca", "random", "greedy", "rbm"}, default="pca"
        Where training starts: at the principal components; or, without linear paths, at random
        orthogonal weights; or at those of a pre-training, layer by layer, as autoencoders of what
        the layers before make of the rows ("greedy"), or as restricted Boltzmann machines ("rbm":
        for dense networks with ``activation="logistic"`` and likelihoods of values in [0, 1]).

    pretraining_epochs : "auto" or int, default="auto"
        The number of passes over the rows for every layer of a pre-training; "auto" is
        `max_epochs` divided by the number of layers.

    noise : "auto" or float, default="auto"
        The standard deviation of the normal noise that training adds to the encoder's input, in
        units of what PCA with as many components leaves: the geometric mean of its root mean
        squared error by column and by direction left out. "auto" is 1 for up to 500 rows and
        falls with the root of their number beyond.

    categorical_features : "from_dtype" or array-like of str, int or bool, default="from_dtype"
        The columns that hold labels though they are numbers: their names, their indices or a
        mask. Booleans, strings, categories and objects in a dataframe are labels anyhow;
        "from_dtype" adds no others.

    max_categories : int, default=256
        The largest number of labels of a column. The rarest beyond it are one, "other".

    min_frequency : float or int, default=0.001
        The share of the rows, or, as an int, the number of cells, that a label needs not to be
        "other".

    handle_unknown : {"other", "error"}, default="other"
        What a label that `fit` did not see is: one of the others, or an error.

    mask_fraction : "auto" or float, default="auto"
        The mean share of the cells of a table, in [0, 0.5], that training hides from the encoder,
        which so learns to fill cells; "auto" is 0.2. Variational autoencoders hide cells of about
        every tenth row only, by "auto" half of them. For rows with labels, times or holes.

    prior : {"gmm", "normal", "posterior"} or density estimator, default="gmm"
        The density of the codes that `sample` draws from, fitted at the end of `fit`: a mixture
        of up to ten normals; one normal, of variational autoencoders their own prior, which no
        row has a part in; the codes of the training rows themselves, of at most 50,000; or any
        estimator with `fit` and `sample`.

    learning_rate : float, default=3e-3
        The (largest) learning rate of the optimiser, AdamW.

    learning_rate_schedule : {"one_cycle", "constant"}, default="one_cycle"
        Up from zero in the first fifth of the training and down to zero in the rest, or constant.

    weight_decay : float, default=0.0
        How fast the optimiser shrinks the weights, in units of the learning rate.

    batch_size : "auto" or int, default="auto"
        The number of rows of a training step; "auto" is 256, of variational autoencoders 512, or
        all rows if they are fewer.

    max_epochs : "auto" or int, default="auto"
        The largest number of passes over the training rows. "auto" makes about 25 steps for the
        root of their number, variational autoencoders 20: 250 for a hundred rows, 25,000 for a
        million.

    early_stopping : bool, default=True
        Whether to hold rows out, to keep the weights that are best on them, and to stop when they
        gain no more. If False, the weights that are best on (a sample of) the training rows are
        kept.

    validation_fraction : "auto" or float, default="auto"
        The share of the rows that early stopping holds out, in (0, 1). "auto" is a tenth, or 20
        rows where these are more, but at most a quarter.

    n_iter_no_change : "auto" or int, default="auto"
        The number of epochs without gain after which early stopping stops; "auto" is a quarter of
        `max_epochs`, and at least 10. The epochs in which the learning rate goes up do not
        count.

    tol : float, default=1e-4
        The gain that early stopping counts as one, in nats per row.

    warm_start : bool, default=False
        Whether `fit` continues from the weights of the last fit. The parameters that make the
        networks and the likelihood must then be the same.

    device : str or torch.device, default="auto"
        Where to train and to compute: "auto" is the device of the tensor that `fit` gets, else
        "cuda" if there is such a device, else "cpu".

    net_params : dict, default=None
        Parameters of `skae.training.AutoencoderNet`, and so of `skorch.NeuralNet`, that override
        what is made of the others; for instance
        ``{"optimizer": torch.optim.SGD, "callbacks": [...]}``.

    random_state : int, RandomState instance or None, default=None
        An int makes a fit repeatable, to the bit, on one machine. No global generator is used or
        changed.

    verbose : int, default=0
        Whether to print a line for every epoch.

    Attributes
    ----------
    n_components_ : int
        The number of units of the code.

    likelihood_ : str
        The likelihood in use.

    noise_variance_ : float or ndarray of shape (n_numbers,)
        The variance of a Gaussian likelihood, in the units of X: the mean squared error of a cell
        on the held-out rows, if it is not fixed. Only for that one; where each column of numbers
        has its own, as in a table, an array, in which times and integers are counted in their
        steps.

    rate_ : float
        The mean number of bits of a code on the held-out rows, if every unit is coded by itself at
        its entropy; `noise_variance_` is then the distortion. Only with `quantize`.

    net_ : skae.training.AutoencoderNet
        The trained net; ``net_.module_`` is the chain, ``net_.history`` its history.

    encoder_, decoder_ : torch.nn.Module
        The two ends, each by itself: from rows to codes, from codes to expected rows. Of tables,
        these are encoded rows, as ``columns_.encode`` makes them and ``columns_.decode`` reads
        them.

    columns_ : skae.tables.Columns or skae.tables.MixedColumns
        The way between rows and encoded rows.

    schema_ : skae.tables.Table
        What the columns of a table are; print it. Only where `fit` got a dataframe whose columns
        are not all numbers without holes.

    prior_ : skae.sampling.Prior
        The fitted density of the codes.

    n_iter_ : int
        The number of epochs that were run.

    best_epoch_ : int
        The epoch whose weights were kept; 0 is the start. Not after `partial_fit`.

    best_loss_ : float
        Its loss, on the held-out rows if there are any, in nats per row. Not after `partial_fit`.

    loss_curve_ : list of float
        The mean loss of the training rows in every epoch, in nats per row.

    validation_loss_curve_ : list of float or None
        The mean loss of the held-out rows after every epoch; None where none were.

    frame_ : narwhals.DataFrame or None
        The frame that `fit` got, without its rows; None if it got none.

    n_features_in_ : int
        The number of features that `fit` saw.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if `fit` got a frame with names that are all strings.

    See Also
    --------
    sklearn.decomposition.PCA : The linear autoencoder, in closed form.

    Notes
    -----
    The loss of a row is :math:`-\log p(x \mid z)`. For a Gaussian this is the squared error, in
    the metric of X as for PCA: columns are centred and divided by one common number, so scale
    columns of different units before, or their errors will not count alike.

    A dataframe with labels, times or missing cells is a table, and so is an array with missing
    cells: each of its numbers is divided by its own standard deviation, each of its cells is a
    number or one of some labels, a missing cell being one of them, and the loss is the sum of the
    Gaussian's and of the labels' cross-entropy.

    A linear autoencoder of coins, with ``hidden_layer_sizes=()`` and ``likelihood="bernoulli"``, is
    logistic PCA.

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

    def __init__(
        self,
        n_components=2,
        *,
        hidden_layer_sizes="auto",
        activation="gelu",
        tied_weights=False,
        quantize=None,
        dropout=0.0,
        image_shape=None,
        encoder=None,
        decoder=None,
        likelihood="auto",
        bounds="auto",
        init="pca",
        pretraining_epochs="auto",
        noise="auto",
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
        self.noise = noise
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
