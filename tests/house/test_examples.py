"""Every script in ``examples`` runs, with warnings as errors, without any data beyond the package's own."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))


def test_there_are_examples():
    assert len(SCRIPTS) >= 5


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_example_runs_and_checks_itself(script, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.delenv("SOZAI_DATA", raising=False)
    runpy.run_path(str(script), run_name="__main__")
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_example_is_a_page(script):
    """A title, cells, and at least one statement that would fail if the answer were wrong."""
    text = script.read_text(encoding="utf-8")
    assert text.startswith('"""')
    assert text.count("\n# %%") >= 3
    assert "assert " in text
