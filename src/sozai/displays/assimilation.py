"""Experiment and simulation in one figure: data, curves with bands, coupling, patterns, learning curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sozai.contracts.errors import InputError, sentence
from sozai.displays.display import Display
from sozai.displays.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    VERMILION,
    axis_label,
    dress,
    readable,
)

__all__ = ["AssimilationDisplay", "CouplingDisplay", "PatternDisplay", "TwoSourceDisplay"]

_COLORS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE)
_MOST = 12  # patterns in one figure
_NEAR = 0.1  # of the range: how near to a slice its data lie


class AssimilationDisplay(Display):
    """Values of all sources along one descriptor, and their predictions with bands.

    Parameters
    ----------
    x : array-like of shape (m,)
        The descriptor, ascending.
    curves : mapping of str to (mean, std)
        By source, arrays of shape (m,): predictions without noise and their standard deviations.
    data : mapping of str to (x, y), optional
        By source, arrays of one length.
    truth : mapping of str to array-like of shape (m,), optional
        What is known of a source; dashed.
    level : float, default=0.9
        Share of true values that a band holds.
    descriptor, name : str
        Labels of the axes.
    unit : str, optional
        Of the sources.

    Examples
    --------
    >>> shown = AssimilationDisplay([0.0, 1.0], {"experiment": ([1.0, 2.0], [0.5, 1.0])}, level=0.9)
    >>> [part.round(2).tolist() for part in shown.band("experiment")]
    [[0.18, 0.36], [1.82, 3.64]]
    """

    size = (5.6, 4.0)

    def __init__(
        self,
        x: ArrayLike,
        curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
        *,
        data: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
        truth: Mapping[str, ArrayLike] | None = None,
        level: float = 0.9,
        descriptor: str = "x",
        name: str = "y",
        unit: str | None = None,
    ):
        self.x = np.asarray(x, dtype=float).ravel()
        self.curves = {str(k): _pair(v, f"curves[{k!r}]", len(self.x)) for k, v in curves.items()}
        self.data = {str(k): _pair(v, f"data[{k!r}]") for k, v in (data or {}).items()}
        self.truth = {str(k): np.asarray(v, dtype=float).ravel() for k, v in (truth or {}).items()}
        if not 0.0 < level < 1.0:
            raise InputError(sentence("AssimilationDisplay", "level", "lie between 0 and 1", level))
        self.level, self.descriptor, self.name, self.unit = float(level), descriptor, name, unit

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any,
        Y: Any,
        *,
        along: int | str = 0,
        at: Mapping[str, float] | None = None,
        n: int = 201,
        sources: Sequence[str] | None = None,
        **options: Any,
    ) -> Self:
        """Slice through a fitted assimilator, with the data that lie near to it.

        Parameters
        ----------
        model : Assimilator
            Fitted: ``predict(X, source, return_std=True)``.
        X : DataFrame or array-like of shape (n_samples, n_features)
        Y : DataFrame or array-like of shape (n_samples, n_sources)
            NaN where there is no value.
        along : int or str, default=0
            The descriptor that varies, over its range in ``X``.
        at : mapping of str to float, optional
            Values of the others; their medians when left out. Data within a tenth of the range are drawn.
        n : int, default=201
        sources : sequence of str, optional
            Names; the columns of ``Y``, or numbers.
        **options
            As for the class.

        Returns
        -------
        AssimilationDisplay
        """
        table = X if hasattr(X, "columns") else pd.DataFrame(np.asarray(X, dtype=float))
        table = table.rename(columns={c: c if isinstance(c, str) else f"x{c}" for c in table.columns})
        names = list(table.columns)
        moving = names[along] if isinstance(along, int) else along
        if moving not in names:
            raise InputError(sentence("AssimilationDisplay", "along", f"be one of {names}", along))
        fixed = {name: float(table[name].median()) for name in names if name != moving} | dict(at or {})
        grid = pd.DataFrame(fixed, index=range(n), columns=names)
        grid[moving] = np.linspace(table[moving].min(), table[moving].max(), n)
        points = grid if hasattr(X, "columns") else grid.to_numpy()
        values = np.asarray(Y, dtype=float)
        labels = getattr(Y, "columns", [f"source {k}" for k in range(values.shape[1])])
        labels = [str(label) for label in (labels if sources is None else sources)]
        near = np.ones(len(table), dtype=bool)
        for name, value in fixed.items():
            near &= (np.abs(table[name] - value) <= _NEAR * np.ptp(table[name])).to_numpy()
        curves, data = {}, {}
        for source, label in enumerate(labels):
            curves[label] = model.predict(points, source, return_std=True)
            told = near & ~np.isnan(values[:, source])
            data[label] = (table.loc[told, moving].to_numpy(dtype=float), values[told, source])
        return cls(grid[moving], curves, data=data, **{"descriptor": moving, **options})

    def band(self, source: str) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper end of the band of a source."""
        mean, std = self.curves[source]
        width = NormalDist().inv_cdf(0.5 + 0.5 * self.level) * std
        return mean - width, mean + width

    def _draw(self, ax: Any) -> None:
        for k, (source, (mean, _)) in enumerate(self.curves.items()):
            color = _COLORS[k % len(_COLORS)]
            ax.fill_between(self.x, *self.band(source), color=color, alpha=0.16, linewidth=0, zorder=1)
            ax.plot(self.x, mean, color=color, label=readable(source, 26), zorder=3)
            if source in self.truth:
                ax.plot(self.x, self.truth[source], "--", color=color, linewidth=1.0, alpha=0.8, zorder=2)
            if source in self.data and len(self.data[source][0]):
                marker = "o" if k == len(self.curves) - 1 else "s"
                ax.plot(*self.data[source], marker, color=color, markersize=4.5, zorder=4)
        if self.truth:
            ax.plot([], [], "--", color=MUTED, linewidth=1.0, label="truth")
        ax.legend(loc="best", title=f"bands hold {100 * self.level:g} %", title_fontsize=8)
        dress(ax, x=readable(self.descriptor, 40), y=axis_label(self.name, self.unit))


