"""Several kinds of components at once - atoms, bonds, angles - each with weights of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp

from sozai.composition.elements import ComponentTable, as_table
from sozai.composition.kernel_mean import KernelMeanDescriptor
from sozai.composition.mean_discrepancy import discrepancies
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.estimator import BaseEstimator, TransformerMixin, check_is_fitted

__all__ = ["BlockKernelMean", "ComponentBlock"]

#: How far the sum of fractions may be from 1 before they are refused.
_SUM_TOLERANCE = 5e-3


@dataclass(frozen=True, eq=False)
class ComponentBlock:
    """One kind of component of all samples: a table, and how much of each component a sample has.

    Parameters
    ----------
    name : str
        Such as ``"bonds"``.
    table : ComponentTable, DataFrame or path
        Features of the components.
    fractions : array-like or sparse matrix of shape (n_samples, n_components)
        Columns in the order of the table. Every row sums to 1, or to 0 where a
        sample has no component of this kind.

    Raises
    ------
    InputError
        When a fraction is negative or not finite, or a row sums to something else.

    See Also
    --------
    BlockKernelMean : Describes several blocks side by side.

    Examples
    --------
    >>> import pandas as pd
    >>> bonds = pd.DataFrame({"r0 [nm]": [0.154, 0.109]}, index=["C-C", "C-H"])
    >>> block = ComponentBlock.from_counts("bonds", bonds, [{"C-C": 2, "C-H": 4}, {"C-H": 4}])
    >>> block
    ComponentBlock('bonds', 2 samples, 2 components, 1 feature)
    >>> block.fractions.toarray().round(3).tolist()
    [[0.333, 0.667], [0.0, 1.0]]
    """

    name: str
    table: Any
    fractions: Any

    def __post_init__(self):
        table = as_table(self.table, place=f"ComponentBlock {self.name!r}")
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "fractions", _checked(self.fractions, table, self.name))

    def __repr__(self) -> str:
        n, m = self.fractions.shape
        f = len(self.table.features)
        return (
            f"ComponentBlock({self.name!r}, {n} sample{'s' * (n != 1)}, {m} component{'s' * (m != 1)}, "
            f"{f} feature{'s' * (f != 1)})"
        )

    def __len__(self) -> int:
        return self.fractions.shape[0]

    @classmethod
    def from_counts(cls, name: str, table: Any, counts: Sequence[Mapping[str, float]]) -> ComponentBlock:
        """Turn numbers of components into their relative frequencies.

        Parameters
        ----------
        name : str
        table : ComponentTable, DataFrame or path
        counts : sequence of mapping of str to float
            One mapping for each sample, such as ``polymer_atoms(smiles).bonds``.

        Returns
        -------
        ComponentBlock

        Raises
        ------
        InputError
            When a count is negative, or a component is not in the table.
        """
        table = as_table(table, place=f"ComponentBlock {name!r}")
        column_of = {component: j for j, component in enumerate(table.components)}
        cells = []
        for row, amounts in enumerate(counts):
            total = float(sum(amounts.values()))
            for component, amount in amounts.items():
                if component not in column_of or not (np.isfinite(amount) and amount >= 0):
                    what = "be 0 or more" if component in column_of else f"be in the table {table.name!r}"
                    raise InputError(
                        sentence(
                            "ComponentBlock.from_counts", f"the component {component!r} of {name!r}", what,
                            amount, at=f"at row {row}",
                            remedy="Add a line to the table of parameters, or correct the count.",
                        )
                    )  # fmt: skip
                if amount:
                    cells.append((row, column_of[component], amount / total))
        rows, columns, shares = zip(*cells, strict=True) if cells else ((), (), ())
        shape = (len(counts), len(table.components))
        fractions = sp.coo_array((np.array(shares, float), (rows, columns)), shape=shape).tocsr()
        return cls(name, table, fractions)

    def rows(self, samples: Any) -> ComponentBlock:
        """Some samples.

        Parameters
        ----------
        samples : slice or int ndarray

        Returns
        -------
        ComponentBlock
        """
        return ComponentBlock(self.name, self.table, self.fractions[samples])


class BlockKernelMean(TransformerMixin, BaseEstimator):
    r"""Kernel means of several kinds of components side by side.

    A polymer is no list of elements: its atoms, bonds, angles and dihedrals
    have features and frequencies of their own. Each kind gets a kernel mean;
    the descriptor is all of them in a row.

    Parameters
    ----------
    descriptor : KernelMeanDescriptor or mapping of str to KernelMeanDescriptor, optional
        Settings for all blocks, or for each block by name; their ``table`` is
        replaced by the block's. ``KernelMeanDescriptor(grid=20)`` when left out.

    Attributes
    ----------
    descriptors_ : dict of str to KernelMeanDescriptor
    matrix_ : ndarray of shape (n_columns, n_components)
        Block diagonal.
    components_ : tuple of str
        ``"bonds:C-C"``: block and component.

    See Also
    --------
    sozai.composition.kernel_mean.KernelMeanDescriptor : One kind of component.

    Notes
    -----
    :math:`\phi = (H_1w_1, \dots, H_Bw_B)` with one weight vector for each block,
    each of sum 1; the way back is solved block by block. A sample without any
    component of a kind has zeros in its columns. The squared discrepancy is
    the mean over the blocks [1]_.

    References
    ----------
    .. [1] M. Kusaba et al., Phys. Rev. B 108, 134107 (2023), doi:10.1103/PhysRevB.108.134107.

    Examples
    --------
    >>> import pandas as pd
    >>> atoms = pd.DataFrame({"mass": [12.011, 1.008, 15.999]}, index=["C", "H", "O"])
    >>> bonds = pd.DataFrame({"r0": [0.154, 0.109]}, index=["C-C", "C-H"])
    >>> blocks = [
    ...     ComponentBlock.from_counts("atoms", atoms, [{"C": 2, "H": 4}]),
    ...     ComponentBlock.from_counts("bonds", bonds, [{"C-C": 2, "C-H": 4}]),
    ... ]
    >>> model = BlockKernelMean(KernelMeanDescriptor(grid=2)).fit(blocks)
    >>> model.transform(blocks).round(3).tolist()
    [[0.861, 0.556, 0.789, 0.579]]
    >>> model.get_feature_names_out()[-1]
    'bonds:r0@1.000'
    """

    def __init__(self, descriptor=None):
        self.descriptor = descriptor

    def fit(self, X, y=None):
        """Compute the matrix of every block.

        Parameters
        ----------
        X : sequence of ComponentBlock
        y : None
            Not used.

        Returns
        -------
        BlockKernelMean

        Raises
        ------
        InputError
            When two blocks share a name, or have different numbers of samples.
        """
        blocks = _same_samples(X, "BlockKernelMean.fit")
        self.descriptors_ = {block.name: self._settings(block.name, block.table).fit() for block in blocks}
        self.matrix_ = scipy.linalg.block_diag(*[d.matrix_ for d in self.descriptors_.values()])
        self.components_ = tuple(
            f"{name}:{component}" for name, d in self.descriptors_.items() for component in d.components_
        )
        return self

    def transform(self, X):
        """Describe samples.

        Parameters
        ----------
        X : sequence of ComponentBlock
            The blocks seen in ``fit``, in any order.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
        """
        return np.concatenate(
            [d._map.describe(fractions, 0, d.n_jobs) for d, fractions in self._pairs(X, "transform")], axis=1
        )

    def get_feature_names_out(self, input_features=None):
        """Names of the columns: block, feature, scaled grid value.

        Parameters
        ----------
        input_features : None
            Not used.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        names = [f"{name}:{c}" for name, d in self.descriptors_.items() for c in d.get_feature_names_out()]
        return np.array(names, dtype=object)

    def mmd_distance(self, A, B=None):
        r"""Discrepancy of all pairs of samples.

        Parameters
        ----------
        A, B : sequence of ComponentBlock

        Returns
        -------
        ndarray of shape (n_a, n_b)
            Root of the mean over the blocks of :math:`\mathrm{MMD}^2`.
        """
        left = self._coordinates(A)
        return discrepancies(left, None if B is None else self._coordinates(B))

    def inverse_transform(self, phi, **options):
        """Fractions of every kind of component behind descriptors.

        Parameters
        ----------
        phi : array-like of shape (n_samples, n_columns)
        **options
            As in :meth:`~sozai.composition.kernel_mean.KernelMeanDescriptor.inverse_transform`,
            for every block.

        Returns
        -------
        dict of str to InverseResult
        """
        check_is_fitted(self)
        phi = np.atleast_2d(np.asarray(phi, dtype=np.float64))
        widths = [len(d.get_feature_names_out()) for d in self.descriptors_.values()]
        if phi.shape[1] != sum(widths):
            held = ", ".join(f"{n} {w}" for n, w in zip(self.descriptors_, widths, strict=True))
            raise InputError(
                sentence(
                    "BlockKernelMean.inverse_transform", "phi", f"have {sum(widths)} columns ({held})",
                    f"shape {phi.shape}", remedy="Pass descriptors that this object computed.",
                )
            )  # fmt: skip
        parts = np.split(phi, np.cumsum(widths)[:-1], axis=1)
        return {
            name: d.inverse_transform(part, **options)
            for (name, d), part in zip(self.descriptors_.items(), parts, strict=True)
        }

    def _settings(self, name: str, table: ComponentTable) -> KernelMeanDescriptor:
        """A fresh descriptor for one block."""
        given = self.descriptor.get(name) if isinstance(self.descriptor, Mapping) else self.descriptor
        if given is None:
            given = KernelMeanDescriptor(grid=20)
        parameters = given.get_params(deep=False) | {"table": table}
        if parameters["extra"]:
            raise InputError(
                sentence(
                    "BlockKernelMean.fit", "extra", "be empty: blocks have no side columns",
                    parameters["extra"], at=f"for block {name!r}", remedy="Append the columns afterwards.",
                )
            )  # fmt: skip
        return KernelMeanDescriptor(**parameters)

    def _pairs(self, X, method: str) -> list[tuple[KernelMeanDescriptor, sp.csr_array]]:
        """Descriptor and fractions of every block, in the order of ``fit``."""
        check_is_fitted(self)
        blocks = {block.name: block for block in _same_samples(X, f"BlockKernelMean.{method}")}
        if set(blocks) != set(self.descriptors_):
            raise InputError(
                sentence(
                    f"BlockKernelMean.{method}", "X", f"hold the blocks {', '.join(self.descriptors_)}",
                    ", ".join(blocks), remedy="Pass the blocks seen in fit.",
                )
            )  # fmt: skip
        for name, d in self.descriptors_.items():
            if blocks[name].table.components != d.components_:
                raise InputError(
                    sentence(
                        f"BlockKernelMean.{method}", f"the table of {name!r}",
                        f"hold the {len(d.components_)} components seen in fit",
                        f"{len(blocks[name].table.components)} components",
                        remedy="Make the block with the same table.",
                    )
                )  # fmt: skip
        return [(d, blocks[name].fractions) for name, d in self.descriptors_.items()]

    def _coordinates(self, X) -> np.ndarray:
        """Isometric coordinates of all blocks, so that squared distances are means over the blocks."""
        parts = [d._map.coordinates(fractions) for d, fractions in self._pairs(X, "mmd_distance")]
        return np.concatenate(parts, axis=1) / np.sqrt(len(parts))


