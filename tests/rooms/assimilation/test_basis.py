"""Bases: columns, names, degrees, and what cannot be one."""

import numpy as np
import pytest

from sozai.assimilation import (
    Basis,
    CompositionPolynomial,
    Custom,
    Fourier,
    Legendre,
    MagnetisationShape,
    Polynomial,
    Sine,
    TemperaturePolynomial,
    TensorProduct,
    parse_basis,
    reduced_magnetization,
)
from sozai.contracts.errors import InputError

UNIT = np.array([[0.0, 1.0]])
WIDE = np.array([[300.0, 900.0], [-2.0, 0.5]])
RNG = np.random.default_rng(0)
X = WIDE[:, 0] + RNG.uniform(size=(50, 2)) * np.ptp(WIDE, axis=1)

TWO_COLUMNS = [
    Polynomial(3),
    Polynomial(2, "tensor"),
    Legendre(2),
    Sine(2),
    Fourier(2),
    CompositionPolynomial(2),
    TensorProduct(Polynomial(2), TemperaturePolynomial(2)),
    TensorProduct(Sine(1), MagnetisationShape([500.0, 600.0])),
    Custom(lambda X: np.stack([X[:, 0], X[:, 1] ** 2], axis=1), ["a", "b"]),
]


@pytest.mark.parametrize("basis", TWO_COLUMNS, ids=lambda basis: type(basis).__name__)
def test_every_basis_agrees_with_itself(basis):
    assert isinstance(basis, Basis)
    terms = basis.evaluate(X, WIDE)
    names, degrees = basis.feature_names(["T", "x"]), basis.degrees(2)
    assert terms.shape == (50, basis.n_terms(2))
    assert len(names) == len(set(names)) == len(degrees) == basis.n_terms(2)
    assert (terms[:, 0] == 1).all()
    assert names[0] == "1"
    assert degrees[0] == 0
    assert (degrees[1:] >= 1).all()
    assert not np.shares_memory(terms, X)


def test_polynomials_span_the_plain_powers():
    powers = np.stack([np.ones(50), X[:, 0], X[:, 1], X[:, 0] ** 2, X[:, 0] * X[:, 1], X[:, 1] ** 2], axis=1)
    basis = Polynomial(2)
    assert basis.feature_names(["T", "x"]) == ["1", "T", "x", "T^2", "T*x", "x^2"]
    np.testing.assert_allclose(powers @ basis.raw_matrix(WIDE), basis.evaluate(X, WIDE), atol=1e-9)


def test_products_of_powers_span_products():
    basis = TensorProduct(Polynomial(1), TemperaturePolynomial(2, scale=100.0))
    domain = WIDE[::-1]
    swapped = X[:, ::-1]
    t = swapped[:, 1] / 100
    powers = np.stack([np.ones(50), t, t**2, swapped[:, 0], swapped[:, 0] * t, swapped[:, 0] * t**2], axis=1)
    assert basis.feature_names(["x", "T"]) == ["1", "(T/100)", "(T/100)^2", "x", "x*(T/100)", "x*(T/100)^2"]
    np.testing.assert_allclose(powers @ basis.raw_matrix(domain), basis.evaluate(swapped, domain), atol=1e-9)


def test_polynomial_columns_are_orthonormal_over_the_domain():
    nodes, weights = np.polynomial.legendre.leggauss(6)
    points = WIDE[0, 0] + (nodes[:, None] + 1) / 2 * np.ptp(WIDE[0])
    terms = Polynomial(4).evaluate(points, WIDE[:1])
    np.testing.assert_allclose((terms * weights[:, None] / 2).T @ terms, np.eye(5), atol=1e-12)


