"""A tool in another process, as seen from this one."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "CUDA_VISIBLE_DEVICES": "",
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


class Peer:
    """A worker process of a tool.

    Raises:
        ImportError: the tool is not installed for that interpreter.
    """

    def __init__(self, name: str, clock: str, python: str = sys.executable) -> None:
        self.name = name
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        self.process = subprocess.Popen(
            [python, "-m", "benchmarks.peers.worker", name, clock],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": path},
        )
        self.folder = tempfile.TemporaryDirectory()
        self.version = self.read().get("version")
        if self.version is None:
            self.close()
            raise ImportError(name)

    def read(self) -> dict[str, Any]:
        """The next answer; an empty one where the process has ended."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        return json.loads(line) if line else {}

    def ask(self, **message: Any) -> dict[str, Any]:
        """The answer to a message.

        Raises:
            RuntimeError: the tool failed, in its words.
        """
        assert self.process.stdin
        print(json.dumps(message), file=self.process.stdin, flush=True)
        answer = self.read() or {"error": "the process has ended"}
        if "error" in answer:
            raise RuntimeError(f"{self.name}: {answer['error']}")
        return answer

    def build(
        self, objective: str, arguments: tuple[Any, ...], argnums: tuple[int, ...]
    ) -> tuple[float, np.ndarray] | None:
        """Seconds of the first call, and value and gradient; None if the tool has not got it."""
        data, result = Path(self.folder.name) / "data", Path(self.folder.name) / "result.npy"
        data.write_bytes(pickle.dumps(arguments))
        answer = self.ask(build=objective, data=str(data), argnums=argnums, result=str(result))
        return None if "missing" in answer else (answer["first"], np.load(result))

    def __call__(self, least: float) -> float:
        """Seconds of a call of what was built last."""
        return self.ask(time=least)["seconds"]

    def memory(self) -> int | None:
        """Bytes that such a call needs at its peak."""
        return self.ask(memory=1)["bytes"]

    def close(self) -> None:
        """End the process."""
        self.process.communicate()
        self.folder.cleanup()
