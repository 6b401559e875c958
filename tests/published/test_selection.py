"""Numbers printed in papers for regression and selection, from the data they were made of.

Triangle areas and the Slater-Pauling set: H. Fujii, LIDG program and manual (2024). Octet binaries:
L. M. Ghiringhelli et al., Phys. Rev. Lett. 114, 105503 (2015); Y. Kanda, H. Fujii, T. Oguchi,
Sci. Technol. Adv. Mater. 20, 1178 (2019); R. Ouyang et al., Phys. Rev. Materials 2, 083802 (2018).
"""

import itertools
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sozai.numerics.least_squares import fit_least_squares
from sozai.symbolic.selection import AllTerms, BackwardElimination, Exhaustive

# area, base, height of 20 triangles
_PRINTED = """
    .0001 .2658 .0007 .0092 .9789 .0187 .0096 .0488 .3931 .0102 .3953 .0514 .0195 .0883 .4416
    .0273 .2153 .2536 .0389 .3864 .2012 .0441 .1095 .8048 .0562 .8760 .1283 .0577 .2917 .3958
    .0602 .4255 .2832 .0626 .7260 .1725 .0788 .1785 .8830 .0871 .7943 .2192 .0915 .3709 .4936
    .0964 .6477 .2976 .1051 .5049 .4163 .1119 .7204 .3108 .1198 .7600 .3154 .1341 .5543 .4839
"""
TRIANGLES = np.array(_PRINTED.split(), dtype=float).reshape(20, 3)

# calculated atomic radii in Angstrom (E. Clementi et al., J. Chem. Phys. 38, 2686 (1963); 47, 1300 (1967))
RADII = {
    "Ag": 1.65, "Al": 1.18, "As": 1.14, "B": 0.87, "Ba": 2.53, "Be": 1.12, "Br": 0.94, "C": 0.67, "Ca": 1.94,
    "Cd": 1.61, "Cl": 0.79, "Cs": 2.98, "Cu": 1.45, "F": 0.42, "Ga": 1.36, "Ge": 1.25, "I": 1.15, "In": 1.56,
    "K": 2.43, "Li": 1.67, "Mg": 1.45, "N": 0.56, "Na": 1.90, "O": 0.48, "P": 0.98, "Rb": 2.65, "S": 0.88,
    "Sb": 1.33, "Se": 1.03, "Si": 1.11, "Sn": 1.45, "Sr": 2.19, "Te": 1.23, "Zn": 1.42,
}  # fmt: skip


def data(name):
    """Path of a data file, or a skip that says what is missing."""
    root = os.environ.get("SOZAI_DATA")
    if root is None:
        pytest.skip("SOZAI_DATA is not set: it names the folder that holds symbolic/octet82.csv")
    path = Path(root) / "symbolic" / name
    if not path.exists():
        pytest.skip(f"SOZAI_DATA holds no symbolic/{name}")
    return path


# -- triangle area ------------------------------------------------------------------------------------


def triangle():
    area, base, height = TRIANGLES.T
    columns = {"b": base, "h": height, "b^2": base**2, "b*h": base * height, "h^2": height**2}
    return np.column_stack(list(columns.values())), area, list(columns)


def test_triangle_linear_model():
    X, y, names = triangle()
    model = AllTerms().select(X[:, :2], y, names[:2])[0]
    np.testing.assert_allclose(model.coefficients, [0.116806, 0.137802], atol=1e-6)
    assert model.intercept == pytest.approx(-0.038756, abs=1e-6)
    assert model.adj_r2 == pytest.approx(0.551451, abs=1e-6)
    assert model.q2 == pytest.approx(0.364125, abs=1e-6)


def test_triangle_product_model():
    X, y, names = triangle()
    model = AllTerms().select(X[:, 3:4], y, names[3:4])[0]
    assert model.coefficients[0] == pytest.approx(0.499806, abs=1e-6)
    assert model.adj_r2 == pytest.approx(0.99999952, abs=1e-8)
    assert model.intercept == pytest.approx(2.333e-5, abs=1e-8)
    through_zero = AllTerms().select(X[:, 3:4], y, names[3:4], fit_intercept=False)[0]
    assert through_zero.coefficients[0] == pytest.approx(0.499939, abs=1e-6)
    assert abs(through_zero.coefficients[0] - 0.5) < 2 * through_zero.standard_errors[0]


