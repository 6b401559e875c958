"""Permutation groups that act on the columns of a table, and the orbits they make."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.formulas.canonical import split_number
from sozai.symbolic.formulas.expressions import Expressions
from sozai.symbolic.relations.exchanges import slot_image, slots_of, text_mapping

__all__ = ["SymmetryGroup", "as_group", "count_orbits"]

_LARGEST = 10_000


@dataclass(frozen=True)
class SymmetryGroup:
    r"""Permutations :math:`g` of the columns under which a target keeps its value up to a sign.

    Parameters
    ----------
    names : tuple of str
        Columns of the table.
    permutations : ndarray of shape (n_elements, n_columns)
        Element ``g`` replaces column ``j`` by column ``permutations[g, j]``; the
        identity is first.
    characters : ndarray of shape (n_elements,)
        Sign :math:`\chi(g)` of the target, :math:`y \circ g = \chi(g) y`.

    See Also
    --------
    sozai.symbolic.symmetry.Symmetrizer : Symmetrised descriptors of a table.

    Notes
    -----
    :math:`S = \sum_g \chi(g) g`, :math:`P = S / |G|`; :math:`P^2 = P`,
    :math:`S^2 = |G| S`, :math:`g S = \chi(g) S`.

    Examples
    --------
    >>> group = SymmetryGroup.from_text(["r_A", "r_B", "x"], "A<->B")
    >>> group.permutations.tolist()
    [[0, 1, 2], [1, 0, 2]]
    >>> store = Expressions(group.names)
    >>> store.text(group.symmetrize(store, [store.leaf("r_A")])[0])
    'r_A + r_B'
    """

    names: tuple[str, ...]
    permutations: np.ndarray
    characters: np.ndarray

    def __len__(self) -> int:
        return self.permutations.shape[0]

    def __repr__(self) -> str:
        signs = "" if (self.characters > 0).all() else ", with signs"
        return f"SymmetryGroup({len(self)} elements on {len(self.names)} columns{signs})"

    # -- making -----------------------------------------------------------------------------------

    @classmethod
    def from_generators(
        cls,
        names: Sequence[str],
        generators: Iterable[Sequence[int]],
        characters: Iterable[int] | None = None,
    ) -> SymmetryGroup:
        """Smallest group that holds the generators.

        Parameters
        ----------
        names : sequence of str
        generators : iterable of permutations
            Entry j is the column that takes the place of column j.
        characters : iterable of {1, -1}, optional
            Sign of the target under every generator.
        """
        names = tuple(str(name) for name in names)
        generators = [tuple(int(j) for j in generator) for generator in generators]
        signs = [1] * len(generators) if characters is None else [int(sign) for sign in characters]
        _check_generators(names, generators, signs)
        identity = tuple(range(len(names)))
        found: dict[tuple[int, ...], int] = {identity: 1}
        frontier = [identity]
        while frontier:
            grown = []
            for element, (generator, sign) in itertools.product(
                frontier, list(zip(generators, signs, strict=True))
            ):
                product = tuple(generator[j] for j in element)
                if product not in found:
                    found[product] = found[element] * sign
                    grown.append(product)
                elif found[product] != found[element] * sign:
                    raise InputError(_sign_message(names, product))
            if len(found) > _LARGEST:
                raise InputError(
                    sentence(
                        "SymmetryGroup",
                        "generators",
                        f"make at most {_LARGEST} elements",
                        f"more than {len(found)}",
                        remedy="Use fewer generators.",
                    )
                )
            frontier = grown
        elements = sorted(found, key=lambda element: (element != identity, element))
        return cls(
            names,
            np.array(elements, dtype=np.int64).reshape(len(elements), len(names)),
            np.array([found[element] for element in elements], dtype=np.int64),
        )

    @classmethod
    def from_elements(
        cls, names: Sequence[str], elements: Iterable[Sequence[int]], characters: Iterable[int] | None = None
    ) -> SymmetryGroup:
        """Group whose elements are all given; closure is verified."""
        elements = [tuple(int(j) for j in element) for element in elements]
        signs = [1] * len(elements) if characters is None else list(characters)
        group = cls.from_generators(names, elements, signs)
        if len(group) > len(set(elements)):
            missing = next(tuple(p) for p in group.permutations.tolist() if tuple(p) not in set(elements))
            raise InputError(
                sentence(
                    "SymmetryGroup.from_elements",
                    "elements",
                    "be closed under composition",
                    f"{len(set(elements))} elements without {_cycle_text(tuple(names), missing)}",
                    remedy="Add this product, or use from_generators.",
                )
            )
        return group

    @classmethod
    def from_mapping(
        cls, names: Sequence[str], mapping: Mapping[str, str] | Sequence[Mapping[str, str]], *, sign: Any = 1
    ) -> SymmetryGroup:
        """Group generated by column mappings such as ``{"r_A": "r_B"}``; the way back is understood.

        Parameters
        ----------
        names : sequence of str
        mapping : dict or sequence of dict
            One dict per generator. A column that is not named stays.
        sign : int or sequence of int, default=1
            -1 where the target changes sign.
        """
        names = tuple(str(name) for name in names)
        mappings = [mapping] if isinstance(mapping, Mapping) else list(mapping)
        signs = [sign] * len(mappings) if np.ndim(sign) == 0 else list(sign)
        return cls.from_generators(names, [_mapping_permutation(names, dict(m)) for m in mappings], signs)

    @classmethod
    def from_slots(
        cls, names: Sequence[str], generators: Iterable[Sequence[int]] | None = None, *, sign: Any = 1
    ) -> SymmetryGroup:
        """Group of slot permutations: ``M_I[0,1]`` becomes ``M_I[g0,g1]``.

        Parameters
        ----------
        names : sequence of str
            Columns; those without slots stay.
        generators : iterable of permutations of slots, optional
            Left out: all permutations of the slots that occur.
        sign : int or sequence of int, default=1
            -1 where the target changes sign.
        """
        names = tuple(str(name) for name in names)
        slots = sorted({int(k) for name in names for k in slots_of(name)[1]})
        if not slots:
            raise InputError(
                sentence(
                    "SymmetryGroup.from_slots",
                    "column names",
                    "declare slots, e.g. 'M_P[0]', 'M_I[0,1]'",
                    names[:10],
                    remedy="Rename the columns, or use a text such as 'A<->B'.",
                )
            )
        if generators is None:
            exchange = [dict([(a, b), (b, a)]) for a, b in itertools.pairwise(slots)]
        else:
            exchange = [dict(g) if isinstance(g, Mapping) else dict(enumerate(g)) for g in generators]
        permutations = [
            _mapping_permutation(names, {name: slot_image(name, e) for name in names}) for e in exchange
        ]
        signs = [sign] * len(exchange) if np.ndim(sign) == 0 else list(sign)
        return cls.from_generators(names, permutations, signs)

    @classmethod
    def from_text(cls, names: Sequence[str], text: str, *, sign: Any = 1) -> SymmetryGroup:
        """Group from a text such as ``"A<->B"`` or ``"r_A<->r_B, x_A<->x_B"``.

        Parameters
        ----------
        names : sequence of str
        text : str
            Exchanges with ``<->`` between them. Exchanges joined by commas
            happen together; a semicolon begins another generator. What is no
            column is a token inside column names: ``A<->B`` turns ``r_A`` into
            ``r_B`` and ``M_AB`` into ``M_BA``; ``0<->1`` exchanges slots, so that
            ``M_I[0,1]`` becomes ``M_I[1,0]``. A chain ``A->B->C`` is a cycle.
        sign : int or sequence of int, default=1
            -1 where the target changes sign.
        """
        names = tuple(str(name) for name in names)
        text = unicodedata.normalize("NFKC", text)
        mappings = [text_mapping(names, part) for part in text.split(";") if part.strip()]
        return cls.from_mapping(names, mappings, sign=sign)

    # -- acting -----------------------------------------------------------------------------------

    def permute(self, X: Any, element: int) -> np.ndarray:
        """Rows after one element: column ``j`` holds what column ``permutations[element, j]`` held."""
        return np.asarray(X)[:, self.permutations[element]]

    def apply(self, store: Expressions, ids: Any, element: int) -> np.ndarray:
        """Ids after one element: columns renamed in every expression."""
        return store.substitute(ids, self.permutations[element])

    def symmetrize(self, store: Expressions, ids: Any, *, average: bool = False) -> np.ndarray:
        r"""Sum over the group, :math:`S f = \sum_g \chi(g)\, g f`, or its average.

        Parameters
        ----------
        store : Expressions
            Over the columns of this group.
        ids : array-like of int
        average : bool, default=False
            Divide by the number of elements.

        Returns
        -------
        ndarray of int64
        """
        ids = np.atleast_1d(np.asarray(ids, dtype=np.int64))
        images = np.array([self.apply(store, ids, g) for g in range(len(self))])
        weight = Fraction(1, len(self)) if average else Fraction(1)
        return np.array(
            [
                store.sum_of(
                    [(weight * int(chi), node) for chi, node in zip(self.characters, column, strict=True)]
                )
                for column in images.T
            ],
            dtype=np.int64,
        )

    def action_on(self, store: Expressions, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How the group permutes a set of expressions.

        Returns
        -------
        index, sign : ndarray of shape (n_elements, n_ids)
            ``g * ids[j] = sign[g, j] * ids[index[g, j]]``.

        Raises
        ------
        InputError
            An image is not in the set.
        """
        position = {int(node): k for k, node in enumerate(ids)}
        index = np.empty((len(self), ids.size), dtype=np.int64)
        sign = np.ones((len(self), ids.size), dtype=np.int64)
        for g in range(len(self)):
            for k, image in enumerate(self.apply(store, ids, g).tolist()):
                number, rest = split_number(store, image)
                if rest not in position or abs(number) != 1:
                    raise InputError(
                        sentence(
                            "SymmetryGroup",
                            "the descriptors",
                            "hold the image of each under the symmetry",
                            store.text(int(ids[k])),
                            at=f"whose image {store.text(image)} is missing",
                            remedy="Add the column or widen columns=[...].",
                        )
                    )
                index[g, k], sign[g, k] = position[rest], int(number)
        return index, sign

    def reordered(self, names: Sequence[str]) -> SymmetryGroup:
        """Return the same group for columns in another order; columns that are new stay in place."""
        names = tuple(names)
        if names == self.names:
            return self
        missing = [name for name in self.names if name not in names]
        if missing:
            raise InputError(
                sentence(
                    "SymmetryGroup",
                    "the table",
                    "have every column the group moves",
                    f"missing: {', '.join(missing)}",
                    remedy="Add these columns.",
                )
            )
        where = np.array([names.index(name) for name in self.names])
        permutations = np.tile(np.arange(len(names)), (len(self), 1))
        permutations[:, where] = where[self.permutations]
        return SymmetryGroup(names, permutations, self.characters)

    def count_orbits(self, order: int) -> int:
        """Number of symmetrised products of ``order`` columns (Burnside, Molien)."""
        return count_orbits(self.permutations, order, self.characters)


