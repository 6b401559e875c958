"""What a campaign takes in: candidates as frame, array or space, their costs, the seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.checks import as_names
from sozai.contracts.errors import InputError, sentence

__all__ = ["as_allowed", "as_costs", "as_frame", "as_list", "as_seed", "is_space"]


def is_space(candidates: Any) -> bool:
    """Whether candidates come from a space instead of a list."""
    return hasattr(candidates, "names") and callable(getattr(candidates, "matrix", None))


def as_frame(candidates: Any, names: Sequence[str] | None = None) -> pd.DataFrame:
    """Candidates as a frame with text names; x0, x1, ... for an array."""
    if isinstance(candidates, pd.DataFrame):
        frame = candidates.reset_index(drop=True)
    elif is_space(candidates):
        return pd.DataFrame(columns=[str(name) for name in candidates.names], dtype=np.float64)
    elif hasattr(candidates, "candidates"):  # a pool
        return as_frame(candidates.candidates, names)
    else:
        array = np.asarray(candidates)
        if array.ndim != 2:
            raise InputError(
                sentence("Campaign", "candidates", "be a frame or a 2D array", f"shape {array.shape}")
            )
        fits = names is not None and len(names) == array.shape[1]
        frame = pd.DataFrame(array, columns=list(names or ()) if fits else None)
        frame = frame if fits else frame.set_axis([f"x{j}" for j in range(array.shape[1])], axis=1)
    return frame.set_axis(list(as_names(frame.columns, frame.shape[1], place="Campaign")), axis=1)


def as_costs(cost: Any, base: pd.DataFrame) -> NDArray[np.float64] | None:
    """Positive costs, one a candidate."""
    if cost is None:
        return None
    if isinstance(cost, str):
        raise InputError(sentence("Campaign", "cost", f"be a column ({list(base)})", cost))
    values = np.asarray(cost(base) if callable(cost) else cost, dtype=np.float64)
    bad = np.flatnonzero(~(values > 0) | np.isinf(values)) if values.shape == (len(base),) else None
    if bad is None or len(bad):
        where = "" if bad is None else f"at row {int(bad[0])}"
        shown = f"shape {values.shape}" if bad is None else float(values[bad[0]])
        raise InputError(sentence("Campaign", "cost", f"hold {len(base)} positive numbers", shown, at=where))
    return values


def as_allowed(allowed: Any, n: int) -> NDArray[np.bool_]:
    """Mask of candidates that may be proposed."""
    if allowed is None:
        return np.ones(n, dtype=bool)
    mask = np.asarray(allowed)
    if mask.shape != (n,) or mask.dtype != bool:
        raise InputError(
            sentence("Campaign", "allowed", f"hold {n} truth values", f"{mask.dtype} of shape {mask.shape}")
        )
    return mask


def as_seed(random_state: Any) -> int:
    """A seed of 0 or more."""
    if isinstance(random_state, bool) or not isinstance(random_state, (int, np.integer)) or random_state < 0:
        raise InputError(
            sentence("Campaign", "random_state", "be None or a whole number of 0 or more", random_state)
        )
    return int(random_state)


def as_list(given: Any) -> list[Any]:
    """One address or several, as a list."""
    several = isinstance(given, Iterable) and not isinstance(given, (str, Mapping, pd.Series))
    return list(given) if several else [given]
