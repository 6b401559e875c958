"""Summary statistics against numbers worked out by hand, and the manners of the transformer."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from sozai.composition.elements import ComponentTable, as_table
from sozai.composition.statistics import Quantile, SummaryStatistics
from sozai.contracts.errors import InputError

SODA = ComponentTable([[11, 186.0], [6, 70.0], [8, 60.0]], ["Na", "C", "O"], ["Z", "radius"], name="soda")
ALL = (
    "mean", "sum", "var", "max", "min", "std", "range", "average_deviation", "mode", "geometric_mean",
    Quantile(0.25), Quantile(0.5), Quantile(1.0),
)  # fmt: skip


def soda(statistic, table=SODA, formula="Na2CO3"):
    return SummaryStatistics(table, (statistic,)).fit_transform([formula])[0]


def test_the_teaching_values_of_soda():
    """Radii 186, 70 and 60 pm: Na2CO3 has fractions 1/3, 1/6, 1/2."""
    np.testing.assert_allclose(soda("mean"), [8.667, 103.667], atol=5e-4)
    assert soda("min").tolist() == [6, 60]
    assert soda("max").tolist() == [11, 186]
    np.testing.assert_allclose(soda("sum"), [52, 622], rtol=1e-15)  # 2·11 + 6 + 3·8, 2·186 + 70 + 3·60


def test_the_other_statistics_by_hand():
    # about the mean 26/3: 1/3·(7/3)² + 1/6·(8/3)² + 1/2·(2/3)² = 29/9
    np.testing.assert_allclose(soda("var")[0], 29 / 9, rtol=1e-14)
    np.testing.assert_allclose(soda("std")[0], np.sqrt(29) / 3, rtol=1e-14)
    np.testing.assert_allclose(soda("average_deviation")[0], 14 / 9, rtol=1e-14)  # 7/9 + 4/9 + 3/9
    assert soda("range").tolist() == [5, 126]
    assert soda("mode").tolist() == [8, 60]
    assert soda("mode", formula="NaO").tolist() == [9.5, 123]
    np.testing.assert_allclose(soda("geometric_mean")[0], (11**2 * 6 * 8**3) ** (1 / 6), rtol=1e-14)


def test_quantiles():
    # by Z: C 1/6, then O up to 2/3, then Na; by radius: O 1/2, C up to 2/3, Na
    assert soda(Quantile(0)).tolist() == [6, 60]
    assert soda(Quantile(1 / 6)).tolist() == [6, 60]
    assert soda(Quantile(0.25)).tolist() == [8, 60]
    assert soda(Quantile(0.5)).tolist() == [8, 60]
    assert soda(Quantile(0.6)).tolist() == [8, 70]
    assert soda(Quantile(1)).tolist() == [11, 186]
    with pytest.raises(InputError, match=r"Quantile: q must lie between 0 and 1. Got 1.5"):
        Quantile(1.5)


def test_geometric_mean_keeps_positive_features_only():
    table = ComponentTable([[1.0, -1.0], [2.0, 3.0]], ["A", "B"], ["mass", "charge"])
    statistics = SummaryStatistics(table, ("geometric_mean", "mean")).fit()
    assert list(statistics.get_feature_names_out()) == ["geometric_mean:mass", "mean:mass", "mean:charge"]
    np.testing.assert_allclose(
        statistics.transform(np.array([[0.5, 0.5]])), [[np.sqrt(2), 1.5, 1.0]], rtol=1e-15
    )


def test_a_pure_component_has_no_variance_even_for_huge_values():
    table = ComponentTable([[1e17 + 64], [1e17]], ["A", "B"], ["x"])
    W = np.array([[1.0, 0.0], [0.5, 0.5]])
    values = SummaryStatistics(table, ("var", "min")).fit().transform(W)
    assert values[0].tolist() == [0, 1e17 + 64]
    assert values[1, 0] == 32.0**2  # a difference of squares gives 0 or nonsense


def test_components_that_are_stored_but_absent_do_not_count():
    W = sp.csr_array((np.array([0.5, 0.5, 0.0]), np.array([0, 2, 1]), np.array([0, 3])), shape=(1, 3))
    values = SummaryStatistics(SODA, ("min", "max", Quantile(0))).fit().transform(W)
    assert values[0].tolist() == [8, 60, 11, 186, 8, 60]


def test_blocks_and_names_in_the_published_order():
    statistics = SummaryStatistics().fit()
    names = list(statistics.get_feature_names_out())
    assert len(names) == 5 * 59
    assert [name.split(":")[0] for name in names[::59]] == ["mean", "sum", "var", "max", "min"]
    assert [name.split(":")[1] for name in names[:59]] == list(as_table().features)
    assert statistics.transform(["Fe2O3"]).shape == (1, 295)


def test_rows_that_cannot_be_read():
    formulas = ["Na2O", "fe2o3", "Na2CO3"]
    with pytest.raises(InputError, match=r"SummaryStatistics.transform.*fe2o3"):
        SummaryStatistics(SODA).fit().transform(formulas)
    lenient = SummaryStatistics(SODA, ALL, on_error="nan", scale="standard")
    values, share = lenient.fit_transform(formulas), lenient.transform(formulas, return_imputed=True)[1]
    assert np.isnan(values).all(axis=1).tolist() == [False, True, False]
    assert np.isnan(share).all(axis=1).tolist() == [False, True, False]
    readable = SummaryStatistics(SODA, ALL, scale="standard").fit_transform(["Na2O", "Na2CO3"])
    np.testing.assert_array_equal(values[[0, 2]], readable)


def test_an_unknown_component_is_named():
    with pytest.raises(InputError, match=r"Am"):
        SummaryStatistics(SODA).fit().transform(["Na2O", "AmO2"])


def test_sum_needs_numbers_of_atoms():
    W = np.array([[1 / 3, 1 / 6, 1 / 2], [1.0, 0.0, 0.0]])
    statistics = SummaryStatistics(SODA, ("sum",)).fit()
    message = r"n_atoms must be known .* Got nan for 2 of 2 samples, first in row 0. Pass n_atoms="
    with pytest.raises(InputError, match=message):
        statistics.transform(W)
    np.testing.assert_allclose(statistics.transform(W, n_atoms=[6, 1]), [[52, 622], [11, 186]], rtol=1e-15)
    np.testing.assert_array_equal(
        statistics.fit_transform(W, n_atoms=[6, 1]), statistics.transform(W, n_atoms=[6, 1])
    )
    assert SummaryStatistics(SODA, ("mean",)).fit().transform(sp.csr_array(W)).shape == (2, 2)


def test_shares_of_predicted_cells():
    flags = [[False, True], [False, False], [False, False]]
    table = ComponentTable(SODA.values, SODA.components, SODA.features, imputed=flags)
    values, share = SummaryStatistics(table, ("mean",)).fit().transform(["Na2CO3"], return_imputed=True)
    assert values.shape == (1, 2)
    np.testing.assert_allclose(share, [[0, 1 / 3]], rtol=1e-15)


def test_scaling_is_learned_in_fit():
    formulas = ["Na2O", "Na2CO3", "CO2", "CO"]
    wanted = ("mean", "sum", "var", "max")
    raw = SummaryStatistics(SODA, wanted).fit_transform(formulas)
    scaled = SummaryStatistics(SODA, wanted, scale="standard").fit(formulas)
    expected = (raw - raw.mean(axis=0)) / raw.std(axis=0, ddof=1)
    np.testing.assert_allclose(scaled.transform(formulas), expected, atol=1e-12)
    np.testing.assert_allclose(scaled.transform(formulas[:1]), expected[:1], atol=1e-12)
    constant = SummaryStatistics(SODA, ("min",), scale="standard").fit_transform(["Na2O", "NaO", "NaO2"])
    np.testing.assert_array_equal(constant, 0.0)
    with pytest.raises(InputError, match=r"X must be given when scale is 'standard'"):
        SummaryStatistics(SODA, scale="standard").fit()
    with pytest.raises(InputError, match=r"hold two readable samples for a scale. Got 1"):
        SummaryStatistics(SODA, scale="standard").fit(["Na2O"])
    assert not hasattr(scaled.set_params(scale=None).fit(), "center_")


@pytest.mark.parametrize(
    ("statistics", "message"),
    [
        (("mean", "median"), "hold names among mean, .* Got 'median'"),
        ((), r"be one or more different ones. Got \[\]"),
        (("mean", "mean"), r"different ones. Got \['mean', 'mean'\]"),
        ((Quantile(0.5), Quantile(0.5)), r"different ones. Got \[Quantile\(0.5\), Quantile\(0.5\)\]"),
    ],
)
def test_statistics_that_are_refused(statistics, message):
    with pytest.raises(InputError, match=message):
        SummaryStatistics(SODA, statistics).fit()


def test_dependent_features_are_named_in_fit_and_only_where_it_matters():
    rng = np.random.default_rng(0)
    s, p = rng.integers(0, 7, size=(2, 9)).astype(float)
    frame = pd.DataFrame({"s": s, "p": p, "all": s + p, "one": np.ones(9)}, index=list("HBCNOFPSK"))
    with pytest.warns(
        UserWarning, match=r"2 of the 4 features of table 'table' .*all = .*; one = 1"
    ) as caught:
        statistics = SummaryStatistics(frame).fit()
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert len(statistics.relations_) == 2
    statistics.transform(["NaCl".replace("Na", "K").replace("Cl", "F")])  # silent
    assert len(SummaryStatistics(frame, ("var", "max")).fit().relations_) == 2  # silent, too


def test_manners_of_a_transformer():
    statistics = SummaryStatistics(SODA, ("mean", Quantile(0.5)), n_jobs=1)
    with pytest.raises(NotFittedError):
        statistics.transform(["Na2O"])
    copy = clone(statistics)
    assert copy.get_params()["statistics"] == ("mean", Quantile(0.5))
    assert "Quantile(0.5)" in repr(copy)
    series = pd.Series(["Na2O", "CO2"], index=["a", "b"], name="formula")
    before = series.copy()
    frame = copy.set_output(transform="pandas").fit_transform(series.to_frame())
    assert list(frame) == ["mean:Z", "mean:radius", "quantile_0.5:Z", "quantile_0.5:radius"]
    assert list(frame.index) == ["a", "b"]
    assert copy.transform(series).shape == (2, 4)
    pd.testing.assert_series_equal(series, before)
    table, share = copy.transform(series.to_frame(), return_imputed=True)
    assert isinstance(table, pd.DataFrame)
    assert share.shape == (2, 2)
    with pytest.raises(InputError, match=r"table must be 'sozai'"):
        SummaryStatistics(3).fit()
    with pytest.raises(ValueError, match=r"scale"):
        SummaryStatistics(SODA, scale="minmax").fit()
    with pytest.raises(ValueError, match=r"on_error"):
        SummaryStatistics(SODA, on_error="skip").fit()


def test_in_a_pipeline():
    formulas = ["Na2O", "Na2CO3", "CO2", "CO"]
    model = make_pipeline(SummaryStatistics(SODA, scale="standard"), Ridge()).fit(
        formulas, [1.0, 2.0, 3.0, 4.0]
    )
    assert model.predict(["NaCO2"]).shape == (1,)


def test_the_published_shapes(data_folder):
    from sozai.composition.formula import as_compositions
    from sozai.datasets import fetch_stable_formulas

    formulas = fetch_stable_formulas().frame["formula"]
    with pytest.warns(UserWarning, match=r"3 of the 58 features of table 'published' follow from others"):
        full = SummaryStatistics("published").fit()
    parsed = as_compositions(formulas, full.table_.components, place="test")
    values = full.transform(parsed)
    assert values.shape == (35463, 290)
    without_sum = ("mean", "var", "max", "min")
    with pytest.warns(UserWarning, match=r"follow from others"):
        shorter = SummaryStatistics("published", without_sum).fit()
    assert shorter.transform(parsed).shape == (35463, 232)
    np.testing.assert_array_equal(SummaryStatistics.transform(full.set_params(n_jobs=2), parsed), values)
    # a loop over some rows, as the published program does it
    table = full.table_.values
    for row in range(0, 35463, 1777):
        w = parsed.fractions[[row]].toarray()[0]
        present = w > 0
        mean = w @ table
        expected = [
            mean, parsed.n_atoms[row] * mean, w @ (table - mean) ** 2,
            table[present].max(axis=0), table[present].min(axis=0),
        ]  # fmt: skip
        np.testing.assert_allclose(values[row], np.concatenate(expected), rtol=1e-12, atol=1e-12)
