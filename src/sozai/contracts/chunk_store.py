"""Finished chunks on disk, one file each, under a plan that says whose they are."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
import os
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sozai import __version__
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.model_file import digest, load_model, save_model
from sozai.contracts.whole_file import replace_file

__all__ = ["ChunkStore"]

_LOG = logging.getLogger("sozai.contracts")


@dataclass(frozen=True)
class ChunkStore:
    """Results of earlier runs of the same function on the same chunks with the same seed."""

    folder: Path
    n_chunks: int

    @classmethod
    def open(
        cls,
        folder: Path,
        function: Callable[..., Any],
        chunks: list[Any],
        seed: int | np.random.SeedSequence | None,
    ) -> ChunkStore:
        """Make the folder, or check that it belongs to this run."""
        plan = _plan(function, chunks, seed)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "plan.json"
        if not path.exists():
            replace_file(path, json.dumps(plan, indent=1).encode())
            return cls(folder, len(chunks))
        try:
            found = json.loads(path.read_bytes())
        except ValueError:
            found = {}
        if found != plan:
            names = [name for name in plan if not isinstance(found, dict) or found.get(name) != plan[name]]
            shown = found if isinstance(found, dict) else {}
            raise InputError(
                sentence(
                    "run_chunks",
                    "store",
                    f"belong to this run ({', '.join(f'{name} {plan[name]}' for name in names)})",
                    str(folder),
                    at=f"with {', '.join(f'{name} {shown.get(name)}' for name in names)}",
                    remedy="Delete the folder or choose another.",
                )
            )
        return cls(folder, len(chunks))

    def path(self, index: int) -> Path:
        """File of one chunk."""
        return self.folder / f"chunk-{index:06d}.zip"

    def keep(self, index: int, result: Any) -> None:
        """Write one result, all of it or nothing."""
        with _storable(f"the result of chunk {index}"):
            save_model(self.path(index), "chunk", {"result": result})

    def finished(self) -> dict[int, Any]:
        """Results of earlier runs; a damaged file counts as not there."""
        results = {}
        for index in range(self.n_chunks):
            if not self.path(index).exists():
                continue
            try:
                results[index] = load_model(self.path(index), "chunk")["result"]
            except InputError as error:
                _LOG.warning("Chunk %d is computed again: %s", index, error)
        return results


@contextlib.contextmanager
def _storable(what: str) -> Generator[None, None, None]:
    """Say what it was that the store cannot hold."""
    try:
        yield
    except InputError as error:
        raise InputError(f"run_chunks: with a store, {what} must be plain data. {error}") from error


def _plan(
    function: Callable[..., Any], chunks: list[Any], seed: int | np.random.SeedSequence | None
) -> dict[str, Any]:
    """Everything a result depends on, in a form to compare."""
    inner, bound = function, []
    while isinstance(inner, functools.partial):
        bound.append((inner.args, inner.keywords))
        inner = inner.func
    name = f"{getattr(inner, '__module__', '')}.{getattr(inner, '__qualname__', '<')}"
    if "<" in name or not isinstance(getattr(inner, "__self__", os), type(os)):
        raise InputError(
            sentence(
                "run_chunks",
                "function",
                "be a module-level function, or functools.partial of one, when a store is given",
                function,
                remedy="Move it to the top of its module and bind data with functools.partial.",
            )
        )
    content = hashlib.sha256()
    for label, value in [("the data bound to the function", bound), *enumerate(chunks)]:
        with _storable(label if isinstance(label, str) else f"chunk {label}"):
            content.update(digest(value).encode())
    root = np.random.SeedSequence(seed) if isinstance(seed, (int, np.integer)) else seed
    return {
        "function": name,
        "chunks": len(chunks),
        "seed": None if root is None else [str(root.entropy), *root.spawn_key],
        "content": content.hexdigest(),
        "version": __version__,
    }
