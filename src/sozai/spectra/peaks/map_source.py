"""A map cut into blocks and tiles, read piece by piece and never held as a whole."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.spectrum import SpectrumMap

__all__ = ["BLOCK", "DEAD", "EMPTY", "Block", "MapSource", "Survey", "cells_of"]

Array = NDArray[np.float64]

#: Pixels along the edge of a block of an image; a block of a line has the square of it.
BLOCK = 16
#: Codes of pixels that are not fitted.
EMPTY, DEAD = 3, 4
#: Cells whose sums the survey keeps, about.
_CELLS = 4096


@dataclass(frozen=True)
class Block:
    """Rows ``top`` to ``bottom`` and columns ``left`` to ``right`` of the image: one unit of work.

    Whatever is computed for a pixel depends on its block alone, or on finished results of the whole map;
    so it depends neither on the tile it was read with nor on who computed it.
    """

    top: int
    bottom: int
    left: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.bottom - self.top, self.right - self.left

    def pixels(self, width: int) -> NDArray[np.int64]:
        """Flat indices in the image, row by row."""
        rows = np.arange(self.top, self.bottom, dtype=np.int64)
        return (rows[:, None] * width + np.arange(self.left, self.right)).ravel()


@dataclass(frozen=True, eq=False)
class Survey:
    """What one pass over all counts tells.

    Attributes
    ----------
    total : ndarray of shape (N,)
        Counts of every pixel in the channels in use.
    status : ndarray of int8 of shape (N,)
        0, :data:`EMPTY` or :data:`DEAD`.
    cells, numbers : ndarray of shape (C, n), (C,)
        Sums over cells of pixels, none of them empty, and how many pixels each has.
    places : ndarray of int of shape (C,)
        First pixel of every cell.
    whole : bool
        All counts are whole numbers.
    negative : tuple or None
        Pixel, channel and value of the first negative count.
    fingerprint : str
        SHA-256 of axis, mask and counts; empty unless asked for.
    """

    total: Array
    status: NDArray[np.int8]
    cells: Array
    numbers: Array
    places: NDArray[np.int64]
    whole: bool
    negative: tuple[int, int, float] | None
    fingerprint: str


@dataclass(frozen=True, eq=False)
class MapSource:
    """Spectra of a map in the order that the engine wants.

    Attributes
    ----------
    cube : SpectrumMap
    axis : ndarray of shape (n,)
        Strictly rising.
    order, firsts : ndarray of int
        Channels by axis value, and where every value begins; ``repeats`` counts its channels.
    weights : ndarray of shape (n,)
        Weight of every channel in the deviance.
    offset : float
        Added to counts and expectation alike, for read-out noise.
    place : str
        Who asks.
    """

    cube: SpectrumMap
    axis: Array
    order: NDArray[np.intp]
    firsts: NDArray[np.intp]
    repeats: Array
    weights: Array
    offset: float
    place: str

    @classmethod
    def of(cls, cube: SpectrumMap, *, place: str) -> MapSource:
        """Sort the axis; noise is chosen later by :meth:`with_noise`."""
        axis = cube.axis
        if not np.isfinite(axis).all():
            channel = int(np.flatnonzero(~np.isfinite(axis))[0])
            raise InputError(
                sentence(place, "axis", "be finite", float(axis[channel]), at=f"at channel {channel}",
                         remedy="Drop channels without a position.")
            )  # fmt: skip
        if cube.n_spectra == 0:
            raise InputError(
                f"{place}: ROI contains no pixel. Got a map of shape {cube.shape}. Choose a region."
            )
        order = np.argsort(axis, kind="stable")
        values, firsts, repeats = np.unique(axis[order], return_index=True, return_counts=True)
        ones = np.ones(len(values))
        return cls(cube, values, order, firsts, repeats.astype(float), ones, 0.0, place)

    def with_noise(self, weights: Array, offset: float) -> MapSource:
        """Return the same map with weights (n_given,) of channels and the offset of read-out noise."""
        given = weights[self.order]
        mean = np.add.reduceat(given, self.firsts) / self.repeats
        return replace(self, weights=mean, offset=offset)

    def named_pixel(self, pixel: int) -> int | tuple[int, int]:
        """Index of a pixel as the user writes it."""
        row, column = divmod(pixel, self.image_shape[1])
        return row if self.is_line else (row, column)

    @property
    def image_shape(self) -> tuple[int, int]:
        """Rows and columns; a line of m spectra is (m, 1)."""
        shape = self.cube.shape
        return (shape[0], shape[1]) if len(shape) == 2 else (shape[0], 1)

    @property
    def n_spectra(self) -> int:
        """Number of pixels."""
        return self.cube.n_spectra

    @property
    def is_line(self) -> bool:
        """Whether the map has one dimension."""
        return len(self.cube.shape) == 1

    def tiles(self, size: int) -> list[tuple[Block, ...]]:
        """Runs of neighboring blocks with about ``size`` pixels, one block at least."""
        rows, columns = self.image_shape
        tall, wide = (BLOCK * BLOCK, 1) if self.is_line else (BLOCK, BLOCK)
        n_blocks = max(1, size // (tall * wide))
        found: list[tuple[Block, ...]] = []
        for top in range(0, rows, tall):
            bottom = min(top + tall, rows)
            line = [Block(top, bottom, left, min(left + wide, columns)) for left in range(0, columns, wide)]
            found += [tuple(line[i : i + n_blocks]) for i in range(0, len(line), n_blocks)]
        return found

    def read(self, tile: tuple[Block, ...]) -> NDArray[Any]:
        """Counts of a tile as they are stored, shape (rows, columns, n_given)."""
        top, bottom, left, right = tile[0].top, tile[0].bottom, tile[0].left, tile[-1].right
        if self.is_line:
            return np.asarray(self.cube.counts[top:bottom])[:, None, :]
        return np.asarray(self.cube.counts[top:bottom, left:right])

    def dead(self, block: Block) -> NDArray[np.bool_]:
        """Pixels of a block that the user masked."""
        if self.cube.mask is None:
            return np.zeros(block.shape[0] * block.shape[1], dtype=bool)
        mask = np.asarray(self.cube.mask).reshape(self.image_shape)
        return np.ascontiguousarray(mask[block.top : block.bottom, block.left : block.right]).ravel()

    def prepare(self, raw: NDArray[Any], tile: tuple[Block, ...], block: Block) -> tuple[Array, Array]:
        """Counts (s, n) and weights (s, n) or (1, n) of one block of a tile that was read.

        Channels that hold no finite number have weight 0.
        """
        left = block.left - tile[0].left
        part = raw[:, left : left + block.shape[1]].reshape(-1, raw.shape[-1])
        if part.dtype.kind not in "biuf":
            raise InputError(sentence(self.place, "counts", "be real numbers", part.dtype))
        counts = np.asarray(part[:, self.order], dtype=np.float64)
        weights = self.weights[None]
        fine = np.isfinite(counts)
        if not fine.all():
            counts[~fine] = 0.0
        if len(self.firsts) < counts.shape[1]:
            seen = np.add.reduceat(fine.astype(np.float64), self.firsts, axis=1)
            total = np.add.reduceat(counts, self.firsts, axis=1)
            counts = np.divide(total, seen, out=np.zeros_like(total), where=seen > 0)
            weights = weights * seen
        elif not fine.all():
            weights = weights * fine
        if self.offset:
            counts += np.where(weights > 0, self.offset, 0.0)
        return counts, weights

    def state(self, counts: Array, weights: Array, dead: NDArray[np.bool_]) -> NDArray[np.int8]:
        """0 for pixels to fit, EMPTY without any counts, DEAD where masked or not measured."""
        used = np.broadcast_to(weights > 0, counts.shape)
        status = np.zeros(len(counts), dtype=np.int8)
        status[~(np.where(used, counts, self.offset) != self.offset).any(axis=1)] = EMPTY
        status[dead | ~used.any(axis=1)] = DEAD
        return status

    def survey_tile(self, tile: tuple[Block, ...], *, hashed: bool) -> dict[str, Any]:
        """Totals, states and cell sums of one tile."""
        raw = self.read(tile)
        parts: dict[str, list[Any]] = {
            name: [] for name in ("pixels", "total", "status", "cells", "numbers", "places")
        }
        whole, negative = True, None
        for block in tile:
            counts, weights = self.prepare(raw, tile, block)
            status = self.state(counts, weights, self.dead(block))
            pixels, live = block.pixels(self.image_shape[1]), (status == 0)[:, None]
            bad = (counts < 0) & (weights > 0) & live
            if bad.any() and negative is None:
                row, channel = (int(k) for k in np.argwhere(bad)[0])
                negative = (int(pixels[row]), channel, float(counts[row, channel]))
            whole = whole and bool((counts == np.floor(counts)).all())
            number = cells_of(live.astype(np.float64), block.shape, self._cell(), self.is_line)
            parts["pixels"].append(pixels)
            parts["total"].append(counts.sum(axis=1))
            parts["status"].append(status)
            parts["cells"].append(cells_of(counts * live, block.shape, self._cell(), self.is_line))
            parts["numbers"].append(number[:, 0])
            parts["places"].append(self._first_pixels(pixels, block))
        found: dict[str, Any] = {name: np.concatenate(values) for name, values in parts.items()}
        found["digest"] = hashlib.sha256(np.ascontiguousarray(raw).tobytes()).digest() if hashed else b""
        return found | {"whole": whole, "negative": negative}

    def survey_of(self, found: list[dict[str, Any]], *, hashed: bool) -> Survey:
        """Put the parts together, in the order of the tiles."""
        total, status = np.empty(self.n_spectra), np.empty(self.n_spectra, dtype=np.int8)
        for part in found:
            total[part["pixels"]], status[part["pixels"]] = part["total"], part["status"]
        cells = np.concatenate([part["cells"] for part in found])
        numbers = np.concatenate([part["numbers"] for part in found])
        places = np.concatenate([part["places"] for part in found])
        digest = hashlib.sha256(repr((self.cube.shape, str(self.cube.counts.dtype))).encode())
        digest.update(np.ascontiguousarray(self.cube.axis).tobytes())
        digest.update(b"" if self.cube.mask is None else np.packbits(self.cube.mask).tobytes())
        for part in found:
            digest.update(part["digest"])
        order = np.concatenate([part["pixels"][:1] for part in found]).argsort()
        negative = [found[k]["negative"] for k in order if found[k]["negative"] is not None]
        return Survey(
            total, status, cells[numbers > 0], numbers[numbers > 0], places[numbers > 0],
            all(part["whole"] for part in found),
            negative[0] if negative else None, digest.hexdigest() if hashed else "",
        )  # fmt: skip

    def _first_pixels(self, pixels: NDArray[np.int64], block: Block) -> NDArray[np.int64]:
        """First pixel of every cell of a block, in the order of :func:`cells_of`."""
        edge, grid = self._cell(), pixels.reshape(block.shape)
        tall, wide = (edge * edge, 1) if self.is_line else (edge, edge)
        return grid[::tall, ::wide].ravel()

    def _cell(self) -> int:
        """Pixels along the edge of a cell of the survey."""
        edge = 1
        while edge < BLOCK and self.n_spectra > _CELLS * edge * edge:
            edge *= 2
        return edge


def cells_of(counts: Array, shape: tuple[int, int], edge: int, is_line: bool) -> Array:
    """Sums over cells of ``edge`` x ``edge`` pixels of a block (``edge²`` of a line), smaller at its ends.

    Parameters
    ----------
    counts : ndarray of shape (rows * columns, n)
    shape : (rows, columns)
    edge : int
    is_line : bool

    Returns
    -------
    ndarray of shape (cells, n)
        Row by row.
    """
    if edge == 1:
        return counts
    rows, columns = shape
    tall, wide = (edge * edge, 1) if is_line else (edge, edge)
    grid = counts.reshape(rows, columns, -1)
    grid = np.add.reduceat(grid, np.arange(0, rows, tall), axis=0)
    grid = np.add.reduceat(grid, np.arange(0, columns, wide), axis=1)
    return grid.reshape(-1, counts.shape[1])
