"""The room as a whole: its names are found late, and none hides behind a module."""

import pkgutil
import subprocess
import sys

import pytest

import sozai.proposals as room


def test_every_name_is_there():
    for name in room.__all__:
        assert getattr(room, name) is not None
        assert name in dir(room)
    with pytest.raises(AttributeError, match="no attribute 'luck'"):
        _ = room.luck


def test_no_name_is_that_of_a_module():
    """Importing the module would put it in the place of the name."""
    assert set(room.__all__) & {info.name for info in pkgutil.iter_modules(room.__path__)} == set()


def test_reading_a_list_loads_no_model():
    code = (
        "import sys; from sozai.proposals import read_candidates; read_candidates(b'x,y\\n1,\\n');"
        "print([name for name in ('sklearn', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "[]"
