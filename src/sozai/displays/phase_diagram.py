"""Phase diagram so far: fields, how sure they are, samples, tie-lines, and where to look next."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.displays.display import Display
from sozai.displays.phase_fields import (
    boundary_lines,
    field_colors,
    letter_width,
    name_places,
    nearest_points,
)
from sozai.displays.phase_plane import PhasePlane, in_triangle
from sozai.displays.style import INK, MUTED, VERMILION, dress, readable

__all__ = ["PhaseDiagramDisplay"]

Array = NDArray[np.float64]

_SHOWS = ("phases", "probability", "uncertainty")
#: Ink on colored fields, which stay as they are on a dark page.
_DARK = "#1b2028"
_PIXELS = 420
_MOST_SECTIONS = 6
_PALEST = 0.25
#: Names in one column of the key.
_TALL = 36


@dataclass(frozen=True, eq=False)
class _Marks:
    """What is drawn over the fields of one section."""

    samples: Array
    codes: NDArray[np.int64]
    suspects: Array
    proposed: Array
    numbers: list[int]
    ties: list[Array] = field(default_factory=list)
    crossed: list[bool] = field(default_factory=list)


class PhaseDiagramDisplay(Display):
    """Most probable phases at every candidate, with samples, next points, tie-lines and doubts.

    Parameters
    ----------
    plane : PhasePlane
    X : ndarray of shape (n, p)
        Candidates.
    names : sequence of str
        Labels, in the order in which they get their colors.
    probabilities : ndarray of shape (n, n_labels)
        Empty before the first sample.
    uncertainty : ndarray of shape (n,), optional
    samples : sequence of (point, label), optional
        What was measured: descriptors and label.
    suspects : array-like of shape (k, p), optional
        Samples that contradict others.
    proposed : array-like of shape (q, p), optional
        Points to measure next, best first.
    ties : sequence of (corners, point, crossed), optional
        Measured compositions of coexisting phases: columns of the composition, the sample, and whether the
        phase rule is violated.
    violations : sequence of (int, int), optional
        Neighboring candidates whose predicted fields cannot touch.
    show : {"phases", "probability", "uncertainty"}
        What the color says.
    at : mapping of str to float, optional
        Which section is drawn, where there are several.

    See Also
    --------
    sozai.proposals.PhaseDiagramProposer : Draws nothing, knows everything.

    Notes
    -----
    Fields are pale where the model is unsure. A field that is wide enough bears its name; the others bear a
    number, and names stand beside the map. Of more than six sections those with most samples are drawn.

    Examples
    --------
    >>> from sozai.proposals import PhaseDiagramProposer
    >>> proposer = PhaseDiagramProposer("ternary:step=0.1").tell([0, 10, 65], ["A", "B", "液相"])
    >>> shown = PhaseDiagramDisplay.from_proposer(proposer, proposals=2)
    >>> shown.plane.kind, shown.names, len(shown.proposed)
    ('ternary', ('A', 'B', '液相'), 2)
    >>> "液相" in shown.to_svg()
    True
    """

    def __init__(
        self,
        plane: PhasePlane,
        X: Array,
        names: Sequence[str],
        probabilities: Array,
        *,
        uncertainty: Array | None = None,
        samples: Sequence[tuple[Array, str]] = (),
        suspects: Any = (),
        proposed: Any = (),
        ties: Sequence[tuple[Array, Array, bool]] = (),
        violations: Sequence[tuple[int, int]] = (),
        show: str = "phases",
        at: Mapping[str, float] | None = None,
    ):
        self.plane, self.X = plane, np.asarray(X, dtype=np.float64)
        self.names = tuple(str(name) for name in names)
        self.probabilities = np.asarray(probabilities, dtype=np.float64).reshape(len(self.X), len(self.names))
        self.uncertainty = np.zeros(len(self.X)) if uncertainty is None else np.asarray(uncertainty)
        width = self.X.shape[1]
        self.points = np.array([point for point, _ in samples], dtype=np.float64).reshape(-1, width)
        self.labels = [label for _, label in samples]
        self.suspects = np.asarray(suspects, dtype=np.float64).reshape(-1, width)
        self.proposed = np.asarray(proposed, dtype=np.float64).reshape(-1, width)
        self.ties, self.violations = list(ties), set(violations)
        if show not in _SHOWS:
            raise InputError(sentence("PhaseDiagramDisplay", "show", f"be one of {', '.join(_SHOWS)}", show))
        self.show, self.at = show, at
        self.sections = self._chosen_sections()
        columns, rows = self._layout
        longest = max((letter_width(readable(name, 40), 6.8) for name in self.names), default=0.0) / 72
        beside = (
            (0.7 + longest) * -(-len(self.names) // _TALL)
            if len(self.names) > 3 and show == "phases"
            else 1.4
        )
        self.size = (beside + 4.2 * columns, 0.6 + 3.9 * rows) if columns > 1 else (5.4 + beside, 4.8)

    @classmethod
    def from_proposer(
        cls,
        proposer: Any,
        kind: str = "auto",
        *,
        proposals: int | Sequence[Any] = 0,
        show: str = "phases",
        at: Mapping[str, float] | None = None,
        names: Sequence[str] = (),
    ) -> Self:
        """The diagram that a proposer knows so far.

        Parameters
        ----------
        proposer : PhaseDiagramProposer
        kind : {"auto", "ternary", "binary", "line"}, default="auto"
        proposals : int or sequence of Proposal, default=0
            Next points to mark, or how many to ask for.
        show, at
            As for the class.
        names : sequence of str, optional
            Labels whose colors come first, so that several drawings agree.
        """
        frame = proposer.to_frame()
        grid = proposer.map_
        X = frame[list(grid.names)].to_numpy(dtype=np.float64)
        plane = PhasePlane.of(X, tuple(grid.names), composition=grid.composition, whole=grid.whole, kind=kind)
        told = proposer.samples_
        classes = [str(name) for name in proposer.classes_]
        order = [*names, *(sample.label for sample in told), *classes]
        labels = list(dict.fromkeys(name for name in order if name in classes or name in names))
        p = np.zeros((len(X), len(labels)))
        if classes:
            p[:, [labels.index(name) for name in classes]] = proposer.probabilities_
        chosen = proposer.ask(proposals) if isinstance(proposals, int) and proposals else proposals or ()
        rows = [proposal.index for proposal in chosen]
        odd = {pair for one in proposer.phase_rule_violations_ for pair in one.samples}
        suspects = [told[k].point for k in proposer.suspects_["sample"]] if classes else []
        return cls(
            plane, X, labels, p,
            uncertainty=proposer.uncertainty_,
            samples=[(sample.point, sample.label) for sample in told],
            suspects=suspects,
            proposed=X[rows],
            ties=[(sample.coexistence.compositions, sample.point, sample.number in odd)
                  for sample in told if sample.coexistence is not None],
            violations=proposer.boundary_violations() if classes and proposer.phase_rule else (),
            show=show,
            at=at,
        )  # fmt: skip

    @classmethod
    def frames(
        cls, proposer: Any, kind: str = "auto", *, every: int = 1, **options: Any
    ) -> Iterator[PhaseDiagramDisplay]:
        """The diagram after 1, 1 + every, ... samples in the order told, and after the last one.

        Parameters
        ----------
        proposer : PhaseDiagramProposer
        kind : str
        every : int, default=1
            Samples between two drawings.
        **options
            As for :meth:`from_proposer`.
        """
        if isinstance(every, bool) or not isinstance(every, (int, np.integer)) or every < 1:
            raise InputError(
                sentence("PhaseDiagramDisplay.frames", "every", "be a whole number of 1 or more", every)
            )
        told = list(getattr(proposer, "samples_", ()))
        names = list(dict.fromkeys(sample.label for sample in told))
        again = type(proposer)(**proposer.get_params(deep=False))
        for count, sample in enumerate(told[:-1]):
            where = sample.row if sample.row >= 0 else sample.point
            shown = None
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # each was said when the result was told
                again.tell(where, sample.label, sample.coexistence, sample.replicate)
                if count % every == 0:
                    shown = cls.from_proposer(again, kind, names=names, **options)
            if shown is not None:
                yield shown
        yield cls.from_proposer(proposer, kind, names=names, **options)

    @classmethod
    def animate(
        cls,
        proposer: Any,
        path: str | os.PathLike[str],
        kind: str = "auto",
        *,
        every: int | None = None,
        seconds: float = 0.5,
        dpi: int = 90,
        **options: Any,
    ) -> Path:
        """Write how the diagram came about as an animated GIF, which any browser shows.

        Parameters
        ----------
        proposer : PhaseDiagramProposer
        path : path-like
            Ending in ``.gif``.
        kind : str
        every : int, optional
            Samples between two frames; at most 60 frames when left out.
        seconds : float, default=0.5
            Time of one frame; the last one stays four times as long.
        dpi : int, default=90
        **options
            As for :meth:`from_proposer`.

        Returns
        -------
        pathlib.Path

        Raises
        ------
        InputError
            For another ending, or before the first sample.
        """
        from sozai.displays.frame_sequence import write_frames

        target, count = Path(path), len(proposer.samples_) if hasattr(proposer, "samples_") else 0
        place = "PhaseDiagramDisplay.animate"
        if target.suffix.lower() != ".gif":
            raise InputError(sentence(place, "path", "end in .gif", str(path)))
        if not count:
            raise InputError(
                sentence(place, "the map", "hold at least one sample", 0, remedy="Call tell first.")
            )
        step = max(1, -(-count // 60)) if every is None else every
        return write_frames(cls.frames(proposer, kind, every=step, **options), target, seconds, dpi)

    # --- drawing -------------------------------------------------------------------------------------

    @property
    def codes(self) -> NDArray[np.int64]:
        """Most probable label of every candidate, by its place in ``names``; -1 before the first sample."""
        if not self.probabilities.any():
            return np.full(len(self.X), -1, dtype=np.int64)
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int64)

    @property
    def _layout(self) -> tuple[int, int]:
        """Columns and rows of panels."""
        n = len(self.sections)
        columns = n if n <= 3 else -(-n // 2)
        return columns, -(-n // columns)

    def _chosen_sections(self) -> list[tuple[str, NDArray[np.int64]]]:
        """The sections that are drawn, ascending."""
        every = self.plane.sections(self.X, self.at)
        if len(every) <= _MOST_SECTIONS:
            return every
        weight = [len(self._inside(self.points, rows)) + len(self._inside(self.proposed, rows))
                  for _, rows in every]  # fmt: skip
        spread = np.argsort(np.linspace(0, 1, len(every)) * 1e-9 - np.array(weight), kind="stable")
        if not any(weight):
            spread = np.unique(np.linspace(0, len(every) - 1, _MOST_SECTIONS).round().astype(int))
        return [every[k] for k in sorted(spread[:_MOST_SECTIONS])]

    def _inside(self, points: Array, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which points lie in the section of some candidates."""
        levels = list(self.plane.levels)
        if not levels or not len(points):
            return np.arange(len(points))
        width = np.ptp(self.X[:, levels], axis=0)
        near = np.abs(points[:, levels] - self.X[rows[0], levels]) <= 1e-6 * np.where(width > 0, width, 1.0)
        return np.flatnonzero(near.all(axis=1))

    def _draw(self, ax: Any) -> None:
        self._colors = dict(enumerate(field_colors(max(len(self.names), 1))))
        self._numbered: set[int] = set()
        if len(self.sections) == 1:
            self._draw_section(ax, 0)
        else:
            self._draw_sections(ax)
        if self.show == "phases":
            self._draw_key(ax)
        self._draw_marks_key(ax)

    def _draw_sections(self, ax: Any) -> None:
        """One panel for each section, within the axes."""
        ax.set_axis_off()
        columns, rows = self._layout
        for k in range(len(self.sections)):
            x, y = k % columns, rows - 1 - k // columns
            box = ((x + 0.06) / columns, (y + 0.08) / rows, 0.88 / columns, 0.8 / rows)
            self._draw_section(ax.inset_axes(box), k)
        every = len(self.plane.sections(self.X, self.at))
        if every > len(self.sections):
            ax.text(0.0, 1.0, f"{len(self.sections)} of {every} sections", color=MUTED, fontsize=8,
                    transform=ax.transAxes, va="bottom")  # fmt: skip

    def _draw_section(self, ax: Any, k: int) -> None:
        """Fields and marks of one section."""
        title, rows = self.sections[k]
        points = self.plane.place(self.X[rows])
        low, high = self.plane.span(points)
        clip = self._frame(ax, low, high, title)
        if self.plane.kind == "line":
            self._draw_line(ax, rows, points[:, 0])
        else:
            self._draw_fields(ax, rows, points, low, high, clip)
        self._draw_marks(ax, rows)

    def _frame(self, ax: Any, low: Array, high: Array, title: str) -> Any:
        """Axes of a section; what is drawn is clipped to the patch that comes back."""
        from matplotlib.patches import Polygon, Rectangle

        if self.plane.kind != "ternary":
            line = self.plane.kind == "line"
            names = self.plane.names
            dress(ax, x=readable(names[0], 30), y="probability" if line else readable(names[1], 30),
                  title=title, grid="")  # fmt: skip
            margin = 0.0 if line else 0.02
            ax.set_xlim(low[0] - margin * (high - low)[0], high[0] + margin * (high - low)[0])
            if line:
                ax.set_ylim(0, 1.12)
                return None
            ax.set_ylim(low[1] - margin * (high - low)[1], high[1] + margin * (high - low)[1])
            patch = Rectangle(low, *(high - low), fill=False, edgecolor=MUTED, linewidth=0.8)
        else:
            ax.set_axis_off()
            ax.set_aspect("equal", anchor="W")
            ax.set_xlim(-0.1, 1.1)
            ax.set_ylim(-0.12, high[1] + 0.1)
            ax.text(-0.1, high[1] + 0.1, readable(title), color=INK, fontsize=10, va="top")
            patch = Polygon([(0, 0), (1, 0), (0.5, high[1])], fill=False, edgecolor=MUTED, linewidth=0.9)
            self._triangle_ticks(ax)
        ax.add_patch(patch)
        return patch

    def _triangle_ticks(self, ax: Any) -> None:
        """Amounts along the three edges, and the names of the corners."""
        amounts = np.arange(0.2, 0.9, 0.2)
        size = 7.0 if len(self.sections) == 1 else 5.5
        shifts = ((-0.045, 0.02), (0.0, -0.04), (0.045, 0.02))
        for k, shift in enumerate(shifts):
            for amount in amounts:
                mixture = np.zeros((1, 3))
                mixture[0, k], mixture[0, (k - 1) % 3] = amount, 1.0 - amount
                x, y = in_triangle(mixture)[0] + np.array(shift)
                ax.text(x, y, f"{self.plane.whole * amount:g}", color=MUTED, fontsize=size, ha="center",
                        va="center")  # fmt: skip
        for name, (x, y), (dx, dy) in zip(
            self.plane.names, in_triangle(np.eye(3)), ((-0.03, -0.05), (0.03, -0.05), (0, 0.045)), strict=True
        ):
            ax.text(x + dx, y + dy, readable(name, 18), color=INK, fontsize=size + 2.5, ha="center",
                    va="center", weight="bold")  # fmt: skip

    def _draw_fields(
        self, ax: Any, rows: NDArray[np.int64], points: Array, low: Array, high: Array, clip: Any
    ) -> None:
        """Color, boundaries and names."""
        codes, scale = self.codes[rows], self.plane.scale(points)
        size = (_PIXELS, int(_PIXELS * (0.866 if self.plane.kind == "ternary" else 0.8)))
        near = nearest_points(points, low, high, size, scale)
        image = self._image(rows)[near]
        box = (low[0], high[0], low[1], high[1])
        aspect = "equal" if self.plane.kind == "ternary" else "auto"
        options = {"extent": box, "origin": "lower", "interpolation": "nearest", "aspect": aspect}
        if self.show != "phases":
            values = self._values(rows)
            top = max(float(values.max()), 1e-12) if self.show == "uncertainty" else 1.0
            drawn = ax.imshow(values[near], cmap="cividis", vmin=0.0, vmax=top, **options)
            bar = ax.figure.colorbar(drawn, ax=ax, fraction=0.04, pad=0.03)
            word = "largest probability" if self.show == "probability" else "uncertainty (score)"
            bar.set_label(word, color=INK)
            bar.ax.tick_params(colors=MUTED, labelcolor=INK, labelsize=8)
            bar.outline.set_visible(False)
        else:
            drawn = ax.imshow(image, **options)
        drawn.set_clip_path(clip)
        if (codes < 0).all():
            return
        self._draw_boundaries(ax, rows, points, codes, (low, high, scale), clip)
        if self.show == "phases":
            self._write_names(ax, np.where(self._drawn(near, size), codes[near], -1), low, high)

    def _drawn(self, near: NDArray[np.int64], size: tuple[int, int]) -> NDArray[np.bool_]:
        """Pixels inside the triangle; all of a plane."""
        if self.plane.kind != "ternary":
            return np.ones(near.shape, dtype=np.bool_)
        x = (np.arange(size[0]) + 0.5) / size[0]
        y = (np.arange(size[1])[:, None] + 0.5) / size[1]
        return np.asarray(np.abs(x - 0.5) <= 0.5 * (1.0 - y))

    def _image(self, rows: NDArray[np.int64]) -> Array:
        """Color of every candidate, paler where it is less sure."""
        from matplotlib.colors import to_rgb

        codes = self.codes[rows]
        palette = np.array([to_rgb(self._colors[k]) for k in range(len(self._colors))])
        if (codes < 0).all():
            return np.full((len(rows), 3), 0.97)
        sure = self.probabilities[rows].max(axis=1)
        part = (_PALEST + (1.0 - _PALEST) * np.clip((sure - 0.3) / 0.7, 0.0, 1.0))[:, None]
        return np.asarray(1.0 - part * (1.0 - palette[codes]))

    def _values(self, rows: NDArray[np.int64]) -> Array:
        """Number of every candidate that is shown as a color."""
        if self.show == "uncertainty":
            return np.asarray(self.uncertainty[rows])
        return np.asarray(self.probabilities[rows].max(axis=1)) if self.names else np.zeros(len(rows))

    def _draw_boundaries(
        self, ax: Any, rows: NDArray[np.int64], points: Array, codes: NDArray[np.int64], frame: Any, clip: Any
    ) -> None:
        """Lines between fields; dashed where the two cannot touch."""
        from matplotlib.collections import LineCollection

        lines, pairs = boundary_lines(points, codes, *frame)
        odd = [(int(rows[i]), int(rows[j])) in self.violations for i, j in pairs]
        pale = "white" if self.show != "phases" else _DARK
        for wrong, color, style in ((False, pale, "-"), (True, VERMILION, (0, (2, 1.5)))):
            chosen = [line for line, flag in zip(lines, odd, strict=True) if flag == wrong]
            if chosen:
                drawn = LineCollection(chosen, colors=color, linewidths=0.8, linestyles=[style], zorder=2)
                ax.add_collection(drawn, autolim=False)
                drawn.set_clip_path(clip)

    def _write_names(self, ax: Any, codes: NDArray[np.int64], low: Array, high: Array) -> None:
        """Names where they fit, numbers elsewhere."""
        many = len(self.sections) > 1
        size = 6.0 if many else 7.5
        width = 0.8 * 72 * self.size[0] / self._layout[0] * (0.62 if not many else 0.8)
        # Not a path effect: it would turn letters into outlines, and Japanese needs the reader's own font.
        halo = {"boxstyle": "round,pad=0.08", "facecolor": "white", "alpha": 0.55, "linewidth": 0}
        texts = [readable(name, 40) for name in self.names]
        for place in name_places(codes, texts, low, high, width / codes.shape[1], size):
            text = texts[place.code] if place.fits else str(place.code + 1)
            if not place.fits:
                self._numbered.add(place.code)
            if place.tip is not None and np.hypot(place.tip[0] - place.x, place.tip[1] - place.y) > 0:
                ax.plot([place.tip[0], place.x], [place.tip[1], place.y], color=_DARK, linewidth=0.5,
                        zorder=5)  # fmt: skip
            ax.text(place.x, place.y, text, color=_DARK, fontsize=size, ha="center", va="center", zorder=6,
                    bbox=halo)  # fmt: skip

    def _draw_line(self, ax: Any, rows: NDArray[np.int64], x: Array) -> None:
        """Probabilities along one axis, stacked."""
        order = np.argsort(x, kind="stable")
        if (self.codes[rows] < 0).all():
            return
        shares = self.probabilities[rows][order].T
        shown = [k for k in range(len(self.names)) if shares[k].max() > 0.02]
        if self.show != "phases":
            ax.plot(x[order], self._values(rows)[order], color=INK, linewidth=1.2)
            return
        ax.stackplot(x[order], shares[shown], colors=[self._colors[k] for k in shown], linewidth=0.4,
                     edgecolor="white")  # fmt: skip
        for k in shown:
            best = np.where(shares.argmax(axis=0) == k, shares[k], 0.0)
            at = int(np.argmax(best)) if best.any() else int(np.argmax(shares[k]))
            run = np.flatnonzero(best >= 0.98 * best.max()) if best.any() else [at]
            at = int(run[len(run) // 2])
            below = shares[: k + 1, at].sum() - 0.5 * shares[k, at]
            ax.text(x[order][at], below, readable(self.names[k], 26), color=_DARK, fontsize=7.5, ha="center",
                    va="center", zorder=6)  # fmt: skip

    def _draw_marks(self, ax: Any, rows: NDArray[np.int64]) -> None:
        """Tie-lines, samples, suspects, next points."""
        marks = self._marks_of(rows)
        small = len(self.sections) > 1
        for corners, crossed in zip(marks.ties, marks.crossed, strict=True):
            closed = np.vstack([corners, corners[:1]]) if len(corners) > 2 else corners
            ax.plot(*closed.T, color=VERMILION if crossed else _DARK, linewidth=0.7, zorder=3,
                    marker="." if len(corners) > 1 else "", markersize=3)  # fmt: skip
        if len(marks.samples):
            colors = [self._colors.get(int(k), "white") for k in marks.codes]
            ax.scatter(*marks.samples.T, s=9 if small else 16, c=colors, edgecolors=_DARK, linewidths=0.7,
                       zorder=4, clip_on=False)  # fmt: skip
        if len(marks.suspects):
            ax.scatter(*marks.suspects.T, s=60 if small else 90, facecolors="none", edgecolors=VERMILION,
                       linewidths=1.3, zorder=7, clip_on=False)  # fmt: skip
        if len(marks.proposed):
            ax.scatter(*marks.proposed.T, s=50 if small else 80, marker="*", c="white", edgecolors=VERMILION,
                       linewidths=1.0, zorder=8, clip_on=False)  # fmt: skip
            for number, place in zip(marks.numbers, marks.proposed, strict=True):
                ax.annotate(str(number), place, (5, 4), textcoords="offset points", color=VERMILION,
                            fontsize=8, weight="bold", zorder=9, annotation_clip=False)  # fmt: skip

    def _marks_of(self, rows: NDArray[np.int64]) -> _Marks:
        """Everything that lies in one section."""
        own = self._inside(self.points, rows)
        ahead = self._inside(self.proposed, rows)
        ties = []
        for corners, point, crossed in self.ties:
            if not len(self._inside(point[None, :], rows)) or self.plane.kind == "line":
                continue
            full = np.repeat(point[None, :], len(corners), axis=0)
            full[:, list(self.plane.composition)] = corners * self.plane.whole
            ties.append((self.plane.place(full), crossed))
        place = {name: k for k, name in enumerate(self.names)}
        lift = np.array([0.0, 1.06]) if self.plane.kind == "line" else np.zeros(2)
        return _Marks(
            self.plane.place(self.points[own]) + lift,
            np.array([place.get(self.labels[k], -1) for k in own], dtype=np.int64),
            self.plane.place(self.suspects[self._inside(self.suspects, rows)]) + lift,
            self.plane.place(self.proposed[ahead]) + lift,
            [int(k) + 1 for k in ahead],
            [corners for corners, _ in ties],
            [crossed for _, crossed in ties],
        )

    def _draw_key(self, ax: Any) -> None:
        """Names of the fields that bear numbers."""
        from matplotlib.patches import Patch

        if not self._numbered:
            return
        handles = [
            Patch(facecolor=self._colors[k], edgecolor=MUTED, linewidth=0.4,
                  label=f"{k + 1}  {readable(self.names[k], 40)}")
            for k in sorted(self._numbered)
        ]  # fmt: skip
        tall = _TALL * self._layout[1]
        key = ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize=6.8,
                        handlelength=1.0, handleheight=0.9, labelspacing=0.25, borderaxespad=0.0,
                        ncols=-(-len(handles) // tall))  # fmt: skip
        ax.add_artist(key)
        key.set_clip_on(False)  # or the layout would leave no room for it

    def _draw_marks_key(self, ax: Any) -> None:
        """What the marks mean, in one line below."""
        from matplotlib.lines import Line2D

        def dot(label: str, **look: Any) -> Line2D:
            return Line2D([], [], linestyle="none", label=label, **look)

        ring = {"marker": "o", "markerfacecolor": "none"}
        handles = []
        if len(self.points):
            handles.append(dot(f"measured ({len(self.points)})", **ring, markeredgecolor=MUTED, markersize=4))
        if len(self.proposed):
            handles.append(dot("measure next", marker="*", markerfacecolor="white",
                               markeredgecolor=VERMILION, markersize=9))  # fmt: skip
        if len(self.suspects):
            handles.append(dot("doubtful", **ring, markeredgecolor=VERMILION, markersize=8))
        if self.ties:
            handles.append(Line2D([], [], color=MUTED, linewidth=0.8, label="measured phases"))
        if self.violations and self.plane.kind != "line":
            handles.append(Line2D([], [], color=VERMILION, linewidth=0.9, linestyle=(0, (2, 1.5)),
                                  label="fields that cannot touch"))  # fmt: skip
        if handles:
            ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.02 if
                      self.plane.kind == "ternary" or len(self.sections) > 1 else -0.16),
                      ncols=3, fontsize=7.5, handletextpad=0.4, columnspacing=1.2)  # fmt: skip
