"""The researcher's preference: columns sorted from most to least wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from sozai.contracts.errors import InputError, sentence

__all__ = ["is_name_list", "preference_order"]


def preference_order(prefer, names, *, default, complexity=None):
    """Column numbers from most to least preferred.

    Parameters
    ----------
    prefer : list of str, array of float, mapping, callable or {"complexity", "input"}
        Names to put first, in this order; one weight per column, larger is
        more preferred; weights by name, others 0; a sort key of the name,
        smallest first; simplest first; left to right.
    names : sequence of str
    default : ndarray of int
        Order that breaks ties and orders the rest.
    complexity : ndarray of int, optional

    Returns
    -------
    ndarray of int

    Examples
    --------
    >>> import numpy as np
    >>> preference_order(["c"], ["a", "b", "c"], default=np.arange(3)).tolist()
    [2, 0, 1]
    >>> preference_order([0.1, 0.9, 0.5], ["a", "b", "c"], default=np.arange(3)).tolist()
    [1, 2, 0]
    """
    default = np.asarray(default, dtype=np.int64)
    if isinstance(prefer, str):
        return _by_keyword(prefer, default, complexity)
    if isinstance(prefer, Callable):
        keys = [prefer(names[j]) for j in default]
        return default[np.array(sorted(range(default.size), key=keys.__getitem__), dtype=np.int64)]
    place = {name: j for j, name in enumerate(names)}
    if isinstance(prefer, Mapping):
        _check_known(prefer, place)
        weights = np.zeros(len(names))
        for name, weight in prefer.items():
            weights[place[str(name)]] = weight
    elif is_name_list(prefer):
        _check_known(prefer, place)
        first = list(dict.fromkeys(place[str(name)] for name in prefer))
        return np.concatenate([np.array(first, dtype=np.int64), default[~np.isin(default, first)]])
    else:
        weights = np.asarray(prefer, dtype=np.float64)
        if weights.shape != (len(names),) or not np.isfinite(weights).all():
            raise InputError(
                sentence(
                    "find_relations",
                    "prefer",
                    f"hold names, or one finite weight per column ({len(names)})",
                    f"shape {weights.shape}",
                    remedy="Give the names you prefer.",
                )
            )
    return default[np.argsort(-weights[default], kind="stable")]


def _by_keyword(prefer, default, complexity):
    """Orders that have a name."""
    if prefer == "input":
        return np.sort(default)
    if prefer == "complexity":
        return (
            default
            if complexity is None
            else default[np.argsort(np.asarray(complexity)[default], kind="stable")]
        )
    raise InputError(
        sentence(
            "find_relations",
            "prefer",
            "be 'complexity', 'input', names or weights",
            prefer,
            remedy="Put the name into a list.",
        )
    )


def is_name_list(prefer):
    """Whether a preference is a list of names."""
    return (
        not isinstance(prefer, str | Mapping)
        and not callable(prefer)
        and all(isinstance(v, str) for v in prefer)
    )


def _check_known(prefer, place):
    """Refuse names that are no columns."""
    unknown = [str(name) for name in prefer if str(name) not in place]
    if unknown:
        raise InputError(
            sentence(
                "find_relations",
                "prefer",
                "name columns",
                unknown,
                remedy="Check the spelling; str(name) must match a column.",
            )
        )
