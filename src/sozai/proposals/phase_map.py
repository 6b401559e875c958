"""The map that follows from the samples told: probabilities, closed fields, suspects, violations."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.proposals.phase_chances import OneHotStream, phase_members, sharpened
from sozai.proposals.phase_model import PhaseModel
from sozai.proposals.phase_rule import PhaseRuleViolation, neighbor_violations
from sozai.proposals.phase_samples import PhaseSample
from sozai.proposals.phase_scores import as_phase_score

__all__ = ["PhaseMap"]

Array = NDArray[np.float64]

#: A label is suspect when, left out, it has less than this probability and another label more than that.
_DOUBTED, _SURE = 0.02, 0.6
#: The first sample of a set is alone by nature: it is suspect only deep inside another field.
_DEEP = 0.9


class PhaseMap:
    """What can be read off a proposer of phase diagrams.

    Attributes
    ----------
    classes_, probabilities_, labels_, uncertainty_, closed_, suspects_, phase_rule_violations_
        See :class:`~sozai.proposals.phase_diagram.PhaseDiagramProposer`. Each is computed when it is read.

    Examples
    --------
    >>> from sozai.proposals.phase_diagram import PhaseDiagramProposer
    >>> proposer = PhaseDiagramProposer("binary:step=0.25").tell([0, 4], ["A", "B"])
    >>> proposer.classes_.tolist(), proposer.probabilities_.round(2)[:, 0].tolist()
    (['A', 'B'], [1.0, 0.61, 0.5, 0.39, 0.0])
    >>> proposer.predict([[0.9, 0.1]]).tolist()
    ['A']
    """

    samples_: list[PhaseSample]
    score: Any
    _derived: dict[str, Any] | None
    _calibrates: bool

    def _updated(self) -> PhaseModel:
        raise NotImplementedError

    def _once(self, name: str, compute: Any) -> Any:
        """Answer kept until the next result."""
        if self._derived is None:
            self._derived = {}
        if name not in self._derived:
            self._derived[name] = compute()
        return self._derived[name]

    @property
    def classes_(self) -> NDArray[Any]:
        """Labels, ascending."""
        return np.array(sorted(self._updated().stream.all_names), dtype=object)

    @property
    def phases_(self) -> tuple[str, ...]:
        """Constituent phases, ascending."""
        names = self._updated().stream.all_names
        return tuple(sorted({part.split("#")[0] for name in names for part in phase_members(name)}))

    @property
    def length_scale_(self) -> Array | None:
        """Length scales in coordinates of unit spread; None for a graph."""
        return getattr(self._updated().stream, "length_scales", None)

    @property
    def fields_(self) -> dict[int, str]:
        """Labels of rows that were not measured and follow from measured compositions."""
        return dict(self._once("fields", self._updated().measured_fields))

    @property
    def probabilities_(self) -> Array:
        """Reported probability of every label at every candidate, columns as ``classes_``."""
        return np.array(self._once("probabilities", self._probabilities))

    @property
    def labels_(self) -> NDArray[Any]:
        """Most probable label of every candidate."""
        self._require_label("labels_")
        return np.asarray(self.classes_[self._once("probabilities", self._probabilities).argmax(axis=1)])

    @property
    def uncertainty_(self) -> Array:
        """Score of every candidate."""
        stream = self._updated().stream
        rng = np.random.default_rng(0)
        if not stream.all_names:
            return np.ones(len(self._updated().X))
        return as_phase_score(self.score, place="PhaseDiagramProposer")(stream.probabilities(), rng=rng)

    @property
    def closed_(self) -> NDArray[np.bool_]:
        """Candidates that are measured or known by the phase rule."""
        return np.array(self._once("closed", self._closed))

    @property
    def phase_rule_violations_(self) -> list[PhaseRuleViolation]:
        """Measured fields that cross or overlap, at equal conditions."""
        return list(self._once("violations", self._violations))

    @property
    def suspects_(self) -> pd.DataFrame:
        """Samples that contradict others: ``sample, index, phase, p, instead, p_instead, reason``."""
        return self._once("suspects", self._suspects).copy()

    def boundary_violations(self) -> list[tuple[int, int]]:
        """Neighboring candidates whose predicted fields cannot touch along a line.

        Only neighbors at equal conditions: between two temperatures an invariant reaction may lie.
        """
        model = self._updated()
        return list(self._once("touching", lambda: self._touching(model)))

    def _touching(self, model: PhaseModel) -> list[tuple[int, int]]:
        """Pairs of neighbors at equal conditions."""
        size = len(model.coordinates.composition)
        found = neighbor_violations(self.labels_.tolist(), model.Z, max(size, 2))
        if not size:
            return found
        level = model.X[:, list(model.coordinates.others)]
        return [(i, j) for i, j in found if (level[i] == level[j]).all()]

    def predict_proba(self, X: Any) -> Array:
        """Reported probabilities at any points, shape (n, n_classes)."""
        self._require_label("predict_proba")
        model = self._updated()
        stream: Any = model.stream
        p = stream.probabilities_at(model.coordinates.transform(X))
        p = sharpened(p, self._sharpness()) if isinstance(stream, OneHotStream) else p
        return np.ascontiguousarray(p[self._order()].T)

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable label at any points."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def to_frame(self) -> pd.DataFrame:
        """Candidates with measured ``phase``, ``predicted``, ``probability``, ``uncertainty``, ``closed``."""
        model = self._updated()
        frame = pd.DataFrame(model.X, columns=list(model.coordinates.names))
        told = np.full(len(frame), "", dtype=object)
        for sample in self.samples_:
            if sample.row >= 0:
                told[sample.row] = sample.label
        frame["phase"] = told
        if model.stream.all_names:
            frame["predicted"] = self.labels_
            frame["probability"] = self.probabilities_.max(axis=1)
        return frame.assign(uncertainty=self.uncertainty_, closed=self.closed_)

    # --- inside --------------------------------------------------------------------------------------

    def _require_label(self, what: str) -> None:
        if not self._updated().stream.all_names:
            raise InputError(
                sentence(f"PhaseDiagramProposer.{what}", "the map", "hold at least one label", 0,
                         remedy="Call tell(index, phase) first.")
            )  # fmt: skip

    def _order(self) -> list[int]:
        """Positions of the classes, ascending, among those of the stream."""
        names = self._updated().stream.all_names
        return sorted(range(len(names)), key=names.__getitem__)

    def _sharpness(self) -> float:
        """Power of the reported probabilities."""
        stream: Any = self._updated().stream
        if not self._calibrates:
            return 1.0
        return float(self._once("sharpness", lambda: stream.calibrate().sharpness))

    def _probabilities(self) -> Array:
        model = self._updated()
        stream = model.stream
        p = self._once("chances", stream.probabilities)
        if isinstance(stream, OneHotStream) and len(stream.all_names) > 1:
            p = sharpened(p, self._sharpness())
        p = np.ascontiguousarray(p[self._order()].T)
        place = {name: k for k, name in enumerate(sorted(stream.all_names))}
        for row, label in self.fields_.items():
            p[row] = 0.0
            p[row, place[label]] = 1.0
        return p

    def _closed(self) -> NDArray[np.bool_]:
        model = self._updated()
        closed = np.zeros(len(model.X), dtype=np.bool_)
        closed[[sample.row for sample in model.samples if sample.row >= 0]] = True
        closed[list(self.fields_)] = True
        if model.rule is not None and len(model.stream.all_names) > 1:
            wanted = model.rule.n_components
            if any(name.count("+") + 1 == wanted for name in model.stream.all_names):
                closed |= model.provisional(self._once("chances", model.stream.probabilities))
        return closed

    def _violations(self) -> list[PhaseRuleViolation]:
        model = self._updated()
        if model.rule is None:
            return []
        others = list(model.coordinates.others)
        groups: dict[tuple[float, ...], list[Any]] = {}
        for sample in self.samples_:
            if sample.coexistence is not None:
                key = tuple(sample.point[others].tolist())
                groups.setdefault(key, []).append((sample.number, sample.coexistence))
        return [one for fields in groups.values() for one in model.rule.violations(fields)]

    def _suspects(self) -> pd.DataFrame:
        model = self._updated()
        names = model.stream.all_names
        rows = []
        if len(names) > 1 and len(model.entries) > 2:
            p = model.stream.left_out()
            told: dict[int, set[str]] = {}
            for _, row, label in model.entries:
                told.setdefault(row, set()).add(label)
            counts = Counter(label for _, _, label in model.entries)
            sure = {label: _SURE if count > 1 else _DEEP for label, count in counts.items()}
            for (number, row, label), chances in zip(model.entries, p, strict=True):
                if number < 0:
                    continue
                own, best = names.index(label), int(np.argmax(chances))
                others = sorted(told[row] - {label}) if row >= 0 else []
                if others:
                    reason = f"Candidate {row} was also found to be {', '.join(others)}."
                elif chances[own] < _DOUBTED and chances[best] > sure[label] and best != own:
                    reason = f"{label} among {names[best]}: p = {chances[own]:.2g} without this sample."
                else:
                    continue
                rows.append((number, row, label, chances[own], names[best], chances[best], reason))
        columns = ["sample", "index", "phase", "p", "instead", "p_instead", "reason"]
        return pd.DataFrame(rows, columns=columns).sort_values("sample", ignore_index=True)
