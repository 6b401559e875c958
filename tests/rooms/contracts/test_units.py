"""Units as materials people write them."""

# ruff: noqa: RUF001 - full-width characters are what is tested

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from sozai.contracts.errors import UnitError
from sozai.contracts.unit_headers import header_doubt
from sozai.contracts.units import (
    Unit,
    base_unit,
    convert,
    convertible,
    dimension_text,
    multiply_dimensions,
    parse_unit,
    power_dimension,
    split_unit,
)

E, N_A, HARTREE, MU_B = 1.602176634e-19, 6.02214076e23, 4.3597447222071e-18, 9.2740100783e-24
ENERGY, FLUX, MOMENT = "length^2 mass time^-2", "current^-1 mass time^-2", "current length^2"


@pytest.mark.parametrize(
    ("text", "scale", "dimension"),
    [
        ("Å", 1e-10, "length"),
        ("\u212b", 1e-10, "length"),
        ("angstrom", 1e-10, "length"),
        ("Ang", 1e-10, "length"),
        ("A", 1.0, "current"),
        ("nm", 1e-9, "length"),
        ("\u00b5m", 1e-6, "length"),
        ("\u03bcm", 1e-6, "length"),
        ("um", 1e-6, "length"),
        ("㎝", 1e-2, "length"),
        ("eV", E, ENERGY),
        ("meV", 1e-3 * E, ENERGY),
        ("MeV", 1e6 * E, ENERGY),
        ("Ha", HARTREE, ENERGY),
        ("Ry", 2.1798723611035e-18, ENERGY),
        ("kJ/mol", 1e3 / N_A, ENERGY),
        ("kJ mol-1", 1e3 / N_A, ENERGY),
        ("kcal/mol", 4184 / N_A, ENERGY),
        ("eV/atom", E, ENERGY),
        ("eV/f.u.", E, ENERGY),
        ("kcal/(mol Å)", 4184 / N_A / 1e-10, "length mass time^-2"),
        ("J/(mol K)", 1 / N_A, "length^2 mass temperature^-1 time^-2"),
        ("g/mol", 1e-3, "amount^-1 mass"),
        ("K", 1.0, "temperature"),
        ("GPa", 1e9, "length^-1 mass time^-2"),
        ("bar", 1e5, "length^-1 mass time^-2"),
        ("atm", 101325.0, "length^-1 mass time^-2"),
        ("kgf/mm2", 9.80665e6, "length^-1 mass time^-2"),
        ("MPa m^1/2", 1e6, "length^(-1/2) mass time^-2"),
        ("MPa√m", 1e6, "length^(-1/2) mass time^-2"),
        ("MPa·m^0.5", 1e6, "length^(-1/2) mass time^-2"),
        ("emu", 1e-3, MOMENT),
        ("emu/g", 1.0, "current length^2 mass^-1"),
        ("emu g⁻¹", 1.0, "current length^2 mass^-1"),
        ("emu/cm3", 1e3, "current length^-1"),
        ("Oe", 1000 / (4 * math.pi), "current length^-1"),
        ("kOe", 1e6 / (4 * math.pi), "current length^-1"),
        ("G", 1e-4, FLUX),
        ("T", 1.0, FLUX),
        ("MGOe", 1e6 * 1e-4 * 1000 / (4 * math.pi), "length^-1 mass time^-2"),
        ("mu_B", MU_B, MOMENT),
        ("muB", MU_B, MOMENT),
        ("\u03bcB", MU_B, MOMENT),
        ("\u00b5_B", MU_B, MOMENT),
        ("μB/f.u.", MU_B, MOMENT),
        ("A/m", 1.0, "current length^-1"),
        ("Am2/kg", 1.0, "current length^2 mass^-1"),
        ("wt%", 1e-2, "dimensionless"),
        ("at.%", 1e-2, "dimensionless"),
        ("mol %", 1e-2, "dimensionless"),
        ("％", 1e-2, "dimensionless"),
        ("ppm", 1e-6, "dimensionless"),
        ("g/cm3", 1e3, "length^-3 mass"),
        ("g/cm^3", 1e3, "length^-3 mass"),
        ("g/cm³", 1e3, "length^-3 mass"),
        ("gcm-3", 1e3, "length^-3 mass"),
        ("ｇ／ｃｍ３", 1e3, "length^-3 mass"),
        ("S/cm", 100.0, "current^2 length^-3 mass^-1 time^3"),
        ("S cm^-1", 100.0, "current^2 length^-3 mass^-1 time^3"),
        ("Ω", 1.0, "current^-2 length^2 mass time^-3"),
        ("\u2126", 1.0, "current^-2 length^2 mass time^-3"),
        ("ohm cm", 1e-2, "current^-2 length^3 mass time^-3"),
        ("μΩcm", 1e-8, "current^-2 length^3 mass time^-3"),
        ("mΩ·cm", 1e-5, "current^-2 length^3 mass time^-3"),
        ("ohm-cm", 1e-2, "current^-2 length^3 mass time^-3"),
        ("mV", 1e-3, "current^-1 length^2 mass time^-3"),
        ("mA/cm2", 10.0, "current length^-2"),
        ("W/mK", 1.0, "length mass temperature^-1 time^-3"),
        ("W/(m K)", 1.0, "length mass temperature^-1 time^-3"),
        ("W/m K", 1.0, "length mass temperature^-1 time^-3"),
        ("W/m-K", 1.0, "length mass temperature^-1 time^-3"),
        ("W m^-1 K^-1", 1.0, "length mass temperature^-1 time^-3"),
        ("Wm-1K-1", 1.0, "length mass temperature^-1 time^-3"),
        ("W m⁻¹ K⁻¹", 1.0, "length mass temperature^-1 time^-3"),
        ("µV/K", 1e-6, "current^-1 length^2 mass temperature^-1 time^-3"),
        ("cm2/V s", 1e-4, "current mass^-1 time^2"),
        ("cm2V-1s-1", 1e-4, "current mass^-1 time^2"),
        ("J/kg K^-1", 1.0, "length^2 temperature^-1 time^-2"),
        ("Hz", 1.0, "time^-1"),
        ("1/K", 1.0, "temperature^-1"),
        ("s⁻¹", 1.0, "time^-1"),
        ("cm-1", 100.0, "length^-1"),
        ("cm^{-1}", 100.0, "length^-1"),
        ("rad", 1.0, "dimensionless"),
        ("deg", math.pi / 180, "dimensionless"),
        ("°", math.pi / 180, "dimensionless"),
        ("min", 60.0, "time"),
        ("h", 3600.0, "time"),
        ("K/min", 1 / 60, "temperature time^-1"),
        ("℃/min", 1 / 60, "temperature time^-1"),
        ("mol/L", 1e3, "amount length^-3"),
        ("L", 1e-3, "length^3"),
        ("m²", 1.0, "length^2"),
        ("10^-6 emu/g", 1e-6, "current length^2 mass^-1"),
        ("×10⁻³ m", 1e-3, "length"),
        ("kJ/100 g", 1e4, "length^2 time^-2"),
        ("nV/√Hz", 1e-9, "current^-1 length^2 mass time^(-5/2)"),
        ("a.u.", 1.0, "arbitrary"),
        ("arb. units", 1.0, "arbitrary"),
        ("任意単位", 1.0, "arbitrary"),
        ("-", 1.0, "dimensionless"),
        ("1", 1.0, "dimensionless"),
        ("無次元", 1.0, "dimensionless"),
    ],
)
def test_size_and_dimension(text, scale, dimension):
    unit = parse_unit(text)
    assert unit.scale == pytest.approx(scale, rel=1e-14)
    assert dimension_text(unit.dimension) == dimension


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("foo", "'foo' is unknown"),
        ("gpa", "Did you mean GPa"),
        ("ev", "Did you mean eV?"),
        ("mev", "Did you mean MeV, meV"),
        ("kj/mol", "'kj' is unknown). Did you mean kJ"),
        ("", "at least one symbol. Got ''"),
        ("S/cm K", "what stands below the slash. Got 'S/cm K'"),
        ("kg/m^3 s", "'a/b c' has two meanings"),
        ("m//s", "both sides of '/'"),
        ("emu/", "both sides of '/'"),
        ("(m", "close every bracket"),
        ("m)", "(stopped at ')')"),
        ("m^", "number after '^'"),
        ("m^1/0", "divide by zero"),
        ("m/0", "factor 0"),
        ("s^-1/2 m", "where the power ends"),
        ("m^99999999", "small number after '^'"),
        ("GPa^60", "between 1e-300 and 1e300"),
        ("(" * 10 + "m" + ")" * 10, "at most 8 nested brackets"),
        ("m" * 200, "at most 100 characters"),
        ("A^3", "'A' (ampere) for ångström. Got 'A^3'. Write 'Å' or 'angstrom'"),
        ("eV/A", "'A' (ampere) for ångström"),
        ("A^-1", "'A' (ampere) for ångström"),
        ("pH", "logarithmic"),
        ("HV", "Vickers"),
        ("N/A", "there is none"),
    ],
)
def test_refused_texts_say_why(text, message):
    with pytest.raises(UnitError) as caught:
        parse_unit(text)
    assert message in str(caught.value)
    assert text in str(caught.value) or len(text) > 100


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (1.0, "eV", "kJ/mol", 96.48533212331),
        (1.0, "Ha", "eV", 27.211386245988),
        (1.0, "kcal/mol", "meV", 43.364104),
        (27.0, "degC", "K", 300.15),
        (300.15, "K", "℃", 27.0),
        (212.0, "°F", "°C", 100.0),
        (1.0, "emu/g", "A m^2/kg", 1.0),
        (1.0, "kOe", "kA/m", 79.57747154594767),
        (1.0, "kG", "T", 0.1),
        (5.0, "g/cm3", "kg/m3", 5000.0),
        (1.0, "μB", "J/T", 9.2740100783e-24),
        (1.0, "eV/Å^3", "GPa", 160.2176634),
        (180.0, "°", "rad", math.pi),
        (1.0, "ppm", "%", 1e-4),
        (1.0, "K/min", "°C/h", 60.0),
    ],
)
def test_conversion(value, source, target, expected):
    assert convert(value, source, target) == pytest.approx(expected, rel=1e-8)


