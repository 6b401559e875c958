"""The start-up of a fit: the same peaks as pseudo-Voigt lines, in counts, on fewer channels."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from sozai.spectra.noise import GaussianNoise, RobustNoise
from sozai.spectra.peaks.background import Exponential, Shirley, StaticShirley, Tougaard
from sozai.spectra.peaks.compiled_model import CompiledModel
from sozai.spectra.peaks.expectation import PooledPeaks, start_up_em
from sozai.spectra.peaks.grid import Grid
from sozai.spectra.peaks.inelastic_losses import tougaard_kernel
from sozai.spectra.peaks.peak_names import WIDTHS
from sozai.spectra.peaks.peak_problem import PeakProblem
from sozai.spectra.peaks.shape_description import describe_peak
from sozai.spectra.peaks.shapes import Shape
from sozai.spectra.peaks.static_shirley import static_shirley

__all__ = ["StartModel", "merged"]

Array = NDArray[np.float64]

#: Functions that stand in for an exponential.
_STAND_IN = 4
#: Channels per width that the start-up needs, fewest channels that are left, most under losses.
_PER_WIDTH, _FEWEST, _MOST_LOSSES = 4.0, 60, 256
#: Lorentz shares that every start keeps away from, so that no area is stuck at 0.
_INSIDE = (0.02, 0.98)


@dataclass(frozen=True, eq=False)
class StartModel:
    """A problem as :func:`~sozai.spectra.peaks.expectation.start_up_em` wants it.

    Made by :meth:`of`. One row of its parameters has position, fwhm, area_gauss, area_lorentz of every
    peak and then the coefficients of the background, in counts.

    Attributes
    ----------
    grid : Grid
    counts, weights : ndarray of shape (n,)
    scale : float
        Counts per unit of the data.
    lift : float
        Added to the data so that they are positive (signed backgrounds).
    basis : ndarray of shape (M, n)
    step : int or None
        Place of the coefficient of a step or of losses among those of the background.
    operator : ndarray of shape (n, n) or None
    kinds : ndarray of int of shape (K,)
    pooled : PooledPeaks
    positions : ndarray of shape (K, 2)
    widths : list of (float or None, float or None)
    """

    problem: PeakProblem
    grid: Grid
    counts: Array
    weights: Array
    scale: float
    lift: float
    basis: Array
    step: int | None
    operator: Array | None
    kinds: NDArray[np.int64]
    pooled: PooledPeaks
    positions: Array
    widths: list[tuple[float | None, float | None]]

    @classmethod
    def of(cls, problem: PeakProblem) -> StartModel:
        """Counts, background and bounds of a problem on all its channels."""
        checked, roster = problem.checked, problem.roster
        grid = Grid.of(checked.axis, "midpoint", None, checked.tail)
        y, lift = _positive(problem)
        scale = _counts_per_unit(problem, y)
        basis, step = _basis(problem, grid)
        kinds = np.array([min(shape.code, 2) for shape in roster.shapes], dtype=np.int64)
        ends = (float(grid.edges[0]), float(grid.edges[-1]))
        boxes = [roster.box(k, "position") for k in range(problem.n_peaks)]
        positions = [
            (ends[0] if low is None else low, ends[1] if high is None else high) for low, high in boxes
        ]
        least = 1.5 * grid.typical_width
        widths = [_width_box(problem, k, least) for k in range(problem.n_peaks)]
        return cls(
            problem, grid, y * scale, (checked.weights > 0).astype(np.float64), scale, lift, basis, step,
            None, kinds, roster.pooled(), np.array(positions).reshape(-1, 2), widths,
        )  # fmt: skip

    def coarse(self, narrowest: float) -> StartModel:
        """The same on fewer channels, so few that the narrowest peak still has four."""
        n = self.grid.n_channels
        fewest = max(_FEWEST, 10 * self.problem.n_peaks)
        size = int(min(narrowest / (_PER_WIDTH * float(self.grid.width.max())), n / fewest))
        tougaard = self._losses() is not None
        if tougaard:
            size = max(size, -(-n // _MOST_LOSSES))
        made = self if size < 2 else merged(self, size)
        return made if not tougaard else made._with_operator()

    def _losses(self) -> Tougaard | None:
        parts = self.problem.background.parts
        return next((one for one in parts if isinstance(one, Tougaard)), None)

    def _with_operator(self) -> StartModel:
        """What one electron loses on its way out, from channel to channel."""
        part, grid = self._losses(), self.grid
        assert part is not None
        distance = (grid.axis[:, None] - grid.axis) * grid.tail
        kernel = np.zeros_like(distance)
        tougaard_kernel(
            np.maximum(distance, 0.0).ravel(), part.C, part.D or 0.0, part.D is not None, kernel.reshape(-1)
        )
        operator = np.where(distance > 0.0, kernel, 0.0) * grid.width[:, None]
        return StartModel(**{**self.__dict__, "operator": operator})

    # --- runs --------------------------------------------------------------------------------------

    def run(self, rows: Array, n_iter: int, n_threads: int = 1) -> tuple[Array, Array]:
        """Iterate every row; the deviances are those of this model, in counts."""
        if not len(rows) or not self.problem.n_peaks:
            return rows, np.zeros(len(rows))
        rows = self._allowed(rows)
        blocks = np.array_split(rows, min(n_threads, len(rows)))
        if len(blocks) == 1:
            return self._run_block(rows, n_iter)
        with ThreadPoolExecutor(len(blocks)) as pool:
            done = list(pool.map(lambda block: self._run_block(block, n_iter), blocks))
        return np.concatenate([one[0] for one in done]), np.concatenate([one[1] for one in done])

    def _run_block(self, rows: Array, n_iter: int) -> tuple[Array, Array]:
        poisson = self.problem.kernel == "poisson"
        return start_up_em(
            self.grid, self.counts, rows, self.problem.n_peaks, self.basis if len(self.basis) else None,
            n_iter=n_iter, width_range=self._em_widths(), position_range=self.positions, shirley=self.step,
            operator=self.operator, pooled=self.pooled, weights=self.weights,
            least_counts=3.0 if poisson else 1e-5 * float(self.counts.sum()),
        )  # fmt: skip

    def _em_widths(self) -> list[tuple[float | None, float | None]]:
        """Bounds of widths that these channels can have."""
        least = 1.5 * self.grid.typical_width
        return [(low, None if high is None else max(high, least, low or 0.0)) for low, high in self.widths]

    def _allowed(self, rows: Array) -> Array:
        """Positive widths, no negative area, positions in their boxes, no coefficient stuck at 0."""
        rows = np.array(rows, dtype=np.float64)
        last = 4 * self.problem.n_peaks
        blocks = rows[:, :last].reshape(len(rows), -1, 4)
        blocks[:, :, 0] = np.clip(blocks[:, :, 0], self.positions[:, 0], self.positions[:, 1])
        least = 1.5 * self.grid.typical_width
        blocks[:, :, 1] = np.maximum(blocks[:, :, 1], least)
        blocks[:, :, 2:] = np.maximum(blocks[:, :, 2:], 0.0)
        total = float(self.counts.sum())
        size = np.maximum(np.abs(self.basis).sum(axis=1), 1e-300)
        floor = 1e-4 * total / size
        if self.step is not None:
            floor = np.insert(floor, self.step, 0.0)
        rows[:, last:] = np.maximum(rows[:, last:], floor)
        if self.step is not None:
            window = float(self.grid.edges[-1] - self.grid.edges[0])
            rows[:, last + self.step] = np.maximum(rows[:, last + self.step], 1e-4 / window)
        return rows

    # --- to and from the parameters of the fit -----------------------------------------------------

    def to_theta(self, rows: Array) -> Array:
        """Parameters of the problem, shape (R, p)."""
        roster, k_last = self.problem.roster, 4 * self.problem.n_peaks
        theta = np.empty((len(rows), len(roster.names)))
        for k, shape in enumerate(roster.shapes):
            block = rows[:, 4 * k : 4 * k + 4].copy()
            block[:, 2:] /= self.scale
            theta[:, roster.firsts[k] : roster.firsts[k + 1]] = _as_shape(shape, block)
        theta[:, roster.firsts[-1] :] = self._background_theta(rows[:, k_last:])
        return theta

    def _background_theta(self, rows: Array) -> Array:
        """Coefficients of the problem's background."""
        low, high = float(self.grid.edges[0]), float(self.grid.edges[-1])
        labels, columns, used = self.problem.roster.labels, [], 0
        curves = np.delete(rows, self.step, axis=1) if self.step is not None else rows
        step = rows[:, self.step] if self.step is not None else np.zeros(len(rows))
        tougaard = self._losses() is not None
        for part in _parts(self.problem):
            size = len(part.parameters(labels))
            if isinstance(part, Exponential):
                ends = np.maximum(curves[:, [used, used + _STAND_IN - 1]], 1e-300) / self.scale
                decay = np.clip(np.log(ends[:, 0] / ends[:, 1]), -20.0, 20.0) / (high - low)
                shift = 0.0 if part.reference is None else part.reference - low
                columns += [ends[:, 0] * np.exp(-decay * shift), decay]
                used += _STAND_IN
            elif isinstance(part, Shirley):
                columns += [np.zeros(len(rows)) if tougaard else step] * size
            elif isinstance(part, Tougaard):
                columns += [
                    step,
                    *(np.full(len(rows), getattr(part, name)) for name in part.parameters()[1:]),
                ]
            else:
                lift = self.lift if not getattr(part, "positive", True) else 0.0
                columns += [curves[:, used + m] / self.scale - lift for m in range(size)]
                used += size
        if self.problem.offset > 0.0:
            columns.append(np.full(len(rows), self.problem.offset))
        return np.array(columns).reshape(-1, len(rows)).T

    def from_theta(self, model: CompiledModel, theta: Array) -> Array:
        """Row of these parameters that looks like a fit."""
        rows = [self._peak_row(shape, theta[model.block(k)]) for k, shape in enumerate(model.shapes)]
        values, curves, step = theta[model.n_peak_parameters :], [], []
        low, high, used = float(self.grid.edges[0]), float(self.grid.edges[-1]), 0
        for part in _parts(self.problem):
            size = len(part.parameters(model.labels))
            own = values[used : used + size]
            used += size
            if isinstance(part, Exponential):
                at = np.linspace(low, high, _STAND_IN) - (low if part.reference is None else part.reference)
                curves += list(own[0] * np.exp(-own[1] * at) * self.scale)
            elif isinstance(part, Shirley):
                step.append(float(own.mean()) if size else 0.0)
            elif isinstance(part, Tougaard):
                step.insert(0, float(own[0]))
            else:
                lift = self.lift if not getattr(part, "positive", True) else 0.0
                curves += list((own + lift) * self.scale)
        row = np.concatenate([np.ravel(rows), np.maximum(curves, 0.0)])
        return row if self.step is None else np.insert(row, 4 * len(rows) + self.step, step[0])

    def _peak_row(self, shape: Shape, p: Array) -> list[float]:
        """Position, fwhm and the two areas of one peak, in counts."""
        if shape.code <= 2:
            areas = {0: (p[2], 0.0), 1: (0.0, p[2]), 2: (p[2], p[-1])}[shape.code]
            return [p[0], p[1], areas[0] * self.scale, areas[1] * self.scale]
        window = (float(self.grid.edges[0]), float(self.grid.edges[-1]))
        seen = describe_peak(shape, p, tail=self.grid.tail, window=window)
        share = float(np.clip(np.nan_to_num(seen["lorentz_fraction"], nan=0.5), *_INSIDE))
        area = seen["area"] * self.scale
        return [seen["maximum"], seen["fwhm"], area * (1 - share), area * share]


