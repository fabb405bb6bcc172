"""The tape: eager tensors whose operations are recorded and differentiated in reverse.

Operations compute with NumPy; derivatives are the rule table's formulas, evaluated by tensor
operations, so that enclosing tapes record them and every order follows.  Nothing here is
compiled.  ``gradient_tape`` and ``sweep`` are the engine, ``elementwise`` and ``partials`` join
it to the rules, ``shaping``, ``reductions``, ``indexing``, ``linear`` and ``linalg`` hold what is
not elementwise.
"""

from srcad.tape import operators
from srcad.tape.convert import constant
from srcad.tape.custom import custom_gradient, recompute_grad
from srcad.tape.gradient_tape import GradientTape, UnconnectedGradients
from srcad.tape.indexing import stop_gradient
from srcad.tape.tensor import Tensor
from srcad.tape.variable import Variable

__all__ = [
    "GradientTape",
    "Tensor",
    "UnconnectedGradients",
    "Variable",
    "constant",
    "custom_gradient",
    "operators",
    "recompute_grad",
    "stop_gradient",
]
