"""Label propagation and label spreading on a graph, solved exactly, one vector for each new label."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from sozai.contracts.estimator import Interval, StrOptions, check_is_fitted, validate_table
from sozai.numerics.kernels import squared_distances
from sozai.numerics.pool_kernels import subtract_rows
from sozai.proposals.graph_solvers import GraphInverse, harmonic_graph, spreading_graph
from sozai.proposals.label_streams import LabelStream
from sozai.proposals.phase_transduction import TransductiveClassifier

__all__ = ["GraphStream", "LabelPropagation", "LabelSpreading", "PropagationStream", "SpreadingStream"]

Array = NDArray[np.float64]

#: Points placed at once.
_BLOCK = 4096
#: A node is settled by other labels when its variance has fallen to this part of where it began.
_SETTLED = 1e-12
#: Sums of spread labels below this are rounding of the inverse.
_SILENT = 1e-13


class GraphStream(LabelStream):
    """A stream whose nodes are joined by similarities.

    Parameters
    ----------
    graph : GraphInverse
    Z : ndarray of shape (n_nodes, p)
    gamma : float
    n_classes : int

    Examples
    --------
    >>> stream = LabelPropagation().stream(np.linspace(0, 1, 3)[:, None], 2).add(0, 0).add(2, 1)
    >>> stream.probabilities_at(np.array([[0.5]])).round(3).tolist()
    [[0.5], [0.5]]
    """

    def __init__(self, graph: GraphInverse, Z: Array, gamma: float, n_classes: int = 0) -> None:
        super().__init__(len(Z), n_classes)
        self.graph, self.Z, self.gamma = graph, Z, gamma

    def fresh(self) -> Self:
        """Make an empty stream on the same graph."""
        return type(self)(self.graph, self.Z, self.gamma)

    def probabilities_at(self, points: Array) -> Array:
        """Mean over the list, weighted by similarity, shape (n_classes, m)."""
        p = self.probabilities()
        out = np.empty((len(p), len(points)))
        for first in range(0, len(points), _BLOCK):
            part = slice(first, first + _BLOCK)
            log_weights = -self.gamma * squared_distances(self.Z, points[part])
            weights = np.exp(log_weights - log_weights.max(axis=0))
            out[:, part] = p @ weights
        return np.asarray(out / out.sum(axis=0))


class PropagationStream(GraphStream):
    r"""Harmonic function of the labels on a graph.

    Parameters
    ----------
    graph : GraphInverse
        M of :func:`~sozai.proposals.graph_solvers.harmonic_graph`.
    Z, gamma, n_classes
        As for :class:`GraphStream`.

    Notes
    -----
    Harmonic: at every unlabeled node the mean of its neighbors. That is ordinary kriging without noise with
    the covariance :math:`M = (D - W + uu^T)^{-1}`: the first label :math:`i_0` holds everywhere, and with
    :math:`g_i = M_{\cdot i} - M_{\cdot i_0} - M_{i_0i} + M_{i_0i_0} - UU_i^T` a further label has the gain
    :math:`g_i/g_{ii}` and adds :math:`g_i/\sqrt{g_{ii}}` to U. A graph in several parts has one
    :math:`i_0` in each.

    Examples
    --------
    >>> stream = LabelPropagation().stream(np.linspace(0, 1, 3)[:, None], 2)
    >>> stream.add(0, 0).add(2, 1).probabilities().round(3).tolist()
    [[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]]
    """

    def __init__(self, graph: GraphInverse, Z: Array, gamma: float, n_classes: int = 0) -> None:
        super().__init__(graph, Z, gamma, n_classes)
        self.roots: dict[int, int] = {}
        self._from_root: dict[int, Array] = {}
        self._U: Array = np.empty((0, len(Z)))
        self._used = 0

    def gain(self, node: int) -> Array:
        """Gain of one node; zero where its label follows from others."""
        part = int(self.graph.components[node])
        inside = self.graph.components == part
        column = self.graph.column(node)
        if part not in self.roots:
            self.roots[part], self._from_root[part] = node, column
            return inside.astype(np.float64)
        root, base = self.roots[part], self._from_root[part]
        start = column[node] - 2.0 * base[node] + base[root]
        column -= base
        column += base[root] - base[node]
        if not inside.all():
            column[~inside] = 0.0
        if self._used:
            weights = np.ascontiguousarray(self._U[: self._used, node])
            subtract_rows(self._U[: self._used], weights, column)
        if node == root or column[node] <= _SETTLED * start:
            return np.zeros(len(column))
        if self._used == len(self._U):
            self._U = np.concatenate([self._U, np.empty((max(64, self._used // 2), len(column)))])
        np.divide(column, np.sqrt(column[node]), out=self._U[self._used])
        self._used += 1
        return column / column[node]

    def variance(self) -> Array:
        """Kriging variance of every node, in units of 1/D; infinite where no label reaches."""
        diagonal = self.graph.diagonal()
        out = np.full(len(diagonal), np.inf)
        for part, root in self.roots.items():
            base, inside = self._from_root[part], self.graph.components == part
            out[inside] = (diagonal - 2.0 * base + base[root])[inside]
        out -= (self._U[: self._used] ** 2).sum(axis=0)
        return np.where(np.isinf(out), np.inf, np.maximum(out, 0.0))

    def left_out(self) -> Array:
        r"""Probabilities without the own label.

        Notes
        -----
        With the Laplacian of the labeled nodes,
        :math:`S = M_{ll}^{-1} - M_{ll}^{-1}11^TM_{ll}^{-1}/1^TM_{ll}^{-1}1`, the value at i without its
        label is :math:`-\sum_{j\ne i} S_{ij}y_j/S_{ii}`.
        """
        E = np.array([self.target(label) for label in self.labels])
        nodes, parts = np.array(self.nodes), self.graph.components[self.nodes]
        out = np.full(E.shape, 1.0 / self.n_classes)
        for part in np.unique(parts):
            own = np.flatnonzero(parts == part)
            if len(own) < 2:
                continue
            M = np.array([self.graph.column(int(node))[nodes[own]] for node in nodes[own]])
            factor = cho_factor(M)
            ones = cho_solve(factor, np.ones(len(own)))
            S = cho_solve(factor, np.eye(len(own))) - np.multiply.outer(ones, ones) / ones.sum()
            held = np.diag(S).copy()
            S.flat[:: len(S) + 1] = 0.0
            out[own] = np.clip(-(S @ E[own]) / held[:, None], 0.0, 1.0)
        return np.asarray(out / out.sum(axis=1, keepdims=True))

    def mark(self) -> tuple[Any, ...]:
        """State to come back to."""
        return *super().mark(), self._used, dict(self.roots), dict(self._from_root)

    def back(self, mark: tuple[Any, ...]) -> None:
        """Forget everything since a mark."""
        super().back(mark)
        self._used, self.roots, self._from_root = mark[2], dict(mark[3]), dict(mark[4])


class SpreadingStream(GraphStream):
    r"""Labels that spread over a graph and fade on the way.

    Parameters
    ----------
    graph : GraphInverse
        G of :func:`~sozai.proposals.graph_solvers.spreading_graph`.
    Z, gamma, n_classes
        As for :class:`GraphStream`.

    Notes
    -----
    :math:`F = GY`: a label adds its column of G, whatever the other labels say.

    Examples
    --------
    >>> stream = LabelSpreading().stream(np.linspace(0, 1, 3)[:, None], 2)
    >>> stream.add(0, 0).add(2, 1).probabilities().round(3).tolist()
    [[0.98, 0.5, 0.02], [0.02, 0.5, 0.98]]
    """

    silent = _SILENT

    def gain(self, node: int) -> Array:
        """Column of G."""
        return self.graph.column(node)

    def surprise(self, target: Array, node: int, values: Array) -> Array:
        """The label itself: labels add up."""
        return target

    def left_out(self) -> Array:
        """Probabilities without the own label."""
        own = self.graph.diagonal()[self.nodes]
        E = np.array([self.target(label) for label in self.labels])
        scores = np.maximum(self.values[:, self.nodes].T - own[:, None] * E, 0.0)
        total = scores.sum(axis=1, keepdims=True)
        equal = np.full(scores.shape, 1.0 / self.n_classes)
        return np.divide(scores, total, out=equal, where=total > self.silent)


class _GraphClassifier(TransductiveClassifier):
    """Kernel weights for points outside the list."""

    def predict_proba(self, X: Any) -> Array:
        """Probabilities of new points: the mean over the list, weighted by similarity.

        Parameters
        ----------
        X : array-like of shape (n, n_features)

        Returns
        -------
        ndarray of shape (n, n_classes)
        """
        check_is_fitted(self)
        Z = validate_table(self, X, reset=False)
        return np.ascontiguousarray(self.stream_.probabilities_at(Z).T)


class LabelPropagation(_GraphClassifier):
    r"""Probabilities that are, at every unlabeled point, the weighted mean of those around it.

    Parameters
    ----------
    gamma : float, default=20
        Weight of a pair, :math:`e^{-\gamma|z-z'|^2}`, for coordinates of unit spread.
    solver : {"auto", "dense", "lowrank"}, default="auto"
        All pairs (exact) up to 6,000 points, a factor of low rank above.
    tolerance : float, default=1e-3
        Largest error of the low-rank weights.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    label_distributions_ : ndarray of shape (n_samples, n_classes)
    transduction_ : ndarray of shape (n_samples,)

    See Also
    --------
    sklearn.semi_supervised.LabelPropagation : Iterates toward the same solution at every fit.

    Notes
    -----
    The limit of the iteration [1]_ is harmonic [2]_: :math:`F_u = (D - W)_{uu}^{-1}W_{ul}Y_l`; the
    similarity of a point with itself cancels. Here the graph is inverted once (n³ operations and 8n² bytes,
    or O(n r²) at rank r), and a further label costs O(n (m + C)) after m labels of C classes: see
    :class:`PropagationStream`. ``fit`` starts anew; ``stream_.add`` goes on. Weights of a uniform grid
    vary little over :math:`1/\sqrt{\gamma}`; probabilities at labeled points are exactly 0 and 1.

    References
    ----------
    .. [1] X. Zhu, Z. Ghahramani, Learning from labeled and unlabeled data with label propagation, Technical
       report CMU-CALD-02-107 (2002).
    .. [2] X. Zhu, Z. Ghahramani, J. Lafferty, Semi-supervised learning using Gaussian fields and harmonic
       functions, ICML (2003).

    Examples
    --------
    >>> model = LabelPropagation().fit([[0.0], [0.4], [1.0]], ["a", "", "b"])
    >>> model.label_distributions_.round(2).tolist()
    [[1.0, 0.0], [0.98, 0.02], [0.0, 1.0]]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "gamma": [Interval(Real, 0, None, closed="neither")],
        "solver": [StrOptions({"auto", "dense", "lowrank"})],
        "tolerance": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(self, gamma: float = 20.0, *, solver: str = "auto", tolerance: float = 1e-3) -> None:
        self.gamma = gamma
        self.solver = solver
        self.tolerance = tolerance

    def stream(self, Z: Array, n_classes: int = 0, **options: Any) -> PropagationStream:
        """Make an empty stream over a list; see :meth:`TransductiveClassifier.stream`."""
        graph = harmonic_graph(Z, self.gamma, self.solver, self.tolerance, place="LabelPropagation")
        return PropagationStream(graph, Z, self.gamma, n_classes)


