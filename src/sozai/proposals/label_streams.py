"""Label scores of every node of a list, updated by one vector for each new label."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["LabelStream"]

Array = NDArray[np.float64]


class LabelStream:
    r"""What is known of the class of every node, one label after the other.

    Parameters
    ----------
    n_nodes, n_classes : int

    Attributes
    ----------
    values : ndarray of shape (n_classes, n_nodes)
        Scores F, before they are made probabilities.
    nodes, labels : list of int
        Labeled nodes in order (-1 for a point outside the list), and their classes.
    names : list of str
        Classes that were named by :meth:`code`.

    See Also
    --------
    sozai.proposals.label_graph : The two streams on a graph.
    sozai.proposals.phase_posterior : The stream of a Gaussian process.

    Notes
    -----
    All models here are linear in the labels, so that a label with target t at node i costs one vector h,
    the *gain*: :math:`F \leftarrow F + h\,(t - F_i)^T`. The gain does not depend on the label; several
    pretended labels of one node therefore share it. A child says what the gain is and what it must remember.

    Examples
    --------
    >>> from sozai.proposals.label_graph import LabelPropagation
    >>> stream = LabelPropagation().stream(np.linspace(0, 1, 5)[:, None], n_classes=2)
    >>> stream.add(0, 0).add(4, 1).probabilities()[0].round(2).tolist()
    [1.0, 0.74, 0.5, 0.26, 0.0]
    """

    #: Rows whose scores sum to less have heard of no label.
    silent = 0.0

    def __init__(self, n_nodes: int, n_classes: int) -> None:
        self.values: Array = np.zeros((n_classes, n_nodes))
        self.nodes: list[int] = []
        self.labels: list[int] = []
        self.names: list[str] = []

    @property
    def n_classes(self) -> int:
        """Classes so far."""
        return len(self.values)

    def add_class(self) -> Self:
        """Make room for one class more, of which no label is known yet."""
        self.values = np.concatenate([self.values, np.zeros((1, self.values.shape[1]))])
        return self

    def code(self, name: str) -> int:
        """Number of a class by its name; a new name makes a new class."""
        if name not in self.names:
            self.names.append(name)
            if len(self.names) > self.n_classes:
                self.add_class()
        return self.names.index(name)

    def add(self, node: int, label: int) -> Self:
        """Take in one label.

        Parameters
        ----------
        node : int
            Row of the list.
        label : int
            Class, from 0.

        Returns
        -------
        LabelStream
            Itself.
        """
        target = self.target(label)
        gain = self.gain(node)
        self.values += np.multiply.outer(self.surprise(target, node, self.values), gain)
        self.nodes.append(int(node))
        self.labels.append(int(label))
        return self

    def target(self, label: int) -> Array:
        """Wanted scores of a node with this label, shape (n_columns,)."""
        target = np.zeros(len(self.values))
        target[label] = 1.0
        return target

    def surprise(self, target: Array, node: int, values: Array) -> Array:
        """How far the scores of a node are from its label."""
        return np.asarray(target - values[:, node])

    def gain(self, node: int) -> Array:
        """How much of a surprise at a node is felt at every other, shape (n_nodes,); remembered."""
        raise NotImplementedError

    def probabilities(self, values: Array | None = None) -> Array:
        """Probability of every class at every node.

        Parameters
        ----------
        values : ndarray of shape (n_columns, n_nodes), optional
            Scores of another history; its own when left out.

        Returns
        -------
        ndarray of shape (n_classes, n_nodes)
            Columns sum to 1; equal where nothing is known.
        """
        found = np.maximum(self.values if values is None else values, 0.0)
        total = found.sum(axis=0)
        heard = total > self.silent
        np.divide(found, total, out=found, where=heard)
        found[:, ~heard] = 1.0 / max(len(found), 1)
        return found

    def reported(self, values: Array | None = None) -> Array:
        """Probabilities as the user sees them, shape (n_classes, n_nodes)."""
        return self.probabilities(values)

    def probabilities_at(self, points: Array) -> Array:
        """Probability of every class at any points, shape (n_classes, m)."""
        raise NotImplementedError

    def fresh(self) -> Self:
        """Make an empty stream over the same list."""
        raise NotImplementedError

    @property
    def all_names(self) -> list[str]:
        """Names of all classes, in the order of the probabilities."""
        return self.names

    def unheard(self) -> NDArray[np.bool_]:
        """Nodes that no label reaches."""
        return np.asarray(np.maximum(self.values, 0.0).sum(axis=0) <= self.silent)

    def left_out(self) -> Array:
        """Probabilities of every labeled point as they would be without its label, shape (m, n_classes)."""
        raise NotImplementedError

    def mark(self) -> tuple[Any, ...]:
        """State to come back to."""
        return len(self.nodes), self.values.copy()

    def back(self, mark: tuple[Any, ...]) -> None:
        """Forget everything since a mark."""
        count, values = mark[0], mark[1]
        del self.nodes[count:], self.labels[count:]
        self.values = values.copy()
