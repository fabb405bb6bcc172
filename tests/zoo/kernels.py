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


add(gmm, lambda: (vec(2), mat(2, 2), mat(2, 2, 1), mat(3, 2, 2)), (0, 1, 2), "statistics")


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


add(
    lstm,
    lambda: (mat(8, 2), mat(8, 2, 1, -0.5, 0.5), vec(8), mat(4, 2, 2)),
    (0, 1, 2, 3),
    "learning helper mutate",
)


def rodrigues(rotation, point, out):
    angle2 = rotation[0] ** 2 + rotation[1] ** 2 + rotation[2] ** 2
    if angle2 > 1e-12:
        angle = math.sqrt(angle2)
        c, s = math.cos(angle), math.sin(angle)
        axis = rotation / angle
        cross = np.array(
            [
                axis[1] * point[2] - axis[2] * point[1],
                axis[2] * point[0] - axis[0] * point[2],
                axis[0] * point[1] - axis[1] * point[0],
            ]
        )
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


add(
    bundle_adjustment,
    lambda: (vec(9, 0, 0.1, 0.5), mat(2, 3) + 1.0, mat(2, 2)),
    (0, 1),
    "vision helper mutate",
)


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


add(soft_kmeans, lambda: (mat(4, 2), mat(2, 2, 1), 1.5, 2), (0, 1, 2), "learning inplace")


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


add(hard_kmeans, lambda: (vec(6), np.array([0.45, 1.1]), 2), (0, 1), "learning inplace")


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


add(lu_in_place, lambda: (mat(4, 4) + 2.0 * np.eye(4),), (0,), "linalg inplace")


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


add(lu_with_pivoting, lambda: (mat(3, 3) - 0.5 * np.eye(3), vec(3)), (0, 1), "linalg swap inplace")


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


add(cholesky_in_place, lambda: (spd(3),), (0,), "linalg inplace")


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


add(
    triangular_solve,
    lambda: (mat(3, 3) + np.eye(3), vec(3)),
    (0, 1),
    "linalg array_output",
    jit=True,
)


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


add(fft_power, lambda: (vec(4), vec(4, 1)), (0, 1), "recursion mutate inplace")


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
