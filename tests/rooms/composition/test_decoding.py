"""Descriptors back to formulas: elements, whole numbers, charges, limits, messages."""

import numpy as np
import pytest

from sozai.composition.decoding import DecodedFormula, decode
from sozai.composition.decoding_request import read_request
from sozai.composition.decoding_search import bound_outside, prices, read_row
from sozai.contracts.errors import InputError
from sozai.contracts.records import Failure
from sozai.numerics.simplex_least_squares import SimplexSystem

NAMES = (
    "H",
    "Li",
    "C",
    "O",
    "F",
    "Na",
    "Mg",
    "Al",
    "P",
    "S",
    "Cl",
    "K",
    "Ca",
    "Ti",
    "Fe",
    "Co",
    "Cu",
    "Zn",
    "Zr",
    "La",
)
STATES = {
    "Li": (1,), "O": (-2,), "Na": (1,), "Mg": (2,), "Al": (3,), "P": (5, 3, -3), "Fe": (2, 3), "Cu": (1, 2),
    "Zn": (2,), "Cl": (-1,), "Ti": (4, 3), "Co": (2, 3), "S": (-2, 4, 6),
}  # fmt: skip


@pytest.fixture(scope="module")
def H():
    """Gaussian kernels of twelve random scaled features at ten points."""
    features = np.random.default_rng(0).uniform(size=(len(NAMES), 12))
    return (
        np.exp(-(((features[:, :, None] - np.linspace(0, 1, 10)) * 9) ** 2)).reshape(len(NAMES), -1).T.copy()
    )


def descriptor(H, /, **amounts):
    """Mean of the columns of H."""
    total = sum(amounts.values())
    return sum(n / total * H[:, NAMES.index(symbol)] for symbol, n in amounts.items())


def formulas(answers):
    return [answer.formula for answer in answers]


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ({"Fe": 2, "O": 3}, "Fe2O3"), ({"Li": 1, "Fe": 1, "P": 1, "O": 4}, "LiFePO4"), ({"Cu": 1}, "Cu"),
        ({"Mg": 17, "Al": 12}, "Mg17Al12"), ({"Ti": 13, "O": 27}, "Ti13O27"),
    ],
)  # fmt: skip
def test_exact_descriptors_give_the_exact_formula_first(H, amounts, expected):
    best = decode(H, descriptor(H, **amounts), NAMES)[0]
    total = sum(amounts.values())
    assert best.formula == expected
    assert best.n_atoms == total
    assert best.fractions == {name: pytest.approx(n / total) for name, n in amounts.items()}
    assert best.residual < 1e-13
    assert best.residual_ratio == pytest.approx(1.0)
    assert best.reason == "best by distance, atoms and elements; descriptor met exactly"
    assert best.unique
    assert best.optimal
    assert best.charge is None
    assert best.oxidation_states is None


def test_residual_and_order_are_those_of_the_formulas(H):
    rng = np.random.default_rng(1)
    phi = descriptor(H, Fe=2, O=3) + 0.02 * rng.normal(size=len(H))
    answers = decode(H, phi, NAMES, noise=0.02, n_best=15)
    scores = []
    for answer in answers:
        w = np.array([answer.fractions.get(name, 0.0) for name in NAMES])
        square = np.sum((phi - H @ w) ** 2)
        assert answer.residual == pytest.approx(np.sqrt(square), rel=1e-9)
        k = len(answer.fractions)
        scores.append(square + 0.02**2 * (np.log(answer.n_atoms) + 2 * k * np.log(len(NAMES))))
    assert (np.diff(scores) >= -1e-12).all()
    assert answers[0].formula == "Fe2O3"
    assert len(set(formulas(answers))) == 15


def test_noise_is_estimated_when_left_out(H):
    rng = np.random.default_rng(2)
    phi = np.array([descriptor(H, Li=1, Co=1, O=2) + 0.01 * rng.normal(size=len(H)) for _ in range(30)])
    assert {answers[0].formula for answers in decode(H, phi, NAMES)} == {"LiCoO2"}


def test_limits_on_elements_and_atoms(H):
    phi = descriptor(H, Li=1, Fe=1, P=1, O=4)
    assert all(len(answer.fractions) <= 2 for answer in decode(H, phi, NAMES, max_elements=2))
    assert all(answer.n_atoms <= 6 for answer in decode(H, phi, NAMES, max_atoms=6))
    assert all(
        set(answer.fractions) <= {"Li", "O", "Na"}
        for answer in decode(H, phi, NAMES, elements=["Li", "O", "Na"])
    )
    assert all("O" not in answer.fractions for answer in decode(H, phi, NAMES, exclude=["O"]))
    assert all("Zr" in answer.fractions for answer in decode(H, phi, NAMES, include=["Zr"]))
    assert len(decode(H, phi, NAMES, n_best=3)) == 3
    assert formulas(decode(H, phi, NAMES, elements="Cu")) == ["Cu"]


