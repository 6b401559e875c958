"""What the start-up of peaks is told: spectrum, mask, background, bounds and ties, checked, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.peaks.expectation_kernels import NO_STEP, OPERATOR, SHIRLEY, Members, Window
from sozai.spectra.peaks.grid import Grid

__all__ = [
    "PooledPeaks",
    "channel_blur",
    "check_rows",
    "check_starts",
    "inside_order",
    "make_members",
    "make_window",
    "require_length",
    "require_positive",
    "turned",
    "width_bounds",
]

Floats = NDArray[np.float64]

#: Widths are never below this many channels.
NARROWEST = 1.5
#: A Gaussian of width w seen through channels of width h is one of w² + 8 ln2 h²/12.
CHANNEL_BLUR = 8.0 * np.log(2.0) / 12.0


@dataclass(frozen=True, eq=False)
class PooledPeaks:
    """Which peaks share position, width or areas with another while a start is iterated.

    Peak k has the position of peak ``position_of[k]`` plus ``shift[k]``, ``width_ratio[k]`` times the
    width of peak ``width_of[k]``, and ``area_ratio[k]`` times both areas of peak ``area_of[k]``. A peak
    that is free names itself. A peak that others name must name itself.

    Parameters
    ----------
    position_of, width_of, area_of : sequence of int of length K
    shift : sequence of float of length K
        In units of the axis.
    width_ratio, area_ratio : sequence of float of length K

    Examples
    --------
    A doublet of fixed splitting, ratio and common width, and a free peak:

    >>> PooledPeaks.doublets(3, {1: 0}, shift={1: 0.6}, area_ratio={1: 0.5})
    PooledPeaks(3 peaks, 1 tied)
    """

    position_of: tuple[int, ...]
    shift: tuple[float, ...]
    width_of: tuple[int, ...]
    width_ratio: tuple[float, ...]
    area_of: tuple[int, ...]
    area_ratio: tuple[float, ...]

    @classmethod
    def doublets(
        cls,
        n_peaks: int,
        leader: dict[int, int],
        *,
        shift: dict[int, float] | None = None,
        width_ratio: dict[int, float] | None = None,
        area_ratio: dict[int, float] | None = None,
    ) -> PooledPeaks:
        """Tie peaks to their leaders: position where ``shift``, width and areas where a ratio is given.

        Parameters
        ----------
        n_peaks : int
        leader : dict of int to int
            Peak and the peak it follows.
        shift : dict of int to float, optional
            Positions minus those of the leaders; peaks that are not named keep a free position.
        width_ratio : dict of int to float, optional
            Left out, all tied peaks have the width of their leader.
        area_ratio : dict of int to float, optional
            Peaks that are not named keep free areas.
        """
        shift, area_ratio = shift or {}, area_ratio or {}
        width_ratio = dict.fromkeys(leader, 1.0) if width_ratio is None else width_ratio
        peaks = range(n_peaks)
        return cls(
            tuple(leader[k] if k in shift else k for k in peaks),
            tuple(float(shift.get(k, 0.0)) for k in peaks),
            tuple(leader[k] if k in width_ratio else k for k in peaks),
            tuple(float(width_ratio.get(k, 1.0)) for k in peaks),
            tuple(leader[k] if k in area_ratio else k for k in peaks),
            tuple(float(area_ratio.get(k, 1.0)) for k in peaks),
        )

    def __repr__(self) -> str:
        triples = zip(self.position_of, self.width_of, self.area_of, strict=True)
        tied = sum(triple != (k, k, k) for k, triple in enumerate(triples))
        return f"PooledPeaks({len(self.shift)} peaks, {tied} tied)"


# --- what the kernels want ------------------------------------------------------------------------------


def make_window(
    grid: Grid,
    basis: ArrayLike | None,
    shirley: int | None,
    operator: ArrayLike | None,
    weights: ArrayLike | None,
    y: Floats,
    place: str,
) -> Window:
    """Channels, mask, background and step."""
    axis = np.ascontiguousarray(grid.axis, dtype=np.float64)
    width = np.ascontiguousarray(grid.width, dtype=np.float64)
    n = axis.size
    require_length(y, n, "counts", place)
    rows = np.zeros((0, n)) if basis is None else np.array(basis, dtype=np.float64, ndmin=2, order="C")
    require_length(rows, n, "basis", place)
    seen = np.ones(n) if weights is None else (np.asarray(weights, dtype=np.float64) != 0.0).astype(float)
    require_length(seen, n, "weights", place)
    bad = ~np.isfinite(y) & (seen > 0.0)
    if bad.any():
        row, channel = (int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            sentence(
                place, "counts", "be finite where they are not masked", float(y[row, channel]),
                at=f"at channel {channel} of spectrum {row}", remedy="Give that channel the weight 0.",
            )
        )  # fmt: skip
    if shirley is None:
        return Window(axis, width, seen, rows, NO_STEP, np.zeros((1, 1)), 0.0)
    if operator is None:
        return Window(axis, width, seen, rows, SHIRLEY, np.zeros((1, 1)), float(width.sum()))
    matrix = np.array(operator, dtype=np.float64, ndmin=2, order="C")
    if matrix.shape != (n, n):
        raise InputError(sentence(place, "operator", f"have the shape ({n}, {n})", f"shape {matrix.shape}"))
    return Window(axis, width, seen, rows, OPERATOR, matrix, float(matrix.sum(axis=0).max()))


def make_members(
    window: Window,
    n_peaks: int,
    width_range: tuple[float | None, float | None] | list[tuple[float | None, float | None]],
    position_range: ArrayLike | None,
    pooled: PooledPeaks | None,
    place: str,
) -> Members:
    """Ties and bounds as arrays."""
    pairs = [width_range] * n_peaks if np.ndim(width_range) == 1 else [tuple(pair) for pair in width_range]
    known = {pair: width_bounds(window.axis, window.width, pair, place) for pair in dict.fromkeys(pairs)}
    widths = np.array([known[pair] for pair in pairs]).reshape(-1, 2)
    require_length(widths[:, 0], n_peaks, "width_range", place)
    ends = (window.axis[0] - 0.5 * window.width[0], window.axis[-1] + 0.5 * window.width[-1])
    box = np.broadcast_to(ends if position_range is None else position_range, (n_peaks, 2))
    lowest = np.column_stack([np.asarray(box, float)[:, 0], widths[:, 0]])
    highest = np.column_stack([np.asarray(box, float)[:, 1], widths[:, 1]])
    if pooled is None:
        pooled = PooledPeaks.doublets(n_peaks, {})
    require_length(np.asarray(pooled.shift), n_peaks, "pooled", place)
    for group in (pooled.position_of, pooled.width_of, pooled.area_of):
        for k, leader in enumerate(group):
            if not 0 <= leader < n_peaks or group[leader] != leader:
                raise InputError(
                    sentence(
                        place, "pooled", "name peaks that are free themselves", leader, at=f"for peak {k}",
                        remedy="Tie every peak to the first of its group.",
                    )
                )  # fmt: skip
    return Members(
        np.array(pooled.position_of, np.int64), np.array(pooled.shift, float),
        np.array(pooled.width_of, np.int64), np.array(pooled.width_ratio, float),
        np.array(pooled.area_of, np.int64), np.array(pooled.area_ratio, float), lowest, highest,
    )  # fmt: skip


def width_bounds(
    axis: Floats, width: Floats, width_range: tuple[float | None, float | None], place: str
) -> tuple[float, float]:
    """Bounds of the widths: what was asked for, within 1.5 median channels and the window."""
    narrowest, window = NARROWEST * float(np.median(width)), float(axis[-1] - axis[0])
    low = narrowest if width_range[0] is None else max(float(width_range[0]), narrowest)
    high = window if width_range[1] is None else float(width_range[1])
    if not low <= high:
        raise InputError(
            sentence(
                place, "width_range", f"end above its lower bound, which is {low:.6g}", high,
                remedy="Allow widths of at least 1.5 channels.",
            )
        )  # fmt: skip
    return low, high


def turned(window: Window, members: Members, y: Floats) -> tuple[Window, Members, Floats]:
    """The same problem on the axis −x."""
    flipped = window._replace(
        axis=np.ascontiguousarray(-window.axis[::-1]),
        width=np.ascontiguousarray(window.width[::-1]),
        seen=np.ascontiguousarray(window.seen[::-1]),
        basis=np.ascontiguousarray(window.basis[:, ::-1]),
        operator=np.ascontiguousarray(window.operator[::-1, ::-1]),
    )
    lowest, highest = members.lowest.copy(), members.highest.copy()
    lowest[:, 0], highest[:, 0] = -members.highest[:, 0], -members.lowest[:, 0]
    ties = members._replace(lowest=lowest, highest=highest, shift=-members.shift)
    return flipped, ties, y[:, ::-1]


def inside_order(n_parameters: int, n_peaks: int, shirley: int | None) -> NDArray[np.int64]:
    """Columns in the order of the kernels: the coefficient of the step comes last."""
    order = np.arange(n_parameters)
    if shirley is None:
        return order
    step = 4 * n_peaks + shirley
    return np.append(np.delete(order, step), step)


def channel_blur(window: Window, starts: Floats, n_peaks: int) -> Floats:
    """What the channels add to the squared widths, where the peaks are."""
    positions = starts[:, : 4 * n_peaks : 4]
    return np.asarray(CHANNEL_BLUR * np.interp(positions, window.axis, window.width) ** 2)


# --- checks ---------------------------------------------------------------------------------------------


def require_length(values: Floats, n: int, argument: str, place: str) -> None:
    """Refuse arrays whose last axis has another length."""
    if values.shape[-1] != n:
        raise InputError(
            sentence(
                place, argument, f"have {n} entries", values.shape[-1],
                remedy="Check that both come from the same spectrum or start.",
            )
        )  # fmt: skip


def require_positive(values: Floats, argument: str, place: str) -> None:
    """Refuse values that are not positive."""
    if not (values > 0.0).all():
        k = int(values.argmin())
        raise InputError(sentence(place, argument, "be positive", float(values[k]), at=f"for component {k}"))


def check_starts(starts: Floats, n_peaks: int, window: Window, shirley: int | None, place: str) -> None:
    """Number of parameters, and numbers that can be iterated."""
    n_background = window.basis.shape[0] + (shirley is not None)
    require_length(starts, 4 * n_peaks + n_background, "theta", place)
    if shirley is not None and not 0 <= shirley < n_background:
        raise InputError(sentence(place, "shirley", f"be a place below {n_background}", shirley))
    blocks = starts[:, : 4 * n_peaks].reshape(len(starts), n_peaks, 4)
    bad = ~np.isfinite(starts).all(axis=1) | (blocks[:, :, 1] <= 0.0).any(axis=1)
    bad |= (blocks[:, :, 2:] < 0.0).any(axis=(1, 2)) | (starts[:, 4 * n_peaks :] < 0.0).any(axis=1)
    if bad.any():
        row = int(bad.argmax())
        raise InputError(
            sentence(
                place, "theta", "be finite, with positive widths and no negative area or coefficient",
                starts[row].tolist(), at=f"in start {row}",
            )
        )  # fmt: skip


def check_rows(which: NDArray[np.int64], starts: Floats, y: Floats, place: str) -> None:
    """Refuse rows of counts that are not there."""
    require_length(which, len(starts), "spectrum_of", place)
    if len(which) and (which.min() < 0 or which.max() >= len(y)):
        raise InputError(sentence(place, "spectrum_of", f"name rows below {len(y)}", int(which.max())))
