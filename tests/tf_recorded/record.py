"""Write the recordings: ``python -m tests.tf_recorded.record [suite ...]`` (needs TensorFlow 2).

Needed are ``tensorflow`` (2.21 was used) and ``tf-keras``, for the behaviour of Keras 2.
"""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from typing import Any

from tests.tf_recorded import harness, suites
from tests.tf_recorded.values import trimmed

SETTINGS = {
    "TF_USE_LEGACY_KERAS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "CUDA_VISIBLE_DEVICES": "-1",
}


def load_tensorflow() -> Any:
    """TensorFlow with Keras 2."""
    os.environ.update(SETTINGS)
    import tensorflow

    tensorflow.get_logger()  # its handler keeps the present error stream
    return tensorflow


def forget_warnings() -> None:
    """Let TensorFlow log again what it logs only once."""
    from tensorflow.python.platform import tf_logging

    tf_logging._log_counter_per_token.clear()


def with_old_sgd(program):
    """Run a program that passes ``lr=``, which only the older SGD honours."""

    def run(tf):
        optimizers, new = tf.keras.optimizers, tf.keras.optimizers.SGD
        optimizers.SGD = optimizers.legacy.SGD
        try:
            return program(tf)
        finally:
            optimizers.SGD = new

    return run


def record(suite: str, tf: Any) -> int:
    """Record one suite; the number of programs that failed."""
    entries, arrays, failed = {}, {}, 0
    for name, program in suites.SUITES[suite]().items():
        if name in suites.OLD_SGD:
            program = with_old_sgd(program)
        forget_warnings()
        try:
            entries[name] = trimmed(harness.described(name, program, tf, arrays))
        except Exception:
            failed += 1
            print(f"--- {suite} {name}")
            traceback.print_exc(limit=-4)
    harness.save(suite, entries, arrays, tf.__version__)
    print(f"{suite}: {len(entries)} recorded, {failed} failed")
    return failed


def main(names: list[str]) -> int:
    """Record the named suites, or all."""
    tf = load_tensorflow()
    warnings.simplefilter("ignore")
    return sum([record(suite, tf) for suite in names or suites.SUITES])


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
