"""The best distinct candidates so far: equal values stand together."""

from __future__ import annotations

import numba
import numpy as np

from sozai.symbolic.formulas.evaluation import reachable
from sozai.symbolic.formulas.expressions import Expressions
from sozai.symbolic.formulas.hash_consing import NUMBER
from sozai.symbolic.formulas.operators import LEAF
from sozai.symbolic.search.candidates import CandidateSpace
from sozai.symbolic.search.rung_growth import strip_numbers
from sozai.symbolic.search.screening_kernels import fill_rows

__all__ = ["FORMULA", "Shortlist", "best_formulas", "candidate_values"]

CANDIDATE = np.dtype(
    [
        ("score", np.float64),
        ("complexity", np.int64),
        ("op", np.int64),
        ("left", np.int64),
        ("right", np.int64),
        ("label", np.int64),
    ]
)
"""What is known of a candidate: its route (operation, rows of the base), and the class of equal values."""

FORMULA = np.dtype(
    [*CANDIDATE.descr, ("id", np.int64), ("hash", np.uint64), ("factor", np.float64), ("place", np.int64)]
)
"""A candidate with its canonical formula.

``factor`` is the number taken off its front, ``place`` the sum of the places of its columns in the table.
"""

_DIGITS = 12  # scores are compared to this many decimals
_SAME = 1e-10  # 1 - |correlation| of one and the same candidate
_WINDOW = 1.5e-5  # distance of unit vectors that may be the same: sqrt(2e-10)
_SPARE = 50  # classes kept beyond those wanted


class Shortlist:
    r"""The best distinct candidates so far.

    Candidates of one class have equal values up to a + b f, found by projections
    of centred unit vectors on fixed random directions. The classes with the best
    scores stay, all their members with them; what ranks last does not depend on
    the order in which candidates come.

    Parameters
    ----------
    space : CandidateSpace
    n_keep : int
        Classes wanted; twice as many and 50 are kept.
    merge_affine : bool
        False: members have equal values up to sign only.
    threshold : float
        Lowest score that may still matter.
    left : float
        What the best of the models that candidates join leaves unexplained; 1 where they join none.

    Attributes
    ----------
    threshold : float
        Rises as classes come in; stays below the final n_keep-th score.
    members : structured ndarray of dtype ``CANDIDATE``
        Candidates of the classes kept, after :meth:`settle`.

    Notes
    -----
    Members of a class correlate to :math:`1 - 10^{-10}`, so that their angles with the target
    differ by at most :math:`\delta = 1.5\cdot 10^{-5}` and their scores s by
    :math:`2\delta\sqrt{1 - s}`. Beside a model that leaves :math:`\rho` unexplained the angle is that with
    its residual, and scores differ by :math:`2\delta\sqrt{\rho(1 - s)}`. The threshold stays four
    times that below the score it is made of.
    """

    def __init__(
        self,
        space: CandidateSpace,
        n_keep: int,
        merge_affine: bool,
        threshold: float = -np.inf,
        left: float = 1.0,
    ) -> None:
        self.space, self.n_keep, self.merge_affine, self.left = space, n_keep, merge_affine, left
        self.threshold = threshold
        self.members = np.zeros(0, dtype=CANDIDATE)
        self._waiting: list[np.ndarray] = []
        self._n_waiting = 0

    def add(self, op: int, left: np.ndarray, right: np.ndarray, scores: np.ndarray) -> None:
        """Offer candidates of one operation with their exact scores; NaN is none."""
        good = np.flatnonzero(scores >= self.threshold)
        records = np.zeros(good.size, dtype=CANDIDATE)
        records["score"], records["op"] = scores[good], op
        records["left"], records["right"] = left[good], right[good]
        records["complexity"] = self.space.complexity_before(op, left[good], right[good])
        self.add_records(records)

    def add_records(self, records: np.ndarray) -> None:
        """Offer members of another shortlist of this space."""
        if records.size:
            self._waiting.append(records)
            self._n_waiting += records.size
        if self._n_waiting > 2 * self.n_keep + 1000:
            self.settle()

    def settle(self) -> None:
        """Put what is waiting into classes, keep the best of them, raise the threshold."""
        if not self._waiting:
            return
        new = np.concatenate(self._waiting)
        self._waiting, self._n_waiting = [], 0
        new = new[new["score"] >= self.threshold]
        old = self.members
        leaders = old[_first_of_class(old, by="rank")]
        new["label"] = np.arange(new.size) + old["label"].max(initial=-1) + 1
        both = np.concatenate([leaders, new])
        merged = merge_equal(*_unit_vectors(candidate_values(self.space, both), self.merge_affine))
        lookup = np.zeros(both["label"].max(initial=-1) + 1, dtype=np.int64)
        lookup[both["label"]] = merged
        members = np.concatenate([old, new])
        members["label"] = lookup[members["label"]]
        self.members = self._best(members)

    def _best(self, members: np.ndarray) -> np.ndarray:
        """Members of the best classes; sets the threshold."""
        first = _first_of_class(members, by="rank")
        ranked = first[_rank(members[first])]
        if ranked.size >= self.n_keep + _SPARE:
            last = float(members["score"][ranked[self.n_keep + _SPARE - 1]])
            self.threshold = max(self.threshold, last - _slack(last, self.left))
        kept = members["label"][ranked[: 2 * self.n_keep + _SPARE]]
        return members[np.isin(members["label"], kept)]