# --- fewer channels --------------------------------------------------------------------------------------


def merged(start: StartModel, size: int) -> StartModel:
    """Add ``size`` neighboring channels up; a masked one masks those it is added to.

    Parameters
    ----------
    start : StartModel
    size : int
    """
    n = start.grid.n_channels
    firsts = np.arange(0, n - n % size or n, size)
    seen = np.minimum.reduceat(start.weights, firsts)
    if seen.sum() < 0.7 * start.weights.sum() / size:
        return start
    edges = np.append(start.grid.edges[firsts], start.grid.edges[-1])
    grid = Grid(0.5 * (edges[1:] + edges[:-1]), edges, np.diff(edges), 1, start.grid.tail)
    counts = np.where(seen > 0, np.add.reduceat(np.where(start.weights > 0, start.counts, 0.0), firsts), 0.0)
    basis = np.add.reduceat(start.basis, firsts, axis=1) if len(start.basis) else np.zeros((0, len(firsts)))
    return StartModel(
        **{
            **start.__dict__,
            "grid": grid,
            "counts": counts,
            "weights": seen,
            "basis": np.ascontiguousarray(basis),
        }
    )


# --- pieces ----------------------------------------------------------------------------------------------


def _parts(problem: PeakProblem) -> tuple:
    """Parts of the background that the user asked for."""
    parts = problem.background.parts
    return parts[:-1] if problem.offset > 0.0 else parts


