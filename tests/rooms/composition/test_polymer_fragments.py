import importlib.util
import os
from pathlib import Path

import pandas as pd
import pytest

from sozai.composition.component_blocks import BlockKernelMean, ComponentBlock
from sozai.composition.kernel_mean import KernelMeanDescriptor
from sozai.composition.polymer_fragments import PolymerFragments, polymer_atoms
from sozai.contracts.errors import InputError, MissingPackageError

needs_rdkit = pytest.mark.skipif(
    importlib.util.find_spec("rdkit") is None, reason="the package rdkit is not installed"
)


@pytest.mark.skipif(importlib.util.find_spec("rdkit") is not None, reason="the package rdkit is installed")
def test_the_missing_package_is_named():
    with pytest.raises(
        MissingPackageError, match=r"SMILES of polymers needs the package 'rdkit'.*pip install"
    ):
        polymer_atoms("[*]CC[*]")


def test_record():
    record = PolymerFragments("[*]O[*]", {"O.sp3": 1}, {"O.sp3 O.sp3": 1}, {}, {})
    assert repr(record) == "PolymerFragments('[*]O[*]', 1 atoms, 1 bonds, 0 angles, 0 dihedrals)"
    assert record.to_frame().to_dict("list") == {
        "kind": ["atoms", "bonds"], "type": ["O.sp3", "O.sp3 O.sp3"], "count": [1, 1],
    }  # fmt: skip


@needs_rdkit
def test_polyethylene():
    found = polymer_atoms("[*]CC[*]")
    assert found.atoms == {"C.sp3": 2, "H": 4}
    assert found.bonds == {"C.sp3 C.sp3": 2, "C.sp3 H": 4}
    # each carbon: C-C-C once, H-C-H once, C-C-H four times
    assert found.angles == {"C.sp3 C.sp3 C.sp3": 2, "C.sp3 C.sp3 H": 8, "H C.sp3 H": 2}
    # each C-C bond: 3 x 3 dihedrals, 1 C..C, 2 + 2 C..H, 4 H..H
    assert found.dihedrals == {
        "C.sp3 C.sp3 C.sp3 C.sp3": 2, "C.sp3 C.sp3 C.sp3 H": 8, "H C.sp3 C.sp3 H": 8,
    }  # fmt: skip


@needs_rdkit
def test_the_unit_may_be_written_with_any_length_and_direction():
    one, two = polymer_atoms(["[*]C[*]", "[*]CC[*]"])
    for kind in ("atoms", "bonds", "angles", "dihedrals"):
        doubled = {name: 2 * n for name, n in getattr(one, kind).items()}
        assert doubled == getattr(two, kind)
    ether, reverse, branched = polymer_atoms(["[*]CCO[*]", "[*]OCC[*]", "C([*])CO[*]"])
    assert ether.to_frame().equals(reverse.to_frame())
    assert ether.to_frame().equals(branched.to_frame())
    assert ether.bonds["C.sp3 O.sp3"] == 2


@needs_rdkit
def test_rings_are_aromatic_or_not():
    styrene = polymer_atoms("C([*])C([*])c1ccccc1", hydrogens=False)
    assert styrene.atoms == {"C.sp2.aromatic": 6, "C.sp3": 2}
    assert styrene.bonds == {
        "C.sp2.aromatic C.sp2.aromatic": 6, "C.sp2.aromatic C.sp3": 1, "C.sp3 C.sp3": 2,
    }  # fmt: skip
    assert polymer_atoms("[*]C1CCC([*])CC1", hydrogens=False).atoms == {"C.sp3.ring": 6}
    assert polymer_atoms("[*]C=C[*]", hydrogens=False).bonds == {"C.sp2 C.sp2": 2}


@needs_rdkit
@pytest.mark.parametrize(
    ("smiles", "message"),
    [
        ("CCO", r"Got 'CCO' at row 1 \(0 \[\*\]"),
        ("[*]CC", r"at row 1 \(1 \[\*\]"),
        ("[*]C([*])C[*]", r"at row 1 \(3 \[\*\]"),
        ("[*]=CC[*]", r"at row 1 \(2 \[\*\] with 2 kinds"),
        ("[*][*]", r"bonded to each other"),
        ("[*]C(C[*]", r"cannot be parsed"),
        ("", r"Got '' at row 1 \(no text\)"),
        (None, r"Got None at row 1"),
    ],
)
def test_what_is_no_repeating_unit(smiles, message):
    with pytest.raises(InputError, match=message):
        polymer_atoms(["[*]C[*]", smiles])


@needs_rdkit
def test_fragments_are_components():
    found = polymer_atoms(["[*]CC[*]", "[*]CCO[*]", "[*]CO[*]"])
    atoms = pd.DataFrame({"mass": [12.011, 1.008, 15.999]}, index=["C.sp3", "H", "O.sp3"])
    block = ComponentBlock.from_counts("atoms", atoms, [one.atoms for one in found])
    assert BlockKernelMean(KernelMeanDescriptor(grid=5)).fit_transform([block]).shape == (3, 5)


@needs_rdkit
def test_published_polymers():
    path = Path(os.environ.get("SOZAI_DATA", "missing"), "composition", "xenonpy_polymer_test_data.csv")
    if not path.is_file():
        pytest.skip("SOZAI_DATA holds no composition/xenonpy_polymer_test_data.csv")
    found = polymer_atoms(pd.read_csv(path)["smiles"], unmarked="ends")
    assert len(found) == 500
    for one in found:  # in an endless chain bonds end at atoms: sum of the valences = 2 x bonds
        atoms, bonds = sum(one.atoms.values()), sum(one.bonds.values())
        in_rings = sum(n for name, n in one.atoms.items() if name.endswith(("ring", "aromatic")))
        assert bonds >= atoms
        assert (bonds == atoms) == (in_rings == 0)


@needs_rdkit
def test_units_without_marks():
    plain, marked = polymer_atoms(["CC(=O)", "[*]CC(=O)[*]"], unmarked="ends")
    assert plain.to_frame().equals(marked.to_frame())
    with pytest.raises(InputError, match=r"unmarked must be 'raise' or 'ends'\. Got 'guess'"):
        polymer_atoms("CC", unmarked="guess")
