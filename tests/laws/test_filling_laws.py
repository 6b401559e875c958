"""Laws of filling: order of rows, units and properties do not matter; filled cells are never learned from."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sozai.composition.property_filling import fill
from sozai.composition.property_tables import assemble
from sozai.contracts.errors import InputError
from sozai.numerics.coregional_evidence import Cells, DenseEvidence, Layout
from sozai.numerics.kernels import Gaussian

NAMES = [f"m{k}" for k in range(24)]
POINTS = pd.DataFrame(np.random.default_rng(0).normal(size=(24, 3)), index=NAMES)


def long_table():
    values = np.sin(POINTS.to_numpy() @ [[1.0, 0.5], [0.3, -1.0], [0.0, 0.7]])
    frame = pd.DataFrame({"formula": NAMES, "gap [eV]": values[:, 0], "bulk [GPa]": 100 + 30 * values[:, 1]})
    frame.loc[[2, 9, 17], "gap [eV]"] = np.nan
    frame.loc[[5, 9], "bulk [GPa]"] = np.nan
    return frame.drop(index=9)


def filled(frame, **options):
    table = assemble([frame], key="text")
    found = fill(table, descriptor=POINTS, **options).to_frame()
    return found.set_index(["material", "property"]).sort_index()


@pytest.fixture(scope="module")
def reference():
    return filled(long_table())


def test_order_of_properties_does_not_matter(reference):
    turned = filled(long_table(), properties=["bulk", "gap"])
    for name in ["value", "sigma"]:
        np.testing.assert_allclose(turned[name], reference[name], rtol=2e-2)


def test_units_do_not_matter(reference):
    frame = long_table().rename(columns={"gap [eV]": "gap [meV]"})
    frame["gap [meV]"] *= 1000.0
    found = filled(frame)
    scale = np.where(found.index.get_level_values("property") == "gap", 1000.0, 1.0)
    for name in ["value", "sigma", "lower", "upper"]:
        np.testing.assert_allclose(found[name], scale * reference[name], rtol=1e-3)


def test_same_seed_same_bits(reference):
    again = filled(long_table())
    assert (
        again[["value", "sigma"]].to_numpy().tobytes() == reference[["value", "sigma"]].to_numpy().tobytes()
    )


def test_filled_cells_are_refused_as_training_data():
    result = fill(assemble([long_table()], key="text"), descriptor=POINTS)
    assert (result.table.frame["kind"] == "filled").sum() == 3
    with pytest.raises(
        InputError, match=r"measured or calculated values to learn from. Got '3 filled values'"
    ):
        fill(result.table, descriptor=POINTS)
    with pytest.raises(InputError, match="to learn from"):
        result.table.values("gap", kind="filled")
    again = fill(result.table, kind="experiment", descriptor=POINTS)
    np.testing.assert_allclose(again.filled["value"], result.filled["value"], rtol=1e-12)


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_a_missing_cell_is_a_cell_with_endless_noise(seed):
    """Exact algebra: to leave a cell out is to let its noise grow without bound."""
    rng = np.random.default_rng(seed)
    Z, Y = rng.normal(size=(8, 2)), rng.normal(size=(8, 2))
    layout = Layout(2, 2)
    theta = layout.start(0.2, -1.0, np.array([[1.0, 0.5], [0.5, 1.0]]))
    missing = rng.random(Y.shape) < 0.3
    missing[:2] = False
    left_out = Cells.from_table(Z, np.where(missing, np.nan, Y))
    drowned = Cells.from_table(Z, Y, known=np.where(missing, 1e9, 0.0))
    answers = [
        DenseEvidence(Gaussian(), cells, layout).posterior(theta, place="").at_cells()
        for cells in (left_out, drowned)
    ]
    for a, b in zip(*answers, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_uncorrelated_properties_do_not_meet(seed):
    """With a diagonal property covariance each property is a process of its own."""
    rng = np.random.default_rng(seed)
    Z, Y = rng.normal(size=(9, 2)), rng.normal(size=(9, 2))
    layout, one = Layout(2, 2), Layout(2, 1)
    theta = np.array([0.1, 1.1, 0.0, 0.8, -1.0, -2.0])
    both = DenseEvidence(Gaussian(), Cells.from_table(Z, Y), layout).posterior(theta, place="").at_cells()
    for t, alone in enumerate([np.array([0.1, 1.1, -1.0]), np.array([0.1, 0.8, -2.0])]):
        cells = Cells.from_table(Z, Y[:, [t]])
        single = DenseEvidence(Gaussian(), cells, one).posterior(alone, place="").at_cells()
        for a, b in zip(both, single, strict=True):
            np.testing.assert_allclose(a[:, t], b[:, 0], atol=1e-9)
