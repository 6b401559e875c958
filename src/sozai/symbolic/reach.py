"""Where a law certainly reaches a target: boxes of columns, the uncertainty of the law included."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from sozai.contracts.errors import ConvergenceWarning, ExtrapolationWarning, InputError, sentence
from sozai.symbolic.formulas.box_paving import Paving, pave
from sozai.symbolic.formulas.global_maximum import Maximum, maximize
from sozai.symbolic.formulas.law_program import LawProgram, compile_bound, compile_law
from sozai.symbolic.limit_region import LawRegion, read_region

__all__ = ["Reach", "reach"]

_MOST_BOXES = 1000


@dataclass(frozen=True, eq=False, repr=False)
class Reach:
    """Where a law reaches a target.

    Attributes
    ----------
    answer : {"reachable", "not reachable", "undecided"}
        ``"not reachable"`` is certain for the whole region.
    target_value : float
    goal : {">=", "<="}
    level : float or None
        Level of the prediction interval whose end is compared; None: the law alone.
    names : tuple of str
        Columns that occur in the law or in a constraint.
    low, high : ndarray of shape (n_boxes, n_columns)
        Boxes in which every point that meets the constraints reaches the
        target, in the units of the table; the largest first, at most 1,000.
    certified : ndarray of shape (n_boxes,)
        What the prediction bound certainly reaches in each box.
    share, undecided : float
        Shares of the volume inside the boxes, and not decided.
    best : dict of str to float
        Point where the target is reached most surely, or missed least.
    best_value : float
        The prediction bound there.
    best_bound : float
        What the prediction bound cannot exceed (fall below, for ``"<="``) anywhere.
    applicable : bool
        The region lies inside the training data.
    n_boxes : int
        Boxes looked at.
    target, unit : str or None
    units : tuple of str or None

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sozai.symbolic import SymbolicRegressor
    >>> X = pd.DataFrame({"x": np.linspace(0, 1, 12)})
    >>> law = SymbolicRegressor(max_order=1).fit(X, (2 * X["x"]).rename("y"))
    >>> found = reach(law, 1.5)
    >>> found.answer, found.low.round(1).tolist(), found.high.round(1).tolist()
    ('reachable', [[0.8]], [[1.0]])
    """

    answer: str
    target_value: float
    goal: str
    level: float | None
    names: tuple[str, ...]
    low: np.ndarray
    high: np.ndarray
    certified: np.ndarray
    share: float
    undecided: float
    best: dict[str, float]
    best_value: float
    best_bound: float
    applicable: bool
    n_boxes: int
    target: str | None
    unit: str | None
    units: tuple[str | None, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row a box: both ends of every column, and what is certainly reached."""
        ends = {}
        for i, name in enumerate(self.names):
            label = f"{name} [{self.units[i]}]" if self.units[i] else name
            ends[f"{label} from"], ends[f"{label} to"] = self.low[:, i], self.high[:, i]
        return pd.DataFrame({**ends, "certified": self.certified})

    def __repr__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        wanted = f"{self.target or 'y'} {self.goal} {self.target_value:.6g}{unit}"
        if self.answer == "not reachable":
            return f"Reach({wanted}: not reachable inside the domain; at best {self.best_bound:.6g}{unit})"
        size = f"{100 * self.share:.3g} % of the domain in {len(self.low)} boxes"
        rest = f", {100 * self.undecided:.2g} % undecided" if self.undecided > 0 else ""
        return f"Reach({wanted}: {self.answer}; {size}{rest})"


def reach(
    law: Any,
    target: float,
    domain: Any = None,
    constraints: Any = (),
    goal: str = ">=",
    *,
    level: float | None = 0.95,
    tolerance: float = 2e-2,
    max_boxes: float = 1e5,
    progress: Callable[[int, int], object] | None = None,
) -> Reach:
    r"""Boxes of columns in which a fitted law certainly reaches a target.

    Parameters
    ----------
    law : SymbolicRegressor
        Fitted.
    target : float
        In the unit of the target.
    domain, constraints
        As in :func:`sozai.symbolic.limits.limits`.
    goal : {">=", "<="}, default=">="
        At least, or at most, the target.
    level : float or None, default=0.95
        The lower (upper) end of the prediction interval of this level must
        reach the target, so that a new measurement does so in 97.5 of 100
        cases; None compares the law itself.
    tolerance : float, default=2e-2
        Share of the region that may stay undecided; a small answer is resolved
        further, down to a tenth of this or of its own size.
    max_boxes : float, default=1e5
    progress : callable, optional
        Gets the number of boxes and ``max_boxes``.

    Returns
    -------
    Reach

    Raises
    ------
    InputError
        A target that is not finite, and all that :func:`sozai.symbolic.limits.limits` refuses.

    Warns
    -----
    ExtrapolationWarning
        The box is wider than the training data.
    ConvergenceWarning
        More than ``tolerance`` of the region stays undecided.

    Notes
    -----
    The quantity is :math:`\hat y - t\,s\sqrt{1 + r^T P r}`, :math:`r = (1,
    f_1(x), ...)`. Its certified maximum decides whether the target can be
    reached at all; then boxes are halved, the largest first, until interval
    arithmetic, rounded outwards, puts each above or below the target. With an
    equation among the constraints the boxes are neighborhoods of the solutions:
    a point of a box counts only where it meets the constraints.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.symbolic import SymbolicRegressor
    >>> X = np.random.default_rng(0).uniform(0, 1, (30, 2))
    >>> law = SymbolicRegressor().fit(X, X[:, 0] * X[:, 1])
    >>> reach(law, 1.5).answer
    'not reachable'
    """
    _check(target, goal, level, tolerance, max_boxes)
    where = read_region(law, domain, constraints, place="reach")
    sign = 1.0 if goal == ">=" else -1.0
    program = _program(law, where, sign, level)
    threshold = sign * float(target)
    size = float(np.ptp(law.model_.target)) or max(abs(threshold), 1e-300)
    top = maximize(program, where.region, tolerance=1e-4 * size, max_boxes=max_boxes, stop_below=threshold)
    if top.x is None:
        raise InputError(
            sentence(
                "reach",
                "the region",
                "hold a point that meets the constraints and at which the law is defined",
                ", ".join(map(str, where.constraints)) or "no such point",
                remedy="Widen the domain or drop a constraint.",
            )
        )
    paved = None
    if top.upper >= threshold:
        paved = pave(
            program, where.region, threshold, tolerance=tolerance, max_boxes=max_boxes, progress=progress
        )
    found = _record(law, where, top, paved, float(target), goal, level, sign)
    _warn(found, where, tolerance)
    return found


