"""srcad as a tool of GradBench, the benchmark suite for automatic differentiation.

``python -m benchmarks.gradbench`` reads messages of GradBench's protocol, one JSON object a line,
from standard input and answers on standard output (``protocol``).  Each of the suite's twelve
evals is a module here of the eval's name: objectives as plain loops, their derivatives by srcad,
and how arguments and results look in JSON.  ``python -m benchmarks.gradbench.compare`` measures
the same evals in JAX, PyTorch and TensorFlow.
"""

EVALS = (
    "hello",
    "ba",
    "det",
    "gmm",
    "ht",
    "kmeans",
    "llsq",
    "lse",
    "lstm",
    "ode",
    "particle",
    "saddle",
)
