"""Programs that once came out wrong, found by programs aimed at the passes for loops."""

from tests.zoo.registry import add, vec


def turned_in_an_inner_loop(x, c):
    u = x.copy()
    n = len(u)
    for i in range(n - 1, -1, -1):
        v = u[::-1]
        for _ in range(4):
            v[i] = v[i] * v[i] * 0.5 + c * (i + 1)
            v = v[::-1]
    s = 0.0
    for i in range(n):
        s += u[i] * u[i] * (i + 1)
    return s


add(turned_in_an_inner_loop, lambda: (vec(5), 0.2), (0, 1), "loops views reversed")
