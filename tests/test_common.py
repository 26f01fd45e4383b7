"""scikit-learn's own checks, on every public estimator."""

import inspect

import pandas as pd
import pytest
from numpydoc.docscrape import NumpyDocString
from sklearn.base import BaseEstimator
from sklearn.utils._testing import assert_docstring_consistency
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_param_validation,
    check_set_output_transform,
    check_set_output_transform_pandas,
    check_set_output_transform_polars,
    check_transformer_get_feature_names_out,
    check_transformer_get_feature_names_out_pandas,
    parametrize_with_checks,
)

import skae

ESTIMATORS = [
    item
    for item in (getattr(skae, name) for name in skae.__all__)
    if inspect.isclass(item) and issubclass(item, BaseEstimator)
]

_WEIGHTS_REASON = "sample_weight is not equivalent to removing/repeating samples."


def expected_failures(estimator):
    return {
        "check_sample_weight_equivalence_on_dense_data": _WEIGHTS_REASON,
        "check_sample_weight_equivalence_on_sparse_data": _WEIGHTS_REASON,
    }


@parametrize_with_checks([cls() for cls in ESTIMATORS], expected_failed_checks=expected_failures)
def test_sklearn_check(estimator, check):
    check(estimator)


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
@pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.filterwarnings("ignore:X has feature names")
def test_sklearn_house_check(cls, check):
    check(cls.__name__, cls())


@pytest.mark.filterwarnings("ignore:Checking was skipped for Parameters")
def test_shared_parameters_are_described_alike():
    assert_docstring_consistency(
        ESTIMATORS, include_params=True, exclude_params=["n_components"], include_attrs=True
    )


@pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
def test_docstrings_describe_what_there_is_and_nothing_else(cls, rows):
    text = NumpyDocString(inspect.cleandoc(cls.__doc__))
    described = [name for item in text["Parameters"] for name in item.name.split(", ")]
    assert sorted(described) == sorted(cls().get_params())
    fitted = cls(max_epochs=1).fit(pd.DataFrame(rows, columns=list("abcde")))
    attributes = {name for item in text["Attributes"] for name in item.name.split(", ")}
    missing = {name for name in attributes if not hasattr(fitted, name)}
    assert missing <= {"schema_"}
    public = {name for name in vars(fitted) if name.endswith("_") and not name.startswith("_")}
    assert public <= attributes
