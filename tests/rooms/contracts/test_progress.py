"""A bar only on a terminal, only on standard error, and only when it takes long."""

import io
import sys
import time

import pytest

from sozai.contracts import progress
from sozai.contracts.parallel import run_chunks
from sozai.contracts.progress import Silent, TerminalBar, progress_bar


class Terminal(io.StringIO):
    """A standard error that says it is a terminal."""

    def isatty(self):
        return True


def sit_at_a_terminal(monkeypatch):
    """Replace standard error; inside the test, because pytest puts its own there before each phase."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    return screen


def test_no_terminal_no_bar(capsys):
    bar = progress_bar(3, "Fitting")
    assert type(bar) is Silent
    with bar:
        bar.advance()
    assert capsys.readouterr() == ("", "")


def test_no_bar_when_switched_off_or_quick(monkeypatch, capsys):
    screen = sit_at_a_terminal(monkeypatch)
    assert type(progress_bar(3, "Fitting", progress=False)) is Silent
    with progress_bar(3, "Fitting") as bar:
        assert isinstance(bar, TerminalBar)
        bar.advance(3)
    assert screen.getvalue() == capsys.readouterr().out == ""


def test_a_bar_appears_on_standard_error_when_it_takes_long(monkeypatch, capsys):
    screen = sit_at_a_terminal(monkeypatch)
    monkeypatch.setattr(progress, "DELAY", 0.05)
    with progress_bar(40, "Screening") as bar:
        bar.advance(3)
        wait_for(lambda: "3/40" in screen.getvalue())
        bar.advance(4)
        wait_for(lambda: "7/40" in screen.getvalue())
    assert capsys.readouterr().out == ""
    assert "Screening" in screen.getvalue()


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_an_error_inside_takes_the_bar_away(monkeypatch):
    sit_at_a_terminal(monkeypatch)
    monkeypatch.setattr(progress, "DELAY", 0.01)
    bar = progress_bar(2, "Fitting")

    def fail_when_shown():
        wait_for(lambda: bar._bar is not None and bar._bar.live.is_started)
        raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        run_inside(bar, fail_when_shown)
    assert not bar._bar.live.is_started


def run_inside(bar, work):
    with bar:
        work()


def test_a_watcher_of_one_s_own_sees_every_chunk():
    class Counter:
        steps = 0

        def advance(self, n=1):
            self.steps += n

    counter = Counter()
    run_chunks(len, ["a", "bb", "ccc"], progress=counter)
    assert counter.steps == 3
