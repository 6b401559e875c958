"""Peaks that know each other: doublets, equal widths, fixed splittings, as one linear map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.peaks.tie_expressions import Expression, Tie, of, tie

__all__ = [
    "D_RATIO",
    "F_RATIO",
    "P_RATIO",
    "Doublet",
    "Expression",
    "Tie",
    "TieTable",
    "compile_ties",
    "of",
    "tie",
]

Floats = NDArray[np.float64]

#: Area of p1/2 over p3/2: the levels hold 2j + 1 electrons.
P_RATIO = 1.0 / 2.0
#: Area of d3/2 over d5/2.
D_RATIO = 2.0 / 3.0
#: Area of f5/2 over f7/2.
F_RATIO = 3.0 / 4.0

_WIDTHS = ("fwhm", "fwhm_gauss", "fwhm_lorentz", "half_width")
_AREAS = ("area", "area_gauss", "area_lorentz")
_PARTS = ("splitting", "ratio", "width_ratio")


@dataclass(frozen=True)
class Doublet:
    """Two lines split by spin and orbit: the second follows the first.

    Parameters
    ----------
    splitting : float
        Position of the second minus that of the first, in units of the axis.
    ratio : float
        Area of the second over that of the first: ``P_RATIO`` 1:2, ``D_RATIO`` 2:3, ``F_RATIO`` 3:4.
    width_ratio : float, default=1.0
        Width of the second over that of the first.
    fixed : tuple of {"splitting", "ratio", "width_ratio"}
        What is held; the rest is fitted, with the numbers above as start. With the ratio held, the
        Lorentz share is common; the other parameters of the shape (asymmetry, exponent) always are.

    Examples
    --------
    >>> doublet = Doublet(0.6, P_RATIO)
    >>> for one in doublet.ties("Si 2p3/2", "Si 2p1/2", ("position", "fwhm", "area")):
    ...     print(one)
    Tie(Si 2p1/2.position = Si 2p3/2.position + 0.6)
    Tie(Si 2p1/2.fwhm = Si 2p3/2.fwhm)
    Tie(Si 2p1/2.area = 0.5 Si 2p3/2.area)
    """

    splitting: float
    ratio: float
    width_ratio: float = 1.0
    fixed: tuple[str, ...] = _PARTS

    def __post_init__(self) -> None:
        object.__setattr__(self, "fixed", (self.fixed,) if isinstance(self.fixed, str) else tuple(self.fixed))
        unknown = [part for part in self.fixed if part not in _PARTS]
        if unknown:
            raise InputError(
                sentence("Doublet", "fixed", f"hold names out of {', '.join(_PARTS)}", unknown[0])
            )
        if not np.isfinite(self.splitting):
            raise InputError(sentence("Doublet", "splitting", "be finite", self.splitting))
        for part in ("ratio", "width_ratio"):
            value = getattr(self, part)
            if not (np.isfinite(value) and value > 0.0):
                raise InputError(
                    sentence(
                        "Doublet", part, "be positive and finite", value, remedy="Give a ratio such as 0.5."
                    )
                )

    def ties(self, parent: str, partner: str, parameters: Sequence[str]) -> tuple[Tie, ...]:
        """Ties of the second line to the first.

        Parameters
        ----------
        parent, partner : str
            Labels of the first and the second line.
        parameters : sequence of str
            Internal parameters that both shapes have.
        """
        result = []
        for parameter in parameters:
            whole = of(f"{parent}.{parameter}")
            if parameter == "position":
                part, expression = "splitting", whole + self.splitting
            elif parameter in _WIDTHS:
                part, expression = "width_ratio", self.width_ratio * whole
            elif parameter in _AREAS:
                part, expression = "ratio", self.ratio * whole
            else:
                part, expression = "", whole
            if not part or part in self.fixed:
                result.append(Tie(f"{partner}.{parameter}", expression))
        return tuple(result)


@dataclass(frozen=True, eq=False, repr=False)
class TieTable:
    """All parameters as a linear map of the free ones: θ = T u + t0.

    Attributes
    ----------
    T : ndarray of shape (p, q)
    t0 : ndarray of shape (p,)
    names, free_names : tuple of str
        Of θ and of u; the free parameters are those of θ that nothing ties or fixes, in their order.
    lower, upper : ndarray of shape (q,)
        Box of u: its own bounds, and those of every parameter that follows from it alone.

    Examples
    --------
    >>> table = compile_ties(("a.fwhm", "b.fwhm"), [tie("b.fwhm", 2 * of("a.fwhm"))])
    >>> table
    TieTable(2 parameters, 1 free)
    >>> table.T.tolist()
    [[1.0], [2.0]]
    """

    T: Floats
    t0: Floats
    names: tuple[str, ...]
    free_names: tuple[str, ...]
    lower: Floats
    upper: Floats

    def __repr__(self) -> str:
        return f"TieTable({len(self.names)} parameters, {len(self.free_names)} free)"

    def project(self, theta: Any) -> Floats:
        """Nearest parameters that obey all ties, in least squares, with u inside its box.

        Parameters
        ----------
        theta : array-like of shape (p,) or (R, p)

        Returns
        -------
        ndarray of the same shape

        Examples
        --------
        >>> table = compile_ties(("a.fwhm", "b.fwhm"), [tie("b.fwhm", "a.fwhm")])
        >>> table.project([1.0, 3.0]).round(12).tolist()
        [2.0, 2.0]
        """
        values = np.asarray(theta, dtype=np.float64)
        free = (values - self.t0) @ np.linalg.pinv(self.T).T
        return np.asarray(np.clip(free, self.lower, self.upper) @ self.T.T + self.t0)


def compile_ties(
    names: Sequence[str],
    ties: Iterable[Tie] = (),
    fixed: Mapping[str, float] | None = None,
    bounds: Mapping[str, tuple[float | None, float | None]] | None = None,
) -> TieTable:
    r"""Resolve ties, fixed values and bounds into θ = T u + t0 with a box of u.

    Parameters
    ----------
    names : sequence of str
        ``"label.parameter"`` of all p entries of θ.
    ties : iterable of Tie
        At most one per parameter. They may refer to tied parameters, but not in a circle.
    fixed : mapping of str to float, optional
    bounds : mapping of str to (lower, upper), optional
        None is no bound. A bound on a tied parameter becomes one on the parameter it follows from.

    Returns
    -------
    TieTable

    Raises
    ------
    InputError
        Names that are unknown or tied twice, a circle (the message shows the chain), a value out
        of bounds, or a bound on a parameter that follows from several free ones.

    Notes
    -----
    Cost O(p q) for each tie, once per model. The Jacobian of a tied model is J T.

    Examples
    --------
    >>> names = ("a.position", "a.area", "b.position", "b.area")
    >>> ties = [tie("b.position", of("a.position") + 0.6), tie("b.area", 0.5 * of("a.area"))]
    >>> table = compile_ties(names, ties, bounds={"b.position": (100.6, 101.6)})
    >>> table.free_names, table.lower.round(9).tolist(), table.upper.round(9).tolist()
    (('a.position', 'a.area'), [100.0, -inf], [101.0, inf])
    """
    names = tuple(names)
    known = {name: i for i, name in enumerate(names)}
    rules: dict[str, Expression] = {}
    for given in ties:
        for one in _both_areas(given, known):
            _add_rule(rules, one, known)
    for name, value in (fixed or {}).items():
        for part in _parts_of(name, known, "fixed"):
            if not np.isfinite(value):
                raise InputError(sentence("compile_ties", "fixed", "be finite", value, at=f"for {part!r}"))
            _add_rule(rules, Tie(part, Expression((), float(value))), known)
    free_names = tuple(name for name in names if name not in rules)
    place = {name: j for j, name in enumerate(free_names)}
    T, t0 = np.zeros((len(names), len(free_names))), np.zeros(len(names))
    done: set[str] = set()
    for name in names:
        _resolve(name, rules, known, place, T, t0, done, ())
    lower, upper = _box(bounds or {}, known, free_names, T, t0)
    return TieTable(T, t0, names, free_names, lower, upper)


def _parts_of(name: str, known: Mapping[str, int], argument: str, *, at: str = "") -> tuple[str, ...]:
    """Return the name itself, or the two areas that ``"label.area"`` stands for."""
    if name in known:
        return (name,)
    parts = (f"{name}_gauss", f"{name}_lorentz")
    if name.endswith(".area") and all(part in known for part in parts):
        return parts
    raise InputError(
        sentence(
            "compile_ties", argument, f"name parameters out of {', '.join(known)}", name, at=at,
            remedy="Write 'label.parameter'.",
        )
    )  # fmt: skip


def _both_areas(given: Tie, known: Mapping[str, int]) -> tuple[Tie, ...]:
    """Split a tie of a whole area into those of its two parts."""
    where = f"in {given!r}"
    targets = _parts_of(given.name, known, "ties", at=where)
    sources = [_parts_of(name, known, "ties", at=where) for name, _ in given.expression.terms]
    if len(targets) == 1 and all(len(parts) == 1 for parts in sources):
        return (given,)
    fits = all(len(parts) == len(targets) for parts in sources)
    if len(targets) == 1 or not fits or given.expression.constant != 0.0:
        raise InputError(
            sentence(
                "compile_ties", "a tie of areas that have two parts",
                "join peaks of the same shape, without a constant", given,
                remedy="Tie area_gauss and area_lorentz one by one.",
            )
        )  # fmt: skip
    factors = [factor for _, factor in given.expression.terms]
    return tuple(
        Tie(target, Expression(tuple((parts[i], f) for parts, f in zip(sources, factors, strict=True))))
        for i, target in enumerate(targets)
    )


def _add_rule(rules: dict[str, Expression], one: Tie, known: Mapping[str, int]) -> None:
    if one.name in rules:
        raise InputError(
            sentence(
                "compile_ties", "a parameter", "be tied or fixed once", one,
                at=f"beside {Tie(one.name, rules[one.name])!r}", remedy="Drop one of the two.",
            )
        )  # fmt: skip
    rules[one.name] = one.expression


def _resolve(
    name: str,
    rules: Mapping[str, Expression],
    known: Mapping[str, int],
    place: Mapping[str, int],
    T: Floats,
    t0: Floats,
    done: set[str],
    chain: tuple[str, ...],
) -> None:
    """Fill the row of a parameter, those it follows from first."""
    if name in done:
        return
    if name in chain:
        circle = " -> ".join((*chain[chain.index(name) :], name))
        raise InputError(
            sentence(
                "compile_ties", "ties", "not go in a circle", circle,
                remedy="Leave one of these parameters free.",
            )
        )  # fmt: skip
    row = known[name]
    if name in place:
        T[row, place[name]] = 1.0
    else:
        expression = rules[name]
        for other, factor in expression.terms:
            _resolve(other, rules, known, place, T, t0, done, (*chain, name))
            T[row] += factor * T[known[other]]
            t0[row] += factor * t0[known[other]]
        t0[row] += expression.constant
    done.add(name)


def _box(
    bounds: Mapping[str, tuple[float | None, float | None]],
    known: Mapping[str, int],
    free_names: tuple[str, ...],
    T: Floats,
    t0: Floats,
) -> tuple[Floats, Floats]:
    """Bounds of u from those of θ."""
    lower, upper = np.full(len(free_names), -np.inf), np.full(len(free_names), np.inf)
    for given, pair in bounds.items():
        low = -np.inf if pair[0] is None else float(pair[0])
        high = np.inf if pair[1] is None else float(pair[1])
        if not low <= high:
            raise InputError(
                sentence(
                    "compile_ties", "bounds", "be (lower, upper) in this order", pair, at=f"for {given!r}"
                )
            )
        for name in _parts_of(given, known, "bounds"):
            row = known[name]
            columns = np.flatnonzero(T[row])
            if columns.size == 0:
                _require_inside(t0[row], low, high, name)
            elif columns.size == 1:
                j, factor = int(columns[0]), T[row, columns[0]]
                ends = sorted(((low - t0[row]) / factor, (high - t0[row]) / factor))
                lower[j], upper[j] = max(lower[j], ends[0]), min(upper[j], ends[1])
                if lower[j] > upper[j]:
                    raise InputError(
                        sentence(
                            "compile_ties", "bounds", "leave room for all tied parameters",
                            (float(lower[j]), float(upper[j])), at=f"for {free_names[j]!r}",
                            remedy=f"Widen the bounds of {name!r} or of what it is tied to.",
                        )
                    )  # fmt: skip
            elif np.isfinite(low) or np.isfinite(high):
                follows = ", ".join(free_names[j] for j in columns)
                raise InputError(
                    sentence(
                        "compile_ties", "bounds", "be on parameters that follow from one free one", name,
                        at=f"which follows from {follows}", remedy="Bound these instead.",
                    )
                )  # fmt: skip
    return lower, upper


def _require_inside(value: float, low: float, high: float, name: str) -> None:
    if not low <= value <= high:
        raise InputError(
            sentence(
                "compile_ties", "a fixed value", f"lie in its bounds [{low:.6g}, {high:.6g}]", float(value),
                at=f"for {name!r}", remedy="Move the bounds or the value.",
            )
        )  # fmt: skip