def test_included_elements_that_the_descriptor_speaks_against(H):
    phi = descriptor(H, Fe=2, O=3)
    answers = decode(H, phi, NAMES, include=["Zr"], max_atoms=20)
    assert all("Zr" in answer.fractions for answer in answers)
    best = answers[0]
    assert set(best.fractions) >= {"Fe", "O", "Zr"}
    assert best.fractions["Zr"] == pytest.approx(1 / 20, abs=0.02)
    assert best.reason.endswith("free fractions hold no Zr")
    assert formulas(decode(H, phi, NAMES, include=["Zr"], max_elements=1)) == ["Zr"]
    line = np.array([[0.0, 1.0, 2.0]])  # to the right of the point wanted: weights of C would be negative
    forced = decode(line, [0.2], ["A", "B", "C"], include=["B", "C"], max_elements=2, max_atoms=5)
    assert forced[0].fractions == {"B": 0.8, "C": 0.2}


def test_more_elements_than_the_pool(H):
    many = dict.fromkeys(NAMES[:15], 1)
    best = decode(H, descriptor(H, **many), NAMES, max_elements=15)[0]
    assert best.n_atoms == 15
    assert set(best.fractions) == set(many)


def test_neutral_formulas_only(H):
    answers = decode(H, descriptor(H, Fe=2, O=3.1), NAMES, charge_balance=True, oxidation_states=STATES)
    assert answers[0].formula == "Fe2O3"
    assert answers[0].charge == 0
    assert answers[0].oxidation_states == {"O": {-2: 3}, "Fe": {3: 2}}
    assert "neutral with O -2, Fe +3" in answers[0].reason
    for answer in answers:
        charge = sum(q * n for choice in answer.oxidation_states.values() for q, n in choice.items())
        assert charge == 0
        assert all(len(choice) == 1 for choice in answer.oxidation_states.values())


def test_mixed_valence(H):
    phi = descriptor(H, Fe=3, O=4)
    single = decode(H, phi, NAMES, charge_balance=True, oxidation_states=STATES)
    assert "Fe3O4" not in formulas(single)
    mixed = decode(H, phi, NAMES, charge_balance=True, oxidation_states=STATES, mixed_valence=True)[0]
    assert mixed.formula == "Fe3O4"
    assert mixed.oxidation_states == {"O": {-2: 4}, "Fe": {2: 1, 3: 2}}


def test_pauling_test_turns_ions_round(H):
    states = {"H": (1, -1), "Li": (1, -1), "F": (-1, 1)}
    options = {"elements": ["Li", "F"], "charge_balance": True, "oxidation_states": states}
    phi = descriptor(H, Li=1, F=1)
    right = decode(H, phi, NAMES, electronegativity={"Li": 0.98, "F": 3.98}, **options)[0]
    assert right.oxidation_states == {"Li": {1: 1}, "F": {-1: 1}}
    turned = decode(H, phi, NAMES, electronegativity={"Li": 3.98, "F": 0.98}, **options)[0]
    assert turned.oxidation_states == {"Li": {-1: 1}, "F": {1: 1}}


def test_second_equality_where_rounding_never_cancels(H):
    # free fractions 1 : 1 of Al3+ and O2-; with two atoms of room for Al2O3 only
    phi = descriptor(H, Al=9, O=1)
    answers = decode(
        H, phi, NAMES, elements=["Al", "O"], charge_balance=True, oxidation_states=STATES, max_atoms=9
    )
    assert formulas(answers) == ["Al2O3"]
    assert answers[0].reason.endswith("fractions moved to where charges cancel")


def test_failure_names_the_nearest_charge(H):
    failure = decode(H, descriptor(H, Cu=1, Zn=1), NAMES, elements=["Cu", "Zn"], charge_balance=True,
                     oxidation_states=STATES)  # fmt: skip
    assert isinstance(failure, Failure)
    assert failure.kind == "NoNeutralFormula"
    assert failure.name == "decode"
    assert "at most 2 elements and 40 atoms" in failure.message
    assert "Nearest: ZnCu with charge +3." in failure.message
    two = decode(H, np.array([descriptor(H, Al=2, O=3), descriptor(H, Zr=1)]), NAMES, charge_balance=True,
                 oxidation_states=STATES, max_elements=1)  # fmt: skip
    assert [answer.index for answer in two] == [0, 1]
    bare = decode(
        H, descriptor(H, Zr=1), NAMES, elements=["Zr"], charge_balance=True, oxidation_states=STATES
    )
    assert "No oxidation state is known for Zr." in bare.message


def test_states_of_the_package(H):
    best = decode(H, descriptor(H, Li=1, Fe=1, P=1, O=4), NAMES, charge_balance=True)[0]
    assert best.formula == "LiFePO4"
    assert best.oxidation_states["P"] == {5: 1}
    known = decode(H, descriptor(H, Na=1, O=1), NAMES, charge_balance=True, oxidation_states="known")[0]
    assert (known.formula, known.oxidation_states["O"]) == ("NaO", {-1: 1})


