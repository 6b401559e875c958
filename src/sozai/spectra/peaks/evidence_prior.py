"""Prior of peaks and background that the evidence of a number of peaks is taken over: a unit cube."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.noise import RobustNoise
from sozai.spectra.peaks.background import Exponential, Shirley, Tougaard
from sozai.spectra.peaks.compiled_model import CompiledModel
from sozai.spectra.peaks.evidence_kernels import Scene
from sozai.spectra.peaks.likelihood_sums import GAUSSIAN, POISSON, prepare_counts
from sozai.spectra.peaks.peak_problem import PeakProblem

__all__ = ["EvidencePrior"]

Array = NDArray[np.float64]

#: From this many channels on a peak is taken at their centers: its height is wrong by 0.231/400 then.
_CHANNELS = 20.0


@dataclass(frozen=True, eq=False)
class EvidencePrior:
    """Prior of the coordinates of one peak and of the background."""

    model: CompiledModel
    lowest: Array
    span: Array
    is_log: NDArray[np.bool_]
    has_share: bool
    mean_area: float
    mean_back: Array
    basis: Array
    code: int

    @classmethod
    def of(cls, problem: PeakProblem, model: CompiledModel) -> EvidencePrior:
        """Boxes of the shape, and means of areas."""
        _require_symmetric(problem)
        used = problem.checked.weights > 0
        total = float(np.maximum(problem.y - problem.offset, 0.0)[used].sum())
        kept = [
            m
            for m in range(len(model.program.basis))
            if not (problem.offset > 0 and m == len(model.program.basis) - 1)
        ]
        basis = np.ascontiguousarray(model.program.basis[kept])
        mean = total / (problem.n_peaks + max(len(basis), 1))
        shape = problem.roster.shapes[0] if problem.n_peaks else None
        boxes = _boxes(problem, shape, model) if shape is not None else np.zeros((0, 3))
        per_unit = np.maximum((basis * used).sum(axis=1), 1e-300)
        return cls(
            model, boxes[:, 0].copy(), boxes[:, 1] - boxes[:, 0], boxes[:, 2] > 0,
            shape is not None and "area_gauss" in shape.parameters, mean, mean / per_unit, basis,
            0 if shape is None else shape.code,
        )  # fmt: skip

    def scene(self, problem: PeakProblem, scale: float) -> Scene:
        """Arrays for the compiled loop; weights times ``scale``."""
        checked, grid = problem.checked, self.model.grid
        weights = np.ascontiguousarray(checked.weights * scale)
        n = len(problem.y)
        y, inverse, empty = np.empty(n), np.empty(n), np.empty(n)
        floor = prepare_counts(np.ascontiguousarray(problem.y, dtype=np.float64), weights, y, inverse, empty)
        noise = POISSON if problem.kernel == "poisson" else GAUSSIAN
        basis, mean_back = self.basis, self.mean_back
        if problem.offset > 0.0:  # read-out noise is in the data and in the least expectation alike
            floor = max(floor, problem.offset)
        even = grid.is_even and grid.mode == 1
        wide = _CHANNELS * float(grid.width.max()) if even else np.inf
        return Scene(
            self.code, self.has_share, self.lowest, self.span, self.is_log, self.mean_area, mean_back,
            grid.axis, grid.edges, grid.width, grid.mode, grid.tail, wide, noise, y, inverse, empty, weights,
            floor, basis,
        )  # fmt: skip

    def natural(self, cube: Array, n_peaks: int) -> tuple[tuple[str, ...], Array]:
        """Names and values that a user knows, of points (..., d); peaks by position."""
        s = len(self.lowest)
        blocks = cube[..., : n_peaks * (s + 1)].reshape(*cube.shape[:-1], n_peaks, s + 1)
        values = np.empty_like(blocks)
        values[..., :s] = self.lowest + blocks[..., :s] * self.span
        values[..., :s] = np.where(
            self.is_log, np.exp(np.where(self.is_log, values[..., :s], 0.0)), values[..., :s]
        )
        values[..., s] = -self.mean_area * np.log1p(-np.minimum(blocks[..., s], 1.0 - 1e-15))
        if n_peaks:
            order = np.argsort(values[..., 0], axis=-1, kind="stable")
            values = np.take_along_axis(values, order[..., None], axis=-2)
        rest = -self.mean_back * np.log1p(-np.minimum(cube[..., n_peaks * (s + 1) :], 1.0 - 1e-15))
        labels = self.model.labels
        own = _coordinates(self.model.shapes[0].parameters) if n_peaks else ()
        names = [f"{label}.{name}" for label in labels for name in (*own, "area")]
        names += list(self.model.names[self.model.n_peak_parameters :][: rest.shape[-1]])
        flat = values.reshape(*cube.shape[:-1], n_peaks * (s + 1))
        return tuple(names), np.concatenate([flat, rest], axis=-1)


def _coordinates(parameters: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the coordinates of a shape without its area."""
    names = [name for name in parameters if name not in ("area", "area_gauss", "area_lorentz")]
    return (*names, "lorentz_fraction") if "area_gauss" in parameters else tuple(names)