@pytest.mark.parametrize("criterion", ["q2", "aic", "bic", "rmse"])
def test_triangle_simplest_model_is_base_times_height(criterion):
    X, y, names = triangle()
    models = Exhaustive(3).select(X, y, names, complexity=[1, 1, 2, 3, 2])
    assert models.simplest(criterion).terms == ("b*h",)


# -- octet binaries -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def octet():
    return pd.read_csv(data("octet82.csv"))


def test_octet_target_spread(octet):
    assert octet["energy_diff"].std(ddof=0) == pytest.approx(0.4476, abs=5e-5)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_octet_best_subsets_of_the_ten_raw_columns(octet, n_jobs):
    columns = [f"{q}_{site}" for q in ("IP", "EA", "r_s", "r_p", "r_d") for site in "AB"]
    models = Exhaustive(5, n_best=1, n_jobs=n_jobs).select(octet[columns], octet["energy_diff"])
    errors = [model.rmse for model in models]
    np.testing.assert_allclose(errors, [0.31334, 0.29494, 0.28015, 0.27525, 0.26282], atol=5e-6)


def ghiringhelli(octet, third="r_d_A"):
    one = (octet["IP_B"] - octet["EA_B"]) / octet["r_p_A"] ** 2
    two = (octet["r_s_A"] - octet["r_p_B"]).abs() / np.exp(octet["r_s_A"])
    three = (octet["r_p_B"] - octet["r_s_B"]).abs() / np.exp(octet[third])
    return np.column_stack([one, two, three])


@pytest.mark.parametrize(
    ("size", "rmse", "loo"), [(1, 0.1398, 0.1422), (2, 0.1002, 0.1045), (3, 0.0773, 0.0826)]
)
def test_octet_published_descriptors_refitted(octet, size, rmse, loo):
    model = AllTerms().select(ghiringhelli(octet)[:, :size], octet["energy_diff"])[0]
    assert model.rmse == pytest.approx(rmse, abs=5e-5)
    assert model.rmse_loo == pytest.approx(loo, abs=5e-5)


def test_octet_published_coefficients(octet):
    model = AllTerms().select(ghiringhelli(octet), octet["energy_diff"])[0]
    np.testing.assert_allclose(model.coefficients, [-0.1095, -1.732, -3.783], rtol=5e-4)
    assert model.intercept == pytest.approx(-0.034, abs=5e-4)
    variant = AllTerms().select(ghiringhelli(octet, "r_s_A"), octet["energy_diff"])[0]
    assert variant.rmse == pytest.approx(0.0946, abs=5e-5)


def radius_monomials(octet, order):
    a, b = (octet[site].map(RADII).to_numpy() for site in "AB")
    total, difference = a + b, np.abs(a - b)
    powers = [(i, j) for i in range(-order, order + 1) for j in range(order + 1) if 0 < abs(i) + j <= order]
    return np.column_stack([total**i * difference**j for i, j in powers]), powers


@pytest.mark.parametrize(("order", "rmse"), [(1, 0.2560), (2, 0.2175), (3, 0.1689), (4, 0.1551)])
def test_octet_best_pair_of_radius_monomials_by_order(octet, order, rmse):
    X, powers = radius_monomials(octet, order)
    assert len(powers) == (order + 1) ** 2 - 1
    assert Exhaustive(2, min_terms=2).select(X, octet["energy_diff"])[0].rmse == pytest.approx(
        rmse, abs=5.1e-5
    )


def test_octet_best_pair_of_276(octet):
    X, powers = radius_monomials(octet, 4)
    model = Exhaustive(2, min_terms=2, n_best=276).select(X, octet["energy_diff"])[0]
    assert {powers[j] for j in model.columns} == {(-3, 0), (-3, 1)}
    np.testing.assert_allclose(model.coefficients, [6.938, -4.881], atol=5e-4)
    assert model.intercept == pytest.approx(-0.189, abs=5e-4)
    for name, value in {
        "rmse": 0.15514,
        "r2": 0.87987,
        "adj_r2": 0.87683,
        "q2": 0.87088,
        "rmse_loo": 0.16084,
    }.items():
        assert getattr(model, name) == pytest.approx(value, abs=5.1e-6)
    printed = X[:, list(model.columns)] @ [6.87, -5.02] - 0.18
    assert np.sqrt(np.mean((octet["energy_diff"] - printed) ** 2)) == pytest.approx(0.15538, abs=5e-6)