def as_group(symmetry: Any, names: Sequence[str]) -> SymmetryGroup | None:
    """Group from None, a group, a text or column mappings.

    Examples
    --------
    >>> as_group({"r_A": "r_B"}, ["r_A", "r_B"])
    SymmetryGroup(2 elements on 2 columns)
    """
    if symmetry is None:
        return None
    if isinstance(symmetry, SymmetryGroup):
        return symmetry.reordered(names)
    if isinstance(symmetry, str):
        return SymmetryGroup.from_text(names, symmetry)
    if isinstance(symmetry, (Mapping, list, tuple)):
        return SymmetryGroup.from_mapping(names, symmetry)
    raise InputError(
        sentence(
            "as_group",
            "symmetry",
            "be a text such as 'A<->B', a column mapping or a SymmetryGroup",
            symmetry,
            remedy="Write the exchange as a text.",
        )
    )


def count_orbits(permutations: np.ndarray, order: int, characters: np.ndarray | None = None) -> int:
    r"""Orbits of multisets of ``order`` columns, by the cycles of every element.

    Parameters
    ----------
    permutations : ndarray of shape (n_elements, n_columns)
    order : int
    characters : ndarray of shape (n_elements,), optional
        Signs; with them the count is that of the sums that do not vanish.

    Returns
    -------
    int
        :math:`|G|^{-1} \sum_g \chi(g) [t^k] \prod_{cycles} (1 - t^{len})^{-1}`.

    Examples
    --------
    >>> count_orbits(np.array([[0, 1], [1, 0]]), 2)
    2
    """
    characters = np.ones(len(permutations), dtype=int) if characters is None else characters
    total = 0
    for permutation, sign in zip(permutations.tolist(), characters.tolist(), strict=True):
        series = [1] + [0] * order
        for length in _cycle_lengths(permutation):
            for k in range(length, order + 1):
                series[k] += series[k - length]
        total += sign * series[order]
    return total // len(permutations)


