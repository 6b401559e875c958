"""Screening against brute force: every candidate computed by NumPy and fitted by least squares."""

from functools import cache
from itertools import combinations, permutations

import joblib
import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.symbolic.formulas.canonical import split_number
from sozai.symbolic.formulas.operators import LEAF
from sozai.symbolic.operations import PAIR_OPERATIONS, UNARY_OPERATIONS
from sozai.symbolic.search import screening
from sozai.symbolic.search.candidates import CandidateSpace
from sozai.symbolic.search.rungs import grow
from sozai.symbolic.search.screening import PartialGain, screen

NUMPY = {
    "abs": np.abs,
    "inverse": lambda a: 1 / a,
    "square": np.square,
    "cube": lambda a: a**3,
    "sqrt": np.sqrt,
    "cbrt": np.cbrt,
    "exp": np.exp,
    "exp_neg": lambda a: np.exp(-a),
    "log": np.log,
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
}


def all_candidates(rungs, unary, pairs):
    """(operation or None, rows of the base) of every candidate, by the definition of a rung."""
    n, new = len(rungs), rungs.rung == rungs.rung.max()
    found = [(None, (i,)) for i in range(n)]
    found += [(UNARY_OPERATIONS[name], (i,)) for name in unary for i in range(n) if new[i]]
    for name in pairs:
        operation = PAIR_OPERATIONS[name]
        chosen = permutations(range(n), 2) if operation.ordered else combinations(range(n), 2)
        for i, j in chosen:
            legal = operation.allowed(rungs.expressions, rungs.ids[i], rungs.ids[j])
            if (new[i] or new[j]) and legal:
                found.append((operation, (i, j)))
    return found


def values_of(rungs, candidate):
    operation, rows = candidate
    with np.errstate(all="ignore"):
        if operation is None:
            return rungs.values[rows[0]]
        value = NUMPY[operation.steps[0]](*(rungs.values[i] for i in rows))
        for step in operation.steps[1:]:
            value = NUMPY[step](value)
    return value


def usable(value):
    largest = np.abs(value).max()
    return np.isfinite(value).all() and np.ptp(value) > 1e-12 * largest


def fitted_score(y, value, models, terms, tasks, weights):
    """Largest determination over the models, by least squares in every task."""
    total = sum(w * ((y[k] - y[k].mean()) ** 2).sum() for k, w in zip(tasks, weights, strict=True))
    best = -np.inf
    for model in models:
        error = 0.0
        for k, w in zip(tasks, weights, strict=True):
            columns = np.array([*(terms[t][k] for t in model), value[k]])
            columns /= np.maximum(np.abs(columns).max(axis=1, keepdims=True), 1e-322)
            columns = columns - columns.mean(axis=1, keepdims=True)
            columns /= np.maximum(np.abs(columns).max(axis=1, keepdims=True), 1e-300)
            target = y[k] - y[k].mean()
            basis, _ = np.linalg.qr(columns[:-1].T) if len(model) else (np.zeros((target.size, 0)), None)
            rest, f = target - basis @ (basis.T @ target), columns[-1]
            left = f - basis @ (basis.T @ f)
            left -= basis @ (basis.T @ left)
            gain = (left @ rest) ** 2 / (left @ left) if left @ left > 1e-9 * (f @ f) > 0 else 0.0
            error += w * (rest @ rest - gain)
        best = max(best, 1 - error / total)
    return best


def brute_force(
    rungs, unary, pairs, y, n_keep, models=((),), terms=(), tasks=None, weights=None, affine=True
):
    """Scores and hashes of the best distinct candidates."""
    labels = np.zeros(y.size, int) if tasks is None else np.asarray(tasks)
    parts = [np.flatnonzero(labels == k) for k in np.unique(labels)]
    weights = [1.0] * len(parts) if weights is None else weights
    store, found = rungs.expressions, {}
    for candidate in all_candidates(rungs, unary, pairs):
        value = values_of(rungs, candidate)
        if not usable(value):
            continue
        operation, rows = candidate
        ids = [int(rungs.ids[i]) for i in rows]
        node = ids[0] if operation is None else int(operation.apply(store, *ids))
        node = split_number(store, node)[1]
        if node == 0 or store.rejected[node] or node in found:
            continue
        score = fitted_score(y, value, models, terms, parts, weights)
        rank = int(store.complexity[node]), place_of(store, node), int(store.hash[node])
        found[node] = (round(score, 11), rank, value)
    classes = []
    for node, (score, rank, value) in sorted(found.items(), key=lambda item: -item[1][0]):
        unit = value / np.abs(value).max()
        unit = unit - unit.mean() if affine else unit
        unit = unit / np.linalg.norm(unit)
        for group in classes[: n_keep + 60]:
            if min(((group[0] - unit) ** 2).sum(), ((group[0] + unit) ** 2).sum()) < 2e-10:
                group[1].append((rank, score, node))
                break
        else:
            if len(classes) < n_keep + 60:
                classes.append((unit, [(rank, score, node)]))
    shown = sorted((min(group) for _, group in classes), key=lambda k: (-k[1], k[0][0], k[0][2]))[:n_keep]
    sizes = {min(group)[2]: len(group) - 1 for _, group in classes}
    return [k[1] for k in shown], [k[2] for k in shown], [sizes[k[2]] for k in shown]