def test_sines_go_through_whole_waves():
    x = np.array([[0.1], [0.35]])
    wanted = np.stack([np.ones(2), np.sin(2 * np.pi * x[:, 0]), np.sin(4 * np.pi * x[:, 0])], axis=1)
    np.testing.assert_allclose(Sine(2, period=1.0).evaluate(x, np.array([[0.0, 5.0]])), wanted)
    stretched = Sine(2).evaluate(5 * x, np.array([[0.0, 5.0]]))
    np.testing.assert_allclose(stretched, wanted)
    assert Sine(6).n_terms(2) == 49
    assert Sine(1).degrees(2).tolist() == [0, 1, 1, 2]
    assert Fourier(1).degrees(1).tolist() == [0, 1, 1]


def test_the_magnet_of_five_fractions_and_temperature_has_84_or_224_columns():
    assert parse_basis("composition:2*temperature:3").n_terms(6) == 84
    assert parse_basis("composition:3*temperature:3").n_terms(6) == 224


def test_the_reference_species_is_left_out():
    basis = CompositionPolynomial(1, sites=[[1, 0], [2, 3]])
    assert basis.feature_names(["Nd", "Pr", "Fe", "Co"]) == ["1", "Nd", "Co"]
    found, names = CompositionPolynomial(1).resolve(np.array([[0.2, 0.8], [0.5, 0.5]]), ["A", "B"])
    assert names == ["A"]
    assert found.feature_names(["A", "B"]) == ["1", "B"]
    same, names = CompositionPolynomial(1).resolve(np.array([[0.2, 0.7], [0.5, 0.5]]), ["A", "B"])
    assert names == []
    assert same.n_terms(2) == 3


def test_the_magnetization_falls_to_zero_at_the_curie_temperature():
    np.testing.assert_allclose(reduced_magnetization([0.0, 600.0, 800.0], 600.0), [1, 0, 0])
    t = 0.5
    wanted = (1 - 0.6 * t**1.5 - 0.4 * t**2.5) ** (1 / 3)
    assert reduced_magnetization(300.0, 600.0, s=0.6) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("text", "basis"),
    [
        ("polynomial:3", Polynomial(3)),
        (" poly: 2 ", Polynomial(2)),
        ("sine:6", Sine(6)),
        ("fourier:1", Fourier(1)),
        ("legendre:4", Legendre(4)),
        ("polynomial:1*temperature:2", TensorProduct(Polynomial(1), TemperaturePolynomial(2))),
    ],
)
def test_text_names_a_basis(text, basis):
    assert parse_basis(text) == basis


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: parse_basis("spline:3"), "kind of polynomial, poly.*Got 'spline:3'"),
        (lambda: parse_basis("polynomial:x"), "Got 'polynomial:x'"),
        (lambda: Polynomial(-1), "degree must be a whole number of 0 or more. Got -1"),
        (lambda: Polynomial(2, "all"), "'total' or 'tensor'. Got 'all'"),
        (lambda: Sine(1.5), "n must be a whole number of 0 or more. Got 1.5"),
        (lambda: TemperaturePolynomial(2, scale=0.0), "scale must be positive. Got 0.0"),
        (lambda: TemperaturePolynomial(2).n_terms(3), "one column, the temperature. Got 3"),
        (lambda: MagnetisationShape(-5.0), r"positive, in kelvin. Got \(-5.0,\)"),
        (lambda: MagnetisationShape(5.0).n_terms(2), "one column, the temperature. Got 2"),
        (lambda: TensorProduct(Sine(1), Sine(1), 2).n_terms(2), "more than 2 columns. Got 2"),
        (lambda: CompositionPolynomial(1, sites=[[0, 5]]).n_terms(3), "each of 3 columns at most once"),
        (
            lambda: CompositionPolynomial(1, sites=[[0, 1]]).evaluate(
                np.array([[0.5, 0.5], [0.4, 0.5]]), WIDE
            ),
            r"columns \[0, 1\] must sum to 1. Got 0.9 at row 1",
        ),
        (
            lambda: Custom(lambda X: X, ["a", "b"]).evaluate(np.ones((3, 1)), UNIT),
            r"return shape \(3, 2\). Got \(3, 1\)",
        ),
    ],
)
def test_what_cannot_be_a_basis_is_told(make, words):
    with pytest.raises(InputError, match=words):
        make()
