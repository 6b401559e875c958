"""What must hold for invariants of any table."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sozai.symbolic.invariants import find_invariants

FEW = settings(max_examples=12, deadline=None)
SEEDS = st.integers(0, 10_000)


def planted(seed, form="power"):
    """Three free columns, one that is tied to two of them, in any order."""
    rng = np.random.default_rng(seed)
    a, b, c = rng.uniform(1, 5, (3, 24))
    tied = (3 * a**2 / b if form == "power" else 7 - 2 * a + b) * (1 + 0.002 * rng.normal(size=24))
    return pd.DataFrame({"a": a, "b": b, "c": c, "d": tied})


def as_ratios(law):
    """Exponents by name, relative to that of a."""
    exponents = dict(zip(law.names, law.exponents, strict=True))
    return {name: exponent / exponents["a"] for name, exponent in exponents.items()}


@FEW
@given(SEEDS, st.lists(st.floats(1e-3, 1e3), min_size=4, max_size=4))
def test_units_of_the_columns_change_the_constant_only(seed, factors):
    table = planted(seed)
    before, after = find_invariants(table)[0], find_invariants(table * factors)[0]
    assert before.exponents == after.exponents
    assert after.ratio == pytest.approx(before.ratio, rel=1e-6)
    assert after.spread == pytest.approx(before.spread, rel=1e-6)
    scale = {name: factor for name, factor in zip("abcd", factors, strict=True)}
    change = np.prod([scale[n] ** float(p) for n, p in zip(before.names, before.exponents, strict=True)])
    assert after.constant == pytest.approx(before.constant * change, rel=1e-9)


@FEW
@given(SEEDS, st.sampled_from([-2.0, -1.0, 0.5, 3.0]))
def test_a_power_of_a_column_divides_its_exponent(seed, power):
    table = planted(seed)
    before, after = find_invariants(table)[0], find_invariants(table.assign(d=table["d"] ** power))[0]
    assert after.ratio == pytest.approx(before.ratio, rel=1e-6)
    first, second = (dict(zip(law.names, law.free_exponents, strict=True)) for law in (before, after))
    assert second["d"] / second["a"] == pytest.approx(first["d"] / first["a"] / power, rel=1e-6)


@FEW
@given(SEEDS, st.permutations(list("abcd")))
def test_order_of_columns_and_rows_does_not_matter(seed, order):
    table = planted(seed)
    rows = np.random.default_rng(seed).permutation(len(table))
    before, after = find_invariants(table)[0], find_invariants(table[order].iloc[rows])[0]
    assert as_ratios(before) == as_ratios(after)
    assert after.ratio == pytest.approx(before.ratio, rel=1e-9)


@FEW
@given(SEEDS, st.floats(-50, 50))
def test_shifts_change_the_constant_of_a_sum_only(seed, shift):
    table = planted(seed, "linear")
    before, after = (
        find_invariants(t, "linear")[0] for t in (table, table.assign(c=1.0, a=table["a"] + shift))
    )
    assert before.exponents == after.exponents == (2, -1, 1)
    assert after.constant - before.constant == pytest.approx(2 * shift, abs=1e-9)


@FEW
@given(SEEDS)
def test_the_law_is_kept_by_every_row_it_was_found_in(seed):
    table = planted(seed)
    law = find_invariants(table)[0]
    values = law.evaluate(table)
    np.testing.assert_allclose(values / law.constant - 1, law.deviations, atol=1e-12)
    assert np.exp(np.log(values).mean()) == pytest.approx(law.constant, rel=1e-12)
    assert np.std(np.log(values)) == pytest.approx(law.spread, rel=1e-9)


def test_any_number_of_workers_gives_the_same_bits():
    import joblib

    table = pd.concat([planted(0), planted(1).add_suffix("2")], axis=1)
    with joblib.parallel_config(backend="threading"):
        frames = [find_invariants(table, n_jobs=n_jobs).to_frame() for n_jobs in (1, 2, 4)]
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0], check_exact=True)


def test_the_same_seed_gives_the_same_answer_and_the_input_stays():
    table = planted(3)
    copy = table.copy()
    first, second = (find_invariants(table, rng=5).to_frame() for _ in range(2))
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    pd.testing.assert_frame_equal(table, copy)
