"""Finding relations: what is reported, for how long it holds, and what is refused."""

import warnings
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import ConvergenceWarning, InputError
from sozai.symbolic.generation import generate
from sozai.symbolic.independence import IndependentDescriptors, find_relations
from sozai.symbolic.operations import Expressions, parse_into


def generated(names, formulas, X):
    """Columns typed as formulas, in the shape that ``generate`` returns."""
    store = Expressions(names)
    ids = np.array([parse_into(store, text) for text in formulas])
    return SimpleNamespace(
        expressions=store,
        ids=ids,
        values=np.asfortranarray(store.evaluate(ids, X)),
        names=tuple(formulas),
        complexity=np.asarray(store.complexity)[ids],
    )


def relate(formulas, *, n=40, low=0.5, high=2.0, names=("a", "b"), **options):
    X = np.random.default_rng(7).uniform(low, high, size=(n, len(names))).round(3)
    return find_relations(X, generated=generated(list(names), formulas, X), **options)


@pytest.mark.parametrize("method", ["qr", "rref", "exact"])
def test_identity_and_coincidence(method):
    X = np.column_stack([np.linspace(0.5, 2, 9).round(3), np.full(9, 2.26)])
    table = find_relations(
        X, generated=generated(["a", "b"], ["1", "a", "b", "a+b", "abs(a)"], X), method=method
    )
    found = {r.dependent: (r.basis, r.coefficients, r.kind, r.holds) for r in table.relations}
    assert found["b"] == (("1",), (2.26,), "exact", "in this sample")
    assert found["abs(a)"] == (("a",), (1.0,), "exact", "always")
    assert found["a+b"][3] == "in this sample"  # joins the identity a+b and the coincidence b = 2.26
    assert (table.rank, table.n_relations, table.generic_rank, table.n_identities) == (2, 3, 3, 2)
    assert {r.dependent: (r.basis, r.fractions) for r in table.identities} == {
        "abs(a)": (("a",), (Fraction(1),)),
        "a+b": (("a", "b"), (Fraction(1), Fraction(1))),
    }


def test_exact_coefficients_are_fractions():
    table = relate(["1", "a", "b", "(a - b/7)*3"], method="exact")
    relation = table.relation("(a - b/7)*3")
    assert relation.fractions == (Fraction(3), Fraction(-3, 7))
    assert relation.coefficients == (3.0, -3 / 7)


def test_sign_of_a_magnitude_is_decided_by_the_domain():
    formulas = ["1", "a", "b", "abs(a-b)"]
    assert relate(formulas).n_relations == 0
    store_like = relate(formulas, domain={"a": (3, 4), "b": (1, 2)})
    assert store_like.n_identities == 1


def test_relation_seen_in_the_sample_breaks_on_a_wider_domain():
    X = np.random.default_rng(1).uniform(1, 2, size=(20, 1)).round(4)
    columns = generated(["a"], ["1", "a", "abs(a)"], X)
    assert find_relations(X, generated=columns).relations[0].holds == "always"
    assert find_relations(X, generated=columns, domain={"a": (-1, 2)}).relations[0].holds == "in this sample"


@pytest.mark.parametrize(
    "formulas",
    [
        ["exp(a+b)", "exp(a)*exp(b)"],
        ["exp(a-b)", "exp(a)/exp(b)"],
        ["exp(a)*exp_neg(a)", "1"],
        ["log(a)", "log(b)", "log(a*b)"],
        ["log(a)", "log(b)", "log(a/b)"],
        ["log(a)", "log(sqrt(a))"],
        ["sqrt(a*b)", "sqrt(a)*sqrt(b)"],
        ["a", "sqrt(a)*sqrt(a)"],
        ["a", "cbrt(a)*cbrt(a)*cbrt(a)"],
        ["exp(2*a)", "exp(a)*exp(a)"],
    ],
)
def test_identities_of_functions(formulas):
    assert relate(formulas).n_identities == 1


@pytest.mark.parametrize(
    "formulas", [["exp(a)", "exp(b)"], ["sqrt(a)", "a"], ["log(a+b)", "log(a)", "log(b)"]]
)
def test_functions_that_are_no_combinations(formulas):
    assert relate(formulas).n_identities == 0


def test_identity_beyond_the_rules_is_found_numerically():
    table = relate(["1", "sqrt((a+b)**2)", "a", "b"])
    assert table.n_relations == 1
    assert table.relations[0].holds in ("always", "numerically always")


def test_exact_falls_back_for_functions_and_says_so():
    table = relate(["1", "a", "exp(a)", "2*exp(a)"], method="exact")
    assert table.method == "qr"
    assert "columns hold roots, exponentials or logarithms" in table.notes[0]


