"""Pieces of Python that the mutations splice in: odd values, odd calls, odd statements.

``NAME`` stands for a name of the function that is mutated, ``EXPR`` for an expression of it.
"""

CONSTANTS = (
    "'text'", "None", "1j", "b'raw'", "...", "True", "0", "-1", "7", "0.0", "1e400", "-0.5", "()",
    "[]", "{}", "(1, 2)", "[1.0, 'x']", "{'k': 1.0}", "{1, 2}", "NAME", "-NAME", "9223372036854775808", "10**18",
    "float('nan')", "f'{NAME}'",
)

EXPRESSIONS = (
    "(EXPR, EXPR)", "[EXPR]", "{EXPR}", "{'k': EXPR}", "{EXPR: 1.0}", "EXPR[0]", "EXPR[-1]",
    "EXPR[NAME]", "EXPR[1:]", "EXPR[::NAME]", "EXPR[..., None]", "EXPR[EXPR > 0]", "EXPR['k']",
    "EXPR.real", "EXPR.imag", "EXPR.T", "EXPR.shape", "EXPR.nothing", "EXPR.nothing()", "EXPR()",
    "EXPR(NAME)", "EXPR.sum()", "EXPR.tolist()", "EXPR.append(NAME)", "EXPR.sort()", "EXPR.copy()",
    "EXPR.astype(int)", "(yield EXPR)", "(yield from EXPR)", "(lambda q: q)(EXPR)",
    "(lambda *q: q)(EXPR)", "(lambda q=EXPR: q)()", "(lambda q, w: q)(EXPR)", "(w := EXPR)",
    "[q for q in EXPR]", "[q for q in EXPR if q]", "[[q for q in EXPR] for r in EXPR]",
    "sum(q for q in EXPR)", "{q for q in EXPR}", "{q: q for q in EXPR}", "not EXPR", "~EXPR",
    "-EXPR", "+EXPR", "EXPR @ NAME", "EXPR // NAME", "EXPR % NAME", "EXPR ** NAME", "EXPR << NAME",
    "EXPR & NAME", "EXPR in NAME", "EXPR not in (1.0, NAME)", "EXPR is None", "EXPR is NAME",
    "EXPR == NAME", "EXPR != 'text'", "0 < EXPR < NAME", "EXPR if EXPR else NAME",
    "EXPR if NAME is None else EXPR", "EXPR and NAME", "EXPR or NAME", "(*EXPR, NAME)",
    "[*EXPR, NAME]", "print(EXPR)", "f'{EXPR}'", "f'{EXPR}' + 'x'", "'%s' % EXPR", "EXPR, ",
    "(EXPR)[:]", "dict(k=EXPR)['k']", "slice(EXPR)", "type(EXPR)", "EXPR.__class__", "super()",
    "__name__", "undefined_name", "await_", "np", "math", "np.random", "np.pi", "np.inf",
    "isinstance(EXPR, float)", "getattr(EXPR, 'size')", "(EXPR).__add__(NAME)",
)

BUILTINS = (
    "abs", "all", "any", "bool", "callable", "chr", "complex", "dict", "divmod", "enumerate",
    "filter", "float", "format", "frozenset", "getattr", "hasattr", "hash", "id", "int",
    "isinstance", "iter", "len", "list", "map", "max", "min", "next", "object", "ord", "pow",
    "print", "range", "repr", "reversed", "round", "set", "slice", "sorted", "str", "sum", "super",
    "tuple", "type", "vars", "zip", "ValueError", "Exception", "property", "staticmethod",
)

NUMPY = (
    "abs", "add", "all", "allclose", "any", "append", "arange", "argmax", "argsort", "array",
    "array_equal", "asarray", "average", "bincount", "broadcast_to", "cbrt", "ceil", "clip",
    "column_stack", "concatenate", "convolve", "copy", "copysign", "cos", "count_nonzero", "cross",
    "cumprod", "cumsum", "delete", "diag", "diff", "digitize", "dot", "einsum", "empty", "exp",
    "expand_dims", "eye", "fft.fft", "fill_diagonal", "flatnonzero", "flip", "float32", "float64",
    "floor", "fmod", "full", "full_like", "gradient", "heaviside", "histogram", "hstack", "hypot",
    "identity", "inner", "int64", "interp", "invert", "isclose", "isfinite", "isnan", "kron",
    "ldexp", "linalg.det", "linalg.eig", "linalg.inv", "linalg.norm", "linalg.qr", "linalg.solve",
    "linalg.svd", "linspace", "log", "logaddexp", "logical_and", "matmul", "max", "maximum",
    "mean", "median", "meshgrid", "min", "minimum", "mod", "moveaxis", "nan_to_num", "nansum",
    "ndindex", "nonzero", "ones", "ones_like", "outer", "percentile", "poly1d", "polyfit", "power",
    "prod", "ptp", "put", "random.rand", "random.normal", "ravel", "repeat", "reshape", "roll",
    "round", "searchsorted", "sign", "sin", "sort", "split", "sqrt", "square", "squeeze", "stack",
    "std", "sum", "swapaxes", "take", "tanh", "tensordot", "tile", "trace", "transpose", "trapezoid",
    "tril", "triu", "unique", "unwrap", "vander", "var", "vdot", "vstack", "where", "zeros",
    "zeros_like", "ndarray", "dtype", "vectorize", "add.reduce", "multiply.outer", "nothing",
)

