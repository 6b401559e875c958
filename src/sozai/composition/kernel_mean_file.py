"""A fitted kernel mean descriptor as plain values, and back."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from sozai.composition.elements import ComponentTable
from sozai.composition.kernel_grids import GridPoints, QuantileGrid, UniformGrid
from sozai.composition.kernel_landmarks import (
    AllComponents,
    KMeansLandmarks,
    PivotedCholeskyLandmarks,
    RandomFourierFeatures,
)
from sozai.composition.kernel_matrix import KernelBlock, UserKernel, as_kernel
from sozai.composition.kernel_mean_map import KernelMeanMap
from sozai.contracts.errors import InputError, sentence
from sozai.numerics.kernels import Gaussian, Laplace, Matern

__all__ = ["KIND", "from_state", "to_state"]

KIND = "KernelMeanDescriptor"

_OBJECTS = {
    kind.__name__: kind
    for kind in (
        UniformGrid, QuantileGrid, GridPoints,
        AllComponents, KMeansLandmarks, PivotedCholeskyLandmarks, RandomFourierFeatures,
        Gaussian, Laplace, Matern,
    )
}  # fmt: skip
_OBJECT = "object"


def to_state(descriptor: Any) -> dict[str, Any]:
    """Everything a fitted descriptor needs to describe, to measure distances and to go back.

    Parameters
    ----------
    descriptor : KernelMeanDescriptor
        Fitted.

    Returns
    -------
    dict

    Raises
    ------
    InputError
        When a kernel, grid or landmarks object is of a class of the user.

    Examples
    --------
    >>> from sozai.composition.kernel_mean import KernelMeanDescriptor
    >>> import pandas as pd
    >>> radii = pd.DataFrame({"radius": [186.0, 60.0]}, index=["Na", "O"])
    >>> sorted(to_state(KernelMeanDescriptor(radii, grid=3).fit()))
    ['blocks', 'dropped', 'duplicates', 'factors', 'parameters', 'table']
    """
    parameters = {name: value for name, value in descriptor.get_params(deep=False).items() if name != "table"}
    return {
        "parameters": {name: _plain(value, name) for name, value in parameters.items()},
        "table": _fields(descriptor.table_),
        "blocks": [_fields(block) for block in descriptor._map.blocks],
        "factors": descriptor._map.factors,
        "dropped": descriptor.dropped_features_,
        "duplicates": descriptor.duplicate_features_,
    }


def from_state(cls: type, state: dict[str, Any]) -> Any:
    """Build the fitted descriptor back.

    Parameters
    ----------
    cls : type
        ``KernelMeanDescriptor``.
    state : dict
        From :func:`to_state`.

    Returns
    -------
    KernelMeanDescriptor

    Examples
    --------
    >>> from sozai.composition.kernel_mean import KernelMeanDescriptor
    >>> import pandas as pd
    >>> radii = pd.DataFrame({"radius": [186.0, 60.0]}, index=["Na", "O"])
    >>> descriptor = KernelMeanDescriptor(radii, grid=3).fit()
    >>> from_state(KernelMeanDescriptor, to_state(descriptor)).matrix_.shape
    (3, 2)
    """
    table = ComponentTable(**state["table"])
    parameters = {name: _object(value) for name, value in state["parameters"].items()}
    descriptor = cls(table, **parameters)
    kernel = as_kernel(parameters["kernel"], place="load_kernel_mean")
    blocks = tuple(KernelBlock(**block) for block in state["blocks"])
    descriptor._settle(
        KernelMeanMap(
            table, kernel, blocks, state["factors"], state["dropped"], state["duplicates"],
            descriptor.representation, descriptor.dtype,
        )
    )  # fmt: skip
    return descriptor


def _plain(value: Any, name: str) -> Any:
    """A parameter as plain values; an object becomes its class name and fields."""
    if isinstance(value, UserKernel) or (
        hasattr(value, "__dataclass_fields__") and type(value).__name__ not in _OBJECTS
    ):
        raise InputError(
            sentence(
                "KernelMeanDescriptor.save", name, "be a kernel, grid or landmarks of this package",
                type(value).__name__, remedy="Keep the script that makes it, and fit again.",
            )
        )  # fmt: skip
    if type(value).__name__ in _OBJECTS:
        return {_OBJECT: type(value).__name__, "fields": _fields(value)}
    if isinstance(value, np.generic):
        return value.item()
    if name == "groups" and value is not None:
        return {str(group): tuple(members) for group, members in value.items()}
    return value


def _object(value: Any) -> Any:
    """Undo :func:`_plain`."""
    if isinstance(value, dict) and _OBJECT in value:
        return _OBJECTS[value[_OBJECT]](**value["fields"])
    return value


def _fields(record: Any) -> dict[str, Any]:
    """Fields of a frozen record."""
    return {item.name: getattr(record, item.name) for item in fields(record)}
