import json
import os

import pytest

from sozai.apps.cli import main


@pytest.fixture
def run(capsys):
    """Call the command line in this process: exit code, stdout, stderr."""

    def call(*arguments):
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return left.value.code or 0, out, err

    return call


CANDIDATES = (
    "x,T [K],Tc [K]\r\n0.10,300,\r\n0.20,300,41.5\r\n0.30,300,\r\n0.40,310,43.25\r\n0.50,310,\r\n"
    "0.60,310,40\r\n0.70,320,\r\n0.80,320,35.5\r\n"
)


@pytest.fixture
def written():
    """Write a list of candidates as if long ago, so that nobody waits for it."""

    def write(folder, text=CANDIDATES, name="candidates.csv", encoding="utf-8"):
        path = folder / name
        path.write_bytes(text.encode(encoding))
        old = path.stat().st_mtime - 100
        os.utime(path, (old, old))
        return path

    return write


@pytest.fixture
def listed(written, tmp_path):
    """Eight candidates, four of them measured."""
    return written(tmp_path)


@pytest.fixture
def ask(run):
    """Answer of ``propose candidates`` as an object."""

    def call(path, *options):
        code, out, err = run("propose", "candidates", path, *options, "--json")
        assert (code, err) == (0, "")
        return json.loads(out)

    return call


@pytest.fixture
def refused(run):
    """Sentence of a refusal: nothing on stdout, and the list untouched."""

    def call(path, *options, code=3):
        before = path.read_bytes() if path.is_file() else None
        found, out, err = run("propose", "candidates", path, *options)
        assert (found, out) == (code, "")
        assert path.is_file() is (before is not None)
        assert before is None or path.read_bytes() == before
        return " ".join(err.replace("│", " ").split())

    return call