def place_of(store, node):
    """Sum of the places of the columns of a formula."""
    if store.op[node] <= LEAF:
        return int(store.left[node]) if store.op[node] == LEAF else 0
    children = [child for child in (store.left[node], store.right[node]) if child >= 0]
    return sum(place_of(store, child) for child in children)


def agree(result, expected):
    scores, ids, sizes = expected
    np.testing.assert_allclose(result.scores, scores, rtol=0, atol=3e-9)
    assert result.names == tuple(result.expressions.texts(np.array(ids)))
    assert result.n_equivalents.tolist() == sizes
    assert np.isfinite(result.values).all()


EVERY_UNARY = tuple(UNARY_OPERATIONS)
EVERY_PAIR = tuple(PAIR_OPERATIONS)


def table(m=40, n=4, seed=0, offset=0.0):
    return offset + np.random.default_rng(seed).uniform(0.5, 2.0, size=(m, n))


def target(X, seed=1):
    rng = np.random.default_rng(seed)
    return (X[:, 0] - X[:, 1]) / X[:, 2] + 0.2 * X[:, 3] ** 2 + 0.05 * rng.normal(size=len(X))


@pytest.mark.parametrize("name", EVERY_UNARY)
def test_each_operation_on_one_feature_equals_brute_force(name):
    X = table() - (0.0 if name in ("sqrt", "log") else 1.2)
    y = target(table())
    rungs = grow(X, pair_operations=["difference"])
    result = screen(CandidateSpace.of(rungs, [name]), PartialGain(y), n_keep=8)
    agree(result, brute_force(rungs, [name], (), y, 8))


@pytest.mark.parametrize("name", EVERY_PAIR)
def test_each_operation_on_two_features_equals_brute_force(name):
    X = table() - 1.2
    y = target(table())
    rungs = grow(X, operations=["square"], pair_operations=["sum"])
    result = screen(CandidateSpace.of(rungs, (), [name]), PartialGain(y), n_keep=12)
    agree(result, brute_force(rungs, (), [name], y, 12))


def test_all_operations_together():
    X = table()
    y = target(X)
    rungs = grow(X, pair_operations=["difference", "ratio"])
    space = CandidateSpace.of(rungs, EVERY_UNARY, EVERY_PAIR)
    result = screen(space, PartialGain(y), n_keep=30)
    agree(result, brute_force(rungs, EVERY_UNARY, EVERY_PAIR, y, 30))
    assert result.n_scored + result.n_rejected["count"].sum() == space.n_candidates


# -- models, tasks, scales ------------------------------------------------------------------------


def test_several_models_at_once():
    X = table()
    y = target(X)
    rungs = grow(X, pair_operations=["sum", "ratio"])
    terms = rungs.values[[4, 9, 11, 2]]
    models = [(0,), (1,), (0, 1), (2, 3, 1), ()]
    pairs = ["sum", "product", "ratio", "abs_difference"]
    score = PartialGain(y, models=models, values=terms)
    result = screen(CandidateSpace.of(rungs, ["exp"], pairs), score, n_keep=20)
    agree(result, brute_force(rungs, ["exp"], pairs, y, 20, models, terms))


@pytest.mark.parametrize("noise", [3e-2, 1e-3])
def test_beside_a_law_that_is_nearly_exact(noise):
    """What is left to explain is tiny, and so is what may be overlooked."""
    X = table(m=60)
    rungs = grow(X, pair_operations=["sum", "ratio"])
    y = 2 * rungs.values[9] + noise * np.random.default_rng(4).normal(size=60)
    pairs = ["sum", "product", "ratio"]
    space = CandidateSpace.of(rungs, ["square"], pairs)
    result = screen(space, PartialGain(y, models=[(0,), (1,)], values=rungs.values[[9, 3]]), n_keep=15)
    scores, ids, sizes = brute_force(rungs, ["square"], pairs, y, 15, [(0,), (1,)], rungs.values[[9, 3]])
    left = 1 - np.corrcoef(y, rungs.values[9])[0, 1] ** 2
    assert left < 1e-3
    np.testing.assert_allclose(result.scores, scores, rtol=0, atol=1e-5 * left + 2e-11)
    assert result.ids.tolist() == ids
    assert result.n_equivalents.tolist() == sizes


