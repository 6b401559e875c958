"""Names of all parameters, their box, and the affine map from the free ones: what is fitted, and where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.peaks.background import Background
from sozai.spectra.peaks.fit_kernels import Ties
from sozai.spectra.peaks.grid import Grid

__all__ = [
    "TieRows", "box_of", "default_bounds", "free_box", "parameter_names", "peak_labels", "require_known",
    "tie_matrix", "ties_of",
]  # fmt: skip

Array = NDArray[np.float64]

_PLACE = "compile_model"
#: Widths stay above this many channels.
LEAST_CHANNELS = 1.5
#: An asymmetry per unit of the axis stays below this many per window: for a line that takes a tenth of the
#: window, the widths one width away on either side then differ by a factor of 55 at most.
STEEPEST = 40.0


class TieRows(Protocol):
    """What a table of ties must have: θ = T u + t0 and the box of u."""

    T: Array
    t0: Array
    lower: Array
    upper: Array


def parameter_names(
    shapes: Sequence[Any], background: Background, labels: Sequence[str] | None = None
) -> tuple[str, ...]:
    """Names ``"label.parameter"`` in the order of θ.

    Parameters
    ----------
    shapes : sequence of shape
    background : Background
    labels : sequence of str, optional
        One per peak; ``"peak1"``, ``"peak2"``, ... when left out.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from sozai.spectra.peaks.background import Constant
    >>> from sozai.spectra.peaks.shapes import Gaussian
    >>> parameter_names([Gaussian()], Constant())
    ('peak1.position', 'peak1.fwhm', 'peak1.area', 'background.level')
    """
    tags = peak_labels(shapes, labels)
    of_peaks = [f"{tag}.{name}" for tag, shape in zip(tags, shapes, strict=True) for name in shape.parameters]
    return (*of_peaks, *(f"background.{name}" for name in background.parameters(tags)))


def peak_labels(shapes: Sequence[Any], labels: Sequence[str] | None) -> tuple[str, ...]:
    """One label per peak, each its own."""
    tags = tuple(f"peak{k + 1}" for k in range(len(shapes))) if labels is None else tuple(map(str, labels))
    wrong = [tag for k, tag in enumerate(tags) if tag in tags[:k] or tag == "background"]
    if len(tags) != len(shapes) or wrong:
        what = f"name each of the {len(shapes)} peaks once, and none 'background'"
        raise InputError(sentence(_PLACE, "labels", what, list(tags), remedy="Give one name per shape."))
    return tags


def default_bounds(
    shapes: Sequence[Any], background: Background, grid: Grid, labels: Sequence[str] | None = None
) -> dict[str, tuple[float, float]]:
    """Box that every parameter has unless another is given.

    Centers lie in the window, full widths between 1.5 channels and twice the window, areas and
    backgrounds are not negative, and an asymmetry per unit of the axis is 40 per window at most.

    Parameters
    ----------
    shapes, background, grid, labels
        As in :func:`compile_model`.

    Returns
    -------
    dict
        ``{name: (lower, upper)}``
    """
    names = parameter_names(shapes, background, labels)
    pairs = [pair for shape in shapes for pair in _shape_bounds(shape, grid)]
    return dict(zip(names, pairs + background.bounds(len(shapes)), strict=True))


def _shape_bounds(shape: Any, grid: Grid) -> list[tuple[float, float]]:
    """Box of one peak."""
    channel, window = grid.typical_width, float(grid.edges[-1] - grid.edges[0])
    narrow, wide = LEAST_CHANNELS * channel, 2.0 * window
    own = shape.default_bounds
    table = {
        "position": (float(grid.edges[0]), float(grid.edges[-1])),
        "fwhm": (narrow, wide),
        "half_width": (0.5 * narrow, 0.5 * wide),
    }
    pairs = []
    for name in shape.parameters:
        low, high = own[name]
        if name == "asymmetry" and not np.isfinite(high):
            low, high = -STEEPEST / window, STEEPEST / window
        if name in table:
            low, high = max(low, table[name][0]), min(high, table[name][1])
        elif name.startswith("fwhm_"):
            high = min(high, wide)
        pairs.append((float(low), float(high)))
    return pairs


def box_of(names: tuple[str, ...], pairs: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[Array, Array]:
    """Lower and upper bounds of θ: the defaults, replaced by what the user gave."""
    merged = {**pairs, **given}
    lower, upper = np.empty(len(names)), np.empty(len(names))
    for i, name in enumerate(names):
        low, high = merged[name]
        lower[i] = -np.inf if low is None else low
        upper[i] = np.inf if high is None else high
        if not lower[i] <= upper[i]:
            raise InputError(
                sentence(_PLACE, "bounds", "be (lower, upper) with lower <= upper", merged[name],
                         at=f"for {name!r}", remedy="Swap the two numbers.")
            )  # fmt: skip
    return lower, upper


def require_known(names: tuple[str, ...], given: Iterable[str], argument: str) -> None:
    """Every name given is one of the model's."""
    for name in given:
        if name not in names:
            raise InputError(
                sentence(_PLACE, argument, f"name parameters of the model: {', '.join(names)}", name,
                         remedy="Write 'label.parameter'.")
            )  # fmt: skip


