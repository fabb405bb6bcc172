"""The programs of ``docs/composition.md`` print what is shown."""

import re
import runpy
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "composition.md"


def test_programs_print_what_is_shown(tmp_path, capsys):
    """All blocks, in order, as one file."""
    text = DOCUMENT.read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    shown = "".join(re.findall(r"```text\n(.*?)```", text, re.DOTALL))
    assert len(blocks) >= 5
    program = tmp_path / "composition.py"
    program.write_text("\n\n".join(blocks))
    runpy.run_path(str(program))
    assert capsys.readouterr().out == shown