@pytest.mark.parametrize(("radius", "rmse"), [("p", 0.123), ("mean", 0.117), ("max", 0.119)])
def test_octet_same_form_with_other_radii(octet, radius, rmse):
    def of(site):
        s, p = octet[f"r_s_{site}"].to_numpy(), octet[f"r_p_{site}"].to_numpy()
        return {"p": p, "mean": (s + p) / 2, "max": np.maximum(s, p)}[radius]

    total, difference = of("A") + of("B"), np.abs(of("A") - of("B"))
    X = np.column_stack([total**-3, difference * total**-3])
    assert AllTerms().select(X, octet["energy_diff"])[0].rmse == pytest.approx(rmse, abs=5e-4)


# -- Slater-Pauling -----------------------------------------------------------------------------------


class SlaterPauling:
    """99 alloys; the 44 columns of order 1; products of order 2 and 3."""

    def __init__(self, path):
        rows = [line.split() for line in path.read_text().splitlines()[1:] if line.strip()]
        values = np.array([[float(v) for v in row[1:]] for row in rows])
        self.y, self.x, self.MA, self.ZA, self.MB, self.ZB, self.MAB, self.MBA = values.T
        self.one = np.ones(len(self.y))
        x = [self.one, *values[:, 1:].T]
        columns = {f"x{j}": x[j] for j in range(8)}
        columns |= {f"a(x{j})": np.abs(x[j]) for j in range(2, 8)}
        for sign, text in ((1, "+"), (-1, "-")):
            for i, j in itertools.combinations(range(2, 8), 2):
                columns[f"a(x{i}{text}x{j})"] = np.abs(x[i] + sign * x[j])
        self.columns = columns
        order = [list(columns)[j] for j in (0, 1, 2, 3, 6, 33, 17, 28, 40, 35)]
        self.automatic = {name: columns[name] for name in order}
        hand = ["x0", "x1", "x2", "x3", "x6", "x7", "a(x6)", "a(x6+x7)", "a(x2+x6)", "a(x7)"]
        self.by_hand = {name: columns[name] for name in hand}
        self.pruned = {name: columns[name] for name in hand[:-1]}
        w = self.x * (1 - self.x)
        functions = {"1": self.one} | {name: columns[name] for name in hand[2:-1]}
        self.mixing = {}
        for factor, label in ((self.one, ""), (self.x, "x"), (w, "w")):
            for name, f in functions.items():
                parts = [part for part in (label, name) if part not in ("", "1")]
                self.mixing["*".join(parts) or "x0"] = factor * f


def row_reduced_basis(table):
    """Columns kept by the published row reduction, in its order."""
    names, X = list(table), np.column_stack(list(table.values()))
    m, n = X.shape
    weak = 1 / (100 * np.sqrt(m))
    X, order = X / np.linalg.norm(X, axis=0), np.arange(n)
    for i in range(min(m, n)):
        if np.abs(X[i:, i]).max() <= weak:
            largest = np.abs(X[i:, i:]).max(axis=0)
            if largest.max() <= weak / 100:
                return {names[j]: table[names[j]] for j in order[:i]}
            column = i + int(np.argmax(largest))
            shift = np.r_[:i, column, i:column, column + 1 : n]
            X, order = X[:, shift], order[shift]
        row = i + int(np.argmax(np.abs(X[i:, i])))
        X[[i, row]] = X[[row, i]]
        X[i] /= X[i, i]
        factor = X[:, i].copy()
        factor[i] = 0
        X -= np.outer(factor, X[i])
    return {names[j]: table[names[j]] for j in order[: min(m, n)]}


def with_products(basis, first_order, order):
    """Basis and all products of ``order`` first-order columns (without the constant)."""
    factors = [name for name in first_order if name != "x0"]
    table = dict(basis)
    for chosen in itertools.combinations_with_replacement(factors, order):
        table["*".join(chosen)] = np.prod([first_order[name] for name in chosen], axis=0)
    return table


@pytest.fixture(scope="module")
def alloys():
    return SlaterPauling(data("slater_pauling_99.dat"))


def fit(table, y):
    return fit_least_squares(np.column_stack(list(table.values())), y, names=list(table))


