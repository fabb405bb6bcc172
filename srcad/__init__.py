"""srcad: the gradient compiler for Numba code.

``grad``, ``value_and_grad``, ``jvp``, ``vjp``, ``linearize``, ``jacobian``, ``hessian``, ``hvp``
and the decorator ``differentiable`` take an ordinary numeric Python function, generate the
derivative as readable Python, and compile it with Numba.  ``GradientTape``, ``Variable`` and
``constant`` are the eager tape (``srcad.tape``); ``srcad.tf`` is TensorFlow's interface to it.

Names are imported when they are first asked for: a program whose derivatives are in the cache
(``srcad.cache``) never imports the compiler.
"""

import importlib
from typing import TYPE_CHECKING, Any

from srcad.errors import (
    DeviceError,
    InternalError,
    NoDerivative,
    SrcadError,
    TypeMismatch,
    UnknownFunction,
    UnsupportedSyntax,
)
from srcad.options import Options, using

if TYPE_CHECKING:
    from srcad import cache, cuda
    from srcad.api.adjoint import adjoint
    from srcad.api.audit import audit
    from srcad.api.batch import batch, batch_jacobian
    from srcad.api.check import CheckFailed, check_grads
    from srcad.api.custom import custom_jvp, custom_vjp, register_rule, stop_gradient
    from srcad.api.export import export
    from srcad.api.grad import differentiable, grad, value_and_grad
    from srcad.api.hessian_products import hvp
    from srcad.api.higher import jvp, linearize, vjp
    from srcad.api.implicit import fixed_point, implicit_minimum, implicit_root
    from srcad.api.inspect import explain, source
    from srcad.api.jacobian import hessian, jacfwd, jacobian, jacrev
    from srcad.api.reports import Report
    from srcad.api.sparse import sparse_hessian, sparse_jacobian
    from srcad.library.checkpoints import checkpoint, checkpointed
    from srcad.runtime.workspace import Workspace
    from srcad.tape import GradientTape, Variable, constant

__version__ = "0.1.0"

__all__ = [
    "CheckFailed",
    "DeviceError",
    "GradientTape",
    "InternalError",
    "NoDerivative",
    "Options",
    "Report",
    "SrcadError",
    "TypeMismatch",
    "UnknownFunction",
    "UnsupportedSyntax",
    "Variable",
    "Workspace",
    "adjoint",
    "audit",
    "batch",
    "batch_jacobian",
    "cache",
    "check_grads",
    "checkpoint",
    "checkpointed",
    "constant",
    "cuda",
    "custom_jvp",
    "custom_vjp",
    "differentiable",
    "explain",
    "export",
    "fixed_point",
    "grad",
    "hessian",
    "hvp",
    "implicit_minimum",
    "implicit_root",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "linearize",
    "register_rule",
    "source",
    "sparse_hessian",
    "sparse_jacobian",
    "stop_gradient",
    "using",
    "value_and_grad",
    "vjp",
]

_HOME = {
    **dict.fromkeys(("GradientTape", "Variable", "constant"), "srcad.tape"),
    **dict.fromkeys(("CheckFailed", "check_grads"), "srcad.api.check"),
    **dict.fromkeys(("differentiable", "grad", "value_and_grad"), "srcad.api.grad"),
    "hvp": "srcad.api.hessian_products",
    **dict.fromkeys(("jvp", "linearize", "vjp"), "srcad.api.higher"),
    **dict.fromkeys(("explain", "source"), "srcad.api.inspect"),
    **dict.fromkeys(("hessian", "jacfwd", "jacobian", "jacrev"), "srcad.api.jacobian"),
    **dict.fromkeys(
        ("custom_jvp", "custom_vjp", "register_rule", "stop_gradient"), "srcad.api.custom"
    ),
    **dict.fromkeys(("fixed_point", "implicit_minimum", "implicit_root"), "srcad.api.implicit"),
    **dict.fromkeys(("batch", "batch_jacobian"), "srcad.api.batch"),
    **dict.fromkeys(("sparse_hessian", "sparse_jacobian"), "srcad.api.sparse"),
    **dict.fromkeys(("checkpoint", "checkpointed"), "srcad.library.checkpoints"),
    "Report": "srcad.api.reports",
    "adjoint": "srcad.api.adjoint",
    "audit": "srcad.api.audit",
    "export": "srcad.api.export",
    "Workspace": "srcad.runtime.workspace",
}


def __getattr__(name: str) -> Any:
    """A public name, imported when it is first asked for."""
    if name in ("cache", "cuda"):
        return importlib.import_module(f"srcad.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'srcad' has no attribute {name!r}")
    if _HOME[name].startswith("srcad.api"):
        importlib.import_module("srcad.api.njit_overloads")  # what it means inside njit code
    found = globals()[name] = getattr(importlib.import_module(_HOME[name]), name)
    return found


def __dir__() -> list[str]:
    """Public names, those not yet imported included."""
    return sorted({*globals(), *__all__})
