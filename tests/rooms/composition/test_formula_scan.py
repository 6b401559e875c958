"""The compiled pass: what it reads, and what it leaves to the grammar."""

import numpy as np
import pytest

from sozai.composition.formula_scan import hash_rows, reduce_rows, same_rows, scan_texts


def entries(text):
    scan = scan_texts([text])
    return None if scan.left[0] else dict(zip(scan.codes.tolist(), scan.amounts.tolist(), strict=True))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fe2O3", {25: 2, 7: 3}),
        ("Ca10(PO4)6(OH)2", {19: 10, 14: 6, 7: 26, 0: 2}),
        ("Zn 58 Mg 40\tDy 2", {29: 58, 11: 40, 65: 2}),
        ("CaSO4\u00b70.5H2O", {19: 1, 15: 1, 7: 4.5, 0: 1}),
        ("CaSO4*2H2O", {19: 1, 15: 1, 7: 6, 0: 4}),
        ("La.5Sr0.5", {56: 0.5, 37: 0.5}),
        ("Fe0.1234567890123", {25: 0.1234567890123}),
        ("OFeO", {7: 2, 25: 1}),
        ("FeO" * 100, {25: 100, 7: 100}),
    ],
)
def test_plain_formulas_are_read(text, expected):
    assert entries(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "NaN",
            " NaN ",
            "Fe0",
            "Xx",
            "fe",
            "Fe2(O3",
            "Fe)",
            "(Fe]",
            "Fe()",
            "2Fe",
            "Fe 2 3",
            "FeO1.5H2O",
        ),
        *(
            "Fe+",
            "Fe-x",
            "Fe%",
            "Fe\u2082",
            "Fe\n",
            "D2O",
            "Fe1234567890123456",
            "Fe" * 2049,
            "\0",
            None,
            5.0,
        ),
        *("(" * 65 + "Fe" + ")" * 65, "Fe\u00b7", "\u00b7Fe", "Fe\u00b72", "Fe..5", "Fe5.", "Fe.", "\ud800"),
    ],
)
def test_everything_else_is_left(text):
    assert entries(text) is None


def test_dots_of_hydrates_are_reported():
    scan = scan_texts(["CuSO4.5H2O", "FeO", "NaOH.H2O", "CaSO4\u00b72H2O"])
    assert scan.dots.tolist() == [6, 0, 5, 0]
    assert not scan.left.any()


def test_rows_stand_in_order_beside_those_left():
    scan = scan_texts(["O3Fe2", "?", "NaCl", None, "O"])
    assert scan.indptr.tolist() == [0, 2, 2, 4, 4, 5]
    assert scan.codes.tolist() == [7, 25, 10, 16, 7]
    assert scan.left.tolist() == [False, True, False, True, False]


def test_decimals_are_rounded_correctly():
    rng = np.random.default_rng(0)
    numbers = [
        f"{rng.integers(0, 10**k)}.{rng.integers(1, 10 ** (15 - k)):0{15 - k}d}" for k in range(1, 14)
    ] * 20
    scan = scan_texts([f"Fe{number}" for number in numbers])
    read = ~scan.left
    assert read.sum() > 100
    expected = [float(number) for number, good in zip(numbers, read, strict=True) if good]
    assert scan.amounts.tolist() == expected


def test_hashes_tell_rows_apart():
    indptr, indices = np.array([0, 2, 4, 5]), np.array([0, 1, 0, 1, 0])
    numbers = np.array([1, 2, 1, 2, 1])
    hashes = hash_rows(indptr, indices, numbers)
    assert hashes[0] == hashes[1] != hashes[2]
    assert same_rows(indptr, indices, numbers, np.array([0, 0, 2]))
    assert not same_rows(indptr, indices, numbers, np.array([0, 0, 0]))
    assert not same_rows(indptr, indices, np.array([1, 2, 1, 3, 1]), np.array([0, 0, 2]))


def test_whole_numbers_of_rows():
    indptr, fractions = np.array([0, 2, 4, 4]), np.array([0.4, 0.6, 1 / np.pi, 1 - 1 / np.pi])
    assert reduce_rows(indptr, fractions, np.array([10.0, np.nan, np.nan])).tolist() == [2, 3, -1, -1]