def _check(target: float, goal: str, level: float | None, tolerance: float, max_boxes: float) -> None:
    """Refuse arguments outside their range."""
    if not np.isfinite(target):
        raise InputError(sentence("reach", "target", "be finite", target, remedy="Give a number."))
    if goal not in (">=", "<="):
        raise InputError(sentence("reach", "goal", "be '>=' or '<='", goal, remedy="Choose one of them."))
    if level is not None and not 0 < level < 1:
        raise InputError(
            sentence("reach", "level", "lie between 0 and 1, or be None", level, remedy="Use 0.95.")
        )
    if not 0 < tolerance < 1:
        raise InputError(sentence("reach", "tolerance", "lie between 0 and 1", tolerance, remedy="Use 0.02."))
    if not 1 <= max_boxes <= 1e8:
        raise InputError(
            sentence("reach", "max_boxes", "lie between 1 and 1e8", max_boxes, remedy="Use 1e5.")
        )


def _program(law: Any, where: LawRegion, sign: float, level: float | None) -> LawProgram:
    """The quantity that has to be at least the signed target."""
    model, ids = law.model_, law._ids(law.model_)
    coefficients, intercept = sign * model.coefficients, sign * model.intercept
    if level is None:
        return compile_law(law.expressions_, ids, coefficients, intercept, columns=where.columns)
    freedom = max(len(model.fitted) - model.n_parameters, 1)
    return compile_bound(
        law.expressions_,
        ids,
        coefficients,
        intercept,
        columns=where.columns,
        covariance=model.covariance,
        variance=model.residual_variance,
        quantile=float(student.ppf((1 + level) / 2, freedom)),
    )


def _record(
    law: Any,
    where: LawRegion,
    top: Maximum,
    paved: Paving | None,
    target: float,
    goal: str,
    level: float | None,
    sign: float,
) -> Reach:
    """What was found, in the units of the table."""
    n = len(where.names)
    none = np.empty((0, n))
    paved = paved or Paving(none, none, np.empty(0), 0.0, 1.0, 0.0, 0)
    reached = top.lower >= sign * target or len(paved.low) > 0
    possible = top.upper >= sign * target and paved.undecided > 0
    return Reach(
        answer="reachable" if reached else "undecided" if possible else "not reachable",
        target_value=target,
        goal=goal,
        level=level,
        names=where.names,
        low=np.array([where.as_given(x) for x in paved.low[:_MOST_BOXES]]).reshape(-1, n),
        high=np.array([where.as_given(x) for x in paved.high[:_MOST_BOXES]]).reshape(-1, n),
        certified=sign * paved.floor[:_MOST_BOXES],
        share=paved.inside,
        undecided=paved.undecided,
        best=dict(zip(where.names, where.as_given(top.x).tolist(), strict=True)),
        best_value=sign * top.lower,
        best_bound=sign * top.upper,
        applicable=not where.wider,
        n_boxes=top.n_boxes + paved.n_boxes,
        target=law.columns_.target,
        unit=law.columns_.target_unit,
        units=where.units,
    )


def _warn(found: Reach, where: LawRegion, tolerance: float) -> None:
    """Warn about extrapolation and about what stayed undecided."""
    if where.wider:
        warnings.warn(
            f"reach: the domain is wider than the training data ({'; '.join(where.wider)}), so the answer "
            "is an extrapolation.",
            ExtrapolationWarning,
            stacklevel=3,
        )
    if found.undecided > tolerance:
        warnings.warn(
            f"reach: {100 * found.undecided:.3g} % of the domain are undecided after {found.n_boxes} boxes. "
            "Raise max_boxes, or narrow the domain.",
            ConvergenceWarning,
            stacklevel=3,
        )