class CouplingDisplay(Display):
    """How strongly each source follows the cheaper ones, beside what was expected before the data.

    Parameters
    ----------
    coupling : array-like of shape (d, d)
        Strictly lower triangle: row j follows column i.
    std : array-like of shape (d, d)
        Standard deviations.
    sources : sequence of str, optional
    prior : (float, float), default=(1.0, 0.3)
        Mean and standard deviation before the data; drawn as a band.

    Examples
    --------
    >>> shown = CouplingDisplay([[0, 0], [0.9, 0]], [[0, 0], [0.05, 0]], sources=["calc", "expt"])
    >>> shown.pairs
    [('expt from calc', 0.9, 0.05)]
    """

    def __init__(
        self,
        coupling: ArrayLike,
        std: ArrayLike,
        *,
        sources: Sequence[str] | None = None,
        prior: tuple[float, float] = (1.0, 0.3),
    ):
        values, errors = np.atleast_2d(np.asarray(coupling, float)), np.atleast_2d(np.asarray(std, float))
        if values.shape != errors.shape or values.shape[0] != values.shape[1] or len(values) < 2:
            raise InputError(
                sentence("CouplingDisplay", "coupling and std", "have shape (d, d), d of 2 or more",
                         (values.shape, errors.shape))
            )  # fmt: skip
        self.coupling, self.std, self.prior = values, errors, prior
        self.sources = [f"source {k}" for k in range(len(values))] if sources is None else list(sources)
        self.size = (5.2, 1.6 + 0.35 * len(self.pairs))

    @classmethod
    def from_estimator(cls, model: Any, *, sources: Sequence[str] | None = None) -> Self:
        """Coupling of a fitted assimilator with ``coupling_`` and ``coupling_std_``."""
        names = getattr(model, "source_names_", None) if sources is None else sources
        return cls(model.coupling_, model.coupling_std_, sources=names)

    @property
    def pairs(self) -> list[tuple[str, float, float]]:
        """Name, value and standard deviation of every pair."""
        return [
            (f"{self.sources[j]} from {self.sources[i]}", float(self.coupling[j, i]), float(self.std[j, i]))
            for j in range(len(self.coupling))
            for i in range(j)
        ]

    def _draw(self, ax: Any) -> None:
        mean, width = self.prior
        ax.axvspan(mean - width, mean + width, color=MUTED, alpha=0.15, linewidth=0, label="before the data")
        ax.axvline(1.0, color=INK, linewidth=0.9, linestyle=":")
        names, values, errors = zip(*self.pairs, strict=True)
        rows = np.arange(len(names))[::-1]
        ax.errorbar(values, rows, xerr=errors, fmt="o", color=BLUE, capsize=3, label="learned, ± sd")
        ax.set_yticks(rows, [readable(name, 34) for name in names])
        ax.set_ylim(-0.7, len(names) - 0.3)
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
        dress(ax, x="coupling C (1: same unit, same size)", grid="x")


