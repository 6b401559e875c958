"""Screening, extending, searching: against brute force, on planted laws, and at the edges."""

import itertools
import re

import numpy as np
import pytest
from sklearn.base import clone

from sozai.contracts.errors import ConvergenceWarning, InputError
from sozai.symbolic.search import search_run, strata
from sozai.symbolic.search.candidates import CandidateSpace
from sozai.symbolic.search.rungs import grow
from sozai.symbolic.search.screen_then_l0 import ScreenThenL0
from sozai.symbolic.search.screening import PartialGain, screen
from sozai.symbolic.search.strata import Ladder, in_turn, n_simplest
from sozai.symbolic.search.task_models import TaskModel
from sozai.symbolic.selection import Exhaustive

SMALL = ((), ("sum", "product", "ratio"))
LARGE = (("exp_neg", "square"), ("sum", "difference", "product", "ratio"))


def make_space(X, operations=SMALL, rung=2, names="abcde"):
    unary, pairs = operations
    names = list(names[: X.shape[1]])
    base = grow(X, names, operations=unary, pair_operations=pairs, rung=rung - 1)
    return CandidateSpace.of(base, unary, pairs)


def table(seed, m=40, n=3):
    return np.random.default_rng(seed).uniform(0.5, 3, (m, n))


def determination(columns, y, tasks=None):
    """Share of the within-task squares explained, by lstsq task by task."""
    tasks = np.zeros(len(y), int) if tasks is None else tasks
    rest = total = 0.0
    for task in set(tasks.tolist()):
        r = tasks == task
        A = np.column_stack([np.ones(r.sum()), columns[r]])
        rest += np.sum((y[r] - A @ np.linalg.lstsq(A, y[r], rcond=None)[0]) ** 2)
        total += np.sum((y[r] - y[r].mean()) ** 2)
    return 1 - rest / total


def everything(space, y):
    """Values and ids of every distinct candidate."""
    found = screen(space, PartialGain(y), n_keep=10**6)
    return found.values.T, found.ids


def best_subsets(V, y, size, n, tasks=None):
    scored = [(-determination(V[:, s], y, tasks), s) for s in itertools.combinations(range(V.shape[1]), size)]
    return [subset for _, subset in sorted(scored)[:n]]


@pytest.mark.parametrize("tasks", [None, np.repeat([0, 1], [22, 18])])
def test_equals_forward_selection_by_brute_force(tasks):
    X = table(0)
    y = X[:, 0] * X[:, 1] - X[:, 2] + 0.3 * np.random.default_rng(1).normal(size=40)
    if tasks is not None:
        y = np.where(tasks == 0, y, 3 - 2 * y + X[:, 2])
    space = make_space(X, rung=1)
    V, ids = everything(space, y)
    assert len(ids) == 3 + 3 + 3 + 6
    kept: list[int] = []
    for size in (1, 2, 3):
        pool = np.array(kept, dtype=int)
        starts = (
            [()] if size == 1 else [pool[list(s)] for s in best_subsets(V[:, pool], y, size - 1, 2, tasks)]
        )
        score = [max(determination(V[:, [*s, k]], y, tasks) for s in starts) for k in range(len(ids))]
        new = np.argsort(-np.round(score, 10), kind="stable")[:4].tolist()
        kept += [k for k in new if k not in kept]
    found = ScreenThenL0(4, 3, n_residuals=2, n_simple=0).find(space, y, tasks=tasks)
    assert set(found.generated.ids[1:].tolist()) == set(ids[kept].tolist())
    pool = V[:, kept]
    for size in (1, 2, 3):
        best = pool[:, best_subsets(pool, y, size, 1, tasks)[0]]
        model = found.models.of_size(size)[0]
        assert model.r2 == pytest.approx(determination(best, y, tasks), abs=1e-10)
        columns = found.generated.values[:, model.columns]
        assert determination(columns, y, tasks) == pytest.approx(model.r2, abs=1e-10)
        assert model.terms == tuple(found.generated.names[k] for k in model.columns)


