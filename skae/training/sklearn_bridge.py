"""SklearnBridge: epochs as tasks of scikit-learn's callbacks."""

from skorch.callbacks import Callback


class SklearnBridge(Callback):
    """Report every epoch as a task to scikit-learn's callbacks.

    It holds the estimator and the training data, so it must not outlive the fit.

    Parameters
    ----------
    estimator : estimator
        The estimator that is being fitted.
    context : sklearn.callback.CallbackContext
        Its fit task.
    report : dict
        What every task reports of the data: ``X`` and ``metadata``.
    """

    def __init__(self, estimator, context, report) -> None:
        self.estimator = estimator
        self.context = context
        self.report = report

    def on_epoch_begin(self, net, **kwargs) -> None:
        """Begin a task."""
        self.task_ = self.context.subcontext(task_name="epoch")
        self.task_.call_on_fit_task_begin(**self._state(net))

    def on_epoch_end(self, net, **kwargs) -> None:
        """End the task, and the training if a callback asks for it."""
        if self.task_.call_on_fit_task_end(**self._state(net)):
            net.stop()

    def _state(self, net) -> dict:
        return {
            "estimator": self.estimator,
            "reconstruction_attributes": lambda: {"net_": net.frozen()},
            **self.report,
        }
