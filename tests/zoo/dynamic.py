"""Realistic kernels: learning, sequence models, dynamic programming, iterative linear algebra."""

import math

import numpy as np

from tests.zoo.kernels import sigmoid, spd
from tests.zoo.registry import add, mat, vec


def logistic_sgd(x, y, w, rate):
    """Gradient-descent steps written out, differentiated through."""
    for _ in range(3):
        for i in range(len(y)):
            p = sigmoid(x[i] @ w)
            w -= rate * (p - y[i]) * x[i]
    loss = 0.0
    for i in range(len(y)):
        loss -= y[i] * math.log(sigmoid(x[i] @ w))
    return loss


add(
    logistic_sgd,
    lambda: (mat(3, 2), np.array([1.0, 0.0, 1.0]), vec(2), 0.3),
    (0, 2, 3),
    "learning inplace",
    jit=True,
)


def network(w1, b1, w2, b2, x):
    h = np.maximum(w1 @ x + b1, 0.1 * (w1 @ x))
    o = w2 @ h + b2
    e = np.exp(o - np.max(o))
    return np.log(np.sum(e)) - np.log(e[1])


add(
    network,
    lambda: (mat(3, 2), vec(3), mat(2, 3), vec(2), vec(2, 1)),
    (0, 1, 2, 3),
    "learning expression",
    jit=True,
)


def adam(x, target, steps):
    """Adam with momenta held in arrays that are overwritten."""
    m = np.zeros_like(x)
    v = np.zeros_like(x)
    for t in range(1, steps + 1):
        g = 2.0 * (x - target) * x
        m = 0.9 * m + 0.1 * g
        v[:] = 0.999 * v + 0.001 * g * g
        x -= 0.05 * (m / (1.0 - 0.9**t)) / (np.sqrt(v / (1.0 - 0.999**t)) + 1e-3)
    return np.sum((x - target) ** 2)


add(adam, lambda: (vec(3), vec(3, 1), 3), (0, 1), "learning inplace")


def hmm_forward(start, trans, emit, observed):
    """Forward algorithm with scaling at every step."""
    k = len(start)
    alpha = np.empty(k)
    loglik = 0.0
    for j in range(k):
        alpha[j] = start[j] * emit[j, observed[0]]
    for t in range(1, len(observed)):
        total = np.sum(alpha)
        loglik += math.log(total)
        alpha /= total
        new = np.zeros(k)
        for j in range(k):
            for i in range(k):
                new[j] += alpha[i] * trans[i, j]
            new[j] *= emit[j, observed[t]]
        alpha = new
    return loglik + math.log(alpha.sum())


add(
    hmm_forward,
    lambda: (vec(2), mat(2, 2), mat(2, 3), np.array([0, 2, 1, 1])),
    (0, 1, 2),
    "statistics rebind",
    jit=True,
)


def dynamic_time_warping(a, b):
    n, m = len(a), len(b)
    cost = np.full((n + 1, m + 1), np.inf)
    cost[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            d = (a[i - 1] - b[j - 1]) ** 2
            cost[i, j] = d + min(cost[i - 1, j], cost[i, j - 1], cost[i - 1, j - 1])
    return cost[n, m]


add(dynamic_time_warping, lambda: (vec(4), vec(3, 1)), (0, 1), "dynamic inf")


def soft_edit_distance(a, b, gamma):
    """Rolling rows, soft minimum."""
    row = np.arange(len(b) + 1) * 1.0
    for i in range(len(a)):
        previous = row.copy()
        row[0] = i + 1.0
        for j in range(len(b)):
            swap = previous[j] + abs(a[i] - b[j])
            drop = previous[j + 1] + 1.0
            insert = row[j] + 1.0
            s = math.exp(-swap / gamma) + math.exp(-drop / gamma) + math.exp(-insert / gamma)
            row[j + 1] = -gamma * math.log(s)
    return row[-1]


add(soft_edit_distance, lambda: (vec(3), vec(3, 1), 0.4), (0, 1, 2), "dynamic inplace")


def viterbi_score(start, trans, emit):
    score = start.copy()
    for t in range(emit.shape[0]):
        new = np.empty_like(score)
        for j in range(len(score)):
            best = score[0] + trans[0, j]
            for i in range(1, len(score)):
                candidate = score[i] + trans[i, j]
                if candidate > best:
                    best = candidate
            new[j] = best * emit[t, j]
        score = new
    return np.max(score)


add(viterbi_score, lambda: (vec(3), mat(3, 3), mat(2, 3)), (0, 1, 2), "dynamic max")


def soft_floyd_warshall(d, gamma):
    """All pairs in place with a soft minimum; entries are read and overwritten in one sweep."""
    n = d.shape[0]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                path = d[i, k] + d[k, j]
                s = math.exp(-d[i, j] / gamma) + math.exp(-path / gamma)
                d[i, j] = -gamma * math.log(s)
    return np.sum(d)


add(soft_floyd_warshall, lambda: (mat(3, 3), 0.3), (0, 1), "dynamic inplace")


def game_of_max(board, steps):
    """Every cell takes a share of its largest neighbour, in place, row by row."""
    n, m = board.shape
    for _ in range(steps):
        for i in range(n):
            for j in range(m):
                best = board[i - 1, j]
                for other in (board[i, j - 1], board[(i + 1) % n, j], board[i, (j + 1) % m]):
                    best = max(best, other)
                board[i, j] = 0.6 * board[i, j] + 0.3 * best * best
    return np.sum(board)


add(game_of_max, lambda: (mat(3, 3), 2), (0,), "max inplace", jit=True)


def matrix_power(m, n):
    """By repeated squaring with rebinding."""
    result = np.eye(m.shape[0])
    while n > 0:
        if n & 1:
            result = result @ m
        n >>= 1
        if n:
            m = m @ m
    return result


add(matrix_power, lambda: (mat(2, 2), 5), (0,), "linalg array_output while rebind")


def power_iteration(m, v, tol):
    """Iterates until the eigenvalue settles: the trip count depends on data."""
    value = 0.0
    while True:
        w = m @ v
        new = np.sqrt(w @ w)
        v = w / new
        if abs(new - value) < tol:
            break
        value = new
    return new * v[0]


add(power_iteration, lambda: (spd(3), vec(3), 1e-4), (0, 1), "linalg while rebind", jit=True)


def modified_gram_schmidt(a):
    n = a.shape[1]
    r = np.zeros((n, n))
    for k in range(n):
        q = a[:, k]
        r[k, k] = np.sqrt(np.sum(q * q))
        q /= r[k, k]
        for j in range(k + 1, n):
            column = a[:, j]
            r[k, j] = np.sum(q * column)
            column -= r[k, j] * q
    return np.sum(r * r) + a[0, 1] * a[1, 0]


add(modified_gram_schmidt, lambda: (mat(3, 2),), (0,), "linalg alias inplace")


def conjugate_gradient(a, b, steps):
    x = np.zeros_like(b)
    r = b - a @ x
    p = r.copy()
    rr = r @ r
    for _ in range(steps):
        ap = a @ p
        alpha = rr / (p @ ap)
        x += alpha * p
        r -= alpha * ap
        new = r @ r
        if new < 1e-20:
            break
        p = r + (new / rr) * p
        rr = new
    return x


add(conjugate_gradient, lambda: (spd(3), vec(3), 2), (0, 1), "linalg array_output inplace")