def _positive(problem: PeakProblem) -> tuple[Array, float]:
    """Data without the read-out's constant, without spikes, lifted where a background may be negative."""
    checked = problem.checked
    used = checked.weights > 0
    y = np.where(used, problem.y - problem.offset, 0.0)
    if isinstance(checked.noise, RobustNoise) and len(y) >= 5:
        y = np.where(used, median_filter(y, size=5, mode="nearest"), 0.0)
    signed = any(not getattr(part, "positive", True) for part in problem.background.parts)
    lift = max(0.0, -float(y[used].min())) if signed and used.any() else 0.0
    return np.where(used, y + lift, 0.0), lift


def _counts_per_unit(problem: PeakProblem, y: Array) -> float:
    """Counts that one unit of the data stands for: exact with a gain, else from mean over variance."""
    checked = problem.checked
    used = checked.weights > 0
    if problem.kernel == "poisson":
        return 1.0 / getattr(checked.noise, "gain", 1.0)
    bright = np.maximum(y[used], 0.0)
    mean, total = float(bright.mean()), float(bright.sum())
    if not total > 0.0:
        return 1.0
    if isinstance(checked.noise, GaussianNoise) and checked.noise.sigma is not None:
        variance = float(np.median(1.0 / checked.weights[used]))
    else:
        bend = np.abs(np.diff(y[used], n=2)) if used.sum() > 2 else np.zeros(1)
        variance = (1.4826 * float(np.median(bend))) ** 2 / 6.0
    scale = mean / max(variance, 1e-12 * mean**2)
    return float(np.clip(scale, 1e3 / total, 1e8 / total))