def best(table, y, size, **options):
    selector = Exhaustive(size, min_terms=size, **options)
    return selector.select(np.column_stack(list(table.values())), y, list(table), fit_intercept=False)


def sse(model):
    return 99 * model.rmse**2


def check(scores, **printed):
    for name, value in printed.items():
        digits = len(str(value).split(".")[1])
        assert getattr(scores, name) == pytest.approx(value, abs=1.01 * 10**-digits), name


def test_order_one_basis(alloys):
    assert len(alloys.columns) == 44
    assert list(row_reduced_basis(alloys.columns)) == list(alloys.automatic)


def test_least_squares_of_the_ten(alloys):
    full = fit(alloys.automatic, alloys.y)
    assert full.sse == pytest.approx(6.026001, abs=1e-6)
    assert full.press == pytest.approx(7.552861, abs=1e-6)
    check(full.scores, rmse=0.246716, r2=0.906386, q2=0.882666, tr2=0.971003, tq2=0.963655, aic=23.845240)
    assert full.total_r2[1] == pytest.approx(5 / 7, abs=1e-12)


def test_best_five_of_ten(alloys):
    models = best(alloys.automatic, alloys.y, 5, n_best=252)
    assert len(models) == 252
    assert models[0].terms == ("x0", "x1", "x2", "x3", "a(x2-x7)")
    assert sse(models[0]) == pytest.approx(6.094796, abs=1e-6)
    assert 99 * models[0].rmse_loo ** 2 == pytest.approx(6.919070, abs=1e-6)
    check(models[0], q2=0.892512)
    assert models.best("q2") is models[0]
    assert models[1].terms == ("x0", "x1", "x2", "x3", "a(x4-x7)")
    assert sse(models[1]) == pytest.approx(6.176706, abs=1e-6)


def test_best_five_of_ten_by_exact_press(alloys):
    model = best(alloys.automatic, alloys.y, 5, rank_by="q2", exact_press=True)[0]
    assert model.terms == ("x0", "x1", "x2", "x3", "a(x2-x7)")


def test_hand_chosen_basis(alloys):
    hand, automatic = fit(alloys.by_hand, alloys.y), fit(alloys.automatic, alloys.y)
    for name, value in vars(automatic.scores).items():
        assert getattr(hand.scores, name) == pytest.approx(value, rel=1e-9)
    names = list(alloys.by_hand)
    partial = hand.partial_correlations[names.index("a(x7)"), names.index("x7")]
    assert partial == pytest.approx(0.999997, abs=1e-6)
    pruned = fit(alloys.pruned, alloys.y)
    assert pruned.sse == pytest.approx(6.043920, abs=1e-6)
    check(pruned.scores, rmse=0.247082, q2=0.886105, aic=22.139194)


@pytest.fixture(scope="module")
def products(alloys):
    """Bases of order 2 and 3 of the automatic and the pruned path."""
    bases = {}
    for path in ("automatic", "pruned"):
        first = getattr(alloys, path)
        basis = first
        for order in (2, 3):
            table = with_products(basis, first, order)
            basis = row_reduced_basis(table)
            bases[path, order] = (len(table), basis)
    return bases


@pytest.mark.parametrize(
    ("path", "order", "n_columns", "rank", "printed"),
    [
        ("automatic", 2, 55, 19, {"rmse": 0.141890, "q2": 0.944391, "aic": -67.685204}),
        ("pruned", 2, 45, 18, {"rmse": 0.141892, "q2": 0.948495, "aic": -69.682357}),
        ("automatic", 3, 184, 28, {"rmse": 0.043300, "r2": 0.997116, "q2": 0.992703, "aic": -284.690920}),
        ("pruned", 3, 138, 27, {"rmse": 0.044781, "r2": 0.996916, "q2": 0.992727, "aic": -280.034296}),
    ],
)
def test_order_two_and_three(alloys, products, path, order, n_columns, rank, printed):
    count, basis = products[path, order]
    assert (count, len(basis)) == (n_columns, rank)
    check(fit(basis, alloys.y).scores, **printed)


def test_best_nine_of_nineteen(alloys, products):
    models = best(products["automatic", 2][1], alloys.y, 9)
    assert sse(models[0]) == pytest.approx(2.059529, abs=1e-6)
    assert models.complete


