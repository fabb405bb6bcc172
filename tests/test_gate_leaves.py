"""Every kind of number that a function takes and returns passes its gate (``backends.gate``): with
the type and the bits of the long way, and no reference left behind."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import srcad
from srcad.backends.gate import gate
from srcad.errors import SrcadError
from tests.test_gate import SLOW, cubic, opened, slow


def scaled_by(x: Any, n: Any) -> Any:
    return x * x * n


def modulus(z: Any) -> Any:
    return z.real * z.real + z.imag * z.imag


def real_sum(z: Any) -> Any:
    s = z[0].real * 0
    for i in range(len(z)):
        s += z[i].real * z[i].imag
    return s


def with_aux(x: Any) -> Any:
    return x * x, (x > 0, 3, x)


F4, C8 = np.float32, np.complex64
LEAVES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "f8": (srcad.value_and_grad(cubic), (1.3,)),
    "np f8": (srcad.grad(cubic), (np.float64(1.3),)),
    "f4": (srcad.grad(cubic), (F4(1.3),)),
    "f4 pair": (srcad.value_and_grad(scaled_by, (0, 1)), (F4(1.3), F4(0.7))),
    "f4 f8": (srcad.grad(scaled_by, (0, 1)), (F4(1.3), 0.7)),
    "f4 and int": (srcad.value_and_grad(scaled_by), (F4(1.3), 3)),
    "np int": (srcad.grad(scaled_by), (1.3, np.int64(3))),
    "np int32": (srcad.grad(scaled_by), (1.3, np.int32(3))),
    "bool": (srcad.grad(scaled_by), (1.3, True)),
    "np bool": (srcad.grad(scaled_by), (1.3, np.bool_(True))),
    "c8 array": (srcad.value_and_grad(real_sum), (np.array([1.3, 0.7], C8),)),
    "aux": (srcad.value_and_grad(with_aux, has_aux=True), (F4(1.3),)),
    "complex": (srcad.value_and_grad(modulus), (1.3 + 0.7j,)),
    "np complex": (srcad.grad(modulus), (np.complex128(1.3 + 0.7j),)),
    "c8": (srcad.value_and_grad(modulus), (C8(1.3 + 0.7j),)),
    "complex array": (srcad.value_and_grad(real_sum), (np.array([1.3 + 0.7j, -2j]),)),
    "complex view": (srcad.grad(real_sum), (np.arange(8.0).view(complex)[::2],)),
    "complex and int": (srcad.grad(lambda z, n: modulus(z) * n), (1.3 - 1j, 3)),
    "0-d": (srcad.grad(lambda x: x[()] * x[()]), (np.array(1.5),)),
}


def parts(x: Any) -> Iterator[Any]:
    """Types and values of a result."""
    if isinstance(x, tuple):
        for part in x:
            yield from parts(part)
    else:
        yield type(x), getattr(x, "dtype", None), np.asarray(x).tobytes(), np.shape(x)


@pytest.mark.parametrize("kind", LEAVES)
def test_leaves(kind: str) -> None:
    """Every kind of number passes, with the result of the long way, and leaves nothing behind."""
    f, args = LEAVES[kind]
    want = list(parts(f(*args)))
    opened(f, *args)
    way = gate(f.plans[0], slow)
    assert way(*args) is not SLOW
    assert list(parts(way(*args))) == want == list(parts(f(*args)))
    counts = [*map(sys.getrefcount, args), sys.getrefcount(F4), sys.getrefcount(C8)]
    gc.collect()
    blocks = sys.getallocatedblocks()
    for _ in range(5_000):
        f(*args)
    assert [*map(sys.getrefcount, args), sys.getrefcount(F4), sys.getrefcount(C8)] == counts
    assert sys.getallocatedblocks() - blocks < 200


def test_numbers_of_other_kinds() -> None:
    """What a gate was not made for goes the long way, and comes out as it should."""
    f = opened(srcad.grad(modulus), 1.3 + 0.7j)
    for z in (C8(1.3 + 0.7j), np.complex128(2j), 2.0, F4(2.0), 3.0 - 1j):
        assert f(z) == np.conj(2 * z) and type(f(z)) is type(srcad.grad(modulus)(z))
    with pytest.raises(SrcadError):
        f("1j")