def best_formulas(shortlist: Shortlist) -> tuple[np.ndarray, list[np.ndarray]]:
    """Best classes as formulas.

    Canonical formulas are looked up and added to the store of the base. Numbers and
    what is refused inside the domain are no candidates; equal formulas are one.
    The member shown is the least complex one, then the one of the earliest columns, then
    that of least hash; classes are ranked by (score to 12 decimals, complexity, hash) of
    that member.

    Returns
    -------
    shown : structured ndarray of dtype ``FORMULA``
        At most n_keep, best first.
    others : list of structured ndarray
        Other members of each class, simplest first.
    """
    shortlist.settle()
    space, members = shortlist.space, shortlist.members
    first = _first_of_class(members, by="rank")
    ranked = first[_rank(members[first])]
    n_classes = shortlist.n_keep + _SPARE
    while True:
        formulas = _formulas(space, members[np.isin(members["label"], members["label"][ranked[:n_classes]])])
        values = candidate_values(space, formulas) / formulas["factor"][:, None]
        formulas["label"] = merge_equal(*_unit_vectors(values, shortlist.merge_affine))
        shown = formulas[_first_of_class(formulas, by="simplicity")]
        if shown.size >= shortlist.n_keep or n_classes >= ranked.size:
            break
        n_classes *= 2
    shown = shown[np.lexsort((shown["hash"], *_rank_keys(shown)))][: shortlist.n_keep]
    others = formulas[_by_simplicity(formulas)]
    others = others[np.argsort(others["label"], kind="stable")]
    first = np.searchsorted(others["label"], shown["label"], "left")
    last = np.searchsorted(others["label"], shown["label"], "right")
    same = [others[a:b] for a, b in zip(first.tolist(), last.tolist(), strict=True)]
    return shown, [group[group["id"] != node] for node, group in zip(shown["id"], same, strict=True)]


def _formulas(space: CandidateSpace, members: np.ndarray) -> np.ndarray:
    """Each canonical formula once, by its first route."""
    store = space.base.expressions
    found = np.zeros(members.size, dtype=FORMULA)
    for name in CANDIDATE.names:
        found[name] = members[name]
    found = found[np.lexsort((found["right"], found["left"], found["op"]))]
    for op in np.unique(found["op"]):
        here = found["op"] == op
        raw = space.add(store, int(op), found["left"][here], found["right"][here])
        found["id"][here], found["factor"][here] = strip_numbers(store, raw)
    found = found[np.unique(found["id"], return_index=True)[1]]
    ids = found["id"]
    found["complexity"], found["hash"] = store.complexity[ids], store.hash[ids]
    found["place"] = _places(store, ids)
    return found[(store.form[ids] != NUMBER) & ~store.rejected[ids]]


def candidate_values(space: CandidateSpace, records: np.ndarray) -> np.ndarray:
    """Values of candidates as rows."""
    rows = np.empty((records.size, space.base.values.shape[1]))
    for op in np.unique(records["op"]):
        here = np.flatnonzero(records["op"] == op)
        part = np.empty((here.size, rows.shape[1]))
        left, right = records["left"][here], records["right"][here]
        fill_rows(space.steps(int(op)), space.base.values, left, right, part)
        rows[here] = part
    return rows


