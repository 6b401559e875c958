"""What a fit cannot tell from its data, in sentences."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.assimilation.inner_fit import LOG_FLOOR
from sozai.assimilation.selection import Scored
from sozai.contracts.tables import counted

__all__ = ["doubts"]


def doubts(fitted: Any, scored: Scored, counts: NDArray[np.int64], s: Any, *, learned: bool) -> list[str]:
    """Sentences about what the data cannot tell.

    Parameters
    ----------
    fitted : Assimilation
    scored : Scored
        Best pattern.
    counts : ndarray of int of shape (d,)
        Values of every source.
    s : Settings
    learned : bool
        Whether the pattern was learned.
    """
    notes: list[str] = []
    fit, n = scored.fit, scored.fit.n_coupling
    stds = np.sqrt(np.diag(scored.optimum.covariance)[:n])
    for row, column, std in zip(fit.rows, fit.columns, stds, strict=True):
        if std > 0.95 * s.prior.coupling_std:
            notes.append(
                "the coupling C is not identified by these data: its standard deviation between "
                f"{s.names[column]!r} and {s.names[row]!r} is {std:.3g}, that of its prior "
                f"{s.prior.coupling_std:.3g}. Measure points that were calculated, or pass coupling=1.0."
            )
    for j, terms in enumerate(scored.terms, start=1):
        if counts[j] and counts[j] < (len(s.degrees) if learned else len(terms)):
            notes.append(
                f"{s.names[j]!r} has {counts[j]} values for a correction of up to {len(s.degrees)} terms; "
                f"{counted(len(terms), 'term')} kept, and the prior decides what these values cannot. "
                "Add values."
            )
    return notes + _sources(fitted, scored, s) + _columns(fitted, s)


def _sources(fitted: Any, scored: Scored, s: Any) -> list[str]:
    """Constant sources, and noise at its floor."""
    notes, grams = [], fitted.grams
    for j in range(len(s.names) - 1):
        rows = [
            (x, y[:, list(np.flatnonzero(o)).index(j)])
            for (x, y), o in zip(grams.triangles, grams.observed, strict=True)
            if o[j]
        ]
        count = sum(grams.counts[k] for k in range(len(grams.counts)) if grams.observed[k, j])
        mean = sum(float(x[:, 0] @ y) for x, y in rows) / max(count, 1)
        rest = sum(float(((y - mean * x[:, 0]) ** 2).sum()) for x, y in rows)
        if count > 1 and rest <= 1e-18 * count * (1 + mean**2):
            notes.append(
                f"{s.names[j]!r} is constant ({grams.shift + grams.scale * mean:.6g}): its coupling and the "
                "constant of the correction cannot be told apart, the prior decides. Vary the descriptors."
            )
    floor = np.exp(LOG_FLOOR)
    for j, variance in enumerate(scored.fit.noise(scored.optimum.phi)):
        if variance <= floor * (1 + 1e-6):
            notes.append(
                f"the noise of {s.names[j]!r} ended at its floor, {grams.scale * np.sqrt(floor):.3g} "
                "(1e-6 of the variance of Y): the values are followed exactly. Check for copied columns."
            )
    return notes


def _columns(fitted: Any, s: Any) -> list[str]:
    """Collinear columns, and offsets that cannot be told from the descriptors."""
    notes, grams = [], fitted.grams
    values = np.linalg.eigvalsh(grams.xx.sum(axis=0)[: len(s.degrees), : len(s.degrees)])
    total = grams.counts.sum()
    if total >= len(s.degrees) and values[0] < 1e-10 * values[-1]:
        notes.append(
            f"columns of the basis are collinear in these data (smallest over largest eigenvalue "
            f"{max(values[0], 0) / values[-1]:.1e}); the prior decides between them. "
            "Leave one descriptor out."
        )
    table = fitted.offset_table
    if table is not None and fitted.offset_std > 0:
        alone = 1 / np.sqrt(
            1 / fitted.offset_std**2 + table["n"] / fitted.conditional_noise[s.offset[0]] ** 2
        )
        for name in table.index[(table["std"] > 3 * alone) & (table["std"] > 0.8 * fitted.offset_std)]:
            notes.append(
                f"the offset of laboratory {name!r} ({table.loc[name, 'offset']:.3g} ± "
                f"{table.loc[name, 'std']:.3g}) cannot be told from the descriptors it measured. "
                "Let two laboratories measure the same points."
            )
    return notes