def test_shape_of_the_answer():
    X = table(2)
    y = X[:, 0] * X[:, 1] + 0.2 * X[:, 2] + 0.1 * np.random.default_rng(0).normal(size=40)
    space = make_space(X)
    found = ScreenThenL0((30, 20), 2, n_best=7).find(space, y)
    made = found.generated
    assert made.names[0] == "1"
    assert (made.values[:, 0] == 1).all()
    assert made.values.flags.f_contiguous
    assert (np.diff(made.complexity[1:]) >= 0).all()
    np.testing.assert_allclose(made.expressions.evaluate(made.ids, X), made.values, rtol=1e-13)
    assert [len(s.ids) for s in found.screens] == [30, 20]
    for one in found.screens:
        assert np.isin(one.ids, made.ids).all()
    sizes = [model.n_terms for model in found.models]
    assert sizes == sorted(sizes)
    assert sizes.count(0) == 1
    for size in (1, 2):
        errors = [model.rmse for model in found.models.of_size(size)]
        assert 7 <= len(errors) <= 14
        assert all(b >= a * (1 - 1e-9) for a, b in itertools.pairwise(errors))
    assert found.n_candidates == space.n_candidates
    assert found.complexity_counts[1].sum() == space.n_candidates
    assert found.complete
    assert re.match(
        r"screen 1: [\d,]+ candidates scored, \d+ of them again .* 30 kept", found.models.notes[0]
    )
    assert re.match(r"laws of 2 terms: all were compared of the \d+ simplest", found.models.notes[1])
    assert "screen 2 beside 10 laws of 1 term" in found.models.notes[2]
    assert repr(found).startswith(f"SearchResult({len(found.models)} laws of {len(made) - 1} survivors of")
    assert len(found.to_frame()) == len(found.models)
    assert {"reason", "operation", "count", "examples"} <= set(made.report.columns)


def test_laws_are_those_of_the_exhaustive_selector():
    X = table(3)
    y = X[:, 0] / X[:, 1] + 0.2 * np.random.default_rng(0).normal(size=40)
    found = ScreenThenL0(20, 3, n_best=9, n_simple=0).find(make_space(X), y)
    made = found.generated
    expected = Exhaustive(3, min_terms=0, n_best=9).select(
        made.values[:, 1:], y, made.names[1:], complexity=made.complexity[1:]
    )
    assert [model.terms for model in found.models] == [model.terms for model in expected]
    np.testing.assert_array_equal([m.q2 for m in found.models], [m.q2 for m in expected])


@pytest.mark.parametrize("n_jobs", [2, 4])
def test_workers_change_no_bit(n_jobs):
    X = table(4)
    y = X[:, 0] / X[:, 1] + X[:, 2] ** 2 + 0.1 * np.random.default_rng(0).normal(size=40)
    one = ScreenThenL0(15, 2).find(make_space(X, LARGE), y)
    many = ScreenThenL0(15, 2, n_jobs=n_jobs).find(make_space(X, LARGE), y)
    assert one.generated.names == many.generated.names
    assert one.generated.values.tobytes() == many.generated.values.tobytes()
    assert [m.terms for m in one.models] == [m.terms for m in many.models]
    assert [m.rmse for m in one.models] == [m.rmse for m in many.models]


PLANTED = {
    "3 ab/c": (2, 1, lambda a, b, c, d: 3 * a * b / c),
    "(a + b)(c - d)": (2, 1, lambda a, b, c, d: (a + b) * (c - d)),
    "ab + 2.7 c/d": (2, 2, lambda a, b, c, d: a * b + 2.7 * c / d),
    "exp(-a) b + 3.3 d^2": (2, 2, lambda a, b, c, d: np.exp(-a) * b + 3.3 * d**2),
    "a/(b + c) - 1.7 cd": (2, 2, lambda a, b, c, d: a / (b + c) - 1.7 * c * d),
    "exp(-ab)/(a + c)": (3, 1, lambda a, b, c, d: np.exp(-a * b) / (a + c)),
    "ab + 2.7 exp(-c)/(a + b)": (3, 2, lambda a, b, c, d: a * b + 2.7 * np.exp(-c) / (a + b)),
    "exp(-a) b - 1.3 b/(a + c)": (3, 2, lambda a, b, c, d: np.exp(-a) * b - 1.3 * b / (a + c)),
}


def recovers(law, seed):
    """Whether the best law of at most the right size is the planted one."""
    rung, n_terms, function = PLANTED[law]
    X = table(seed, 60, 4)
    y = function(*X.T)
    if rung == 2:
        space = make_space(X, LARGE)
    else:
        space = make_space(X[:, :3], (("exp_neg",), ("sum", "product", "ratio")), rung=3)
    models = ScreenThenL0(max_terms=n_terms).find(space, y).models
    best = min((models.of_size(k)[0] for k in range(1, n_terms + 1)), key=lambda model: model.rmse)
    return best.rmse < 1e-10 * y.std()


