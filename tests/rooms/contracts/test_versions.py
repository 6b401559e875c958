"""The first thing a bug report needs."""

import subprocess
import sys

import numpy as np

import sozai
from sozai.contracts import versions


def test_versions_are_those_of_the_modules():
    found = sozai.show_versions()
    assert found["sozai"] == sozai.__version__
    assert found["numpy"] == np.__version__
    assert found["python"] == sys.version.split()[0]


def test_the_table_has_one_line_each_and_prints_nothing_by_itself(capsys):
    found = sozai.show_versions()
    assert capsys.readouterr().out == ""
    lines = repr(found).splitlines()
    assert len(lines) == len(found)
    assert str(found) == repr(found)
    assert len({line.index(found[line.split()[0]]) for line in lines}) == 1


def test_a_package_that_is_not_there_says_so(monkeypatch):
    monkeypatch.setattr(versions, "_PACKAGES", ("numpy", "no-such-package"))
    assert versions.show_versions()["no-such-package"] == "not installed"


def test_asking_loads_no_package():
    code = (
        "import sys, sozai; sozai.show_versions();"
        "sys.exit(bool({'scipy', 'sklearn', 'pandas', 'numba', 'matplotlib', 'dask'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
