import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone

from sozai.composition.component_blocks import BlockKernelMean, ComponentBlock
from sozai.composition.kernel_mean import KernelMeanDescriptor
from sozai.contracts.errors import InputError

ATOMS = pd.DataFrame({"mass": [12.0, 1.0, 16.0], "charge": [0.1, 0.2, -0.5]}, index=["C", "H", "O"])
BONDS = pd.DataFrame({"r0 [nm]": [0.154, 0.109, 0.143]}, index=["C C", "C H", "C O"])
COUNTS = {
    "atoms": [{"C": 2, "H": 4}, {"C": 2, "H": 4, "O": 1}, {"C": 1, "H": 2, "O": 1}, {"O": 1}],
    "bonds": [{"C C": 2, "C H": 4}, {"C C": 1, "C H": 4, "C O": 2}, {"C H": 2, "C O": 2}, {}],
}


def blocks():
    return [
        ComponentBlock.from_counts("atoms", ATOMS, COUNTS["atoms"]),
        ComponentBlock.from_counts("bonds", BONDS, COUNTS["bonds"]),
    ]


def test_frequencies():
    atoms, bonds = blocks()
    np.testing.assert_allclose(atoms.fractions.toarray()[1], [2 / 7, 4 / 7, 1 / 7])
    np.testing.assert_allclose(bonds.fractions.toarray()[3], 0.0)
    assert len(bonds) == 4
    assert bonds.table.units == ("nm",)
    assert repr(bonds) == "ComponentBlock('bonds', 4 samples, 3 components, 1 feature)"
    np.testing.assert_array_equal(bonds.rows(slice(1, 3)).fractions.toarray(), bonds.fractions.toarray()[1:3])


def test_blocks_stand_side_by_side():
    model = BlockKernelMean(KernelMeanDescriptor(grid=3)).fit(blocks())
    phi = model.transform(blocks())
    atoms, bonds = blocks()
    z = (BONDS.to_numpy()[:, 0] - 0.109) / 0.045
    H = np.exp(-4 * (np.array([[0.0], [0.5], [1.0]]) - z) ** 2)
    np.testing.assert_allclose(phi[:, 6:], bonds.fractions.toarray() @ H.T, atol=1e-14)
    assert model.matrix_.shape == (9, 6)
    np.testing.assert_array_equal(model.matrix_[:6, 3:], 0.0)
    w = np.concatenate([atoms.fractions.toarray(), bonds.fractions.toarray()], axis=1)
    np.testing.assert_allclose(phi, w @ model.matrix_.T, atol=1e-14)
    assert model.get_feature_names_out()[-1] == "bonds:r0@1.000"
    assert model.components_[-1] == "bonds:C O"
    np.testing.assert_array_equal(model.transform(blocks()[::-1]), phi)


def test_settings_of_each_block():
    model = BlockKernelMean({"atoms": KernelMeanDescriptor(mode="md")}).fit(blocks())
    assert model.transform(blocks()).shape == (4, 3 + 20)
    assert clone(model).get_params(deep=False)["descriptor"].keys() == {"atoms"}


def test_the_way_back_block_by_block():
    pytest.importorskip("sozai.composition.kernel_mean_inverse")
    model = BlockKernelMean().fit(blocks())
    some = [block.rows(slice(0, 3)) for block in blocks()]
    back = model.inverse_transform(model.transform(some))
    for block in some:
        np.testing.assert_allclose(back[block.name].fractions, block.fractions.toarray(), atol=1e-9)
    with pytest.raises(InputError, match=r"have 60 columns \(atoms 40, bonds 20\)\. Got 'shape \(1, 59\)'"):
        model.inverse_transform(np.zeros(59))


def test_squared_discrepancy_is_the_mean_over_the_blocks():
    model = BlockKernelMean().fit(blocks())
    parts = [model.descriptors_[block.name].gram_ for block in blocks()]
    W = [block.fractions.toarray() for block in blocks()]
    expected = np.zeros((4, 4))
    for K, w in zip(parts, W, strict=True):
        d = w[:, None] - w[None]
        expected += np.einsum("abi,ij,abj->ab", d, K, d) / 2
    np.testing.assert_allclose(model.mmd_distance(blocks()) ** 2, expected, atol=1e-12)
    some = [block.rows([2]) for block in blocks()]
    np.testing.assert_allclose(model.mmd_distance(some, blocks())[0] ** 2, expected[2], atol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ComponentBlock("a", ATOMS, [[0.5, 0.4, 0.0]]), r"sum to 1.*Got 0\.9 at row 0"),
        (lambda: ComponentBlock("a", ATOMS, [[1, 0, 0], [1.5, 0, -0.5]]), r"-0\.5 at row 1, component 'O'"),
        (lambda: ComponentBlock("a", ATOMS, [[1, 0, np.nan]]), r"Got nan at row 0"),
        (lambda: ComponentBlock("a", ATOMS, np.eye(2)), r"each component \(3\)\. Got 'shape \(2, 2\)'"),
        (
            lambda: ComponentBlock.from_counts("a", ATOMS, [{"C": 1}, {"N": 2}]),
            r"'N' of 'a' must be in the table 'table'\. Got 2 at row 1",
        ),
        (lambda: ComponentBlock.from_counts("a", ATOMS, [{"C": -1}]), r"must be 0 or more\. Got -1 at row 0"),
        (lambda: BlockKernelMean().fit([]), r"be a list of ComponentBlock\. Got 'nothing'"),
        (lambda: BlockKernelMean().fit(["NaCl"]), r"Got 'str'"),
        (lambda: BlockKernelMean().fit(blocks() + blocks()[:1]), r"Got 'atoms 4, bonds 4, atoms 4'"),
        (lambda: BlockKernelMean().fit([blocks()[0], blocks()[1].rows([0])]), r"Got 'atoms 4, bonds 1'"),
        (
            lambda: BlockKernelMean().fit(blocks()).transform(blocks()[:1]),
            r"hold the blocks atoms, bonds\. Got 'atoms'",
        ),
        (
            lambda: BlockKernelMean().fit(blocks()[1:]).transform(
                [ComponentBlock("bonds", BONDS[:2], sp.csr_array(np.eye(2)))]
            ),
            r"hold the 3 components seen in fit\. Got '2 components'",
        ),
        (lambda: BlockKernelMean(KernelMeanDescriptor(extra=("T",))).fit(blocks()), r"extra must be empty"),
    ],
)  # fmt: skip
def test_what_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
