"""Realistic kernels, first part: statistics, learning, dense linear algebra, signal processing."""

import math

import numpy as np

from tests.zoo.registry import add, mat, vec


def gmm(alphas, means, scales, x):
    """Negative log-likelihood of a Gaussian mixture with diagonal covariances."""
    n, d = x.shape
    k = len(alphas)
    terms = np.empty(k)
    total = 0.0
    for i in range(n):
        for j in range(k):
            s = alphas[j]
            for p in range(d):
                z = (x[i, p] - means[j, p]) * math.exp(-scales[j, p])
                s -= 0.5 * z * z + scales[j, p]
            terms[j] = s
        top = terms[0]
        for j in range(1, k):
            if terms[j] > top:
                top = terms[j]
        s = 0.0
        for j in range(k):
            s += math.exp(terms[j] - top)
        total -= top + math.log(s)
    return total


add(gmm, lambda: (vec(2), mat(2, 2), mat(2, 2, 1), mat(3, 2, 2)), (0, 1, 2), "statistics", jit=True)


def sigmoid(x):
    return 1.0 / (1.0 + math.exp(-x))


def lstm_cell(w, u, b, h, c, x):
    size = len(h)
    gates = np.empty(4 * size)
    for g in range(4 * size):
        s = b[g]
        for j in range(len(x)):
            s += w[g, j] * x[j]
        for j in range(size):
            s += u[g, j] * h[j]
        gates[g] = s
    for k in range(size):
        keep = sigmoid(gates[k])
        write = sigmoid(gates[size + k])
        c[k] = keep * c[k] + write * math.tanh(gates[2 * size + k])
        h[k] = sigmoid(gates[3 * size + k]) * math.tanh(c[k])


def lstm(w, u, b, xs):
    """A recurrent cell whose state is overwritten at every step."""
    size = u.shape[1]
    h = np.zeros(size)
    c = np.zeros(size)
    loss = 0.0
    for t in range(len(xs) - 1):
        lstm_cell(w, u, b, h, c, xs[t])
        for k in range(size):
            loss += (h[k] - xs[t + 1, k % xs.shape[1]]) ** 2
    return loss


add(lstm, lambda: (mat(8, 2), mat(8, 2, 1, -0.5, 0.5), vec(8), mat(4, 2, 2)), (0, 1, 2, 3),
    "learning helper mutate", jit=True)  # fmt: skip


def rodrigues(rotation, point, out):
    angle2 = rotation[0] ** 2 + rotation[1] ** 2 + rotation[2] ** 2
    if angle2 > 1e-12:
        angle = math.sqrt(angle2)
        c, s = math.cos(angle), math.sin(angle)
        axis = rotation / angle
        cross = np.array([
            axis[1] * point[2] - axis[2] * point[1],
            axis[2] * point[0] - axis[0] * point[2],
            axis[0] * point[1] - axis[1] * point[0],
        ])  # fmt: skip
        along = axis @ point * (1.0 - c)
        out[:] = point * c + cross * s + axis * along
    else:
        out[0] = point[0] + rotation[1] * point[2] - rotation[2] * point[1]
        out[1] = point[1] + rotation[2] * point[0] - rotation[0] * point[2]
        out[2] = point[2] + rotation[0] * point[1] - rotation[1] * point[0]


def bundle_adjustment(camera, points, features):
    """Reprojection error with radial distortion; camera: rotation, centre, focal, k1, k2."""
    moved = np.empty(3)
    error = 0.0
    for i in range(points.shape[0]):
        rodrigues(camera[:3], points[i] - camera[3:6], moved)
        u = moved[0] / moved[2]
        v = moved[1] / moved[2]
        r2 = u * u + v * v
        scale = camera[6] * (1.0 + camera[7] * r2 + camera[8] * r2 * r2)
        error += (scale * u - features[i, 0]) ** 2 + (scale * v - features[i, 1]) ** 2
    return error


add(bundle_adjustment, lambda: (vec(9, 0, 0.1, 0.5), mat(2, 3) + 1.0, mat(2, 2)), (0, 1),
    "vision helper mutate", jit=True)  # fmt: skip


