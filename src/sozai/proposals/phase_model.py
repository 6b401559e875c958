"""A classifier over a list of points that takes samples in, and what follows from them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.proposals.coexistence import barycentric
from sozai.proposals.label_graph import GraphStream
from sozai.proposals.label_streams import LabelStream
from sozai.proposals.phase_batches import kth_distance
from sozai.proposals.phase_chances import PresenceStream
from sozai.proposals.phase_coordinates import PhaseCoordinates
from sozai.proposals.phase_posterior import ProcessStream
from sozai.proposals.phase_rule import PhaseRule, closed_by_hull, field_hulls
from sozai.proposals.phase_samples import PhaseSample, implied_labels

__all__ = ["PhaseModel"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: How far a node may lie from a measured tie-line, in steps of the list.
_ON_LINE = 0.1
#: Least amount of every phase at a node that takes the label of a measured field: its edge has fewer phases.
_SOME = 1e-6


class PhaseModel:
    """Stream of labels, samples and derived points, with the fields they close.

    Parameters
    ----------
    X : ndarray of shape (N, p)
        Descriptors.
    coordinates : PhaseCoordinates
    stream : LabelStream
        Empty.
    rule : PhaseRule or None
    derived_noise : float
        Noise variance of labels that follow from compositions.

    Attributes
    ----------
    entries : list of (int, int, str)
        Sample (-1 for a derived point), row and label of every label in the stream, in its order.
    nearest : ndarray of shape (N,)
        Squared distance to the nearest sample.
    n_dropped : int
        Derived points too far from any node.

    Notes
    -----
    Samples are taken in by row, so that the order in which they were told since the last question does not
    matter. A process is solved anew, from all samples by row, when its length scales are due.

    Examples
    --------
    >>> from sozai.proposals.phase_classifiers import OneHotGaussianProcess
    >>> X = np.linspace(0, 1, 5)[:, None]
    >>> coordinates = PhaseCoordinates.fit(X)
    >>> stream = OneHotGaussianProcess().stream(coordinates.transform(X))
    >>> model = PhaseModel(X, coordinates, stream, None, 1e-2)
    >>> for row, label in ((0, "A"), (4, "B")):
    ...     model.add(PhaseSample(row, row, X[row], label))
    >>> model.update().stream.all_names
    ['A', 'B']
    """

    def __init__(
        self,
        X: Array,
        coordinates: PhaseCoordinates,
        stream: LabelStream,
        rule: PhaseRule | None,
        derived_noise: float,
    ) -> None:
        self.X, self.coordinates, self.stream, self.rule = X, coordinates, stream, rule
        self.Z: Array = stream.Z  # type: ignore[attr-defined]
        self.derived_noise = derived_noise
        self.samples: list[PhaseSample] = []
        self.entries: list[tuple[int, int, str]] = []
        self.nearest: Array = np.full(len(X), np.inf)
        self.n_dropped = 0
        self._waiting: list[PhaseSample] = []
        self._step: float | None = None
        self._hulls: dict[tuple[str, int], list[tuple[Array, Mask]]] = {}
        if isinstance(stream, PresenceStream) and rule is not None:
            stream.most_phases = rule.most

    # --- samples -------------------------------------------------------------------------------------

    def add(self, sample: PhaseSample) -> None:
        """Remember a sample until the next question."""
        self._waiting.append(sample)

    def update(self) -> PhaseModel:
        """Take in what waits."""
        if not self._waiting:
            return self
        news = sorted(self._waiting, key=lambda one: (one.row, one.label, one.point.tolist()))
        self._waiting = []
        self.samples += news
        for sample in news:
            offset = self.Z - self.coordinates.transform(sample.point[None, :])
            np.minimum(self.nearest, (offset**2).sum(axis=1), out=self.nearest)
        if isinstance(self.stream, ProcessStream):
            self._into_process(news)
        else:
            self._into_graph(news)
        return self

    def _into_process(self, news: list[PhaseSample]) -> None:
        """Samples and derived points, one by one or all anew."""
        stream: Any = self.stream
        items = [item for sample in news for item in self._items(sample)]
        if not stream.nodes or stream.due(len(items)):
            ordered = sorted(self.samples, key=lambda one: (one.row, one.label, one.point.tolist()))
            self.stream = stream = stream.fresh()
            self.entries = []
            items = [item for sample in ordered for item in self._items(sample)]
            codes = [stream.code(label) for _, _, label, _, _ in items]
            points = self.coordinates.transform(np.array([point for _, _, _, point, _ in items]))
            noises = np.array([noise for *_, noise in items])
            stream.add_many(points, [row for _, row, _, _, _ in items], codes, noises)
        else:
            for _, row, label, point, noise in items:
                code = stream.code(label)
                if row >= 0:
                    stream.add(row, code)
                else:
                    stream.add_point(self.coordinates.transform(point[None, :])[0], code, noise)
        self.entries += [(number, row, label) for number, row, label, _, _ in items]
        if isinstance(stream, PresenceStream):
            stream.imagine()

    def _items(self, sample: PhaseSample) -> list[tuple[int, int, str, Array, float]]:
        """Number, row, label, descriptors and noise of a sample and what it implies."""
        noise = self.stream.noise  # type: ignore[attr-defined]
        found = [(sample.number, sample.row, sample.label, sample.point, noise)]
        known = [one.label for one in self.samples]
        for label, point in implied_labels(sample, self.coordinates, known, self._margin(sample)):
            found.append((-1, -1, label, point, self.derived_noise))
        return found

    def _into_graph(self, news: list[PhaseSample]) -> None:
        """Samples at their nodes, derived points at the nearest ones; all anew for a changed label."""
        held = {row: label for number, row, label in self.entries if number >= 0}
        changed = any(sample.row in held and held[sample.row] != sample.label for sample in news)
        derived = any(number < 0 for number, _, _ in self.entries)
        ordered = news
        if changed or derived:
            self.stream = self.stream.fresh()
            self.entries, held, ordered = [], {}, self.samples
        latest = {}
        for sample in sorted(ordered, key=lambda one: one.number):
            before = latest.get(sample.row, held.get(sample.row))
            if before is not None and before != sample.label and sample in news:
                warnings.warn(
                    f"PhaseDiagramProposer.tell: candidate {sample.row} was {before!r} and is now "
                    f"{sample.label!r}; a graph keeps the latest. OneHotGaussianProcess() keeps both.",
                    UserWarning,
                    stacklevel=5,
                )
            latest[sample.row] = sample.label
        numbers = {sample.row: sample.number for sample in ordered}
        for row in sorted(latest):
            if row not in held:
                self._to_node(numbers[row], row, latest[row])
        self.n_dropped = 0
        for sample in ordered:
            for label, point in implied_labels(sample, self.coordinates, [one.label for one in self.samples]):
                node = self.snap(point)
                if node is None:
                    self.n_dropped += 1
                elif all(row != node for _, row, _ in self.entries):
                    self._to_node(-1, node, label)

    def _to_node(self, number: int, row: int, label: str) -> None:
        self.stream.add(row, self.stream.code(label))
        self.entries.append((number, row, label))

    def snap(self, point: Array) -> int | None:
        """Nearest node within half a step, if any."""
        distance = ((self.Z - self.coordinates.transform(point[None, :])) ** 2).sum(axis=1)
        node = int(np.argmin(distance))
        return node if distance[node] <= (0.5 * self.step) ** 2 * (1 + 1e-6) else None

    @property
    def step(self) -> float:
        """Smallest distance between two points of the list."""
        if self._step is None:
            self._step = kth_distance(self.Z, 1)
        return self._step

    @property
    def _fraction_step(self) -> float:
        """The same, as a difference of fractions."""
        return float(self.step * self.coordinates.scale[0] * np.sqrt(2.0))

    def _margin(self, sample: PhaseSample) -> float:
        """Half a step, for samples with compositions."""
        return 0.5 * self._fraction_step if sample.coexistence is not None else 0.0

    @property
    def uses_graph(self) -> bool:
        """Whether labels can only stand at nodes."""
        return isinstance(self.stream, GraphStream)

    # --- fields --------------------------------------------------------------------------------------

    def measured_fields(self) -> dict[int, str]:
        """Labels that follow at unmeasured nodes: inside measured corners, on measured tie-lines."""
        if self.rule is None or not self.coordinates.composition:
            return {}
        fractions = None
        found: dict[int, str] = {}
        told = {sample.row for sample in self.samples}
        for sample in self.samples:
            field = sample.coexistence
            if field is None or len(field.phases) < 2:
                continue
            fractions = self.coordinates.fractions(self.X) if fractions is None else fractions
            whole = len(field.phases) == fractions.shape[1]
            weights, distance = barycentric(fractions, field.compositions)
            near = distance <= (1e-9 if whole else _ON_LINE * self._fraction_step)
            inside = near & (weights > _SOME).all(axis=1)
            for row in np.flatnonzero(inside & self._section(sample.point)):
                if int(row) not in told:
                    found[int(row)] = sample.label
        return found

    def provisional(self, p: Array) -> Mask:
        """Nodes inside hulls of samples of as many phases as components, for now."""
        closed = np.zeros(len(self.X), dtype=np.bool_)
        if self.rule is None or self.rule.sections or not self.coordinates.composition:
            return closed
        d = len(self.coordinates.composition) - 1
        labels = np.array([sample.label for sample in self.samples], dtype=object)
        points = self.coordinates.transform(np.array([sample.point for sample in self.samples]))[:, :d]
        for name in dict.fromkeys(labels.tolist()):
            own = labels == name
            if name.count("+") + 1 != self.rule.n_components or own.sum() <= d:
                continue
            key = (name, int(own.sum()))
            if key not in self._hulls:
                self._hulls[key] = field_hulls(self.Z[:, :d], points[own])
            here = p[self.stream.all_names.index(name)]
            closed |= closed_by_hull(self.Z[:, :d], points, own, here, hulls=self._hulls[key])[0]
        return closed

    def _section(self, point: Array) -> Mask:
        """Nodes at the other conditions of a point."""
        others = list(self.coordinates.others)
        if not others:
            return np.ones(len(self.X), dtype=np.bool_)
        width = np.ptp(self.X[:, others], axis=0)
        near = np.abs(self.X[:, others] - point[others]) <= 1e-9 * np.where(width > 0, width, 1.0)
        return np.asarray(near.all(axis=1))

    def require_node(self, point: Array, *, place: str, at: str) -> int:
        """Row nearest to a point outside the list, for models that know nodes only."""
        node = self.snap(point)
        if node is None:
            raise InputError(
                sentence(
                    place, "index_or_x", "lie within half a step of a candidate for a graph", point.tolist(),
                    at=at, remedy="Take OneHotGaussianProcess(), which places any point.",
                )
            )  # fmt: skip
        return node
