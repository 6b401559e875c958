"""Made tables: the truth they promise is the truth they hold."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sozai.contracts.errors import InputError
from sozai.datasets import make_collinear, make_planted_law


def exact_rank(matrix):
    """Rank of an integer matrix by elimination with fractions."""
    rows = [[Fraction(int(value)) for value in row] for row in matrix]
    rank = 0
    for column in range(len(rows[0])):
        pivot = next((k for k in range(rank, len(rows)) if rows[k][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        for k in range(rank + 1, len(rows)):
            factor = rows[k][column] / rows[rank][column]
            rows[k] = [a - factor * b for a, b in zip(rows[k], rows[rank], strict=True)]
        rank += 1
    return rank


def test_a_planted_law_without_noise_is_the_law():
    data = make_planted_law(lambda m, v: 0.5 * m * v**2, ["m", "v"], n_samples=25, n_distractors=2, rng=1)
    frame = data.frame
    assert list(frame) == ["m", "v", "other0", "other1", "y"]
    np.testing.assert_array_equal(frame["y"], 0.5 * frame["m"] * frame["v"] ** 2)
    np.testing.assert_array_equal(frame["y"], data.truth["y"])
    assert frame[["m", "v", "other0"]].stack().between(0.5, 2).all()


def test_noise_is_a_fraction_of_the_spread():
    data = make_planted_law(lambda x: 3 * x, ["x"], n_samples=20_000, noise=0.1, rng=2)
    noise = data.frame["y"] - data.truth["y"]
    assert noise.std() == pytest.approx(0.1 * data.truth["y"].std(), rel=0.03)
    assert abs(noise.mean()) < 0.01


def test_same_seed_same_bits_and_a_range_for_each_column():
    def law(a, b):
        return a / b

    domain = {"a": (-1, 0), "b": (10, 20)}
    first = make_planted_law(law, ["a", "b"], domain=domain, noise=0.2, rng=7).frame
    again = make_planted_law(law, ["a", "b"], domain=domain, noise=0.2, rng=np.random.default_rng(7)).frame
    assert first.equals(again)
    assert first["a"].between(-1, 0).all()
    assert first["b"].between(10, 20).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_samples": 0}, ["n_samples must be at least 1", "Got 0"]),
        ({"noise": -0.5}, ["noise must be zero or a positive number", "-0.5"]),
        ({"noise": float("nan")}, ["noise", "nan"]),
        ({"domain": (2, 1)}, ["low < high for 'x'", "(2, 1)"]),
        ({"domain": {"z": (0, 1)}}, ["have a range for 'x'", "['z']"]),
    ],
)
def test_wrong_options_of_a_planted_law(options, words):
    with pytest.raises(InputError) as caught:
        make_planted_law(lambda x: x, ["x"], rng=0, **options)
    for word in words:
        assert word in str(caught.value)


def test_a_law_with_a_singularity_in_its_domain_names_the_point():
    with np.errstate(divide="ignore"), pytest.raises(InputError, match=r"Got inf at x = -?\d") as caught:
        make_planted_law(lambda x: np.where(x > 0, np.inf, x), ["x"], domain=(-1, 1), rng=0)
    assert "Choose a domain without the singularity." in str(caught.value)


@given(st.integers(1, 6), st.integers(0, 4), st.integers(0, 30), st.integers(0, 2**31))
def test_exact_relations_are_exact(n_independent, relations, extra, seed):
    data = make_collinear(n_independent + extra, n_independent, relations=relations, rng=seed)
    basis = data.frame.to_numpy()[:, :n_independent]
    np.testing.assert_array_equal(basis @ data.truth.to_numpy(), data.frame.to_numpy()[:, n_independent:])
    assert exact_rank(data.frame.to_numpy()) == n_independent


def test_near_relations_have_the_size_they_were_given():
    near = [1e-2, 1e-5, 1e-8]
    data = make_collinear(30, 4, relations=2, near=near, rng=5)
    basis = data.frame.to_numpy()[:, :4]
    residual = data.frame.to_numpy()[:, 6:] - basis @ data.truth.to_numpy()[:, 2:]
    relative = np.linalg.norm(residual, axis=0) / np.linalg.norm(data.frame.to_numpy()[:, 6:], axis=0)
    np.testing.assert_allclose(relative, near, rtol=1e-6)
    np.testing.assert_allclose(basis.T @ residual / np.linalg.norm(residual, axis=0), 0, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_samples": 5, "n_independent": 4, "near": (0.1, 0.1)}, "n_samples must be at least 6. Got 5"),
        ({"relations": -1}, "relations must be at least 0. Got -1"),
        ({"near": [1.5]}, "near must hold numbers between 0 and 1. Got 1.5"),
    ],
)
def test_wrong_options_of_a_collinear_table(options, words):
    with pytest.raises(InputError, match=words.replace(".", r"\.")):
        make_collinear(rng=0, **options)
