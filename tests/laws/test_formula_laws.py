"""Laws of formulas: any text is read or refused, both paths agree, and nobody's company matters."""

# ruff: noqa: RUF001 - full-width characters and dashes are what is tested

from __future__ import annotations

import contextlib
import time
import warnings

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sozai.composition import composition_rows, formula
from sozai.composition.composition_rows import Options, read_entries
from sozai.composition.formula import parse_formula, parse_formulas
from sozai.composition.symbols import ELEMENTS
from sozai.contracts.errors import FormulaWarning, InputError

PIECES = [
    *("Fe", "O", "H", "Na", "N", "Co", "C", "La", "D", "T", "X", "Xx", "Va", "e", "o", "x", "δ", "□"),
    *("0", "1", "2", "5", "10", "007", ".5", "1.5", "0.25", "3.", "12345678901234567", ".", ".."),
    *("(", ")", "[", "]", "{", "}", "·", "*", "+", "-", "^", "%", "/", ",", " ", "\t", "_", "'", ":"),
    *("H2O", "D2O", "NH3", "CO2", "HCl", "C2H5OH", ".5H2O", "1.5H2O", "·5H2O", "(OH)2", "^{2-}", "NaN"),
    *("₂", "²⁻", "Ｆ", "．", "（", "\u00a0", "\u200b", "\ufeff", "−", "鉄", "\n", "\0", "\ud800"),
]
MESSY = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
AMOUNTS = st.one_of(
    st.just(""),
    st.integers(1, 40).map(str),
    st.decimals("0.01", "30", places=2).map(str),
    st.decimals("0.000001", "1000", places=6).map(str),
)
SYMBOL = st.sampled_from(ELEMENTS)
UNITS = st.tuples(SYMBOL, AMOUNTS).map("".join)
GROUPS = st.recursive(
    st.lists(UNITS, min_size=1, max_size=4).map("".join),
    lambda inner: st.one_of(
        st.tuples(st.just("("), inner, st.just(")"), AMOUNTS).map("".join),
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, st.just("·"), AMOUNTS, inner).map("".join),
    ),
    max_leaves=6,
)


def _both_paths(texts):
    """Entries by the scan where it can, and by the grammar alone."""
    few = composition_rows._FEW
    try:
        composition_rows._FEW = 0
        fast = read_entries(list(texts), options=Options())
        composition_rows._FEW = 10**9
        careful = read_entries(list(texts), options=Options())
    finally:
        composition_rows._FEW = few
    return fast, careful


def _same_entries(fast, careful):
    for name in ("indptr", "codes", "amounts"):
        assert getattr(fast, name).tolist() == getattr(careful, name).tolist()
    np.testing.assert_array_equal(fast.charge, careful.charge)

    def by_row(entries):
        return sorted(entries.issues, key=lambda issue: (issue.row, issue.code))

    assert by_row(fast) == by_row(careful)


@settings(deadline=None, max_examples=400)
@given(st.lists(MESSY, min_size=1, max_size=8))
def test_any_text_is_read_or_refused_and_both_paths_agree(texts):
    _same_entries(*_both_paths(texts))


@settings(deadline=None, max_examples=150)
@given(st.lists(GROUPS, min_size=1, max_size=6))
def test_plain_formulas_give_the_same_bits_on_both_paths(texts):
    fast, careful = _both_paths(texts)
    _same_entries(fast, careful)


@settings(deadline=None, max_examples=200)
@given(MESSY)
def test_one_formula_is_the_row_of_a_column(text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormulaWarning)
        parsed = parse_formulas([text], on_error="nan")
        if parsed.refused[0]:
            assert np.isnan(parsed.dense()).all()
            with pytest.raises(InputError, match=r"^parse_formula: formula must "):
                parse_formula(text)
            return
        one = parse_formula(text)
    assert parsed.n_atoms[0] == one.n_atoms
    assert parsed.charge[0] == one.charge
    shares = dict(zip([ELEMENTS[j] for j in parsed.fractions.indices], parsed.fractions.data, strict=True))
    assert shares == one.fractions
    assert abs(sum(shares.values()) - 1.0) <= 1e-15 * len(shares)
    assert parsed.keys()[0] == one.reduced_formula
    assert parsed.chemical_systems()[0] == one.chemical_system


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60))
def test_no_text_ends_otherwise_than_in_a_composition_or_an_input_error(text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormulaWarning)
        try:
            found = parse_formula(text, values={"x": 0.25, "δ": 0.125})
        except InputError:
            return
    assert found.n_atoms > 0


