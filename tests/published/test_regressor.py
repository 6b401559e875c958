"""Published laws through the joined estimator: one call from the table to the printed figure."""

import numpy as np
import pandas as pd
import pytest

from sozai.datasets import (
    fetch_octet_binaries,
    load_calculated_radii,
    load_triangle_area,
)
from sozai.symbolic import Exhaustive, SymbolicRegressor


def test_triangle_area_is_half_base_times_height():
    """The teaching example of the LIDG program: slope 0.499806, adjusted R² 0.99999952."""
    data = load_triangle_area()
    law = SymbolicRegressor(max_order=2).fit(data.features, data.target)
    assert law.model_.terms == ("base*height",)
    assert round(float(law.model_.coefficients[0]), 6) == 0.499806
    assert round(law.model_.adj_r2, 8) == 0.99999952
    assert round(law.model_.intercept, 8) == 2.333e-5


@pytest.fixture(scope="module")
def octet(data_folder):
    table = fetch_octet_binaries().frame
    radii = load_calculated_radii().frame.set_index("element")["radius"]
    first, second = table["A"].map(radii), table["B"].map(radii)
    X = pd.DataFrame({"S": first + second, "D": (first - second).abs()})
    return X, table["energy_diff"]


@pytest.mark.parametrize(("order", "rmse"), [(1, 0.2560), (2, 0.2175), (3, 0.1689), (4, 0.1551)])
def test_best_pair_of_the_octet_binaries(octet, order, rmse):
    """Kanda, Fujii, Oguchi 2019: first-order set {S, D, 1/S}, best pair by order."""
    X, y = octet
    law = SymbolicRegressor(
        ["inverse"],
        max_order=order,
        domain={"S": (1.0, 10.0), "D": (0.0, 5.0)},
        selection=Exhaustive(2),
        candidates="basis",
        criterion="rmse",
    ).fit(X, y)
    assert round(law.model_.rmse, 4) == rmse
    if order == 4:
        assert law.model_.terms == ("1/S**3", "D/S**3")
        np.testing.assert_allclose(law.model_.coefficients, [6.938, -4.881], atol=5e-4)
        assert round(law.model_.intercept, 3) == -0.189
        assert round(law.model_.q2, 5) == 0.87088
        assert (law.rank_, law.n_candidates_) == (25, 24)
