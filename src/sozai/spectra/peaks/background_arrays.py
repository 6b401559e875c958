"""A background on a grid as arrays: rows of bases, steps, losses and penalties."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.checks import as_vector
from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.spectra.peaks.background import (
    TOUGAARD_REACH,
    Background,
    Exponential,
    Shirley,
    StaticShirley,
    Tougaard,
)
from sozai.spectra.peaks.grid import Grid
from sozai.spectra.peaks.inelastic_losses import tougaard_kernel
from sozai.spectra.peaks.model_kernels import Program
from sozai.spectra.peaks.static_shirley import static_shirley

__all__ = ["held_strength", "penalty_matrix", "pieces_of", "program_of"]

Array = NDArray[np.float64]

_PLACE = "compile_model"


@dataclass
class _Pieces:
    """What the parts of a background put into a program."""

    grid: Grid
    n_rows: int
    basis: list[Array] = field(default_factory=list)
    basis_rows: list[int] = field(default_factory=list)
    penalties: list[tuple[int, Array]] = field(default_factory=list)
    exponentials: list[tuple[int, float]] = field(default_factory=list)
    shirley: tuple[int, bool] = (-1, False)
    loss: tuple[int, Tougaard | None] = (-1, None)


def pieces_of(
    background: Background, grid: Grid, first: int, tags: tuple[str, ...], counts: ArrayLike | None
) -> _Pieces:
    """Go through the parts of a background and note where their rows are."""
    pieces = _Pieces(grid, first)
    for part in background.parts:
        row, size = pieces.n_rows, len(part.parameters(tags))
        if isinstance(part, Exponential):
            reference = grid.edges[0] if part.reference is None else part.reference
            pieces.exponentials.append((row, float(reference)))
        elif isinstance(part, Shirley):
            pieces.shirley = (row, part.per_peak)
        elif isinstance(part, Tougaard):
            pieces.loss = (row, part)
        elif isinstance(part, StaticShirley):
            pieces.basis.append(_static_row(part, grid, counts)[None])
            pieces.basis_rows.append(row)
        else:
            pieces.basis.append(grid.contents(part.basis))
            pieces.basis_rows += range(row, row + size)
            if part.penalty is not None:
                pieces.penalties.append((row, part.penalty))
        pieces.n_rows += size
    return pieces


def _static_row(part: StaticShirley, grid: Grid, counts: ArrayLike | None) -> Array:
    """The curve of the counts."""
    if counts is None:
        raise InputError(
            sentence(_PLACE, "counts", "be given for StaticShirley, which is made from them",
                     remedy="Pass counts=, or use Shirley().")
        )  # fmt: skip
    y = as_vector(counts, grid.n_channels, place=_PLACE, argument="counts")
    return static_shirley(y, grid.width, n_end=part.n_end, tail=grid.tail)


def _losses_of(part: Tougaard | None, grid: Grid) -> dict[str, Any]:
    """Entries of a program that belong to the losses."""
    if part is None:
        nothing = np.zeros((0, 0))
        return {
            "loss_has_d": False, "loss_chain": False, "loss_even": True, "loss_moves": False,
            "loss_distance": nothing, "loss_kernel": nothing,
        }  # fmt: skip
    if grid.is_even:
        distance = np.arange(grid.n_channels)[None] * np.diff(grid.axis).mean()
    else:  # in the order of falling kinetic energy
        along = grid.axis[:: grid.tail]
        distance = np.abs(along[:, None] - along)
    kernel = np.empty_like(distance)
    d = 0.0 if part.D is None else part.D
    tougaard_kernel(distance.ravel(), part.C, d, part.D is not None, kernel.reshape(-1))
    return {
        "loss_has_d": part.D is not None, "loss_chain": part.order == "all", "loss_even": grid.is_even,
        "loss_moves": bool({"C", "D"} & set(part.free)), "loss_distance": distance, "loss_kernel": kernel,
    }  # fmt: skip


def program_of(shapes: Sequence[Any], grid: Grid, pieces: _Pieces) -> Program:
    """Arrays for the compiled loops."""
    sizes = [0, *(len(shape.parameters) for shape in shapes)]
    rows = [np.empty((0, grid.n_channels)), *pieces.basis]
    return Program(
        codes=np.array([shape.code for shape in shapes], dtype=np.int64),
        firsts=np.cumsum(sizes).astype(np.int64),
        axis=grid.axis,
        edges=grid.edges,
        width=grid.width,
        mode=grid.mode,
        tail=grid.tail,
        basis=np.ascontiguousarray(np.concatenate(rows)),
        basis_rows=np.array(pieces.basis_rows, dtype=np.int64),
        exponential_firsts=np.array([row for row, _ in pieces.exponentials], dtype=np.int64),
        references=np.array([at for _, at in pieces.exponentials], dtype=np.float64),
        shirley_first=pieces.shirley[0],
        shirley_per_peak=pieces.shirley[1],
        loss_first=pieces.loss[0],
        **_losses_of(pieces.loss[1], grid),
    )


def penalty_matrix(p: int, pieces: _Pieces) -> Array:
    """R for all of θ; (0, 0) without any penalty."""
    if not pieces.penalties:
        return np.zeros((0, 0))
    penalty = np.zeros((p, p))
    for row, block in pieces.penalties:
        here = slice(row, row + block.shape[0])
        penalty[here, here] = block
    return penalty


def held_strength(background: Background, grid: Grid, main_line: float | None) -> dict[str, float]:
    """B where the window is too short to tell it."""
    part = next((part for part in background.parts if isinstance(part, Tougaard)), None)
    if part is None or "B" not in part.free:
        return {}
    near, far = grid.edges[:: grid.tail][[0, -1]]
    reach = abs(far - (near if main_line is None else main_line))
    if reach >= TOUGAARD_REACH:
        return {}
    warnings.warn(
        f"compile_model: B of Tougaard is not determined: the window reaches {reach:.4g} eV below the main "
        f"line, less than {TOUGAARD_REACH:g} eV. B is held at {part.B:g} eV².",
        ConvergenceWarning,
        stacklevel=3,
    )
    return {"B": part.B}