class PatternDisplay(Display):
    """Which terms the experiment may add to the simulation, and how well the data speak for each choice.

    Parameters
    ----------
    table : DataFrame
        Columns ``terms`` (text or a sequence of text), ``log_evidence`` and ``weight``: ``pattern_table_``
        of an assimilator.

    Examples
    --------
    >>> table = pd.DataFrame({"terms": ["1", "1, x"], "log_evidence": [-3.0, -1.0], "weight": [0.12, 0.88]})
    >>> PatternDisplay(table).shown["terms"].tolist()
    ['1, x', '1']
    """

    def __init__(self, table: pd.DataFrame):
        wanted = ["terms", "log_evidence", "weight"]
        missing = [name for name in wanted if name not in table.columns]
        if missing:
            raise InputError(
                sentence("PatternDisplay", "table", f"have the columns {wanted}", missing[0],
                         remedy="Pass pattern_table_ of a fitted assimilator.")
            )  # fmt: skip
        self.table = table
        lines = sum(1 + _lines(terms).count("\n") for terms in self.shown["terms"])
        self.size = (7.0, 1.4 + 0.12 * len(self.shown) + 0.18 * lines)

    @classmethod
    def from_estimator(cls, model: Any) -> Self:
        """Patterns of a fitted assimilator."""
        return cls(model.pattern_table_)

    @property
    def shown(self) -> pd.DataFrame:
        """The patterns with the largest weights, their terms as text."""
        best = self.table.sort_values("weight", ascending=False, kind="stable").head(_MOST)
        words = [terms if isinstance(terms, str) else ", ".join(map(str, terms)) for terms in best["terms"]]
        return best.assign(terms=words).reset_index(drop=True)

    def _draw(self, ax: Any) -> None:
        shown = self.shown
        rows = np.arange(len(shown))[::-1]
        ax.barh(rows, shown["weight"], color=BLUE, height=0.6)
        below = shown["log_evidence"].max() - shown["log_evidence"]
        for row, weight, less in zip(rows, shown["weight"], below, strict=True):
            text = "best evidence" if less == 0 else f"log evidence -{less:.1f}"
            ax.annotate(
                text, (weight, row), (4, 0), textcoords="offset points", va="center", fontsize=7.5,
                color=MUTED,
            )  # fmt: skip
        names = [_lines(terms or "none") for terms in shown["terms"]]
        ax.set_yticks(rows, names, fontsize=7.5)
        ax.set_xlim(0.0, 1.75 * max(float(shown["weight"].max()), 1e-3))
        ax.set_xticks([tick for tick in np.linspace(0.0, 1.0, 6) if tick <= shown["weight"].max() + 0.1])
        dress(ax, x="weight of the pattern", grid="x")