@pytest.mark.parametrize("law", PLANTED)
def test_planted_laws_come_back(law):
    assert recovers(law, 0)


@pytest.mark.slow
@pytest.mark.parametrize("law", PLANTED)
def test_planted_laws_come_back_in_all_of_ten_seeds(law):
    assert [recovers(law, seed) for seed in range(10)] == [True] * 10


def test_the_ladder_finds_what_the_plain_search_misses():
    X = table(1, 60)
    y = X[:, 0] * X[:, 1] + 2.7 * np.exp(-X[:, 2]) / (X[:, 0] + X[:, 1])
    space = make_space(X, (("exp_neg",), ("sum", "product", "ratio")), rung=3)
    assert ScreenThenL0(10, 2, n_residuals=5, n_simple=30).find(space, y).models.of_size(2)[0].terms == (
        "a*b",
        "exp(-c)/(a + b)",
    )
    assert ScreenThenL0(10, 2, n_residuals=5, n_simple=0).find(space, y).models.of_size(2)[0].r2 < 1 - 1e-6


def test_the_ladder_has_a_pool_and_grows_fivefold():
    space = make_space(table(5, n=4), LARGE, rung=3, names="abcd")
    levels, counts = space.complexity_counts
    ladder = Ladder.of(space)
    sizes = [int(counts[levels <= limit].sum()) for limit in ladder.steps]
    n_pool = len(ladder.pool)
    assert ladder.pool == tuple(range(1, n_pool + 1))
    assert sizes[n_pool - 1] <= 6000 < sizes[n_pool]
    assert len(ladder.passes) >= 2
    assert all(b >= 5 * a for a, b in itertools.pairwise([*sizes[n_pool - 1 :], space.n_candidates]))
    part = space.up_to(ladder.pool[-1])
    assert part.n_candidates == sizes[n_pool - 1]
    found = screen(part, PartialGain(table(6)[:, 0]), n_keep=10**4)
    assert found.n_scored <= part.n_candidates
    assert {"a", "b", "a*b", "a + b", "a/b"} <= set(found.names)


def test_how_many_of_the_simplest_are_compared():
    assert [n_simplest(size, 1) for size in (2, 3, 4)] == [2000, 494, 149]
    assert n_simplest(2, 20) == 447  # twenty tasks, a twentieth of the pairs


def test_terms_that_explain_little_alone():
    X = table(7, 60)
    f, g = X[:, 0] / X[:, 1], X[:, 0] / (X[:, 1] + X[:, 2])
    y = f / f.std() - g / g.std()
    assert determination(f[:, None], y) < 0.2
    space = make_space(X, (("exp_neg",), ("sum", "product", "ratio")), rung=3)
    options = {"n_keep": 5, "max_terms": 2, "n_residuals": 1}
    found = ScreenThenL0(**options, n_simple=5).find(space, y).models.of_size(2)[0]
    assert set(found.terms) == {"a/b", "a/(b + c)"}
    assert ScreenThenL0(**options, n_simple=0).find(space, y).models.of_size(2)[0].r2 < 1 - 1e-6


def test_items_in_turn():
    assert in_turn([[1, 2, 3], [1, 9], [4]], 4) == [1, 4, 2, 9]
    assert in_turn([[1, 2, 3], [1, 9]], 9, without=[2]) == [1, 9, 3]
    assert in_turn([], 3) == []


@pytest.mark.parametrize("sign", [None, 1])
def test_long_laws_are_searched_among_the_most_promising(sign, monkeypatch):
    X = table(23, n=4)
    y = X[:, 0] * X[:, 1] + np.random.default_rng(0).normal(size=40)
    monkeypatch.setattr(search_run, "AFFORDABLE", 3000)
    found = ScreenThenL0(8, 3, coefficient_sign=sign).find(make_space(X, LARGE), y)
    survivors = len(found.generated) - 1
    assert survivors > 100
    assert f"laws of 3 terms were searched among 27 of {survivors} survivors" in found.models.notes
    assert found.models.of_size(3)[0].r2 >= found.models.of_size(2)[0].r2 - 1e-9
    made = found.generated
    for model in found.models:
        assert model.terms == tuple(made.names[k] for k in model.columns)
        np.testing.assert_allclose(model.predict(made.values[:, model.columns]), model.fitted, rtol=1e-9)


