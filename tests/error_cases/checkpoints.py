"""Marks of loops and calls that stand where they cannot work."""
# ruff: noqa

import numpy as np

import srcad
from srcad import NoDerivative, TypeMismatch, UnsupportedSyntax
from tests.error_cases.registry import refused


def vector():
    return np.array([0.5, 1.0, 1.5])


@refused(UnsupportedSyntax, 1.0)
def mark_outside_a_header(x):
    steps = srcad.checkpointed(range(3))
    for _ in steps:
        x = np.sin(x)
    return x


@refused(UnsupportedSyntax, 1.0)
def mark_of_a_tuple(x):
    for k in srcad.checkpointed((1, 2), snapshots=1):
        x = np.sin(k * x)
    return x


@refused(TypeMismatch, 1.0)
def no_states_at_all(x):
    for _ in srcad.checkpointed(range(3), snapshots=0):
        x = np.sin(x)
    return x


@refused(TypeMismatch, 1.0)
def states_in_other_words(x):
    for _ in srcad.checkpointed(range(3), snapshots="many"):
        x = np.sin(x)
    return x


@refused(TypeMismatch, 1.0)
def states_and_memory(x):
    for _ in srcad.checkpointed(range(3), snapshots=2, memory=100):
        x = np.sin(x)
    return x


@refused(TypeMismatch, 1.0)
def mark_without_steps(x):
    while srcad.checkpointed(snapshots=2):
        x = np.sin(x)
    return x


@refused(TypeMismatch, 1.0)
def mark_with_another_argument(x):
    for _ in srcad.checkpointed(range(3), slots=2):
        x = np.sin(x)
    return x


@refused(NoDerivative, vector)
def argument_written_and_rebound(u):
    for _ in srcad.checkpointed(range(3), snapshots=2):
        u[0] = 0.5 * u[1]
        u = u + np.sin(u)
    return np.sum(u)


@refused(NoDerivative, 1.0)
def list_in_the_state(x):
    xs = [x]
    for t in srcad.checkpointed(range(3), snapshots=2):
        xs.append(np.sin(xs[t]))
    return xs[3]


@refused(TypeMismatch, 1.0)
def checkpoint_of_a_number(x):
    return srcad.checkpoint(3)(x)
