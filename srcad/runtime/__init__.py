"""What generated code calls.

``RUNTIME_HELPERS`` maps the names that primitives' templates use to plain Python functions; the
printer copies the source of those that a module uses into its text.
"""

from __future__ import annotations

from collections.abc import Callable

from srcad.runtime.special import srcad_digamma, srcad_polygamma

RUNTIME_HELPERS: dict[str, Callable[..., float]] = {
    "srcad_digamma": srcad_digamma,
    "srcad_polygamma": srcad_polygamma,
}