def _same_samples(X: Any, place: str) -> list[ComponentBlock]:
    """Blocks with names of their own and one number of samples."""
    blocks = [X] if isinstance(X, ComponentBlock) else list(X)
    if not blocks or not all(isinstance(block, ComponentBlock) for block in blocks):
        kinds = ", ".join(type(block).__name__ for block in blocks[:3])
        raise InputError(
            sentence(
                place, "X", "be a list of ComponentBlock", kinds or "nothing",
                remedy="Make them with ComponentBlock(name, table, fractions).",
            )
        )  # fmt: skip
    names, sizes = [block.name for block in blocks], [len(block) for block in blocks]
    if len(set(names)) < len(names) or len(set(sizes)) > 1:
        held = ", ".join(f"{name} {size}" for name, size in zip(names, sizes, strict=True))
        raise InputError(
            sentence(
                place, "X", "hold blocks with different names and equal numbers of samples", held,
                remedy="Name every block once, and give all of them the same samples.",
            )
        )  # fmt: skip
    return blocks


def _checked(fractions: Any, table: ComponentTable, name: str) -> sp.csr_array:
    """Fractions as canonical CSR whose rows sum to 1, or to 0."""
    place = f"ComponentBlock {name!r}"
    weights = sp.csr_array(fractions, dtype=np.float64, copy=True)
    if weights.ndim != 2 or weights.shape[1] != len(table.components):
        raise InputError(
            sentence(
                place, "fractions", f"have one column for each component ({len(table.components)})",
                f"shape {weights.shape}", remedy="Order the columns as table.components.",
            )
        )  # fmt: skip
    weights.sum_duplicates()
    weights.eliminate_zeros()
    row_of = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
    bad = ~(np.isfinite(weights.data) & (weights.data >= 0))
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise InputError(
            sentence(
                place, "fractions", "be finite and 0 or more", float(weights.data[first]),
                at=f"at row {row_of[first]}, component {table.components[weights.indices[first]]!r}",
                remedy="Correct the row.",
            )
        )  # fmt: skip
    sums = np.bincount(row_of, weights.data, minlength=weights.shape[0])
    wrong = (sums > 0) & (np.abs(sums - 1.0) > _SUM_TOLERANCE)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(
            sentence(
                place, "fractions", "sum to 1, or to 0 where there is no such component",
                round(float(sums[row]), 6), at=f"at row {row}",
                remedy="Use ComponentBlock.from_counts for counts.",
            )
        )  # fmt: skip
    weights.data /= np.where(np.abs(sums - 1.0) > 1e-12, sums, 1.0)[row_of]
    return weights
