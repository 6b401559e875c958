"""Cells of a column: equal texts are read once, and names of the caller are known."""

from sozai.composition import composition_rows
from sozai.composition.composition_rows import Options, read_entries


def test_equal_texts_are_read_once(monkeypatch):
    calls = []
    read = composition_rows.read_formula
    monkeypatch.setattr(composition_rows, "read_formula", lambda *a, **k: calls.append(a) or read(*a, **k))
    entries = read_entries(["Fe3+", "Qq", "Fe3+", "Qq"], options=Options())
    assert len(calls) == 2
    assert entries.codes.tolist() == [25, 25]
    assert [issue.row for issue in entries.issues] == [1, 3]
    assert entries.charge[[0, 2]].tolist() == [3, 3]


def test_names_of_the_caller_follow_the_symbols():
    entries = read_entries([{"EO": 2, "O": 1}], options=Options(), extra=("PO", "EO"))
    assert entries.codes.tolist() == [7, 121]
    assert entries.amounts.tolist() == [1, 2]


def test_bytes_are_read_as_text():
    assert read_entries([b"FeO", b"\xff"], options=Options()).codes.tolist() == [7, 25]
