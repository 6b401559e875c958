"""Peaks that the counts support, peaks that act as a background, and what follows for their number."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import ConvergenceWarning
from sozai.spectra.peaks.count_path import Level
from sozai.spectra.peaks.fit_quality import acts_as_background, deviance_p_value, too_close
from sozai.spectra.peaks.fit_report import sorted_solution
from sozai.spectra.peaks.shape_description import describe_peak

__all__ = ["Support", "admitted", "dispersion_of", "overlapping_groups", "support_of"]

Array = NDArray[np.float64]

#: Areas and heights of fewer errors than this are not supported.
_SUPPORT = 3.0
#: Lines whose centers are closer than this share of the smaller width are supported by their sum.
_OVERLAP = 0.9
#: More peaks than a number that was vetoed must be better than that by this much.
_BETTER = 10.0
#: A largest model with so small a probability misses more than chance does.
_MISSES = 1e-3
_AREAS = ("area", "area_gauss", "area_lorentz")


@dataclass(frozen=True)
class Support:
    """Labels of peaks that are no sure lines.

    Attributes
    ----------
    unsupported : tuple of str
        Area below three errors, or another center within a quarter of a width.
    background_like : tuple of str
        On the edge of the window, or far wider than the highest peak: background by another name.
    vetoed : tuple of str
        Lines because of which a number of peaks is not chosen.

    Examples
    --------
    >>> Support((), (), ()).holds
    True
    """

    unsupported: tuple[str, ...]
    background_like: tuple[str, ...]
    vetoed: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether every line, or group of overlapping lines, is supported."""
        return not self.vetoed


def overlapping_groups(positions: Array, widths: Array) -> list[list[int]]:
    """Peaks in groups; neighbors of a group are closer than nine tenths of the smaller width.

    Examples
    --------
    >>> overlapping_groups(np.array([0.0, 5.0, 0.5]), np.array([1.0, 1.0, 2.0]))
    [[0, 2], [1]]
    """
    groups = [[k] for k in range(len(positions))]
    for a in range(len(positions)):
        for b in range(a):
            if abs(positions[a] - positions[b]) < _OVERLAP * min(widths[a], widths[b]):
                one, other = (next(g for g in groups if k in g) for k in (a, b))
                if one is not other:
                    other += one
                    groups.remove(one)
    return [sorted(group) for group in groups]


def support_of(level: Level) -> Support:
    r"""Judge every peak of a fit.

    Parameters
    ----------
    level : Level

    Returns
    -------
    Support

    Notes
    -----
    How the counts of two overlapping lines are shared between them is known badly long before it is doubtful
    that there are two: their areas move against each other. A group of lines is therefore judged by the
    sum of their areas, :math:`z = \sum A_k / \sqrt{1^\top C\, 1}`, or by the highest of them where
    its height is better known than its area (a wide line on a free background). Two centers within a
    quarter of a width in a group of three or more mend the shape of a line. Peaks that act as a
    background are not judged: the area of a slope is whatever the rest leaves.

    Cost O(K²) and one inversion of the Fisher information.
    """
    problem = level.problem
    if not problem.n_peaks:
        return Support((), (), ())
    solution = sorted_solution(problem, level.solution)
    with warnings.catch_warnings():  # said by the record of the fit
        warnings.simplefilter("ignore", ConvergenceWarning)
        covariance = solution.covariance(on_bound=0.0)
    model, roster = solution.model, problem.roster
    window = (float(model.grid.edges[0]), float(model.grid.edges[-1]))
    names = ("position", "fwhm", "area", "area_error", "height", "height_error")
    seen = np.empty((problem.n_peaks, len(names)))
    for k, shape in enumerate(roster.shapes):
        here = model.block(k)
        told = describe_peak(
            shape, solution.theta[here], covariance[here, here], tail=model.grid.tail, window=window
        )
        seen[k] = [float(told[name]) for name in names]
    at, wide, area, area_error, height, height_error = seen.T
    pairs = too_close(at, wide)
    close = {k for pair in pairs for k in pair}
    weak = ~(area >= _SUPPORT * area_error) | (area <= 0.0)
    slope = acts_as_background(at, wide, height, window)
    lines = np.flatnonzero(~slope)
    vetoed: set[int] = set()
    for group in overlapping_groups(at[lines], wide[lines]):
        members = lines[group]
        if len(members) > 2 and any(set(pair) <= set(members.tolist()) for pair in pairs):
            vetoed |= set(members.tolist())
        rows = np.concatenate([roster.rows(int(k), _AREAS) for k in members])
        error = float(np.sqrt(covariance[np.ix_(rows, rows)].sum()))
        known = area[members].sum() >= _SUPPORT * error
        if not (known or (height[members] >= _SUPPORT * height_error[members]).any()):
            vetoed |= set(members.tolist())

    def told_of(which: set[int]) -> tuple[str, ...]:
        return tuple(label for k, label in enumerate(roster.labels) if k in which)

    doubtful = set(np.flatnonzero(weak).tolist()) | close
    return Support(told_of(doubtful), told_of(set(np.flatnonzero(slope).tolist())), told_of(vetoed))


