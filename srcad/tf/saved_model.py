"""``tf.saved_model``: a module's variables and the source of its functions, in a folder.

Files: ``variables.npz`` (no pickles), ``source.py`` (the declared source), ``saved_model.json``
(the tree of attributes, and checksums of both), ``checksum.txt`` (that of the tree).  Loading
refuses a folder of which any file was changed, and runs the source inside of a fence
(``saved_source``).  Custom gradients are part of the source, so they are alive in a process that
knows nothing of the original program.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np

from srcad.errors import UnsupportedSyntax
from srcad.tape.convert import to_tensor
from srcad.tape.tensor import Tensor, wrap
from srcad.tape.variable import Variable
from srcad.tf.function import Function, Method
from srcad.tf.missing import missing
from srcad.tf.module import Module
from srcad.tf.saved_source import declared_source, run_source

LOG = logging.getLogger("srcad")
FORMAT = 1


class SaveOptions:
    """Options of ``save``; custom gradients are always kept."""

    def __init__(self, experimental_custom_gradients: bool = True, **others: Any) -> None:
        self.experimental_custom_gradients = experimental_custom_gradients


class LoadOptions:
    """Options of ``load``: there are none that matter."""

    def __init__(self, **others: Any) -> None:
        self.others = others


class Saver:
    """Collects a module's tree of attributes, its arrays and sources."""

    def __init__(self) -> None:
        self.arrays: dict[str, Any] = {}
        self.sources: dict[str, str] = {}
        self.seen: dict[int, str] = {}

    def tree(self, value: Any) -> dict[str, Any]:
        """The description of a value."""
        if isinstance(value, Variable):
            known = id(value) in self.seen
            key = self.seen.setdefault(id(value), f"a{len(self.arrays)}")
            if not known:
                self.arrays[key] = value._value
            name = value.name.removesuffix(":0")
            return {"variable": key, "name": name, "trainable": value.trainable}
        if type(value) is Tensor or isinstance(value, np.ndarray):
            key = f"a{len(self.arrays)}"
            self.arrays[key] = to_tensor(value)._value
            return {"tensor": key}
        if isinstance(value, Module):
            return self._module(value)
        if isinstance(value, list | tuple):
            return {type(value).__name__: [self.tree(v) for v in value]}
        if isinstance(value, dict):
            return {"dict": [[k, self.tree(v)] for k, v in value.items()]}
        if value is None or isinstance(value, bool | int | float | str):
            return {"value": value}
        raise UnsupportedSyntax(
            f"an attribute of type {type(value).__name__} cannot be saved",
            instead="keep variables, tensors, numbers, texts, modules, and lists of them",
        )

    def _module(self, module: Module) -> dict[str, Any]:
        cls = type(module)
        if cls.__module__.startswith("srcad."):
            raise UnsupportedSyntax(
                f"{cls.__name__} cannot be saved as a module",
                instead="use model.save_weights and build the model again, or subclass tf.Module",
            )
        self.sources.setdefault(cls.__name__, declared_source(cls))
        kept = {k: v for k, v in vars(module).items() if not isinstance(v, Function | Method)}
        return {"module": cls.__name__, "attributes": {k: self.tree(v) for k, v in kept.items()}}


def save(obj: Any, export_dir: Any, signatures: Any = None, options: Any = None) -> None:
    """Write a module to a folder."""
    if not isinstance(obj, Module):
        raise ValueError(f"Expected an object of tf.Module, got {obj!r}.")
    saver = Saver()
    tree = saver.tree(obj)
    folder = Path(str(export_dir))
    (folder / "assets").mkdir(parents=True, exist_ok=True)
    packed = io.BytesIO()
    np.savez(packed, **saver.arrays)
    files = {
        "variables.npz": packed.getvalue(),
        "source.py": "\n\n".join(saver.sources.values()).encode(),
    }
    entry = {"format": FORMAT, "tree": tree, "sha256": {k: _sum(v) for k, v in files.items()}}
    files["saved_model.json"] = json.dumps(entry, indent=1).encode()
    files["checksum.txt"] = _sum(files["saved_model.json"]).encode()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    LOG.info("Assets written to: %s", folder / "assets")


def load(export_dir: Any, tags: Any = None, options: Any = None) -> Any:
    """The module that a folder holds."""
    import srcad.tf as tf

    folder = Path(str(export_dir))
    if not (folder / "saved_model.json").is_file():
        raise OSError(f"SavedModel file does not exist at: {folder}")
    content = (folder / "saved_model.json").read_bytes()
    _verify("saved_model.json", content, (folder / "checksum.txt").read_bytes().decode("latin-1"))
    entry = json.loads(content)
    files = {name: (folder / name).read_bytes() for name in ("variables.npz", "source.py")}
    for name, found in files.items():
        _verify(name, found, entry["sha256"][name])
    with np.load(io.BytesIO(files["variables.npz"]), allow_pickle=False) as packed:
        arrays = {k: packed[k] for k in packed.files}
    return _built(entry["tree"], arrays, run_source(files["source.py"].decode(), tf), {})


def _built(tree: Any, arrays: dict[str, Any], space: dict[str, Any], made: dict[str, Any]) -> Any:
    """The value that a description stands for."""

    def part(inner: Any) -> Any:
        return _built(inner, arrays, space, made)

    if "variable" in tree:
        key = tree["variable"]
        if key not in made:
            made[key] = Variable(wrap(arrays[key]), tree["trainable"], name=tree["name"])
        return made[key]
    if "tensor" in tree:
        return wrap(arrays[tree["tensor"]])
    if "module" in tree:
        cls = space[tree["module"]]
        module = cls.__new__(cls)
        for name, value in tree["attributes"].items():
            object.__setattr__(module, name, part(value))
        return module
    if "list" in tree or "tuple" in tree:
        kind = list if "list" in tree else tuple
        return kind(part(v) for v in tree[kind.__name__])
    return {k: part(v) for k, v in tree["dict"]} if "dict" in tree else tree["value"]


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _verify(name: str, content: bytes, expected: str) -> None:
    if _sum(content) != expected:
        raise ValueError(f"{name} of the saved model was changed after it was written: refused")


def contains_saved_model(export_dir: Any) -> bool:
    """Whether a folder holds a saved module."""
    return (Path(str(export_dir)) / "saved_model.json").is_file()


__getattr__ = missing("tf.saved_model", lambda: globals())
