import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from sozai.composition import CompositionClassifier, parse_formula
from sozai.composition.class_probabilities import ProbabilityScale, best_weights
from sozai.contracts.errors import InputError

METALS = ["Li", "Na", "K", "Rb", "Cs", "Mg", "Ca", "Sr", "Ba", "Mn", "Fe", "Co", "Ni", "Zn", "Cd"]


def salts_and_oxides(n=60, seed=0):
    rng = np.random.default_rng(seed)
    halides = [
        f"{rng.choice(METALS)}{rng.choice(['F', 'Cl', 'Br', 'I'])}{rng.integers(1, 4)}" for _ in range(n)
    ]
    oxides = [
        f"{rng.choice(METALS)}{rng.integers(1, 4)}{rng.choice(['O', 'S'])}{rng.integers(1, 4)}"
        for _ in range(n)
    ]
    return halides + oxides, np.array(["halide"] * n + ["oxide"] * n)


@pytest.fixture(scope="module")
def fitted():
    formulas, labels = salts_and_oxides()
    return CompositionClassifier(random_state=0).fit(formulas, labels), formulas, labels


def test_classes_are_found_and_probabilities_add_up(fitted):
    classifier, _, _ = fitted
    new, truth = salts_and_oxides(50, seed=1)
    assert (classifier.predict(new) == truth).mean() > 0.95
    p = classifier.predict_proba(new)
    assert p.sum(axis=1) == pytest.approx(np.ones(100))
    assert classifier.classes_.tolist() == ["halide", "oxide"]


def test_scores_are_of_formulas_left_out(fitted):
    classifier, _, labels = fitted
    counts = classifier.confusion_matrix_.to_numpy()
    assert counts.sum() == len(labels)
    assert classifier.accuracy_ == pytest.approx(np.trace(counts) / len(labels))
    assert classifier.macro_f1_ == pytest.approx(classifier.class_scores_["f1"].mean())
    assert classifier.left_out_probabilities_.shape == (len(labels), 2)
    assert classifier.accuracy_ == pytest.approx((classifier.left_out_classes_ == labels).mean())


def test_scores_stand_together_with_their_protocol(fitted):
    classifier, formulas, labels = fitted
    score = classifier.validation_
    n_formulas = len({parse_formula(text).reduced_formula for text in formulas})
    assert n_formulas < len(formulas)
    assert score.protocol == "5 folds of whole reduced formulas"
    assert (score.accuracy, score.macro_f1) == (classifier.accuracy_, classifier.macro_f1_)
    assert score.calibration_error == classifier.calibration_error_
    assert score.level == 0.9
    own = np.searchsorted(classifier.classes_, labels)
    half = classifier.left_out(0.5)
    assert half.coverage == pytest.approx(half.sets[np.arange(len(labels)), own].mean())
    assert half.coverage <= score.coverage
    assert (classifier.left_out_sets(0.5) == half.sets).all()
    frame = half.to_frame()
    assert frame.columns.tolist() == ["prediction", "probability of halide", "probability of oxide", "fold"]
    assert (frame["prediction"] == classifier.left_out_classes_).all()
    assert sorted(set(frame["fold"])) == list(range(5))
    with pytest.raises(InputError, match=r"left_out: level must lie between 0 and 1. Got 1.5"):
        classifier.left_out(1.5)


def test_groups_of_the_user_are_left_out_together():
    formulas, labels = salts_and_oxides()
    groups = np.arange(120) % 12
    classifier = CompositionClassifier(random_state=0).fit(formulas, labels, groups=groups)
    assert classifier.accuracy_ > 0.8
    assert classifier.validation_.protocol == "5 folds of whole groups"
    folds = classifier.validation_.to_frame()["fold"].to_numpy()
    assert all(len(set(folds[groups == group])) == 1 for group in range(12))
    with pytest.raises(InputError, match="groups"):
        CompositionClassifier().fit(formulas, labels, groups=groups[:5])


def test_sets_hold_every_class_as_often_as_promised(fitted):
    classifier, _, _ = fitted
    new, truth = salts_and_oxides(300, seed=2)
    inside = classifier.predict_set(new, level=0.8)
    own = inside[np.arange(len(truth)), np.searchsorted(classifier.classes_, truth)]
    for name in ("halide", "oxide"):
        assert own[truth == name].mean() > 0.65
    assert classifier.predict_set(new, level=0.999999).all()