def _cycle_lengths(permutation: Sequence[int]) -> list[int]:
    """Lengths of the cycles of a permutation."""
    return [len(cycle) for cycle in _cycles(permutation)]


def _cycles(permutation: Sequence[int]) -> list[list[int]]:
    """Cycles of a permutation, fixed points included."""
    seen: set[int] = set()
    cycles = []
    for start in range(len(permutation)):
        cycle = []
        j = start
        while j not in seen:
            seen.add(j)
            cycle.append(j)
            j = int(permutation[j])
        if cycle:
            cycles.append(cycle)
    return cycles


def _cycle_text(names: tuple[str, ...], permutation: Sequence[int]) -> str:
    """Permutation in cycles of names."""
    moved = [cycle for cycle in _cycles(permutation) if len(cycle) > 1]
    return " ".join("(" + " -> ".join(names[j] for j in cycle) + ")" for cycle in moved) or "the identity"


def _sign_message(names: tuple[str, ...], permutation: Sequence[int]) -> str:
    """Sentence for two signs of one element."""
    return sentence(
        "SymmetryGroup",
        "the signs",
        "agree for every product of generators",
        f"both +1 and -1 for {_cycle_text(names, permutation)}",
        remedy="Change the sign of a generator.",
    )


def _check_generators(names: tuple[str, ...], generators: list[tuple[int, ...]], signs: list[int]) -> None:
    """Every generator is a permutation of all columns and every sign is 1 or -1."""
    for generator in generators:
        if sorted(generator) != list(range(len(names))):
            raise InputError(
                sentence(
                    "SymmetryGroup",
                    "a generator",
                    f"be a permutation of the {len(names)} columns",
                    generator,
                    remedy="Name every column exactly once on each side.",
                )
            )
    if len(signs) != len(generators) or any(sign not in (1, -1) for sign in signs):
        raise InputError(
            sentence(
                "SymmetryGroup",
                "sign",
                f"be 1 or -1 for each of the {len(generators)} generators",
                signs,
                remedy="Write -1 where the target changes sign.",
            )
        )


def _mapping_permutation(names: tuple[str, ...], mapping: dict[str, str]) -> list[int]:
    """Permutation of columns; an exchange written in one direction is completed."""
    for name, image in list(mapping.items()):
        if name in names and image in names:
            mapping.setdefault(image, name)
    for name, image in mapping.items():
        for column, role in ((name, "named"), (image, f"the image of {name!r}")):
            if column not in names:
                raise InputError(
                    sentence(
                        "SymmetryGroup",
                        "the symmetry",
                        f"map columns onto columns ({', '.join(names[:20])})",
                        column,
                        at=f"({role}), which is missing",
                        remedy="Add this column, or write the exchanges one by one: 'r_A<->r_B, x_A<->x_B'.",
                    )
                )
    images = [mapping.get(name, name) for name in names]
    for image in images:
        if images.count(image) > 1:
            sources = [name for name in names if mapping.get(name, name) == image]
            raise InputError(
                sentence(
                    "SymmetryGroup",
                    "the symmetry",
                    "map different columns onto different columns",
                    f"{' and '.join(sources)} both onto {image!r}",
                    remedy="Write every exchange once.",
                )
            )
    return [names.index(image) for image in images]
