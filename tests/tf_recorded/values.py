"""Describe values as plain data, and compare two descriptions within a tolerance.

A description is what JSON can hold.  Arrays of more than a few elements go into a separate
dictionary (saved as ``.npz``) and the description names their key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

INLINE = 36
TOLERANCES = {"float16": (2e-3, 2e-3), "float32": (2e-5, 2e-6), "float64": (1e-10, 1e-12)}
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)|\bnan\b|\binf\b")


@dataclass
class Close:
    """A value to compare with its own tolerances."""

    value: Any
    rtol: float = 1e-4
    atol: float = 1e-5


@dataclass
class Text:
    """A printed form whose numbers may differ by rounding."""

    value: str


@dataclass
class Raised:
    """An exception: its class, and its message where that is to be the same.

    ``text`` is True (same message), False (any message), None (any exception at all) or a part
    that the message must contain.
    """

    error: BaseException
    text: bool | str | None = True


def raised(call, text: bool | str | None = True) -> Raised:
    """The exception that ``call()`` raises."""
    try:
        value = call()
    except Exception as e:
        return Raised(e, text)
    raise AssertionError(f"nothing was raised, the result is {value!r}")


def message(error: BaseException) -> str:
    """An exception's text without node names, addresses and further advice."""
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    text = re.sub(r"\s*\n\s*instead: .*", "", text, flags=re.DOTALL)
    text = re.sub(r"\{\{function_node [^}]*\}\}\s*", "", text)
    text = re.sub(r"0x[0-9a-f]+", "0x", text)
    text = re.sub(r" +", " ", text)
    return re.sub(r"\s*\bname:\s*[\w/]*$", "", text).strip()


def describe_error(raised_: Raised) -> dict:
    """The description of an exception."""
    names = [c.__name__ for c in type(raised_.error).__mro__ if c not in (object, BaseException)]
    found = {"raises": names, "message": message(raised_.error)}
    if raised_.text is None:
        return {"raises": ["Exception", *names]}
    if raised_.text is False:
        found.pop("message")
    elif raised_.text is not True:
        found["part"] = raised_.text
    return found


def trimmed(description: Any) -> Any:
    """A description without the messages of which only a part counts."""
    if isinstance(description, list):
        return [trimmed(v) for v in description]
    if not isinstance(description, dict):
        return description
    if "part" in description:
        assert description["part"] in description["message"], description
        return {k: v for k, v in description.items() if k != "message"}
    return {k: trimmed(v) for k, v in description.items()}


def _array(value: np.ndarray, key: str, arrays: dict) -> dict:
    found: dict[str, Any] = {"dtype": value.dtype.name, "shape": list(value.shape)}
    if value.size > INLINE:
        arrays[key] = value
        return found | {"key": key}
    if value.dtype.kind == "f":
        flat = [float(str(x)) for x in value.ravel()]
    elif value.dtype.kind == "c":
        flat = [[float(x.real), float(x.imag)] for x in value.ravel()]
    elif value.dtype.kind in "OS":
        found["dtype"] = "object"
        flat = [x.decode() if isinstance(x, bytes) else str(x) for x in value.ravel()]
    else:
        flat = value.ravel().tolist()
    return found | {"data": flat}


def describe(value: Any, key: str, arrays: dict) -> Any:
    """The description of a program's result."""
    kind = type(value).__name__
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Close):
        found = describe(value.value, key, arrays)
        return {"close": found, "rtol": value.rtol, "atol": value.atol}
    if isinstance(value, Text):
        return {"text": value.value}
    if isinstance(value, Raised):
        return describe_error(value)
    if isinstance(value, dict):
        return {"dict": {k: describe(v, f"{key}/{k}", arrays) for k, v in value.items()}}
    if kind == "TensorShape":
        return {"TensorShape": None if value.rank is None else list(value)}
    if kind == "DType":
        return {"DType": value.name}
    if isinstance(value, list | tuple):
        name = "tuple" if isinstance(value, tuple) else "list"
        return {name: [describe(v, f"{key}/{i}", arrays) for i, v in enumerate(value)]}
    if isinstance(value, np.ndarray | np.generic):
        return {"array": _array(np.asarray(value), key, arrays)}
    if hasattr(value, "numpy") and hasattr(value, "dtype"):
        name = "variable" if hasattr(value, "trainable") else "tensor"
        return {name: _array(np.asarray(value.numpy()), key, arrays)}
    raise TypeError(f"{key}: a {kind} cannot be recorded: {value!r}")


