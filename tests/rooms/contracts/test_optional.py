"""A missing package is one sentence with the command that installs it."""

import math
import os.path
import sys

import pytest

from sozai.contracts.errors import MissingPackageError
from sozai.contracts.optional import need


def test_a_package_that_is_there_is_the_module_itself():
    assert need("math", for_="counting") is math
    assert need("os.path", for_="joining") is os.path


def test_a_missing_package_names_the_extra():
    with pytest.raises(MissingPackageError) as caught:
        need("openpyxl_of_the_future", for_="reading .xlsx files", extra="excel")
    assert str(caught.value) == (
        "reading .xlsx files needs the package 'openpyxl_of_the_future', which is not installed. "
        'Run: pip install "sozai[excel]"'
    )
    assert caught.value.name == "openpyxl_of_the_future"


def test_without_an_extra_the_package_itself_is_named():
    with pytest.raises(ImportError, match=r"Run: pip install no_such_package$"):
        need("no_such_package.part", for_="nothing")


def test_a_package_that_is_broken_keeps_its_own_error(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import module_it_forgot\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError) as caught:
        need("broken_package", for_="anything")
    assert caught.value.name == "module_it_forgot"
    assert not isinstance(caught.value, MissingPackageError)
    assert "broken_package" not in sys.modules
