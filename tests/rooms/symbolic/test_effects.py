"""Effects of columns: slopes, errors, elasticities and finite changes against hand-made truths."""

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError
from sozai.symbolic import SymbolicRegressor
from sozai.symbolic.effects import effects, per_unit


@pytest.fixture(scope="module")
def triangle():
    """Fitted law, table and areas with a little noise."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"base [m]": rng.uniform(1, 3, 30), "height [m]": rng.uniform(1, 3, 30)})
    area = X["base [m]"] * X["height [m]"] / 2 + rng.normal(0, 0.01, 30)
    return SymbolicRegressor().fit(X, area.rename("area [m^2]")), X, area


def test_slopes_of_the_triangle_with_their_errors(triangle):
    law, X, area = triangle
    found = effects(law, X)
    product = (X["base [m]"] * X["height [m]"]).to_numpy()
    design = np.column_stack([np.ones(30), product])
    beta, rss, *_ = np.linalg.lstsq(design, area, rcond=None)
    error = np.sqrt(rss[0] / 28 * np.linalg.inv(design.T @ design)[1, 1])
    assert found.names == ("base", "height")
    np.testing.assert_allclose(found.slopes[:, 0], beta[1] * X["height [m]"], rtol=1e-9)
    np.testing.assert_allclose(found.standard_errors[:, 0], error * X["height [m]"], rtol=1e-6)
    np.testing.assert_allclose(found.elasticities[:, 1], beta[1] * product / (design @ beta), rtol=1e-9)
    assert found.units == ("m^2/m", "m^2/m")
    assert found.mean_slopes[0] == pytest.approx(beta[1] * X["height [m]"].mean())
    assert found.mean_slope_errors[0] == pytest.approx(error * X["height [m]"].mean(), rel=1e-6)
    assert found.same_sign.tolist() == [1.0, 1.0]
    assert found.n_undefined == 0


def test_finite_effects_of_the_triangle(triangle):
    law, X, _ = triangle
    found = effects(law, X)
    low, high = np.quantile(X["base [m]"], [0.25, 0.75])
    np.testing.assert_allclose(found.quantiles[0], [low, high])
    slope, error = law.model_.coefficients[0], law.model_.standard_errors[0]
    assert found.finite_effects[0] == pytest.approx(slope * (high - low) * X["height [m]"].mean())
    assert found.finite_errors[0] == pytest.approx(error * (high - low) * X["height [m]"].mean())


def test_errors_cover_the_true_slope():
    """2.5 of 100 standardized errors beyond 1.96 on each side, for a law fixed beforehand."""
    rng = np.random.default_rng(1)
    X = pd.DataFrame({"x": rng.uniform(1, 2, 40)})
    beyond = 0
    for _ in range(200):
        y = 3 * X["x"] + rng.normal(0, 0.3, 40)
        found = effects(SymbolicRegressor(max_order=1).fit(X, y), X)
        beyond += abs(found.mean_slopes[0] - 3) > 1.96 * found.mean_slope_errors[0]
    assert 3 <= beyond <= 20


def test_slopes_of_two_terms_use_their_covariance():
    rng = np.random.default_rng(2)
    X = pd.DataFrame({"x": rng.uniform(1, 3, 50)})
    y = 2 * X["x"] - X["x"] ** 2 + rng.normal(0, 0.05, 50)
    law = SymbolicRegressor().fit(X, y)
    assert set(law.model_.terms) == {"x", "x**2"}
    design = np.column_stack([np.ones(50), X["x"], X["x"] ** 2])
    _, rss, *_ = np.linalg.lstsq(design, y, rcond=None)
    covariance = rss[0] / 47 * np.linalg.inv(design.T @ design)
    rows = np.column_stack([np.zeros(50), np.ones(50), 2 * X["x"]])
    truth = np.sqrt(np.einsum("ti,ij,tj->t", rows, covariance, rows))
    np.testing.assert_allclose(effects(law, X).standard_errors[:, 0], truth, rtol=1e-5)


def test_the_units_are_those_of_the_table():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"base [mm]": rng.uniform(100, 3000, 30), "height [m]": rng.uniform(1, 3, 30)})
    law = SymbolicRegressor().fit(X, (X["base [mm]"] * X["height [m]"] / 2000).rename("area [m^2]"))
    found = effects(law, X)
    np.testing.assert_allclose(found.slopes[:, 0], X["height [m]"] / 2000, rtol=1e-8)
    np.testing.assert_allclose(found.slopes[:, 1], X["base [mm]"] / 2000, rtol=1e-8)
    assert found.units == ("m^2/mm", "m^2/m")
    np.testing.assert_allclose(found.quantiles[1], np.quantile(X["height [m]"], [0.25, 0.75]))
    in_cm = X.assign(**{"base [mm]": X["base [mm]"] / 10}).rename(columns={"base [mm]": "base [cm]"})
    np.testing.assert_allclose(effects(law, in_cm).slopes, found.slopes, rtol=1e-12)


def test_elasticities_count_temperatures_from_absolute_zero():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"T [degC]": rng.uniform(0, 100, 30)})
    law = SymbolicRegressor(max_order=1).fit(X, (2 * (X["T [degC]"] + 273.15)).rename("E [J]"))
    found = effects(law, X)
    np.testing.assert_allclose(found.elasticities, 1.0, rtol=1e-8)
    np.testing.assert_allclose(found.slopes, 2.0, rtol=1e-8)


def test_a_kink_has_two_slopes():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.uniform(0, 2, 30), "b": rng.uniform(0, 2, 30)})
    X.iloc[0] = [1.0, 1.0]
    law = SymbolicRegressor(pair_operations=["abs_difference"], max_order=1, dimensions="ignore").fit(
        X, np.abs(X["a"] - X["b"])
    )
    found = effects(law, X)
    assert found.slopes[0].round(9).tolist() == [1, 1]
    assert found.slopes_below[0].round(9).tolist() == [-1, -1]
    np.testing.assert_array_equal(found.slopes[1:], found.slopes_below[1:])
    share = max((X["a"] >= X["b"]).mean(), (X["a"] < X["b"]).mean())
    assert found.same_sign[0] == pytest.approx(share)


def test_columns_that_do_not_occur_are_left_out_and_rows_without_value_counted():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.uniform(0.5, 2, 30), "idle": rng.uniform(0, 1, 30)})
    law = SymbolicRegressor(operations=["inverse"], max_order=1).fit(X, 1 / X["x"])
    new = X.iloc[:4].copy()
    new.iloc[1, 0] = 0.0
    found = effects(law, new)
    assert found.names == ("x",)
    assert found.n_undefined == 1
    assert np.isnan(found.slopes[1, 0])
    assert found.mean_slopes[0] == pytest.approx(-np.mean(1 / new["x"].drop(index=1) ** 2))
    assert np.isfinite(found.to_frame()["effect"]).all()


def test_a_law_of_no_column():
    X = pd.DataFrame({"x": np.linspace(0, 1, 12)})
    law = SymbolicRegressor(max_order=1).fit(X, pd.Series(1 + 0.1 * np.array([1, -1] * 6)))
    found = effects(law, X)
    assert found.names == ()
    assert repr(found) == "Effects(no column acts)"
    assert found.to_frame().empty
    assert found.rows().empty
    assert found.n_undefined == 0


def test_frames_and_one_line(triangle):
    law, X, _ = triangle
    found = effects(law, X.set_index(pd.Index([f"sample {k}" for k in range(30)])))
    frame = found.to_frame()
    assert frame["column"].tolist() == ["base", "height"]
    assert frame["slope_unit"].tolist() == ["m^2/m", "m^2/m"]
    rows = found.rows()
    assert len(rows) == 60
    assert rows["row"].tolist()[:3] == ["sample 0", "sample 0", "sample 1"]
    assert rows["slope"].tolist()[:2] == found.slopes[0].tolist()
    assert repr(found).startswith("Effects(base +")
    assert "m^2" in repr(found)


def test_a_loaded_law_has_the_same_effects(triangle, tmp_path):
    law, X, _ = triangle
    law.save(tmp_path / "law.zip")
    loaded = SymbolicRegressor.load(tmp_path / "law.zip")
    np.testing.assert_array_equal(effects(loaded, X).slopes, effects(law, X).slopes)


def test_missing_columns_are_named(triangle):
    law, X, _ = triangle
    with pytest.raises(InputError, match=r"height"):
        effects(law, X[["base [m]"]])


def test_the_unit_of_a_slope():
    assert per_unit("emu/g", "K") == "(emu/g)/K" or per_unit("emu/g", "K") == "emu/g/K"
    assert per_unit("m", "no such unit") == "(m)/(no such unit)"
    assert per_unit("m", "") == "m"
    assert per_unit(None, "m") is None
