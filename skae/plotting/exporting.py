"""export_projector: codes in the files that TensorBoard's projector reads."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skae.common.files import whole_file
from skae.common.sklearn_private import check_matplotlib_support
from skae.plotting.codes import Codes

_BREAKS = str.maketrans({"\t": " ", "\n": " ", "\r": " "})


def export_projector(
    folder: str | os.PathLike,
    estimator: Any,
    X: Any,
    *,
    columns: Any = None,
    image_shape: Sequence[int] | None = None,
    max_points: int = 10_000,
    random_state: Any = None,
) -> Path:
    """Write the codes of rows for TensorBoard's projector.

    The folder can be given to ``tensorboard --logdir``, and its files can be loaded one by one at
    projector.tensorflow.org: ``tensors.tsv`` with the codes, ``metadata.tsv`` with what is known of
    the rows, ``sprite.png`` with the rows as images, and ``projector_config.pbtxt``, which names
    the others.

    Parameters
    ----------
    folder : str or path-like
        The folder, which is made where there is none. Files of these names are replaced.
    estimator : estimator
        A fitted estimator with `transform`, such as an autoencoder.
    X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
        The rows.
    columns : array-like of shape (n_samples,) or dataframe, default=None
        What is known of the rows: labels, or a frame. None is X, if it is a frame.
    image_shape : tuple of int, default=None
        The shape of rows that are images, (height, width) or (channels, height, width).
    max_points : int, default=10000
        The largest number of rows; of more, a sample is written.
    random_state : int, RandomState instance or None, default=None
        The seed of the sample.

    Returns
    -------
    folder : Path
        The folder.

    Raises
    ------
    ValueError
        If `image_shape` does not fit the rows, or the images are too many for one picture.

    See Also
    --------
    projector : The same as a page by itself.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_digits
    >>> from skae import AutoencoderTransformer
    >>> from skae.plotting import export_projector
    >>> X, y = load_digits(return_X_y=True)
    >>> autoencoder = AutoencoderTransformer(8, max_epochs=5).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = export_projector(folder, autoencoder, X, columns=y, image_shape=(8, 8))
    ...     sorted(path.name for path in written.iterdir())
    ['metadata.tsv', 'projector_config.pbtxt', 'sprite.png', 'tensors.tsv']
    """
    found = Codes.of(estimator, X, columns, image_shape, max_points, random_state)
    lines = ["embeddings {", "  tensor_path: " + json.dumps("tensors.tsv")]
    lines.append("  metadata_path: " + json.dumps("metadata.tsv"))
    folder = Path(folder)
    sprite = None if found.images is None else found.sprite()
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(folder / "tensors.tsv") as file:
        np.savetxt(file, found.codes, fmt="%.6g", delimiter="\t")
    _write_columns(found.columns, folder / "metadata.tsv")
    if found.images is not None and sprite is not None:
        with whole_file(folder / "sprite.png") as file:
            _write_image(sprite, file)
        height, width = found.images.shape[1:3]
        lines += ["  sprite {", f"    image_path: {json.dumps('sprite.png')}"]
        lines += [f"    single_image_dim: {size}" for size in (width, height)] + ["  }"]
    with whole_file(folder / "projector_config.pbtxt") as file:
        file.write("\n".join([*lines, "}", ""]).encode())
    return folder


def _write_columns(columns: pd.DataFrame, path: Path) -> None:
    """Write cells line by line; a single column has no header, as the projector expects."""
    texts = [[str(cell).translate(_BREAKS) for cell in row] for row in columns.to_numpy(object)]
    if columns.shape[1] > 1:
        texts.insert(0, [str(name).translate(_BREAKS) for name in columns])
    with whole_file(path) as file:
        file.write("".join("\t".join(row) + "\n" for row in texts).encode())


def _write_image(image: np.ndarray, path: Any) -> None:
    check_matplotlib_support("export_projector")
    from matplotlib.image import imsave

    imsave(path, image, cmap="gray", vmin=0, vmax=1, format="png")
