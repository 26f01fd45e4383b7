"""projector: a page to look at codes with, by itself in one file."""

import base64
import html
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from skae.common.files import whole_file
from skae.common.sklearn_private import check_matplotlib_support
from skae.plotting.codes import Codes

# The largest numbers of labels with a colour of their own, of cells that are shown of a row, and of
# characters of a cell.
_MOST_LABELS, _MOST_CELLS, _MOST_CHARACTERS = 40, 12, 60
_POINT_SIZE = {2: 6, 3: 3}
_SCRIPT = Path(__file__).with_name("projector.js")
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ margin: 0; font: 14px sans-serif; display: flex; flex-direction: column; height: 100vh; }}
header {{ padding: 8px 12px; display: flex; gap: 12px; align-items: center; }}
#plot {{ flex: 1; min-height: 0; }}
#plot > div {{ height: 100%; }}
#image {{ position: fixed; display: none; pointer-events: none; border: 1px solid #888;
  image-rendering: pixelated; background-repeat: no-repeat; z-index: 10; }}
</style></head><body>
<header><strong>{title}</strong>
<label>Colour <select id="colour"></select></label>
<label>Search <input id="search" type="search" placeholder="text of a cell"></label>
<span id="found"></span></header>
<div id="plot">{plot}</div><div id="image"></div>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body></html>
"""


class ProjectorPage:
    """A page that shows codes; a notebook shows it in place.

    Parameters
    ----------
    html : str
        The text of the page.
    n_points : int
        The number of rows that it shows.
    """

    def __init__(self, html: str, n_points: int) -> None:
        self.html = html
        self.n_points = n_points

    def write(self, path: str | os.PathLike) -> Path:
        """Write the page into a file, and return its path."""
        path = Path(path)
        with whole_file(path) as file:
            file.write(self.html.encode())
        return path

    def _repr_html_(self) -> str:
        inside = html.escape(self.html, quote=True)
        return f'<iframe srcdoc="{inside}" style="width: 100%; height: 600px; border: 0"></iframe>'

    def __repr__(self) -> str:
        return f"ProjectorPage(n_points={self.n_points}, {len(self.html) / 2**20:.1f} MiB)"


def projector(
    estimator: Any,
    X: Any,
    *,
    columns: Any = None,
    image_shape: Sequence[int] | None = None,
    n_dimensions: Literal[2, 3] = 2,
    by: Literal["components", "pca", "tsne"] = "pca",
    max_points: int = 5_000,
    title: str = "Codes",
    random_state: Any = None,
) -> ProjectorPage:
    """Return a page that shows the codes of rows, in one file without links.

    Points are coloured by any column, rows are shown where the mouse is, as cells and as images,
    and a search leaves those bright that hold a text.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator with `transform`, such as an autoencoder.
    X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
        The rows.
    columns : array-like of shape (n_samples,) or dataframe, default=None
        What is known of the rows: labels, or a frame. None is X, if it is a frame.
    image_shape : tuple of int, default=None
        The shape of rows that are images, (height, width) or (channels, height, width).
    n_dimensions : {2, 3}, default=2
        The number of dimensions.
    by : {"components", "pca", "tsne"}, default="pca"
        How codes of more units are shown: their first units, their principal components, or t-SNE.
    max_points : int, default=5000
        The largest number of rows; of more, a sample is shown.
    title : str, default="Codes"
        The title of the page.
    random_state : int, RandomState instance or None, default=None
        The seed of the sample and of t-SNE.

    Returns
    -------
    page : ProjectorPage
        The page; ``page.write("codes.html")`` writes it.

    Raises
    ------
    ValueError
        If a parameter is none of these, or `image_shape` does not fit the rows.
    ImportError
        If plotly is not installed.

    See Also
    --------
    export_projector : The codes as files of TensorBoard's projector.
    LatentDisplay : A figure of two units.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import AutoencoderTransformer
    >>> from skae.plotting import projector
    >>> X, y = load_digits(return_X_y=True)
    >>> autoencoder = AutoencoderTransformer(8, max_epochs=5).fit(X)
    >>> projector(autoencoder, X[:500], columns=y[:500], image_shape=(8, 8)).n_points
    500
    """
    for name, value, allowed in (
        ("n_dimensions", n_dimensions, (2, 3)),
        ("by", by, ("components", "pca", "tsne")),
    ):
        if value not in allowed:
            raise ValueError(f"The {name!r} parameter must be one of {allowed}. Got {value!r}.")
    found = Codes.of(estimator, X, columns, image_shape, max_points, random_state)
    points = found.reduced(n_dimensions, by, random_state)
    data = {
        "colours": [_colour_of(found.columns.iloc[:, i]) for i in range(found.columns.shape[1])],
        "texts": _texts_of(found.columns),
        "images": None if found.images is None else _images_of(found),
    }
    # A cell that holds "</script>" must not end the script.
    as_json = json.dumps(data).replace("<", "\\u003c")
    page = _PAGE.format(
        title=html.escape(title),
        plot=_plot(points, _hover_of(found.columns)),
        data=as_json,
        script=_SCRIPT.read_text(encoding="utf-8"),
    )
    return ProjectorPage(page, len(points))


def _plot(points: np.ndarray, hover: list[str]) -> str:
    """Return the plot as a part of a page, with the library that draws it."""
    try:
        import plotly.graph_objects as go
    except ImportError as error:
        raise ImportError("projector needs plotly: pip install 'skae[projector]'.") from error
    names = ("x", "y", "z")[: points.shape[1]]
    size = _POINT_SIZE[len(names)]
    kind = go.Scattergl if len(names) == 2 else go.Scatter3d
    trace = kind(
        **dict(zip(names, points.T.round(5), strict=True)),
        mode="markers",
        marker={"size": size},
        text=hover,
        hovertemplate="%{text}<extra></extra>",
    )
    figure = go.Figure(trace)
    figure.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0}, template="plotly_white")
    return figure.to_html(full_html=False, include_plotlyjs=True, div_id="codes")


def _colour_of(column: pd.Series) -> dict[str, Any]:
    """Return what the points are coloured by: numbers, or the places of labels."""
    known = {"name": str(column.name), "labels": None}
    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if is_number and column.nunique() > _MOST_LABELS:
        numbers = column.astype(float)
        return known | {"values": [None if np.isnan(x) else x for x in numbers]}
    if pd.api.types.is_datetime64_any_dtype(column):
        days = (column - column.min()).dt.total_seconds() / 86_400
        return known | {"values": [None if np.isnan(x) else x for x in days]}
    labels = column.astype(object).where(column.notna(), "missing").map(str)
    frequent = [str(label) for label in labels.value_counts().index[:_MOST_LABELS]]
    frequent = sorted(frequent, key=lambda label: (len(label), label))
    places = {label: place for place, label in enumerate(frequent)}
    names = frequent if labels.nunique() <= _MOST_LABELS else [*frequent, "others"]
    return known | {
        "values": [places.get(label, len(frequent)) for label in labels],
        "labels": names,
    }


def _texts_of(columns: pd.DataFrame) -> list[str]:
    """Return the cells of every row as one text in lower case, to search in."""
    return [" ".join(map(str, row)).lower() for row in columns.to_numpy(object)]


def _hover_of(columns: pd.DataFrame) -> list[str]:
    """Return what is shown of every row."""
    names = [html.escape(str(name)) for name in columns][:_MOST_CELLS]
    rows = columns.iloc[:, :_MOST_CELLS].to_numpy(object)
    return [
        "<br>".join(
            f"{name}: {html.escape(str(cell)[:_MOST_CHARACTERS])}"
            for name, cell in zip(names, row, strict=True)
        )
        for row in rows
    ]


def _images_of(found: Codes) -> dict[str, Any]:
    """Return all images as one picture, and where each is."""
    check_matplotlib_support("projector")
    from matplotlib.image import imsave

    assert found.images is not None
    sprite, buffer = found.sprite(), io.BytesIO()
    imsave(buffer, sprite, cmap="gray_r", vmin=0, vmax=1, format="png")
    _, height, width = found.images.shape[:3]
    return {
        "source": "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode(),
        "height": height,
        "width": width,
        "side": sprite.shape[1] // width,
    }
