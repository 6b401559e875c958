"""Formulas for wished-for properties: change known ones a little, predict, keep the best, again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from sozai.composition.composition_moves import Moves
from sozai.composition.formation_hints import FormationHints
from sozai.composition.formula import parse_formulas
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.progress import Progress, progress_bar

__all__ = ["DesignedFormulas", "Goal", "design_formulas", "open_search"]

Array = NDArray[np.float64]

#: What an element and an atom more must gain in the logarithm of the probability.
_PER_ELEMENT, _PER_ATOM = 0.05, 0.01


@dataclass(frozen=True)
class Goal:
    """What a property should be.

    Parameters
    ----------
    low, high : float or None
        Interval wished for; None is open.

    Examples
    --------
    >>> Goal.of((1.0, 2.0), np.array([0.5, 3.0])), Goal.of("max", np.array([0.5, 3.0]))
    (Goal(low=1.0, high=2.0), Goal(low=3.0, high=None))
    """

    low: float | None
    high: float | None

    @classmethod
    def of(cls, wish: Any, known: Array, *, name: str = "the property") -> Goal:
        """Read a wish.

        Parameters
        ----------
        wish : float, (low, high), "max" or "min"
            A number means within a twentieth of the spread of the known values; ``"max"`` and ``"min"``
            mean better than every known value.
        known : ndarray
            Known values of the property.
        name : str
            For messages.

        Returns
        -------
        Goal

        Raises
        ------
        InputError
            For another word, an empty interval, or a number that is not finite.
        """
        if isinstance(wish, str):
            if wish not in ("max", "min"):
                raise InputError(
                    sentence(
                        "design_formulas", f"the goal of {name}", "be a number, (low, high), 'max' or 'min'",
                        wish, remedy="Pass e.g. 2.1 or (2.0, 2.5).",
                    )
                )  # fmt: skip
            return cls(float(known.max()), None) if wish == "max" else cls(None, float(known.min()))
        if isinstance(wish, Goal):
            return wish
        if np.ndim(wish) == 0:
            half = float(np.std(known)) / 20.0
            low, high = float(wish) - half, float(wish) + half
        else:
            low, high = (None if end is None else float(end) for end in wish)
        ends = [end for end in (low, high) if end is not None]
        if not ends or not np.isfinite(ends).all() or (len(ends) == 2 and ends[0] > ends[1]):
            raise InputError(
                sentence(
                    "design_formulas", f"the goal of {name}", "be an interval with low <= high", wish,
                    remedy="Pass e.g. (2.0, 2.5), or (2.0, None) for at least 2.",
                )
            )  # fmt: skip
        return cls(low, high)

    def probability(self, mean: Array, std: Array) -> Array:
        """Probability that a normal value lies inside, shape of ``mean``."""
        spread = np.maximum(std, 1e-300)
        above = 1.0 if self.high is None else ndtr((self.high - mean) / spread)
        below = 0.0 if self.low is None else ndtr((self.low - mean) / spread)
        return np.asarray(above - below, dtype=np.float64)

    def distance(self, mean: Array, std: Array) -> Array:
        """How many standard deviations the value lies outside, 0 inside."""
        outside = np.zeros_like(mean)
        if self.low is not None:
            outside = np.maximum(outside, self.low - mean)
        if self.high is not None:
            outside = np.maximum(outside, mean - self.high)
        return outside / np.maximum(std, 1e-300)


@dataclass(frozen=True, eq=False)
class DesignedFormulas:
    """Formulas proposed for wished-for properties, the likeliest first.

    Attributes
    ----------
    frame : DataFrame
        ``formula``, for every property ``NAME``, ``NAME_lower``, ``NAME_upper``; ``probability`` that all
        goals are met, ``in_domain``, ``reason``, ``nearest`` (training formula), ``distance``
        (as :meth:`~sozai.composition.CompositionRegressor.applicability` of one model gives it), and the
        hints of :class:`~sozai.composition.formation_hints.FormationHints`: ``neutral``,
        ``oxidation_states``, ``hint``.
    n_tried : int
        Formulas predicted on the way.
    goals : dict of str to Goal

    Examples
    --------
    >>> DesignedFormulas(pd.DataFrame({"formula": ["NaCl"], "probability": [0.5]}), 100, {})
    DesignedFormulas(1 of 100 tried, best NaCl with probability 0.5)
    """

    frame: pd.DataFrame
    n_tried: int
    goals: dict[str, Goal]

    def __repr__(self) -> str:
        if self.frame.empty:
            return f"DesignedFormulas(none of {self.n_tried} tried)"
        best = self.frame.iloc[0]
        return (
            f"DesignedFormulas({len(self.frame)} of {self.n_tried} tried, best {best['formula']} "
            f"with probability {best['probability']:.3g})"
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per proposed formula."""
        return self.frame.copy()


