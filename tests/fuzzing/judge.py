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


def judge(m: Mutant) -> Verdict:
    """Gradient of a mutant of the zoo against its plain run."""
    g = srcad.value_and_grad(m.function, argnums=m.origin.wrt, backend="reference", verify=True)
    return compare(m.function, m.origin.args, g, lambda got: got[0])


def judge_call(function: Callable[..., Any], arguments: Callable[[], tuple]) -> Verdict:
    """A function of random calls, compiled, against its plain run."""
    g = srcad.differentiable(function, backend="reference", verify=True)
    return compare(function, arguments, g, lambda got: got)


def compare(
    function: Callable[..., Any],
    arguments: Callable[[], tuple],
    g: Any,
    value_of: Callable[[Any], Any],
) -> Verdict:
    """Run both ways and compare; ``value_of`` takes the value out of what ``g`` gives."""
    args, plain_args = arguments(), arguments()
    plain = attempt(lambda: seeded(function, plain_args), PLAIN_SECONDS)
    if plain.kind == "time":
        got = attempt(lambda: srcad.source(g, *args), SRCAD_SECONDS)
        compiled = got.kind in ("value", "refused")
        return Verdict("endless", "" if compiled else f"does not compile: {got}")
    got = attempt(lambda: seeded(g, args), SRCAD_SECONDS)
    if got.kind == "refused":
        untouched = same(args, arguments()) and not g.cache
        return Verdict("refused", "" if untouched else f"a refused call left traces: {got}")
    if got.kind == "value":
        return judge_value(plain, Outcome("value", value_of(got.value)), (plain_args, args))
    if got.kind == "time":
        raised = plain.kind == "error"  # math.sin(inf) is NaN in Numba, for one
        return Verdict("hang", "" if raised else "srcad does not end")
    return judge_error(function, arguments, plain, got)


def seeded(function: Callable[..., Any], args: tuple) -> Any:
    """A call that draws the same random numbers each time."""
    np.random.seed(0)
    return function(*args)


def judge_value(plain: Outcome, got: Outcome, after: tuple[tuple, tuple]) -> Verdict:
    """srcad gave a value: plain Python should have, too, and the same, and left the same behind."""
    if plain.kind == "error":
        kept = isinstance(plain.value, (AssertionError, UnboundLocalError, ZeroDivisionError))
        return Verdict("lenient", f"plain Python ended with {plain}" if kept else "")
    if isinstance(plain.value, complex):
        return Verdict("value")  # a fractional power of a negative number is NaN in Numba
    if not close(plain.value, got.value):
        return Verdict("value", f"srcad {got.value!r}, plain {plain.value!r}")
    if not close(*after):
        return Verdict("value", f"arguments afterwards: srcad {after[1]!r}, plain {after[0]!r}")
    return Verdict("value")


def judge_error(
    function: Callable[..., Any], arguments: Callable[[], tuple], plain: Outcome, got: Outcome
) -> Verdict:
    """srcad raised something of the program: plain Python must raise the like."""
    e = got.value
    if isinstance(e, InternalError):
        return Verdict("crash", str(got))
    if plain.kind == "error":
        p = plain.value
        if type(p) is type(e) or isinstance(e, AT_RUN_TIME):
            return Verdict("same error")
    if isinstance(e, ZeroDivisionError) and divides_by_zero(function, arguments):
        return Verdict("same error")  # a NumPy scalar gives infinity where Numba raises
    none = "without returning a value" in str(e) or "is None (line" in str(e)
    if none and isinstance(e, TypeError):
        return Verdict("same error")  # plain Python gives None where Numba does not compile
    if "total size must be unchanged" in str(e):
        return Verdict("same error")  # a size of -1 known only at run time
    return Verdict("other error", f"srcad {got}; plain {plain}")


def divides_by_zero(function: Callable[..., Any], arguments: Callable[[], tuple]) -> bool:
    """Whether NumPy signals a division by zero in the plain run."""
    with contextlib.suppress(TimeUp), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with (
                limit(PLAIN_SECONDS),
                np.errstate(all="raise"),
                contextlib.redirect_stdout(io.StringIO()),
            ):
                function(*arguments())
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
    if a.shape != b.shape:
        return False
    with np.errstate(all="ignore"):
        finite = np.isfinite(a) & np.isfinite(b)
        return bool(np.allclose(a[finite], b[finite], rtol=1e-4, atol=1e-4))