# -- tasks and signs ------------------------------------------------------------------------------


def test_laws_of_tasks_share_terms():
    X = table(7, 60)
    tasks = np.array(["iron", "zinc", "gold"])[np.arange(60) % 3]
    slope = {"iron": 1.0, "zinc": -4.0, "gold": 0.5}
    y = np.array([slope[t] for t in tasks]) * X[:, 0] / X[:, 1] + (tasks == "zinc") * 7
    found = ScreenThenL0(20, 2).find(make_space(X), y, tasks=tasks)
    law = found.models.of_size(1)[0]
    assert isinstance(law, TaskModel)
    assert law.terms == ("a/b",)
    assert law.tasks == ("gold", "iron", "zinc")
    np.testing.assert_allclose(law.coefficients[:, 0], [0.5, 1, -4], rtol=1e-10)
    np.testing.assert_allclose(law.intercepts, [0, 0, 7], atol=1e-10)
    assert law.columns == law.model_of("iron").columns
    assert found.generated.names[law.columns[0]] == "a/b"
    assert "y is reproduced exactly by 1 term: no screen for more" in found.models.notes
    mean = found.models.of_size(0)[0]
    np.testing.assert_allclose(mean.intercepts, [y[tasks == t].mean() for t in law.tasks])


def test_task_weights_change_the_choice():
    X = table(8, 60)
    tasks = np.repeat([0, 1], 30)
    y = np.where(tasks == 0, X[:, 0], 3 * X[:, 1])
    space = make_space(X, rung=1)
    for weights, terms in (({0: 100.0, 1: 1.0}, ("a",)), ({0: 1.0, 1: 100.0}, ("b",))):
        found = ScreenThenL0(5, 1).find(space, y, tasks=tasks, weights=weights)
        assert found.models.of_size(1)[0].terms == terms


def test_coefficients_of_one_sign():
    X = table(9, 50)
    y = 2 * X[:, 0] - 3 * X[:, 1] + 0.1 * np.random.default_rng(0).normal(size=50)
    space = make_space(X, rung=1)
    free = ScreenThenL0(15, 2).find(space, y)
    signed = ScreenThenL0(15, 2, coefficient_sign=1).find(space, y)
    assert set(free.models.of_size(2)[0].terms) == {"a", "b"}
    assert all((model.coefficients > 0).all() for model in signed.models)
    made = signed.generated
    expected = min(
        np.sum((y - A @ beta) ** 2)
        for s in itertools.combinations(range(1, len(made)), 2)
        for A in [np.column_stack([np.ones(50), made.values[:, s]])]
        for beta in [np.linalg.lstsq(A, y, rcond=None)[0]]
        if (beta[1:] > 0).all()
    )
    assert signed.models.of_size(2)[0].rmse == pytest.approx(np.sqrt(expected / 50))
    tasks = np.arange(50) % 2
    both = ScreenThenL0(15, 2, coefficient_sign=-1).find(space, y, tasks=tasks)
    assert all((model.coefficients < 0).all() for model in both.models)


def test_no_law_of_one_sign():
    X = table(10, 30, 1)
    found = ScreenThenL0(5, 1, coefficient_sign=-1).find(make_space(X, ((), ()), rung=1), X[:, 0] * 2)
    assert [model.n_terms for model in found.models] == [0]
    assert "1 term: no law has negative coefficients only" in found.models.notes


# -- edges ----------------------------------------------------------------------------------------


def test_an_exact_law_stops_the_screens_without_a_warning():
    X = table(11)
    found = ScreenThenL0(20, 3).find(make_space(X), X[:, 0] / X[:, 2] * 4 - 1)
    assert len(found.screens) == 1
    assert found.models.of_size(1)[0].terms == ("a/c",)
    assert "y is reproduced exactly by 1 term: no screen for more" in found.models.notes
    assert found.models.of_size(3)[0].rmse < 1e-12


def test_fewer_candidates_than_wanted():
    X = table(12, n=2)
    found = ScreenThenL0(100, 3).find(make_space(X, rung=1), X[:, 0] ** 1.5 * X[:, 1])
    assert len(found.screens) == 1
    assert found.models.notes[-1] == "all 6 distinct candidates survived screen 1"
    assert len(found.generated) == 7
    assert len(found.models.of_size(3)) == 19  # of 20: a, b and a + b depend on each other


