"""A sample of the mutation test of the transforms, small enough to run with all other tests.

All mutants are judged by ``python -m tests.mutation``.  Which of them are in the sample hangs on
their own text only, so that changes elsewhere do not exchange them.  One that survives here may
still be caught by a program that is not in ``CHOSEN``: ``python -m tests.mutation`` with words of
its text says which; enter that one, or write a test that catches it.
"""

import os
import zlib
from collections.abc import Callable, Iterator

import pytest

from tests import composition
from tests.mutants import Mutant, mutants
from tests.mutation import CAUGHT, Checked, Unit, explanation, further, judge, prepared
from tests.mutation_survivors import EQUIVALENT
from tests.programs import BY_NAME

EVERY = 10  # about one mutant of so many

CHOSEN = (
    "augmented_ints",
    "borrowed_base_case",
    "carried_from_further",
    "cancels",
    "computed_step",
    "conjugate_gradient",
    "factor_overwritten",
    "float_truth",
    "for_inside_while",
    "for_over_rows",
    "guarded_singularity",
    "heat_nonlinear",
    "helper_with_returns",
    "infinite_bound",
    "inverse_overwritten",
    "layouts_transposed",
    "list_in_a_branch",
    "list_of_aliases",
    "loop_from_float",
    "loop_variable_after_loop",
    "many_returns_early",
    "matmul_by_loops",
    "matrix_power",
    "namedtuple_carried",
    "no_result",
    "operands_overwritten",
    "power_with_int_base_and_exponents",
    "products",
    "range_steps",
    "ravel_of_fortran",
    "recursion_with_integers",
    "recursive_alias",
    "recursive_array",
    "recursive_mutation",
    "returned_arguments_carried",
    "returns_a_view",
    "returns_same_twice",
    "returns_structures",
    "returns_zero_dimensional",
    "same_array_twice",
    "sir_epidemic",
    "skips_nan",
    "solution_overwritten",
    "solutions_overwritten",
    "triangular_solve",
    "upwind",
    "upwind_backwards",
    "while_true_break",
)

TESTS = (
    "marked ping_pong",
    "marked only_the_sum",
    "marked while_arrays",
    "marked nested",
    "marked nested_and_rebound",
    "marked outside_values",
    "marked history",
    "marked strides",
    "refused a bent rule, forward",
    "refused a bent rule, reverse",
    "refused a rule for cotangents, by forward",
    "refused a rule for cotangents, by reverse",
    "refused a rule for tangents, by forward",
    "refused a rule for tangents, by reverse",
    "ruled recursive (0,)",
    "ruled structures (0,)",
    "ruled use_rules (0, 1)",
    "ruled use_rules (1,)",
    "ruled write_by_rules (0, 1)",
    "test_explain_counts_what_is_alive_at_one_time",
    "storage of branch_on_argument",
    "storage of branch_on_state",
    "storage of constant_trips",
    "storage of early_exit",
    "storage of matrix_chain",
    "storage of newton",
    "storage of ragged",
    "storage of rows_of_carried",
    "storage of sines_of_sums",
    "storage of transpose_of_carried",
    "storage of upwind_rows",
    "test_a_branch_hands_out_only_adjoints_of_what_is_outside",
    "test_a_random_number_moves_alike_in_both_modes",
    "test_a_column_that_is_overwritten_after_a_call",
    "test_a_value_is_fetched_once",
    "test_a_value_is_fetched_outside_inner_loops",
    "test_a_value_is_read_where_the_program_puts_it",
    "test_active_values_in_an_inactive_argument",
    "test_active_values_in_the_result_of_an_inactive_operation",
    "test_ambiguous_result_of_a_call",
    "test_array_operations",
    "test_checks_and_prints_run_once",
    "test_costly_chains_are_recorded",
    "test_float32",
    "test_guarded_partials",
    "test_inactive_results_have_zero_tangents",
    "test_integers_and_bools_have_no_derivative",
    "test_long_chains_of_subscripts",
    "test_long_chains_to_a_trip_count",
    "test_many_loops_with_bounds_of_their_own",
    "test_nothing_is_recorded_for_a_branch_without_adjoint",
    "test_nothing_is_recorded_for_a_loop_without_adjoint",
    "test_poison_fills_locals",
    "test_refusals",
    "test_report_tells_kinds",
    "test_reverse_never_writes_primal_storage",
    "test_seeds_of_some_results",
    "test_the_statement_in_need_is_reported",
    "test_trip_counts_from_shapes",
    "test_trip_counts_from_shared_operands",
    "test_values_that_might_be_read_where_they_are_stored",
)


def sample() -> list[Mutant]:
    """Some of the mutants that remove an emission and are not known to change nothing."""
    return [
        m
        for m in mutants()
        if not m.operator.startswith("force")
        and not explanation(m)
        and zlib.crc32(repr(m.key).encode()) % EVERY == 0
    ]


def makers() -> Iterator[Callable[[], Unit]]:
    """What judges the sample."""
    for name in CHOSEN:
        yield lambda n=name: Checked(BY_NAME[n])
    yield from further(TESTS)


@pytest.mark.filterwarnings("ignore:os.fork")  # of other packages, where threads run
@pytest.mark.skipif(not hasattr(os, "fork"), reason="mutants live in processes of their own")
def test_a_sample_is_caught() -> None:
    """A program notices each."""
    with composition.uncleaned():
        units = prepared(makers(), slow=60.0)
        assert len(units) == len(CHOSEN) + len(TESTS)
        outcomes = [judge(m, units) for m in sample()]
    assert not [str(o.mutant) for o in outcomes if o.kind not in (*CAUGHT, "inert")]
    assert sum(o.kind in CAUGHT for o in outcomes) > 30


@pytest.mark.parametrize("key", EQUIVALENT, ids=lambda key: f"{key[0]} {key[1]}")
def test_mutants_known_to_change_nothing_exist(key: tuple[str, str, str]) -> None:
    """An explanation whose mutant is gone goes as well."""
    operator, function, text = key
    assert any(
        m.operator == operator and m.function == function and m.text.startswith(text)
        for m in mutants()
    )
