"""The loops behind ``fit``, ``evaluate`` and ``predict``, and their progress bar.

Data may be arrays, tensors, a ``tf.data.Dataset``, or anything that gives batches.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from srcad.tape import nest
from srcad.tape.convert import to_tensor
from srcad.tape.tensor import wrap
from srcad.tf.keras.callbacks import CallbackList, History
from srcad.tf.random import GENERATOR


class Progress:
    """A line such as ``16/16 [==============================] - 0s 2ms/step - loss: 2.3``."""

    def __init__(self, total: int | None, verbose: Any) -> None:
        self.total, self.on = total, verbose in (1, "auto", True)
        self.summary = verbose == 2
        self.start = time.perf_counter()
        self.shown = 0.0

    def show(self, step: int, logs: dict[str, float], last: bool) -> None:
        """Show the state after a step (at most ten times a second)."""
        now = time.perf_counter()
        if not (self.on or (self.summary and last)) or not (last or now - self.shown > 0.1):
            return
        self.shown = now
        total = self.total or (step if last else None)
        values = "".join(f" - {k}: {v:.4f}" for k, v in logs.items())
        seconds = now - self.start
        each = seconds / max(step, 1)
        pace = f"{seconds:.0f}s {1e3 * each:.0f}ms/step"
        if total and not last:
            pace = f"ETA: {each * (total - step):.0f}s"
        head = f"{step}/{total}" if total else f"{step}/Unknown"
        end = "\n" if last else ""
        if self.summary:
            paces = f" - {1e3 * seconds:.0f}ms/epoch - {1e3 * each:.0f}ms/step"
            sys.stdout.write(f"{head} - {seconds:.0f}s{values}{paces}\n")
        else:
            sys.stdout.write(f"\r{head} {_bar(step, total)} - {pace}{values}{end}")
        sys.stdout.flush()


def _bar(step: int, total: int | None) -> str:
    if not total:
        return "[....]"
    done = min(30, int(30 * step / total))
    head = "=" * (done - 1) + ("=" if step >= total else ">") if done else ""
    return f"[{head:.<30}]"


class Trainer:
    """Runs a model over data."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.bar, self.steps = Progress(None, 0), 0

    def fit(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        **ignored: Any,
    ) -> Any:
        """Train for some epochs; gives the history."""
        model = self.model
        if validation_split:
            (x, y, sample_weight), validation_data = _split((x, y, sample_weight), validation_split)
        history = History()
        listeners = CallbackList([*(callbacks or []), history], model, epochs)
        model.stop_training = False
        model.history = history
        listeners.call("on_train_begin")
        for epoch in range(initial_epoch, epochs):
            if verbose in (1, 2, "auto", True) and (epochs > 1 or verbose != 2):
                print(f"Epoch {epoch + 1}/{epochs}")
            listeners.call("on_epoch_begin", epoch)
            batches = _batches(x, y, sample_weight, batch_size, shuffle)
            logs = self._pass(
                model.train_step, batches, verbose, steps_per_epoch, listeners, "train"
            )
            if validation_data is not None:
                found = self.evaluate(*_parts(validation_data), batch_size, 0, return_dict=True)
                logs.update({f"val_{k}": v for k, v in found.items()})
            self.bar.show(self.steps, logs, True)
            listeners.call("on_epoch_end", epoch, logs)
            if model.stop_training:
                break
        listeners.call("on_train_end")
        return history

    def evaluate(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **ignored: Any,
    ) -> Any:
        """Loss and metrics on data."""
        batches = _batches(x, y, sample_weight, batch_size, False)
        listeners = CallbackList(list(callbacks or []), self.model, 1)
        bar = self.bar, self.steps  # those of an epoch, where this is its validation
        logs = self._pass(self.model.test_step, batches, verbose, steps, listeners, "test")
        self.bar.show(self.steps, logs, True)
        self.bar, self.steps = bar
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        **ignored: Any,
    ) -> Any:
        """The outputs as arrays."""
        batches, total = _batches(x, None, None, batch_size, False)
        bar, found, n = Progress(total, verbose), [], 0
        for n, batch in enumerate(batches, 1):
            out = self.model.predict_step(batch)
            found.append(nest.map_structure(lambda t: t.numpy(), out))
            bar.show(n, {}, n in (total, steps))
            if n == steps:
                break
        return nest.map_structure(lambda *parts: np.concatenate(parts), *found)

    def _pass(
        self, step: Any, data: Any, verbose: Any, limit: int | None, listeners: Any, kind: str
    ) -> dict[str, float]:
        """Every batch once; gives the metrics at the end, of which the last line is not shown."""
        batches, total = data
        total = limit or total
        self.model.reset_metrics()
        self.bar = bar = Progress(total, verbose)
        logs: dict[str, float] = {}
        self.steps = n = 0
        for n, batch in enumerate(batches, 1):
            listeners.call(f"on_{kind}_batch_begin", n - 1)
            logs = {k: float(v) for k, v in step(batch).items()}
            listeners.call(f"on_{kind}_batch_end", n - 1, logs)
            if n == limit:
                break
            if n != total:
                bar.show(n, logs, False)
        self.steps = n
        return logs


def _parts(data: Any) -> tuple[Any, Any]:
    """Inputs and targets of validation data."""
    if isinstance(data, tuple | list):
        return data[0], (data[1] if len(data) > 1 else None)
    return data, None


def _split(data: tuple[Any, ...], share: float) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The first part for training, the last for validation."""
    arrays = [None if d is None else np.asarray(d) for d in data]
    cut = int(len(arrays[0]) * (1 - share))  # type: ignore[arg-type]
    first = tuple(None if a is None else a[:cut] for a in arrays)
    return first, tuple(None if a is None else a[cut:] for a in arrays[:2])


def _batches(
    x: Any, y: Any, weight: Any, size: int | None, shuffle: bool
) -> tuple[Iterable[Any], int | None]:
    """The batches of one pass, and how many there are, if known."""
    if hasattr(x, "element_spec"):
        n = x._length
        return x, n if n is not None and n >= 0 else None
    if not isinstance(x, np.ndarray | list | tuple | dict) and not hasattr(x, "_value"):
        return x, len(x) if hasattr(x, "__len__") else None
    given = tuple(d for d in (x, y, weight) if d is not None)
    whole = tuple(nest.map_structure(lambda d: to_tensor(d)._value, _arrays(d)) for d in given)
    count = len(nest.flatten(whole)[0])
    step = size or 32
    return _slices(whole, count, step, shuffle), -(-count // step)


def _arrays(data: Any) -> Any:
    """A list of numbers is one array; other structures stay."""
    if isinstance(data, list) and not (data and hasattr(data[0], "shape")):
        return np.asarray(data)
    return data


def _slices(whole: Any, count: int, step: int, shuffle: bool) -> Iterator[Any]:
    order = GENERATOR.main.permutation(count) if shuffle else np.arange(count)
    for start in range(0, count, step):
        rows = order[start : start + step]
        batch = nest.map_structure(lambda d, rows=rows: wrap(d[rows]), whole)
        yield batch if len(batch) > 1 else batch[0]
