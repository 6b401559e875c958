"""Laws of summary statistics: same material, same numbers; order, units, chunks and threads do not matter."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from sozai.composition.elements import ComponentTable, as_table
from sozai.composition.statistics import Quantile, SummaryStatistics

EVERY = ("mean", "var", "std", "max", "min", "range", "average_deviation", "mode", Quantile(0.3))
SYMBOLS = ["Fe", "O", "Na", "Cl", "Ti"]
AMOUNTS = st.lists(st.integers(0, 9), min_size=5, max_size=5).filter(any)


def fractions(amounts):
    return np.array([amounts], dtype=float) / sum(amounts)


def table(rows=SYMBOLS):
    return as_table().subset(rows, ["atomic_weight", "en_pauling", "boiling_point"])


@given(AMOUNTS, st.integers(2, 7))
def test_the_same_material_has_the_same_statistics(amounts, factor):
    text = "".join(f"{symbol}{n}" for symbol, n in zip(SYMBOLS, amounts, strict=True) if n)
    more = "".join(
        f"{symbol}{factor * n}" for symbol, n in reversed(list(zip(SYMBOLS, amounts, strict=True))) if n
    )
    statistics = SummaryStatistics(table(), EVERY).fit()
    np.testing.assert_allclose(*statistics.transform([text, more]), rtol=1e-12, atol=1e-12)
    total = SummaryStatistics(table(), ("sum",)).fit().transform([text, more])
    np.testing.assert_allclose(factor * total[0], total[1], rtol=1e-12)


@given(AMOUNTS, st.permutations(range(5)))
def test_the_order_of_components_does_not_matter(amounts, order):
    W = fractions(amounts)
    straight = SummaryStatistics(table(), EVERY).fit().transform(W)
    turned = SummaryStatistics(table([SYMBOLS[i] for i in order]), EVERY).fit().transform(W[:, list(order)])
    np.testing.assert_allclose(straight, turned, rtol=1e-12, atol=1e-10)


@given(AMOUNTS, st.floats(-1e3, 1e3), st.floats(0.1, 10))
def test_a_change_of_unit_moves_and_stretches(amounts, shift, factor):
    W, given_table = fractions(amounts), table()
    moved = ComponentTable(shift + factor * given_table.values, SYMBOLS, given_table.features)
    for statistic, offset, power in [
        ("mean", shift, 1),
        ("max", shift, 1),
        ("std", 0, 1),
        ("var", 0, 2),
        ("range", 0, 1),
    ]:
        before = SummaryStatistics(given_table, (statistic,)).fit().transform(W)
        after = SummaryStatistics(moved, (statistic,)).fit().transform(W)
        np.testing.assert_allclose(after, offset + factor**power * before, rtol=1e-9, atol=1e-7)


@given(AMOUNTS)
def test_statistics_stand_in_their_order(amounts):
    wanted = ("min", "mean", "max", "average_deviation", "std", "geometric_mean")
    low, mean, high, away, std, geometric = np.split(
        SummaryStatistics(table(), wanted).fit().transform(fractions(amounts))[0], 6
    )
    slack = 1e-12 * np.abs(high)
    assert (low <= geometric + slack).all()
    assert (geometric <= mean + slack).all()
    assert (mean <= high + slack).all()
    assert (away <= std + slack).all()


@pytest.mark.parametrize("n_jobs", [2, 4])
def test_threads_and_chunks_give_the_same_bits(n_jobs):
    rng = np.random.default_rng(0)
    W = sp.random_array((20_000, 103), density=0.03, rng=rng, format="csr")
    W = sp.csr_array(W[np.diff(W.indptr) > 0])
    W.data /= np.repeat(W.sum(axis=1), np.diff(W.indptr))
    n_atoms = rng.integers(1, 40, W.shape[0])
    alone = SummaryStatistics(n_jobs=1).fit()
    whole = alone.transform(W, n_atoms=n_atoms)
    shared = SummaryStatistics(n_jobs=n_jobs).fit().transform(W, n_atoms=n_atoms)
    np.testing.assert_array_equal(whole, shared)
    pieces = [
        alone.transform(W[a : a + 777], n_atoms=n_atoms[a : a + 777]) for a in range(0, W.shape[0], 777)
    ]
    np.testing.assert_array_equal(whole, np.vstack(pieces))