def test_undecidable_is_decided_by_exact_arithmetic():
    X = np.random.default_rng(2).uniform(1, 4, size=(60, 1)).round(4)
    columns = generated(["a"], ["1", *(f"a**{k}" for k in range(-13, 0)), "a**(-1) + a**(-13)"], X)
    with pytest.warns(
        ConvergenceWarning, match=r"rank is not well defined between \d+ and \d+: singular values"
    ):
        table = find_relations(X, generated=columns, prefer="input")
    assert "decided without rounding" in table.notes[0]
    assert "undecidable" not in set(table.kinds)
    exact = find_relations(X, generated=columns, prefer="input", method="exact")
    assert (exact.rank, [r.dependent for r in exact.relations]) == (14, ["a**(-1) + a**(-13)"])
    assert exact.relations[0].holds == "always"
    assert (exact.kinds[exact.basis] == "near").any()


def test_rank_without_a_gap_is_a_warning_with_the_numbers():
    X = np.eye(6)[:, :1] + np.eye(6)[:, :3] * [0, 3e-10, 1e-11]
    values = r"singular values 2 and 3 are \d\.\d\de-10 and \d\.\d\de-12, a gap of \d\d\.\d"
    message = rf"not well defined between 2 and 3: {values}"
    with pytest.warns(ConvergenceWarning, match=message):
        assert find_relations(X).rank == 2


def test_undecidable_without_expressions_warns_with_the_count():
    # a basis of powers so close that double precision cannot follow
    rng = np.random.default_rng(2)
    s = rng.uniform(1, 4, size=60)
    X = np.column_stack([s**-k for k in range(14)])
    with pytest.warns(ConvergenceWarning) as record:
        table = find_relations(X)
    assert any("double precision cannot decide" in str(w.message) for w in record)
    assert (table.kinds == "undecidable").sum() == table.n_relations > 0


def test_near_relation_is_reported_and_removed_on_demand():
    rng = np.random.default_rng(3)
    X = pd.DataFrame({"a": rng.normal(size=50), "b": rng.normal(size=50)})
    X["c"] = X["a"] + X["b"] + 1e-5 * rng.normal(size=50)
    table = find_relations(X)
    assert table.n_relations == 0
    (near,) = table.near_relations
    assert near.dependent == "c"
    assert near.kind == "near"
    assert near.coefficients == pytest.approx((1.0, 1.0), abs=1e-4)
    assert 1e-6 < near.relative_residual < 1e-4
    assert "≈" in near.equation
    removed = find_relations(X, remove_near=True)
    assert removed.basis_names == ("a", "b")
    assert removed.relations[0].kind == "near"


def test_coefficients_are_in_original_units_and_snapped():
    x = np.random.default_rng(0).normal(size=20)
    X = pd.DataFrame({"one": 1.0, "x": 1e6 * x, "y": (x / 3 - 0.25) * 1e-6})
    relation = find_relations(X).relations[0]
    assert relation.basis == ("one", "x")
    assert relation.coefficients == pytest.approx((-0.25e-6, 1e-12 / 3), rel=1e-9)
    z = find_relations(pd.DataFrame({"one": 1.0, "x": x, "y": x / 3 - 0.25})).relations[0]
    assert z.coefficients == (-0.25, 1 / 3)


def test_constant_comes_first_wherever_it_stands():
    x = np.array([1.0, 2.0, 5.0])
    assert find_relations(np.column_stack([x, 2 - x, np.ones(3)])).basis.tolist() == [2, 0]


@pytest.mark.parametrize(
    ("prefer", "basis"),
    [
        (["s", "b"], ("s", "b")),
        ({"s": 2.0, "a": 1.0}, ("s", "a")),
        ([0.0, 1.0, 2.0], ("s", "b")),
        (lambda name: {"b": 0, "s": 1, "a": 2}[name], ("b", "s")),
        ("input", ("a", "b")),
    ],
)
def test_preference(prefer, basis):
    a, b = np.array([1.0, 2.0, 4.0]), np.array([3.0, 1.0, 2.0])
    assert find_relations(pd.DataFrame({"a": a, "b": b, "s": a + b}), prefer=prefer).basis_names == basis


def test_zero_column_is_a_relation_without_terms():
    relation = find_relations(pd.DataFrame({"a": [1.0, 2.0], "z": [0.0, 0.0]})).relations[0]
    assert (relation.dependent, relation.basis, relation.equation) == ("z", (), "z = 0")


