"""Axes in files of their own."""

from __future__ import annotations

import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.spectra.axis_files import read_axis


@pytest.mark.parametrize(
    ("text", "values", "kind", "unit"),
    [
        ("1\n2\n3.5\n", [1, 2, 3.5], None, None),
        ("energy\n1\n2\n", [1, 2], None, None),
        ("# Kinetic energy [eV]\n1\n2\n", [1, 2], "kinetic", "eV"),
        ("Raman shift (cm-1),x\n100,5\n200,5\n", [100, 200], "shift", "cm-1"),
        ("E;n\n0,5;1\n0,7;1\n", [0.5, 0.7], None, None),
        ("285,5\n285,4\n", [285.5, 285.4], None, None),
        ("1 7\n2 7\n", [1, 2], None, None),
        ("Binding energy [eV]\n\n1e2\n2e2", [100, 200], "binding", "eV"),
    ],
)
def test_headers_and_signs(tmp_path, text, values, kind, unit):
    path = tmp_path / "axis.txt"
    path.write_text(text, encoding="utf-8")
    found = read_axis(path)
    assert (found.values.tolist(), found.kind, found.unit) == (values, kind, unit)


def test_arrays(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[1.0, 2.0]]))
    assert read_axis(tmp_path / "a.npy").values.tolist() == [1.0, 2.0]
    np.save(tmp_path / "b.npy", np.ones((2, 3)))
    with pytest.raises(InputError, match=r"shape \(2, 3\)"):
        read_axis(tmp_path / "b.npy")


def test_what_cannot_be_read(tmp_path):
    path = tmp_path / "axis.txt"
    path.write_text("x\n1\noops\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"Got 'oops' in line 3 of"):
        read_axis(path)
    path.write_text("only\nwords\n", encoding="utf-8")
    with pytest.raises(InputError, match="one number per line"):
        read_axis(path)
    with pytest.raises(InputError, match="read_axis: path must name an existing file"):
        read_axis(tmp_path / "none.txt")
