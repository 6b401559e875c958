"""Shirley's background by iteration on the counts, as in older work: a start, or to compare with."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.checks import as_vector
from sozai.contracts.errors import ConvergenceWarning, InputError, sentence

__all__ = ["static_shirley"]

#: Largest relative change of the last iteration, and most iterations.
TOLERANCE, MAX_ITER = 1e-6, 50


def static_shirley(
    counts: ArrayLike, width: ArrayLike | None = None, *, n_end: int = 5, tail: int = 1
) -> NDArray[np.float64]:
    r"""Background whose step at every energy follows the counts above it.

    Parameters
    ----------
    counts : array-like of shape (n,)
        Along an ascending axis.
    width : array-like of shape (n,), optional
        Channel widths; equal when left out.
    n_end : int, default=5
        Channels averaged at either end.
    tail : {1, -1}, default=1
        +1 on a binding-energy axis, where the background rises along the axis; -1 on a kinetic one.

    Returns
    -------
    ndarray of shape (n,)
        Counts per channel.

    Warns
    -----
    ConvergenceWarning
        When 50 iterations change it still by more than 1e-6, relative.

    Notes
    -----
    With I_a and I_b the mean rates at the high and the low end of kinetic energy,
    :math:`B(E) = I_a + (I_b - I_a)\int_E^{E_a}(y - B)\,/\int(y - B)`, repeated from B = I_a. The integral
    runs to the center of a channel. Cost O(n) per iteration.

    References
    ----------
    .. [1] D. A. Shirley, Phys. Rev. B 5, 4709 (1972). https://doi.org/10.1103/PhysRevB.5.4709

    Examples
    --------
    >>> static_shirley([10.0, 10.0, 110.0, 20.0, 20.0], n_end=1).round(1).tolist()
    [10.0, 10.0, 15.0, 20.0, 20.0]
    """
    place = "static_shirley"
    y = as_vector(counts, place=place, argument="counts")
    h = np.ones(y.shape[0]) if width is None else as_vector(width, y.shape[0], place=place, argument="width")
    if tail not in (1, -1):
        raise InputError(
            sentence(place, "tail", "be 1 or -1", tail, remedy="Use 1 on a binding-energy axis.")
        )
    if not 1 <= n_end <= y.shape[0] // 2:
        raise InputError(
            sentence(place, "n_end", f"be from 1 to half of the {y.shape[0]} channels", n_end,
                     remedy="Widen the window or lower n_end.")
        )  # fmt: skip
    rate, step = (y / h)[::tail], h[::tail]
    first, last = rate[:n_end].mean(), rate[-n_end:].mean()
    background = np.full(y.shape[0], first)
    for _ in range(MAX_ITER):
        above = (rate - background) * step
        total = above.sum()
        if total == 0.0 or first == last:
            break
        new = first + (last - first) * (np.cumsum(above) - 0.5 * above) / total
        change = np.abs(new - background).max()
        background = new
        if change <= TOLERANCE * max(abs(first), abs(last)):
            break
    else:
        relative = change / max(abs(first), abs(last))
        warnings.warn(
            f"static_shirley: the background still changes by {relative:.1e} after {MAX_ITER} iterations. "
            "Use the active Shirley() instead.",
            ConvergenceWarning,
            stacklevel=2,
        )
    return np.ascontiguousarray((background * step)[::tail])
