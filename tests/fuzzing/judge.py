"""What happened to a program, in plain Python and in srcad, and whether that is allowed.

Allowed: srcad gives numbers; it refuses with a ``SrcadError`` that is no ``InternalError`` and
leaves arguments and cache as they were; it raises what the program itself raises.  Everything
else (a ``KeyError`` from inside, a hang, a changed argument) is a failure.
"""

from __future__ import annotations

import contextlib
import io
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import srcad
from srcad.errors import InternalError, SrcadError
from tests.fuzzing.mutants import Mutant
from tests.zoo_checks import flat

PLAIN_SECONDS, SRCAD_SECONDS = 1.0, 20.0
AT_RUN_TIME = (
    ZeroDivisionError,
    IndexError,
    ValueError,
    OverflowError,
    FloatingPointError,
    np.linalg.LinAlgError,
)


class TimeUp(BaseException):
    """The time limit of a run."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended: ``value``, ``error``, ``refused``, ``time``."""

    kind: str
    value: Any = None

    def __str__(self) -> str:
        if isinstance(self.value, BaseException):
            return f"{self.kind}: {type(self.value).__name__}: {self.value}"
        return f"{self.kind}: {self.value!r}"


@contextlib.contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Ends what runs inside after a while (only in the main thread)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def attempt(action: Callable[[], Any], seconds: float) -> Outcome:
    """Run something quietly."""
    try:
        with (
            limit(seconds),
            warnings.catch_warnings(),
            np.errstate(all="ignore"),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            return Outcome("value", action())
    except TimeUp:
        return Outcome("time")
    except InternalError as e:
        return Outcome("error", e)
    except SrcadError as e:
        return Outcome("refused", e)
    except (Exception, SystemExit) as e:
        return Outcome("error", e)


@dataclass(frozen=True)
class Verdict:
    """``label`` classifies; ``fault`` says what is wrong, or nothing."""

    label: str
    fault: str = ""


def judge(m: Mutant, check_value: bool = True) -> Verdict:
    """Run a mutant both ways and compare."""
    args = m.origin.args()
    plain = attempt(lambda: m.function(*m.origin.args()), PLAIN_SECONDS)
    g = srcad.value_and_grad(m.function, argnums=m.origin.wrt, backend="reference", verify=True)
    if plain.kind == "time":
        got = attempt(lambda: srcad.source(g, *args), SRCAD_SECONDS)
        compiled = got.kind in ("value", "refused")
        return Verdict("endless", "" if compiled else f"does not compile: {got}")
    got = attempt(lambda: g(*args), SRCAD_SECONDS)
    if got.kind == "refused":
        fresh = m.origin.args()
        untouched = same(args, fresh) and not g.cache
        return Verdict("refused", "" if untouched else f"a refused call left traces: {got}")
    if got.kind == "value":
        return judge_value(plain, got, check_value)
    if got.kind == "time":
        raised = plain.kind == "error"  # math.sin(inf) is NaN in Numba, for one
        return Verdict("hang", "" if raised else "srcad does not end")
    return judge_error(m, plain, got)


def judge_value(plain: Outcome, got: Outcome, check_value: bool) -> Verdict:
    """srcad gave a value: plain Python should have, too, and the same."""
    if plain.kind == "error":
        kept = isinstance(plain.value, (AssertionError, UnboundLocalError, ZeroDivisionError))
        return Verdict("lenient", f"plain Python ended with {plain}" if kept else "")
    if isinstance(plain.value, complex):
        return Verdict("value")  # a fractional power of a negative number is NaN in Numba
    if check_value and not close(plain.value, got.value[0]):
        return Verdict("value", f"srcad {got.value[0]!r}, plain {plain.value!r}")
    return Verdict("value")


def judge_error(m: Mutant, plain: Outcome, got: Outcome) -> Verdict:
    """srcad raised something of the program: plain Python must raise the like."""
    e = got.value
    if isinstance(e, InternalError):
        return Verdict("crash", str(got))
    if plain.kind == "error":
        p = plain.value
        if type(p) is type(e) or isinstance(p, AT_RUN_TIME) and isinstance(e, AT_RUN_TIME):
            return Verdict("same error")
    if isinstance(e, ZeroDivisionError) and divides_by_zero(m):
        return Verdict("same error")  # a NumPy scalar gives infinity where Numba raises
    if "without returning a value" in str(e) and isinstance(e, TypeError):
        return Verdict("same error")  # plain Python gives None where Numba does not compile
    return Verdict("other error", f"srcad {got}; plain {plain}")


def divides_by_zero(m: Mutant) -> bool:
    """Whether NumPy signals a division by zero in the plain run."""
    with contextlib.suppress(TimeUp), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with (
                limit(PLAIN_SECONDS),
                np.errstate(all="raise"),
                contextlib.redirect_stdout(io.StringIO()),
            ):
                m.function(*m.origin.args())
        except (FloatingPointError, ZeroDivisionError):
            return True
        except Exception:
            return False
    return False


def same(a: Any, b: Any) -> bool:
    """Whether two argument tuples hold equal numbers of equal types."""
    if isinstance(a, np.ndarray):
        return (
            isinstance(b, np.ndarray)
            and a.dtype == b.dtype
            and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        )
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if hasattr(a, "__dataclass_fields__"):
        return all(same(getattr(a, n), getattr(b, n)) for n in a.__dataclass_fields__)
    return bool(type(a) is type(b) and (a == b or a != a or callable(a)))


def close(plain: Any, value: Any) -> bool:
    """Whether a result agrees with plain Python's to single precision."""
    try:
        a, b = (np.concatenate([np.zeros(0), *flat(x)]) for x in (plain, value))
    except (TypeError, ValueError):
        return False
    with np.errstate(all="ignore"):
        finite = np.isfinite(a) & np.isfinite(b)
        return a.shape == b.shape and bool(np.allclose(a[finite], b[finite], rtol=1e-4, atol=1e-4))