def test_conversion_to_the_same_unit_keeps_the_bits():
    values = np.array([0.1, 1 / 3, 1e-300])
    same = convert(values, "kJ/mol", "kJ mol⁻¹")
    assert same.tobytes() == values.tobytes()
    assert same is not values


def test_conversion_names_both_dimensions():
    with pytest.raises(UnitError, match=r"'K' \(temperature\) and 'eV' \(length\^2 mass time\^-2\)"):
        convert(1.0, "K", "eV")
    with pytest.raises(UnitError, match="magnetic constant"):
        convert(1.0, "Oe", "T")
    with pytest.raises(UnitError, match="for atomic units write Ha or bohr"):
        convert(1.0, "a.u.", "eV")


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("eV/atom", "eV/f.u."),
        ("wt%", "at%"),
        ("V vs RHE", "V vs Ag/AgCl"),
        ("wtppm", "atppm"),
        ("μB/atom", "μB/cell"),
    ],
)
def test_what_is_counted_is_not_converted(source, target):
    with pytest.raises(UnitError, match="count the same thing"):
        convert(1.0, source, target)
    assert parse_unit(source).dimension == parse_unit(target).dimension
    assert not convertible(source, target)


def test_counts_convert_where_only_one_side_names_them():
    assert convert(1.0, "eV/atom", "meV") == pytest.approx(1000.0)
    assert convert(1.0, "at%", "mol%") == 1.0


