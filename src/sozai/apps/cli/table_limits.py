"""How far the law of a table can go: the words of ``--limits`` turned into limits, effects and hints."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sozai.contracts.errors import ConvergenceWarning, ExtrapolationWarning, InputError, sentence

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.table_reading import Reading
    from sozai.study.report import Report

__all__ = [
    "TableLimits",
    "as_records",
    "limit_figures",
    "limit_section",
    "limit_tables",
    "limits_of",
    "read_limits",
    "say",
]

Domain = dict[str, tuple[float, float]]

_REMEDY = 'Write --limits "base=0:2", --limits "T=300", --limits "x_A + x_B == 1", or --limits data.'
_QUOTED = re.compile(r"[`｀]((?:[^`｀]|``)+)[`｀]\s*(\[[^\[\]]*\])?")  # noqa: RUF001
_OFF = 1e-6  # distance from an exact sum, relative to its parts, that breaks it
_COMPARISONS = ("<", ">", "==", "≤", "≥", "≦", "≧", "!", "≠")


@dataclass(frozen=True)
class TableLimits:
    """What ``--limits`` found.

    Attributes
    ----------
    effects : Effects
    maximum, minimum : Limit or None
        None where there is none; ``failure`` says why.
    constraints : tuple of str
    failure : str
    """

    effects: Any
    maximum: Any
    minimum: Any
    constraints: tuple[str, ...]
    failure: str = ""

    @property
    def limits(self) -> tuple[Any, ...]:
        """The limits there are, the maximum first."""
        return tuple(limit for limit in (self.maximum, self.minimum) if limit is not None)


def read_limits(entries: Sequence[str], names: Sequence[str]) -> tuple[Domain, tuple[str, ...]]:
    """Read the entries of ``--limits``: intervals, held values and linear constraints.

    Parameters
    ----------
    entries : sequence of str
        ``NAME=LOW:HIGH``, ``NAME=VALUE``, a linear constraint, or ``data`` for
        the ranges of the table; a name may stand in backticks, as the law
        writes it, and may carry a unit in brackets.
    names : sequence of str
        Columns of the law.

    Raises
    ------
    InputError
        An entry is none of these, names no column, or names one twice.

    Examples
    --------
    >>> read_limits(["base=0:1", "T=300", "base + height <= 1.5", "data"], ["base", "height", "T"])
    ({'base': (0.0, 1.0), 'T': (300.0, 300.0)}, ('base + height <= 1.5',))
    """
    domain: Domain = {}
    constraints = []
    known = set(names)
    taken = set()
    for entry in (text.strip() for text in entries):
        if entry == "data":
            continue
        name, equals, interval = (part.strip() for part in entry.rpartition("="))
        plain, name = _named(name, known)
        if equals and plain in known and (":" in interval or not interval or _is_number(interval)):
            if plain in taken:
                raise InputError(
                    sentence(
                        "--limits", "each column", "be named once", entry, remedy="Remove one of the two."
                    )
                )
            taken.add(plain)
            domain[name] = _interval(interval, entry)
        elif equals and ":" in interval:
            raise InputError(
                sentence(
                    "--limits",
                    "each entry",
                    f"name a column ({', '.join(names)})",
                    entry,
                    remedy="Check the spelling.",
                )
            )
        elif equals or any(sign in entry for sign in _COMPARISONS):
            constraints.append(_constraint(entry, list(names)))
        else:
            raise InputError(
                sentence(
                    "--limits", "each entry", "be an interval, a constraint or 'data'", entry, remedy=_REMEDY
                )
            )
    return domain, tuple(constraints)


def _named(text: str, known: set[str]) -> tuple[str, str]:
    """Name before the sign, and the name with its unit; backticks around the name are taken off."""
    from sozai.contracts.units import split_unit

    if not text or text in known:
        return text, text
    quoted = _QUOTED.fullmatch(text)
    if quoted is None:
        return split_unit(text)[0], text
    name = quoted[1].replace("``", "`")
    return name, f"{name} {quoted[2]}" if quoted[2] else name


def _constraint(entry: str, names: list[str]) -> str:
    """Text of a constraint, refused with a word on names that have to stand in backticks."""
    from sozai.symbolic.formulas.linear_constraints import read_constraint
    from sozai.symbolic.formulas.typography import quoted

    try:
        return str(read_constraint(entry, names, place="--limits"))
    except InputError as error:
        bare = re.sub(r"[`｀][^`｀]*[`｀]", " ", entry)  # noqa: RUF001
        meant = [quoted(name) for name in names if quoted(name) != name and name in bare]
        if not meant:
            raise
        first, *rest = str(error).split("\n")
        hint = f"Write {' and '.join(meant)} in backticks."
        raise InputError("\n".join([f"{first} {hint}", *rest])) from None


def _is_number(text: str) -> bool:
    """Whether a text is one number."""
    try:
        float(text.replace("\u2212", "-"))
    except ValueError:
        return False
    return True


def _interval(text: str, entry: str) -> tuple[float, float]:
    """``LOW:HIGH``, or one value."""
    try:
        ends = [float(part) for part in text.replace("\u2212", "-").split(":")]
    except ValueError:
        ends = []
    if len(ends) not in (1, 2) or not abs(ends[0]) < float("inf") > abs(ends[-1]) or ends[0] > ends[-1]:
        raise InputError(
            sentence(
                "--limits",
                "each interval",
                "read LOW:HIGH with two numbers, the smaller one first",
                entry,
                remedy=_REMEDY,
            )
        )
    return ends[0], ends[-1]


def limits_of(law: Any, reading: Reading, entries: Sequence[str]) -> TableLimits:
    """Effects over the rows of the table, and both limits of the law in the region asked for.

    A region that leaves nothing, or in which the law is not defined, is said in
    ``failure`` and as a warning: the law that was found is not lost for it. So
    is a limit at which a sum of columns is not what it is in every row.

    Parameters
    ----------
    law : SymbolicRegressor
        Fitted.
    reading : Reading
        What the law was fitted to; only ``X`` is looked at.
    entries : sequence of str
        As :func:`read_limits`.
    """
    from sozai.symbolic.effects import effects
    from sozai.symbolic.limits import limits

    domain, constraints = read_limits(entries, list(reading.X.columns))
    acting = effects(law, reading.X)
    try:
        found = [
            replace(limits(law, domain, constraints, goal), target=reading.target, unit=reading.target_unit)
            for goal in ("max", "min")
        ]
    except InputError as error:
        failure = str(error).removeprefix("limits: ")
        warnings.warn(f"no limits: {failure}", ConvergenceWarning, stacklevel=2)
        return TableLimits(acting, None, None, constraints, failure)
    return TableLimits(acting, *_held_to_sums(law, reading.X, domain, found), constraints)


def _held_to_sums(law: Any, X: pd.DataFrame, domain: Domain, found: list[Any]) -> list[Any]:
    """Limits with a reason, and a warning, where they break what holds in every row of the table."""
    from sozai.apps.cli.exact_sums import exact_sums

    acting = [name for name in X.columns if all(name in limit.x for limit in found)]
    sums = exact_sums(X) or exact_sums(X[acting])  # a wide table may hold too few rows to tell
    for one in sums:
        broken = [(k, _broken(law, one, domain, limit)) for k, limit in enumerate(found)]
        broken = [(k, how) for k, how in broken if how]
        for k, how in broken:
            text = (
                f"In all rows {one}; the {found[k].goal}imum breaks it ({how}); add --limits {_shell(one)}."
            )
            found[k] = replace(found[k], reasons=(text, *found[k].reasons), applicable=False)
        if broken:
            who = " and ".join(f"the {found[k].goal}imum ({how})" for k, how in broken)
            verb = "breaks" if len(broken) == 1 else "break"
            warnings.warn(
                f"limits: in all rows {one}; {who} {verb} it; add --limits {_shell(one)}",
                ExtrapolationWarning,
                stacklevel=3,
            )
    return found


def _shell(one: Any) -> str:
    """A constraint quoted for the command line; backticks must not be run by the shell."""
    return f"'{one}'" if "`" in str(one) else f'"{one}"'


def _broken(law: Any, one: Any, domain: Domain, limit: Any) -> str:
    """How a limit breaks a sum, columns left open taken inside their intervals; empty if it holds."""
    from sozai.symbolic.limit_region import read_region

    if not set(one.coefficients) & set(limit.x) or abs(limit.value) == float("inf"):
        return ""
    where = read_region(law, domain, str(one), place="--limits")
    ends = {name: (where.low[i], where.high[i]) for i, name in enumerate(where.names)}
    ends |= {name: (value, value) for name, value in limit.x.items()}
    low = high = size = 0.0
    for name, coefficient in one.coefficients.items():
        parts = [float(coefficient) * float(end) for end in ends[name]]
        low, high, size = low + min(parts), high + max(parts), size + max(map(abs, parts))
    constant = float(one.constant)
    slack = _OFF * max(size, abs(constant))
    if low - slack <= constant <= high + slack:
        return ""
    if low == high:
        return f"its left side is {low:.4g} there"
    open_names = " and ".join(name for name in one.coefficients if name not in limit.x)
    return f"no {open_names} inside its interval meets it there"


def as_records(found: TableLimits) -> dict[str, Any]:
    """Records of the JSON object, under ``"limits"`` and ``"effects"``."""
    first = found.limits[0] if found.limits else None
    return {
        "limits": {
            "domain": {} if first is None else {name: list(ends) for name, ends in first.domain.items()},
            "constraints": list(found.constraints),
            "max": None if found.maximum is None else _record(found.maximum),
            "min": None if found.minimum is None else _record(found.minimum),
            "failure": found.failure,
        },
        "effects": found.effects.to_frame().to_dict("records"),
    }


def _record(limit: Any) -> dict[str, Any]:
    """One limit as JSON."""
    return {
        "value": limit.value,
        "unit": limit.unit,
        "lower": limit.lower,
        "upper": limit.upper,
        "interval": list(limit.interval),
        "x": limit.x,
        "active": [
            {
                "bound": str(bound),
                "kind": bound.kind,
                "of": bound.of,
                "multiplier": bound.multiplier,
                "raised": bound.raised,
                "lowered": bound.lowered,
                "unit": bound.multiplier_unit,
            }
            for bound in limit.active
        ],
        "hint": limit.hint,
        "applicable": limit.applicable,
        "reasons": list(limit.reasons),
        "complete": limit.complete,
        "n_boxes": limit.n_boxes,
    }


def limit_tables(found: TableLimits) -> dict[str, pd.DataFrame]:
    """Tables for the output folder: effects, and both limits below each other."""
    import pandas as pd

    tables = {"effects": found.effects.to_frame()}
    if found.limits:
        parts = []
        for limit in found.limits:
            frame = limit.to_frame()
            frame.insert(0, "goal", limit.goal)
            frame.insert(1, "limit", limit.value)
            parts.append(frame)
        tables["limits"] = pd.concat(parts, ignore_index=True)
    return tables


def limit_figures(found: TableLimits) -> dict[str, tuple[Any, str]]:
    """Displays with their captions, by file name."""
    from sozai.displays.effects import EffectsDisplay
    from sozai.displays.limits import LimitsDisplay

    figures = {}
    if found.effects.names:
        figures["effects"] = (
            EffectsDisplay.from_effects(found.effects),
            "Change of the law when one column moves from its 25 % to its 75 % quantile, with its error.",
        )
    if found.limits and found.limits[0].x:
        figures["limits"] = (
            LimitsDisplay.from_limits(*found.limits),
            "Where the law is largest and smallest, and how a limit changes when that bound rises by one.",
        )
    return figures


def say(found: TableLimits, screen: Any) -> None:
    """Say effects and limits on the terminal; what failed comes first."""
    screen.print()
    if found.failure:
        screen.print(f"No limits: {found.failure}", style="bold red", soft_wrap=True)
        screen.print()
    screen.print("Effects, each column moved from its 25 % to its 75 % quantile:")
    frame = found.effects.to_frame()
    unit = f" {found.effects.target_unit}" if found.effects.target_unit else ""
    for row in frame.iloc[(-frame["effect"].abs()).argsort(kind="stable")].itertuples():
        moved = f"{row.column} from {row[7]:.4g} to {_with_unit(row.to, row.unit)}"
        steady = f"slope of one sign in {100 * row.same_sign:.0f} % of the rows"
        screen.print(f"  {moved}: {row.effect:+.4g} ± {row.effect_error:.2g}{unit}; {steady}", soft_wrap=True)
    if found.limits:
        screen.print()
    for limit in found.limits:
        for line in _lines(limit):
            screen.print(line, soft_wrap=True)


def _lines(limit: Any) -> list[str]:
    """One limit in words: value, place, certified end, what holds it, and doubts."""
    place = ", ".join(f"{name} = {_with_unit(value, limit.units[name])}" for name, value in limit.x.items())
    value = _with_unit(limit.value, limit.unit)
    lines = [
        f"{limit.goal.capitalize()}imum of {limit.target or 'y'}: {value}{f' at {place}' if place else ''}"
    ]
    if limit.lower < limit.upper and abs(limit.bound) < float("inf"):
        side = "above" if limit.goal == "max" else "below"
        low, high = limit.interval
        lines.append(
            f"  certainly not {side} {_with_unit(limit.bound, limit.unit, 8)} by the law as it stands; "
            f"95 % interval of its mean there {low:.6g} to {_with_unit(high, limit.unit)}"
        )
    return lines + [f"  {text}" for text in (limit.hint, *limit.reasons) if text]


def _with_unit(value: float, unit: str | None, digits: int = 6) -> str:
    """Number with its unit."""
    return f"{value:.{digits}g}{f' {unit}' if unit else ''}"


def limit_section(report: Report, found: TableLimits) -> None:
    """Section of the report: effects, limits, and what to move to exceed them."""
    figures, tables = limit_figures(found), limit_tables(found)
    effects = found.effects
    report.section(
        "Effects and limits",
        "What each column does to the law, and how far the law can go inside the region asked for. Bounds "
        "are certified for the law as it stands; the interval says how well its coefficients are known.",
    )
    units = {"effect": effects.target_unit, "effect_error": effects.target_unit}
    report.table(tables["effects"], units=units, caption="Effects")
    if found.constraints:
        report.text(f"Constraints: {', '.join(found.constraints)}.")
    if found.failure:
        report.note(f"No limits: {found.failure}")
    for limit in found.limits:
        first, *rest = _lines(limit)
        report.heading(first)
        for line in rest:
            report.text(line.strip())
    if found.limits:
        report.table(tables["limits"], caption="Where the limits lie, and the multipliers of active bounds.")
    report.figures([figures[name] for name in ("effects", "limits") if name in figures])
