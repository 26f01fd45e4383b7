"""The errors and the warning of files of estimators."""

from sklearn.exceptions import InconsistentVersionWarning


class FileError(ValueError):
    """A file is not what `save` wrote; the message names the field."""


class CannotSaveError(TypeError):
    """An estimator holds something that a file cannot; the message names it."""


class OtherVersionWarning(InconsistentVersionWarning):
    """A file was written by another version.

    Parameters
    ----------
    package : str
        The name of the package.
    saved, current : str
        The version that wrote the file, and the one that reads it.
    """

    def __init__(self, package: str, saved: str, current: str) -> None:
        super().__init__(
            estimator_name=package,
            current_sklearn_version=current,
            original_sklearn_version=saved,
        )

    def __str__(self) -> str:
        return (
            f"The file was saved with {self.estimator_name} {self.original_sklearn_version} and is "
            f"read with {self.estimator_name} {self.current_sklearn_version}. Its readings may "
            f"differ. Fit again, or read it with the version that saved it."
        )