class LabelSpreading(_GraphClassifier):
    r"""Probabilities from labels that spread to similar points and fade.

    Parameters
    ----------
    gamma : float, default=20
        Weight of a pair, :math:`e^{-\gamma|z-z'|^2}`, for coordinates of unit spread.
    alpha : float, default=0.2
        How much a point listens to its neighbors, between 0 and 1.
    solver : {"auto", "dense", "lowrank"}, default="auto"
        All pairs (exact) up to 6,000 points, a factor of low rank above.
    tolerance : float, default=1e-3
        Largest error of the low-rank weights.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    label_distributions_ : ndarray of shape (n_samples, n_classes)
    transduction_ : ndarray of shape (n_samples,)

    See Also
    --------
    sklearn.semi_supervised.LabelSpreading : Iterates 30 times toward the same solution at every fit.

    Notes
    -----
    The limit of the iteration is :math:`F \propto (I - \alpha S)^{-1}Y`,
    :math:`S = D^{-1/2}W^0D^{-1/2}`, :math:`W^0 = W - I` [1]_. The inverse is made once; a label then adds one
    column: O(n). Where all sums are below 1e-13, the reach of double precision, probabilities are equal.

    References
    ----------
    .. [1] D. Zhou et al., Learning with local and global consistency, NIPS 16 (2003).

    Examples
    --------
    >>> model = LabelSpreading().fit([[0.0], [0.4], [1.0]], ["a", "", "b"])
    >>> model.transduction_.tolist()
    ['a', 'a', 'b']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "gamma": [Interval(Real, 0, None, closed="neither")],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "solver": [StrOptions({"auto", "dense", "lowrank"})],
        "tolerance": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(
        self, gamma: float = 20.0, alpha: float = 0.2, *, solver: str = "auto", tolerance: float = 1e-3
    ) -> None:
        self.gamma = gamma
        self.alpha = alpha
        self.solver = solver
        self.tolerance = tolerance

    def stream(self, Z: Array, n_classes: int = 0, **options: Any) -> SpreadingStream:
        """Make an empty stream over a list; see :meth:`TransductiveClassifier.stream`."""
        graph = spreading_graph(
            Z, self.gamma, self.alpha, self.solver, self.tolerance, place="LabelSpreading"
        )
        return SpreadingStream(graph, Z, self.gamma, n_classes)