def soft_kmeans(points, centres, beta, steps):
    """Centres are overwritten in place by weighted means."""
    k, d = centres.shape
    for _ in range(steps):
        sums = np.zeros((k, d))
        weights = np.zeros(k)
        for p in points:
            share = np.empty(k)
            for j in range(k):
                diff = p - centres[j]
                share[j] = math.exp(-beta * np.sum(diff * diff))
            share /= np.sum(share)
            for j in range(k):
                weights[j] += share[j]
                sums[j] += share[j] * p
        for j in range(k):
            centres[j] = sums[j] / weights[j]
    return np.sum(centres * centres)


add(soft_kmeans, lambda: (mat(4, 2), mat(2, 2, 1), 1.5, 2), (0, 1, 2), "learning inplace", jit=True)


def hard_kmeans(points, centres, steps):
    """Assignments by comparison: the executed path is differentiated."""
    k = len(centres)
    cost = 0.0
    for _ in range(steps):
        sums = np.zeros(k)
        counts = np.zeros(k, dtype=np.int64)
        cost = 0.0
        for p in points:
            best = 0
            for j in range(1, k):
                if abs(p - centres[j]) < abs(p - centres[best]):
                    best = j
            sums[best] += p
            counts[best] += 1
            cost += (p - centres[best]) ** 2
        for j in range(k):
            if counts[j] > 0:
                centres[j] = sums[j] / counts[j]
    return cost


add(hard_kmeans, lambda: (vec(6), np.array([0.45, 1.1]), 2), (0, 1), "learning inplace", jit=True)


def lu_in_place(a):
    """Log-determinant and norm after elimination without pivoting."""
    n = a.shape[0]
    for k in range(n):
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
            for j in range(k + 1, n):
                a[i, j] -= a[i, k] * a[k, j]
    s = 0.0
    for i in range(n):
        s += math.log(abs(a[i, i]))
    return s + np.sum(a)


add(lu_in_place, lambda: (mat(4, 4) + 2.0 * np.eye(4),), (0,), "linalg inplace", jit=True)


def lu_with_pivoting(a, b):
    """Row swaps chosen by size, then forward and back substitution in place."""
    n = len(b)
    for k in range(n):
        p = k
        for i in range(k + 1, n):
            if abs(a[i, k]) > abs(a[p, k]):
                p = i
        if p != k:
            for j in range(n):
                a[k, j], a[p, j] = a[p, j], a[k, j]
            b[k], b[p] = b[p], b[k]
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
            a[i, k + 1 :] -= a[i, k] * a[k, k + 1 :]
            b[i] -= a[i, k] * b[k]
    for i in range(n - 1, -1, -1):
        b[i] = (b[i] - a[i, i + 1 :] @ b[i + 1 :]) / a[i, i]
    return np.sum(b * b)


add(lu_with_pivoting, lambda: (mat(3, 3) - 0.5 * np.eye(3), vec(3)), (0, 1),
    "linalg swap inplace", jit=True)  # fmt: skip


def cholesky_in_place(a):
    n = a.shape[0]
    for j in range(n):
        for k in range(j):
            for i in range(j, n):
                a[i, j] -= a[i, k] * a[j, k]
        a[j, j] = math.sqrt(a[j, j])
        for i in range(j + 1, n):
            a[i, j] /= a[j, j]
    s = 0.0
    for i in range(n):
        for j in range(i + 1):
            s += a[i, j] * (i + 2 * j + 1)
    return s


def spd(n):
    m = mat(n, n, 3)
    return m @ m.T + np.eye(n)


add(cholesky_in_place, lambda: (spd(3),), (0,), "linalg inplace", jit=True)


def triangular_solve(low, b):
    n = len(b)
    x = np.empty(n)
    for i in range(n):
        s = b[i]
        for j in range(i):
            s -= low[i, j] * x[j]
        x[i] = s / low[i, i]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            x[i] -= low[j, i] * x[j]
        x[i] /= low[i, i]
    return x


add(triangular_solve, lambda: (mat(3, 3) + np.eye(3), vec(3)), (0, 1), "linalg array_output",
    jit=True)  # fmt: skip


