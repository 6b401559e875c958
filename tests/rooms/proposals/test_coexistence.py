"""Compositions of phases, phase rule, and samples as told."""

import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.proposals.coexistence import Coexistence, barycentric
from sozai.proposals.phase_rule import PhaseRule, PhaseRuleViolation, closed_by_hull, neighbor_violations
from sozai.proposals.phase_samples import canonical_phase, similar_phase

TRIANGLE = [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]


def test_three_phases_imply_seven_labels():
    field = Coexistence(("A", "B", "C"), TRIANGLE)
    implied = dict(field.implied())
    assert list(implied) == ["A", "B", "C", "A+B", "A+C", "B+C", "A+B+C"]
    np.testing.assert_allclose(implied["A+C"], [0.45, 0.1, 0.45])
    np.testing.assert_allclose(implied["A+B+C"], [1 / 3] * 3)


def test_a_margin_tells_both_sides_of_a_boundary():
    pair = Coexistence(("A", "B"), [[0.9, 0.1], [0.3, 0.7]]).implied(0.01 * np.sqrt(2))
    assert [label for label, _ in pair] == ["A", "B", "A+B", "A+B", "A+B"]
    np.testing.assert_allclose([x[0] for _, x in pair], [0.91, 0.29, 0.6, 0.89, 0.31], atol=1e-12)
    edge = dict(Coexistence(("A", "B"), [[1.0, 0.0], [0.3, 0.7]]).implied(0.1)[:1])
    np.testing.assert_allclose(edge["A"], [1.0, 0.0], atol=1e-12)  # no fraction gets negative


def test_lever_rule_and_what_lies_inside():
    field = Coexistence(("A", "B", "C"), TRIANGLE)
    sample = np.array([0.5, 0.3, 0.2]) @ np.array(TRIANGLE)
    found = field.lever(sample)
    np.testing.assert_allclose(list(found.fractions.values()), [0.5, 0.3, 0.2], atol=1e-12)
    assert found.residual < 1e-12
    far = field.lever([1.0, 0.0, 0.0])
    assert far.fractions["A"] == pytest.approx(1.0)
    assert far.residual == pytest.approx(np.sqrt(0.2**2 + 2 * 0.1**2))
    points = np.array([sample, [1.0, 0.0, 0.0], TRIANGLE[0]])
    assert field.contains(points).tolist() == [True, False, True]
    line = Coexistence(("A", "B"), TRIANGLE[:2])
    assert line.contains(np.array([[0.45, 0.45, 0.1], [0.4, 0.4, 0.2]]), 1e-6).tolist() == [True, False]
    assert line.contains(np.array([[0.4, 0.4, 0.2]]), 0.2).tolist() == [True]


def test_barycentric_weights_rebuild_the_point():
    corners = np.array(TRIANGLE)
    weights = np.random.default_rng(0).dirichlet(np.ones(3), 10)
    found, distance = barycentric(weights @ corners, corners)
    np.testing.assert_allclose(found, weights, atol=1e-12)
    assert distance.max() < 1e-12


def test_per_cent_and_names():
    gap = Coexistence(("FCC", "FCC"), [[90, 10], [20, 80]])
    np.testing.assert_allclose(gap.compositions, [[0.9, 0.1], [0.2, 0.8]])
    assert list(gap.lever([0.5, 0.5]).fractions) == ["FCC", "FCC#2"]
    named = Coexistence(("A", "B"), {"B": [0.2, 0.8], "A": [0.9, 0.1]})
    np.testing.assert_allclose(named.compositions[0], [0.9, 0.1])


@pytest.mark.parametrize(
    ("phases", "table", "words"),
    [
        (("A", "B"), [[0.5, 0.5]], r"one row for each of \['A', 'B'\]\. Got 'shape \(1, 2\)'"),
        (("A", "B"), [[0.5, 0.5], [0.5, 0.6]], r"add up to 1 within 2 %\. Got \[0\.5, 0\.6\] for B"),
        (("A", "B"), [[1.2, -0.2], [0.5, 0.5]], r"0 or more .* Got \[1\.2, -0\.2\] for A"),
        (("A", "B"), {"A": [1, 0], "C": [0, 1]}, r"name the phases \['A', 'B'\]\. Got \['A', 'C'\]"),
    ],
)
def test_bad_compositions(phases, table, words):
    with pytest.raises(InputError, match=words):
        Coexistence(phases, table)


