"""`register`: converters for skl2onnx, so that pipelines are exported whole."""

from typing import Any

import skae
from skae.autoencoders.base import BaseAutoencoder
from skae.autoencoders.conditional import ConditionalVAE
from skae.gans.sampler import GANSampler
from skae.onnx.exporting import model_of
from skae.onnx.readings import autoencoder_of
from skae.onnx.texts import rename, with_casts
from skae.outliers.detector import AEOutlierDetector
from skae.predictors.classifier import EncoderClassifier
from skae.predictors.regressor import EncoderRegressor


def register() -> None:
    """Register converters of skae's estimators with skl2onnx.

    Then `skl2onnx.to_onnx` exports pipelines in which an autoencoder or GANSampler transforms, or
    an EncoderClassifier or EncoderRegressor predicts, or AEOutlierDetector tells outliers, with
    labels and scores relative to the threshold, and all other steps are scikit-learn's.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    See Also
    --------
    skae.onnx.export : A model of one estimator, also of tables.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skl2onnx import to_onnx
    >>> from skae import AutoencoderTransformer
    >>> from skae.onnx import register
    >>> X, y = load_iris(return_X_y=True)
    >>> codes = AutoencoderTransformer(2, max_epochs=5, random_state=0)
    >>> pipeline = make_pipeline(StandardScaler(), codes, LogisticRegression()).fit(X, y)
    >>> register()
    >>> model = to_onnx(pipeline, X[:1].astype("float32"), options={"zipmap": False})
    >>> [each.name for each in model.graph.output]
    ['label', 'probabilities']
    """
    from skl2onnx import update_registered_converter

    for name in skae.__all__:
        cls = getattr(skae, name)
        if not isinstance(cls, type):
            continue
        if issubclass(cls, (BaseAutoencoder, GANSampler)) and cls is not ConditionalVAE:
            update_registered_converter(cls, f"Skae{name}", _codes_shape, _convert_codes)
        elif issubclass(cls, EncoderRegressor):
            update_registered_converter(cls, f"Skae{name}", _targets_shape, _convert_targets)
        elif issubclass(cls, AEOutlierDetector):
            update_registered_converter(cls, f"Skae{name}", _labels_shape, _convert_labels)
        elif issubclass(cls, EncoderClassifier):
            options = {"zipmap": [True, False, "columns"], "nocl": [True, False]}
            arguments = (cls, f"Skae{name}", _classes_shape, _convert_classes)
            update_registered_converter(*arguments, options=options)


def _codes_shape(operator: Any) -> None:
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    n_components = autoencoder_of(operator.raw_operator).n_components_
    # The steps behind it expect the type that came in, as after scikit-learn's transformers.
    is_double = isinstance(operator.inputs[0].type, DoubleTensorType)
    kind = DoubleTensorType if is_double else FloatTensorType
    operator.outputs[0].type = kind([None, n_components])


def _convert_codes(scope: Any, operator: Any, container: Any) -> None:
    _add(scope, operator, container, "transform", operator.outputs[0])


def _targets_shape(operator: Any) -> None:
    from skl2onnx.common.data_types import DoubleTensorType

    regressor = operator.raw_operator
    columns = [] if regressor._is_one_target_ else [len(regressor._center_)]
    operator.outputs[0].type = DoubleTensorType([None, *columns])


def _convert_targets(scope: Any, operator: Any, container: Any) -> None:
    _add(scope, operator, container, "predict", operator.outputs[0])


def _classes_shape(operator: Any) -> None:
    from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType

    classes = operator.raw_operator.classes_
    is_whole = classes.dtype.kind in "biu"
    operator.outputs[0].type = Int64TensorType([None]) if is_whole else StringTensorType([None])
    operator.outputs[1].type = FloatTensorType([None, len(classes)])


def _convert_classes(scope: Any, operator: Any, container: Any) -> None:
    _add(scope, operator, container, "predict", operator.outputs[0])
    _add(scope, operator, container, "predict_proba", operator.outputs[1])


def _labels_shape(operator: Any) -> None:
    from skl2onnx.common.data_types import DoubleTensorType, Int64TensorType

    operator.outputs[0].type = Int64TensorType([None])
    operator.outputs[1].type = DoubleTensorType([None])


def _convert_labels(scope: Any, operator: Any, container: Any) -> None:
    _add(scope, operator, container, "predict", operator.outputs[0])
    _add(scope, operator, container, "decision_function", operator.outputs[1])


class _Part:
    """What `add_onnx_graph` asks of an operator: the variables that go in and come out."""

    def __init__(self, inputs: list, output: Any) -> None:
        self.inputs, self.outputs = inputs, [output]


def _add(scope: Any, operator: Any, container: Any, reading: str, output: Any) -> None:
    """Add a reading of the operator's estimator, which gives one of its outputs."""
    from skl2onnx.common.data_types import guess_proto_type
    from skl2onnx.helpers.integration import add_onnx_graph

    model = model_of(operator.raw_operator, reading)
    given = {each.raw_name: each for each in operator.inputs}
    names = [each.name for each in model.graph.input]
    # Two readings of one step must not share names.
    rename(model, names, model.graph.output[0].name, inside=f"{reading}/")
    if names == ["X"]:
        inputs = list(operator.inputs[:1])
    elif set(names) <= set(given):
        inputs = [given[name] for name in names]
    else:
        raise ValueError(
            f"The model of {type(operator.raw_operator).__name__} has the inputs {names}, and "
            f"skl2onnx gives {sorted(given)}. Name them in initial_types."
        )
    types = {n: guess_proto_type(each.type) for n, each in zip(names, inputs, strict=True)}
    with_casts(model, types, guess_proto_type(output.type))
    add_onnx_graph(scope, _Part(inputs, output), container, model)
