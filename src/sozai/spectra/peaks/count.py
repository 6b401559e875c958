"""How many peaks: fits with every number, compared by an information criterion or by evidence."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.contracts.tables import counted
from sozai.spectra.peaks.count_criteria import (
    AIC,
    BIC,
    AICc,
    Criterion,
    Evidence,
    as_criterion,
)
from sozai.spectra.peaks.count_path import CountPath, Level
from sozai.spectra.peaks.count_scout import CountScout
from sozai.spectra.peaks.count_support import Support, admitted, dispersion_of, support_of
from sozai.spectra.peaks.peak_evidence import PeakPosterior, doubts
from sozai.spectra.peaks.peak_fit import PeakFit
from sozai.spectra.spectrum import Spectrum

__all__ = ["PeakCount", "select_n_components"]

Array = NDArray[np.float64]

_PLACE = "select_n_components"
#: Two rises of the criterion in a row by more than this end the search.
_RISE = 10.0
#: A weight of the chosen number below this is a note.
_SURE = 0.9


class LazyFits(Mapping[int, PeakFit]):
    """Fits by number of peaks, told in full when asked for.

    Examples
    --------
    >>> LazyFits({})
    LazyFits({})
    """

    def __init__(self, makers: Mapping[int, Callable[[], PeakFit]]) -> None:
        self._makers, self._made = dict(makers), {}

    def __getitem__(self, n_components: int) -> PeakFit:
        if n_components not in self._made:
            self._made[n_components] = self._makers[n_components]()
        return self._made[n_components]

    def __iter__(self) -> Iterator[int]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def __repr__(self) -> str:
        return f"LazyFits({{{', '.join(f'{k}: ...' for k in self)}}})"


@dataclass(frozen=True, eq=False, repr=False)
class PeakCount:
    """Fits with every number of peaks, and the number chosen.

    Attributes
    ----------
    table : DataFrame
        One row per number of peaks: ``n_components``; ``deviance`` (twice the negative log-likelihood, up
        to a constant, where the size of the noise is not known); ``n_free`` parameters; ``criterion``;
        ``weight``, the share of belief, exp(−Δ/2) scaled to sum 1 over the numbers admitted; ``hits``,
        blind starts that came to the optimum; ``unsupported``, labels of peaks that the data do not
        support; ``background_like``, labels of peaks on the edge of the window or much wider than the
        highest one; ``admitted``, whether the number could be chosen. With
        :class:`~sozai.spectra.peaks.count_criteria.Evidence` also ``log_evidence``, its error and ``r_hat``.
    n_components : int
        Number of peaks chosen.
    fits : mapping of int to PeakFit
        The fit with every number.
    criterion_name : str
    posteriors : dict of int to PeakPosterior
        Samples, with Evidence only.
    notes : tuple of str

    Examples
    --------
    >>> from sozai.datasets import make_spectrum
    >>> made = make_spectrum([[40.0, 8.0, 2e4, 0.3], [60.0, 8.0, 2e4, 0.3]], background=20.0, rng=0)
    >>> count = select_n_components(made.frame["axis"], made.frame["counts"], range(4), random_state=0)
    >>> count
    PeakCount: 2 of 0 to 3 peaks by BIC, weight 1.00
    >>> [round(peak.position) for peak in count.fits[2].peaks]
    [40, 60]
    """

    table: pd.DataFrame
    n_components: int
    fits: Mapping[int, PeakFit]
    criterion_name: str
    posteriors: dict[int, PeakPosterior] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        tried = self.table["n_components"]
        return (
            f"PeakCount: {self.n_components} of {tried.min()} to {tried.max()} peaks by "
            f"{self.criterion_name}, weight {self.weight:.2f}"
        )

    @property
    def weight(self) -> float:
        """Share of belief in the number chosen."""
        return float(self.table["weight"][self.table["n_components"] == self.n_components].iloc[0])

    @property
    def n_lines(self) -> int:
        """Peaks of the chosen number that do not act as a background."""
        row = self.table[self.table["n_components"] == self.n_components].iloc[0]
        return self.n_components - len(row["background_like"])

    @property
    def best(self) -> PeakFit:
        """Fit with the number chosen."""
        return self.fits[self.n_components]

    def to_frame(self) -> pd.DataFrame:
        """The table."""
        return self.table.copy()


def select_n_components(
    axis: Any,
    counts: ArrayLike | Iterable[int] | None = None,
    n_components: Iterable[int] | int | None = None,
    criterion: Criterion | str = "bic",
    *,
    sample_mask: ArrayLike | None = None,
    **options: Any,
) -> PeakCount:
    r"""Choose the number of peaks of a spectrum.

    Parameters
    ----------
    axis : array-like of shape (n,), or Spectrum
    counts : array-like of shape (n,)
        Left out with a Spectrum; the next arguments may move up then.
    n_components : iterable of int or int, default=range(0, 7)
        Numbers to compare; an int is the largest.
    criterion : {"bic", "aic", "aicc", "dirichlet", "evidence"} or object, default="bic"
        See :mod:`~sozai.spectra.peaks.count_criteria`.
    sample_mask : array-like of bool of shape (n,), optional
        True where to leave out.
    **options
        Of :class:`~sozai.spectra.peaks.mixture.PeakMixture`: shape, background, noise, n_init, ...
        ``random_state=None`` is seed 0.

    Returns
    -------
    PeakCount

    Raises
    ------
    InputError
        For numbers that are not whole or negative, data that cannot be used, options that a criterion
        cannot take, and more parameters than channels with the least number already.

    Warns
    -----
    UserWarning
        With AIC and AICc, which find too many peaks.
    ConvergenceWarning
        With Evidence, when ladders disagree (R-hat > 1.05) or replicas do not travel.

    See Also
    --------
    sozai.spectra.peaks.mixture.PeakMixture : Fit with a number that is known.

    Notes
    -----
    .. math:: \mathrm{BIC} = D + p \ln n

    Every K has blind starts of its own, starts from the solution with K − 1 peaks (one more at the
    largest residual; each peak split in two) and from that with K + 1 (two merged; one left out). So
    the deviance never rises with K, which is asserted. The search ends early when the criterion has risen
    twice in a row by more than 10. Channels are integrated over for every K: all have one likelihood.

    A peak whose area is less than three errors, or another center closer than a quarter of its width, is
    named in ``unsupported`` and never taken away. Where one count has an unknown size, or the deviance of
    the largest model has a probability below 0.001, D is divided by the dispersion of the largest model.

    The criterion takes the line shape and the background for granted: on measured spectra wrong ones ask
    for more peaks, whose areas nothing fixes. So a number is admitted only where every line, or group of
    lines less than 0.9 widths apart, has an area or a height of three errors or more, no group of three
    has two centers within a quarter of a width, and it does better by 10 than a smaller number that was not
    admitted. Peaks on the edge of the window, wider than half of it or than four times the highest one, act
    as a background and are not judged; :attr:`PeakCount.n_lines` leaves them out. Evidence, which
    has priors, admits every number. Results have the same bits for any ``n_jobs``.

    Limits: two equal peaks less than half a width apart look like one; see the table in the benchmarks.

    Cost: as many fits as there are numbers, some 20 ms for each of 400 channels; Evidence some hundreds
    of times that.

    Examples
    --------
    >>> from sozai.datasets import make_spectrum
    >>> made = make_spectrum([[50.0, 8.0, 1e4, 0.3]], background=20.0, rng=0)
    >>> count = select_n_components(made.frame["axis"], made.frame["counts"], range(3))
    >>> count.table["weight"].round(2).tolist()
    [0.0, 1.0, 0.0]
    """
    if isinstance(axis, Spectrum) and (n_components is None or isinstance(n_components, str | Criterion)):
        counts, n_components, criterion = None, counts, criterion if n_components is None else n_components
    rule = as_criterion(criterion, place=_PLACE)
    numbers = _numbers(n_components)
    scout = CountScout.of(axis, counts, sample_mask, options, numbers)
    if isinstance(rule, AIC | AICc):
        warnings.warn(
            f"{_PLACE}: {rule.name} finds too many peaks in about half of all spectra. Use criterion='bic'.",
            UserWarning,
            stacklevel=2,
        )
    path = scout.path(rule)
    _climb(path, scout.numbers, rule, scout)
    path.settle()
    kept = [k for k in sorted(path.levels) if k in numbers]
    posteriors = scout.posteriors(path, kept, rule) if isinstance(rule, Evidence) else {}
    return _count(path, kept, rule, scout, posteriors)


# --- what is asked -----------------------------------------------------------------------------------


def _numbers(given: Any) -> list[int]:
    """Numbers of peaks in ascending order."""
    if given is None:
        given = range(7)
    values = range(int(given) + 1) if isinstance(given, Integral) else list(given)
    for value in values:
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 0:
            raise InputError(
                sentence(
                    _PLACE, "n_components", "hold whole numbers >= 0", value, remedy="Write e.g. range(0, 7)."
                )
            )
    if not len(values):
        raise InputError(
            sentence(
                _PLACE, "n_components", "hold at least one number", values, remedy="Write e.g. range(0, 7)."
            )
        )
    return sorted({int(value) for value in values})


# --- the walk ------------------------------------------------------------------------------------------


def _climb(path: CountPath, numbers: list[int], rule: Criterion, scout: CountScout) -> None:
    """One number after the other until the criterion has risen twice in a row."""
    judge = rule if not isinstance(rule, Evidence) else BIC()
    n_used = int(np.count_nonzero(scout.first.checked.weights))
    last, rises = None, 0
    for level in path.climb(numbers):
        # one dispersion for both: each model's own would hide what the larger one explains
        scale = level.solution.dispersion if scout.first.checked.estimate_dispersion else 1.0
        value = judge.value(level.objective / scale, level.n_free, n_used)
        if last is not None:
            before = judge.value(last.objective / scale, last.n_free, n_used)
            rises = rises + 1 if value > before + _RISE else 0
        last = level
        k = level.problem.n_peaks
        if rises >= 2 and k < numbers[-1]:
            scout.notes.append(
                f"More than {counted(k, 'peak')} not tried: the criterion had risen twice by over 10."
            )
            break


def _count(
    path: CountPath, kept: list[int], rule: Criterion, scout: CountScout, posteriors: dict[int, PeakPosterior]
) -> PeakCount:
    """Table, choice and notes."""
    levels = [path.levels[k] for k in kept]
    n_used = int(np.count_nonzero(scout.first.checked.weights))
    scale = 1.0 if posteriors else dispersion_of(levels[-1])
    if posteriors:
        values = np.array([-2.0 * posteriors[k].log_evidence for k in kept])
    else:
        values = np.array([rule.value(one.objective / scale, one.n_free, n_used) for one in levels])
    supports = [support_of(one) for one in levels]
    may = np.ones(len(kept), dtype=bool) if posteriors else admitted(values, supports)
    wanted = np.where(may & np.isfinite(values), values, np.inf)
    weight = np.exp(-0.5 * (wanted - wanted.min()))
    table = pd.DataFrame(
        {
            "n_components": kept,
            "deviance": [one.objective for one in levels],
            "n_free": [one.n_free for one in levels],
            "criterion": values,
            "weight": weight / weight.sum(),
            "hits": [one.search.hits for one in levels],
            "unsupported": [one.unsupported for one in supports],
            "background_like": [one.background_like for one in supports],
            "admitted": may,
        }
    )
    best, free = int(np.argmin(wanted)), int(np.nanargmin(values))
    chosen = kept[best]
    notes = [*scout.notes, *_scale_notes(scale, levels[-1], scout), *_doubts_of(table, chosen)]
    if best != free:
        notes.append(_veto_note(rule.name, kept[free], supports[free], chosen))
    if posteriors:
        table["log_evidence"] = [posteriors[k].log_evidence for k in kept]
        table["log_evidence_error"] = [posteriors[k].log_evidence_error for k in kept]
        table["r_hat"] = [float(np.nanmax(posteriors[k].r_hat, initial=1.0)) for k in kept]
        for k in kept:
            found = doubts(posteriors[k], k)
            notes += found
            if k == chosen:
                for one in found:
                    warnings.warn(f"{_PLACE}: {one}", ConvergenceWarning, stacklevel=4)
    makers = {k: _maker(scout, path.levels[k]) for k in kept}
    return PeakCount(table, chosen, LazyFits(makers), rule.name, posteriors, tuple(notes))


def _maker(scout: CountScout, level: Level) -> Callable[[], PeakFit]:
    return lambda: scout.record(level)


def _scale_notes(scale: float, largest: Level, scout: CountScout) -> list[str]:
    """The deviance was divided by something: say why."""
    if scale == 1.0:
        return []
    k = counted(largest.problem.n_peaks, "peak")
    if scout.first.checked.estimate_dispersion:
        return [f"Deviances were divided by {scale:.3g}, the dispersion with {k}: counts have no known size."]
    note = (
        f"The fit with {k} still misses counts (deviance {largest.solution.deviance:.4g}): deviances were "
        f"divided by its dispersion {scale:.3g} before numbers of peaks were compared."
    )
    return [note]


def _veto_note(name: str, free: int, support: Support, chosen: int) -> str:
    """Why the least criterion was not taken."""
    why = (
        f"the counts do not support {', '.join(support.vetoed)}"
        if support.vetoed
        else "it is hardly better than a smaller number that the counts do not support"
    )
    return (
        f"{name} alone would take {counted(free, 'peak')}, but there {why}; {chosen} is the best number "
        "whose lines all have an area or a height of three errors. A wrong line shape or background asks for "
        "such peaks."
    )


def _doubts_of(table: pd.DataFrame, chosen: int) -> list[str]:
    """Notes on a choice that is not sure."""
    notes = []
    row = table[table["n_components"] == chosen].iloc[0]
    if row["weight"] < _SURE and len(table) > 1:
        others = table[table["n_components"] != chosen].sort_values("criterion").iloc[0]
        notes.append(
            f"{chosen} peaks have weight {row['weight']:.2f}, {int(others['n_components'])} have "
            f"{others['weight']:.2f}: the counts do not decide."
        )
    if row["unsupported"]:
        notes.append(f"Not supported by the counts: {', '.join(row['unsupported'])}.")
    if row["background_like"]:
        slopes = row["background_like"]
        notes.append(
            f"{', '.join(slopes)} {'acts' if len(slopes) == 1 else 'act'} as a background (on the edge of "
            "the window, or over four times as wide as the highest peak): "
            f"{counted(chosen - len(slopes), 'line')}. Try another background or a wider window."
        )
    if chosen == int(table["n_components"].max()) and len(table) > 1:
        notes.append(f"{chosen} is the largest number tried. Try more.")
    return notes
