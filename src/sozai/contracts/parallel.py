"""Run independent chunks on whatever joblib backend the user chose, with progress and resume."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import sys
import warnings
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sozai.contracts.chunk_store import ChunkStore
from sozai.contracts.optional import need
from sozai.contracts.progress import Progress, progress_bar
from sozai.contracts.records import Failure

__all__ = ["one_thread", "run_chunks"]

_LOG = logging.getLogger("sozai.contracts")


def run_chunks(
    function: Callable[..., Any],
    chunks: Sequence[Any],
    *,
    n_jobs: int | None = None,
    seed: int | np.random.SeedSequence | None = None,
    store: str | os.PathLike[str] | None = None,
    progress: Progress | bool | None = None,
    description: str = "Working",
    retries: int = 2,
    prefer: Literal["threads", "processes"] | None = None,
) -> list[Any]:
    """Apply ``function`` to every chunk; the result does not depend on who ran what, or when.

    Parameters
    ----------
    function : callable
        Called as ``function(chunk)``, or ``function(chunk, rng)`` when a seed is
        given. With a ``store`` it must be a module-level function, or
        ``functools.partial`` of one, so that the store can tell two runs apart.
    chunks : sequence
        One argument per call. Chunks should take a second or more each: every
        one costs a message to a worker.
    n_jobs : int, optional
        Number of workers, one core each; ``None`` is one, or what
        ``joblib.parallel_config`` says. The backend is the user's choice there too:
        ``"loky"`` (default), ``"threading"``, ``"dask"``.
    seed : int or SeedSequence, optional
        Root of the random numbers. Chunk ``k`` gets a Generator made from
        child ``k``, on whichever worker it runs.
    store : path-like, optional
        Folder in which every finished chunk is kept, so that a run that was
        stopped goes on where it was. Results must then be arrays, numbers,
        strings, or containers of these (see :func:`~sozai.contracts.model_file.save_model`).
    progress : object with ``advance(n)``, bool or None
        See :func:`~sozai.contracts.progress.progress_bar`.
    description : str
        Text before the progress bar.
    retries : int
        How often a chunk whose worker died is tried again.
    prefer : {"threads", "processes"}, optional
        Workers where the user chose no backend: ``"threads"`` for short chunks that spend their time
        outside the interpreter, because a process takes seconds to start; processes when left out.

    Returns
    -------
    list
        One result per chunk, in the order of the chunks. A chunk that killed
        its worker every time is a :class:`~sozai.contracts.records.Failure`.

    Raises
    ------
    InputError
        When the store belongs to another run.

    Notes
    -----
    An exception raised by ``function`` ends the run and is raised here. Linear
    algebra runs on one thread inside a chunk, because the last bits of a matrix
    product depend on the number of threads. Results are the same bits for
    every backend and every ``n_jobs`` on one kind of machine.

    Examples
    --------
    >>> run_chunks(len, ["ab", "abc"])
    [2, 3]
    >>> def mean_of_draws(n_draws, rng):
    ...     return rng.normal(size=n_draws).mean()
    >>> run_chunks(mean_of_draws, [10, 20], seed=0) == run_chunks(mean_of_draws, [10, 20], seed=0)
    True
    """
    import joblib

    chunks = list(chunks)
    run = _Run(function, chunks, _children(seed, len(chunks)), n_jobs, retries, prefer)
    shelf = ChunkStore.open(Path(store), function, chunks, seed) if store is not None else None
    results: dict[int, Any] = shelf.finished() if shelf else {}
    pending = [k for k in range(len(chunks)) if k not in results]
    wave = _joblib_wave if _dask_client() is None else _dask_wave
    n_workers = joblib.effective_n_jobs(n_jobs)
    with progress_bar(len(chunks), description, progress=progress) as bar, one_thread():
        bar.advance(len(results))
        with contextlib.closing(_drive(run, pending, n_workers, wave)) as arrivals:
            for index, result in arrivals:
                if shelf and not isinstance(result, Failure):
                    shelf.keep(index, result)
                results[index] = result
                bar.advance()
    return [results[k] for k in range(len(chunks))]


# --- one chunk ---------------------------------------------------------------------------------------


def _children(seed: int | np.random.SeedSequence | None, n: int) -> list[np.random.SeedSequence | None]:
    """Child ``k`` for chunk ``k``; asking again gives the same ones, unlike ``SeedSequence.spawn``."""
    if seed is None:
        return [None] * n
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    return [
        np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, k), pool_size=root.pool_size)
        for k in range(n)
    ]


@dataclass(frozen=True)
class _Run:
    """What all executors need to know."""

    function: Callable[..., Any]
    chunks: list[Any]
    children: list[np.random.SeedSequence | None]
    n_jobs: int | None
    retries: int
    prefer: Literal["threads", "processes"] | None

    def task(self, index: int) -> tuple[Callable[..., Any], int, Any, np.random.SeedSequence | None]:
        return self.function, index, self.chunks[index], self.children[index]

    @property
    def name(self) -> str:
        function = self.function
        while isinstance(function, functools.partial):
            function = function.func
        return str(getattr(function, "__qualname__", type(function).__qualname__))


def _run_one(
    function: Callable[..., Any], index: int, chunk: Any, child: np.random.SeedSequence | None
) -> tuple[int, Any]:
    """One call, in the worker."""
    with one_thread():
        if child is None:
            return index, function(chunk)
        return index, function(chunk, np.random.default_rng(child))


def one_thread() -> contextlib.AbstractContextManager[Any]:
    """Linear algebra on one thread: the same sums in the same order everywhere.

    It is faster, too, for matrices of some hundred rows on a machine that is busy:
    threads wait for each other longer than they work.

    Examples
    --------
    >>> with one_thread():
    ...     float(np.eye(3).trace())
    3.0
    """
    limits: contextlib.AbstractContextManager[Any] = _threads(len(sys.modules)).limit(limits=1)
    return limits


@functools.lru_cache(maxsize=1)
def _threads(n_modules: int) -> Any:
    """Thread pools of the libraries loaded, looked for again when a module has been imported."""
    return need("threadpoolctl", for_="running chunks side by side").ThreadpoolController()


# --- waves -------------------------------------------------------------------------------------------

_Arrivals = Generator[tuple[int, Any], None, BaseException | None]
"""Pairs (index, result) as they come; returns the exception when a worker died before all had come."""


def _drive(
    run: _Run, pending: list[int], n_workers: int, wave: Callable[[_Run, list[int]], _Arrivals]
) -> Generator[tuple[int, Any], None, None]:
    """All chunks in one wave; after a death, small waves that find the chunk to blame.

    A death takes neighbors with it, and the backend does not say who was
    to blame. A wave of one chunk per worker leaves few suspects, and each of
    them is tried alone. Waves grow again while nothing dies.
    """
    size, left = max(len(pending), 1), list(pending)
    while left:
        now, left = left[:size], left[size:]
        suspects = dict.fromkeys(now)
        arrivals = wave(run, now)
        death = yield from _tick_off(arrivals, suspects)
        if death is None:
            size *= 2
            continue
        _LOG.warning("A worker died while it ran %s; what it did not finish is tried again.", run.name)
        if len(now) > n_workers:
            size, left = n_workers, [*suspects, *left]
            continue
        for index in suspects:
            yield index, _alone(run, index, wave, death)


def _tick_off(arrivals: _Arrivals, suspects: dict[int, None]) -> _Arrivals:
    """Pass the arrivals on, and strike them off the list of suspects."""
    with contextlib.closing(arrivals):
        while True:
            try:
                index, result = next(arrivals)
            except StopIteration as end:
                death: BaseException | None = end.value
                return death
            del suspects[index]
            yield index, result


def _alone(run: _Run, index: int, wave: Callable[[_Run, list[int]], _Arrivals], death: BaseException) -> Any:
    """Try one suspect by itself, ``retries`` times."""
    for _ in range(run.retries):
        suspects = {index: None}
        arrived = list(_tick_off(wave(run, [index]), suspects))
        if arrived:
            return arrived[0][1]
    kind = type(death).__name__
    return Failure(
        index,
        run.name,
        kind,
        f"The worker process died each of the {run.retries} times it ran this chunk alone ({kind}). "
        "Give the workers more memory or make the chunks smaller.",
    )


def _joblib_wave(run: _Run, wave: list[int]) -> _Arrivals:
    """One call of ``joblib.Parallel``; a dead worker ends it for all."""
    import joblib
    from joblib.externals.loky.process_executor import TerminatedWorkerError
    from joblib.parallel import get_active_backend

    streams = getattr(get_active_backend()[0], "supports_return_generator", False)
    parallel = joblib.Parallel(
        n_jobs=run.n_jobs,
        batch_size=1,
        prefer=run.prefer,
        return_as="generator_unordered" if streams else "list",
    )
    arrivals: Any = None
    try:
        arrivals = parallel(joblib.delayed(_run_one)(*run.task(index)) for index in wave)
        yield from arrivals
    except TerminatedWorkerError as error:
        death: BaseException = error
        return death
    finally:
        if hasattr(arrivals, "close"):
            with warnings.catch_warnings():  # joblib warns that not everything was used: we know
                warnings.simplefilter("ignore")
                arrivals.close()
    return None


def _dask_wave(run: _Run, wave: list[int]) -> _Arrivals:
    """Futures on the user's cluster; a dead worker ends those it held too often.

    joblib's own Dask backend waits for ever for a chunk whose worker was
    killed (joblib 1.6), so the futures are watched here. The function travels
    as a task, not as scattered data: Dask makes it anew when the worker that
    held it dies.
    """
    distributed = need("distributed", for_="joblib's backend 'dask'", extra="cluster")
    client = _dask_client()
    with warnings.catch_warnings():  # Dask warns of large data in a graph: they are sent once
        warnings.filterwarnings("ignore", message="Sending large graph")
        function = client.submit(_as_given, run.function, pure=False)
    waiting = {client.submit(_run_one, function, *run.task(index)[1:], pure=False) for index in wave}
    death: BaseException | None = None
    ended_by_death = (distributed.KilledWorker, distributed.CancelledError)
    try:
        for future in distributed.as_completed(list(waiting)):
            waiting.remove(future)
            try:
                arrival = future.result()  # a result may be lost with the worker that holds it
            except ended_by_death as error:
                death = error
            else:
                yield arrival
            future.release()  # else Dask makes it anew when its worker dies
    finally:
        client.cancel([function, *waiting])
    return death


def _as_given(thing: Any) -> Any:
    return thing


def _dask_client() -> Any:
    """Client of the Dask cluster that the user chose with joblib, else None."""
    from joblib.parallel import get_active_backend

    return getattr(get_active_backend()[0], "client", None)