def admitted(criterion: Array, supports: list[Support]) -> NDArray[np.bool_]:
    """Numbers that may be chosen: all lines supported, and not the same doubtful peaks with one more.

    A number above one that was vetoed is admitted only if its criterion is lower by more than 10: else it
    describes nothing that the vetoed one did not. Where every number is vetoed, all are admitted.

    Parameters
    ----------
    criterion : ndarray of shape (n_models,)
    supports : list of Support
        In ascending number of peaks.

    Returns
    -------
    ndarray of bool of shape (n_models,)

    Examples
    --------
    >>> bad = Support(("peak 4",), (), ("peak 4",))
    >>> good = Support((), (), ())
    >>> admitted(np.array([90.0, 50.0, 40.0, 35.0, 20.0]), [good, good, bad, good, good])
    array([ True,  True, False, False,  True])
    """
    may, best = np.zeros(len(supports), dtype=bool), np.inf
    for i, support in enumerate(supports):
        may[i] = support.holds and not criterion[i] > best - _BETTER
        if not support.holds and criterion[i] < best:
            best = float(criterion[i])
    return may if (may & np.isfinite(criterion)).any() else np.ones(len(supports), dtype=bool)


def dispersion_of(level: Level) -> float:
    r"""What a deviance is divided by before numbers of peaks are compared.

    Parameters
    ----------
    level : Level
        With the most peaks.

    Returns
    -------
    float
        Pearson's chi-square per degree of freedom where the size of one count is estimated; where it is
        known, the same if the deviance has a probability below 0.001, else 1; 1 for Gaussian noise.

    Notes
    -----
    Where even the most peaks miss the counts, because lines have another shape, every further peak mends
    the shape. The quasi-likelihood criterion :math:`D/\phi + p\ln n` with :math:`\phi` of the largest
    model [1]_ asks more of it.

    References
    ----------
    .. [1] J.-D. Lebreton, K. P. Burnham, J. Clobert, D. R. Anderson, Ecol. Monogr. 62, 67 (1992).
       https://doi.org/10.2307/2937171
    """
    problem, solution = level.problem, level.solution
    if problem.checked.estimate_dispersion:
        return float(solution.dispersion)
    if problem.kernel != "poisson":
        return 1.0
    used = problem.checked.weights > 0.0
    weights = problem.checked.weights[used]
    mean = np.maximum(solution.model.expected(solution.theta)[used], 1e-300)
    dof = len(mean) - solution.model.n_free
    if dof < 1 or deviance_p_value(solution.deviance, dof, mean * weights) >= _MISSES:
        return 1.0
    return max(float((weights * (problem.y[used] - mean) ** 2 / mean).sum()) / dof, 1.0)