ARGUMENTS = (
    "NAME", "NAME", "NAME", "EXPR", "EXPR", "0", "1", "-1", "2", "0.5", "None", "'ij,j->i'",
    "(NAME, NAME)", "[NAME, 1.0]", "lambda q: q", "*NAME", "axis=0", "axis=NAME", "axis=None",
    "dtype=int", "out=NAME", "keepdims=True", "key=len", "(2, 3)", "NAME[0]", "range(3)", "...",
)

STATEMENTS = (
    "try:\n    NAME = EXPR\nexcept ValueError:\n    pass", "with EXPR as w:\n    NAME = w",
    "del NAME", "del NAME[0]", "global NAME", "nonlocal NAME", "import os", "import math as m2",
    "from math import sin as NAME", "from nowhere import nothing", "class C:\n    v = NAME",
    "def NAME(q):\n    return q", "def g():\n    return NAME\nNAME = g()",
    "def g(n):\n    return g(n - 1) if n > 0 else NAME\nNAME = g(3)",
    "def g(n):\n    return g(n)\nNAME = g(1)", "def g(a=NAME, *b, c=2, **d):\n    return a\nNAME = g()",
    "def g(q):\n    q[0] = 2.0\n    return q\nNAME = g(NAME)", "def g():\n    yield NAME\nNAME = g()",
    "async def g():\n    pass", "match NAME:\n    case 1:\n        pass", "return", "return EXPR",
    "return NAME, EXPR", "return None", "return 'text'", "return [NAME]", "return g", "raise",
    "raise ValueError", "raise ValueError('no', EXPR)", "raise ValueError(f'{NAME}') from None",
    "raise KeyError('k')", "raise StopIteration", "raise NAME", "assert NAME", "assert EXPR, 'text'",
    "assert EXPR, f'{EXPR}'", "pass", "break", "continue", "NAME: float", "NAME: 'any' = EXPR",
    "NAME = EXPR", "NAME = NAME", "NAME = 'text'", "NAME = None", "NAME = [EXPR]", "NAME = ()",
    "NAME = lambda: EXPR", "NAME = NAME()", "NAME += 'text'", "NAME += EXPR", "NAME //= 2",
    "NAME @= NAME", "NAME **= EXPR", "NAME <<= 1", "NAME, *w = EXPR", "NAME, w = EXPR",
    "(NAME, (w, v)) = EXPR", "[NAME] = EXPR", "*w, = NAME", "NAME.attribute = EXPR",
    "NAME.attribute += 1", "NAME[0] = EXPR", "NAME[0] += EXPR", "NAME[-1] = NAME", "NAME[:] = EXPR",
    "NAME[1:] += NAME[:-1]", "NAME['k'] = EXPR", "NAME[EXPR] = 0.0", "NAME[NAME] = 1",
    "NAME[0][0] = EXPR", "NAME = w = EXPR", "for NAME in EXPR:\n    pass",
    "for w in NAME:\n    NAME = w", "for w, v in EXPR:\n    pass", "for NAME.a in EXPR:\n    pass",
    "for w in range(EXPR):\n    break\nelse:\n    NAME = 1.0", "for w in range(3):\n    NAME = EXPR",
    "for w in range(2):\n    NAME = [NAME]", "for w in 'ab':\n    NAME = w",
    "while NAME:\n    NAME = EXPR\n    break", "while False:\n    NAME = 'text'",
    "while EXPR:\n    break\nelse:\n    return EXPR", "if EXPR:\n    NAME = EXPR",
    "if EXPR:\n    NAME = 'text'", "if EXPR:\n    NAME = EXPR\nelse:\n    NAME = (EXPR,)",
    "if EXPR:\n    del NAME", "if EXPR:\n    return", "if NAME:\n    unset = 1.0\nNAME = unset",
    "print(NAME, EXPR)", "print(NAME, file=None)", "EXPR", "'docstring'", "NAME.fill(EXPR)",
    "NAME.append(EXPR)", "NAME.pop()", "NAME.sort()", "NAME.update(k=1)", "exec('NAME = 1')",
    "locals()", "type NAME = int", "NAME = yield", "lst = []\nlst.append(EXPR)\nNAME = lst[0]",
    "lst = []\nlst.append(NAME)\nlst.append(EXPR)\nNAME = lst.pop()", "NAME = np.zeros(EXPR)",
    "NAME = np.array(EXPR)", "NAME = {'k': EXPR}['k']", "NAME = EXPR[0] if EXPR else NAME",
)

DECORATORS = ("staticmethod", "property", "print", "undefined", "np.vectorize", "lambda f: f")

PARAMETERS = (
    "NAME=None", "NAME=[]", "*NAME", "**NAME", "NAME, /", "*, NAME", "NAME=1.0", "NAME, NAME2",
    "NAME='text'", "*NAME, k", "NAME: float = 2",
)
