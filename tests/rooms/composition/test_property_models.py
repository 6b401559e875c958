import numpy as np
import pandas as pd
import pytest

from sozai.composition import CompositionRegressor, KernelMeanDescriptor, SummaryStatistics, parse_formulas
from sozai.composition.elements import ComponentTable
from sozai.composition.property_coordinates import KnownMaterials, PropertyCoordinates, default_descriptor
from sozai.contracts.errors import InputError
from sozai.numerics.smooth_networks import SmoothNetworks

METALS = ["Li", "Na", "K", "Rb", "Cs", "Mg", "Ca", "Sr", "Ba", "Mn", "Fe", "Co", "Ni", "Zn", "Cd"]
ANIONS = ["F", "Cl", "Br", "I", "O", "S", "Se", "Te"]
TABLE = ComponentTable.elements()


def planted(n, seed=0, noise=0.02):
    """Formulas and a smooth function of mean electronegativity and mean radius, computed here by hand."""
    rng = np.random.default_rng(seed)
    formulas = [
        f"{rng.choice(METALS)}{rng.integers(1, 4)}{rng.choice(ANIONS)}{rng.integers(1, 5)}" for _ in range(n)
    ]
    chi = TABLE.column("en_pauling")
    W = parse_formulas(formulas, components=TABLE.components).fractions
    x = W @ ((chi - chi.min()) / np.ptp(chi))
    return formulas, np.sin(4 * x) + x + noise * rng.normal(size=n)


@pytest.fixture(scope="module")
def fitted():
    formulas, y = planted(80)
    return CompositionRegressor(random_state=0).fit(formulas, y), formulas, y


def test_a_planted_function_is_predicted_and_its_interval_holds(fitted):
    regressor, _, _ = fitted
    new, truth = planted(300, seed=1)
    mean = regressor.predict(new)
    lower, upper = regressor.predict_interval(new)
    assert np.corrcoef(mean, truth)[0, 1] > 0.9
    assert 0.83 <= ((lower <= truth) & (truth <= upper)).mean() <= 1.0
    assert (lower < mean).all()
    assert (mean < upper).all()


def test_the_same_composition_gets_the_same_answer(fitted):
    regressor, _, _ = fitted
    a, b, c = regressor.predict(["Fe2O3", "Fe4O6", "O3Fe2"])
    assert a == pytest.approx(b, rel=1e-12) == pytest.approx(c, rel=1e-12)


def test_scores_are_of_formulas_left_out(fitted):
    regressor, _, y = fitted
    score = regressor.validation_
    assert score.protocol.endswith("folds of whole reduced formulas") or "folds of rows" in score.protocol
    assert score.mae == pytest.approx(np.abs(score.predictions - y).mean())
    results = regressor.cv_results_
    assert results["n_test"].sum() == 80
    assert (results["RMSE"] >= results["MAE"]).all()
    sizes = results["n_test"] / 80
    assert (sizes * results["MAE"]).sum() == pytest.approx(score.mae)


def test_rows_of_one_formula_are_left_out_together():
    formulas, y = planted(30)
    repeated = [*formulas, *[f.replace("1", "") for f in formulas]]
    regressor = CompositionRegressor(random_state=0).fit(repeated, np.r_[y, y + 0.01])
    keys = parse_formulas(repeated).keys()
    for test in regressor.validation_.folds:
        assert not set(keys[test]) & set(np.delete(keys, test))


@pytest.mark.parametrize("n_jobs", [2])
def test_the_same_bits_for_any_number_of_jobs(fitted, n_jobs):
    regressor, formulas, y = fitted
    again = CompositionRegressor(random_state=0, n_jobs=n_jobs).fit(formulas, y)
    assert (again.predict(["KCl", "FeO"]) == regressor.predict(["KCl", "FeO"])).all()
    assert (again.predict_interval(["KCl"])[0] == regressor.predict_interval(["KCl"])[0]).all()


def test_an_element_never_seen_and_a_far_formula_are_outside(fitted):
    regressor, formulas, _ = fitted
    table = regressor.applicability(["UO2", formulas[0], *METALS, *ANIONS])
    assert table["in_domain"].tolist()[:2] == [False, True]
    assert table["reason"][0] == "holds U, which no training formula holds"
    assert table["distance"][1] == pytest.approx(0, abs=1e-9)
    assert table["nearest"][1] == parse_formulas(formulas[:1]).keys()[0]
    pure = table.iloc[2:]
    assert (pure["in_domain"] == (pure["distance"] <= regressor.known_.usual)).all()
    far = pure.loc[~pure["in_domain"], "reason"]
    assert len(far)
    assert far.str.contains("away from the nearest training formula").all()


def test_one_more_atom_changes_the_prediction_by_what_is_said(fitted):
    regressor, _, _ = fitted
    effect = regressor.element_effect("Fe2O3")
    assert effect["change"].is_monotonic_decreasing
    row = effect.set_index("element").loc["Na"]
    assert row["formula"] == "NaFe2O3"
    change = regressor.predict(["NaFe2O3"])[0] - regressor.predict(["Fe2O3"])[0]
    assert row["change"] == pytest.approx(change, abs=1e-10)


def test_columns_beside_the_formula_take_part():
    rng = np.random.default_rng(0)
    formulas, y = planted(60, noise=0.0)
    warm = rng.uniform(300, 900, 60)
    X = pd.DataFrame({"formula": formulas, "temperature": warm})
    descriptor = default_descriptor(("temperature",))
    regressor = CompositionRegressor(descriptor, random_state=0).fit(X, y + warm / 300)
    hot, cold = (pd.DataFrame({"formula": ["NaCl"], "temperature": [t]}) for t in (800.0, 400.0))
    assert regressor.predict(hot)[0] - regressor.predict(cold)[0] == pytest.approx(400 / 300, rel=0.15)


