"""Catch what is logged under the name of ``tensorflow``."""

from __future__ import annotations

import logging
from typing import Any


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def logged(tf: Any, call) -> list[str]:
    """The different warnings that ``call()`` logs through ``tf.get_logger()``."""
    logger, handler = tf.get_logger(), _Kept()
    level, others, propagate = logger.level, list(logger.handlers), logger.propagate
    logger.setLevel(logging.WARNING)
    logger.handlers[:] = [handler]
    logger.propagate = False
    try:
        call()
    finally:
        logger.setLevel(level)
        logger.handlers[:] = others
        logger.propagate = propagate
    return sorted(set(handler.texts))