def test_columns_that_say_the_same_are_shown_as_the_first_of_them():
    X = table(m=40)
    X = np.column_stack([X, 10 * X[:, 0]])
    space = CandidateSpace.of(grow(X, [*"abcd", "ten_a"], rung=0), (), ["product", "ratio"])
    result = screen(space, PartialGain(X[:, 0] * X[:, 1]), n_keep=20)
    assert result.names[0] == "a*b"
    assert result.equivalents[0] == ("b*ten_a",)


def test_terms_of_a_model_gain_nothing():
    X = table()
    score = PartialGain(target(X), models=[(0, 1)], values=X.T[:2])
    scores = score.evaluate(np.array([X[:, 0], 3 * X[:, 1] - X[:, 0] + 2, X[:, 2]]))
    assert scores[:2].tolist() == score.base_scores.tolist() * 2
    assert scores[2] > scores[0]


@pytest.mark.parametrize("weights", [None, (1.0, 0.3, 4.0)])
def test_tasks_have_their_own_coefficients(weights):
    X = table(m=45)
    tasks = np.random.default_rng(3).permutation(np.repeat([5, 7, 9], 15))
    y = target(X) * np.where(tasks == 5, 1.0, -2.0) + tasks
    rungs = grow(X, pair_operations=["difference"])
    terms = rungs.values[[1, 6]]
    models = [(0,), (1, 0)]
    pairs = ["sum", "ratio", "abs_sum", "inverse_product"]
    score = PartialGain(y, models=models, values=terms, tasks=tasks, weights=weights)
    result = screen(CandidateSpace.of(rungs, ["square"], pairs), score, n_keep=15)
    agree(result, brute_force(rungs, ["square"], pairs, y, 15, models, terms, tasks, weights))


def test_a_feature_that_is_constant_in_one_task():
    X = table(m=30)
    tasks = np.repeat([0, 1], 15)
    X[tasks == 1, 0] = 1.5
    y = target(X)
    rungs = grow(X, pair_operations=["sum"])
    pairs = ["product", "difference", "abs_difference"]
    result = screen(CandidateSpace.of(rungs, (), pairs), PartialGain(y, tasks=tasks), n_keep=10)
    agree(result, brute_force(rungs, (), pairs, y, 10, tasks=tasks))


def test_tasks_of_very_different_magnitude():
    X = table(m=30)
    tasks = np.repeat([0, 1], 15)
    X[tasks == 1] *= 1e-12
    y = target(table(m=30))
    rungs = grow(X, pair_operations=["sum"])
    pairs = ["product", "abs_difference", "inverse_sum"]
    result = screen(CandidateSpace.of(rungs, ["cube"], pairs), PartialGain(y, tasks=tasks), n_keep=10)
    agree(result, brute_force(rungs, ["cube"], pairs, y, 10, tasks=tasks))


def test_large_offsets_are_computed_and_not_guessed():
    X = table(n=3, offset=1e6)
    y = target(table())
    rungs = grow(X, pair_operations=["difference"])
    pairs = ["product", "ratio", "sum", "inverse_abs_product", "abs_sum"]
    result = screen(CandidateSpace.of(rungs, ["square", "inverse"], pairs), PartialGain(y), n_keep=5)
    scores, ids, _ = brute_force(rungs, ["square", "inverse"], pairs, y, 5)
    np.testing.assert_allclose(result.scores, scores, atol=1e-6)
    assert result.names == tuple(rungs.expressions.texts(np.array(ids)))
    assert result.n_suspects > 10


@pytest.mark.parametrize("scale", [1e-160, 1e160])
def test_extreme_scales(scale):
    X = table(n=4)
    y = target(X)
    large = X * [scale, scale, 1.0, 1.0 / scale]
    rungs = grow(large)
    pairs = ["product", "ratio", "sum", "inverse_product", "abs_difference"]
    space = CandidateSpace.of(rungs, ["square"], pairs)
    result = screen(space, PartialGain(y), n_keep=8)
    agree(result, brute_force(rungs, ["square"], pairs, y, 8))
    assert "overflow" in set(result.n_rejected["reason"]) or scale < 1
    assert result.n_scored + result.n_rejected["count"].sum() == space.n_candidates