def test_table_is_lazy_sequence_and_frame():
    x = np.random.default_rng(0).normal(size=(6, 3))
    table = find_relations(np.hstack([x, x @ np.ones((3, 5))]))
    assert len(table.relations) == 5
    assert [r.dependent for r in table.relations[1:3]] == ["x4", "x5"]
    assert table.relations[-1].dependent == "x7"
    with pytest.raises(IndexError, match="relation 5 of 5"):
        table.relations[5]
    frame = table.to_frame()
    assert frame["n_terms"].tolist() == [3] * 5
    assert table.to_frame(2).shape[0] == 2
    assert repr(table) == "RelationTable(8 columns, rank 3, 5 relations, method='qr')"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "svd"}, r"method must be 'qr', 'rref' or 'exact'\. Got 'svd'"),
        ({"tolerance": -1.0}, r"must be positive\. Got \(-1\.0, 0\.001\)"),
        ({"prefer": ["q"]}, r"prefer must name columns\. Got \['q'\]"),
        ({"prefer": [1.0]}, r"one finite weight per column \(2\)\. Got 'shape \(1,\)'"),
        ({"prefer": "nothing"}, r"prefer must be 'complexity', 'input', names or weights\. Got 'nothing'"),
        ({"names": ["a", "a"]}, r"column names must be unique\. Got 'a'"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(InputError, match=message):
        find_relations(np.eye(2), **options)


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        ({"q": (0, 1)}, r"domain must name columns of X\. Got \['q'\]"),
        ({"a": (2, 1)}, r"low end first\. Got \(2, 1\)"),
    ],
)
def test_bad_domain(domain, message):
    with pytest.raises(InputError, match=message):
        _ = relate(["1", "a", "abs(a)"], domain=domain).holds


def test_unknown_and_independent_names():
    table = find_relations(pd.DataFrame({"a": [1.0, 2.0], "b": [2.0, 4.0]}))
    with pytest.raises(InputError, match=r"name must be a column\. Got 'q'\. Columns are: a, b\."):
        table.relation("q")
    with pytest.raises(InputError, match=r"be a dependent column\. Got 'a'"):
        table.relation("a")


def test_exact_refuses_a_pole():
    X = np.array([[1.0], [2.0], [0.5]])
    store = Expressions(["a"])
    ids = np.array([1, parse_into(store, "1/(a - 1)")])
    columns = SimpleNamespace(
        expressions=store,
        ids=ids,
        values=np.array([[1.0, 9], [2, 1], [0.5, -2]]),
        names=("a", "p"),
        complexity=ids,
    )
    with pytest.raises(InputError, match=r"a denominator that is exactly 0 \(refused by 9 primes\)"):
        find_relations(X, generated=columns, method="exact")


# --- the transformer ---------------------------------------------------------------


@pytest.fixture
def frame():
    rng = np.random.default_rng(5)
    X = pd.DataFrame({"a": rng.normal(size=12), "b": rng.normal(size=12)}, index=[f"s{i}" for i in range(12)])
    return X.assign(c=X["a"] - 2 * X["b"], d=4.0)


def test_transformer_keeps_names_and_index(frame):
    selector = IndependentDescriptors().set_output(transform="pandas").fit(frame)
    result = selector.transform(frame)
    assert result.columns.tolist() == ["a", "b", "d"]
    assert result.index.tolist() == frame.index.tolist()
    assert selector.get_feature_names_out().tolist() == ["a", "b", "d"]
    assert selector.rank_ == 3
    assert selector.rank_report_["n_relations"] == 1
    assert selector.rank_report_["last_singular_value"] > 1e6 * selector.rank_report_["next_singular_value"]
    assert [str(s) for s in selector.subspaces_] == ["[c, [a, b]]"]


def test_transformer_counts_the_intercept_on_demand(frame):
    selector = IndependentDescriptors(with_constant=True, prefer=["c", "b"]).fit(frame)
    assert selector.get_feature_names_out().tolist() == ["b", "c"]
    assert selector.relations_.relation("d").basis == ("1",)


def test_transformer_finds_columns_by_name(frame):
    selector = IndependentDescriptors().fit(frame)
    shuffled = selector.transform(frame[["d", "c", "b", "a"]])
    assert np.array_equal(shuffled, frame[["a", "b", "d"]].to_numpy())
    with pytest.raises(InputError, match="missing: d"):
        selector.transform(frame[["a", "b", "c"]])
    with pytest.raises(
        ValueError, match="input_features is not equal to feature_names_in_ or has not 4 entries"
    ):
        selector.get_feature_names_out(["a"])


def test_transformer_names_nan(frame):
    frame.iloc[3, 1] = np.nan
    with pytest.raises(InputError, match=r"contains NaN .* first at row 3, column 'b'"):
        IndependentDescriptors().fit(frame)


def test_relate_uses_the_options_of_the_object():
    X = np.array([[1.0], [2.0], [4.0]])
    table = IndependentDescriptors(method="exact").relate(X, generated(["a"], ["1", "a", "2*a"], X))
    assert table.method == "exact"
    assert table.relation("2*a").holds == "always"


def test_good_approximations_are_no_identities():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.uniform(1, 2, (40, 2)).round(4), columns=["x", "y"])
    made = generate(
        X,
        operations=["log", "exp", "sqrt", "square", "exp_neg"],
        pair_operations=["product", "ratio"],
        order=2,
        keep_constant=True,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        relations = {relation.dependent: relation for relation in find_relations(X, generated=made).relations}
    assert str(relations["sqrt(x)**2"]) == "sqrt(x)**2 = x  (exact, always)"
    assert relations["x*sqrt(x)"].holds == "in this sample"
    assert not any(relation.holds == "numerically always" for relation in relations.values())
