"""The programs of ``docs/many_sparse_implicit.md`` print what is shown."""

import re
import runpy
from pathlib import Path

import srcad

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "many_sparse_implicit.md"


def test_programs_print_what_is_shown(tmp_path, capsys):
    """All blocks, in order, as one file (interpreted, to save the compilations)."""
    text = DOCUMENT.read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    shown = "".join(re.findall(r"```text\n(.*?)```", text, re.DOTALL))
    assert len(blocks) == 3
    program = tmp_path / "document.py"
    program.write_text("\n\n".join(blocks))
    with srcad.using(backend="reference"):
        runpy.run_path(str(program))
    assert capsys.readouterr().out == shown