@pytest.mark.parametrize("m", [3, 4, 5])
@pytest.mark.filterwarnings("ignore:.*leverage 1")
def test_few_rows(m):
    X = table(13, m)
    found = ScreenThenL0(10, 3).find(make_space(X, rung=1), X[:, 0] + X[:, 1] ** 2)
    assert max(model.n_terms for model in found.models) == m - 2
    ends = {3: "laws end at 1 term: 3 samples", 4: "laws end at 2 terms: 4 samples"}
    assert [note for note in found.models.notes if "laws end" in note] == ([ends[m]] if m in ends else [])
    tasks = ["a"] * m + ["b"] * 30
    X = table(13, m + 30)
    found = ScreenThenL0(10, 3).find(make_space(X, rung=1), X[:, 0] + X[:, 1] ** 2, tasks=tasks)
    assert max(model.n_terms for model in found.models) == m - 2
    assert (f"{ends.get(m)} in the smallest task" in found.models.notes) == (m in ends)


def test_constant_y_is_its_mean():
    space = make_space(table(14))
    with pytest.warns(ConvergenceWarning, match="y is constant; the law is its mean"):
        found = ScreenThenL0(10, 2).find(space, np.full(40, 2.5))
    assert [(model.n_terms, model.intercept) for model in found.models] == [(0, 2.5)]
    assert found.screens == ()
    assert found.generated.names == ("1",)
    tasks = np.repeat([0, 1], 20)
    with pytest.warns(ConvergenceWarning, match="y is constant"):
        found = ScreenThenL0(10, 2).find(space, 1.0 + tasks, tasks=tasks)
    assert found.models[0].intercepts.tolist() == [1, 2]


def test_min_terms_leaves_the_mean_out():
    X = table(15)
    y = X[:, 0] + 0.3 * np.random.default_rng(0).normal(size=40)
    found = ScreenThenL0(10, 2, min_terms=2).find(make_space(X, rung=1), y)
    assert {model.n_terms for model in found.models} == {2}


def test_too_many_candidates_are_refused_before_work():
    space = make_space(table(16), LARGE)
    n = space.n_candidates
    text = rf"at least the {n:.4g} formulas of this space\. Got 100\. 3 screens take about .* s on one core"
    with pytest.raises(InputError, match=text.replace("+", r"\+")):
        ScreenThenL0(max_candidates=100).find(space, table(16)[:, 0])


def test_too_many_subsets_are_refused_before_work():
    space = make_space(table(17, n=4), LARGE, rung=3)
    with pytest.raises(
        InputError, match=r"n_keep must leave at most 1e\+10 subsets of 4 .* 4\.361e\+12 subsets"
    ):
        ScreenThenL0(800, 4).find(space, table(17)[:, 0])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_keep": 0}, r"n_keep must be at least 1\. Got 0"),
        ({"n_keep": (5, 5)}, r"one number a screen \(3\)\. Got \(5, 5\)"),
        ({"n_keep": "all"}, r"n_keep must be a number or one number a screen\. Got 'all'"),
        ({"n_keep": 2.5}, r"Got 2\.5"),
        ({"max_terms": 0}, r"max_terms must be a whole number of at least 1\. Got 0"),
        ({"min_terms": 4}, r"max_terms must be a whole number of at least 4\. Got 3"),
        ({"min_terms": -1}, r"min_terms must be .* at least 0\. Got -1"),
        ({"n_residuals": 0}, r"n_residuals must be .* at least 1\. Got 0"),
        ({"n_simple": -1}, r"n_simple must be .* at least 0\. Got -1"),
        ({"n_best": 0}, r"n_best must be .* at least 1\. Got 0"),
        ({"coefficient_sign": 2}, r"coefficient_sign must be None, 1 or -1\. Got 2"),
        ({"on_interrupt": "pray"}, r"on_interrupt must be 'raise' or 'return'\. Got 'pray'"),
    ],
)
def test_wrong_parameters_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        ScreenThenL0(**options).find(make_space(table(18), rung=1), table(18)[:, 0])


