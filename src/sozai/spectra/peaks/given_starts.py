"""Starts that the user knows: an earlier fit, a table of peaks, or the parameters themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.peaks.peak_fit import Peak, PeakFit
from sozai.spectra.peaks.peak_problem import PeakProblem
from sozai.spectra.peaks.start_model import StartModel
from sozai.spectra.peaks.starts import draw_starts

__all__ = ["given_theta"]

Array = NDArray[np.float64]

_COLUMNS = ("position", "fwhm", "area", "lorentz_fraction")
_PLACE = "PeakMixture.fit"


def given_theta(problem: PeakProblem, start: Any) -> Array:
    """Parameters to start from, shape (R, p).

    Parameters
    ----------
    problem : PeakProblem
    start : PeakFit, DataFrame, list of peaks, or ndarray of shape (p,) or (R, p)

    Raises
    ------
    InputError
        For another number of peaks or parameters, and for numbers that are missing or not finite, by name.
    """
    roster = problem.roster
    if isinstance(start, np.ndarray):
        rows = np.array(start, dtype=np.float64, ndmin=2)
        if problem.offset > 0.0 and rows.shape[-1] == len(roster.names) - 1:
            rows = np.column_stack([rows, np.full(len(rows), problem.offset)])
        if rows.ndim != 2 or rows.shape[1] != len(roster.names):
            what = f"have {len(roster.names)} parameters ({', '.join(roster.names[:3])}, ...)"
            raise InputError(
                sentence(
                    _PLACE, "start", what, f"shape {start.shape}", remedy="Pass a list of peaks instead."
                )
            )
        _require_finite(rows, roster.names)
        return rows
    if isinstance(start, PeakFit):
        same = _same_model(problem, start)
        if same is not None:
            return same[None]
        start = list(start.peaks)
    rows = _peak_rows(problem, start)
    scene = StartModel.of(problem)
    total = max(float(scene.counts.sum()), 1.0)
    em = np.empty((1, 4 * problem.n_peaks))
    for k, (position, fwhm, area, share) in enumerate(rows):
        counts = area * scene.scale if np.isfinite(area) else 0.5 * total / len(rows)
        kind = int(scene.kinds[k])
        share = float(kind) if kind < 2 else (share if np.isfinite(share) else 0.5)
        em[0, 4 * k : 4 * k + 4] = position, fwhm, counts * (1 - share), counts * share
    basis = scene.basis if len(scene.basis) else None
    drawn = draw_starts(
        scene.grid, scene.counts, 1, 1, np.random.SeedSequence(0), basis=basis, shirley=scene.step,
        weights=scene.weights,
    )  # fmt: skip
    rough = np.concatenate([em, drawn[:, 4:]], axis=1)
    narrowest = float(rows[:, 1].min()) if len(rows) else 1.0
    refined, _ = scene.coarse(narrowest).run(rough, 30)
    return scene.to_theta(np.concatenate([rough, refined]))


def _same_model(problem: PeakProblem, fit: PeakFit) -> Array | None:
    """Parameters of a fit of the same model, put under the names of this one."""
    roster = problem.roster
    known = dict(zip(fit.start_table.names, fit.theta, strict=True))
    if problem.offset > 0.0:
        known[roster.names[-1]] = problem.offset
    if set(known) == set(roster.names):
        return np.array([known[name] for name in roster.names])
    return None


def _peak_rows(problem: PeakProblem, start: Any) -> Array:
    """Position, fwhm, area and share of every peak; NaN where the last two are not given."""
    labels = problem.roster.labels
    if isinstance(start, pd.DataFrame):
        start = start.to_dict("records")
    peaks = [
        _as_mapping(one, k) for k, one in enumerate(start if isinstance(start, list | tuple) else [start])
    ]
    if len(peaks) != problem.n_peaks:
        raise InputError(
            sentence(_PLACE, "start", f"hold {problem.n_peaks} peaks, as n_components says", len(peaks),
                     remedy="Add or drop peaks, or change n_components.")
        )  # fmt: skip
    by_label = {str(one["label"]): one for one in peaks if one.get("label") is not None}
    if set(by_label) == set(labels):
        peaks = [by_label[label] for label in labels]
    rows = np.full((len(peaks), 4), np.nan)
    for k, one in enumerate(peaks):
        for j, name in enumerate(_COLUMNS):
            value = one.get(name)
            if value is None or (name == "lorentz_fraction" and not np.isfinite(value)):
                if j < 2:
                    raise InputError(
                        sentence(_PLACE, "start", "give position and fwhm of every peak",
                                 at=f"for '{labels[k]}.{name}'", remedy=f"Add {name}.")
                    )  # fmt: skip
                continue
            bad = not np.isfinite(value) or (name == "fwhm" and value <= 0) or (name == "area" and value < 0)
            bad |= name == "lorentz_fraction" and not 0 <= value <= 1
            if bad:
                what = {
                    "fwhm": "be positive",
                    "area": "not be negative",
                    "lorentz_fraction": "lie between 0 and 1",
                }
                wanted = "be finite" if not np.isfinite(value) else what[name]
                raise InputError(
                    sentence(_PLACE, "start", wanted, float(value), at=f"for '{labels[k]}.{name}'",
                             remedy="Give a number.")
                )  # fmt: skip
            rows[k, j] = value
    return rows


def _as_mapping(one: Any, k: int) -> Mapping[str, Any]:
    """One peak as a mapping."""
    if isinstance(one, Peak):
        return {"label": one.label, **{name: getattr(one, name) for name in _COLUMNS}}
    if isinstance(one, Mapping):
        return one
    if isinstance(one, list | tuple) and 2 <= len(one) <= 4:
        return dict(zip(_COLUMNS, one, strict=False))
    raise InputError(
        sentence(
            _PLACE, "start", "be a PeakFit, a table or list of peaks, or an array of parameters", one,
            at=f"for peak {k + 1}", remedy="Write a peak as (position, fwhm, area).",
        )
    )  # fmt: skip


def _require_finite(rows: Array, names: tuple[str, ...]) -> None:
    if not np.isfinite(rows).all():
        row, column = (int(k) for k in np.argwhere(~np.isfinite(rows))[0])
        raise InputError(
            sentence(_PLACE, "start", "be finite", float(rows[row, column]), at=f"for {names[column]!r}",
                     remedy="Give a number.")
        )  # fmt: skip
