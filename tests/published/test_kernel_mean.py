"""Numbers of Kusaba, Hayashi, Liu, Wakiuchi, Yoshida, Phys. Rev. B 108, 134107 (2023), and of its data."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sozai.composition.kernel_mean import KernelMeanDescriptor

#: Points for each feature, condition number of H for the 94 x 58 table, half a unit of its last digit.
CONDITION = [(2, 1.2e4, 500), (3, 2.2e3, 50), (4, 742, 0.5), (5, 341, 0.5), (10, 89, 0.5), (20, 30, 0.5)]


@pytest.fixture(scope="module")
def published():
    root = os.environ.get("SOZAI_DATA")
    if not root:
        pytest.skip("SOZAI_DATA is not set: it names the folder that holds composition/element_features.csv")
    for name in ("element_features.csv", "MP_stable_formula_20220807.csv"):
        if not Path(root, "composition", name).is_file():
            pytest.skip(f"SOZAI_DATA holds no composition/{name}")
    return Path(root, "composition")


@pytest.mark.parametrize(("d", "condition", "digit"), CONDITION)
def test_condition_number_falls_with_the_grid(published, d, condition, digit):
    descriptor = KernelMeanDescriptor("published", grid=d).fit()
    values = np.linalg.svd(descriptor.matrix_, compute_uv=False)
    assert descriptor.matrix_.shape == (58 * d, 94)
    assert np.linalg.matrix_rank(descriptor.matrix_) == 94
    assert values[0] / values[-1] == pytest.approx(condition, abs=digit)


def test_descriptor_of_the_stable_materials(published):
    formulas = pd.read_csv(published / "MP_stable_formula_20220807.csv")["formula_pretty"]
    descriptor = KernelMeanDescriptor("published").fit()
    phi = descriptor.transform(formulas)
    assert phi.shape == (35463, 580)
    assert np.isfinite(phi).all()
    table = pd.read_csv(published / "element_features.csv", index_col=0)
    scaled = (table - table.min()) / (table.max() - table.min())
    assert formulas[0] == "Zn2B2PbO6"
    w = {"Zn": 2 / 11, "B": 2 / 11, "Pb": 1 / 11, "O": 6 / 11}
    z = scaled.loc[list(w)].to_numpy()
    expected = np.concatenate(
        [np.exp(-81 * (np.arange(10)[:, None] / 9 - z[:, k]) ** 2) @ list(w.values()) for k in range(58)]
    )
    np.testing.assert_allclose(phi[0], expected, rtol=0, atol=1e-14)
    assert descriptor.get_feature_names_out()[13] == "atomic_radius@0.333"
    assert descriptor.grid_.loc[13, "unit"] == "pm"


def test_joint_descriptor_has_a_column_for_each_element(published):
    descriptor = KernelMeanDescriptor("published", mode="md").fit()
    assert descriptor.transform(["Zn2B2PbO6"]).shape == (1, 94)
    table = pd.read_csv(published / "element_features.csv", index_col=0)
    z = ((table - table.mean()) / table.std(ddof=1)).to_numpy()
    squared = ((z[:, None] - z[None]) ** 2).sum(axis=2)
    nearest = np.where(np.eye(94, dtype=bool), np.inf, squared).min(axis=1)
    np.testing.assert_allclose(descriptor.matrix_, np.exp(-squared / np.median(nearest)), rtol=0, atol=1e-12)


def test_round_trip_of_the_stable_materials(published):
    pytest.importorskip("sozai.composition.kernel_mean_inverse")
    formulas = pd.read_csv(published / "MP_stable_formula_20220807.csv")["formula_pretty"][::500]
    descriptor = KernelMeanDescriptor("published").fit()
    back = descriptor.inverse_transform(descriptor.transform(formulas)).fractions
    from sozai.composition.formula import parse_formulas

    w = parse_formulas(formulas, components=descriptor.components_).dense()
    assert np.abs(back - w).sum(axis=1).max() <= 1e-12