def test_one_descriptor_gives_a_list_several_give_lists(H):
    phi = descriptor(H, Fe=2, O=3)
    assert isinstance(decode(H, phi, NAMES)[0], DecodedFormula)
    assert isinstance(decode(H, phi[None], NAMES)[0], list)
    assert decode(H, np.empty((0, len(H))), NAMES) == []


def test_same_answers_in_any_company(H):
    rng = np.random.default_rng(3)
    phi = rng.dirichlet(np.full(20, 0.2), 70) @ H.T + 0.01 * rng.normal(size=(70, len(H)))
    whole = decode(H, phi, NAMES, n_best=3, max_elements=3)
    assert decode(H, phi, NAMES, n_best=3, max_elements=3, n_jobs=2) == whole
    alone = [decode(H, phi[k], NAMES, n_best=3, max_elements=3) for k in (0, 65)]
    assert alone == [whole[k] for k in (0, 65)]


def test_equal_columns_are_not_unique(H):
    twin = np.column_stack([H, H[:, -1]])
    best = decode(twin, descriptor(H, La=1, O=1), [*NAMES, "Ce"])[0]
    assert not best.unique


def test_bound_is_below_every_formula_with_an_element_outside_the_pool(H):
    rng = np.random.default_rng(4)
    request, rows, _ = read_request(
        H, descriptor(H, Fe=2, O=3) + 0.02 * rng.normal(size=len(H)), NAMES, place="test", max_elements=3,
        elements=None, include=(), exclude=(), max_atoms=12, charge_balance=False, oxidation_states=None,
        mixed_valence=False, electronegativity=None, noise=0.02, n_best=1,
    )  # fmt: skip
    system = SimplexSystem.from_matrix(H)
    solution = system.solve(rows)
    row = read_row(request, rows[0], solution.weights[0], solution.multipliers[0], True)
    pool = row.order[:6]
    bound, price = bound_outside(request, row, pool), prices(request, row, 3)
    lowest = np.inf
    for _ in range(20000):
        held = rng.choice(20, rng.integers(1, 4), replace=False)
        held[0] = rng.choice(np.setdiff1d(np.arange(20), pool))
        held = np.unique(held)
        n = rng.integers(1, 12 // len(held) + 1, size=len(held))
        w = n / n.sum()
        square = np.sum((w @ row.shifted[held]) ** 2)
        lowest = min(lowest, square + row.variance * np.log(n.sum()) + price[len(held)])
    assert bound <= lowest
    assert bound > 0


def test_frame_and_repr(H):
    best = decode(H, descriptor(H, Fe=2, O=3), NAMES, charge_balance=True, oxidation_states=STATES)[0]
    assert best.to_frame().loc[0, "formula"] == "Fe2O3"
    assert repr(best).startswith("DecodedFormula('Fe2O3', residual ")
    assert repr(best).endswith(", 5 atoms, charge 0)")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_elements": 0}, r"max_elements must be a whole number of at least 1\. Got 0"),
        ({"max_atoms": 2.5}, r"max_atoms must be a whole number of at least 1\. Got 2\.5"),
        ({"n_best": True}, r"n_best must be a whole number of at least 1\. Got True"),
        ({"noise": -0.1}, r"noise must be a standard deviation, zero or more\. Got -0\.1"),
        ({"elements": ["Fe", "o"]}, r"elements must name components of the descriptor\. Got 'o'"),
        ({"exclude": "Xx"}, r"exclude must name components of the descriptor\. Got 'Xx'"),
        ({"include": ["Fe"], "exclude": ["Fe"]}, r"exclude must not hold what include asks for\. Got 'Fe'"),
        ({"include": ["Fe", "O"], "max_elements": 1}, r"max_elements must be at least .* \(2\)\. Got 1"),
        ({"include": ["Fe", "O"], "max_atoms": 1}, r"max_atoms must be at least .* \(2\)\. Got 1"),
        ({"elements": ["Fe"], "exclude": ["Fe"]}, r"elements must leave at least one element\. Got \['Fe'\]"),
        ({"mixed_valence": True}, r"mixed_valence must be left out when charges are not balanced\. Got True"),
        ({"oxidation_states": "known"}, r"oxidation_states must be left out .* Set charge_balance=True"),
        (
            {"charge_balance": True, "elements": ["Fe", "O"], "electronegativity": {"Fe": 1.8}},
            r"electronegativity must have a number for every element\. Got 'O'",
        ),
    ],
)  # fmt: skip
def test_errors_read_their_numbers(H, options, message):
    with pytest.raises(InputError, match=message):
        decode(H, descriptor(H, Fe=1), NAMES, **options)


def test_wrong_length_states_both(H):
    with pytest.raises(InputError, match=r"decode: phi must have 120 columns.*Got '119 columns'"):
        decode(H, np.ones(119), NAMES)