def design_formulas(
    models: Any,
    goals: Any,
    *,
    start: Any = None,
    elements: Sequence[str] | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    max_elements: int = 5,
    max_atoms: int = 40,
    charge_balance: bool | str = "auto",
    in_domain: bool = True,
    max_per_system: int = 2,
    n_formulas: int = 10,
    n_generations: int = 8,
    n_parents: int = 100,
    level: float = 0.9,
    progress: Progress | bool | None = None,
) -> DesignedFormulas:
    r"""Propose formulas whose predicted properties meet goals, with how sure that is and what speaks against.

    Parameters
    ----------
    models : CompositionRegressor, or mapping of name to CompositionRegressor
        Fitted, without side columns. A single one stands in the answer as ``property``.
    goals : float, (low, high), "max", "min", or mapping of name to these
        As :meth:`Goal.of` reads them, in the unit of the property.
    start : formulas, optional
        Where the search begins; the training formulas when left out. None of them is proposed.
    elements : sequence of str, optional
        The only elements allowed; those of the training formulas when left out.
    include, exclude : sequence of str
        Elements that every formula must, and must not, hold.
    max_elements, max_atoms : int
        Of the reduced formula.
    charge_balance : bool or "auto"
        Only formulas that common oxidation states make neutral; ``"auto"`` lets alloys, of which charges
        say nothing, pass.
    in_domain : bool, default=True
        Only formulas near training formulas, as
        :meth:`~sozai.composition.CompositionRegressor.applicability` says for every model.
    max_per_system : int
        Formulas of one chemical system in the answer.
    n_formulas : int
        Most formulas in the answer.
    n_generations, n_parents : int
        Rounds, and formulas changed in each.
    level : float
        Of the intervals in the answer.
    progress : object with ``advance(n)``, bool or None

    Returns
    -------
    DesignedFormulas
        Fewer than ``n_formulas``, or none, where the limits leave no more.

    Raises
    ------
    InputError
        For goals without a model, and limits that contradict each other or that no formula the search
        could begin with keeps.

    Notes
    -----
    Every round takes the best formulas so far, makes all neighbors (one element replaced by one of the
    eight most similar in descriptor space, one atom more or less, one element added or left out), predicts
    the new ones, and keeps, half of them neutral, those with the largest

    .. math:: \sum_g \ln P(y_g \in \text{goal}_g) - 0.05\,n_\text{elements} - 0.01\,n_\text{atoms},
       \qquad y_g \sim N(\hat y_g, s_g^2),

    far from the goal the smallest :math:`\sum_g z_g^2`, with z the distance from the goal in standard
    deviations: the same order with digits left. :math:`s_g` is calibrated on formulas left out. No
    random numbers: the same answer every time. The probability is the model's, and the best of thousands
    of predictions is a little too good: measure. That a composition can be made at all the model does not
    know; the hints are all that is said about it.

    Examples
    --------
    >>> from sozai.composition import CompositionRegressor
    >>> salts = ["LiF", "LiCl", "LiBr", "NaF", "NaCl", "NaBr", "KF", "KCl", "KBr", "RbF", "RbCl"]
    >>> lattice = [4.03, 5.13, 5.50, 4.62, 5.64, 5.97, 5.35, 6.29, 6.60, 5.64, 6.58]
    >>> model = CompositionRegressor(random_state=0).fit(salts, lattice)
    >>> found = design_formulas(
    ...     model, (6.6, 7.2), max_elements=2, max_atoms=2, charge_balance=True, in_domain=False
    ... )
    >>> found.frame["formula"].iloc[0]
    'RbBr'
    """
    place = "design_formulas"
    models, goals = _paired(models, goals, place)
    _refuse_models(models, place)
    first = next(iter(models.values()))
    known = sorted(set().union(*(model.known_.formulas.tolist() for model in models.values())))
    moves, pool = open_search(
        first.coordinates_.descriptor,
        set.intersection(*(set(model.known_.elements) for model in models.values())),
        known if start is None else parse_formulas(start).keys().tolist(),
        elements=elements, include=include, exclude=exclude, max_elements=max_elements,
        max_atoms=max_atoms, in_domain=in_domain,
    )  # fmt: skip
    hints = FormationHints.of(moves.allowed)
    read = {name: Goal.of(goals[name], models[name].training_target_, name=name) for name in models}
    taken = set(known)
    passes = hints.filter(charge_balance)
    tried: dict[str, tuple[float, float]] = {}
    with progress_bar(n_generations + 1, "Designing formulas", progress=progress) as bar:
        for _ in range(n_generations + 1):
            fresh = [formula for formula in pool if formula not in tried]
            tried |= _ranked(models, read, fresh, in_domain)
            best = sorted(tried, key=lambda formula: (tried[formula], formula))
            sound = itertools.islice(filter(passes, best), n_parents // 2)
            pool = moves.neighbors(dict.fromkeys((*sound, *best[: n_parents // 2])))
            bar.advance(1)
    order = [f for f in best if f not in taken and moves.fits(f) and np.isfinite(tried[f][0])]
    chosen = _diverse(order, passes, max_per_system, n_formulas)
    return DesignedFormulas(_answer(models, read, chosen, hints, level), len(tried), read)


def open_search(
    descriptor: Any,
    known: set[str],
    start: Sequence[str],
    *,
    elements: Sequence[str] | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    max_elements: int = 5,
    max_atoms: int = 40,
    in_domain: bool = True,
) -> tuple[Moves, list[str]]:
    """Moves within the limits, and the formulas to begin with; needs no fitted model.

    Parameters
    ----------
    descriptor : transformer
        Fitted, with ``components_``.
    known : set of str
        Elements of the training formulas.
    start : sequence of str
        Reduced formulas.
    elements, include, exclude, max_elements, max_atoms, in_domain
        As for :func:`design_formulas`.

    Returns
    -------
    moves : Moves
    pool : list of str
        Never empty.

    Raises
    ------
    InputError
        For limits that contradict each other, or that none of the formulas can be changed to keep.

    Examples
    --------
    >>> from sozai.composition.property_coordinates import default_descriptor
    >>> _, pool = open_search(default_descriptor().fit(), {"Na", "K", "Cl"}, ["NaCl"], include=["K"])
    >>> pool
    ['KCl']
    """
    place = "design_formulas"
    allowed = _allowed(descriptor.components_, known, elements, include, exclude, place)
    if in_domain:
        _refuse_strangers(known, include, elements, place)
    moves = Moves.of(descriptor, allowed, tuple(include), max_elements, max_atoms)
    pool = moves.starts(start)
    if not pool:
        limits = f"{_counted(max_elements, 'element')} and {_counted(max_atoms, 'atom')}"
        raise InputError(
            sentence(
                place, "max_elements and max_atoms", "leave a formula to begin with",
                f"none of {len(start)} with at most {limits}", remedy="Raise them.",
            )
        )  # fmt: skip
    return moves, pool


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _ranked(
    models: Mapping[str, Any], goals: Mapping[str, Goal], formulas: list[str], in_domain: bool
) -> dict[str, tuple[float, float]]:
    """Rank of every formula: not-inside penalty first, then how unlikely the goals are; smallest is best."""
    if not formulas:
        return {}
    cost, miss = _simplicity(formulas), np.zeros(len(formulas))
    for name, model in models.items():
        mean, std = model.predict(formulas, return_std=True)
        chance = np.maximum(goals[name].probability(mean, std), 1e-30)
        cost -= np.log(chance)
        miss += goals[name].distance(mean, std) ** 2
        if in_domain:
            inside = model.applicability(formulas)["in_domain"].to_numpy()
            cost = np.where(inside, cost, np.inf)
    return dict(zip(formulas, zip(cost.tolist(), miss.tolist(), strict=True), strict=True))


def _simplicity(formulas: list[str]) -> Array:
    """Price of elements and atoms: of formulas that are as likely the shorter one goes first."""
    parsed = parse_formulas(formulas)
    return _PER_ELEMENT * np.diff(parsed.fractions.indptr) + _PER_ATOM * parsed.n_atoms


def _diverse(
    order: list[str], passes: Callable[[str], bool], max_per_system: int, n_formulas: int
) -> list[str]:
    """Best formulas, not too many of one chemical system."""
    chosen: list[str] = []
    counts: dict[str, int] = {}
    systems = parse_formulas(order).chemical_systems() if order else []
    for formula, system in zip(order, systems, strict=True):
        if len(chosen) == n_formulas:
            break
        if counts.get(system, 0) < max_per_system and passes(formula):
            chosen.append(formula)
            counts[system] = counts.get(system, 0) + 1
    return chosen


def _answer(
    models: Mapping[str, Any], goals: Mapping[str, Goal], formulas: list[str], hints: Any, level: float
) -> pd.DataFrame:
    """Table of the formulas proposed."""
    columns: dict[str, Any] = {"formula": formulas}
    chance = np.ones(len(formulas))
    domain = None
    for name, model in models.items() if formulas else ():
        mean, std = model.predict(formulas, return_std=True)
        lower, upper = model.predict_interval(formulas, level=level)
        columns |= {name: mean, f"{name}_lower": lower, f"{name}_upper": upper}
        chance = chance * goals[name].probability(mean, std)
        found = model.applicability(formulas)
        domain = found if domain is None else domain.where(found["in_domain"] | ~domain["in_domain"], found)
    frame = pd.DataFrame(columns)
    frame["probability"] = chance
    if domain is not None:
        frame = pd.concat([frame, domain.reset_index(drop=True)], axis=1)
    return pd.concat([frame, hints.frame(formulas)], axis=1)


def _paired(models: Any, goals: Any, place: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Models and goals by the same names."""
    if not isinstance(models, Mapping):
        models = {"property": models}
        goals = goals if isinstance(goals, Mapping) else {"property": goals}
    if not isinstance(goals, Mapping) or set(goals) != set(models):
        named = ", ".join(map(str, goals)) if isinstance(goals, Mapping) else repr(goals)
        raise InputError(
            sentence(
                place, "goals", f"name the models ({', '.join(models)})", named,
                remedy="Pass one goal for every model, by name.",
            )
        )  # fmt: skip
    return dict(models), dict(goals)


def _refuse_models(models: Mapping[str, Any], place: str) -> None:
    """A formula alone has no temperature, and a constant tells nothing."""
    for name, model in models.items():
        if np.ptp(model.training_target_) == 0:
            raise InputError(
                sentence(
                    place, f"the measured values of {name}", "differ", float(model.training_target_[0]),
                    at="in every row", remedy="Learn from formulas with different values.",
                )
            )  # fmt: skip
        if model.coordinates_.n_side:
            raise InputError(
                sentence(
                    place, "models", "be fitted on formulas alone",
                    ", ".join(model.coordinates_.descriptor.extra),
                    at=f"beside the formulas of {name}", remedy="Fit one without side columns.",
                )
            )  # fmt: skip


def _refuse_strangers(
    known: set[str], include: Sequence[str], elements: Sequence[str] | None, place: str
) -> None:
    """No formula that must hold an element nobody has measured lies near measured ones."""
    strange = [name for name in include if name not in known]
    if not strange and elements is not None and not known & set(elements):
        strange = list(elements)
    if strange:
        raise InputError(
            sentence(
                place, "include and elements", "name elements of the training formulas", ", ".join(strange),
                remedy="Leave them out, or allow formulas unlike these: in_domain=False.",
            )
        )  # fmt: skip


def _allowed(
    table: Sequence[str],
    known: set[str],
    elements: Sequence[str] | None,
    include: Sequence[str],
    exclude: Sequence[str],
    place: str,
) -> tuple[str, ...]:
    """Elements that may occur, in the order of the table."""
    for option, given in (("elements", elements or ()), ("include", include), ("exclude", exclude)):
        strange = [name for name in given if name not in table]
        if strange:
            raise InputError(
                sentence(
                    place, option, "name elements of the table", ", ".join(strange),
                    remedy="Write symbols such as 'Fe'.",
                )
            )  # fmt: skip
    wanted = known if elements is None else set(elements)
    wanted = (wanted | set(include)) - set(exclude)
    if set(include) & set(exclude) or not wanted:
        raise InputError(
            sentence(
                place, "include and exclude", "leave some elements",
                ", ".join(sorted(set(include) & set(exclude))) or "none left", remedy="Allow more elements.",
            )
        )  # fmt: skip
    return tuple(name for name in table if name in wanted)
