"""What a stop of the tour is, and how the stops are run."""

from __future__ import annotations

import importlib
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sozai.contracts.errors import MissingDataError
from sozai.study.report import Verdict

__all__ = [
    "ROOMS",
    "Finding",
    "Stop",
    "StopResult",
    "as_printed",
    "beside",
    "run_stops",
    "stops_of",
    "summary",
]

# Each room's stops lie in one module with a tuple STOPS, imported only when the tour runs.
ROOMS = {
    "symbolic": "sozai.apps.tour.symbolic_stops",
    "composition": "sozai.apps.tour.composition_stops",
    "spectra": "sozai.apps.tour.spectra_stops",
    "proposals": "sozai.apps.tour.proposal_stops",
    "assimilation": "sozai.apps.tour.assimilation_stops",
    "phases": "sozai.apps.tour.phase_stops",
}


@dataclass(frozen=True)
class Finding:
    """What one stop found.

    Attributes
    ----------
    verdicts : tuple of Verdict
        Every figure beside the published one.
    formulas : tuple of (left, expression)
        Laws to be drawn.
    figures : tuple of (display, caption)
        Pictures for the report.
    text : str
        What it means, in a sentence or two.
    source : str
        Where the published figures stand.
    """

    verdicts: tuple[Verdict, ...]
    formulas: tuple[tuple[str, str], ...] = ()
    figures: tuple[tuple[Any, str], ...] = ()
    text: str = ""
    source: str = ""


@dataclass(frozen=True)
class Stop:
    """One question of the tour.

    Attributes
    ----------
    room, name : str
        Which room answers it, and what the stop is called.
    question : str
        The question in a user's words.
    run : callable returning Finding
        Computes the answer.
    needs_data : bool
        True when it reads files below ``SOZAI_DATA``.
    slow : bool
        True when ``--quick`` leaves it out.

    Examples
    --------
    >>> stop = Stop("sums", "two", "What is one and one?", lambda: Finding((beside("sum", 1 + 1, 2, 0),)))
    >>> next(run_stops([stop])).status
    'passed'
    """

    room: str
    name: str
    question: str
    run: Callable[[], Finding]
    needs_data: bool = False
    slow: bool = False


@dataclass(frozen=True)
class StopResult:
    """How one stop went.

    Attributes
    ----------
    stop : Stop
    status : {"passed", "failed", "not_run"}
    reason : str
        Empty when passed.
    finding : Finding or None
    seconds : float
    """

    stop: Stop
    status: Literal["passed", "failed", "not_run"]
    reason: str = ""
    finding: Finding | None = None
    seconds: float = field(default=0.0, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Fields of the tour's JSON; found, published and tolerance map each figure's name to its value."""
        verdicts = self.finding.verdicts if self.finding else ()
        return {
            "room": self.stop.room,
            "name": self.stop.name,
            "question": self.stop.question,
            "status": self.status,
            "reason": self.reason,
            "found": {row.name: row.found for row in verdicts},
            "published": {row.name: row.published for row in verdicts},
            "tolerance": {row.name: row.tolerance for row in verdicts},
            "seconds": round(self.seconds, 3),
        }


def beside(name: str, found: Any, published: Any, tolerance: float = 0.0) -> Verdict:
    """Put a found figure beside the published one: passed when they differ by ``tolerance`` at most.

    Text and whole numbers must be equal.

    Examples
    --------
    >>> beside("slope", 0.499806, 0.4998, 5e-5).status, beside("law", "a*b", "a/b").status
    ('passed', 'failed')
    """
    if isinstance(published, (int, float)) and not isinstance(published, bool):
        found = found if isinstance(found, int) else float(found)
        # Rounding of a double must not fail a figure that equals the printed one.
        slack = 1e-12 * max(abs(float(published)), tolerance)
        passed = abs(found - published) <= tolerance + slack
        reason = "" if passed else f"differs by {abs(found - published):.3g}, tolerance {tolerance:.3g}"
    else:
        passed = found == published
        reason = "" if passed else "differs"
    return Verdict(name, found, published, tolerance, "passed" if passed else "failed", reason)


def as_printed(name: str, found: float, printed: str) -> Verdict:
    """Put a found figure beside one as a paper prints it; it must agree to half a unit of the last digit.

    Examples
    --------
    >>> as_printed("RMSE", 0.24671649, "0.246716").status, as_printed("RMSE", 0.2468, "0.246716").status
    ('passed', 'failed')
    >>> as_printed("volume", 2.4313841e-7, "2.431384e-7").tolerance
    5e-14
    """
    digits, _, exponent = printed.partition("e")
    decimals = len(digits.partition(".")[2]) - int(exponent or 0)
    return beside(name, float(found), float(printed), float(f"5e{-decimals - 1}"))


def stops_of(rooms: Sequence[str] | None = None) -> list[Stop]:
    """List the stops of the named rooms, or of all, in the order of the tour."""
    return [stop for room in (rooms or ROOMS) for stop in importlib.import_module(ROOMS[room]).STOPS]


def run_stops(stops: Sequence[Stop], *, quick: bool = False) -> Iterator[StopResult]:
    """Run one stop after the other; a stop that breaks is a failed stop and the tour goes on."""
    for stop in stops:
        yield _run(stop, quick)


def summary(results: Sequence[StopResult]) -> dict[str, Any]:
    """Count the verdicts as the tour's JSON does; passed is true when none failed and at least one passed."""
    statuses = [result.status for result in results]
    counts = {status: statuses.count(status) for status in ("passed", "failed", "not_run")}
    return {
        "stops": [result.to_dict() for result in results],
        "n_passed": counts["passed"],
        "n_failed": counts["failed"],
        "n_not_run": counts["not_run"],
        "passed": counts["failed"] == 0 and counts["passed"] > 0,
    }


def _run(stop: Stop, quick: bool) -> StopResult:
    if quick and stop.slow:
        return StopResult(stop, "not_run", "left out by --quick")
    if stop.needs_data and not os.environ.get("SOZAI_DATA"):
        return StopResult(
            stop, "not_run", "its data are not bundled: set SOZAI_DATA to the folder that holds them"
        )
    start = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            finding = stop.run()
    except MissingDataError as error:
        return StopResult(stop, "not_run", f"data absent (SOZAI_DATA): {error.args[0]}", None, _since(start))
    except Exception as error:  # noqa: BLE001 - whatever breaks a stop is that stop's verdict, not the tour's end
        first = (str(error).strip() or "no message").splitlines()[0]
        return StopResult(stop, "failed", f"{type(error).__name__}: {first}", None, _since(start))
    failed = [f"{row.name} {row.reason}" for row in finding.verdicts if row.status == "failed"]
    status: Literal["passed", "failed"] = "failed" if failed or not finding.verdicts else "passed"
    reason = "; ".join(failed) or ("" if finding.verdicts else "the stop compared nothing")
    return StopResult(stop, status, reason, finding, _since(start))


def _since(start: float) -> float:
    return time.perf_counter() - start