@settings(deadline=None, max_examples=100)
@given(MESSY)
def test_values_change_nothing_about_a_formula_that_is_read_without(text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormulaWarning)
        try:
            plain = parse_formula(text)
        except InputError:
            return
        assert parse_formula(text, values={"x": 0.5}) == plain


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(SYMBOL, st.integers(1, 60), min_size=1, max_size=5),
    st.integers(1, 12),
    st.randoms(use_true_random=False),
)
def test_order_and_multiples_do_not_change_the_fractions_or_the_key(amounts, factor, random):
    pairs = list(amounts.items())
    random.shuffle(pairs)
    first = "".join(f"{name}{count}" for name, count in amounts.items())
    shuffled = "".join(f"{name}{count * factor}" for name, count in pairs)
    divided = "".join(f"{name}{count / sum(amounts.values()):.12f}" for name, count in pairs)
    parsed = parse_formulas([f"{first} ", f"{shuffled} ", f"{divided} "])
    np.testing.assert_allclose(parsed.dense()[1:], parsed.dense()[[0, 0]], rtol=0, atol=1e-9)
    assert len(set(parsed.keys())) == 1
    again = parse_formula(parsed.keys()[0])
    assert again.reduced_formula == parsed.keys()[0]
    np.testing.assert_allclose(
        [again.fractions[name] for name in amounts],
        [count / sum(amounts.values()) for count in amounts.values()],
        rtol=1e-12,
    )


@settings(deadline=None, max_examples=40)
@given(st.lists(GROUPS, min_size=1, max_size=5))
def test_keys_of_many_rows_are_those_of_one(texts):
    many = parse_formulas(texts * 101)
    assert many.keys().tolist() == [parse_formula(text).reduced_formula for text in texts] * 101
    assert many.chemical_systems().tolist() == [parse_formula(text).chemical_system for text in texts] * 101


@settings(deadline=None, max_examples=60)
@given(st.lists(MESSY, min_size=2, max_size=12), st.randoms(use_true_random=False))
def test_a_row_does_not_depend_on_its_company(texts, random):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormulaWarning)
        together = parse_formulas(texts, on_error="nan")
        order = list(range(len(texts)))
        random.shuffle(order)
        shuffled = parse_formulas([texts[k] for k in order], on_error="nan")
    np.testing.assert_array_equal(shuffled.dense(), together.dense()[order])
    np.testing.assert_array_equal(shuffled.n_atoms, together.n_atoms[order])
    assert shuffled.keys().tolist() == together.keys()[order].tolist()


def _column(n):
    rng = np.random.default_rng(0)
    names = np.array(ELEMENTS)
    plain = ["".join(f"{s}{k}" for s, k in zip(rng.choice(names, 3), rng.integers(1, 9, 3), strict=True))
             for _ in range(n)]  # fmt: skip
    odd = [
        "CuSO4.5H2O",
        "Fe₂O₃",
        "SO4^{2-}",
        "Xx",
        "NaN",
        "{'Fe': 2, 'O': 3}",
        "K4[Fe(CN)6]",
        "",
        "LaO.5",
        "Fe1.5H2O",
    ]
    plain[:: n // 20] = (odd * 2)[: len(plain[:: n // 20])]
    return plain


@pytest.mark.parametrize(
    ("n_jobs", "backend"), [(1, "threading"), (2, "threading"), (4, "threading"), (2, "loky")]
)
def test_chunks_and_workers_leave_every_bit(n_jobs, backend, monkeypatch):
    texts = _column(1_000)
    whole = parse_formulas(texts, on_error="nan")
    monkeypatch.setattr(formula, "CHUNK", 310)
    with joblib.parallel_config(backend=backend):
        parts = parse_formulas(texts, on_error="nan", n_jobs=n_jobs)
    assert whole.refused.sum() > 0
    for name in ("data", "indices", "indptr"):
        assert getattr(parts.fractions, name).tobytes() == getattr(whole.fractions, name).tobytes()
    assert parts.n_atoms.tobytes() == whole.n_atoms.tobytes()
    assert parts.charge.tobytes() == whole.charge.tobytes()
    assert parts.issues.equals(whole.issues)


HARD = {
    "brackets": "(" * 4000,
    "pairs of brackets": "()" * 2000,
    "closed brackets": "(" * 60 + "Fe" + ")9" * 60 + "(Fe)" * 900,
    "digits": "Fe" + "1" * 4000,
    "dots": "Fe" + "." * 4000,
    "hydrate dots": "FeO4" + ".5H2O" * 800,
    "half hydrates": "FeO4" + ".5H2" * 900,
    "signs": "Fe" + "+" * 4000 + "x",
    "signs and digits": "Fe" + "1+" * 2000,
    "small letters": "fe" * 100 + "q",
    "many small letters": "o" * 4000,
    "underscores": "Fe_{" * 1000,
    "carets": "Fe^" * 1300,
    "variables": "Fe" + "x+" * 2000 + "x",
    "amounts in brackets": "Fe" + "(" * 2000 + "x" + ")" * 2000,
    "open expressions": "Fe(1" * 1000,
    "spaces": "Fe" + " " * 4000 + "O",
    "spaces behind": "Fe" + " " * 4000 + "?",
    "elements": "FeCo" * 1000,
    "dictionary": "{" + "'Fe': 1, " * 400,
    "products": "Fe" + "9x" * 1500,
    "subscripts": "Fe₂" * 1300,
    "too long": "Fe" * 10**6,
}


@pytest.mark.parametrize("text", HARD.values(), ids=HARD.keys())
def test_hard_texts_take_no_time(text):
    start = time.perf_counter()
    for values in (None, {"x": 0.5}):
        with contextlib.suppress(InputError):
            parse_formula(text, values=values)
    assert time.perf_counter() - start < 0.5
    message = parse_formulas([text], on_error="nan").issues["message"]
    assert all(len(said) < 600 for said in message)
