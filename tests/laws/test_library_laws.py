"""What may not matter to the map of a library: order of rows and components, and units."""

import numpy as np
import pandas as pd
import pytest

from sozai.proposals import LibraryMap

RNG = np.random.default_rng(11)
NAMES = ["A", "B", "C"]
C = RNG.dirichlet(np.ones(3), 70)
TABLE = pd.DataFrame(C, columns=NAMES).assign(
    x=RNG.random(70), y=-((C - [0.5, 0.3, 0.2]) ** 2).sum(axis=1) + 0.01 * RNG.standard_normal(70)
)


def mapped(table=TABLE, names=NAMES):
    return LibraryMap(names, ["y"], position=["x"]).fit(table)


PLAIN = mapped()


def assert_same(library, order=slice(None), scale=1.0, shift=0.0):
    ours, theirs = PLAIN.positions_.iloc[order], library.positions_
    np.testing.assert_allclose(shift + scale * ours["mean"], theirs["mean"], atol=2e-4 * scale)
    np.testing.assert_allclose(scale * ours["std"], theirs["std"], rtol=2e-2)
    np.testing.assert_allclose(ours["probability"], theirs["probability"], atol=0.05)


@pytest.mark.parametrize("names", [["B", "A", "C"], ["C", "B", "A"]])
def test_the_order_of_components_does_not_matter(names):
    assert_same(mapped(names=names))


def test_the_order_of_positions_does_not_matter():
    order = RNG.permutation(70)
    assert_same(mapped(TABLE.iloc[order]), order)


def test_units_do_not_matter():
    percent = TABLE.assign(**{name: 100 * TABLE[name] for name in NAMES})
    assert_same(mapped(percent))
    millimeters = TABLE.assign(x=25.4 * TABLE["x"] - 300)
    assert_same(mapped(millimeters))
    assert mapped(millimeters).drift_.loc["x", "slope"] == pytest.approx(
        PLAIN.drift_.loc["x", "slope"] / 25.4, rel=1e-3
    )
    assert_same(mapped(TABLE.assign(y=1e6 * TABLE["y"] + 3e5)), scale=1e6, shift=3e5)
