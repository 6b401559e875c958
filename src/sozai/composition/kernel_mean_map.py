"""The fitted map from fractions to kernel means: matrix, coordinates, names, and the way back."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from sozai.composition.kernel_matrix import KernelBlock
from sozai.composition.mean_discrepancy import grouped_factors, isometric_factor
from sozai.composition.weighted_rows import renormalize_known, reweight, weighted_rows
from sozai.contracts.errors import ExtrapolationWarning, InputError, sentence
from sozai.numerics.kernels import Kernel

__all__ = ["KernelMeanMap"]

#: Eigenvalues of one feature's similarities below this share of the largest are left out.
_BLOCK_TOLERANCE = 1e-10


@dataclass(frozen=True, eq=False)
class KernelMeanMap:
    r"""What :class:`~sozai.composition.kernel_mean.KernelMeanDescriptor` learned from its table.

    Attributes
    ----------
    table : ComponentTable
        Without constant features.
    kernel : Kernel
    blocks : tuple of KernelBlock
        One for each feature or group.
    factors : ndarray of shape (n_components,) or None
        Measure that fractions are multiplied by.
    dropped : tuple of str
        Constant features.
    duplicates : tuple of (str, str)
        Features that are equal after scaling.
    representation : {"grid", "isometric"}
    dtype : {"float64", "float32"}

    Examples
    --------
    >>> from sozai.composition.kernel_mean import KernelMeanDescriptor
    >>> radii = pd.DataFrame({"radius": [186.0, 70.0, 60.0]}, index=["Na", "C", "O"])
    >>> KernelMeanDescriptor(radii, grid=2).fit()._map.names
    ('radius@0.000', 'radius@1.000')
    """

    table: Any
    kernel: Kernel
    blocks: tuple[KernelBlock, ...]
    factors: np.ndarray | None = None
    dropped: tuple[str, ...] = ()
    duplicates: tuple[tuple[str, str], ...] = ()
    representation: str = "grid"
    dtype: str = "float64"

    # --- what follows from the blocks ----------------------------------------------------------------

    @cached_property
    def matrix(self) -> np.ndarray:
        """Similarities of points with components, shape (n_points, n_components)."""
        return np.ascontiguousarray(np.concatenate([block.matrix for block in self.blocks]))

    @cached_property
    def known(self) -> np.ndarray:
        """Whether a component counts in a block, shape (n_components, n_blocks)."""
        return np.stack([block.known for block in self.blocks], axis=1)

    @cached_property
    def gamma(self) -> np.ndarray:
        r""":math:`1/(2\ell^2)` of every point, kernel width included."""
        lengths = np.concatenate([block.lengths for block in self.blocks])
        return 0.5 / (getattr(self.kernel, "width", 1.0) * lengths) ** 2

    @cached_property
    def grid(self) -> pd.DataFrame:
        """Feature, point, scaled and physical value, unit and length of every row of the matrix."""
        counts = [len(block.labels) for block in self.blocks]
        units = np.array([block.unit for block in self.blocks], dtype=object)
        return pd.DataFrame(
            {
                "feature": np.repeat([block.name for block in self.blocks], counts),
                "point": [label for block in self.blocks for label in block.labels],
                "scaled": np.concatenate([block.scaled for block in self.blocks]),
                "value": np.concatenate([block.physical for block in self.blocks]),
                "unit": pd.Series(np.repeat(units, counts), dtype=object),
                "length": np.concatenate([block.lengths for block in self.blocks]),
            }
        )

    @cached_property
    def gram(self) -> np.ndarray:
        """Mean over the blocks of the similarities between components."""
        return sum(block.gram(self.kernel) for block in self.blocks) / len(self.blocks)

    @cached_property
    def isometric(self) -> np.ndarray:
        """Coordinates of the components, shape (n_components, rank)."""
        return isometric_factor(self.gram)

    @cached_property
    def rows(self) -> np.ndarray:
        """What fractions are multiplied with, shape (n_components, n_columns), contiguous."""
        if self.representation == "isometric":
            return np.ascontiguousarray(self.isometric, dtype=self.dtype)
        counted = np.repeat(self.known, [len(block.labels) for block in self.blocks], axis=1)
        return np.ascontiguousarray(np.where(counted, self.matrix.T, 0.0), dtype=self.dtype)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        if self.representation == "isometric":
            return tuple(f"isometric{k}" for k in range(self.rows.shape[1]))
        return tuple(f"{block.name}@{label}" for block in self.blocks for label in block.labels)

    @cached_property
    def invertibility(self) -> Any:
        """Rank and condition number of the map."""
        from sozai.composition.kernel_mean_inverse import invertibility

        return invertibility(self.linear())

    # --- fractions to numbers ------------------------------------------------------------------------

    def weights(self, fractions: sp.csr_array) -> sp.csr_array:
        """Fractions by number, or by the chosen measure.

        Parameters
        ----------
        fractions : csr_array of shape (n_samples, n_components)

        Returns
        -------
        csr_array of the same shape
        """
        return fractions if self.factors is None else reweight(fractions, self.factors)

    def describe(self, fractions: sp.csr_array, n_extra: int = 0, n_jobs: int | None = None) -> np.ndarray:
        """Descriptors, with room for further columns at the right.

        Parameters
        ----------
        fractions : csr_array of shape (n_samples, n_components)
        n_extra : int
            Columns left for others to fill.
        n_jobs : int, optional

        Returns
        -------
        ndarray of shape (n_samples, n_columns + n_extra)
        """
        weights = self.weights(fractions)
        shape = (weights.shape[0], self.rows.shape[1] + n_extra)
        out = weighted_rows(weights, self.rows, np.empty(shape, dtype=self.dtype), n_jobs=n_jobs)
        if not self.known.all():
            self._renormalize(out, weights)
        return out

    def coordinates(self, fractions: sp.csr_array) -> np.ndarray:
        """Isometric coordinates of compositions; zeros for empty rows.

        Parameters
        ----------
        fractions : csr_array of shape (n_samples, n_components)

        Returns
        -------
        ndarray of shape (n_samples, rank)
        """
        weights = self.weights(fractions)
        return weighted_rows(weights, self.isometric, np.empty((weights.shape[0], self.isometric.shape[1])))

    def isometric_blocks(
        self, groups: Mapping[str, Sequence[str]] | None = None
    ) -> list[tuple[str, np.ndarray]]:
        """Coordinates of the components block by block.

        Parameters
        ----------
        groups : mapping of str to sequence of str, optional
            Blocks taken together.

        Returns
        -------
        list of (str, ndarray of shape (n_components, rank))

        Raises
        ------
        InputError
            When a group names what is not there.
        """
        block_of = {block.name: block for block in self.blocks}
        members = {name: (name,) for name in block_of} if groups is None else dict(groups)
        for name, wanted in members.items():
            unknown = [part for part in wanted if part not in block_of]
            if unknown or not len(wanted):
                raise InputError(
                    sentence(
                        "KernelMeanDescriptor.isometric_blocks", "groups",
                        f"name parts of the descriptor ({', '.join(list(block_of)[:4])}, ...)",
                        unknown[0] if unknown else wanted, at=f"in group {name!r}",
                        remedy="Take names from grid_['feature'].",
                    )
                )  # fmt: skip
        grams = [
            (name, sum(block_of[part].gram(self.kernel) for part in wanted))
            for name, wanted in members.items()
        ]
        return grouped_factors(grams, 1.0 / len(self.blocks), _BLOCK_TOLERANCE)

    # --- numbers to fractions ------------------------------------------------------------------------

    def linear(self) -> np.ndarray:
        """Matrix from fractions to descriptors, shape (n_columns, n_components).

        Raises
        ------
        InputError
            When means over known components make the map no linear one.
        """
        if not self.known.all():
            raise InputError(
                sentence(
                    "KernelMeanDescriptor", "imputed", "be 'use' for the way back to fractions",
                    "renormalise", remedy="Fit with imputed='use'; means over known cells are not linear.",
                )
            )  # fmt: skip
        return self.matrix if self.representation == "grid" else self.isometric.T

    def own_columns(self, phi: Any, n_extra: int, place: str) -> np.ndarray:
        """Descriptors without side columns.

        Parameters
        ----------
        phi : array-like of shape (n_samples, n_columns) or (n_columns,)
        n_extra : int
            Side columns that may stand at the right.
        place : str
            Who asks, for the message.

        Returns
        -------
        ndarray
        """
        phi = np.asarray(phi, dtype=np.float64)
        n_columns = self.rows.shape[1]
        if phi.ndim not in (1, 2) or phi.shape[-1] not in (n_columns, n_columns + n_extra):
            parts = "isometric coordinates"
            if self.representation == "grid":
                parts = f"{len(self.blocks)} features or groups with {len(self.names)} points"
            raise InputError(
                sentence(
                    place, "phi", f"have the {n_columns} columns of the fitted descriptor ({parts})",
                    f"shape {phi.shape}", remedy="Pass descriptors that this object computed.",
                )
            )  # fmt: skip
        return phi[..., :n_columns]

    def numbers(self, components: Sequence[str] | None, place: str) -> np.ndarray:
        """Places of components in the table.

        Parameters
        ----------
        components : sequence of str or None
            All of them when left out.
        place : str
            Who asks, for the message.

        Returns
        -------
        int ndarray
        """
        held = tuple(self.table.components)
        if components is None:
            return np.arange(len(held))
        place_of = {name: j for j, name in enumerate(held)}
        unknown = [name for name in components if name not in place_of]
        if unknown or not len(components) or len(set(components)) < len(components):
            raise InputError(
                sentence(
                    place, "components", f"name components of the table {self.table.name!r}, each once",
                    unknown[0] if unknown else list(components),
                    remedy=f"Choose from the {len(held)} names in components_.",
                )
            )  # fmt: skip
        return np.array([place_of[name] for name in components])

    def _renormalize(self, out: np.ndarray, weights: sp.csr_array) -> None:
        """Means over known components only, in place."""
        ends = np.cumsum([len(block.labels) for block in self.blocks])
        spans = [slice(end - len(block.labels), end) for end, block in zip(ends, self.blocks, strict=True)]
        names = [block.name for block in self.blocks]
        rests = renormalize_known(out, weights, self.known, spans, self.matrix.T, names)
        if rests:
            most = max(rests, key=lambda name: rests[name])
            warnings.warn(
                f"KernelMeanDescriptor.transform: {len(rests)} features have rows where every value is "
                f"filled in, most of them {most!r} ({rests[most]} rows); the filled-in values were used.",
                ExtrapolationWarning,
                stacklevel=4,
            )
