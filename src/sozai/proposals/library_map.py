"""Composition-spread libraries: where on a wafer the best composition is, and which library is next."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import helmert

from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.contracts.estimator import BaseEstimator, HasMethods, Interval, check_is_fitted, fit_context
from sozai.contracts.records import with_error
from sozai.numerics.drift_process import DriftProcess
from sozai.numerics.kernels import Kernel
from sozai.proposals.library_boxes import NextLibrary, boxes_around, choose_boxes, next_region
from sozai.proposals.library_drift import DriftDirections
from sozai.proposals.library_grid import LibraryGrid, corner_groups, grid_compositions
from sozai.proposals.library_intake import LibraryTable, formulas_by_name, read_library, require_enough
from sozai.proposals.objectives import Objective, Range, Target
from sozai.proposals.spaces import Mixture

__all__ = ["LibraryBest", "LibraryMap"]

Array = NDArray[np.float64]

#: Own compositions that are reckoned with for the next library, beside drawn ones; centers of boxes.
_OWN_POINTS, _CENTERS = 400, 700


@dataclass(frozen=True, eq=False)
class LibraryBest:
    """The position whose composition is expected to be best.

    Attributes
    ----------
    row : int
        Position, from 0.
    x : dict of str to float
        Composition.
    mean, std : float
        Of the property, without drift and noise.
    probability : float
        That no other position is better.
    name, unit : str

    Examples
    --------
    >>> LibraryBest(3, {"Fe": 0.25, "Co": 0.75}, 1.234, 0.05, 0.6, "Ms", "T")
    LibraryBest(row 3: Fe 0.25, Co 0.75; Ms 1.234 ± 0.050 T, probability 60 %)
    """

    row: int
    x: dict[str, float]
    mean: float
    std: float
    probability: float
    name: str
    unit: str | None = None

    def __repr__(self) -> str:
        where = ", ".join(f"{name} {value:.6g}" for name, value in self.x.items())
        unit = f" {self.unit}" if self.unit else ""
        value = f"{self.name} {with_error(self.mean, self.std)}{unit}"
        return f"LibraryBest(row {self.row}: {where}; {value}, probability {100 * self.probability:.0f} %)"

    def to_frame(self) -> pd.DataFrame:
        """One row: position, composition, mean, std, probability."""
        numbers = {"mean": self.mean, "std": self.std, "probability": self.probability}
        return pd.DataFrame([{"row": self.row, **self.x, **numbers}])


class LibraryMap(BaseEstimator):  # type: ignore[misc]
    r"""Map of one library: hundreds of positions, each with composition, place and measured columns.

    The measured property is taken apart into a smooth function of composition, a drift across the wafer
    and noise; what is mapped, compared and extrapolated is the function of composition.

    Parameters
    ----------
    composition : sequence of str
        Headers of the components; their sum is the same everywhere (1, 100, or any other number).
    columns : sequence of str, optional
        Headers of measured properties.
    derived : str, sequence of str or mapping of str to str
        Formulas of columns, ``"S^2*sigma"``, by name where a mapping:
        :class:`~sozai.contracts.column_formulas.ColumnFormula`.
    objective : str, optional
        Which property counts. Left out: the only derived one, or the only column.
    goal : {"maximize", "minimize"}, Target or Range, default="maximize"
    position : sequence of str, default=()
        Headers of the place on the wafer. Columns that are constant do not count.
    errors : mapping of str to (str or float), optional
        Standard errors of measured columns: a header, a number, or ``"5 %"`` of the value. They are carried
        through the formulas; what they leave unexplained is fitted.
    total : float, optional
        Sum of the composition; found in the table when left out.
    shared : bool, default=True
        One length scale for the whole space of compositions, in which no component is preferred. False:
        one for each principal axis of the library, for libraries that are long and narrow.
    kernel : Kernel, optional
        ``Matern(2.5)`` when left out.
    n_draws : int, default=4096
        Drawn functions behind a probability.
    random_state : int, default=0

    Attributes
    ----------
    best_ : LibraryBest
    probability_ : ndarray of shape (n_positions,)
        That a position is the best of all; sum 1. Positions of one composition share it.
    values_ : DataFrame
        Every property and its standard error (``"<name> error"``), one row a position.
    drift_ : DataFrame
        For each position column ``slope`` and ``error`` (property for one unit of the column) and
        ``explained``, the share of it that composition explains.
    noise_ : float
        Standard deviation of one result beyond the known errors.
    process_ : DriftProcess
    components_, places_ : tuple of str
        Headers of the composition, and of the position columns that vary.
    total_ : float
    name_, unit_ : str
        Of the property that counts.
    hyper_status_ : tuple of str
        What a user should know of the fit.

    See Also
    --------
    sozai.proposals.campaign.Campaign : Single samples, one proposal after the other.

    Notes
    -----
    With fractions c in :math:`k - 1` Helmert coordinates z (an isometry of the simplex) and place r,

    .. math:: y = f(z) + \beta^T(r - \bar r) + \epsilon, \qquad f \sim GP(m, s^2k), \qquad
       \mathrm{var}\,\epsilon_i = \sigma^2 + e_i^2,

    m and :math:`\beta` integrated out (:class:`~sozai.numerics.drift_process.DriftProcess`), :math:`e_i` by
    the delta method. Drift can only be told from composition where the two are not the same: directions
    on the wafer of which a quadratic function of composition explains more than 95 % get no drift, and a
    warning says so. The probability of being best is the share of joint draws of f in which a position
    wins. :meth:`next_library` draws f at compositions in and around the library and takes the box whose
    best composition is expected to gain most.

    Time :math:`O(n^3)`; n = 300 takes about a second. Memory a few n by n arrays and 8 n ``n_draws`` bytes.
    Linear drift only; compositions are taken as exact.

    References
    ----------
    .. [1] I. Takeuchi, J. Lauterbach, M. J. Fasolka, Combinatorial materials synthesis, Mater. Today 8 (10),
       18 (2005).
    .. [2] C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning, MIT Press (2006),
       section 2.7.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> c = rng.dirichlet(np.ones(3), 60)
    >>> S = 100 - 150 * ((c - [0.5, 0.3, 0.2]) ** 2).sum(axis=1) + rng.normal(0, 1, 60)
    >>> table = pd.DataFrame(c, columns=["Fe", "Co", "Ni"]).assign(S=S, sigma=2.0)
    >>> library = LibraryMap(["Fe", "Co", "Ni"], derived="S^2*sigma", errors={"S": "1 %"}).fit(table)
    >>> bool(((np.array(list(library.best_.x.values())) - [0.5, 0.3, 0.2]) ** 2).sum() < 0.02)
    True
    >>> box, = library.next_library()
    >>> bool(box.low["Fe"] < 0.5 < box.high["Fe"])
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "composition": ["array-like", str],  # text is refused by name
        "columns": ["array-like", str, None],
        "derived": [str, Mapping, "array-like"],
        "objective": [str, None],
        "goal": [str, Target, Range],
        "position": ["array-like", str],
        "errors": [Mapping, None],
        "total": [Interval(Real, 0, None, closed="neither"), None],
        "shared": ["boolean"],
        "kernel": [HasMethods(["matrix", "matrix_and_pullback", "diagonal"]), None],
        "n_draws": [Interval(Integral, 1, None, closed="left")],
        "random_state": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        composition: Sequence[str],
        columns: Sequence[str] | None = None,
        *,
        derived: Any = (),
        objective: str | None = None,
        goal: Any = "maximize",
        position: Sequence[str] = (),
        errors: Mapping[str, Any] | None = None,
        total: float | None = None,
        shared: bool = True,
        kernel: Kernel | None = None,
        n_draws: int = 4096,
        random_state: int = 0,
    ) -> None:
        self.composition = composition
        self.columns = columns
        self.derived = derived
        self.objective = objective
        self.goal = goal
        self.position = position
        self.errors = errors
        self.total = total
        self.shared = shared
        self.kernel = kernel
        self.n_draws = n_draws
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> LibraryMap:
        """Read a library, tell composition from drift, and find its best position.

        Parameters
        ----------
        X : DataFrame or mapping of str to array-like
            One row a position; cells of properties may be empty.
        y : None
            Not used.

        Returns
        -------
        LibraryMap
            Itself.

        Raises
        ------
        InputError
            For missing columns, cells that are no numbers, fractions that miss their sum, formulas that are
            not understood or not defined, too few results; each with its place.
        """
        for argument in ("composition", "columns", "position"):
            if isinstance(getattr(self, argument), str):
                raise InputError(
                    sentence("LibraryMap", argument, "be a list of headers", getattr(self, argument),
                             remedy=f"Write [{getattr(self, argument)!r}].")
                )  # fmt: skip
        read = read_library(
            X, list(self.composition), self.columns, formulas_by_name(self.derived), self.errors or {},
            list(self.position), self.total,
        )  # fmt: skip
        k = self._choose(read)
        self.components_, self.places_, self.total_ = read.components, read.places, read.total
        self.name_, self.unit_ = read.names[k], read.units[k]
        self._goal = Objective(self.name_, self.goal)
        self.values_ = read.to_frame()
        self._X, self._y, self._errors = read.X, read.values[:, k], read.errors[:, k]
        known = require_enough(self._y, self.name_, len(read.components))
        self._find_axes(read.X[known])
        self._R, self._directions = read.R, self._tell_apart(read.R[known], read.X[known])
        self.process_ = DriftProcess(self.kernel, shared=self.shared, random_state=int(self.random_state))
        self.process_.fit(
            self._coordinates(read.X[known]), self._y[known], self._directions.coordinates(read.R[known]),
            self._errors[known] ** 2,
        )  # fmt: skip
        self._drift = self._directions.coordinates(read.R) @ self.process_.slopes_
        self.drift_ = self._directions.slopes(self.process_, self.places_)
        self.noise_ = math.sqrt(self.process_.noise_)
        self._compare()
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Property of compositions, without drift and noise.

        Parameters
        ----------
        X : DataFrame, mapping or array-like of shape (m, k)
            Compositions with the sum of the library.
        return_std : bool, default=False

        Returns
        -------
        ndarray of shape (m,), or a pair of them
        """
        check_is_fitted(self)
        space = Mixture(self.components_, total=self.total_)
        points = self._coordinates(space.matrix(X, place="LibraryMap.predict"))
        return self.process_.predict(points, return_std)

    @property
    def positions_(self) -> pd.DataFrame:
        """Composition, place, ``value`` (drift taken off), ``error``, ``mean``, ``std``, ``probability``."""
        check_is_fitted(self)
        numbers = {
            "value": self._y - self._drift, "error": self._errors, "mean": self._mean, "std": self._std,
            "probability": self.probability_,
        }  # fmt: skip
        frame = pd.DataFrame(self._X, columns=list(self.components_))
        return frame.assign(**dict(zip(self.places_, self._R.T, strict=True)), **numbers)

    def to_frame(self) -> pd.DataFrame:
        """The positions."""
        return self.positions_

    def map(self, corners: Sequence[str | Sequence[str]] | None = None, *, n_steps: int = 50) -> LibraryGrid:
        """Property over a triangle (or a line) of compositions.

        Parameters
        ----------
        corners : sequence of (str or sequence of str), optional
            Two or three components, or groups of them for a pseudo-ternary map: ``["Fe", "Co", ["Ni",
            "Cu"]]``. Inside a group the ratios are those of the best position. Left out: the components that
            vary, in their order, from the third on together.
        n_steps : int, default=50
            Along an edge.

        Returns
        -------
        LibraryGrid
        """
        check_is_fitted(self)
        if isinstance(n_steps, bool) or not isinstance(n_steps, (int, np.integer)) or n_steps < 1:
            raise InputError(sentence("LibraryMap.map", "n_steps", "be a whole number of 1 or more", n_steps))
        varying = [name for name, spread in zip(self.components_, np.ptp(self._X, axis=0), strict=True)
                   if spread > 1e-9 * self.total_]  # fmt: skip
        groups = corner_groups(corners, self.components_, varying)
        numbers = [[self.components_.index(name) for name in group] for group in groups.values()]
        points, amounts, origin = grid_compositions(self._X, self._X[self.best_.row], numbers, n_steps)
        mean, std = self.process_.predict(self._coordinates(points), return_std=True)
        names = tuple(groups)
        grid = pd.DataFrame(points, columns=list(self.components_))
        corner_columns = {name: amounts[:, j] for j, name in enumerate(names) if name not in grid}
        grid = grid.assign(
            **corner_columns, mean=mean, std=std, known=std**2 < 0.5 * self.process_.amplitude_
        )
        seen = {name: self._X[:, group].sum(axis=1) for name, group in zip(names, numbers, strict=True)}
        rest = self.positions_[["value", "error", "mean", "std", "probability"]]
        return LibraryGrid(
            names, tuple(origin.tolist()), grid, pd.DataFrame(seen).join(rest), self.name_, self.unit_,
            float(amounts[0].sum()), groups,
        )  # fmt: skip

    def next_library(
        self,
        n: int = 1,
        *,
        width: float | Mapping[str, float] | None = None,
        bounds: Mapping[str, tuple[float, float]] | None = None,
        n_points: int = 1000,
    ) -> list[NextLibrary]:
        """Boxes of compositions whose best composition is expected to gain most.

        Parameters
        ----------
        n : int, default=1
            Libraries that will be made at the same time; the first does not depend on it.
        width : float or mapping of str to float, optional
            Size of the box along every component, in the unit of the composition. Half the range of this
            library when left out.
        bounds : mapping of str to (float, float), optional
            Where libraries can be made. Components left out: the range of this library, wider by one width
            on both sides. A component that does not vary stays where it is.
        n_points : int, default=1000
            Compositions that are drawn; the positions of the library are added.

        Returns
        -------
        list of NextLibrary
            Best first.

        Notes
        -----
        512 joint draws of the property at all these compositions; 10 ms for each hundred of them squared.
        """
        check_is_fitted(self)
        for argument, value in (("n", n), ("n_points", n_points)):
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise InputError(
                    sentence("LibraryMap.next_library", argument, "be a whole number of 1 or more", value)
                )
        size, space, varying = next_region(self._X, self.components_, self.total_, width, bounds)
        rng = np.random.default_rng([int(self.random_state), 2])
        own = np.unique(self._X[space.contains(self._X[:, varying])], axis=0)
        own = own[np.sort(rng.permutation(len(own))[:_OWN_POINTS])]
        drawn = np.repeat(self._X.mean(axis=0)[None, :], n_points, axis=0)
        drawn[:, varying] = space.sample(n_points, rng)
        points = np.concatenate([own, drawn])
        functions = self.process_.sample(self._coordinates(points), 512, rng)
        best = float(self._merit(self._mean).max())
        gains = np.maximum(self._merit(functions) - best, 0.0)
        centers = points[:_CENTERS] if gains.any() else self._X[[self.best_.row]]
        low, high = boxes_around(centers, size, space, varying)
        chosen, scores, chances = choose_boxes(points, low, high, gains, int(n))
        if len(chosen) < n:
            warnings.warn(
                f"LibraryMap.next_library: {len(chosen)} of {n} libraries; no further box holds anything "
                "better in 512 drawn functions. Measure these first, or widen the bounds.",
                ConvergenceWarning,
                stacklevel=2,
            )
        merit = self._merit(functions.mean(axis=1))
        found = []
        for k, score, chance in zip(chosen, scores, chances, strict=True):
            inside = ((points >= low[k]) & (points <= high[k])).all(axis=1)
            hopeful = int(np.argmax(np.where(inside, merit, -np.inf)))
            found.append(self._next(low[k], high[k], score, chance, points[hopeful], len(found)))
        return found

    # --- inside --------------------------------------------------------------------------------------

    def _choose(self, read: LibraryTable) -> int:
        """Number of the property that counts."""
        n_columns = len(self.columns or ())
        wanted = self.objective
        if wanted is None and len(read.names) > n_columns and len(read.names) - n_columns == 1:
            return len(read.names) - 1
        if wanted is None and len(read.names) == 1:
            return 0
        headers = [
            f"{name} [{unit}]" if unit else name for name, unit in zip(read.names, read.units, strict=True)
        ]
        for names in (headers, list(read.names)):
            if wanted is not None and names.count(wanted) == 1:
                return names.index(wanted)
        raise InputError(
            sentence("LibraryMap.fit", "objective", f"name one of the properties ({', '.join(headers)})",
                     wanted, remedy="Give objective, or one column or formula only.")
        )  # fmt: skip

    def _find_axes(self, X: Array) -> None:
        """Orthonormal axes of compositions, shape (k, k - 1); the library's own ones where asked for."""
        basis = helmert(X.shape[1]).T
        self._center = X.mean(axis=0) / self.total_
        coordinates = (X / self.total_ - self._center) @ basis
        _, vectors = np.linalg.eigh(coordinates.T @ coordinates)
        self._axes = basis if self.shared else basis @ vectors[:, ::-1]

    def _coordinates(self, X: Array) -> Array:
        """Helmert coordinates about the library's middle."""
        return np.asarray((X / self.total_ - self._center) @ self._axes)

    def _tell_apart(self, R: Array, X: Array) -> DriftDirections:
        """Directions with a drift of their own; a warning names those without."""
        found = DriftDirections.of(R, self._coordinates(X))
        self.hyper_status_: tuple[str, ...] = ()
        if found.is_confounded:
            text = (
                f"drift along {', '.join(found.names(self.places_))} cannot be told from composition, which "
                f"explains {100 * found.worst:.1f} % of it, and was not taken off"
            )
            self.hyper_status_ = (text,)
            warnings.warn(
                f"LibraryMap.fit: {text}. Measure some compositions again at other positions (turn the "
                "wafer), or leave the position out.",
                ConvergenceWarning,
                stacklevel=4,
            )
        return found

    def _compare(self) -> None:
        """Mean and deviation at every position, and the probability that it is best."""
        Z = self._coordinates(self._X)
        self._mean, self._std = self.process_.predict(Z, return_std=True)
        alone, which = np.unique(np.round(self._X / self.total_, 9), axis=0, return_inverse=True)
        which = which.ravel()
        rng = np.random.default_rng([int(self.random_state), 1])
        draws = self._merit(self.process_.sample(self._coordinates(alone * self.total_), self.n_draws, rng))
        wins = draws == draws.max(axis=0)
        chance = (wins / wins.sum(axis=0)).mean(axis=1)
        self.probability_ = chance[which] / np.bincount(which)[which]
        row = int(np.argmax(self._merit(self._mean)))
        self.best_ = LibraryBest(
            row, dict(zip(self.components_, self._X[row].tolist(), strict=True)), float(self._mean[row]),
            float(self._std[row]), float(self.probability_[row]), self.name_, self.unit_,
        )  # fmt: skip

    def _merit(self, values: Array) -> Array:
        """What is to be large: the value, its negative, or minus the distance from what is wanted."""
        goal = self._goal.goal
        if isinstance(goal, Target):
            return -np.abs(values - goal.value)
        if isinstance(goal, Range):
            return -np.maximum(np.maximum(goal.low - values, values - goal.high), 0.0)
        return self._goal.sign * values

    def _next(
        self, low: Array, high: Array, score: float, chance: float, at: Array, before: int
    ) -> NextLibrary:
        """Record of one box."""
        ends = Mixture(
            self.components_, self.total_,
            {name: (float(a), float(b)) for name, a, b in zip(self.components_, low, high, strict=True)},
        ).bounds  # fmt: skip
        mean, std = self.process_.predict(self._coordinates(at[None, :]), return_std=True)
        low_at, high_at, x = (
            {name: float(f"{value:.6g}") for name, value in zip(self.components_, numbers, strict=True)}
            for numbers in (ends[:, 0], ends[:, 1], at)
        )
        box = NextLibrary(
            low_at, high_at, float(score), float(chance), x, float(mean[0]), float(std[0]), self.total_
        )
        return box.with_reason(self.name_, self.best_.mean, before)
