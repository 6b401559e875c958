"""From sums to a fitted model: pattern, coupling, noise, and what to say about them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.assimilation.grams import StandardGrams, standard_grams
from sozai.assimilation.identifiability import doubts
from sozai.assimilation.inner_fit import InnerFit, Kept
from sozai.assimilation.patterns import PatternStatistics
from sozai.assimilation.posterior import Node, Posterior, point_node
from sozai.assimilation.priors import AssimilationPrior
from sozai.assimilation.quadrature import integration_nodes
from sozai.assimilation.selection import PatternSearch, Scored
from sozai.contracts.errors import InputError, sentence

__all__ = ["Assimilation", "Settings", "assimilate"]

Array = NDArray[np.float64]

#: Unknowns that a fit may have.
MOST_UNKNOWNS = 5000
#: Columns up to which all sets of terms are tried.
_ALL_SETS = 8


@dataclass(frozen=True)
class Settings:
    """Everything a fit takes besides the sums.

    Attributes
    ----------
    place : str
        Who asks, for messages.
    names : tuple of str
        Sources.
    term_names : tuple of str
    degrees : ndarray of int of shape (P,)
    nested : sequence of tuple of int
        Sets of columns that ``pattern="degree"`` chooses from.
    raw_matrix : ndarray of shape (P, P) or None
    prior : AssimilationPrior
    restricted, pattern, coupling : as in the estimator
    offset : tuple of (int, float or None) or None
        Source with offsets and their standard deviation in the unit of Y, None to learn it.
    allow_prior : bool
    """

    place: str
    names: tuple[str, ...]
    term_names: tuple[str, ...]
    degrees: NDArray[np.int64]
    nested: Sequence[tuple[int, ...]]
    raw_matrix: Array | None
    prior: AssimilationPrior
    restricted: Any
    pattern: str
    coupling: Any
    offset: tuple[int, float | None] | None
    allow_prior: bool


@dataclass(frozen=True)
class Assimilation:
    """A fitted model in the unit of Y; fields as the attributes of the estimator."""

    coef: Array
    coupling: Array
    coupling_std: Array
    correction: Array
    conditional_noise: Array
    covariance: Array
    precision_yy: Array
    precision_yx: Array
    kept_terms: tuple[tuple[str, ...], ...]
    pattern_table: pd.DataFrame
    log_evidence: float
    offset_table: pd.DataFrame | None
    offset_std: float
    posterior: Posterior
    best: Node
    grams: StandardGrams


def assimilate(statistics: PatternStatistics, s: Settings, warm: dict[Any, Array]) -> Assimilation:
    """Choose the pattern, fit coupling and noise, and integrate over them.

    Parameters
    ----------
    statistics : PatternStatistics
    s : Settings
    warm : dict
        Ends of earlier searches by pattern; filled.
    """
    counts = statistics.counts()
    _check_counts(counts, s)
    free, fixed = coupling_of(s.coupling, len(s.names), s.place)
    asked = restricted_terms(s)
    plain_zero = asked is not None and any(0 not in terms for terms in asked)
    grams = standard_grams(
        statistics, shifted=not plain_zero, label_source=None if s.offset is None else s.offset[0]
    )
    offset_std = None if s.offset is None or s.offset[1] is None else s.offset[1] / grams.scale

    def make(kept: Kept) -> InnerFit:
        return InnerFit(
            grams, kept, s.prior, free, fixed,
            label_source=-1 if s.offset is None else s.offset[0],
            offset_std=0.0 if s.offset is None else offset_std,
        )  # fmt: skip

    directions = None if s.raw_matrix is None else np.linalg.inv(s.raw_matrix)
    search = PatternSearch(
        make, len(s.names) - 1, len(s.degrees), s.nested, tuple(max(int(n), 1) for n in counts[1:]),
        directions, s.prior.penalty, warm,
    )  # fmt: skip
    scored = _search(search, s, asked, counts)
    weights = np.exp([x.score - scored[0].score for x in scored])
    weights /= weights.sum()
    chosen = list(zip(scored, weights.tolist(), strict=True))
    used = [pair for pair in chosen if pair[1] > 1e-3] if s.restricted == "average" else [(scored[0], 1.0)]
    fine = s.coupling == "average" if isinstance(s.coupling, str) else False
    nodes = [node for x, w in used for node in integration_nodes(x, w, fine=fine)]
    posterior = Posterior.of(nodes, grams.shift, grams.scale)
    fitted = _in_units(scored[0], posterior, grams, s, _pattern_table(chosen, s))
    for note in doubts(fitted, scored[0], counts, s, learned=asked is None):
        warnings.warn(f"{s.place}: {note}", UserWarning, stacklevel=4)
    return fitted


# --- what was asked for ------------------------------------------------------------------------------


def coupling_of(coupling: Any, d: int, place: str) -> tuple[NDArray[np.bool_], Array]:
    """Which entries of C are searched, and the values of the others."""
    below = np.tri(d, k=-1, dtype=bool)
    if isinstance(coupling, str) and coupling in ("fit", "average"):
        return below, np.zeros((d, d))
    values = None if isinstance(coupling, str) else np.asarray(coupling, dtype=np.float64)
    if values is not None and values.ndim == 0:
        values = np.diag(np.full(max(d - 1, 0), float(values)), -1) if d > 1 else np.zeros((1, 1))
    if values is None or values.shape != (d, d) or not np.isfinite(values).all() or values[~below].any():
        raise InputError(
            sentence(
                place, "coupling", f"be 'fit', 'average', a number, or a strictly lower triangle {(d, d)}",
                coupling, remedy="Pass 1.0 where all sources have the same unit and size.",
            )
        )  # fmt: skip
    return np.zeros((d, d), dtype=bool), values


def restricted_terms(s: Settings) -> tuple[tuple[int, ...], ...] | None:
    """Terms kept in every correction, or None where they are learned."""
    what, P, n = s.restricted, len(s.term_names), len(s.names) - 1
    if isinstance(what, str) and what in ("learn", "average"):
        return None
    if isinstance(what, str) and what == "none":
        return (tuple(range(P)),) * n
    if isinstance(what, str) and what.startswith("degree>") and what[7:].strip().isdecimal():
        return (tuple(np.flatnonzero(s.degrees <= int(what[7:])).tolist()),) * n
    if isinstance(what, str) or not hasattr(what, "__iter__"):
        raise InputError(
            sentence(
                s.place, "restricted", "be 'learn', 'average', 'none', 'degree>k', or a list of terms", what,
                remedy="Write for example restricted='degree>0'.",
            )
        )  # fmt: skip
    numbers = {_term_number(term, s) for term in what}
    return (tuple(k for k in range(P) if k not in numbers),) * n


def _term_number(term: Any, s: Settings) -> int:
    if isinstance(term, str) and term in s.term_names:
        return s.term_names.index(term)
    if isinstance(term, (int, np.integer)) and 0 <= term < len(s.term_names):
        return int(term)
    raise InputError(
        sentence(
            s.place, "restricted", f"name terms of the basis ({', '.join(s.term_names[:8])}, ...)", term,
            remedy="Use these names, or numbers counted from 0.",
        )
    )  # fmt: skip


def _search(
    search: PatternSearch, s: Settings, asked: tuple[tuple[int, ...], ...] | None, counts: NDArray[np.int64]
) -> list[Scored]:
    """Patterns tried, the best first."""
    if len(s.names) == 1:
        return [search.score((), plain=False)]
    if asked is not None:
        return [search.score(asked, plain=not all(tuple(sorted(t)) in set(s.nested) for t in asked))]
    if s.pattern == "degree":
        return search.nested_sets()
    if s.pattern == "all" or (s.pattern == "terms" and len(s.degrees) <= _ALL_SETS):
        if len(s.degrees) > _ALL_SETS:
            raise InputError(
                sentence(
                    s.place, "pattern", f"be 'terms' or 'degree' beyond {_ALL_SETS} columns", s.pattern,
                    at=f"with {len(s.degrees)} columns",
                    remedy="Pass pattern='terms'.",
                )
            )  # fmt: skip
        return search.all_sets()
    return search.greedy()


def _check_counts(counts: NDArray[np.int64], s: Settings) -> None:
    """A source without values, and too many unknowns."""
    if not counts.all() and not (s.allow_prior and counts.any()):
        missing = s.names[int(np.argmin(counts))]
        raise InputError(
            f"{s.place}: Y must have a value in every column. Input y contains NaN only in column "
            f"{missing!r}. Add a value, or pass allow_prior=True to predict from the prior of the coupling."
        )


def check_size(P: int, d: int, s_restricted: Any, pattern: str, place: str) -> None:
    """Refuse more unknowns than a machine holds, before a column is made."""
    most = P * d if pattern == "degree" or not isinstance(s_restricted, str) else P + d - 1
    most = P * d if s_restricted == "none" else most
    if most > MOST_UNKNOWNS:
        gigabytes = 8 * (most**2 * 4 + (P + d) ** 2 * (2**d - 1) * 2) / 1e9
        raise InputError(
            sentence(
                place, "basis", f"give at most {MOST_UNKNOWNS:,} unknowns (P + correction terms)", most,
                at=f"for P = {P} columns and {d} sources (about {gigabytes:.1f} GB)",
                remedy="Lower the degree of the basis.",
            )
        )  # fmt: skip


# --- results -----------------------------------------------------------------------------------------


def _pattern_table(chosen: list[tuple[Scored, float]], s: Settings) -> pd.DataFrame:
    rows = []
    for x, weight in chosen:
        kept = ["+".join(s.term_names[k] for k in terms) or "0" for terms in x.terms]
        rows.append(
            {"terms": "; ".join(kept), "n_terms": x.fit.kept.size, "log_evidence": x.score, "weight": weight}
        )
    return pd.DataFrame(rows, columns=["terms", "n_terms", "log_evidence", "weight"])


def _in_units(
    scored: Scored, posterior: Posterior, grams: StandardGrams, s: Settings, table: pd.DataFrame
) -> Assimilation:
    """Bring the best node back to the unit of Y; zeros stay exact."""
    best = point_node(scored)
    fit, phi, d = scored.fit, scored.optimum.phi, len(s.names)
    C, tau = fit.coupling(phi), np.sqrt(fit.noise(phi))
    R = grams.scale * fit.correction_of(best.solution.theta)
    R[:, 0] += grams.shift * (1 - C.sum(axis=1))
    spread = np.zeros((d, d))
    n = fit.n_coupling
    spread[fit.rows, fit.columns] = np.sqrt(np.diag(scored.optimum.covariance)[:n])
    if isinstance(s.coupling, str) and s.coupling == "average" and n:
        C, spread = _averaged_coupling(posterior)
    root = np.eye(d) - fit.coupling(phi)
    weighted = root.T / (grams.scale * tau) ** 2
    precision_yx = -weighted @ R
    labels = _offset_table(posterior, grams, s)
    offset_std = grams.scale * np.sqrt(fit.offset_variance(phi)) if s.offset is not None else 0.0
    names = tuple(
        tuple(s.term_names[k] for k in terms) for terms in (tuple(range(fit.n_terms)), *scored.terms)
    )
    return Assimilation(
        posterior.coefficients(), C, spread, R, grams.scale * tau, grams.scale**2 * best.covariance(),
        weighted @ root, precision_yx, names, table, scored.score, labels, float(offset_std), posterior, best,
        grams,
    )  # fmt: skip


def _averaged_coupling(posterior: Posterior) -> tuple[Array, Array]:
    """Mean and standard deviation of C over the nodes."""
    values = np.array([node.fit.coupling(node.phi) for node in posterior.nodes])
    inner = np.zeros_like(values)
    for k, node in enumerate(posterior.nodes):
        n = node.fit.n_coupling
        inner[k][node.fit.rows, node.fit.columns] = np.diag(node.spread)[:n]
    weights = np.array([node.weight for node in posterior.nodes])[:, None, None]
    mean = (weights * values).sum(axis=0)
    return mean, np.sqrt((weights * (inner + (values - mean) ** 2)).sum(axis=0))


def _offset_table(posterior: Posterior, grams: StandardGrams, s: Settings) -> pd.DataFrame | None:
    """Offset of every laboratory with its standard error, coupling and noise integrated out."""
    if s.offset is None:
        return None
    n = len(grams.labels)
    counts = np.zeros(n, dtype=int)
    labeled = grams.label >= 0
    np.add.at(counts, grams.label[labeled], grams.counts[labeled].astype(int))
    values, squares = np.zeros((len(posterior.nodes), n)), np.zeros((len(posterior.nodes), n))
    for k, node in enumerate(posterior.nodes):
        which = np.flatnonzero(node.fit.unknowns.offsets)
        if len(which):
            values[k] = node.solution.theta[which]
            squares[k] = (node.solution.solve(np.eye(len(node.solution.theta))[which]) ** 2).sum(axis=0)
    weights = np.array([node.weight for node in posterior.nodes])
    mean = weights @ values
    value, error = grams.scale * mean, grams.scale * np.sqrt(weights @ (squares + (values - mean) ** 2))
    z = np.divide(value, error, out=np.zeros(n), where=error > 0)
    return pd.DataFrame(
        {"offset": value, "std": error, "n": counts, "z": z, "flagged": np.abs(z) > 3},
        index=pd.Index(grams.labels, name="laboratory"),
    )
