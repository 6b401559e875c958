"""What the user calls parameters and ties, turned into the linear map that a fit works with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from numbers import Real
from typing import Any

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.peaks.background import Background, Shirley, Tougaard
from sozai.spectra.peaks.compiled_model import parameter_names
from sozai.spectra.peaks.expectation_window import PooledPeaks
from sozai.spectra.peaks.shapes import Shape, check_shape
from sozai.spectra.peaks.tie_expressions import Tie, of
from sozai.spectra.peaks.ties import Doublet, TieTable, compile_ties

__all__ = ["Roster", "make_roster"]

Pair = tuple[float | None, float | None]

#: Parameters that are widths, and what full width at half maximum one unit of them is worth.
WIDTHS = {"fwhm": 1.0, "fwhm_gauss": 1.0, "fwhm_lorentz": 1.0, "half_width": 2.0}
_AREAS = ("area", "area_gauss", "area_lorentz")
_PLACE = "PeakMixture.fit"


@dataclass(frozen=True, eq=False)
class Roster:
    """Peaks by name, and what binds them.

    Attributes
    ----------
    labels : tuple of str
    shapes : tuple of Shape
    names : tuple of str
        All parameters, background last.
    table : TieTable or None
        None where nothing is tied or fixed.
    bounds : dict
        By internal name.
    parents : tuple of int
        Peak that each one follows; itself where it follows none.
    relations : dict of int to Doublet
        Doublets by their second line.
    alike : tuple of int
        Peaks that nothing tells apart: any order of them is the same model.

    Examples
    --------
    >>> from sozai.spectra.peaks.background import Constant
    >>> from sozai.spectra.peaks.ties import P_RATIO
    >>> roster = make_roster(2, "gaussian", Constant(), ties=[("peak 1", "peak 2", Doublet(0.6, P_RATIO))])
    >>> roster.parents, roster.alike, roster.pooled().shift
    ((0, 0), (), (0.0, 0.6))
    """

    labels: tuple[str, ...]
    shapes: tuple[Shape, ...]
    names: tuple[str, ...]
    table: TieTable | None
    bounds: dict[str, Pair]
    parents: tuple[int, ...]
    relations: dict[int, Doublet]
    alike: tuple[int, ...]

    @cached_property
    def firsts(self) -> tuple[int, ...]:
        """First parameter of every peak; the last entry is the number of parameters of all."""
        return (0, *accumulate(len(shape.parameters) for shape in self.shapes))

    def rows(self, peak: int, parameters: Iterable[str]) -> list[int]:
        """Places of some parameters of one peak among all."""
        own = self.shapes[peak].parameters
        return [self.firsts[peak] + own.index(name) for name in parameters if name in own]

    def pooled(self) -> PooledPeaks:
        """Ties that the start-up can keep: a shift of position, ratios of width and of areas."""
        n_peaks = len(self.shapes)
        leader: dict[str, list[int]] = {part: list(range(n_peaks)) for part in ("position", "width", "area")}
        shift, width_ratio, area_ratio = [0.0] * n_peaks, [1.0] * n_peaks, [1.0] * n_peaks
        for k in range(n_peaks if self.table is not None else 0):
            found = self._follows(k, ("position",), offset=True)
            if found and found[1] == 1.0:
                leader["position"][k], shift[k] = found[0], found[2]
            found = self._follows(k, WIDTHS)
            if found and found[1] > 0:
                leader["width"][k], width_ratio[k] = found[:2]
            found = self._follows(k, _AREAS)
            if found and found[1] > 0:
                leader["area"][k], area_ratio[k] = found[:2]
        return PooledPeaks(
            tuple(leader["position"]), tuple(shift), tuple(leader["width"]), tuple(width_ratio),
            tuple(leader["area"]), tuple(area_ratio),
        )  # fmt: skip

    def _follows(
        self, peak: int, parameters: Iterable[str], *, offset: bool = False
    ) -> tuple[int, float, float] | None:
        """Leader, factor and shift when all these parameters hang alike on those of one other peak."""
        assert self.table is not None
        found = set()
        for row in self.rows(peak, parameters):
            (columns,) = np.nonzero(self.table.T[row])
            if columns.size != 1 or (self.table.t0[row] != 0.0 and not offset):
                return None
            source = self.names.index(self.table.free_names[columns[0]])
            other = int(np.searchsorted(self.firsts, source, side="right")) - 1
            same = other < len(self.shapes) and (
                self.names[source].rpartition(".")[2] == self.names[row].rpartition(".")[2]
            )
            if not same or other == peak:
                return None
            found.add((other, float(self.table.T[row, columns[0]]), float(self.table.t0[row])))
        return found.pop() if len(found) == 1 else None

    def box(self, peak: int, parameter: str) -> Pair:
        """Bounds that the user gave to one parameter; its value twice where it is fixed."""
        name = f"{self.labels[peak]}.{parameter}"
        if self.table is not None:
            row = self.names.index(name)
            if not self.table.T[row].any():
                return float(self.table.t0[row]), float(self.table.t0[row])
        return self.bounds.get(name, (None, None))


def make_roster(
    n_peaks: int,
    shape: Any,
    background: Background,
    *,
    labels: Sequence[str] | None = None,
    ties: Any = (),
    bounds: Mapping[str, Pair] | None = None,
    fixed: Mapping[str, float] | None = None,
    width_range: Pair = (None, None),
    place: str = _PLACE,
) -> Roster:
    """Name the peaks and resolve ties, fixed values and bounds.

    Parameters
    ----------
    n_peaks : int
    shape : Shape, str, or a sequence of one per peak
    background : Background
    labels : sequence of str, optional
        ``"peak 1"``, ``"peak 2"``, ... when left out.
    ties : sequence of Tie or (parent, partner, Doublet)
    bounds, fixed : mapping
        By ``"label.parameter"``; ``fixed`` takes ``area`` and ``lorentz_fraction`` of peaks whose area has
        two parts, too.
    width_range : (float or None, float or None)
        Bounds of all full widths at half maximum.
    place : str

    Returns
    -------
    Roster

    Raises
    ------
    InputError
        For labels, shapes, names or bounds that do not fit; ties in a circle.
    """
    tags = _tags(n_peaks, labels, place)
    shapes = _shapes(n_peaks, shape, place)
    names = parameter_names(shapes, background, tags)
    by_label = dict(zip(tags, shapes, strict=True))
    resolved, parents, relations = _resolved_ties(ties, tags, by_label, place)
    held, more = _split_fixed(_checked_fixed(fixed, by_label, names, place), by_label, place)
    wanted = {name: _pair(name, pair, place) for name, pair in dict(bounds or {}).items()}
    if n_peaks == 0:
        held = {name: value for name, value in _without_peaks(background) if name not in wanted} | held
    for name in wanted:
        _refuse_curved_bound(name, wanted[name], by_label, place)
    widths = _width_bounds(width_range, tags, shapes, place)
    table = None
    if resolved or held or more:
        try:
            table = compile_ties(names, [*resolved, *more], held, wanted)
        except InputError as error:  # who asked is the fit, not the piece that found out
            raise InputError(re.sub(r"^compile_ties:", f"{place}:", str(error))) from None
        widths = {name: pair for name, pair in widths.items() if table.T[names.index(name)].any()}
    inside = {name: pair for name, pair in wanted.items() if name in names}
    inside |= _both_parts(wanted, names, place)
    named = _mentioned([*wanted, *held, *(fixed or {})], resolved + more, relations, tags)
    alike = tuple(k for k in range(n_peaks) if k not in named)
    if len({shape.code for shape in shapes}) > 1:
        alike = ()
    return Roster(tags, shapes, names, table, {**widths, **inside}, parents, relations, alike)


# --- pieces ------------------------------------------------------------------------------------------


def _without_peaks(background: Background) -> Iterator[tuple[str, float]]:
    """Coefficients that say nothing where there is no peak, and the values that they are held at."""
    taken = iter(background.parameters())
    for part in background.parts:
        for own, name in zip(part.parameters(), taken, strict=False):
            if isinstance(part, Shirley):
                yield f"background.{name}", 0.0
            elif isinstance(part, Tougaard):
                yield f"background.{name}", float(getattr(part, own))


def _tags(n_peaks: int, labels: Sequence[str] | None, place: str) -> tuple[str, ...]:
    if labels is None:
        return tuple(f"peak {k + 1}" for k in range(n_peaks))
    tags = (labels,) if isinstance(labels, str) else tuple(map(str, labels))
    if len(tags) != n_peaks or len(set(tags)) < n_peaks or "background" in tags:
        what = f"name each of the {n_peaks} peaks once, and none 'background'"
        raise InputError(sentence(place, "labels", what, list(tags), remedy="Give one name per peak."))
    return tags


def _shapes(n_peaks: int, shape: Any, place: str) -> tuple[Shape, ...]:
    if isinstance(shape, list | tuple):
        if len(shape) != n_peaks:
            what = f"be one shape, or one for each of the {n_peaks} peaks"
            raise InputError(sentence(place, "shape", what, len(shape), remedy="Give as many as peaks."))
        return tuple(check_shape(one, place=place) for one in shape)
    return (check_shape(shape, place=place),) * n_peaks


def _resolved_ties(
    ties: Any, tags: tuple[str, ...], by_label: dict[str, Shape], place: str
) -> tuple[list[Tie], tuple[int, ...], dict[int, Doublet]]:
    """Ties one by one, the peak that each follows, and doublets."""
    result: list[Tie] = []
    parents, relations = list(range(len(tags))), {}
    given = [ties] if isinstance(ties, Tie) else ties
    if isinstance(given, Mapping):
        given = [(*pair, doublet) for pair, doublet in given.items()]
    for one in given:
        if isinstance(one, Tie):
            result.append(one)
            continue
        known = isinstance(one, tuple) and len(one) == 3 and isinstance(one[2], Doublet)
        if not known or any(label not in tags for label in one[:2]):
            raise InputError(
                sentence(
                    place, "ties",
                    f"be made by tie(), or (parent, partner, Doublet) with labels of {list(tags)}", one,
                    remedy="Write e.g. ('peak 1', 'peak 2', Doublet(0.6, P_RATIO)).",
                )
            )  # fmt: skip
        parent, partner, doublet = one
        both = [name for name in by_label[partner].parameters if name in by_label[parent].parameters]
        result += doublet.ties(parent, partner, both)
        parents[tags.index(partner)] = tags.index(parent)
        relations[tags.index(partner)] = doublet
    return result, tuple(parents), relations


def _checked_fixed(
    fixed: Any, by_label: dict[str, Shape], names: tuple[str, ...], place: str
) -> dict[str, float]:
    """Values to hold: numbers for known parameters, widths above 0."""
    if fixed is None:
        return {}
    if not isinstance(fixed, Mapping):
        raise InputError(
            sentence(place, "fixed", "be a mapping of 'label.parameter' to its value", fixed,
                     remedy="Write e.g. fixed={'peak 1.fwhm': 1.2}.")
        )  # fmt: skip
    whole = [f"{label}.{name}" for label, shape in by_label.items() if "area_gauss" in shape.parameters
             for name in ("area", "lorentz_fraction")]  # fmt: skip
    for name, value in fixed.items():
        if name not in names and name not in whole:
            raise InputError(
                sentence(place, "fixed", f"name parameters out of {', '.join((*names, *whole))}", name,
                         remedy="Write 'label.parameter'.")
            )  # fmt: skip
        number = isinstance(value, Real) and not isinstance(value, bool) and np.isfinite(value)
        width = name.rpartition(".")[2] in WIDTHS and name.rpartition(".")[0] in by_label
        if not number or (
            width and not (value > 0 or (value == 0 and name.endswith(("_gauss", "_lorentz"))))
        ):
            remedy = "Give a number."
            if isinstance(value, str):
                remedy = f"Tie it: ties=[tie({name!r}, of({value!r}))]."
            what = "be finite numbers, widths above 0"
            raise InputError(sentence(place, "fixed", what, value, at=f"for {name!r}", remedy=remedy))
    return {name: float(value) for name, value in fixed.items()}


def _split_fixed(
    fixed: dict[str, float], by_label: dict[str, Shape], place: str
) -> tuple[dict[str, float], list[Tie]]:
    """Fixed parameters; and ties for fixed areas and Lorentz shares of peaks with two areas."""
    held, more = dict(fixed), []
    for label, shape in by_label.items():
        if "area_gauss" not in shape.parameters:
            continue
        area, share = held.pop(f"{label}.area", None), held.pop(f"{label}.lorentz_fraction", None)
        for name, value, high in (("area", area, np.inf), ("lorentz_fraction", share, 1.0)):
            if value is not None and not (np.isfinite(value) and 0 <= value <= high):
                what = "be finite and not negative" if name == "area" else "lie between 0 and 1"
                raise InputError(sentence(place, "fixed", what, value, at=f"for '{label}.{name}'"))
        gauss, lorentz = f"{label}.area_gauss", f"{label}.area_lorentz"
        if area is not None and share is not None:
            held |= {gauss: area * (1 - share), lorentz: area * share}
        elif area is not None:
            more.append(Tie(lorentz, area - of(gauss)))
        elif share == 1:
            held[gauss] = 0.0
        elif share == 0:
            held[lorentz] = 0.0
        elif share is not None:
            more.append(Tie(lorentz, share / (1 - share) * of(gauss)))
    return held, more


def _pair(name: str, pair: Any, place: str) -> Pair:
    """Two ends in this order."""
    two = isinstance(pair, list | tuple | np.ndarray) and len(pair) == 2
    low, high = (pair[0], pair[1]) if two else (1.0, 0.0)
    if not (-np.inf if low is None else low) <= (np.inf if high is None else high):
        raise InputError(
            sentence(place, "bounds", "be (lower, upper) with lower <= upper", pair, at=f"for {name!r}",
                     remedy="Swap the two numbers; None is no bound.")
        )  # fmt: skip
    return low, high


def _refuse_curved_bound(name: str, pair: Pair, by_label: dict[str, Shape], place: str) -> None:
    """Areas of two parts, and shares, are not bounded by a box."""
    label, _, parameter = name.rpartition(".")
    two = label in by_label and "area_gauss" in by_label[label].parameters
    plain = pair[0] in (None, 0, -np.inf) and pair[1] in (None, np.inf)
    if two and (parameter == "lorentz_fraction" or (parameter == "area" and not plain)):
        raise InputError(
            sentence(place, "bounds", "name internal parameters", name,
                     remedy="Bound area_gauss and area_lorentz, or fix the value.")
        )  # fmt: skip


def _width_bounds(
    width_range: Pair, tags: tuple[str, ...], shapes: tuple[Shape, ...], place: str
) -> dict[str, Pair]:
    """Bounds of all widths."""
    low, high = _pair("width_range", tuple(width_range), place)
    if low is None and high is None:
        return {}
    found: dict[str, Pair] = {}
    for tag, shape in zip(tags, shapes, strict=True):
        for parameter, worth in WIDTHS.items():
            if parameter in shape.parameters:
                single = not parameter.startswith("fwhm_")
                least = 0.0 if low is None or not single else low / worth
                found[f"{tag}.{parameter}"] = (least, None if high is None else high / worth)
    return found


def _both_parts(wanted: dict[str, Pair], names: tuple[str, ...], place: str) -> dict[str, Pair]:
    """Bounds of whole areas as bounds of their parts; unknown names are an error."""
    found: dict[str, Pair] = {}
    for name, pair in wanted.items():
        if name in names:
            continue
        parts = [f"{name}_gauss", f"{name}_lorentz"]
        if not all(part in names for part in parts):
            raise InputError(
                sentence(place, "bounds", f"name parameters out of {', '.join(names)}", name,
                         remedy="Write 'label.parameter'.")
            )  # fmt: skip
        found |= dict.fromkeys(parts, pair)
    return found


def _mentioned(
    names: Sequence[str], ties: list[Tie], relations: dict[int, Doublet], tags: tuple[str, ...]
) -> set[int]:
    """Peaks that something distinguishes from the others."""
    every = [*names, *(one.name for one in ties)]
    every += [name for one in ties for name, _ in one.expression.terms]
    found = {tags.index(label) for label in (name.rpartition(".")[0] for name in every) if label in tags}
    return found | set(relations)
