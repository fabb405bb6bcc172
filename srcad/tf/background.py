"""Compiling while the program goes on: one thread that works off a queue.

``submit(work)`` gives a ``Job`` at once; ``job.done`` becomes true when the work has ended, and
``job.error`` then holds what it raised.  The thread is no daemon, so the interpreter waits for
the compilation under way when it ends, but begins no other.  After a fork the child starts anew:
work that its parent had queued counts as failed there and is done when it is needed.

Numba compiles under a lock of its own; nothing here holds a lock while it does.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable


class Job:
    """Work that is done elsewhere."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._pid = os.getpid()
        self._ended = threading.Event()
        self.error: BaseException | None = None

    @property
    def done(self) -> bool:
        """Whether it has ended, with or without an error."""
        return self._ended.is_set() or self._pid != os.getpid()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it has ended; whether it has."""
        return self.done or self._ended.wait(seconds)

    def run(self) -> None:
        """Do the work."""
        try:
            self._work()
        except Exception as error:  # whoever asked looks at it
            self.error = error
        finally:
            self._ended.set()


class Worker:
    """The thread and its queue."""

    def __init__(self) -> None:
        self.queue: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self.guard = threading.Lock()
        self.thread: threading.Thread | None = None
        self.last: Job | None = None

    def submit(self, job: Job) -> None:
        """Queue a job, and see that there is a thread."""
        with self.guard:
            self.queue.put(job)
            self.last = job
            if self.thread is None:
                self.thread = threading.Thread(target=self.work, name="srcad-compile")
                self.thread.start()

    def work(self) -> None:
        """Jobs until there are none, or the program has ended."""
        while True:
            with self.guard:
                if self.queue.empty():
                    self.thread = None
                    return
                job = self.queue.get()
            if threading.main_thread().is_alive():
                job.run()


_worker = Worker()


def submit(work: Callable[[], None]) -> Job:
    """Do something on the thread.

    >>> done = []
    >>> job = submit(lambda: done.append(1))
    >>> job.wait(10.0), job.error, done
    (True, None, [1])
    """
    job = Job(work)
    _worker.submit(job)
    return job


def wait(seconds: float | None = None) -> bool:
    """Wait until nothing is queued; whether that is so."""
    end = None if seconds is None else time.monotonic() + seconds
    while (job := _worker.last) is not None and not job.done:
        left = None if end is None else end - time.monotonic()
        if not job.wait(left):
            return False
    return True


def _after_fork() -> None:
    global _worker
    _worker = Worker()


os.register_at_fork(after_in_child=_after_fork)