def test_only_equal_values_merge_without_merge_affine():
    X = table()
    y = target(X)
    X = np.column_stack([X, 2 * X[:, 0] + 1])
    rungs = grow(X, pair_operations=["sum"])
    pairs = ["difference", "product", "abs_difference"]
    space = CandidateSpace.of(rungs, (), pairs)
    result = screen(space, PartialGain(y), n_keep=25, merge_affine=False)
    unit = result.values / np.linalg.norm(result.values, axis=1, keepdims=True)
    assert (np.abs(np.triu(unit @ unit.T, 1)) < 1 - 1e-15).all()
    centered = result.values - result.values.mean(axis=1, keepdims=True)
    centered /= np.linalg.norm(centered, axis=1, keepdims=True)
    assert (np.abs(np.triu(centered @ centered.T, 1)) > 1 - 1e-10).any()
    merged = screen(space, PartialGain(y), n_keep=10)
    assert merged.n_equivalents.sum() > 0
    assert len(merged.equivalents[int(merged.n_equivalents.argmax())]) <= 5


def test_what_has_no_value_is_counted():
    X = table(n=3)
    X[4, 0] = 0.0
    y = target(table())
    rungs = grow(X, ["a", "b", "c"], domain={"b": (-1.0, 3.0)})
    pairs = ["ratio", "inverse_product", "inverse_difference", "product"]
    space = CandidateSpace.of(rungs, ["log", "inverse"], pairs)
    result = screen(space, PartialGain(y), n_keep=50)
    counts = {(r, o): c for r, o, c in result.n_rejected.itertuples(index=False)}
    assert counts == {
        ("non-finite", "log"): 1,
        ("non-finite", "inverse"): 1,
        ("singular inside the domain", "log"): 1,
        ("singular inside the domain", "inverse"): 1,
        ("singular inside the domain", "ratio"): 2,
        ("non-finite", "ratio"): 2,
        ("singular inside the domain", "inverse_product"): 2,
        ("non-finite", "inverse_product"): 1,
    }
    assert result.n_scored == space.n_candidates - 11
    assert not any("/b" in name or "log(b)" in name for name in result.names)
    streamed = screen(space, OnlyEvaluate(y), n_keep=50)
    assert streamed.names == result.names
    assert streamed.n_rejected.sort_values(["reason", "operation"]).values.tolist() == (
        result.n_rejected.sort_values(["reason", "operation"]).values.tolist()
    )


# -- any score ------------------------------------------------------------------------------------


class OnlyEvaluate:
    """The same score without a closed form."""

    def __init__(self, y):
        self.gain = PartialGain(y)

    def evaluate(self, values):
        return self.gain.evaluate(values)


class Threshold:
    """Accuracy of the best single threshold: many ties."""

    def __init__(self, label):
        self.label = label

    def evaluate(self, values):
        best = []
        for row in values:
            sorted_label = self.label[np.argsort(row, kind="stable")]
            right = np.cumsum(sorted_label) + np.cumsum(~sorted_label[::-1])[::-1] - (~sorted_label)
            accuracy = right.max() / row.size
            best.append(max(accuracy, 1 - right.min() / row.size))
        return np.array(best)


@cache
def mixed_space():
    X = table()
    rungs = grow(X, pair_operations=["sum", "ratio"])
    return X, CandidateSpace.of(rungs, ["exp"], ["product", "abs_difference", "ratio"])


def test_a_score_without_closed_form_gives_the_same():
    X, space = mixed_space()
    y = target(X)
    closed, streamed = (screen(space, s, n_keep=20) for s in (PartialGain(y), OnlyEvaluate(y)))
    assert closed.scores.tolist() == streamed.scores.tolist()
    assert closed.names == streamed.names
    assert closed.values.tolist() == streamed.values.tolist()


def test_ties_go_to_the_simplest():
    X, space = mixed_space()
    result = screen(space, Threshold(target(X) > 0), n_keep=30)
    keys = list(
        zip(-np.round(result.scores, 12), result.complexity, result.expressions.hash[result.ids], strict=True)
    )
    assert keys == sorted(keys)
    assert len(np.unique(result.scores)) < 30


def test_an_undefined_score_is_counted():
    class Nothing:
        def evaluate(self, values):
            return np.where(values[:, 0] > 1.5, np.nan, values[:, 0])

    _, space = mixed_space()
    result = screen(space, Nothing(), n_keep=5)
    assert (result.scores <= 1.5).all()
    assert "score undefined" in set(result.n_rejected["reason"])


