"""Gaussian-process classifiers of phases: one function for each label, or one for each phase."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.estimator import Interval, StrOptions, check_is_fitted, validate_table
from sozai.numerics.kernels import Kernel, Matern
from sozai.proposals.label_streams import LabelStream
from sozai.proposals.phase_chances import OneHotStream, PresenceStream, sharpened
from sozai.proposals.phase_transduction import TransductiveClassifier

__all__ = ["OneHotGaussianProcess", "PresenceGaussianProcess"]

Array = NDArray[np.float64]

_START = 0.5


class _ProcessClassifier(TransductiveClassifier):
    """What both classifiers do."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "kernel": [Kernel, None],
        "noise": [Interval(Real, 0, None, closed="neither")],
        "length_scale": [StrOptions({"loo"}), Interval(Real, 0, None, closed="neither"), "array-like"],
        "calibrate": ["boolean"],
        "memory_limit": [Interval(Integral, 0, None, closed="left")],
    }
    _stream_class: type[OneHotStream]

    def stream(self, Z: Array, n_classes: int = 0, **options: Any) -> OneHotStream:
        """Make an empty stream over a list; see :meth:`TransductiveClassifier.stream`."""
        learned = isinstance(self.length_scale, str)
        scales = np.broadcast_to(np.asarray(_START if learned else self.length_scale, dtype=np.float64),
                                 (Z.shape[1],))  # fmt: skip
        if not (np.isfinite(scales).all() and (scales > 0).all()):
            raise InputError(
                sentence(type(self).__name__, "length_scale", "be 'loo' or positive", self.length_scale)
            )
        groups = options.pop("groups", None)
        kernel = Matern(0.5) if self.kernel is None else self.kernel
        return self._stream_class(
            Z, n_classes, kernel, self.noise, scales, groups, self.memory_limit, tune=learned, **options
        )

    def _learn(self, rows: NDArray[np.int64], codes: NDArray[np.int64]) -> None:
        """Solve for all labels at once."""
        stream: Any = self.stream_
        numbers = [stream.code(str(self.classes_[code])) for code in codes[rows]]
        stream.add_many(self.X_[rows], rows, numbers, np.full(len(rows), self.noise))
        if self.calibrate:
            stream.calibrate()
        self.length_scale_ = stream.length_scales
        self.temperature_ = 1.0 / stream.sharpness
        self._order = np.array([stream.code(str(name)) for name in self.classes_])

    def _reported(self, stream: LabelStream) -> Array:
        """Calibrated probabilities, classes ascending."""
        p = stream.reported()[self._order]  # type: ignore[attr-defined]
        return np.asarray(p / p.sum(axis=0))

    def predict_proba(self, X: Any) -> Array:
        """Calibrated probabilities of the classes of any points.

        Parameters
        ----------
        X : array-like of shape (n, n_features)

        Returns
        -------
        ndarray of shape (n, n_classes)
        """
        check_is_fitted(self)
        Z = validate_table(self, X, reset=False)
        stream: Any = self.stream_
        p = sharpened(stream.probabilities_at(Z), stream.sharpness)[self._order]
        return np.ascontiguousarray((p / p.sum(axis=0)).T)


