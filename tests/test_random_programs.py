"""The generator makes programs fit for testing, and the compiler agrees with the oracle on them."""

import inspect
import linecache

import pytest
from hypothesis import HealthCheck, given, settings

from tests.all_stages import as_compiled
from tests.random_programs import SHARES, RandomChooser, check, generate, load, programs, shares
from tests.randprog import checking
from tests.randprog.loading import unload


@pytest.mark.parametrize("seed", range(10))
def test_programs_are_fit(seed):
    """They run in plain Python without warnings; values and derivatives are finite."""
    for number in range(15):
        checking.validate(generate(RandomChooser(15 * seed + number)))


@pytest.mark.parametrize("seed", [3, 16])
def test_numba_compiles_them(seed):
    """Nearly all are in numba's subset (`reversed` is not)."""
    checking.compile_plain(generate(RandomChooser(seed), without=frozenset({"reversed"})))


def test_every_difficulty_is_frequent():
    """The run would mean little if overwrites, views or early exits were rare."""
    found = shares(generate(RandomChooser(seed)) for seed in range(500))
    assert {
        name: found.get(name, 0.0) for name, least in SHARES.items() if found[name] < least
    } == {}


def test_features_can_be_left_out():
    """`without` is for bringing a compiler up step by step."""
    without = frozenset(
        {"while", "closure", "list", "helper", "bound_by_trip", "aliased_arguments"}
    )
    found = shares(generate(RandomChooser(seed), without=without) for seed in range(200))
    assert not without & set(found)


def test_same_seed_same_program():
    """A seed is enough to report a failure."""
    assert generate(RandomChooser(7)).source == generate(RandomChooser(7)).source


def test_source_can_be_retrieved():
    """As the compiler retrieves it: the whole file by the code object's file name."""
    program = generate(RandomChooser(1))
    function = load(program)
    lines = linecache.getlines(function.__code__.co_filename, function.__globals__)
    assert "".join(lines) == program.source
    assert inspect.getsource(function).startswith("def f(")
    unload(program)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs())
def test_drawn_programs_are_fit(program):
    """The strategy draws from the same grammar."""
    checking.validate(program)


@pytest.mark.parametrize("part", range(4))
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(program=programs())
def test_compiler_agrees_with_the_oracle(part, program):
    """Value, exit state, gradient, tangent and Hessian-vector product; parts run in parallel."""
    check(program)


@pytest.mark.parametrize("part", range(3))
@settings(max_examples=34, deadline=None, suppress_health_check=list(HealthCheck))
@given(program=programs())
def test_what_is_compiled_agrees(part, program):
    """The same with all stages that only code for the processor goes through, interpreted."""
    with as_compiled():
        check(program, vector_math=False, verify=True)