def tie_matrix(
    names: tuple[str, ...], ties: TieRows | None, fixed: Mapping[str, float], held: Mapping[str, float]
) -> tuple[Array, Array, Array, Array]:
    """T, t0 and the box of u that the table of ties brings."""
    p = len(names)
    if ties is None:
        T, t0 = np.eye(p), np.zeros(p)
        low, high = np.full(p, -np.inf), np.full(p, np.inf)
    else:
        T, t0 = np.array(ties.T, dtype=np.float64), np.array(ties.t0, dtype=np.float64)
        low, high = np.array(ties.lower, dtype=np.float64), np.array(ties.upper, dtype=np.float64)
        if T.shape[0] != p or t0.shape != (p,) or low.shape != (T.shape[1],) or high.shape != low.shape:
            raise InputError(
                sentence(_PLACE, "ties", f"map to the {p} parameters of the model", f"T of shape {T.shape}",
                         remedy="Compile the ties with the names of this model.")
            )  # fmt: skip
    keep = np.ones(T.shape[1], dtype=bool)
    for name, value in {**held, **fixed}.items():
        i = names.index(name)
        (columns,) = np.nonzero(T[i])
        alone = columns.size == 1 and np.count_nonzero(T[:, columns[0]]) == 1
        if name in fixed and not np.isfinite(value):
            raise InputError(
                sentence(_PLACE, "fixed", "be finite", value, at=f"for {name!r}", remedy="Give a number.")
            )
        if alone:
            keep[columns[0]] = False
            T[i], t0[i] = 0.0, value
        elif name in fixed:
            raise InputError(
                sentence(_PLACE, "fixed", "name parameters that no tie uses", name,
                         remedy="Fix it in the table of ties instead.")
            )  # fmt: skip
    return np.ascontiguousarray(T[:, keep]), t0, low[keep], high[keep]


def free_box(
    names: tuple[str, ...], T: Array, t0: Array, box: tuple[Array, Array], own: tuple[Array, Array]
) -> tuple[Array, Array]:
    """Box of u: what the table says, met by the bounds of every θ that hangs on one u alone."""
    low, high = own[0].copy(), own[1].copy()
    for i in range(T.shape[0]):
        (columns,) = np.nonzero(T[i])
        if columns.size != 1:
            continue
        j = columns[0]
        with np.errstate(invalid="ignore"):
            ends = (np.array([box[0][i], box[1][i]]) - t0[i]) / T[i, j]
        low[j], high[j] = max(low[j], ends.min()), min(high[j], ends.max())
        if low[j] > high[j]:
            raise InputError(
                sentence(_PLACE, "bounds", "leave room for tied parameters", (float(low[j]), float(high[j])),
                         at=f"for {names[i]!r}", remedy="Widen the bounds of the parameters it is tied to.")
            )  # fmt: skip
    return low, high


def ties_of(T: Array, t0: Array, low: Array, high: Array, penalty: Array) -> Ties:
    """Rows of T without its zeros."""
    rows, columns = np.nonzero(T)
    firsts = np.searchsorted(rows, np.arange(T.shape[0] + 1)).astype(np.int64)
    wanted = np.diff(firsts) > 0
    plain = not penalty.size and np.array_equal(T[wanted], np.eye(T.shape[1]))
    return Ties(
        firsts, columns.astype(np.int64), np.ascontiguousarray(T[rows, columns]), t0,
        np.flatnonzero(wanted).astype(np.int64), wanted, low, high, penalty, plain,
    )  # fmt: skip
