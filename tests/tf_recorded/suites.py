"""Which programs belong to which recording."""

from __future__ import annotations

from collections.abc import Callable

from tests import tf_documents
from tests.tf_recorded import (
    cases_arrays,
    cases_contexts,
    cases_custom,
    cases_data,
    cases_expressions,
    cases_functions,
    cases_gradients,
    cases_jacobian,
    cases_keras,
    cases_losses,
    cases_operators,
    cases_ops,
    cases_optimizers,
    cases_programs,
    cases_refused,
    cases_saved,
    cases_tape,
    cases_tensors,
    cases_values,
    cases_variables,
)
from tests.tf_recorded.harness import collect

CONFORMANCE = [
    cases_tape,
    cases_expressions,
    cases_functions,
    cases_gradients,
    cases_jacobian,
    cases_keras,
    cases_losses,
    cases_arrays,
    cases_contexts,
    cases_custom,
    cases_data,
    cases_tensors,
    cases_values,
    cases_operators,
    cases_programs,
    cases_refused,
    cases_saved,
    cases_ops,
    cases_optimizers,
    cases_variables,
]

# programs that pass ``lr=``: recorded with the optimizer that honours it
OLD_SGD = {"doc001_derivatives.descent_by_optimizer", "whole.doc001"}


def documents() -> dict[str, Callable]:
    """The programs of the documents."""
    return collect(tf_documents.MODULES)


def conformance() -> dict[str, Callable]:
    """Single behaviours."""
    return collect(CONFORMANCE)


SUITES: dict[str, Callable[[], dict[str, Callable]]] = {
    "documents": documents,
    "conformance": conformance,
}