def fft(re, im):
    """Recursive radix-2 transform in place on slices of real and imaginary parts."""
    n = len(re)
    if n == 1:
        return
    even_re, even_im = re[::2].copy(), im[::2].copy()
    odd_re, odd_im = re[1::2].copy(), im[1::2].copy()
    fft(even_re, even_im)
    fft(odd_re, odd_im)
    half = n // 2
    for k in range(half):
        angle = -2.0 * math.pi * k / n
        c, s = math.cos(angle), math.sin(angle)
        tr = c * odd_re[k] - s * odd_im[k]
        ti = c * odd_im[k] + s * odd_re[k]
        re[k], im[k] = even_re[k] + tr, even_im[k] + ti
        re[k + half], im[k + half] = even_re[k] - tr, even_im[k] - ti


def fft_power(re, im):
    fft(re, im)
    s = 0.0
    for k in range(len(re)):
        s += (k + 1) * (re[k] ** 2 + im[k] ** 2)
    return s


add(fft_power, lambda: (vec(4), vec(4, 1)), (0, 1), "recursion mutate inplace", jit=True)


def convolution(image, kernel):
    rows, cols = image.shape
    p, q = kernel.shape
    out = np.zeros((rows - p + 1, cols - q + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            window = image[i : i + p, j : j + q]
            out[i, j] = math.tanh(np.sum(window * kernel))
    return np.sum(out * out)


add(convolution, lambda: (mat(4, 4), mat(2, 2)), (0, 1), "signal slice", jit=True)


def recursive_filter(signal, a, b):
    """An IIR filter run forwards and backwards in place."""
    for k in range(1, len(signal)):
        signal[k] = b * signal[k] + a * signal[k - 1]
    for k in range(len(signal) - 2, -1, -1):
        signal[k] = b * signal[k] + a * signal[k + 1]
    return np.sum(signal**2)


add(recursive_filter, lambda: (vec(5), 0.6, 0.4), (0, 1, 2), "signal inplace", jit=True)


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


add(logistic_sgd, lambda: (mat(3, 2), np.array([1.0, 0.0, 1.0]), vec(2), 0.3), (0, 2, 3),
    "learning inplace", jit=True)  # fmt: skip


def network(w1, b1, w2, b2, x):
    h = np.maximum(w1 @ x + b1, 0.1 * (w1 @ x))
    o = w2 @ h + b2
    e = np.exp(o - np.max(o))
    return np.log(np.sum(e)) - np.log(e[1])


add(network, lambda: (mat(3, 2), vec(3), mat(2, 3), vec(2), vec(2, 1)), (0, 1, 2, 3),
    "learning expression", jit=True)  # fmt: skip


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


add(adam, lambda: (vec(3), vec(3, 1), 3), (0, 1), "learning inplace", jit=True)


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


add(hmm_forward, lambda: (vec(2), mat(2, 2), mat(2, 3), np.array([0, 2, 1, 1])), (0, 1, 2),
    "statistics rebind", jit=True)  # fmt: skip


def dynamic_time_warping(a, b):
    n, m = len(a), len(b)
    cost = np.full((n + 1, m + 1), np.inf)
    cost[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            d = (a[i - 1] - b[j - 1]) ** 2
            cost[i, j] = d + min(cost[i - 1, j], cost[i, j - 1], cost[i - 1, j - 1])
    return cost[n, m]


add(dynamic_time_warping, lambda: (vec(4), vec(3, 1)), (0, 1), "dynamic inf", jit=True)


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


add(soft_edit_distance, lambda: (vec(3), vec(3, 1), 0.4), (0, 1, 2), "dynamic inplace", jit=True)


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


add(viterbi_score, lambda: (vec(3), mat(3, 3), mat(2, 3)), (0, 1, 2), "dynamic max", jit=True)


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


add(soft_floyd_warshall, lambda: (mat(3, 3), 0.3), (0, 1), "dynamic inplace", jit=True)


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


add(matrix_power, lambda: (mat(2, 2), 5), (0,), "linalg array_output while rebind", jit=True)


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


add(modified_gram_schmidt, lambda: (mat(3, 2),), (0,), "linalg alias inplace", jit=True)


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


add(conjugate_gradient, lambda: (spd(3), vec(3), 2), (0, 1), "linalg array_output inplace", jit=True)
