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
