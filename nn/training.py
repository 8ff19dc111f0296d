"""`fit`: train a model on the batches of a loader."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from autograd_core.errors import ArgumentError
from autograd_core.errors.tracebacks import public
from nn.callbacks import Callback
from nn.checkpoints import Checkpoints
from nn.history import History
from nn.metrics import Metric
from nn.module import Module
from nn.progress import Bar
from nn.run import Run

__all__ = ["Run", "fit"]


@public
def fit(
    model: Module,
    loader: Any,
    loss: Callable[[Any, Any], Any],
    optimizer: Any,
    *,
    epochs: int = 1,
    valid: Any = None,
    metrics: Sequence[Metric] = (),
    schedule: Any = None,
    epoch_schedule: Any = None,
    callbacks: Sequence[Callback] = (),
    accumulate: int = 1,
    max_norm: float | None = None,
    average: Any = None,
    compile: bool = True,
    checkpoints: Checkpoints | str | Path | None = None,
    every: int | None = None,
    resume: bool = False,
    generators: Mapping[str, Any] | None = None,
    log: str | Path | None = None,
    progress: bool | None = None,
) -> History:
    """Train a model on the batches of a loader.

    The loader yields tuples of which the last entry is the target: the loss of a batch is
    ``loss(model(*inputs), target)``. Ctrl-C ends the run after the batch that is under way, and a
    checkpoint is written.

    Parameters
    ----------
    model : Module
        The model to train.
    loader : iterable
        The batches, such as a `DataLoader` or a list.
    loss : callable
        A function of the output of the model and the target, such as ``MSELoss()``.
    optimizer : Optimizer
        The optimiser of the parameters of the model. `LBFGS` needs a loop of your own.
    epochs : int, default 1
        The number of passes over the loader.
    valid : iterable, optional
        Batches on which the model is evaluated after each epoch.
    metrics : sequence of Metric, default ()
        What is computed on the batches of `valid`, or without these on those of the training.
    schedule : LRScheduler, optional
        A schedule that is advanced after each step of the optimiser.
    epoch_schedule : LRScheduler, optional
        A schedule that is advanced after each epoch; a `ReduceLROnPlateau` with the loss of
        `valid`.
    callbacks : sequence of Callback, default ()
        What is called between the steps and epochs.
    accumulate : int, default 1
        The number of batches of a step, which uses the sum of their gradients divided by this
        number.
    max_norm : float, optional
        The largest norm of the gradient, which is clipped by `clip_grad_norm_`.
    average : AveragedModel, optional
        A mean of the model, which is updated after each step and evaluated in place of the model.
    compile : bool, default True
        If false, the step is not compiled.
    checkpoints : Checkpoints, str or Path, optional
        Where the whole state of the run is saved after each epoch.
    every : int, optional
        The number of batches after which a checkpoint is written, too.
    resume : bool, default False
        If true, the run continues at the newest checkpoint, if there is one.
    generators : dict, optional
        Random generators to save, beside those that are found.
    log : str or Path, optional
        A .jsonl or .csv file that receives a row for each epoch.
    progress : bool, optional
        Whether a bar is shown (tqdm). By default, if the output is a terminal or a notebook.

    Returns
    -------
    History
        The numbers of each epoch.

    Raises
    ------
    ArgumentError
        For numbers below 1, a loader without batches, metrics of the same name, a schedule with too
        few steps, arguments that have no effect, an `LBFGS`, or without `resume` a folder that has
        checkpoints of another run.
    NonFiniteError
        If a loss or a parameter is inf or NaN. The epoch is repeated to name the operation, and the
        model has the weights before it.
    AutogradError
        If another process uses the folder of the checkpoints.

    See Also
    --------
    Run : What callbacks see.
    evaluate : The loss and the metrics of a model, without training.

    Notes
    -----
    A resumed run ends with the same bits as if it had never stopped: model, optimiser, schedules,
    loader and callbacks are saved, and every random generator in their attributes and closures, in
    those of the loss and in `generators`, with those of ``np.random`` and `random`.

    With a `DistributedDataParallel` of several ranks (`nn.distributed`), all of them call `fit`,
    each with a loader of its part of the data, ``DataLoader(…, shard=world())``. Losses and metrics
    are those of all ranks; rank 0 writes files and shows the bar, and the others wait. A run is
    resumed with the same bits on the same number of ranks; on another number, a pass that was
    interrupted begins anew, and further ranks have the generators that they were given.

    Examples
    --------
    >>> import numpy as np, nn
    >>> x = np.linspace(-1, 1, 64)[:, None]
    >>> loader = nn.DataLoader(nn.TensorDataset(x, 2 * x), 16, shuffle=True, generator=0)
    >>> model = nn.Linear(1, 1, generator=0)
    >>> optimizer = nn.SGD(model.parameters(), lr=0.5)
    >>> history = nn.fit(model, loader, nn.MSELoss(), optimizer, epochs=20)
    >>> history[-1]["loss"] < 1e-4
    True
    >>> model.weight.data.round(4)
    array([[2.]])
    """
    folder = checkpoints
    if folder is not None and not isinstance(folder, Checkpoints):
        folder = Checkpoints(folder)
    run = Run(
        model, loader, loss, optimizer, epochs=epochs, valid=valid, metrics=metrics,
        schedule=schedule, epoch_schedule=epoch_schedule, callbacks=callbacks,
        accumulate=accumulate, max_norm=max_norm, average=average, compile=compile,
        checkpoints=folder, every=every, generators=generators, log=log,
    )  # fmt: skip
    ranks = run.ranks
    with ExitStack() as stack:
        if folder is not None and ranks.writes:
            stack.enter_context(folder.locked())
        if resume:
            run.resume()
        elif folder is not None and ranks.group.same(bool(folder.paths())):
            raise ArgumentError(
                f"fit: {folder.folder} has checkpoints of another run: pass resume=True to go on, "
                "another folder, or call clear() of its nn.Checkpoints"
            )
        run.bar = stack.enter_context(Bar(progress if ranks.writes else False))
        stack.enter_context(_ending_at_ctrl_c(run))
        run.train()
    return run.history


@contextmanager
def _ending_at_ctrl_c(run: Run) -> Iterator[None]:
    """A context manager in which Ctrl-C lets the batch under way end; the second one interrupts at
    once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: Any) -> None:
        if run.history.interrupted:
            raise KeyboardInterrupt
        run.interrupt()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
