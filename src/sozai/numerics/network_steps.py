"""One small network: its layers in one vector, its gradient by the chain rule, one step of Adam."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["Layers", "adam_step"]

Single = NDArray[np.float32]

_FIRST_DECAY, _SECOND_DECAY, _FLOOR = 0.9, 0.999, 1e-8


class Layers:
    r"""Weights of a network, as matrices that are views of one vector.

    Parameters
    ----------
    sizes : tuple of int
        Columns, hidden widths, 1.
    flat : ndarray of shape (n_weights,)
        Matrix and offset of every layer, one after the other.

    Notes
    -----
    :math:`h_0 = x`, :math:`z_l = h_{l-1}A_l + b_l`, :math:`h_l = z_l/(1 + e^{-z_l})`; the last
    :math:`z` is the output. The gradient of :math:`\frac1n\sum|f - y|` runs backwards:
    :math:`\delta_L = \mathrm{sign}(f - y)/n`, :math:`\partial A_l = h_{l-1}^T\delta_l`,
    :math:`\delta_{l-1} = \delta_l A_l^T \circ \phi'(z_{l-1})` with
    :math:`\phi' = s + z s (1 - s)`, :math:`s = 1/(1 + e^{-z})`.

    Examples
    --------
    >>> layers = Layers((1, 1), np.array([2.0, 1.0], dtype=np.float32))
    >>> layers(np.array([[3.0]], dtype=np.float32)).tolist()
    [7.0]
    """

    def __init__(self, sizes: tuple[int, ...], flat: Any) -> None:
        self.sizes, self.flat = sizes, flat
        self.matrices, self.offsets = _views(sizes, flat)
        self._slope = np.zeros_like(flat)
        self._matrix_slopes, self._offset_slopes = _views(sizes, self._slope)

    @classmethod
    def drawn(cls, sizes: tuple[int, ...], rng: np.random.Generator) -> Layers:
        """Layers whose outputs have the spread of their inputs: uniform weights, zero offsets."""
        layers = cls(sizes, np.zeros(_n_weights(sizes), dtype=np.float32))
        for matrix in layers.matrices:
            limit = math.sqrt(6.0 / (matrix.shape[0] + (matrix.shape[1] if matrix.shape[1] == 1 else 0)))
            matrix[:] = rng.uniform(-limit, limit, matrix.shape)
        return layers

    def doubled(self) -> Layers:
        """Copy in double precision."""
        return Layers(self.sizes, self.flat.astype(np.float64))

    def __call__(self, rows: Any) -> Any:
        """Outputs, shape (n_rows,), in the precision of weights and rows."""
        h = rows
        for matrix, offset in zip(self.matrices[:-1], self.offsets[:-1], strict=True):
            z = h @ matrix
            z += offset
            h = z * _sigmoid(z)
        return np.asarray((h @ self.matrices[-1])[:, 0] + self.offsets[-1][0])

    def loss_gradient(self, rows: Any, target: Any) -> Any:
        """Gradient of the mean absolute error with respect to all weights; overwritten by the next call."""
        inputs, slopes = self._forward(rows)
        error = (inputs[-1] @ self.matrices[-1])[:, 0] + self.offsets[-1][0] - target
        delta = (np.sign(error) / np.float32(len(target)))[:, None]
        for level in range(len(self.matrices) - 1, -1, -1):
            np.matmul(inputs[level].T, delta, out=self._matrix_slopes[level])
            self._offset_slopes[level][:] = delta.sum(axis=0)
            if level:
                delta = delta @ self.matrices[level].T
                delta *= slopes[level - 1]
        return self._slope

    def _forward(self, rows: Single) -> tuple[list[Single], list[Single]]:
        """Inputs of every layer, and the slope of every activation."""
        inputs, slopes = [rows], []
        for matrix, offset in zip(self.matrices[:-1], self.offsets[:-1], strict=True):
            z = inputs[-1] @ matrix
            z += offset
            s = _sigmoid(z)
            h = z * s
            inputs.append(h)
            slopes.append(s + h - h * s)
        return inputs, slopes

    def __getstate__(self) -> dict[str, Any]:
        return {"sizes": self.sizes, "flat": self.flat}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["sizes"], state["flat"])  # type: ignore[misc]


def adam_step(
    weights: Single, slope: Single, moments: Single, step: int, rate: float, weight_decay: float
) -> None:
    """One step of Adam with decoupled weight decay, in place.

    Parameters
    ----------
    weights, slope : ndarray of float32 of shape (n,)
    moments : ndarray of float32 of shape (2, n)
        Running means of slope and squared slope, zero before the first step.
    step : int
        Number of this step, from 1.
    rate, weight_decay : float

    Examples
    --------
    >>> weights, moments = np.ones(1, dtype=np.float32), np.zeros((2, 1), dtype=np.float32)
    >>> adam_step(weights, np.full(1, 5.0, dtype=np.float32), moments, 1, 0.1, 0.0)
    >>> round(float(weights[0]), 4)
    0.9
    """
    first, second = 1.0 - _FIRST_DECAY**step, 1.0 - _SECOND_DECAY**step
    _adam(
        weights, slope, moments[0], moments[1], np.float32(rate / first), np.float32(1.0 / second),
        np.float32(1.0 - rate * weight_decay),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _adam(weights, slope, mean, square, rate, correction, shrink):  # type: ignore[no-untyped-def]
    """Update all weights in one pass over memory."""
    first, second, floor = np.float32(_FIRST_DECAY), np.float32(_SECOND_DECAY), np.float32(_FLOOR)
    one = np.float32(1.0)
    for k in range(weights.size):
        g = slope[k]
        mean[k] = first * mean[k] + (one - first) * g
        square[k] = second * square[k] + (one - second) * g * g
        weights[k] = shrink * weights[k] - rate * mean[k] / (np.sqrt(square[k] * correction) + floor)


def _sigmoid(z: Any) -> Any:
    """1/(1 + exp(-z)); arguments below -80 count as -80."""
    s = np.maximum(z, -80.0)
    np.negative(s, out=s)
    np.exp(s, out=s)
    s += 1.0
    return np.reciprocal(s, out=s)


def _n_weights(sizes: tuple[int, ...]) -> int:
    return sum(a * b + b for a, b in pairwise(sizes))


def _views(sizes: tuple[int, ...], flat: Single) -> tuple[list[Single], list[Single]]:
    """Matrices and offsets as views of a vector."""
    matrices, offsets, place = [], [], 0
    for a, b in pairwise(sizes):
        matrices.append(flat[place : place + a * b].reshape(a, b))
        offsets.append(flat[place + a * b : place + a * b + b])
        place += a * b + b
    return matrices, offsets