# -- nothing depends on who did what --------------------------------------------------------------


def bits(result):
    return (
        result.names, result.scores.tolist(), result.values.tobytes(), result.equivalents,
        result.n_equivalents.tolist(), result.n_suspects, result.n_scored,
    )  # fmt: skip


def many_chunks(**options):
    X = table(m=60, n=5)
    rungs = grow(X, pair_operations=["sum", "difference", "ratio"])
    space = CandidateSpace.of(rungs, ["exp"], ["sum", "product", "ratio", "abs_difference"])
    terms = rungs.values[[3, 8]]
    score = PartialGain(target(X), models=[(0,), (1,)], values=terms)
    call = {"n_jobs": None, "store": None, "progress": None, "chunk_seconds": (1e-9, 1e-9), **options}
    return screening._screen(space, score, 40, True, **call)


@pytest.mark.parametrize(
    "options",
    [
        {"n_jobs": 2},
        {"n_jobs": 4},
        {"chunk_seconds": (1e3, 1e3)},
        {"n_jobs": 2, "chunk_seconds": (1e-4, 1e-4)},
    ],
)
def test_workers_and_chunks_leave_every_bit(options):
    assert bits(many_chunks(**options)) == bits(many_chunks())


@pytest.mark.slow
def test_processes_leave_every_bit():
    with joblib.parallel_config(backend="loky", n_jobs=2):
        assert bits(many_chunks(chunk_seconds=(1e-3, 1e-3))) == bits(many_chunks())


def test_a_stopped_search_goes_on(tmp_path):
    expected = bits(many_chunks())
    assert bits(many_chunks(store=tmp_path)) == expected
    files = sorted(tmp_path.glob("chunk-*.zip"))
    assert len(files) > 4
    for path in files[::2]:
        path.unlink()
    kept = {path: path.stat().st_mtime_ns for path in files[1::2]}
    assert bits(many_chunks(store=tmp_path)) == expected
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_a_folder_of_another_search_is_refused(tmp_path):
    X, space = mixed_space()
    screen(space, PartialGain(target(X)), n_keep=4, store=tmp_path)
    with pytest.raises(InputError, match="belong to this run"):
        screen(space, PartialGain(target(X)), n_keep=5, store=tmp_path)


# -- bad input ------------------------------------------------------------------------------------


def test_score_of_other_samples():
    _, space = mixed_space()
    with pytest.raises(InputError, match=r"be made of the 40 samples of the space\. Got 7"):
        screen(space, PartialGain(np.arange(7.0)))


def test_score_without_evaluate():
    _, space = mixed_space()
    with pytest.raises(InputError, match=r"evaluate\(values\). Got 'float'"):
        screen(space, 1.0)


def test_n_keep():
    X, space = mixed_space()
    with pytest.raises(InputError, match=r"n_keep must be at least 1\. Got 0"):
        screen(space, PartialGain(target(X)), n_keep=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": [(3,)], "values": np.ones((2, 5))}, r"name rows of values \(0...1\). Got \(3,\)"),
        ({"models": []}, "at least one model"),
        ({"values": np.ones((2, 4))}, r"one column per sample \(5\). Got 4"),
        ({"tasks": [1, 2]}, r"one entry per sample \(5\). Got \(2,\)"),
        ({"tasks": [1, 1, 2, 2, 2], "weights": [1.0]}, r"tasks \[1, 2\]. Got \[1.0\]"),
        ({"tasks": [1, 1, 2, 2, 2], "weights": {1: 1.0}}, r"Got \[1.0, nan\]"),
    ],
)
def test_partial_gain_refuses(options, message):
    with pytest.raises(InputError, match=message):
        PartialGain(np.arange(5.0), **options)


def test_constant_target():
    with pytest.raises(InputError, match=r"y must vary\. Got 2\.0"):
        PartialGain(np.full(5, 2.0))


def test_result_as_table():
    X, space = mixed_space()
    result = screen(space, PartialGain(target(X)), n_keep=4)
    frame = result.to_frame()
    assert frame["formula"].tolist() == list(result.names)
    assert repr(result).startswith(f"ScreenResult(4 of {result.n_scored:,} candidates")


def test_score_of_a_wrong_shape():
    class Single:
        def evaluate(self, values):
            return 1.0

    _, space = mixed_space()
    with pytest.raises(InputError, match=r"one number per row, shape \(\d+,\)\. Got \(\)"):
        screen(space, Single())