class TwoSourceDisplay(Display):
    r"""Learning curve of two-source loops: the best measured candidate against rounds or cost.

    Parameters
    ----------
    curves : mapping of str to array-like of shape (repeats, n)
        Best so far of each repeat; the mean is drawn, and a band of the upper and the lower semi-deviation.
    steps : array-like of shape (n,), optional
        Where the columns stand; 0, 1, ... when left out.
    optimum : float, optional
    name, unit, x : str
        Labels.

    Notes
    -----
    The band reaches from the mean up by :math:`\langle\max(y - \bar y, 0)\rangle` and down by
    :math:`\langle\max(\bar y - y, 0)\rangle`.

    Examples
    --------
    >>> shown = TwoSourceDisplay({"m = 5": [[0.0, 2.0], [1.0, 2.0]]})
    >>> [part.tolist() for part in shown.band("m = 5")]
    [[0.5, 2.0], [0.25, 2.0], [0.75, 2.0]]
    """

    size = (6.0, 3.6)

    def __init__(
        self,
        curves: Mapping[str, ArrayLike],
        *,
        steps: ArrayLike | None = None,
        optimum: float | None = None,
        name: str = "best experiment",
        unit: str | None = None,
        x: str = "rounds",
    ):
        self.curves = {str(k): np.atleast_2d(np.asarray(v, dtype=float)) for k, v in curves.items()}
        lengths = {part.shape[1] for part in self.curves.values()}
        if len(lengths) != 1:
            raise InputError(
                sentence("TwoSourceDisplay", "curves", "have the same number of columns", sorted(lengths),
                         remedy="Repeat the last value of the shorter ones.")
            )  # fmt: skip
        self.steps = np.arange(lengths.pop()) if steps is None else np.asarray(steps, dtype=float).ravel()
        self.optimum, self.name, self.unit, self.x_label = optimum, name, unit, x

    @classmethod
    def from_simulations(cls, tables: Mapping[str, Any], *, by: str = "round", **options: Any) -> Self:
        """Learning curves of replayed loops.

        Parameters
        ----------
        tables : mapping of str to DataFrame
            With columns ``repeat, round, spent, best``, as ``simulate_two_sources`` gives them.
        by : {"round", "spent"}, default="round"
        **options
            As for the class.

        Returns
        -------
        TwoSourceDisplay
        """
        if by not in ("round", "spent"):
            raise InputError(sentence("TwoSourceDisplay", "by", "be 'round' or 'spent'", by))
        first = max(float(t.groupby("repeat")[by].min().max()) for t in tables.values())
        if by == "spent":  # from where every repeat has a measurement
            told = (t[t["best"].notna()].groupby("repeat")[by].min().max() for t in tables.values())
            first = max(map(float, told))
        last = max(float(table[by].max()) for table in tables.values())
        steps = np.arange(first, last + 1.0) if by == "round" else np.linspace(first, last, 200)
        curves = {label: _held(table, by, steps) for label, table in tables.items()}
        words = {"round": "rounds", "spent": "cost so far"}[by]
        return cls(curves, steps=steps, **{"x": words, **options})

    def band(self, label: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean, mean less the lower semi-deviation, mean plus the upper one."""
        repeats = self.curves[label]
        mean = np.nanmean(repeats, axis=0)
        up = np.nanmean(np.maximum(repeats - mean, 0.0), axis=0)
        down = np.nanmean(np.maximum(mean - repeats, 0.0), axis=0)
        return mean, mean - down, mean + up

    def _draw(self, ax: Any) -> None:
        for k, label in enumerate(self.curves):
            mean, low, high = self.band(label)
            color = _COLORS[k % len(_COLORS)]
            ax.fill_between(self.steps, low, high, color=color, alpha=0.15, linewidth=0, zorder=1)
            ax.plot(self.steps, mean, color=color, drawstyle="default", zorder=2,
                    label=f"{readable(label, 34)} ({len(self.curves[label])} repeats)")  # fmt: skip
        if self.optimum is not None:
            ax.axhline(self.optimum, color=INK, linewidth=0.9, linestyle=":", label="best of all", zorder=1)
        ax.legend(loc="best")
        dress(ax, x=self.x_label, y=axis_label(self.name, self.unit))


def _lines(terms: str) -> str:
    """Terms of a pattern, a line a source, cut where they are many."""
    parts = [part.strip() or "none" for part in terms.split(";")]
    return "\n".join(readable(part, 40) for part in parts)


def _pair(value: Any, argument: str, length: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Two arrays of one length."""
    first, second = (np.asarray(part, dtype=float).ravel() for part in value)
    if len(first) != len(second) or (length is not None and len(first) != length):
        wanted = f"two arrays of {length} entries" if length is not None else "two arrays of one length"
        raise InputError(
            sentence("AssimilationDisplay", argument, f"hold {wanted}", (len(first), len(second)))
        )
    return first, second


def _held(table: pd.DataFrame, by: str, steps: np.ndarray) -> np.ndarray:
    """Best so far of every repeat at given rounds or costs; the last value is held."""
    rows = []
    for _, part in table.groupby("repeat"):
        at = np.searchsorted(part[by].to_numpy(dtype=float), steps, side="right") - 1
        rows.append(part["best"].to_numpy(dtype=float)[np.maximum(at, 0)])
    return np.array(rows)