def test_positive_and_fraction_stay_in_range():
    formulas, y = planted(60)
    positive = np.exp(2 * y)
    low, _ = (
        CompositionRegressor(target="positive", random_state=0)
        .fit(formulas, positive)
        .predict_interval(["CsI"])
    )
    assert low[0] > 0
    share = pd.Series(100 / (1 + np.exp(-3 * y)), name="yield [%]")
    regressor = CompositionRegressor(target="fraction", random_state=0).fit(formulas, share)
    low, high = regressor.predict_interval(["CsI", "LiF"])
    assert ((low >= 0) & (high <= 100)).all()


@pytest.mark.slow
def test_networks_keep_rows_back_and_their_interval_holds():
    formulas, y = planted(1500, noise=0.05)
    regressor = CompositionRegressor(model="networks", random_state=0, n_jobs=2)
    small = SmoothNetworks(2, (40, 40), n_passes=40, batch_size=32)
    regressor._unfitted = lambda n: small  # the default takes minutes
    regressor.fit(formulas, y)
    assert "rows kept back" in regressor.validation_.protocol
    kept = set(parse_formulas(formulas).keys()[regressor.validation_rows_])
    others = np.delete(parse_formulas(formulas).keys(), regressor.validation_rows_)
    assert not kept & set(others)
    new, truth = planted(2000, seed=5, noise=0.05)
    lower, upper = regressor.predict_interval(new)
    assert ((lower <= truth) & (truth <= upper)).mean() == pytest.approx(0.9, abs=0.06)
    mean, std = regressor.predict(new, return_std=True)
    assert np.sqrt(np.mean(((mean - truth) / std) ** 2)) == pytest.approx(1, abs=0.35)


def test_another_descriptor_and_another_model():
    from sklearn.linear_model import Ridge

    formulas, y = planted(60)
    regressor = CompositionRegressor(SummaryStatistics(statistics=("mean",)), Ridge(), random_state=0)
    regressor.fit(formulas, y)
    lower, upper = regressor.predict_interval(["NaCl"])
    assert lower[0] < regressor.predict(["NaCl"])[0] < upper[0]


def test_wrong_input_is_named():
    formulas, y = planted(10)
    with pytest.raises(InputError, match=r"X must have at least 5 rows. Got 3"):
        CompositionRegressor().fit(formulas[:3], y[:3])
    with pytest.raises(InputError, match="row 2"):
        CompositionRegressor().fit([*formulas[:2], "Xx2", *formulas[3:]], y)
    with pytest.raises(InputError, match="10"):
        CompositionRegressor().fit(formulas, y[:9])
    y[4] = np.nan
    with pytest.raises(InputError, match="4"):
        CompositionRegressor().fit(formulas, y)
    with pytest.raises(InputError, match=r"level must lie between 0 and 1. Got 1.5"):
        CompositionRegressor(random_state=0).fit(*planted(20)).predict_interval(["NaCl"], level=1.5)


def test_the_coordinates_keep_the_discrepancy():
    formulas = ["NaCl", "KCl", "Fe2O3"]
    coordinates, Z = PropertyCoordinates.learn(default_descriptor(), formulas)
    away = KernelMeanDescriptor(kernel=default_descriptor().kernel).fit().mmd_distance(formulas)
    found = np.sqrt(((Z[:, None] - Z[None]) ** 2).sum(axis=2))
    assert found / found[0, 1] == pytest.approx(away / away[0, 1], rel=1e-6)
    assert coordinates(formulas) == pytest.approx(Z)


def test_what_is_usual_is_the_distance_that_95_percent_stay_below():
    formulas = [f"Na{n}Cl" for n in range(1, 41)]
    coordinates, Z = PropertyCoordinates.learn(default_descriptor(), formulas)
    known = KnownMaterials.of(coordinates.compositions(formulas, "test"), Z)
    away = np.sqrt(((Z[:, None] - Z[None]) ** 2).sum(axis=2)) + np.diag(np.full(40, np.inf))
    assert known.usual == pytest.approx(np.quantile(away.min(axis=1), 0.95, method="higher"))


def test_groups_of_the_user_are_named_in_the_protocol():
    formulas, y = planted(30)
    regressor = CompositionRegressor(random_state=0).fit(formulas, y, groups=np.arange(30) % 6)
    assert regressor.validation_.protocol == "6 folds of whole groups"


def test_a_search_over_options_that_clash_says_how_to_search():
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import GridSearchCV

    formulas, y = planted(24)
    model = CompositionRegressor(KernelMeanDescriptor(), LinearRegression(), cv=2)
    grids = [{"descriptor__grid": [4, 6]}, {"descriptor__mode": ["md"]}]
    search = GridSearchCV(model, grids, cv=2, error_score="raise").fit(formulas, y)
    assert len(search.cv_results_["params"]) == 3
    crossed = GridSearchCV(model, grids[0] | grids[1], cv=2, error_score="raise")
    with pytest.raises(InputError, match=r"grid must stand with mode='1d'. Got 4 .*takes a list of dicts"):
        crossed.fit(formulas, y)


def test_options_of_the_descriptor_are_checked():
    with pytest.raises(ValueError, match="'mode' parameter of KernelMeanDescriptor must be"):
        CompositionRegressor(KernelMeanDescriptor(mode="nd")).fit(*planted(12))
