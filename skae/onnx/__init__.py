"""Fitted estimators as ONNX models, which run without Python: `export`, `feeds`, `register`.

It needs the packages onnx and onnxscript: ``pip install "skae[onnx]"``.
"""

from skae.onnx.exporting import export
from skae.onnx.feeding import feeds
from skae.onnx.registering import register

__all__ = ["export", "feeds", "register"]
