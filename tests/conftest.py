"""What all tests share: real data when it is there, a backend without windows, repeatable examples."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("MPLBACKEND", "Agg")

settings.register_profile(
    "house", deadline=None, derandomize=True, max_examples=40, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")


@pytest.fixture(scope="session")
def data_folder():
    """Folder with the published data sets; the test is skipped where it is not."""
    folder = os.environ.get("SOZAI_DATA", "")
    if not Path(folder, "symbolic").is_dir():
        pytest.skip("needs published data: set SOZAI_DATA to a folder that holds them (docs/datasets.md)")
    return Path(folder)


@pytest.fixture
def ctrl_c():
    """Press Ctrl-C; heard here and in processes started from here.

    A shell lets what it starts in the background ignore the signal, and what that starts, too.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: os.kill(os.getpid(), signal.SIGINT)
    signal.signal(signal.SIGINT, before)
