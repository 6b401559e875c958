import io
import json
import logging
import os
import signal
import sys
import warnings

import numpy as np
import pytest

from sozai.apps.cli.output import (
    collected_warnings,
    emit_json,
    exit_code,
    note_interrupt,
    open_streams,
    plain_values,
    say_failure,
    staged_folder,
)
from sozai.apps.cli.usage import UsageError
from sozai.contracts.errors import (
    ConvergenceWarning,
    InputError,
    MissingDataError,
    MissingPackageError,
    NotInvertibleError,
    UnitError,
)


@pytest.fixture
def narrow_console(monkeypatch):
    """Stdout of a given encoding that refuses what it cannot write."""

    def make(encoding):
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict", newline="")
        monkeypatch.setattr(sys, "stdout", stream)
        open_streams()
        return stream

    return make


def written(stream):
    stream.flush()
    return stream.buffer.getvalue().decode(stream.encoding)


@pytest.mark.parametrize(
    ("encoding", "seen"),
    [
        ("ascii", "r_A [Angstrom], Q^2, chi - 3, u_B, e, \\u78c1"),
        ("cp932", "r_A [Angstrom], Q^2, χ \uff0d 3, μ_B, e, 磁"),
        ("utf-8", "r_A [Å], Q², χ − 3, μ_B, é, 磁"),
    ],
)
def test_no_console_is_too_narrow(narrow_console, encoding, seen):
    stream = narrow_console(encoding)
    sys.stdout.write("r_A [Å], Q², χ − 3, μ_B, é, 磁")
    assert written(stream) == seen


def test_every_character_can_be_written_to_cp932(narrow_console):
    stream = narrow_console("cp932")
    sys.stdout.write("".join(chr(k) for k in range(32, 0x3000) if not 0xD800 <= k < 0xE000) + "\ud800")
    assert len(written(stream)) > 0x2000


def test_json_is_one_ascii_object_with_the_shared_keys(capsys):
    emit_json({"x": np.nan, "磁": [np.inf, np.float64(1)]}, schema="s/1", source="a.csv", notes=["n"])
    text = capsys.readouterr().out
    assert text.isascii()
    assert text.count("\n") == 1
    parsed = json.loads(text)
    assert parsed.pop("version").count(".") == 2
    assert parsed == {"schema": "s/1", "input": "a.csv", "x": None, "磁": [None, 1.0], "warnings": ["n"]}


def test_plain_values_of_everything_numpy_and_python_hold():
    values = {
        1: np.bool_(True),
        "a": (np.int32(2), {3}),
        "b": None,
        "c": np.array([[1.0, -np.inf]]),
        "d": 10**30,
    }
    assert plain_values(values) == {"1": True, "a": [2, [3]], "b": None, "c": [[1.0, None]], "d": 10**30}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("a"), 3),
        (UsageError("a"), 2),
        (UnitError("a"), 3),
        (MissingDataError("a"), 3),
        (MissingPackageError("a"), 3),
        (FileNotFoundError(2, "No such file", "a.csv"), 3),
        (NotInvertibleError("a"), 4),
        (np.linalg.LinAlgError("a"), 4),
        (ZeroDivisionError("a"), 4),
        (MemoryError(), 4),
        (KeyboardInterrupt(), 130),
        (TypeError("ours"), None),
        (KeyError("ours"), None),
    ],
)
def test_exit_codes(error, code):
    assert exit_code(error) == code


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MissingDataError("set SOZAI_DATA"), "set SOZAI_DATA\n"),
        (
            FileNotFoundError(2, "No such file or directory", "a.csv"),
            "No such file or directory: a.csv. Check this place and its rights.\n",
        ),
        (KeyboardInterrupt(), "Interrupted; no answer was written.\n"),
    ],
)
def test_failures_are_one_sentence_on_stderr(capsys, error, said):
    say_failure(error)
    assert capsys.readouterr() == ("", said)


def test_a_folder_appears_whole_and_keeps_the_users_files(tmp_path):
    output = tmp_path / "deep" / "out"
    output.mkdir(parents=True)
    (output / "mine.txt").write_text("mine")
    (output / "report.html").write_text("old")
    with staged_folder(output) as stage:
        (stage / "report.html").write_text("new")
        (stage / "figures").mkdir()
        (stage / "figures" / "a.svg").write_text("a")
        assert (output / "report.html").read_text() == "old"
    assert (output / "report.html").read_text() == "new"
    assert (output / "mine.txt").read_text() == "mine"
    assert (output / "figures" / "a.svg").read_text() == "a"
    assert [path.name for path in output.parent.iterdir()] == ["out"]


def test_nothing_half_written_after_an_interrupt(tmp_path):
    def work():
        with staged_folder(tmp_path / "out") as stage:
            (stage / "report.html").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert list(tmp_path.iterdir()) == []


def test_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match="DIR must be a folder"), staged_folder(tmp_path / "out"):
        pass


def test_warnings_are_collected_once_and_others_stay_silent():
    before = warnings.showwarning
    with collected_warnings() as notes:
        for _ in range(2):
            warnings.warn("rank 3 or 4", ConvergenceWarning, stacklevel=1)
        warnings.warn("internal", DeprecationWarning, stacklevel=1)
        logging.getLogger("sozai.symbolic").warning("column %s has no unit", "T")
        logging.getLogger("sozai.symbolic").info("detail")
    assert notes == ["rank 3 or 4", "column T has no unit"]
    assert warnings.showwarning is before


def test_ctrl_c_that_a_search_answers_itself_is_remembered():
    before = signal.getsignal(signal.SIGINT)
    with note_interrupt() as interruption:
        assert not interruption.came
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert interruption.came
    assert signal.getsignal(signal.SIGINT) is before