# -- order ----------------------------------------------------------------------------------------


def _slack(score: float, left: float) -> float:
    """How far the scores of one class may lie apart, four times, and rounding."""
    return 8.0 * _WINDOW * float(np.sqrt(left * max(1.0 - score, 0.0))) + 1e-8 * left + 1e-14


def _rank_keys(records: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sort keys: score, best first, before complexity."""
    return records["complexity"], -np.round(records["score"], _DIGITS)


def _rank(records: np.ndarray) -> np.ndarray:
    """Order of candidates by score, complexity and route."""
    return np.lexsort((records["right"], records["left"], records["op"], *_rank_keys(records)))


def _by_simplicity(formulas: np.ndarray) -> np.ndarray:
    """Order of formulas: simple ones first, then those of the first columns."""
    return np.lexsort((formulas["hash"], formulas["place"], formulas["complexity"]))


def _places(store: Expressions, ids: np.ndarray) -> np.ndarray:
    """Sum of the places of the columns of every formula."""
    op, left, right = store.op, store.left, store.right
    places = np.zeros(int(ids.max(initial=0)) + 1, dtype=np.int64)
    _add_places(op, left, right, reachable(op, left, right, ids), places)
    return places[ids]


@numba.njit(cache=True, nogil=True)
def _add_places(op, left, right, nodes, places):
    """Sum over the leaves below every node; children come before parents in ``nodes``."""
    for node in nodes:
        if op[node] == LEAF:
            places[node] = left[node]
        elif op[node] > LEAF:
            places[node] = places[left[node]]
            if right[node] >= 0:
                places[node] += places[right[node]]


def _first_of_class(records: np.ndarray, *, by: str) -> np.ndarray:
    """Position of the member of every class that ranks first, or that is simplest."""
    order = _rank(records) if by == "rank" else _by_simplicity(records)
    order = order[np.argsort(records["label"][order], kind="stable")]
    return order[np.flatnonzero(np.diff(records["label"][order], prepend=-1))]


# -- equal values ---------------------------------------------------------------------------------


def _unit_vectors(rows: np.ndarray, centered: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """Unit vectors, logarithms of lengths, tolerance; centred vectors are compared whatever their length."""
    largest = np.abs(rows).max(axis=1, initial=1e-300)
    rows = rows / largest[:, None]
    if centered:
        for _ in range(2):
            rows -= rows.mean(axis=1, keepdims=True)
    norm = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    rows /= norm[:, None]
    if centered:
        return rows, np.zeros(norm.size), _SAME
    return rows, np.log(norm) + np.log(largest), _SAME**2


def merge_equal(unit: np.ndarray, length: np.ndarray, tolerance: float) -> np.ndarray:
    """Class of every unit vector: equal up to sign, and of equal length.

    Vectors are sorted by their projection on a fixed random direction; only
    near ones are compared.

    Parameters
    ----------
    unit : ndarray of shape (n, m)
    length : ndarray of shape (n,)
        Logarithm of the length, or zeros.
    tolerance : float
        Largest 1 - |cosine|.

    Returns
    -------
    ndarray of int64 of shape (n,)
    """
    random = np.random.default_rng(20_180_802).normal(size=(unit.shape[1], 2))
    marks = np.abs(unit @ (random / np.linalg.norm(random, axis=0)))
    order = np.argsort(marks[:, 0], kind="stable")
    labels = np.arange(unit.shape[0])
    _merge_near(unit, length, marks, order, 2.0 * tolerance, labels)
    return labels


@numba.njit(cache=True, nogil=True)
def _merge_near(unit, length, marks, order, limit, labels):
    """Give vectors of squared distance |u - v|^2 = 2 (1 - cosine) within the limit one label."""
    for k in range(order.size):
        i = order[k]
        for back in range(k - 1, -1, -1):
            j = order[back]
            if marks[i, 0] - marks[j, 0] > _WINDOW:
                break
            if abs(marks[i, 1] - marks[j, 1]) > _WINDOW or abs(length[i] - length[j]) > _SAME:
                continue
            same, opposite = 0.0, 0.0
            for t in range(unit.shape[1]):
                same += (unit[i, t] - unit[j, t]) ** 2
                opposite += (unit[i, t] + unit[j, t]) ** 2
            if min(same, opposite) <= limit:
                labels[i] = labels[j]
                break
