"""What a polymer consists of: atom types, bonds, angles and dihedrals of its repeating unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.optional import need

__all__ = ["PolymerFragments", "polymer_atoms"]

#: Units in a row from which the middle one is read: an angle or a dihedral reaches
#: over one neighbor at each side, and the type of an atom over one more.
_UNITS = 5
_MIDDLE = _UNITS // 2


@dataclass(frozen=True)
class PolymerFragments:
    """Numbers of atom types and of their combinations in one repeating unit.

    Attributes
    ----------
    smiles : str
        As given.
    atoms : mapping of str to int
        Types such as ``"C.sp3"``, ``"C.sp2.aromatic"``, ``"N.sp3.ring"``, ``"H"``.
    bonds, angles, dihedrals : mapping of str to int
        Types of two, three, four bonded atoms, ``"C.sp3 H"``, in the direction
        that comes first in the alphabet.

    See Also
    --------
    sozai.composition.component_blocks.ComponentBlock : Takes each of them as counts.

    Examples
    --------
    >>> PolymerFragments("[*]C[*]", {"C.sp3": 1, "H": 2}, {"C.sp3 H": 2, "C.sp3 C.sp3": 1}, {}, {})
    PolymerFragments('[*]C[*]', 3 atoms, 3 bonds, 0 angles, 0 dihedrals)
    """

    smiles: str
    atoms: Mapping[str, int]
    bonds: Mapping[str, int]
    angles: Mapping[str, int]
    dihedrals: Mapping[str, int]

    def __repr__(self) -> str:
        kinds = ("atoms", "bonds", "angles", "dihedrals")
        counts = ", ".join(f"{sum(getattr(self, kind).values())} {kind}" for kind in kinds)
        return f"PolymerFragments({self.smiles!r}, {counts})"

    def to_frame(self) -> pd.DataFrame:
        """One line for each type.

        Returns
        -------
        DataFrame
            Columns kind, type, count.
        """
        kinds = ("atoms", "bonds", "angles", "dihedrals")
        lines = [(kind, name, n) for kind in kinds for name, n in getattr(self, kind).items()]
        return pd.DataFrame(lines, columns=["kind", "type", "count"])


def polymer_atoms(
    smiles: str | Sequence[str], *, hydrogens: bool = True, unmarked: str = "raise"
) -> PolymerFragments | list[PolymerFragments]:
    """Count what the repeating unit of a polymer consists of.

    Parameters
    ----------
    smiles : str or sequence of str
        SMILES of a repeating unit with two ``[*]`` where it goes on.
    hydrogens : bool, default=True
        Count hydrogen atoms and what they take part in.
    unmarked : {"raise", "ends"}, default="raise"
        What a SMILES without any ``[*]`` means: an error, or a unit that goes on
        at the first and the last atom of its main chain, as some tables write it.

    Returns
    -------
    PolymerFragments, or a list of them
        Keys in alphabetical order.

    Raises
    ------
    InputError
        When the SMILES cannot be read, or has not two open ends of one bond order.
    MissingPackageError
        When the package rdkit is not installed.

    Notes
    -----
    Each ``[*]`` stands for the atom that the other one is bonded to: five units
    are joined head to tail and the middle one is read, so that types and
    combinations across the border are those of the endless chain. Every bond of
    the middle unit and the one to the next unit counts, every angle whose
    middle atom and every dihedral whose middle bond belong to it.

    The parameters of a force field [1]_ for these types come from a table of the user.

    References
    ----------
    .. [1] Y. Hayashi, J. Shiomi, J. Morikawa, R. Yoshida, npj Comput. Mater. 8, 222 (2022),
       doi:10.1038/s41524-022-00906-4.

    Examples
    --------
    >>> polymer_atoms("[*]CC[*]").atoms  # doctest: +SKIP
    {'C.sp3': 2, 'H': 4}
    """
    if unmarked not in ("raise", "ends"):
        raise InputError(
            sentence(
                "polymer_atoms",
                "unmarked",
                "be 'raise' or 'ends'",
                unmarked,
                remedy="Take 'raise' if unsure.",
            )
        )
    if isinstance(smiles, str):
        return _fragments(smiles, hydrogens, unmarked, 0)
    texts = np.asarray(smiles, dtype=object)
    return [_fragments(text, hydrogens, unmarked, row) for row, text in enumerate(texts)]


def _fragments(smiles: Any, hydrogens: bool, unmarked: str, row: int) -> PolymerFragments:
    """Counts of one polymer."""
    chem = need("rdkit.Chem", for_="reading the SMILES of polymers")
    chain, unit_of = _chain(chem, smiles, hydrogens, unmarked, row)
    types = [_atom_type(atom) for atom in chain.GetAtoms()]
    around = [[other.GetIdx() for other in atom.GetNeighbors()] for atom in chain.GetAtoms()]
    pairs = [(j, k) for j, others in enumerate(around) for k in others if j < k]
    middle = [j for j, unit in enumerate(unit_of) if unit == _MIDDLE]
    bonds = [(j, k) for j, k in pairs if _is_ours(unit_of[j], unit_of[k])]
    angles = [(i, j, k) for j in middle for i in around[j] for k in around[j] if i < k]
    ends = [(j, k, i, m) for j, k in bonds for i in around[j] for m in around[k]]
    dihedrals = [(i, j, k, m) for j, k, i, m in ends if i != k and m != j and i != m]
    return PolymerFragments(
        smiles,
        _counted([(j,) for j in middle], types),
        _counted(bonds, types),
        _counted(angles, types),
        _counted(dihedrals, types),
    )


def _is_ours(first: int, second: int) -> bool:
    """Whether a bond between atoms of two units is one of the middle unit's."""
    return (first, second) == (_MIDDLE, _MIDDLE) or {first, second} == {_MIDDLE, _MIDDLE + 1}


