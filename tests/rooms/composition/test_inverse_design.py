import numpy as np
import pytest

from sozai.composition import CompositionRegressor, Goal, design_formulas, parse_formula
from sozai.composition.composition_moves import Moves
from sozai.composition.formation_hints import FormationHints
from sozai.contracts.errors import InputError

HALIDES = {
    "LiF": 4.03, "LiCl": 5.13, "LiBr": 5.50, "LiI": 6.00, "NaF": 4.62, "NaCl": 5.64, "NaBr": 5.97,
    "NaI": 6.47, "KF": 5.35, "KCl": 6.29, "KBr": 6.60, "KI": 7.07, "RbF": 5.64, "RbCl": 6.58, "RbBr": 6.85,
}  # fmt: skip


@pytest.fixture(scope="module")
def lattice():
    return CompositionRegressor(random_state=0).fit(list(HALIDES), list(HALIDES.values()))


def design(model, goal, **limits):
    return design_formulas(model, goal, **{"max_elements": 2, "max_atoms": 2, "in_domain": False, **limits})


def test_the_missing_halide_is_found(lattice):
    found = design(lattice, (7.2, 7.5), charge_balance=True)
    assert found.frame["formula"].iloc[0] == "RbI"  # measured: 7.34 angstrom, not among those learned from
    assert found.n_tried > len(found.frame)


def test_every_limit_is_kept(lattice):
    found = design_formulas(
        lattice, (5.0, 7.0), include=["Na"], exclude=["I"], max_elements=3, max_atoms=6, in_domain=False,
        charge_balance=True, max_per_system=1,
    ).frame  # fmt: skip
    assert len(found)
    for formula in found["formula"]:
        amounts = parse_formula(formula).amounts
        assert "Na" in amounts
        assert "I" not in amounts
        assert len(amounts) <= 3
        assert sum(amounts.values()) <= 6
        assert formula not in HALIDES
    assert found["neutral"].all()
    systems = [parse_formula(formula).chemical_system for formula in found["formula"]]
    assert len(set(systems)) == len(systems)


def test_only_formulas_near_known_ones_unless_asked(lattice):
    inside = design_formulas(lattice, (5.0, 7.0), max_elements=3, max_atoms=6).frame
    assert inside["in_domain"].all()


def test_probability_is_that_of_a_normal_value():
    goal = Goal(1.0, 2.0)
    mean, std = np.array([1.5, 0.0, 5.0]), np.array([0.5, 1.0, 1.0])
    draws = np.random.default_rng(0).normal(size=(200_000, 1)) * std + mean
    assert goal.probability(mean, std) == pytest.approx(((draws > 1) & (draws < 2)).mean(axis=0), abs=0.005)
    assert goal.distance(mean, std).tolist() == [0.0, 1.0, 3.0]


def test_goals_are_read_from_words_and_numbers():
    known = np.array([1.0, 3.0])
    assert Goal.of("min", known) == Goal(None, 1.0)
    assert Goal.of(2.0, known) == Goal(2.0 - 0.05, 2.0 + 0.05)
    assert Goal.of((None, 2), known) == Goal(None, 2.0)
    for wrong in ("best", (3.0, 1.0), (None, None), float("nan")):
        with pytest.raises(InputError, match="the goal of gap"):
            Goal.of(wrong, known, name="gap")


def test_the_answer_is_the_same_every_time(lattice):
    first, second = (design(lattice, "max").frame for _ in range(2))
    assert first.equals(second)


def test_two_properties_are_met_together(lattice):
    masses = [len(name) * 10.0 + HALIDES[name] for name in HALIDES]
    other = CompositionRegressor(random_state=0).fit(list(HALIDES), masses)
    found = design_formulas(
        {"a": lattice, "b": other},
        {"a": (5.0, 8.0), "b": "max"},
        max_elements=2,
        max_atoms=3,
        in_domain=False,
    )
    assert {"a", "a_lower", "b_upper", "probability"} <= set(found.frame)
    with pytest.raises(InputError, match=r"goals must name the models \(a, b\). Got 'a'"):
        design_formulas({"a": lattice, "b": other}, {"a": "max"})


def test_limits_that_contradict_each_other_are_named(lattice):
    with pytest.raises(InputError, match=r"include must name elements of the table. Got 'Zz'"):
        design(lattice, "max", include=["Zz"])
    with pytest.raises(InputError, match=r"include and exclude must leave some elements. Got 'Na'"):
        design(lattice, "max", include=["Na"], exclude=["Na"])
    with pytest.raises(InputError, match=r"max_elements must be at least 2. Got 1"):
        design(lattice, "max", include=["Na", "Cl"], max_elements=1)
    with pytest.raises(InputError, match=r"charge_balance must be True, False or 'auto'. Got 'maybe'"):
        design(lattice, "max", charge_balance="maybe")


def test_all_single_changes_of_a_formula():
    moves = Moves({"Na": ("K",), "O": ("S",)}, ("Na", "K", "O", "S"), ("O",), 3, 5)
    found = set(moves.neighbors(["Na2O"]))
    assert {"K2O", "NaO", "Na3O", "Na2O2", "KNa2O", "Na2SO", "O"} - found <= {"Na2O2", "Na2SO"}
    assert all("O" in parse_formula(formula).amounts for formula in found)
    assert not any(parse_formula(formula).n_atoms > 5 for formula in found)
    assert moves.starts(["Na2O", "NaBr", "Li0.3O0.5Na"]) == ["Na2O", "NaO"]


def test_hints_tell_salts_from_alloys():
    hints = FormationHints.of(["Na", "Cl", "Fe", "O", "Al", "Ni"])
    frame = hints.frame(["NaCl", "NaCl2", "Fe3O4", "NiAl"])
    assert frame["neutral"].tolist() == [True, False, True, None]
    assert frame["hint"][1] == "common oxidation states leave a charge of -1 at best"
    assert frame["oxidation_states"][2] == "Fe +3 (2), Fe +2 (1), O -2"
    assert hints.filter("auto")("NiAl")
    assert not hints.filter(True)("NiAl")


def test_sodium_and_nitrogen_side_by_side_are_no_missing_value():
    formulas = ["Na3N", "NaN3", "Li3N", "LiN3", "K3N", "Na2O", "Li2O", "K2O", "NaF", "LiF"]
    model = CompositionRegressor(random_state=0).fit(formulas, np.arange(10.0) ** 1.5)
    found = design_formulas(model, "max", elements=["Na", "N"], charge_balance=False, in_domain=False)
    assert "Na1N1" in found.frame["formula"].tolist() or len(found.frame)
    effect = model.element_effect("Na")
    assert "Na1N1" in effect["formula"].tolist()


def test_a_constant_property_has_no_goal(lattice):
    model = CompositionRegressor(random_state=0).fit(list(HALIDES), np.full(len(HALIDES), 1.5))
    with pytest.raises(InputError, match=r"measured values of property must differ. Got 1.5 in every row"):
        design(model, 2.0)


def test_an_element_nobody_measured_is_refused_near_measured_ones(lattice):
    with pytest.raises(InputError, match=r"elements of the training formulas. Got 'Am'"):
        design(lattice, "max", include=["Am"], in_domain=True)


def test_an_element_alone_is_no_alloy_unless_it_is_a_metal():
    hints = FormationHints.of(["F", "Fe", "Ni"])
    assert not hints.filter("auto")("F")
    assert hints.filter("auto")("Fe")
    assert hints.frame(["F", "FeNi"])["hint"].tolist()[0] == "an element, no compound"
