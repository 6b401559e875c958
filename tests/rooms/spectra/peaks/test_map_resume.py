"""A map that is stopped, killed or changed half-way, and disks that fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.datasets.make_spectra import make_spectrum_map
from sozai.spectra.peaks.map import SpectrumMapPeaks
from sozai.spectra.peaks.mixture import PeakMixture
from sozai.spectra.spectrum import SpectrumMap

#: Column of the truth for peaks in ascending position.
ORDER = (0, 2, 1)


@pytest.fixture(scope="module")
def made():
    return make_spectrum_map((20, 36), n_channels=120, total=3e4, dead=0.01, rng=3)


@pytest.fixture(scope="module")
def cube(made):
    return SpectrumMap(made.axis, made.counts, "eV", mask=made.dead)


@pytest.fixture(scope="module")
def peaks(cube):
    return SpectrumMapPeaks(n_components=3, random_state=0).fit_map(cube)


def _same(a, b):
    for name in ("values", "errors", "status", "deviance", "dof", "theta", "background_errors"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


def test_resume_gives_the_same_bits_and_names_what_changed(cube, made, peaks, tmp_path):
    store = tmp_path / "run"
    model = SpectrumMapPeaks(n_components=3, random_state=0, store=store, tile=256)
    _same(peaks, model.fit_map(cube))
    tiles = sorted(store.glob("first-*.tile"))
    assert len(tiles) == 6
    tiles[1].unlink()
    tiles[2].write_bytes(tiles[2].read_bytes()[:100])
    for sweep in store.glob("sweep*"):
        sweep.unlink()
    _same(
        peaks, SpectrumMapPeaks(n_components=3, random_state=0, store=store, tile=256, n_jobs=2).fit_map(cube)
    )
    with pytest.raises(InputError, match=r"made with n_components=3.*and now n_components=2"):
        SpectrumMapPeaks(n_components=2, random_state=0, store=store, tile=256).fit_map(cube)
    other = made.counts.copy()
    other[0, 0, 0] += 1
    with pytest.raises(InputError, match="made with data="):
        model.fit_map(SpectrumMap(made.axis, other, "eV", mask=made.dead))
    with pytest.raises(InputError, match=r"made with mixture=null, .*mixture.shape='pseudo-voigt'.*now"):
        SpectrumMapPeaks(
            PeakMixture(3, "gaussian"), n_components=3, random_state=0, store=store, tile=256
        ).fit_map(cube)


def test_the_store_remembers_the_seed(made, tmp_path):
    small = SpectrumMap(made.axis, made.counts[:4, -4:])
    model = SpectrumMapPeaks(n_components=3, store=tmp_path / "run")
    first = model.fit_map(small)
    _same(first, model.fit_map(small))


class _Stop(Exception):
    pass


class _Watcher:
    def __init__(self, limit):
        self.limit, self.n, self.at = limit, 0, 0.0

    def advance(self, n=1):
        self.n += n
        if self.n >= self.limit:
            self.at = time.perf_counter()
            raise _Stop


def test_cancel_within_a_second_and_go_on(cube, peaks, tmp_path):
    watcher = _Watcher(200)
    model = SpectrumMapPeaks(n_components=3, random_state=0, store=tmp_path / "run", tile=64, n_jobs=2)
    with pytest.raises(_Stop):
        model.fit_map(cube, progress=watcher)
    assert time.perf_counter() - watcher.at < 1.0
    assert 0 < len(list((tmp_path / "run").glob("first-*.tile"))) < 6
    _same(peaks, model.fit_map(cube))


_KILLED = """
import os, signal, sys
import numpy as np
import sozai.spectra.peaks.map_workers as workers
from sozai.spectra.peaks.map import SpectrumMapPeaks
keep = workers.MapStore.keep
def counting(self, stage, tile, state, done=[]):
    keep(self, stage, tile, state)
    done.append(tile)
    if len(done) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
workers.MapStore.keep = counting
axis, counts = np.load(sys.argv[1] + "/axis.npy"), np.load(sys.argv[1] + "/counts.npy", mmap_mode="r")
model = SpectrumMapPeaks(n_components=3, axis=axis, random_state=0, tile=256, store=sys.argv[1] + "/run")
model.fit_map(counts)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")
def test_killed_half_way_it_resumes_with_the_same_bits(made, tmp_path):
    np.save(tmp_path / "axis.npy", made.axis)
    np.save(tmp_path / "counts.npy", made.counts)
    ended = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], env=os.environ, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert len(list((tmp_path / "run").glob("*.tile"))) == 3
    settings = {"n_components": 3, "axis": made.axis, "random_state": 0, "tile": 256}
    stopped = SpectrumMapPeaks(**settings, store=tmp_path / "run").fit_map(made.counts)
    _same(stopped, SpectrumMapPeaks(**settings).fit_map(made.counts))


class _BadDisk:
    """Counts of which a corner cannot be read."""

    def __init__(self, counts):
        self.counts, self.shape, self.dtype = counts, counts.shape, counts.dtype
        self.broken = False

    def __getitem__(self, key):
        if self.broken and key[0].start == 16:
            raise OSError("bad sector")
        return self.counts[key]


def test_a_tile_that_cannot_be_read_is_failed_not_a_crash(made):
    disk = _BadDisk(made.counts)
    disk.broken = True
    peaks = SpectrumMapPeaks(n_components=3, random_state=0).fit_map(SpectrumMap(made.axis, disk))
    status = peaks.image("status")
    assert (status[16:] == 6).all()
    assert not (status[:16] == 6).any()
    assert any("failed twice" in note for note in peaks.notes)
