"""Laws of units and tables: what holds for every unit and every file."""

# ruff: noqa: RUF001 - full-width characters are what is tested

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from sozai.contracts.errors import InputError, UnitError
from sozai.contracts.table_cells import read_cell
from sozai.contracts.tables import read_table, write_table
from sozai.contracts.units import convert, multiply_dimensions, parse_unit, power_dimension

SYMBOLS = st.sampled_from(
    [
        "m",
        "nm",
        "Å",
        "kg",
        "s",
        "h",
        "A/m",
        "K",
        "mol",
        "cd",
        "eV",
        "kJ/mol",
        "GPa",
        "emu/g",
        "Oe",
        "T",
        "Ω",
        "%",
        "μB",
    ]
)
EXPONENTS = st.fractions(min_value=-3, max_value=3, max_denominator=4)
DIMENSIONS = st.dictionaries(st.sampled_from(["length", "mass", "time", "electron_count"]), EXPONENTS).map(
    lambda given: tuple(sorted((name, power) for name, power in given.items() if power))
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JAPANESE = st.text(st.sampled_from("鉄銅磁化試料温度A bCx;,\"'\n"), max_size=8)


def _read(text: str, encoding: str = "utf-8", **options):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        path.write_bytes(text.encode(encoding))
        return read_table(path, **options)


@settings(deadline=None, max_examples=60)
@given(DIMENSIONS, DIMENSIONS, DIMENSIONS)
def test_dimensions_form_a_commutative_group(a, b, c):
    assert multiply_dimensions(a, b) == multiply_dimensions(b, a)
    assert multiply_dimensions(multiply_dimensions(a, b), c) == multiply_dimensions(
        a, multiply_dimensions(b, c)
    )
    assert multiply_dimensions(a, power_dimension(a, -1)) == ()
    assert multiply_dimensions(a, ()) == a


@settings(deadline=None, max_examples=60)
@given(DIMENSIONS, EXPONENTS, EXPONENTS)
def test_powers_of_dimensions_multiply(a, p, q):
    assert power_dimension(power_dimension(a, p), q) == power_dimension(a, p * q)


@settings(deadline=None, max_examples=60)
@given(SYMBOLS, SYMBOLS, st.sampled_from([Fraction(2), Fraction(-1), Fraction(1, 2)]))
def test_the_text_of_a_unit_made_by_arithmetic_is_read_back(a, b, power):
    one, other = parse_unit(a), parse_unit(b)
    for unit in (one * other, one / other, one**power, (one / other) ** power):
        again = parse_unit(str(unit))
        assert convert(1.0, unit, again) == np.float64(1.0) or abs(convert(1.0, unit, again) - 1) < 1e-12


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5),
    st.sampled_from([("eV", "kJ/mol"), ("K", "°C"), ("Oe", "A/m")]),
)
def test_conversion_there_and_back(values, pair):
    there = convert(values, *pair)
    assert np.allclose(convert(there, *reversed(pair)), values, rtol=1e-12, atol=1e-9)


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=20))
def test_any_text_is_a_unit_or_a_unit_error(text):
    try:
        unit = parse_unit(text)
    except UnitError:
        return
    assert unit.scale > 0


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=20))
def test_any_text_is_a_cell(text):
    reading = read_cell(text)
    if reading.kind == "number":
        assert any(char.isdigit() for char in text)
        assert not {reading.dot, reading.comma} <= {None}


@settings(deadline=None, max_examples=60)
@given(FLOATS)
def test_every_float_survives_the_file(value):
    table = _read(f"x,y\n{value!r},1\n0.5,2\n")
    assert table.frame["x"][0] == value
    assert read_cell(repr(value)).dot == value


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(JAPANESE, FLOATS, st.integers(-(2**53), 2**53)), min_size=1, max_size=6))
def test_written_tables_read_back(rows):
    frame = pd.DataFrame(rows, columns=["試料", "x", "n"])
    frame["試料"] = [f"#{k} {text}".strip() for k, text in enumerate(frame["試料"], start=1)]
    frame["試料"] = frame["試料"].str.replace("#", "no")
    with tempfile.TemporaryDirectory() as folder:
        table = read_table(write_table(frame, Path(folder) / "out.csv"))
    assert table.frame["試料"].tolist() == frame["試料"].tolist()
    assert table.frame["x"].tolist() == frame["x"].tolist()
    assert table.frame["n"].tolist() == frame["n"].tolist()


CELLS = st.one_of(
    FLOATS.map(repr),
    st.integers(-(10**18), 10**18).map(str),
    st.sampled_from(
        [
            "",
            "1.5",
            "001",
            "-0",
            "inf",
            "nan",
            "NA",
            "失敗",
            "Na",
            "1e400",
            "True",
            "false",
            "<5",
            "300 K",
            "１",
            " 2",
            "5.",
            "+3",
        ]
    ),
)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 4).flatmap(
        lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=2, max_size=8)
    )
)
def test_the_short_way_and_the_long_way_agree(rows):
    """pandas' reading of regular tables changes neither values, types, units nor repairs."""
    names = [f"列{k}" for k in range(len(rows[0]))]
    text = "\n".join([",".join(names), *(",".join(row) for row in rows)]) + "\n"
    results = []
    for short in (True, False):
        with (
            mock.patch("sozai.contracts.tables.read_regular", wraps=None, return_value=None)
            if not short
            else mock.MagicMock()
        ):
            try:
                results.append(_read(text))
            except InputError as error:
                results.append(str(error).split(" of '")[0])
    short_way, long_way = results
    if isinstance(short_way, str) or isinstance(long_way, str):
        assert short_way == long_way
        return
    pd.testing.assert_frame_equal(short_way.frame, long_way.frame)
    assert short_way.repairs == long_way.repairs
    assert short_way.units == long_way.units
    assert short_way.rows.tolist() == long_way.rows.tolist()


@settings(deadline=None, max_examples=20)
@given(
    st.lists(st.tuples(FLOATS, FLOATS), min_size=2, max_size=6),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp932"]),
)
def test_encoding_and_delimiter_do_not_change_the_numbers(rows, encoding):
    frames = []
    for delimiter in (",", ";", "\t"):
        text = "\n".join([f"温度{delimiter}磁化", *(f"{a!r}{delimiter}{b!r}" for a, b in rows)])
        frames.append(_read(text + "\n", encoding).frame)
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0])
    assert frames[0].to_numpy().tolist() == [list(row) for row in rows]