def test_arithmetic_of_units():
    speed = parse_unit("km") / parse_unit("h")
    assert (str(speed), dimension_text(speed.dimension)) == ("km/h", "length time^-1")
    assert speed.scale == pytest.approx(1 / 3.6)
    root = parse_unit("m2") ** Fraction(1, 2)
    assert dimension_text(root.dimension) == "length"
    assert str(root) == "(m2)^(1/2)"
    assert str(parse_unit("eV") * parse_unit("kJ/mol")) == "eV*(kJ/mol)"
    assert (parse_unit("K") ** 0).dimension == ()


def test_units_made_by_arithmetic_know_the_mole():
    made = parse_unit("kJ") / parse_unit("mol")
    assert convert(1.0, made, "eV") == pytest.approx(1000 / (N_A * E))


def test_arithmetic_of_dimensions():
    length, time = (("length", Fraction(1)),), (("time", Fraction(1)),)
    assert multiply_dimensions(time, length) == (("length", Fraction(1)), ("time", Fraction(1)))
    assert multiply_dimensions(length, power_dimension(length, -1)) == ()
    assert power_dimension(length, Fraction(1, 2)) == (("length", Fraction(1, 2)),)
    assert power_dimension(length, 0) == ()
    assert dimension_text(()) == "dimensionless"