def test_best_seven_of_twenty_eight(alloys, products):
    models = best(products["automatic", 3][1], alloys.y, 7, n_jobs=2)
    assert sse(models[0]) == pytest.approx(0.574262, abs=1e-6)
    check(models[0], q2=0.989457)


def test_best_seven_of_twenty_eight_by_exact_press(alloys, products):
    table = products["automatic", 3][1]
    direct = best(table, alloys.y, 7, n_best=5)
    press = best(table, alloys.y, 7, n_best=5, rank_by="q2", exact_press=True)
    assert press[0].q2 >= max(model.q2 for model in direct)


def test_twenty_four_mixing_terms(alloys):
    full = fit(alloys.mixing, alloys.y)
    assert full.n_parameters == 24
    check(full.scores, tr2=0.998619, tq2=0.997228, aic=-249.554303)


PUBLISHED_PATH = {
    "x6": 0.997330, "x*x3": 0.997518, "w*a(x2+x6)": 0.997664, "a(x2+x6)": 0.997715, "a(x6)": 0.997780,
    "x0": 0.997842, "x*a(x6)": 0.997913, "x*x6": 0.998003, "x3": 0.997991, "x7": 0.997987,
    "x*a(x2+x6)": 0.998001, "w*a(x6+x7)": 0.998022, "w*x6": 0.997977,
}  # fmt: skip


@pytest.fixture(scope="module")
def backward(alloys):
    X = np.column_stack(list(alloys.mixing.values()))
    return BackwardElimination().select(X, alloys.y, list(alloys.mixing), fit_intercept=False)


def test_backward_path_of_thirteen_steps(backward):
    steps = backward.path.iloc[1:14]
    assert steps["change"].tolist() == [f"- {name}" for name in PUBLISHED_PATH]
    np.testing.assert_allclose(steps["tq2"], list(PUBLISHED_PATH.values()), atol=1.01e-6)


def test_the_rule_of_largest_q2_takes_another_path(alloys):
    X = np.column_stack(list(alloys.mixing.values()))
    path = BackwardElimination("q2").select(X, alloys.y, list(alloys.mixing), fit_intercept=False).path
    assert path["change"].iloc[1:14].tolist() != [f"- {name}" for name in PUBLISHED_PATH]


def test_eleven_term_model(backward):
    (model,) = backward.of_size(11)
    check(model, rmse=0.057694, r2=0.994881, q2=0.993468, aic=-261.866235)
    printed = {
        "x": 2.32743, "x2": 1.03019, "a(x6+x7)": -0.01908, "x*x2": -1.04617, "x*x7": -0.04615,
        "x*a(x6+x7)": 0.05472, "w": -4.43070, "w*x2": -0.19333, "w*x3": 0.31804,
        "w*x7": 0.62687, "w*a(x6)": 0.46706,
    }  # fmt: skip
    assert set(model.terms) == set(printed)
    for name, value in zip(model.terms, model.coefficients, strict=True):
        assert value == pytest.approx(printed[name], abs=1.01e-5)


def test_published_formula(alloys):
    a = alloys
    w = a.x * (1 - a.x)
    average = (1 - a.x) * a.MA + a.x * a.MB
    bracket = np.column_stack([a.one, a.ZA, a.MBA, np.abs(a.MA + a.MAB)])
    printed = average + w * (bracket @ [-4.03, 0.28, 0.62, 0.20])
    assert np.sqrt(np.mean((a.y - printed) ** 2)) == pytest.approx(0.0734, abs=5e-5)
    refit = fit_least_squares(w[:, None] * bracket, a.y - average)
    np.testing.assert_allclose(refit.coefficients, [-3.834, 0.281, 0.610, 0.160], atol=5.1e-4)
    assert refit.scores.rmse == pytest.approx(0.0685, abs=5e-5)
    assert 1 - refit.press / np.sum((a.y - a.y.mean()) ** 2) == pytest.approx(0.99203, abs=5e-6)
    free = np.column_stack([(1 - a.x) * a.MA, a.x * a.MB, w[:, None] * bracket])
    refit = fit_least_squares(free, a.y)
    np.testing.assert_allclose(refit.coefficients, [0.976, 1.025, -3.996, 0.282, 0.617, 0.182], atol=5.1e-4)
    check(refit.scores, rmse=0.0638, q2=0.99293)
