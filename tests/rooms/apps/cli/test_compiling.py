"""The sentence about compiling: only when numba compiles for long, and once."""

import time

from numba.core import event

from sozai.apps.cli.compiling import COMPILING, told_when_compiling


def test_long_compiling_is_told_once():
    said = []
    with told_when_compiling(said.append, patience=0.05):
        event.start_event("numba:compile")
        time.sleep(0.3)
        event.end_event("numba:compile")
        event.start_event("numba:compile")
        time.sleep(0.2)
        event.end_event("numba:compile")
    assert said == [COMPILING]


def test_short_compiling_is_not():
    said = []
    with told_when_compiling(said.append, patience=0.05):
        event.start_event("numba:compile")
        event.end_event("numba:compile")
        time.sleep(0.2)
    event.start_event("numba:compile")
    time.sleep(0.1)
    event.end_event("numba:compile")
    assert said == []