class Difference(AssertionError):
    """Two descriptions differ."""


def _same(found: Any, expected: Any, where: str) -> None:
    if found != expected or type(found) is not type(expected):
        raise Difference(f"{where}: {found!r}, but TensorFlow gives {expected!r}")


def _close(found, expected, where: str, rtol: float, atol: float) -> None:
    if not np.allclose(found, expected, rtol=rtol, atol=atol, equal_nan=True):
        raise Difference(f"{where}: {found!r}, but TensorFlow gives {expected!r}")


def _data(entry: dict, arrays: dict) -> np.ndarray:
    data = arrays[entry["key"]] if "key" in entry else entry["data"]
    if "key" not in entry and entry["dtype"].startswith("complex"):
        data = [complex(*x) for x in data]
    kind = object if entry["dtype"] == "object" else entry["dtype"]
    return np.asarray(data, dtype=kind).reshape(entry["shape"])


def compare_arrays(found: dict, expected: dict, where: str, stores, tolerance) -> None:
    """Compare two arrays: dtype and shape exactly, floating numbers within the tolerance."""
    for field in ("dtype", "shape"):
        _same(found[field], expected[field], f"{where}.{field}")
    a, b = _data(found, stores[0]), _data(expected, stores[1])
    if a.dtype.kind not in "fc":
        if not np.array_equal(a, b):
            raise Difference(f"{where}: {a!r}, but TensorFlow gives {b!r}")
        return
    rtol, atol = tolerance or TOLERANCES.get(expected["dtype"], (1e-5, 1e-6))
    _close(a, b, where, rtol, atol)


def compare_text(found: str, expected: str, where: str) -> None:
    """Compare two printed forms: the words exactly, the numbers within rounding."""
    _same(NUMBER.sub("#", found), NUMBER.sub("#", expected), where)
    pairs = zip(NUMBER.findall(found), NUMBER.findall(expected), strict=True)
    for a, b in pairs:
        _close(float(a), float(b), f"{where}: a number in {found!r}", 1e-4, 1e-5)


def compare_errors(found: Any, expected: dict, where: str) -> None:
    """Compare two exceptions: the class may be a subclass, the message as the case says."""
    if not isinstance(found, dict) or "raises" not in found:
        raise Difference(f"{where}: {found!r}, but TensorFlow raises {expected!r}")
    if expected["raises"][0] not in found["raises"]:
        raise Difference(f"{where}: {found}, but TensorFlow raises {expected}")
    if "part" in expected:
        if expected["part"] not in found.get("message", ""):
            raise Difference(f"{where}: {expected['part']!r} is not in {found['message']!r}")
    elif "message" in expected:
        _same(found.get("message"), expected["message"], f"{where}: message")


def _compare_items(found: Any, expected: Any, name: str, where: str, stores, tolerance) -> None:
    a, b = found[name], expected[name]
    keys = (sorted(a), sorted(b)) if name == "dict" else (len(a), len(b))
    _same(*keys, f"{where} ({name})")
    for k in b if name == "dict" else range(len(b)):
        compare(a[k], b[k], f"{where}[{k!r}]", stores, tolerance)


def compare(found: Any, expected: Any, where: str, stores, tolerance=None) -> None:
    """Raise :class:`Difference` where a description differs from the expected one."""
    if isinstance(expected, float) and isinstance(found, float):
        _close(found, expected, where, *(tolerance or TOLERANCES["float32"]))
        return
    if not isinstance(expected, dict):
        _same(found, expected, where)
        return
    if "raises" in expected:
        compare_errors(found, expected, where)
        return
    kind = next(iter(expected))
    if not isinstance(found, dict) or kind not in found:
        raise Difference(f"{where}: {found!r}, but TensorFlow gives {expected!r}")
    if kind == "close":
        own = (expected["rtol"], expected["atol"])
        compare(found["close"], expected["close"], where, stores, own)
    elif kind == "text":
        compare_text(found["text"], expected["text"], where)
    elif kind in ("list", "tuple", "dict"):
        _compare_items(found, expected, kind, where, stores, tolerance)
    elif kind in ("array", "tensor", "variable"):
        compare_arrays(found[kind], expected[kind], where, stores, tolerance)
    else:
        _same(found, expected, where)