def test_wrong_data_are_refused():
    space = make_space(table(19), rung=1)
    y = table(19)[:, 0]
    for options, words in (
        ({"y": y[:10]}, r"one value per row of X \(40\)\. Got 10"),
        ({"tasks": [0, 1]}, r"one label per row \(40\)\. Got 2"),
        ({"tasks": np.arange(40) % 2, "weights": [1, 2, 3]}, r"one number per task \(2\)"),
    ):
        with pytest.raises(InputError, match=words):
            ScreenThenL0().find(space, **{"y": y, **options})
    with pytest.raises(InputError, match=r"at least 3 rows\. Got 2"):
        ScreenThenL0().find(make_space(table(19, 2), rung=1), y[:2])
    with pytest.raises(InputError, match=r"min_terms must be at most 1 for 3 rows a task\. Got 2"):
        ScreenThenL0(min_terms=2).find(make_space(table(19, 3), rung=1), y[:3])


def test_the_object_can_be_cloned():
    plan = ScreenThenL0((5, 6), 2, n_jobs=2)
    assert clone(plan).get_params() == plan.get_params()


# -- interrupts and restarts ----------------------------------------------------------------------


class Stopped:
    """``screen`` that is interrupted on a call."""

    def __init__(self, call):
        self.left = call  # of all calls

    def __call__(self, *args, **options):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return screen(*args, **options)


@pytest.fixture
def small_steps(monkeypatch):
    """A ladder with steps above its pool in a space of a few thousand formulas."""
    monkeypatch.setattr(strata, "POOL", 50)
    monkeypatch.setattr(strata, "GROWTH", 2)


@pytest.mark.parametrize(("number", "step"), [(1, 0), (1, 1), (1, -1), (2, 0), (2, -1)])
def test_an_interrupt_returns_the_best_so_far(number, step, monkeypatch, small_steps):
    X = table(20, n=4)
    y = X[:, 0] * X[:, 1] + np.random.default_rng(0).normal(size=40)
    space = make_space(X, LARGE)
    n_passes = len(Ladder.of(space).passes) + 1
    assert n_passes >= 3
    calls = {1: range(1, n_passes + 2), 2: range(n_passes + 2, 2 * n_passes + 2)}  # the pool is read once
    call = calls[number][step]
    monkeypatch.setattr(search_run, "screen", Stopped(call))
    with pytest.raises(KeyboardInterrupt):
        ScreenThenL0(10, 2).find(space, y)
    monkeypatch.setattr(search_run, "screen", Stopped(call))
    found = ScreenThenL0(10, 2, on_interrupt="return").find(space, y)
    assert not found.complete
    assert not found.models.complete
    assert f"interrupted in screen {number} of 2" in found.models.notes
    assert len(found.screens) == number - 1
    assert (len(found.generated) == 1) == (call == 1)
    assert found.models.of_size(0)
    if call > 1:
        assert found.models.of_size(1)[0].r2 > 0.5
        assert found.models.of_size(2)
    assert "incomplete" in repr(found)


def test_a_run_that_was_stopped_goes_on(tmp_path, monkeypatch, small_steps):
    X = table(21, n=4)
    y = X[:, 0] * X[:, 1] + np.random.default_rng(0).normal(size=40)
    whole = ScreenThenL0(10, 2).find(make_space(X, LARGE), y)
    n_passes = len(Ladder.of(make_space(X, LARGE)).passes) + 1
    monkeypatch.setattr(search_run, "screen", Stopped(2 * n_passes + 1))
    with pytest.raises(KeyboardInterrupt):
        ScreenThenL0(10, 2, store=tmp_path / "run").find(make_space(X, LARGE), y)
    monkeypatch.setattr(search_run, "screen", screen)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("chunk*")}
    assert kept
    assert not any((tmp_path / "run").glob("*/screen-2/all"))
    again = ScreenThenL0(10, 2, store=tmp_path / "run").find(make_space(X, LARGE), y)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert any((tmp_path / "run").glob("*/screen-2/all/plan.json"))
    assert again.generated.names == whole.generated.names
    assert [m.rmse for m in again.models] == [m.rmse for m in whole.models]


def test_progress_is_told_about_every_screen():
    class Watcher:
        steps = 0

        def advance(self, n=1):
            self.steps += n

    watcher = Watcher()
    X = table(22)
    ScreenThenL0(5, 2, progress=watcher).find(make_space(X, rung=1), X[:, 0] ** 1.5)
    assert watcher.steps > 0
    ScreenThenL0(5, 2, progress=False).find(make_space(X, rung=1), X[:, 0] ** 1.5)
