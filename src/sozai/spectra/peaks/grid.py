"""Channels of one spectrum: centers, edges, widths, and whether contents are integrated over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.checks import as_vector
from sozai.contracts.errors import InputError, sentence

__all__ = ["Grid"]

Array = NDArray[np.float64]

#: Steps that differ by more than this share make an axis uneven.
UNEVEN = 0.01
#: Channels wider than this share of the narrowest peak are integrated over.
COARSE = 0.1


@dataclass(frozen=True, eq=False, repr=False)
class Grid:
    r"""Ascending channels of a spectrum.

    Made by :meth:`of`.

    Attributes
    ----------
    axis : ndarray of shape (n,)
        Centers x_n.
    edges : ndarray of shape (n + 1,)
        Midpoints between centers; the two ends are mirrored.
    width : ndarray of shape (n,)
        h_n, the differences of the edges.
    mode : int
        0: content = density at the center times width. 1: integral of the density over the channel.
    tail : int
        +1 where tails of inelastic losses reach to larger axis values (binding energy), -1 where to
        smaller ones (kinetic energy).

    Examples
    --------
    >>> Grid.of([1.0, 2.0, 4.0])
    Grid(3 channels from 1 to 4, widths 1 to 2, integrated over channels, tails to larger values)
    """

    axis: Array
    edges: Array
    width: Array
    mode: int
    tail: int

    def __repr__(self) -> str:
        low, high = self.width.min(), self.width.max()
        size = f"width {low:.6g}" if high - low < 1e-9 * high else f"widths {low:.6g} to {high:.6g}"
        how = "integrated over channels" if self.mode else "taken at centers"
        side = "larger" if self.tail > 0 else "smaller"
        return (
            f"Grid({self.n_channels} channels from {self.axis[0]:.6g} to {self.axis[-1]:.6g}, {size}, "
            f"{how}, tails to {side} values)"
        )

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return int(self.axis.shape[0])

    @cached_property
    def typical_width(self) -> float:
        """Median of the widths."""
        return float(np.median(self.width))

    @property
    def is_even(self) -> bool:
        """Steps that are equal to rounding."""
        steps = np.diff(self.axis)
        return bool(
            steps.max() - steps.min() <= 1e-9 * np.abs(self.axis[[0, -1]]).max() + 1e-6 * steps.mean()
        )

    @classmethod
    def of(
        cls, axis: ArrayLike, integration: str = "auto", narrowest_fwhm: float | None = None, tail: int = 1
    ) -> Grid:
        r"""Channels around the points of an axis.

        Parameters
        ----------
        axis : array-like of shape (n,)
            Strictly ascending centers, at least two.
        integration : {"auto", "bin", "midpoint"}, default="auto"
            ``"auto"`` takes densities at centers only on an axis that is even within 1 % and whose channels
            are at most a tenth of the narrowest peak, else integrates. A Gaussian at centers is read too
            high by 0.231 (h/w)² and looks wider, w² + 0.462 h².
        narrowest_fwhm : float, optional
            Width of the narrowest peak; ``"auto"`` integrates when it is not known.
        tail : {1, -1}, default=1

        Returns
        -------
        Grid

        Raises
        ------
        InputError
            For an axis that does not ascend, naming the channel, and for unknown options.
        """
        place = "Grid.of"
        x = np.array(as_vector(axis, place=place, argument="axis"))
        if x.shape[0] < 2:
            raise InputError(
                sentence(place, "axis", "hold at least 2 channels", x.shape[0], remedy="Widen the window.")
            )
        (wrong,) = np.nonzero(np.diff(x) <= 0)
        if wrong.size:
            k = int(wrong[0]) + 1
            raise InputError(
                sentence(place, "axis", "ascend strictly", float(x[k]), at=f"after {x[k - 1]} at channel {k}",
                         remedy="Sort the channels and average equal ones.")
            )  # fmt: skip
        if integration not in ("auto", "bin", "midpoint"):
            raise InputError(
                sentence(place, "integration", "be 'auto', 'bin' or 'midpoint'", integration,
                         remedy="Leave it out.")
            )  # fmt: skip
        if tail not in (1, -1):
            raise InputError(
                sentence(place, "tail", "be 1 or -1", tail, remedy="Use 1 for binding energies.")
            )
        if narrowest_fwhm is not None and not narrowest_fwhm > 0:
            raise InputError(
                sentence(place, "narrowest_fwhm", "be positive", narrowest_fwhm, remedy="Leave it out.")
            )
        middle = 0.5 * (x[1:] + x[:-1])
        edges = np.concatenate([[2.0 * x[0] - middle[0]], middle, [2.0 * x[-1] - middle[-1]]])
        width = np.diff(edges)
        steps = np.diff(x)
        uneven = np.ptp(steps) > UNEVEN * steps.mean()
        fine = narrowest_fwhm is not None and width.max() <= COARSE * narrowest_fwhm
        over = integration == "bin" or (integration == "auto" and (uneven or not fine))
        return cls(x, edges, width, int(over), int(tail))

    def contents(self, function: Callable[[Array], Array]) -> Array:
        """Contents of channels for functions of the window scaled to [0, 1], per channel of mean width.

        Parameters
        ----------
        function : callable
            Maps points (m,) in [0, 1] to values (M, m).

        Returns
        -------
        ndarray of shape (M, n)
            Values at centers, or their means over the channels (four Gauss-Legendre points), times h_n/h̄.
        """
        low, span = self.edges[0], self.edges[-1] - self.edges[0]
        share = self.width * self.n_channels / span
        if self.mode == 0:
            return np.ascontiguousarray(function((self.axis - low) / span) * share)
        nodes, weights = np.polynomial.legendre.leggauss(4)
        points = self.edges[:-1, None] + 0.5 * self.width[:, None] * (nodes + 1.0)
        values = function(np.clip(((points - low) / span).ravel(), 0.0, 1.0))
        means = values.reshape(values.shape[0], self.n_channels, nodes.size) @ (0.5 * weights)
        return np.ascontiguousarray(means * share)
