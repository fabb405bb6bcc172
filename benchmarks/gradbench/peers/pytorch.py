"""The evals in PyTorch: eager tensors, ``torch.func`` for derivatives, Python for loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch.func import grad, jacfwd, jacrev, jvp, vmap

from benchmarks.gradbench.peers.structure import (
    joint_scatter,
    lower_scatter,
    permutations,
    wishart_constant,
)

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
VERSION = f"PyTorch {torch.__version__}"


def tensor(x: Any) -> Any:
    """Arrays and numbers as tensors, in structures too."""
    if isinstance(x, tuple):
        return tuple(map(tensor, x))
    return torch.as_tensor(x)


def tensors(*arguments: Any) -> Any:
    """All arguments as tensors."""
    return tensor(arguments)


def lse_gradient(x):
    return grad(lambda x: torch.log(torch.sum(torch.exp(x - torch.max(x)))) + torch.max(x))(x)


def misfit(x, n):
    t = torch.linspace(-1.0, 1.0, n)
    residual = torch.sign(t) - torch.vander(t, len(x), increasing=True) @ x
    return 0.5 * residual @ residual


def last(x, steps):
    one = torch.ones(1)

    def slopes(y):
        return x * torch.cat([one, y[:-1]])

    h = 2.0 / steps
    y = torch.zeros_like(x)
    for _ in range(steps):
        k1 = slopes(y)
        k2 = slopes(y + 0.5 * h * k1)
        k3 = slopes(y + 0.5 * h * k2)
        k4 = slopes(y + h * k3)
        y = y + h * (k1 + 2.0 * k2 + 2.0 * k3 + k4) / 6.0
    return y[-1]


def cost(centroids, points):
    norms = torch.sum(points**2, dim=1)[:, None] + torch.sum(centroids**2, dim=1)
    return torch.sum(torch.min(norms - 2.0 * points @ centroids.T, dim=1).values)


def direction(centroids, points):
    slope, curvature = jvp(
        lambda c: grad(cost)(c, points), (centroids,), (torch.ones_like(centroids),)
    )
    return slope / curvature


def determinant(a, columns, signs):
    return torch.sum(signs * torch.prod(a[torch.arange(len(a)), columns], dim=1))


def all_permutations(a):
    return tensors(a, *permutations(len(a)))


def log_posterior(alpha, mu, q, lower, x, gamma, m, scatter, constant):
    n, d = x.shape
    scales = torch.exp(q)
    centred = x[:, None, :] - mu[None]
    factors = torch.einsum("kp,pij->kij", lower, scatter)
    white = scales * centred + torch.einsum("kij,nkj->nki", factors, centred)
    log_dets = torch.sum(q, dim=1)
    logs = alpha + log_dets - 0.5 * torch.sum(white**2, dim=2)
    squares = torch.sum(scales**2) + torch.sum(lower**2)
    prior = 0.5 * gamma**2 * squares - m * torch.sum(log_dets)
    likelihood = torch.sum(torch.logsumexp(logs, dim=1)) - n * torch.logsumexp(alpha, dim=0)
    return likelihood - 0.5 * n * d * math.log(2.0 * math.pi) + constant - prior


def mixture(alpha, mu, q, lower, x, gamma, m):
    k, d = mu.shape
    return *tensors(alpha, mu, q, lower, x, gamma, m, lower_scatter(d)), wishart_constant(
        d, k, gamma, m
    )


def loss(main, extra, state, sequence):
    count, bits = sequence.shape
    layers = len(main) // 2
    weights, biases = main[0::2].reshape(layers, 4, bits), main[1::2].reshape(layers, 4, bits)
    hidden, cell = list(state[0::2]), list(state[1::2])
    logits = []
    for row in sequence[:-1]:
        x = row * extra[0]
        for a in range(layers):
            signals = weights[a] * torch.stack([x, hidden[a], x, hidden[a]]) + biases[a]
            forget, ingate, outgate = torch.sigmoid(signals[:3])
            cell[a] = cell[a] * forget + ingate * torch.tanh(signals[3])
            x = hidden[a] = outgate * torch.tanh(cell[a])
        logits.append(x * extra[1] + extra[2])
    logits = torch.stack(logits)
    norms = torch.log(2.0 + torch.sum(torch.exp(logits), dim=1, keepdim=True))
    return -torch.sum(sequence[1:] * (logits - norms)) / ((count - 1) * bits)


def reprojection(own, feature):
    r, x = own[:3], own[11:14] - own[3:6]
    angle = torch.sqrt(r @ r)
    axis = r / angle
    turned = x * torch.cos(angle) + torch.linalg.cross(axis, x) * torch.sin(angle)
    turned = turned + axis * (axis @ x) * (1.0 - torch.cos(angle))
    flat = turned[:2] / turned[2]
    radius = flat @ flat
    scale = own[6] * (1.0 + own[9] * radius + own[10] * radius**2)
    return own[14] * (flat * scale + own[7:9] - feature)


def blocks(cameras, points, weights, seen, features):
    own = torch.cat([cameras[seen[:, 0]], points[seen[:, 1]], weights[:, None]], dim=1)
    rows = vmap(jacrev(reprojection))(own, features)
    return rows, vmap(grad(lambda w: 1.0 - w * w))(weights)


def joints(angles):
    (cx, cy, cz), (sx, sy, sz) = torch.cos(angles).T, torch.sin(angles).T
    zero, one = torch.zeros_like(cx), torch.ones_like(cx)
    rows = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx, zero],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx, zero],
        [-sy, cy * sx, cy * cx, zero],
        [zero, zero, zero, one],
    ]
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def hand_errors(parameters, model, corners, us, points, scatter, parents):
    relatives, inverses, rest, weights = model
    shift, theta = parameters[:2], parameters[2:]
    own = relatives @ joints(torch.einsum("p,pba->ba", theta[6:], scatter))
    absolute = []
    for bone, parent in enumerate(parents):
        absolute.append(own[bone] if parent < 0 else absolute[parent] @ own[bone])
    transforms = torch.stack(absolute) @ inverses
    maps = torch.einsum("vb,bij->vij", weights, transforms[:, :3])
    skinned = torch.einsum("vij,vj->vi", maps, rest)
    r, zero = theta[:3], torch.zeros(())
    rows = [[zero, -r[2], r[1]], [r[2], zero, -r[0]], [-r[1], r[0], zero]]
    cross = torch.stack([torch.stack(row) for row in rows])
    vertices = skinned @ torch.linalg.matrix_exp(cross).T + theta[3:6]
    u, v = us[:, 0] + shift[0], us[:, 1] + shift[1]
    shares = torch.stack([u, v, 1.0 - u - v], dim=1)
    return points - torch.einsum("pk,pki->pi", shares, vertices[corners])


def hand(theta, model, triangles, us, correspondences, points):
    parents, relatives, inverses, rest, weights, _ = model
    corner = np.tile([0.0, 0.0, 0.0, 1.0], (len(parents), 1, 1))
    whole = [np.concatenate([part, corner], axis=1) for part in (relatives, inverses)]
    fixed = (*whole, rest, weights), triangles[correspondences], us, points
    parameters = np.concatenate([np.zeros(2), theta])
    found = tensors(parameters, *fixed, joint_scatter(len(parents)))
    return *found, tuple(int(p) for p in parents)


def hand_columns(parameters, *rest):
    return jacfwd(hand_errors)(parameters, *rest).reshape(-1, len(parameters))


def argmin(f, gradient, start):
    x = new = start
    value, slope, length, taken = math.inf, torch.zeros_like(start), 1e-5, -1
    while True:
        there = f(new)
        if there < value:
            x, value, slope, taken = new, there, gradient(new), taken + 1
            if torch.linalg.norm(slope) <= 1e-5:
                break
        else:
            length, taken = 0.5 * length, 0
        if taken == 10:
            length, taken = 2.0 * length, 0
        new = x - length * slope
        if torch.linalg.norm(new - x) <= 1e-5:
            break
    return x


def by_autograd(f):
    """A gradient in reverse mode, for functions whose control flow reads values."""

    def gradient(x):
        outer = x if x.requires_grad else x.detach().requires_grad_()
        return torch.autograd.grad(f(outer), outer, create_graph=x.requires_grad)[0]

    return gradient


def particle(start):
    """Both derivatives in reverse mode."""

    def landing(w):
        shift = torch.cat([torch.zeros(1), w])
        charges = torch.stack([torch.tensor([10.0, 10.0]) - shift, torch.tensor([10.0, 0.0])])

        def potential(x):
            return torch.sum(1.0 / torch.sqrt(torch.sum((x - charges) ** 2, dim=1)))

        x, v = torch.tensor([0.0, 8.0]), torch.tensor([0.75, 0.0])
        while x[1] + 0.1 * v[1] > 0.0:
            force = inner_gradient(potential, x, w.requires_grad)
            x, v = x + 0.1 * v, v - 0.1 * force
        return (x[0] - x[1] * v[0] / v[1]) ** 2

    return argmin(landing, by_autograd(landing), start)[0]


def inner_gradient(f, x, recorded):
    """A gradient that can be differentiated again if ``recorded``."""
    here = x if x.requires_grad else x.detach().requires_grad_()
    return torch.autograd.grad(f(here), here, create_graph=recorded)[0]


def saddle(start):
    """Both derivatives in reverse mode."""

    def height(x, y):
        return x @ x - y @ y

    def highest(x):
        def depth(y):
            return -height(x, y)

        return argmin(depth, lambda y: inner_gradient(depth, y, x.requires_grad), start)

    def worst(x):
        return height(x, highest(x))

    x = argmin(worst, by_autograd(worst), start).detach()
    return x, highest(x).detach()


EVALS = {
    "hello": {"double": (tensors, grad(lambda x: x * x))},
    "lse": {"gradient": (tensors, lse_gradient)},
    "llsq": {"gradient": (lambda x, n: (torch.as_tensor(x), n), grad(misfit))},
    "ode": {"gradient": (lambda x, s: (torch.as_tensor(x), s), grad(last))},
    "kmeans": {"dir": (tensors, direction)},
    "det": {"gradient": (all_permutations, grad(determinant))},
    "gmm": {"jacobian": (mixture, grad(log_posterior, argnums=(0, 1, 2, 3)))},
    "lstm": {"jacobian": (tensors, grad(loss, argnums=(0, 1)))},
    "ba": {"jacobian": (tensors, blocks)},
    "ht": {"jacobian": (hand, hand_columns)},
    "particle": {"rr": (lambda w: (torch.tensor(w),), particle)},
    "saddle": {"rr": (lambda start: (torch.tensor(start),), saddle)},
}
