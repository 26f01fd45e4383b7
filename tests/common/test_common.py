"""scikit-learn's own checks, on every public estimator."""

import ast
import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
from helpers import (
    AUTOENCODERS,
    DETECTORS,
    ESTIMATORS,
    OF_ROWS,
    PREDICTORS,
    SEQUENCES,
    quick,
    sequences_for,
)
from numpydoc.docscrape import NumpyDocString
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_estimator_cloneable,
    check_estimator_repr,
    check_get_params_invariance,
    check_no_attributes_set_in_init,
    check_param_validation,
    check_parameters_default_constructible,
    check_set_output_transform,
    check_set_output_transform_pandas,
    check_set_output_transform_polars,
    check_set_params,
    check_transformer_get_feature_names_out,
    check_transformer_get_feature_names_out_pandas,
    check_valid_tag_types,
    parametrize_with_checks,
)

from skae import AEOutlierDetector, ConditionalVAE, GenerativeClassifier, WindowedDetector

_WEIGHTS_REASON = "sample_weight is not equivalent to removing/repeating samples."


_PRECISION_REASON = "The last digits of results in single precision depend on the batch."


_PRECISE = {
    GenerativeClassifier: "check_methods_subset_invariance",
    ConditionalVAE: "check_methods_sample_order_invariance",
}


_IN_TIME = "The rows of a series are in an order, and the scores of one depend on those near it."


def expected_failures(estimator):
    in_time = {
        "check_fit1d": "A series of one channel may have one dimension.",
        "check_outliers_fit_predict": "It labels by held-out scores, and predict does not.",
        "check_outliers_train": "The share that is flagged is by held-out scores.",
        "check_methods_subset_invariance": _IN_TIME,
        "check_methods_sample_order_invariance": _IN_TIME,
    }
    return (in_time if isinstance(estimator, WindowedDetector) else {}) | {
        "check_sample_weight_equivalence_on_dense_data": _WEIGHTS_REASON,
        "check_sample_weight_equivalence_on_sparse_data": _WEIGHTS_REASON,
    }


@parametrize_with_checks(
    [*(quick(cls) for cls in OF_ROWS), AEOutlierDetector(novelty=True, max_epochs=5)],
    expected_failed_checks=expected_failures,
)
def test_sklearn_check(estimator, check):
    # Some checks draw from the global generator.
    np.random.seed(0)  # noqa: NPY002
    name = getattr(check, "func", check).__name__
    try:
        check(estimator)
    except AssertionError:
        # Whether the last digit of a cell is another one is a matter of luck.
        if not any(isinstance(estimator, cls) and name == of for cls, of in _PRECISE.items()):
            raise
        pytest.xfail(_PRECISION_REASON)


@pytest.mark.parametrize(
    "check",
    [
        check_dataframe_column_names_consistency,
        check_param_validation,
        check_set_output_transform,
        check_set_output_transform_pandas,
        check_set_output_transform_polars,
        check_transformer_get_feature_names_out,
        check_transformer_get_feature_names_out_pandas,
    ],
    ids=lambda check: check.__name__,
)
@pytest.mark.parametrize("cls", [*AUTOENCODERS, *DETECTORS], ids=lambda cls: cls.__name__)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.filterwarnings("ignore:X has feature names")
def test_sklearn_house_check(cls, check):
    check(cls.__name__, quick(cls))


@pytest.mark.parametrize(
    "check", [check_dataframe_column_names_consistency, check_param_validation]
)
@pytest.mark.parametrize("cls", PREDICTORS, ids=lambda cls: cls.__name__)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_sklearn_house_check_of_predictors(cls, check):
    check(cls.__name__, quick(cls))


@pytest.mark.parametrize(
    "check",
    [
        check_estimator_cloneable,
        check_estimator_repr,
        check_get_params_invariance,
        check_no_attributes_set_in_init,
        check_param_validation,
        check_parameters_default_constructible,
        check_set_params,
        check_valid_tag_types,
    ],
    ids=lambda check: check.__name__,
)
@pytest.mark.parametrize("cls", SEQUENCES, ids=lambda cls: cls.__name__)
def test_sklearn_check_that_needs_no_matrix(cls, check):
    assert not quick(cls).__sklearn_tags__().input_tags.two_d_array
    check(cls.__name__, quick(cls))


@pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
def test_docstrings_name_the_defaults(cls):
    text = NumpyDocString(inspect.cleandoc(cls.__doc__))
    defaults = cls().get_params(deep=False)
    for item in text["Parameters"]:
        for name in item.name.split(", "):
            default = ast.literal_eval(item.type.split("default=")[1])
            assert default == defaults[name], name


@pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
def test_docstrings_describe_what_there_is_and_nothing_else(cls, rows):
    text = NumpyDocString(inspect.cleandoc(cls.__doc__))
    described = [name for item in text["Parameters"] for name in item.name.split(", ")]
    assert sorted(described) == sorted(cls().get_params())
    fitted = quick(cls)
    fitted.set_params(**{name: 1 for name in fitted.get_params() if name.endswith("max_epochs")})
    X = pd.DataFrame(rows, columns=list("abcde"))
    X = sequences_for(cls, len(rows)) if cls in SEQUENCES else X
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted.fit(X, np.arange(len(rows)) % 2)
    attributes = {name for item in text["Attributes"] for name in item.name.split(", ")}
    missing = {name for name in attributes if not hasattr(fitted, name)}
    assert missing <= {"schema_", "rate_", "noise_variance_", "classes_", "class_prior_"}
    public = {name for name in vars(fitted) if name.endswith("_") and not name.startswith("_")}
    assert public <= attributes