def _basis(problem: PeakProblem, grid: Grid) -> tuple[Array, int | None]:
    """Rows of the background, and the place of the coefficient of its step."""
    rows: list[Array] = []
    step = None
    for part in _parts(problem):
        if isinstance(part, Exponential):
            rows.append(grid.contents(_bernstein))
        elif isinstance(part, Shirley | Tougaard):
            if step is None or isinstance(part, Tougaard):
                step = sum(len(row) for row in rows)
        elif isinstance(part, StaticShirley):
            curve = static_shirley(problem.checked.counts, grid.width, n_end=part.n_end, tail=grid.tail)
            rows.append(np.maximum(curve, 0.0)[None])
        else:
            rows.append(grid.contents(part.basis))
    return np.concatenate([np.zeros((0, grid.n_channels)), *rows]), step


def _bernstein(u: Array) -> Array:
    """Cubic Bernstein polynomials, whose first and last coefficients are the values at the ends."""
    degree = _STAND_IN - 1
    return np.array([comb(degree, m) * u**m * (1.0 - u) ** (degree - m) for m in range(_STAND_IN)])


def _width_box(problem: PeakProblem, peak: int, least: float) -> tuple[float | None, float | None]:
    """Bounds of the full width of one peak."""
    low: float | None = None
    high: float | None = None
    for name in ("fwhm", "half_width"):
        if name in problem.roster.shapes[peak].parameters:
            pair = problem.roster.box(peak, name)
            low, high = (None if end is None else end * WIDTHS[name] for end in pair)
    return (None if low is None else max(low, least)), (None if high is None else max(high, least))


def _as_shape(shape: Shape, block: Array) -> Array:
    """Internal parameters of a shape from rows of a pseudo-Voigt line."""
    if shape.code == 2:
        return block
    area = block[:, 2] + block[:, 3]
    if shape.code < 2:
        return np.column_stack([block[:, :2], area])
    share = np.clip(block[:, 3] / np.maximum(area, 1e-300), *_INSIDE)
    lines = zip(block[:, 0], block[:, 1], area, share, strict=True)
    return np.array([shape.start(*line) for line in lines])