def _boxes(problem: PeakProblem, shape: Any, model: CompiledModel) -> Array:
    """Lower end, upper end and whether logarithmic, of every coordinate of a peak."""
    grid = model.grid
    ends = (float(grid.edges[0]), float(grid.edges[-1]))
    low, high = 1.5 * float(np.median(grid.width)), 0.5 * (ends[1] - ends[0])
    wanted = problem.roster.bounds
    boxes = []
    for name in _coordinates(shape.parameters):
        given = wanted.get(f"{problem.roster.labels[0]}.{name}", (None, None))
        if name == "position":
            boxes.append((*ends, 0.0))
        elif name in ("fwhm", "half_width", "fwhm_gauss", "fwhm_lorentz"):
            factor = 0.5 if name == "half_width" else 1.0
            least, most = given[0] or low * factor, given[1] or high * factor
            boxes.append((np.log(least), np.log(max(most, least * 1.0001)), 1.0))
        elif name == "exponent":
            boxes.append((*np.log(shape.default_bounds["exponent"]), 1.0))
        elif name == "lorentz_fraction":
            boxes.append((0.0, 1.0, 0.0))
        else:
            pair = np.array(shape.default_bounds[name], dtype=np.float64)
            limit = 2.0 / np.sqrt(low * high)  # asymmetry in inverse units of the axis
            boxes.append((*np.where(np.isfinite(pair), pair, [-limit, limit]), 0.0))
    return np.array(boxes)


def _require_symmetric(problem: PeakProblem) -> None:
    """Refuse models whose prior would not be the one described."""
    roster = problem.roster
    place = "select_n_components"
    lines = {name.rpartition(".")[2] for name in roster.bounds} - {
        "fwhm",
        "half_width",
        "fwhm_gauss",
        "fwhm_lorentz",
    }
    tied = roster.table is not None and problem.offset == 0.0
    if tied or lines or len(roster.alike) != problem.n_peaks:
        raise InputError(
            sentence(place, "criterion", "be an information criterion with ties, fixed values or bounds",
                     "Evidence", remedy="Use criterion=BIC(), or only width_range.")
        )  # fmt: skip
    for part in problem.background.parts:
        signed = not getattr(part, "positive", True)
        if signed or isinstance(part, Exponential | Shirley | Tougaard):
            raise InputError(
                sentence(place, "background", "be linear in coefficients that are not negative for Evidence",
                     part,     remedy="Use criterion=BIC(), or StaticShirley() for a step.")
            )  # fmt: skip
    if isinstance(problem.checked.noise, RobustNoise):
        raise InputError(
            sentence(place, "noise", "be Poisson or Gaussian for Evidence", problem.checked.noise,
                     remedy="Mask the outliers, or use criterion=BIC().")
        )  # fmt: skip
