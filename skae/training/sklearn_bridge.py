"""Fits and epochs as tasks of scikit-learn's callbacks."""

from typing import Any

from sklearn.callback import CallbackSupportMixin
from skorch.callbacks import Callback

from skae.training.net import AutoencoderNet


class FitTask:
    """The task of a fit, with a subtask for every epoch.

    Parameters
    ----------
    estimator : estimator
        The estimator that is being fitted.
    n_epochs : int
        The largest number of epochs.
    X, sample_weight : object
        The data of the fit, as it was given.
    """

    def __init__(
        self, estimator: CallbackSupportMixin, n_epochs: int, X: Any, sample_weight: Any
    ) -> None:
        self.estimator = estimator
        self.report = {"X": X, "metadata": {"sample_weight": sample_weight}}
        self.context = estimator._init_callback_context(max_subtasks=n_epochs)
        self.context.call_on_fit_task_begin(estimator=estimator, **self.report)

    @property
    def callbacks(self) -> list[Callback]:
        """The skorch callbacks that report epochs, if the estimator has scikit-learn callbacks."""
        listens = hasattr(self.estimator, "_skl_callbacks")
        return [EpochTasks(self.estimator, self.context, self.report)] if listens else []

    def end(self) -> None:
        """Report the end of the fit."""
        self.context.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes={}, **self.report
        )


class EpochTasks(Callback):
    """Report every epoch as a task.

    It holds the estimator and the training data, so it must not outlive the fit.

    Parameters
    ----------
    estimator : estimator
        The estimator that is being fitted.
    context : sklearn.callback.CallbackContext
        The context of the fit task.
    report : dict
        The data that every task reports: ``X`` and ``metadata``.
    """

    def __init__(self, estimator: Any, context: Any, report: dict[str, Any]) -> None:
        self.estimator = estimator
        self.context = context
        self.report = report

    def on_epoch_begin(self, net: AutoencoderNet, **kwargs: Any) -> None:
        """Begin a task."""
        self.task_ = self.context.subcontext(task_name="epoch")
        self.task_.call_on_fit_task_begin(**self._state(net))

    def on_epoch_end(self, net: AutoencoderNet, **kwargs: Any) -> None:
        """End the task, and the training if a callback requests it."""
        if self.task_.call_on_fit_task_end(**self._state(net)):
            net.stop()

    def _state(self, net: AutoencoderNet) -> dict[str, Any]:
        return {
            "estimator": self.estimator,
            "reconstruction_attributes": lambda: {"net_": net.frozen()},
            **self.report,
        }