def test_dimensions_of_the_user():
    electron = base_unit("e", "electron_count")
    unit = parse_unit("e/atom", extra={"e": electron})
    assert unit.dimension == (("electron_count", Fraction(1)),)
    with pytest.raises(UnitError):
        parse_unit("e/atom")
    assert isinstance(electron, Unit)


def test_units_are_frozen():
    with pytest.raises(AttributeError):
        parse_unit("K").scale = 2.0


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("磁化[emu/g]", "磁化", "emu/g"),
        ("温度（Ｋ）", "温度", "Ｋ"),
        ("温度【K】", "温度", "K"),
        ("B(T)", "B", "T"),
        ("時間(min)", "時間", "min"),
        ("2θ (°)", "2θ", "°"),
        ("E (V vs. Ag/AgCl)", "E", "V vs. Ag/AgCl"),
        ("χ [10^-6 emu/g]", "χ", "10^-6 emu/g"),
        ("T / K", "T", "K"),
        ("磁化／emu g^-1", "磁化", "emu g^-1"),
        ("x [1]", "x", "1"),
        ("M [furlong]", "M", "furlong"),
        ("Conductivity (measured) (S/cm)", "Conductivity (measured)", "S/cm"),
        ("x[1]", "x[1]", None),
        ("M[A,B]", "M[A,B]", None),
        ("Run [2]", "Run [2]", None),
        ("Fe [2+]", "Fe [2+]", None),
        ("Sample (2)", "Sample (2)", None),
        ("a (cell)", "a (cell)", None),
        ("M(T)", "M(T)", None),
        ("M(H)", "M(H)", None),
        ("x(K)", "x(K)", None),
        ("r_A / r_B", "r_A / r_B", None),
        ("c / a", "c / a", None),
        ("[Fe]", "[Fe]", None),
        ("T ()", "T ()", None),
        ("R (N/A)", "R (N/A)", None),
        ("", "", None),
    ],
)
def test_headers(header, name, unit):
    assert split_unit(header) == (name, unit)


@pytest.mark.parametrize(
    "header", ["x(K)", "x (K)", "M(T)", "NaCl (s)", "d (min)", "T / K", "a [A]", "格子定数 (A)"]
)
def test_doubtful_headers_are_explained(header):
    assert "write" in str(header_doubt(header)).lower()


@pytest.mark.parametrize(
    "header", ["T (K)", "T(K)", "磁化 [emu/g]", "M_P[0]", "f(x)", "time (s)", "I (A)", "P(GPa)", "x"]
)
def test_plain_headers_raise_no_doubt(header):
    assert header_doubt(header) is None
