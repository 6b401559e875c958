"""Where a law may be trusted: the region its training rows have seen, and why a new row falls outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sozai.symbolic.formulas.grammar import parse_into
from sozai.symbolic.formulas.operators import OPERATIONS

if TYPE_CHECKING:
    from sozai.symbolic.formulas.expressions import Expressions

__all__ = ["TrainingDomain"]

_OP_NAMES = {operation.code: name for name, operation in OPERATIONS.items()}
_SINGULAR_AT_ZERO = {"inverse", "log", "sqrt"}


@dataclass(frozen=True)
class TrainingDomain:
    """The region in which a fitted law has been tested.

    Attributes
    ----------
    names : tuple of str
        Primary columns.
    low, high : ndarray of shape (n_primary,)
        Interval of every primary column: the training rows, widened to the
        interval the user declared.
    terms : tuple of str
        The law's terms as text.
    term_low, term_high : ndarray of shape (n_terms,)
        Interval of every term over the training rows.
    guards : tuple of (kind, text, low, high)
        Arguments of ``|.|`` (``kind="sign"``) and denominators or arguments of
        log and sqrt (``kind="singular"``) with their interval over the
        training rows; for ``"singular"`` ``low`` is the smallest magnitude.
    leverage_limit : float
        Three times the mean leverage, or the largest training leverage where
        that is larger.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.symbolic.operations import Expressions
    >>> store = Expressions(["a", "b"])
    >>> ratio = store.add("inverse", store.leaf(1))
    >>> X = np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 5.0]])
    >>> region = TrainingDomain.of(store, ratio, X, leverage_limit=1.0)
    >>> region.reasons(store, ratio, np.array([[4.0, 5.2]]), leverage=np.array([0.1]))[0]
    'b = 5.2 is above 5'
    """

    names: tuple[str, ...]
    low: np.ndarray
    high: np.ndarray
    terms: tuple[str, ...]
    term_low: np.ndarray
    term_high: np.ndarray
    guards: tuple[tuple[str, str, float, float], ...]
    leverage_limit: float

    @classmethod
    def of(
        cls,
        store: Expressions,
        ids: np.ndarray,
        X: np.ndarray,
        *,
        leverage_limit: float,
        declared: dict[str, tuple[float, float]] | None = None,
    ) -> TrainingDomain:
        """Read the region off the training rows ``X`` of shape (n_samples, n_primary)."""
        ids = np.atleast_1d(np.asarray(ids, dtype=np.int64))
        low, high = X.min(axis=0), X.max(axis=0)
        for j, name in enumerate(store.names):
            if declared and name in declared:
                low[j], high[j] = min(low[j], declared[name][0]), max(high[j], declared[name][1])
        values = store.evaluate(ids, X)
        guards = []
        for kind, node in _guarded_nodes(store, ids):
            argument = store.evaluate(np.array([node]), X)[:, 0]
            if kind == "sign":
                guards.append((kind, store.text(node), float(argument.min()), float(argument.max())))
            else:
                guards.append((kind, store.text(node), float(np.abs(argument).min()), float("inf")))
        return cls(
            names=tuple(store.names),
            low=low,
            high=high,
            terms=tuple(store.text(i) for i in ids),
            term_low=values.min(axis=0, initial=np.inf),
            term_high=values.max(axis=0, initial=-np.inf),
            guards=tuple(guards),
            leverage_limit=float(leverage_limit),
        )

    def reasons(self, store: Expressions, ids: np.ndarray, X: np.ndarray, leverage: np.ndarray) -> list[str]:
        """One sentence a row: empty inside the region, else every way the row leaves it.

        Parameters
        ----------
        store, ids
            The law's expressions, as given to :meth:`of`.
        X : ndarray of shape (n_samples, n_primary)
        leverage : ndarray of shape (n_samples,)

        Notes
        -----
        A primary column that does not occur in the law is not looked at: it
        cannot move the prediction.
        """
        ids = np.atleast_1d(np.asarray(ids, dtype=np.int64))
        found: list[list[str]] = [[] for _ in range(X.shape[0])]
        with np.errstate(all="ignore"):
            values = store.evaluate(ids, X)
            for row in np.flatnonzero(~np.isfinite(values).all(axis=1)):
                bad = [self.terms[k] for k in np.flatnonzero(~np.isfinite(values[row]))]
                found[row].append(f"{', '.join(bad)} is not defined here")
            self._primary_reasons(found, X, _used_leaves(store, ids))
            self._term_reasons(found, values)
            self._guard_reasons(found, store, X)
        for row in np.flatnonzero(leverage > self.leverage_limit * (1 + 1e-9)):
            found[row].append(f"leverage {leverage[row]:.3g} is above {self.leverage_limit:.3g}")
        return ["; ".join(row) for row in found]

    def frame(self, reasons: list[str], index: pd.Index | None = None) -> pd.DataFrame:
        """Put the reasons beside a flag, one row a sample."""
        return pd.DataFrame({"in_domain": [not reason for reason in reasons], "reason": reasons}, index=index)

    def _primary_reasons(self, found: list[list[str]], X: np.ndarray, used: set[int]) -> None:
        """A primary column outside its interval, beyond rounding."""
        slack = 1e-9 * np.maximum(self.high - self.low, np.abs(self.high))
        for j, name in enumerate(self.names):
            if j not in used:
                continue
            for row in np.flatnonzero(X[:, j] > self.high[j] + slack[j]):
                found[row].append(f"{name} = {X[row, j]:.6g} is above {self.high[j]:.6g}")
            for row in np.flatnonzero(X[:, j] < self.low[j] - slack[j]):
                found[row].append(f"{name} = {X[row, j]:.6g} is below {self.low[j]:.6g}")

    def _term_reasons(self, found: list[list[str]], values: np.ndarray) -> None:
        """A term outside its training interval by more than a tenth of the range."""
        margin = 0.1 * (self.term_high - self.term_low)
        outside = (values > self.term_high + margin) | (values < self.term_low - margin)
        for row, k in np.argwhere(outside & np.isfinite(values)):
            found[row].append(
                f"{self.terms[k]} = {values[row, k]:.6g} is outside "
                f"[{self.term_low[k]:.6g}, {self.term_high[k]:.6g}]"
            )

    def _guard_reasons(self, found: list[list[str]], store: Expressions, X: np.ndarray) -> None:
        """A magnitude whose argument has a new sign, a denominator nearer to zero than ever seen."""
        for kind, text, low, high in self.guards:
            node = parse_into(store, text)
            argument = store.evaluate(np.array([node]), X)[:, 0]
            if kind == "sign":
                new = ((argument < 0) & (low >= 0)) | ((argument > 0) & (high <= 0))
                for row in np.flatnonzero(new):
                    found[row].append(f"{text} = {argument[row]:.6g} has a sign never seen in training")
            else:
                for row in np.flatnonzero(np.abs(argument) < low * (1 - 1e-9)):
                    found[row].append(
                        f"{text} = {argument[row]:.6g} is nearer to 0 than any training row ({low:.6g})"
                    )


def _walk(store: Expressions, ids: np.ndarray) -> list[int]:
    """Every node below ``ids``, each once, in ascending order."""
    seen: set[int] = set()
    stack = [int(i) for i in ids]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if _OP_NAMES[int(store.op[node])] not in ("constant", "leaf"):
            stack.extend(int(child) for child in (store.left[node], store.right[node]) if child >= 0)
    return sorted(seen)


def _guarded_nodes(store: Expressions, ids: np.ndarray) -> list[tuple[str, int]]:
    """Arguments of magnitudes, denominators, logarithms and roots below ``ids``."""
    guards = []
    for node in _walk(store, ids):
        name = _OP_NAMES[int(store.op[node])]
        if name == "abs":
            guards.append(("sign", int(store.left[node])))
        if name in _SINGULAR_AT_ZERO:
            guards.append(("singular", int(store.left[node])))
    return guards


def _used_leaves(store: Expressions, ids: np.ndarray) -> set[int]:
    """Column numbers of the primary columns below ``ids``."""
    return {int(store.left[node]) for node in _walk(store, ids) if _OP_NAMES[int(store.op[node])] == "leaf"}
