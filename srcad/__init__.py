"""srcad: the gradient compiler for Numba code.

``grad``, ``value_and_grad``, ``jvp``, ``vjp``, ``linearize``, ``jacobian``, ``hessian``, ``hvp``
and the decorator ``differentiable`` take an ordinary numeric Python function, generate the
derivative as readable Python, and compile it with Numba.  ``GradientTape``, ``Variable`` and
``constant`` are the eager tape (``srcad.tape``); ``srcad.tf`` is TensorFlow's interface to it.
"""

from typing import Any

from srcad.api import custom_calls as _custom  # noqa: F401  (what rules mean inside)
from srcad.api import nested_later as _handlers  # noqa: F401  (what derivatives mean inside)
from srcad.api import njit_overloads as _overloads  # noqa: F401  (and inside njit code)
from srcad.api.adjoint import adjoint
from srcad.api.audit import audit
from srcad.api.batch import batch, batch_jacobian
from srcad.api.check import CheckFailed, check_grads
from srcad.api.custom import custom_jvp, custom_vjp, register_rule, stop_gradient
from srcad.api.export import export
from srcad.api.grad import differentiable, grad, value_and_grad
from srcad.api.higher import hvp, jvp, linearize, vjp
from srcad.api.implicit import fixed_point, implicit_minimum, implicit_root
from srcad.api.inspect import explain, source
from srcad.api.jacobian import hessian, jacfwd, jacobian, jacrev
from srcad.api.reports import Report
from srcad.api.sparse import sparse_hessian, sparse_jacobian
from srcad.errors import (
    InternalError,
    NoDerivative,
    SrcadError,
    TypeMismatch,
    UnknownFunction,
    UnsupportedSyntax,
)
from srcad.library.checkpoints import checkpoint, checkpointed
from srcad.options import Options, using

__version__ = "0.1.0"

__all__ = [
    "CheckFailed",
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
    "adjoint",
    "audit",
    "batch",
    "batch_jacobian",
    "check_grads",
    "checkpoint",
    "checkpointed",
    "constant",
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


def __getattr__(name: str) -> Any:
    """The tape, imported when it is first asked for."""
    if name in ("GradientTape", "Variable", "constant"):
        from srcad import tape

        return getattr(tape, name)
    raise AttributeError(f"module 'srcad' has no attribute {name!r}")