class OneHotGaussianProcess(_ProcessClassifier):
    r"""Probabilities of labels from one Gaussian process for each, all on one factor.

    Parameters
    ----------
    kernel : Kernel, default=Matern(0.5)
        The roughest Matern kernel: fields of a phase diagram have sharp edges.
    noise : float, default=1e-3
        Noise variance of a label; the amplitude is 1.
    length_scale : "loo", float or array-like, default="loo"
        In coordinates of unit spread. ``"loo"`` learns it.
    calibrate : bool, default=True
        Whether reported probabilities are sharpened or softened by the labels left out.
    memory_limit : int, default=2**30
        Bytes for the cross-covariance; beyond, it is computed anew for every label.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    label_distributions_ : ndarray of shape (n_samples, n_classes)
    transduction_ : ndarray of shape (n_samples,)
    length_scale_ : ndarray of shape (n_features,)
    temperature_ : float
        :math:`\tau`; below 1 probabilities were too careful.

    See Also
    --------
    sklearn.gaussian_process.GaussianProcessClassifier : Laplace approximation, one classifier a class.
    PresenceGaussianProcess : One function for each phase instead of each set of phases.

    Notes
    -----
    Targets :math:`Y = \mathrm{onehot} - 1/C`; :math:`F = K_*K^{-1}Y + 1/C`, clipped at 1e-9 and
    divided by its sum. The length scale is the one of 17 (0.05 to 12.8, then refined) with the least Brier
    score of labels left out, :math:`R = K^{-1}Y/\mathrm{diag}K^{-1}` exactly [1]_; a proposer gives a
    temperature or another condition a length scale of its own. Reported probabilities are
    :math:`p^{1/\tau}`, :math:`\tau` from the labels left out; scores of a proposer use p. O(n³) for
    each length scale tried, O((n + C) N) for a further label. Labels chosen at boundaries are harder
    than the rest, so that probabilities err on the careful side.

    References
    ----------
    .. [1] C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning, MIT Press (2006).

    Examples
    --------
    >>> model = OneHotGaussianProcess().fit([[0.0], [0.4], [0.5], [1.0]], ["a", "", "", "b"])
    >>> model.transduction_.tolist(), model.predict([[0.9]]).tolist()
    (['a', 'a', 'a', 'b'], ['b'])
    """

    _stream_class = OneHotStream

    def __init__(
        self,
        kernel: Kernel | None = None,
        noise: float = 1e-3,
        *,
        length_scale: Any = "loo",
        calibrate: bool = True,
        memory_limit: int = 2**30,
    ) -> None:
        self.kernel = kernel
        self.noise = noise
        self.length_scale = length_scale
        self.calibrate = calibrate
        self.memory_limit = memory_limit


class PresenceGaussianProcess(_ProcessClassifier):
    r"""Probabilities of sets of phases from one Gaussian process for each phase, all on one factor.

    Labels such as ``"A+B"`` inform the functions of A and of B: single-phase and
    coexistence samples help each other, and sets never seen get a name in a proposer.

    Parameters
    ----------
    kernel : Kernel, default=Matern(0.5)
    noise : float, default=1e-3
    length_scale : "loo", float or array-like, default="loo"
    calibrate : bool, default=True
    memory_limit : int, default=2**30
        As for :class:`OneHotGaussianProcess`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    label_distributions_ : ndarray of shape (n_samples, n_classes)
    transduction_ : ndarray of shape (n_samples,)
    length_scale_ : ndarray of shape (n_features,)
    temperature_ : float

    See Also
    --------
    OneHotGaussianProcess : The default.

    Notes
    -----
    See :class:`~sozai.proposals.phase_chances.PresenceStream`. ``fit`` and ``predict`` keep to the labels
    seen, as a classifier must.

    Examples
    --------
    >>> X = [[0.0], [0.2], [0.5], [0.8], [1.0]]
    >>> model = PresenceGaussianProcess().fit(X, ["A", "A", "A+B", "", "B"])
    >>> model.transduction_[[0, 2, 4]].tolist()
    ['A', 'A+B', 'B']
    """

    _stream_class = PresenceStream

    def __init__(
        self,
        kernel: Kernel | None = None,
        noise: float = 1e-3,
        *,
        length_scale: Any = "loo",
        calibrate: bool = True,
        memory_limit: int = 2**30,
    ) -> None:
        self.kernel = kernel
        self.noise = noise
        self.length_scale = length_scale
        self.calibrate = calibrate
        self.memory_limit = memory_limit

    def stream(self, Z: Array, n_classes: int = 0, **options: Any) -> OneHotStream:
        """Make an empty stream; phases come with their labels."""
        return super().stream(Z, 0, **options)
