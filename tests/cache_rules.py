"""Rules, derivatives inside, solvers: a module of the project of ``cache_programs``."""

TEXT = """
import numba
import numpy as np
import srcad

SLOPE = 3.0


@srcad.custom_jvp
def bent(x):
    return x * x

@bent.defjvp
def bent_rule(primals, tangents):
    return bent(primals[0]), SLOPE * primals[0] * tangents[0]

@srcad.custom_vjp
def clipped(x):
    return x * x

def clipped_fwd(x):
    return clipped(x), (x,)

def clipped_bwd(residuals, out_b):
    return (5.0 * residuals[0] * out_b,)

clipped.defvjp(clipped_fwd, clipped_bwd)

def inner(x):
    return x * x * x

slope = srcad.grad(inner)
rows = srcad.batch(inner, in_axes=0)

@srcad.checkpoint
def step(x):
    return np.sin(x) * x

def gap(x, p):
    return x * x - p * 2.0

@numba.njit
def solver(x, p):
    return np.sqrt(p * 2.0)

root = srcad.implicit_root(gap, solver)
same = srcad.fixed_point(lambda x, p: 0.25 * x + p, close=0.5)

@numba.njit
def with_slope(x):
    return slope(x) * x


def custom_forward(x):
    return bent(x) * x

def custom_reverse(x):
    return clipped(x) * x

def captured_derivative(x):
    return slope(x) * x

def batched(x):
    return np.sum(rows(np.array([x, 2.0 * x])))

def calls_checkpointed(x):
    return step(step(x))

def loop_checkpointed(x):
    for _ in srcad.checkpointed(range(6), snapshots=2):
        x = x * 1.5
    return x

def stopped(x):
    return srcad.stop_gradient(x * 2.0) * x

def solved(x):
    return root(1.0, x) * x

def fixed(x):
    return same(1.0, x) * x

def njit_callable(x):
    return with_slope(x) + x


FUNCTIONS = {
    "custom_forward": custom_forward,
    "custom_reverse": custom_reverse,
    "captured_derivative": captured_derivative,
    "batched": batched,
    "calls_checkpointed": calls_checkpointed,
    "loop_checkpointed": loop_checkpointed,
    "stopped": stopped,
    "fixed": fixed,
    "njit_callable": njit_callable,
}
UNKNOWN = {"solved": solved}
"""

EDITS = (  # old text, new text, the functions whose derivatives change
    ("SLOPE = 3.0", "SLOPE = 4.0", ("custom_forward",)),
    ("SLOPE * primals", "2.0 * SLOPE * primals", ("custom_forward",)),
    ("5.0 * residuals", "6.0 * residuals", ("custom_reverse",)),
    (
        "return x * x * x",
        "return 2.0 * x * x * x",
        ("captured_derivative", "batched", "njit_callable"),
    ),
    ("slope = srcad.grad(inner)", "slope = inner", ("captured_derivative",)),
    ("in_axes=0", "in_axes=-1", ("batched",)),
    ("@srcad.checkpoint\n", "\n", ("calls_checkpointed",)),
    ("np.sin(x) * x", "np.cos(x) * x", ("calls_checkpointed",)),
    ("snapshots=2", "snapshots=3", ("loop_checkpointed",)),
    ("x * 2.0) * x", "x * 3.0) * x", ("stopped",)),
    ("0.25 * x + p", "0.5 * x + p", ("fixed",)),
    ("close=0.5", "close=0.25", ("fixed",)),
)
