"""Work on tiles by threads that can be stopped at any moment, and finished tiles on disk."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.model_file import load_model, save_model
from sozai.contracts.progress import Silent
from sozai.contracts.whole_file import replace_file

__all__ = ["Beat", "MapStore", "Stopped", "run_tiles", "stored"]

_LOG = logging.getLogger("sozai.spectra")
#: Seconds between two looks at interrupts and at the progress of the workers.
_PULSE = 0.05
#: Trouble with one tile that is worth a second try.
_PASSING = (OSError, MemoryError, np.linalg.LinAlgError)


class Stopped(Exception):
    """The run was canceled; raised inside workers."""


class Beat:
    """Workers call it for every block: it counts pixels, and raises :class:`Stopped` once the run is over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._n = 0

    def __call__(self, n_pixels: int = 0) -> None:
        """Count pixels, or end this worker."""
        if self._stop.is_set():
            raise Stopped
        with self._lock:
            self._n += n_pixels

    def taken(self) -> int:
        """Pixels since the last call."""
        with self._lock:
            n, self._n = self._n, 0
        return n

    def stop(self) -> None:
        """End the run at the next beat."""
        self._stop.set()


def run_tiles(
    function: Callable[[int, Beat], Any], n_tiles: int, *, n_workers: int, bar: Silent
) -> tuple[list[Any], list[int]]:
    """Call ``function(tile, beat)`` for every tile.

    Parameters
    ----------
    function : callable
        Calls ``beat(n)`` after every block of n pixels.
    n_tiles : int
    n_workers : int
        Threads.
    bar : Silent
        Its ``advance`` is called from this thread some ten times a second; what it raises ends
        the run, like Ctrl-C, within one block of every worker.

    Returns
    -------
    results : list
        One per tile; None for those that failed.
    failed : list of int
        Tiles that ran twice into trouble with the disk, the memory or linear algebra.
    """
    beat = Beat()
    results: list[Any] = [None] * n_tiles
    failed: list[int] = []

    def work(tile: int) -> None:
        for attempt in (1, 2):
            try:
                results[tile] = function(tile, beat)
                return
            except _PASSING as error:
                _LOG.warning("Tile %d, try %d: %s", tile, attempt, error)
        failed.append(tile)

    with ThreadPoolExecutor(n_workers) as pool:
        pending: set[Future[None]] = {pool.submit(work, tile) for tile in range(n_tiles)}
        try:
            while pending:
                done, pending = wait(pending, timeout=_PULSE, return_when=FIRST_EXCEPTION)
                bar.advance(beat.taken())
                for future in done:
                    future.result()
        finally:
            beat.stop()
            for future in pending:
                future.cancel()
    return results, sorted(failed)


@dataclass(frozen=True)
class MapStore:
    """Folder with one file per stage and tile, under a plan of everything the results depend on.

    A file is written under another name, forced to the disk and renamed, so a run that is killed leaves whole
    tiles only.
    """

    folder: Path
    plan: dict[str, Any]

    @classmethod
    def read_seed(cls, folder: Path) -> list[int] | None:
        """Random seed of an older run in this folder, if there was one."""
        found = _read_plan(folder / "plan.json")
        seed = found.get("seed")
        return seed if isinstance(seed, list) else None

    @classmethod
    def open(cls, folder: Path, plan: dict[str, Any], *, place: str) -> MapStore:
        """Make the folder, or check that it belongs to this run; every setting that changed is named."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "plan.json"
        plan = json.loads(json.dumps(plan))
        if not path.exists():
            replace_file(path, json.dumps(plan, indent=1).encode())
            return cls(folder, plan)
        found = _read_plan(path)
        changed = [name for name in plan if found.get(name) != plan[name]]
        if changed:
            then = ", ".join(f"{name}={_short(found.get(name))}" for name in changed)
            now = ", ".join(f"{name}={_short(plan[name])}" for name in changed)
            raise InputError(
                sentence(
                    place, "store", f"belong to a run with the same settings, but it was made with {then}",
                    str(folder), at=f"and now {now}",
                    remedy="Set them back, delete the folder or choose another.",
                )
            )  # fmt: skip
        return cls(folder, plan)

    def path(self, stage: str, tile: int) -> Path:
        """File of one tile."""
        return self.folder / f"{stage}-{tile:06d}.tile"

    def keep(self, stage: str, tile: int, state: dict[str, Any]) -> None:
        """Write one tile, all of it or nothing."""
        try:
            save_model(self.path(stage, tile), "map tile", state)
        except OSError as error:
            raise InputError(
                f"SpectrumMapPeaks: store must have room for every tile. Writing {self.path(stage, tile)} "
                f"failed: {error}. Finished tiles are intact; make room and start again."
            ) from error

    def finished(self, stage: str, tile: int) -> dict[str, Any] | None:
        """A tile of an earlier run; a damaged file counts as not there."""
        path = self.path(stage, tile)
        if not path.exists():
            return None
        try:
            return load_model(path, "map tile")
        except InputError as error:
            _LOG.warning("Tile %d of %s is computed again: %s", tile, stage, error)
            return None


def _read_plan(path: Path) -> dict[str, Any]:
    """Plan of an older run; empty where there is none to read."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _short(value: Any, length: int = 60) -> str:
    """Value for a message."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= length else f"{text[: length - 3]}..."


def stored(
    store: MapStore | None, stage: str, function: Callable[[int, Beat], Any], tiles: Sequence[int],
    sizes: Sequence[int],
) -> Callable[[int, Beat], Any]:  # fmt: skip
    """Look for a tile on disk before it is computed, and keep it there after.

    Piece i of the stage is tile ``tiles[i]`` with ``sizes[i]`` pixels.
    """
    if store is None:
        return function
    shelf = store

    def look(piece: int, beat: Beat) -> Any:
        found = shelf.finished(stage, tiles[piece])
        if found is not None:
            beat(sizes[piece])
            return found
        result = function(piece, beat)
        shelf.keep(stage, tiles[piece], result)
        return result

    return look