def test_crossing_and_overlap_are_found():
    rule = PhaseRule(3)
    cross = [
        (0, Coexistence(("A", "B"), [[0.8, 0.2, 0.0], [0.0, 0.2, 0.8]])),
        (1, Coexistence(("C", "D"), [[0.4, 0.0, 0.6], [0.4, 0.6, 0.0]])),
        (2, Coexistence(("A", "B"), [[0.79, 0.2, 0.01], [0.0, 0.21, 0.79]])),
    ]
    found = rule.violations(cross)
    assert [(one.kind, one.samples) for one in found] == [("crossing", (0, 1)), ("crossing", (1, 2))]
    # where they meet, x0 = .4: half way along the first, a third along the second
    assert found[0].depth == pytest.approx(1 / 3, abs=0.01)
    near = [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]]
    fields = [(0, Coexistence(("A", "B", "C"), TRIANGLE)), (1, Coexistence(("A", "B", "D"), near))]
    assert [one.kind for one in rule.violations(fields)] == ["overlap"]
    touching = [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.5, 0.5, 0.0]]
    assert rule.violations([fields[0], (1, Coexistence(("A", "B", "D"), touching))]) == []
    assert rule.violations([fields[0], (1, fields[0][1])]) == []


def test_too_many_phases():
    rule = PhaseRule(2)
    assert rule.check("A+B", place="tell", at="here") is None
    assert "at most 2 phases" in rule.check("A+B+C", place="tell", at="for candidate 3")
    with pytest.raises(InputError, match=r"at most 2 phases .* Got \"3 in 'A\+B\+C'\" for candidate 3"):
        PhaseRule(2, strict=True).check("A+B+C", place="tell", at="for candidate 3")
    assert PhaseRule(2, sections=True).check("A+B+C", place="tell", at="") is None
    assert PhaseRuleViolation("overlap", ("A", "B"), (1, 2), 0.25).depth == 0.25


def grid(n=21):
    return np.stack(np.meshgrid(np.linspace(0, 1, n), np.linspace(0, 1, n)), axis=-1).reshape(-1, 2)


def test_hull_is_closed_only_where_nothing_contradicts():
    nodes = grid()
    samples = np.array([[0.2, 0.2], [0.6, 0.2], [0.2, 0.6], [0.3, 0.3], [0.9, 0.9]])
    own = np.array([True, True, True, True, False])
    sure = np.full(len(nodes), 0.9)
    closed, count = closed_by_hull(nodes, samples, own, sure)
    assert count == 1
    inside = (nodes[:, 0] >= 0.2 - 1e-9) & (nodes[:, 1] >= 0.2 - 1e-9) & (nodes.sum(axis=1) <= 0.8 + 1e-9)
    np.testing.assert_array_equal(closed, inside)
    stranger = np.vstack([samples, [[0.35, 0.35]]])
    assert closed_by_hull(nodes, stranger, np.append(own, False), sure)[1] == 0
    doubt = np.where((nodes == [0.25, 0.25]).all(axis=1), 0.4, 0.9)
    assert closed_by_hull(nodes, samples, own, doubt)[1] == 0
    assert closed_by_hull(nodes, samples[:3], np.array([True, True, False]), sure)[1] == 0


def test_two_separate_triangles_of_one_label_are_not_joined():
    rng = np.random.default_rng(0)
    left = rng.uniform(0.0, 0.2, (12, 2))
    right = rng.uniform(0.8, 1.0, (12, 2))
    samples = np.vstack([left, right])
    nodes = grid(41)
    closed, count = closed_by_hull(nodes, samples, np.ones(24, dtype=bool), np.ones(len(nodes)))
    assert count == 2
    assert not closed[(nodes[:, 0] > 0.25) & (nodes[:, 0] < 0.75)].any()
    assert closed.any()


def test_flat_hull_closes_nothing():
    line = np.column_stack([np.linspace(0, 1, 5), np.linspace(0, 1, 5)])
    assert closed_by_hull(grid(), line, np.ones(5, dtype=bool), np.ones(441))[1] == 0


def test_neighbors_that_cannot_touch():
    Z = np.stack(np.meshgrid(np.arange(4.0), np.arange(4.0)), axis=-1).reshape(-1, 2)
    labels = np.where(Z[:, 0] < 2, "A+B+C", "D")
    found = neighbor_violations(labels.tolist(), Z, 3)
    assert found == [(1, 2), (5, 6), (9, 10), (13, 14)]
    assert neighbor_violations(np.where(Z[:, 0] < 2, "A+B", "A").tolist(), Z, 3) == []


def test_spelling():
    assert canonical_phase("B+A", ["A+B"], place="tell", at="") == "A+B"
    assert canonical_phase("A+A", ["A"], place="tell", at="") == "A+A"
    known = ["FCC_A1", "LIQUID", "LAVES_C15", "BCC_A2"]
    near = {name: similar_phase(name, known) for name in (
        "FCCA1", "fcc_a1", "LIQUD", "LIQIUD", "LAVES_C36", "BCC_B2", "HCP_A3", "LIQUID", "LAVES_C1", "B"
    )}  # fmt: skip
    assert near == {
        "FCCA1": "FCC_A1", "fcc_a1": "FCC_A1", "LIQUD": "LIQUID", "LIQIUD": "LIQUID", "LAVES_C36": None,
        "BCC_B2": None, "HCP_A3": None, "LIQUID": None, "LAVES_C1": None, "B": None,
    }  # fmt: skip
