"""What the README shows is what happens."""

import re
import sys

import pytest

import srcad
from benchmarks import report
from benchmarks.gradbench import compare
from tests import readme


@pytest.fixture(scope="module")
def text():
    """The README."""
    return readme.README.read_text()


def test_examples_print_what_is_shown(text, tmp_path):
    """Every output block is what its examples print."""
    count = 0
    for block, printed in readme.outputs(text, tmp_path):
        assert block[2] == printed.rstrip("\n") + "\n", "run python -m tests.readme"
        count += 1
    assert count == text.count("<!-- output -->") > 1


def test_tables_are_those_of_the_compiler(text):
    """Names are compared, so that another version of NumPy does not matter."""
    shown = readme.TABLES.search(text)
    assert shown is not None
    table = shown[0].removeprefix(shown[1]).removesuffix(shown[2])
    assert readme.names_in(table) == readme.names_in(readme.supported()), (
        "run python -m tests.readme"
    )


def test_measured_tape_is_what_was_kept(text):
    """The comparison with TensorFlow is that of the kept samples."""
    shown = readme.TAPE.search(text)
    assert shown is not None
    assert shown[0] == shown[1] + readme.tape_table() + shown[2], "run python -m tests.readme"


def test_gradbench_table_is_the_kept_one(text):
    """The table of the GradBench evals is made from the kept measurements."""
    shown = readme.GRADBENCH.search(text)
    assert shown is not None
    assert shown[0] == shown[1] + compare.readme() + shown[2], "run python -m tests.readme"


def test_table_of_times_is_the_kept_one(text):
    """The table of gradient times is made from the kept measurements."""
    shown = readme.SPEED.search(text)
    assert shown is not None
    assert shown[0] == shown[1] + report.readme() + shown[2], "run python -m tests.readme"


def test_two_commands(text):
    """Two bash blocks under their heading; each makes its own environment."""
    section = re.search(r"## Two commands\n(.*?)\n## ", text, re.DOTALL)
    assert section is not None
    commands = re.findall(r"```bash\n(.*?)```", section[1], re.DOTALL)
    assert len(commands) == 2
    assert all("-m venv" in c for c in commands)
    assert "examples/influenza.py" in commands[0]
    assert "pytest" in commands[1]


def test_public_names_are_documented(text):
    """Every function of the interface is named in the README and has a docstring."""
    for name in srcad.__all__:
        assert getattr(srcad, name).__doc__, name
        if name[0].islower():
            assert f"`{name}`" in text or f"srcad.{name}" in text, name


def test_links_lead_somewhere(text):
    """Relative links name files of the checkout."""
    prose = re.sub(r"`[^`]*`", "", text)  # f[blocks](x) in code is no link
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", prose):
        assert (readme.README.parent / target).exists(), target


def test_python_is_in_the_stated_range(text):
    """The README states the range of pyproject.toml."""
    assert "3.10 to 3.13" in text
    assert (3, 10) <= sys.version_info < (3, 14)