def test_what_no_training_formula_holds_is_outside(fitted):
    classifier, formulas, _ = fitted
    table = classifier.applicability(["UN", formulas[3]])
    assert table["in_domain"].tolist() == [False, True]
    assert "holds N, U, which no training formula holds" in table["reason"][0]


@pytest.mark.parametrize("n_jobs", [2])
def test_the_same_bits_for_any_number_of_jobs(fitted, n_jobs):
    classifier, formulas, labels = fitted
    again = CompositionClassifier(random_state=0, n_jobs=n_jobs).fit(formulas, labels)
    assert (again.predict_proba(formulas) == classifier.predict_proba(formulas)).all()


def test_another_model_may_stand_in():
    formulas, labels = salts_and_oxides()
    classifier = CompositionClassifier(
        model=LogisticRegression(max_iter=2000), decision="most_likely", random_state=0
    )
    classifier.fit(formulas, labels)
    assert classifier.decision_weights_.tolist() == [1.0, 1.0]
    assert classifier.accuracy_ > 0.9


def test_wrong_labels_are_named():
    formulas, labels = salts_and_oxides(10)
    with pytest.raises(InputError, match=r"y must hold at least two classes. Got 'halide'"):
        CompositionClassifier().fit(formulas[:10], labels[:10])
    rare = labels.astype(object)
    rare[:3] = "rare"
    with pytest.raises(InputError, match=r"at least 5 \(cv\) different formulas. Got [1-3] for class 'rare'"):
        CompositionClassifier().fit(formulas, rare)
    with pytest.raises(InputError, match=r"one label per row \(20\). Got 'shape \(19,\)'"):
        CompositionClassifier().fit(formulas, labels[:19])
    rare[5] = None
    with pytest.raises(InputError, match=r"hold a class in every row. Got None at row 5"):
        CompositionClassifier().fit(formulas, rare)


def test_votes_become_probabilities_that_hold():
    rng = np.random.default_rng(0)
    true = rng.uniform(size=6000)
    codes = (rng.uniform(size=6000) < true).astype(int)
    votes = np.column_stack([1 - true**3, true**3])  # a voter that is too shy
    scale = ProbabilityScale.of(votes[:4000], codes[:4000])
    found = scale(votes[4000:])[:, 1]
    assert np.abs(found - true[4000:]).mean() < 0.05
    few = ProbabilityScale.of(votes[:150], codes[:150])  # logistic curves
    assert np.abs(few(votes[4000:])[:, 1] - true[4000:]).mean() < 0.12


def test_the_best_weights_are_no_worse_than_any_pair_tried():
    rng = np.random.default_rng(1)
    codes = (rng.uniform(size=400) < 0.1).astype(int)
    p = np.clip(0.1 + 0.25 * codes + 0.1 * rng.normal(size=400), 0.01, 0.99)
    both = np.column_stack([1 - p, p])
    found = f1_score(codes, (both * best_weights(both, codes)).argmax(axis=1), average="macro")
    tried = [f1_score(codes, (p > cut).astype(int), average="macro") for cut in np.linspace(0.2, 0.8, 61)]
    assert found >= max(tried) - 0.02
    assert found > f1_score(codes, both.argmax(axis=1), average="macro")


def test_the_class_taken_is_in_its_set_and_a_rare_class_cannot_be_excluded():
    formulas, labels = salts_and_oxides(40)
    labels = labels.astype(object)
    labels[:6] = "rare"
    classifier = CompositionClassifier(random_state=0).fit(formulas, labels)
    new, _ = salts_and_oxides(100, seed=3)
    inside = classifier.predict_set(new, level=0.9)
    taken = np.searchsorted(classifier.classes_, classifier.predict(new))
    assert inside[np.arange(len(new)), taken].all()
    assert inside[:, classifier.classes_.tolist().index("rare")].all()
    assert classifier.left_out_sets(0.9).shape == (80, 3)


def test_no_probability_is_smaller_than_the_rows_can_tell():
    formulas, labels = salts_and_oxides()
    classifier = CompositionClassifier(random_state=0).fit(formulas, labels)
    p = classifier.predict_proba(formulas)
    assert p.min() >= 0.5 / 121 / 1.01
