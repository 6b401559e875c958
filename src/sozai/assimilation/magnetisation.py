"""How a magnetization falls with temperature, as columns of a basis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence

__all__ = ["MagnetisationShape", "reduced_magnetization"]

Array = NDArray[np.float64]


def reduced_magnetization(temperature: Any, curie: Any, s: float = 1.0) -> Array:
    r"""Magnetization over its value at 0 K: :math:`[1 - st^{3/2} - (1-s)t^{5/2}]^{1/3}`, :math:`t = T/T_C`.

    Parameters
    ----------
    temperature, curie : array-like of float
        Kelvin.
    s : float, default=1.0
        Shape, between 0 and 5/2.

    Returns
    -------
    ndarray
        Between 0 and 1; 0 from the Curie temperature on.

    References
    ----------
    .. [1] M. D. Kuz'min, Phys. Rev. Lett. 94, 107204 (2005), doi:10.1103/PhysRevLett.94.107204.

    Examples
    --------
    >>> reduced_magnetization([0.0, 300.0, 700.0], 600.0).round(4).tolist()
    [1.0, 0.8647, 0.0]
    """
    t = np.clip(np.asarray(temperature, dtype=np.float64) / curie, 0.0, 1.0)
    return np.asarray(np.cbrt(np.maximum(1 - s * t**1.5 - (1 - s) * t**2.5, 0.0)))


@dataclass(frozen=True)
class MagnetisationShape:
    """1 and the shape of a magnetization for some Curie temperatures; one descriptor, the temperature.

    Parameters
    ----------
    curie : float or sequence of float
        Kelvin; every one is a column.
    s : float, default=1.0
        Shape of Kuz'min's curve.

    Examples
    --------
    >>> import numpy as np
    >>> MagnetisationShape(600.0).evaluate(np.array([[300.0]]), np.array([[0.0, 900.0]])).round(3).tolist()
    [[1.0, 0.865]]
    """

    curie: float | Sequence[float]
    s: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "curie", tuple(np.atleast_1d(np.asarray(self.curie, float)).tolist()))
        if not all(value > 0 for value in self.curie):
            raise InputError(
                sentence(
                    "MagnetisationShape", "curie", "be positive, in kelvin", self.curie,
                    remedy="Pass Curie temperatures such as 585.0.",
                )
            )  # fmt: skip

    def n_terms(self, q: int) -> int:
        """One more than there are Curie temperatures."""
        if q != 1:
            raise InputError(
                sentence(
                    "MagnetisationShape", "X", "have one column, the temperature", q,
                    remedy="Join it to a basis of the other columns with TensorProduct.",
                )
            )  # fmt: skip
        return len(self.curie) + 1

    def degrees(self, q: int) -> NDArray[np.int64]:
        """0 for the constant, 1 for every shape."""
        return np.minimum(np.arange(self.n_terms(q)), 1)

    def evaluate(self, X: Array, domain: Array) -> Array:
        """Columns at the rows of X, of shape (n, P)."""
        self.n_terms(X.shape[1])
        shapes = [reduced_magnetization(X[:, 0], curie, self.s) for curie in self.curie]
        return np.stack([np.ones(len(X)), *shapes], axis=1)

    def feature_names(self, input_names: Sequence[str]) -> list[str]:
        """Names such as ``m(T/585)``."""
        self.n_terms(len(input_names))
        return ["1", *(f"m({input_names[0]}/{curie:g})" for curie in self.curie)]

    def raw_matrix(self, domain: Array) -> None:
        """The columns themselves are the terms."""
        return None
