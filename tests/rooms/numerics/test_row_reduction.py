"""Row reduction in floating point and modulo primes, against rational elimination."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sozai.contracts.errors import InputError
from sozai.numerics.modular_elimination import (
    combine_residues,
    eliminate_modulo,
    inverse_modulo,
    multiply_modulo,
    random_primes,
    rational_from_residue,
    residues_of,
    residues_of_fractions,
)
from sozai.numerics.row_reduction import row_reduce
from sozai.numerics.unit_columns import unit_singular_values

PRIME = 2147483647


def greedy_basis(matrix):
    """Columns not in the span of earlier ones, by elimination with fractions."""
    rows = []  # (pivot place, reduced vector)
    basis = []
    for k, column in enumerate(np.asarray(matrix).T):
        left = [Fraction(int(v)) for v in column]
        for place, vector in rows:
            factor = left[place] / vector[place]
            left = [a - factor * b for a, b in zip(left, vector, strict=True)]
        nonzero = [i for i, v in enumerate(left) if v != 0]
        if nonzero:
            rows.append((nonzero[0], left))
            basis.append(k)
    return basis


@st.composite
def integer_tables(draw):
    seed = draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    m, r, n = int(rng.integers(1, 9)), int(rng.integers(0, 5)), int(rng.integers(1, 12))
    return rng.integers(-3, 4, size=(m, r)) @ rng.integers(-3, 4, size=(r, n))


@given(integer_tables())
def test_every_method_finds_the_rational_basis(x):
    basis = greedy_basis(x)
    assert row_reduce(x).basis.tolist() == basis
    assert row_reduce(x, method="rref", tolerance=1e-9, pivot_tolerance=1e-9).rank == len(basis)
    assert eliminate_modulo(residues_of(x.T, PRIME), PRIME).basis.tolist() == basis


@given(integer_tables())
def test_dependents_are_rebuilt_from_the_basis(x):
    for reduction in (row_reduce(x), row_reduce(x, method="rref", tolerance=1e-9, pivot_tolerance=1e-9)):
        rebuilt = x[:, reduction.basis] @ reduction.coefficients()
        assert np.abs(rebuilt - x[:, reduction.dependents]).max(initial=0) < 1e-9 * max(1, np.abs(x).max())
        assert sorted(reduction.order.tolist()) == list(range(x.shape[1]))


def test_modular_coefficients_solve_the_relation():
    x = np.array([[1, 2, 7], [1, 3, 9], [1, 5, 13]])  # third = 3 first + 2 second
    reduction = eliminate_modulo(residues_of(x.T, PRIME), PRIME)
    assert reduction.coefficients().tolist() == [[3], [2]]


def test_basis_across_blocks_is_the_unblocked_one():
    rng = np.random.default_rng(4)
    base = rng.normal(size=(30, 20))
    kept = np.sort(rng.choice(1500, size=20, replace=False))
    x = np.empty((30, 1500))
    for k in range(1500):
        known = np.searchsorted(kept, k, side="right")
        x[:, k] = (
            base[:, known - 1] if k in kept else base[:, :known] @ rng.normal(size=known) if known else 0.0
        )
    reduction = row_reduce(x)
    assert reduction.basis.tolist() == kept.tolist()
    assert reduction.residuals[reduction.dependents].max() < 1e-13


def test_full_space_makes_the_rest_dependent_without_looking():
    x = np.random.default_rng(0).normal(size=(4, 900))
    reduction = row_reduce(x)
    assert reduction.basis.tolist() == [0, 1, 2, 3]
    assert (reduction.residuals[4:] == 0).all()
    assert np.allclose(x[:, :4] @ reduction.coefficients(), x[:, 4:], atol=1e-11)


def test_order_of_preference_decides_who_stays():
    a, b = np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 1.0])
    x = np.column_stack([a, b, a + b])
    assert row_reduce(x, order=[2, 1, 0]).basis.tolist() == [2, 1]


def test_weak_pivot_shifts_a_later_column_forward_and_keeps_the_order():
    x = np.array([[1.0, 1.0, 0.0, 2.0], [0.0, 1e-6, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    reduction = row_reduce(x, method="rref")
    assert reduction.order.tolist() == [0, 2, 3, 1]  # column 1 is weak: 2 and 3 pass it
    assert reduction.rank == 3


def test_reduced_matrix_is_identity_beside_coefficients():
    x = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 3.0], [0.0, 0.0, 0.0]])
    for method in ("qr", "rref"):
        reduced = row_reduce(x, method=method).reduced
        assert np.allclose(reduced, [[1, 0, 2 / np.sqrt(13)], [0, 1, 3 / np.sqrt(13)]], atol=1e-14)


@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_extreme_scales(scale):
    a, b = np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 1.0])
    reduction = row_reduce(np.column_stack([a, b * scale, (a + b) / scale]))
    assert reduction.basis.tolist() == [0, 1]
    assert np.allclose(reduction.coefficients()[0, 0] * scale, 1.0, rtol=1e-12)


def test_column_beyond_overflow_is_named():
    with pytest.raises(InputError, match=r"Got 1\.7e\+308 in column 1\."):
        row_reduce(np.array([[1.0, 1.7e308], [2.0, 1.7e308]]))


def test_zero_column_is_dependent_with_zero_coefficients():
    reduction = row_reduce(np.array([[0.0, 1.0], [0.0, 2.0]]))
    assert reduction.basis.tolist() == [1]
    assert reduction.coefficients().tolist() == [[0.0]]


def test_rounding_floor_grows_with_the_conditioning_of_the_basis():
    t = np.linspace(0, 1, 40)
    good = row_reduce(np.column_stack([np.ones(40), t, t + 1]))
    poor = row_reduce(np.column_stack([np.ones(40), 1 + 1e-7 * t, t + 1]))
    assert good.floors[2] < 1e-13
    assert 1e-10 < poor.floors[2] < 1e-6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tolerance": 0.0}, r"tolerance must be positive\. Got 0\.0\."),
        (
            {"method": "rref", "tolerance": 1e-5, "pivot_tolerance": 1e-3},
            r"the second not above the first\. Got \(1e-05, 0\.001\)\.",
        ),
        ({"method": "svd"}, r"method must be 'qr' or 'rref'\. Got 'svd'\."),
        ({"order": [0, 0]}, r"order must hold every column 0 to 1 once\. Got \[0, 0\]\."),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(InputError, match=message):
        row_reduce(np.eye(2), **options)


def test_nan_is_named():
    with pytest.raises(InputError, match=r"contains NaN .* first at row 1, column 0"):
        row_reduce(np.array([[1.0], [np.nan]]))


def test_repr_tells_the_sizes():
    assert repr(row_reduce(np.eye(3)[:2])) == "RowReduction(method='qr', rank=2, n_samples=2, n_columns=3)"


@pytest.mark.parametrize(("m", "n"), [(5, 3), (12, 700)])
def test_singular_values_to_rounding(m, n):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(m, 3)) @ rng.normal(size=(3, n)) + 1e-11 * rng.normal(size=(m, n))
    x *= 10.0 ** rng.integers(-3, 4, size=n)
    expected = np.linalg.svd(x / np.linalg.norm(x, axis=0), compute_uv=False)
    assert np.abs(unit_singular_values(x) - expected).max() < 3e-15 * expected[0]


# --- modular arithmetic ------------------------------------------------------------


def test_random_primes_are_prime_and_differ():
    primes = random_primes(5, np.random.default_rng(3))
    assert len(set(primes)) == 5
    for p in primes:
        assert 2**30 < p < 2**31
        assert all(p % q for q in range(3, int(p**0.5) + 1, 2))


@given(st.integers(-20000, 20000), st.integers(1, 20000))
def test_rational_reconstruction_returns_the_fraction(numerator, denominator):
    residue = numerator * pow(denominator, -1, PRIME) % PRIME
    assert rational_from_residue(residue, PRIME) == Fraction(numerator, denominator)


@given(st.integers(0, 2147483646 * 1000000006))
def test_chinese_remainder(value):
    primes = [2147483647, 1000000007]
    assert combine_residues([value % p for p in primes], primes) == (value, primes[0] * primes[1])


def test_fraction_too_long_for_the_modulus_is_not_invented():
    assert rational_from_residue(5000 * pow(7001, -1, 10007) % 10007, 10007) != Fraction(5000, 7001)


def test_decimals_are_read_as_written():
    assert residues_of(np.array([[0.1, 2.2604]]), 10007).tolist() == [
        [pow(10, -1, 10007), 22604 * pow(10000, -1, 10007) % 10007]
    ]
    assert residues_of_fractions([Fraction(1, 3), -1], 7).tolist() == [5, 6]


def test_denominator_divided_by_the_prime_is_an_error():
    with pytest.raises(
        InputError, match=r"denominators that the prime 5 does not divide\. Got Fraction\(1, 10\)"
    ):
        residues_of([0.1], 5)


def test_inverse_and_product_modulo():
    x = np.array([1, 2, 3, PRIME - 1], dtype=np.uint64)
    assert (x.astype(object) * inverse_modulo(x, PRIME).astype(object) % PRIME).tolist() == [1, 1, 1, 1]
    a = np.full((1, 9), PRIME - 1, dtype=np.uint64)
    assert multiply_modulo(a, a.T, PRIME).tolist() == [[9]]  # (-1)^2 nine times, no overflow


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_singular_values_of_a_wide_table_with_directions_no_column_has(rank):
    rng = np.random.default_rng(rank)
    x = rng.integers(-3, 4, (6, rank)) @ rng.integers(-3, 4, (rank, 15)) * 1.0
    x[3:] = 0.0
    norms = np.linalg.norm(x, axis=0)
    expected = np.linalg.svd(x / np.where(norms > 0, norms, 1.0), compute_uv=False)
    found = unit_singular_values(x)
    assert np.abs(found - expected).max() <= 1e-14 * max(expected[0], 1.0)