def _counted(tuples: list[tuple[int, ...]], types: list[str]) -> dict[str, int]:
    """Number of every combination of types, in alphabetical order."""
    names = [[types[j] for j in atoms] for atoms in tuples]
    counts = Counter(" ".join(min(name, name[::-1])) for name in names)
    return dict(sorted(counts.items()))


def _atom_type(atom: Any) -> str:
    """Element, hybridization, and whether the atom is in an aromatic or another ring."""
    symbol, hybridization = atom.GetSymbol(), str(atom.GetHybridization()).lower()
    parts = [symbol] if hybridization in ("s", "unspecified") else [symbol, hybridization]
    if atom.GetIsAromatic():
        parts.append("aromatic")
    elif atom.IsInRing():
        parts.append("ring")
    return ".".join(parts)


def _chain(chem: Any, smiles: Any, hydrogens: bool, unmarked: str, row: int) -> tuple[Any, list[int]]:
    """Five units joined head to tail, and the unit that each atom belongs to."""
    unit, ends, order = _unit(chem, smiles, unmarked, row)
    chem.Kekulize(unit, clearAromaticFlags=True)  # the ends of the chain lose a neighbor, and gain hydrogen
    n_atoms = unit.GetNumAtoms()
    chain = chem.RWMol(unit)
    for _ in range(_UNITS - 1):
        chain.InsertMol(unit)
    for k in range(_UNITS - 1):
        chain.AddBond(k * n_atoms + ends[1][1], (k + 1) * n_atoms + ends[0][1], order)
    marks = [end[0] for end in ends]
    gone = [k * n_atoms + mark for k in range(_UNITS) for mark in marks]
    for k in range(_UNITS):
        for mark, neighbor in ends:
            chain.RemoveBond(k * n_atoms + mark, k * n_atoms + neighbor)
    for atom in chain.GetAtoms():
        atom.SetIntProp("unit", atom.GetIdx() // n_atoms)
    for index in sorted(gone, reverse=True):
        chain.RemoveAtom(index)
    try:
        chem.SanitizeMol(chain)
    except ValueError as error:
        raise _unreadable(smiles, row, f"the chain is no molecule: {error}") from error
    whole = chem.AddHs(chain) if hydrogens else chain.GetMol()
    return whole, [_unit_of(atom) for atom in whole.GetAtoms()]


def _unit_of(atom: Any) -> int:
    """Unit of an atom; an added hydrogen is in the unit of its neighbor."""
    if atom.HasProp("unit"):
        return int(atom.GetIntProp("unit"))
    return int(atom.GetNeighbors()[0].GetIntProp("unit"))


def _unit(chem: Any, smiles: Any, unmarked: str, row: int) -> tuple[Any, list[tuple[int, int]], Any]:
    """Molecule of one unit, its two open ends as (mark, neighbor), and their bond order."""
    if not isinstance(smiles, str) or not smiles.strip():
        raise _unreadable(smiles, row, "no text")
    quiet = need("rdkit.rdBase", for_="reading the SMILES of polymers").BlockLogs()
    text = smiles.strip()
    unit = chem.MolFromSmiles(text)
    if unmarked == "ends" and unit is not None and all(atom.GetAtomicNum() for atom in unit.GetAtoms()):
        unit = chem.MolFromSmiles(f"[*]{text}[*]")
    del quiet
    if unit is None:
        raise _unreadable(smiles, row, "it cannot be parsed")
    marks = [atom for atom in unit.GetAtoms() if atom.GetAtomicNum() == 0]
    ends = [(mark.GetIdx(), other.GetIdx()) for mark in marks for other in mark.GetNeighbors()]
    orders = {bond.GetBondType() for mark in marks for bond in mark.GetBonds()}
    if len(marks) != 2 or len(ends) != 2 or len(orders) != 1:
        raise _unreadable(smiles, row, f"{len(marks)} [*] with {len(orders)} kinds of bonds")
    if {end[1] for end in ends} & {mark.GetIdx() for mark in marks}:
        raise _unreadable(smiles, row, "two [*] bonded to each other")
    return unit, ends, orders.pop()


def _unreadable(smiles: Any, row: int, why: str) -> InputError:
    """Say what a repeating unit must be, and which one is none."""
    return InputError(
        sentence(
            "polymer_atoms", "smiles",
            "be the SMILES of a repeating unit with two [*], each bonded to one atom", smiles,
            at=f"at row {row} ({why})", remedy="Write e.g. '[*]CC([*])c1ccccc1' for polystyrene.",
        )
    )  # fmt: skip
