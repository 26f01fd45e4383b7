"""Files that are written whole or not at all."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Open a file for writing bytes that is written whole or not at all.

    The bytes go into a file beside it, which takes its place at the end of the block. If the block
    raises an error, or the process ends before that, what was there before stays.

    Parameters
    ----------
    path : str or path-like
        The path of the file.

    Yields
    ------
    file : binary file
        The file to write to.

    Raises
    ------
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import pickle, tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from skae import AutoencoderTransformer, whole_file
    >>> X, _ = load_iris(return_X_y=True)
    >>> fitted = AutoencoderTransformer(2, max_epochs=5, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "model.pickle"
    ...     with whole_file(path) as file:
    ...         pickle.dump(fitted, file)
    ...     loaded = pickle.loads(path.read_bytes())
    >>> bool((loaded.transform(X) == fitted.transform(X)).all())
    True
    """
    # A link stays one: the file that it points to is replaced.
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        # A pipe or a device is no file that could be replaced, nor a folder.
        with target.open("wb") as file:
            yield file
        return
    descriptor, beside = tempfile.mkstemp(prefix=".skae-", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, _mode_of(target))
        os.replace(beside, target)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _mode_of(path: Path) -> int:
    """Return the permissions that a file has, or a new one would have."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
