"""A class from a formula: calibrated probabilities, prediction sets, domain, honest score."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin, clone
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import StratifiedGroupKFold

from sozai.composition.class_probabilities import ProbabilityScale, best_weights
from sozai.composition.kernel_mean import KernelMeanDescriptor
from sozai.composition.property_coordinates import (
    KnownMaterials,
    PropertyCoordinates,
    default_descriptor,
    row_labels,
)
from sozai.composition.property_scores import ClassScore, calibration_error, class_scores
from sozai.contracts.checks import as_generator
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.estimator import BaseEstimator, HasMethods, StrOptions, check_is_fitted, fit_context
from sozai.contracts.parallel import run_chunks
from sozai.contracts.records import Failure
from sozai.numerics.table_prediction.row_folds import check_groups

__all__ = ["CompositionClassifier"]

#: Rows up to which the trees of the folds are grown sooner by threads than by processes.
_FEW_ROWS = 1000
#: What is left out together, in the words of the protocol.
_WHOLE = {
    "formulas": "whole reduced formulas",
    "chemical systems": "whole chemical systems",
    "groups": "whole groups",
    "rows": "rows",
}


class CompositionClassifier(ClassifierMixin, BaseEstimator):
    r"""Predict a class from a chemical formula, with probabilities that mean what they say.

    Parameters
    ----------
    descriptor : transformer, optional
        Left out, the kernel mean descriptor on its grid.
    model : classifier with ``predict_proba``, optional
        Left out, 300 extremely randomized trees.
    decision : {"macro_f1", "most_likely"}, default="macro_f1"
        ``"most_likely"`` takes the class of largest probability, which never dares a rare one;
        ``"macro_f1"`` multiplies the probabilities by weights, learned on formulas left out, that make the
        mean F1 of all classes largest.
    groups : {"formula", "system"} or None, default="formula"
        What is left out together.
    cv : int, default=5
        Folds, each with all classes as far as possible.
    random_state : int, RandomState or Generator, optional
    n_jobs : int, optional
        Fits at once; the result does not depend on it.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    model_ : fitted classifier
    probability_scale_ : ProbabilityScale
        From the votes of the model to probabilities.
    decision_weights_ : ndarray of shape (n_classes,)
    class_scores_ : DataFrame
        ``class, n, recall, precision, f1`` of formulas left out; calibration and weights are learned
        without their fold too.
    macro_f1_, accuracy_, calibration_error_ : float
        Of the same formulas.
    confusion_matrix_ : DataFrame
        True classes by found ones.
    validation_ : ClassScore
        The same figures together, with the protocol in words and sets of level 0.9; other levels by
        :meth:`left_out`.
    left_out_probabilities_ : ndarray of shape (n_samples, n_classes)
    left_out_classes_ : ndarray of shape (n_samples,)
        What every row was taken for while it was left out.
    known_ : KnownMaterials

    See Also
    --------
    sozai.symbolic.SymbolicClassifier : A short rule instead of a black box.

    Notes
    -----
    Votes of formulas left out are made probabilities class by class: isotonic regression from 200
    formulas of the class on, below that a logistic curve of the logit of the votes; then divided by their
    sum. A set at level :math:`1-\alpha` holds every class c whose probability is not among the smallest
    :math:`\alpha` of those that formulas of class c got when they were left out, so that each class, rare
    or not, is in its set with probability :math:`1-\alpha` [2]_; the class taken is added where it is
    missing, so that a frequent class is there more often. Trees are the default: of 158 quasicrystals and
    approximants among 10,000 other compounds they reach a macro-F1 of 0.77 to 0.78 (ten random splits,
    scatter 0.06; ``benchmarks/quasicrystal_classes.py``).

    References
    ----------
    .. [1] C. Liu et al., Adv. Mater. 33, 2102507 (2021).
    .. [2] M. Sadinle, J. Lei, L. Wasserman, J. Am. Stat. Assoc. 114, 223 (2019).

    Examples
    --------
    >>> salts = ["LiF", "NaF", "KF", "LiCl", "NaCl", "KCl", "LiBr", "NaBr", "KBr", "RbCl"]
    >>> oxides = ["MgO", "CaO", "SrO", "BaO", "Al2O3", "Fe2O3", "TiO2", "ZnO", "NiO", "CoO"]
    >>> labels = ["salt"] * 10 + ["oxide"] * 10
    >>> classifier = CompositionClassifier(random_state=0).fit(salts + oxides, labels)
    >>> classifier.predict(["RbBr", "Cr2O3"]).tolist()
    ['salt', 'oxide']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "descriptor": [HasMethods(["fit", "transform"]), None],
        "model": [HasMethods(["fit", "predict_proba"]), None],
        "decision": [StrOptions({"macro_f1", "most_likely"})],
        "groups": [StrOptions({"formula", "system"}), None],
        "cv": [Integral],
        "random_state": ["random_state", np.random.Generator],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        descriptor=None,
        model=None,
        *,
        decision="macro_f1",
        groups="formula",
        cv=5,
        random_state=None,
        n_jobs=None,
    ):
        self.descriptor = descriptor
        self.model = model
        self.decision = decision
        self.groups = groups
        self.cv = cv
        self.random_state = random_state
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, groups=None):
        """Learn from all formulas, and from what happens when some are left out.

        Parameters
        ----------
        X : formulas, ParsedFormulas, fractions, or a DataFrame of formulas and side columns
        y : array-like of shape (n_samples,)
            Labels of two or more classes.
        groups : array-like of shape (n_samples,), optional
            Labels of rows that are left out together, instead of the formula or system.

        Returns
        -------
        CompositionClassifier

        Raises
        ------
        InputError
            For one class only, a class in fewer formulas than folds, or a formula that cannot be read.
        """
        place = "CompositionClassifier.fit"
        descriptor = self.descriptor if self.descriptor is not None else KernelMeanDescriptor()
        self.coordinates_, Z = PropertyCoordinates.learn(descriptor, X)
        parsed = self.coordinates_.compositions(X, place)
        labels = np.asarray(y)
        self.classes_, codes = self._codes(labels, len(Z), place)
        groups, what = self._groups(parsed, groups, place)
        self._refuse_rare(codes, groups, what, place)
        near = default_descriptor().set_params(table=getattr(descriptor, "table", None))
        self._places, points = PropertyCoordinates.learn(near, parsed)
        self.known_ = KnownMaterials.of(parsed, points)
        rng = as_generator(self.random_state)
        splitter = StratifiedGroupKFold(self.cv, shuffle=True, random_state=int(rng.integers(2**31)))
        folds = [test for _, test in splitter.split(Z, codes, groups)]
        task = _Votes(self._unfitted(int(rng.integers(2**31))), Z, codes, len(self.classes_))
        answers = run_chunks(
            task,
            [np.empty(0, dtype=np.int64), *folds],
            n_jobs=self.n_jobs,
            description="Leaving formulas out",
            prefer="threads" if self.model is None and len(Z) <= _FEW_ROWS else None,
        )
        failed = [answer for answer in answers if isinstance(answer, Failure)]
        if failed:
            raise MemoryError(failed[0].message)
        self.model_ = answers[0][0]
        votes = np.empty((len(Z), len(self.classes_)))
        for test, (_, part) in zip(folds, answers[1:], strict=True):
            votes[test] = part
        whole = "rows" if what == "formulas" and len(np.unique(groups)) == len(Z) else _WHOLE[what]
        self._protocol = f"{len(folds)} folds of {whole}"
        self._learn_scale(votes, codes, folds, labels)
        self.validation_ = self.left_out()
        return self

    def predict_proba(self, X):
        """Calibrated probability of every class.

        Parameters
        ----------
        X : as in :meth:`fit`

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
        """
        check_is_fitted(self)
        return self.probability_scale_(_votes(self.model_, self.coordinates_(X), len(self.classes_)))

    def predict(self, X):
        """Class of every formula by the rule of ``decision``.

        Parameters
        ----------
        X : as in :meth:`fit`

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        check_is_fitted(self)
        return self.classes_[np.argmax(self.predict_proba(X) * self.decision_weights_, axis=1)]

    def predict_set(self, X, level=0.9):
        """Classes that cannot be excluded.

        Parameters
        ----------
        X : as in :meth:`fit`
        level : float, default=0.9
            Probability with which the true class is in the set, whatever class it is.

        Returns
        -------
        bool ndarray of shape (n_rows, n_classes)
            The class that :meth:`predict` takes is always in the set. A class of fewer than
            ``1/(1 - level)`` formulas is in every set: nothing can exclude it.
        """
        _check_level(level, "CompositionClassifier.predict_set")
        probabilities = self.predict_proba(X)
        taken = np.argmax(probabilities * self.decision_weights_, axis=1)
        return _sets(probabilities, taken, self._own_probabilities, level)

    def left_out(self, level=0.9):
        """Score of the rows left out, each with the set made from the probabilities of the other folds.

        Parameters
        ----------
        level : float, default=0.9

        Returns
        -------
        ClassScore
        """
        check_is_fitted(self)
        _check_level(level, "CompositionClassifier.left_out")
        honest, codes, found = self.left_out_probabilities_, self._truth, self._found
        inside = np.empty(honest.shape, dtype=bool)
        for test in self._folds:
            rest = np.setdiff1d(np.arange(len(codes)), test)
            own = _own_probabilities(honest[rest], codes[rest])
            inside[test] = _sets(honest[test], found[test], own, level)
        return ClassScore.of(
            codes, found, honest, inside, self.classes_, tuple(self._folds), self._protocol, level=level
        )

    def left_out_sets(self, level=0.9):
        """Sets of the training rows, those of :meth:`left_out`.

        Parameters
        ----------
        level : float, default=0.9

        Returns
        -------
        bool ndarray of shape (n_samples, n_classes)
        """
        return self.left_out(level).sets

    def applicability(self, X):
        """Whether every formula lies where training formulas were, and if not, why.

        Parameters
        ----------
        X : as in :meth:`fit`

        Returns
        -------
        DataFrame
            ``in_domain, reason, nearest, distance`` as in :class:`~sozai.composition.CompositionRegressor`.
        """
        check_is_fitted(self)
        parsed = self.coordinates_.compositions(X, "CompositionClassifier.applicability")
        parsed = self._places.compositions(parsed, "CompositionClassifier.applicability")
        return self.known_.applicability(parsed, self._places(parsed), row_labels(X))

    # --- inside --------------------------------------------------------------------------------------

    def _learn_scale(self, votes, codes, folds, labels):
        """Calibration and decision from all votes; their scores with each fold's own left out."""
        n_classes = len(self.classes_)
        honest, found = np.empty_like(votes), np.empty(len(codes), dtype=np.int64)
        for test in folds:
            rest = np.setdiff1d(np.arange(len(codes)), test)
            scale = ProbabilityScale.of(votes[rest], codes[rest])
            honest[test] = scale(votes[test])
            found[test] = np.argmax(honest[test] * self._weights(scale(votes[rest]), codes[rest]), axis=1)
        self.probability_scale_ = ProbabilityScale.of(votes, codes)
        self.decision_weights_ = self._weights(honest, codes)
        self._own_probabilities = _own_probabilities(honest, codes)
        self._folds, self._truth, self._found = folds, codes, found
        names = self.classes_[found]
        self.class_scores_ = class_scores(labels, names, self.classes_)
        self.macro_f1_ = float(self.class_scores_["f1"].mean())
        self.accuracy_ = float((found == codes).mean())
        self.calibration_error_ = calibration_error(labels, honest, self.classes_)
        counts = np.zeros((n_classes, n_classes), dtype=np.int64)
        np.add.at(counts, (codes, found), 1)
        self.confusion_matrix_ = pd.DataFrame(counts, index=self.classes_, columns=self.classes_)
        self.left_out_probabilities_, self.left_out_classes_ = honest, names

    def _weights(self, probabilities, codes):
        """What the probabilities are multiplied by before the largest one is taken."""
        if self.decision == "most_likely":
            return np.ones(probabilities.shape[1])
        return best_weights(probabilities, codes)

    def _unfitted(self, seed):
        if self.model is None:
            return ExtraTreesClassifier(300, random_state=seed)
        model = clone(self.model)
        if "random_state" in model.get_params():
            model.set_params(random_state=seed)
        return model

    def _groups(self, parsed, groups, place):
        """Number of what is left out together, and what that is."""
        if groups is not None:
            given = check_groups(groups, len(parsed.texts), place=place)
            return np.unique(given, return_inverse=True)[1], "groups"
        if self.groups is None:
            return np.arange(len(parsed.texts)), "rows"
        if self.groups == "formula":
            return np.unique(parsed.keys().astype(str), return_inverse=True)[1], "formulas"
        return np.unique(parsed.chemical_systems().astype(str), return_inverse=True)[1], "chemical systems"

    def _codes(self, labels, n_samples, place):
        """Classes, and the number of the class of every row."""
        if labels.shape != (n_samples,):
            raise InputError(
                sentence(
                    place, "y", f"have one label per row ({n_samples})", f"shape {labels.shape}",
                    remedy="Pass the column that holds the classes.",
                )
            )  # fmt: skip
        missing = pd.isna(labels)
        if missing.any():
            raise InputError(
                sentence(
                    place, "y", "hold a class in every row", labels[missing][0],
                    at=f"at row {int(np.argmax(missing))}", remedy="Leave out rows without a class.",
                )
            )  # fmt: skip
        classes, codes = np.unique(labels, return_inverse=True)
        names = classes.tolist()
        if len(classes) < 2:
            raise InputError(
                sentence(
                    place, "y", "hold at least two classes", names[0],
                    remedy="Add formulas of another class.",
                )
            )  # fmt: skip
        return classes, codes

    def _refuse_rare(self, codes, groups, what, place):
        """Every class must be in every part of the folds."""
        for code, name in enumerate(self.classes_.tolist()):
            n_groups = len(np.unique(groups[codes == code]))
            if n_groups < self.cv:
                raise InputError(
                    sentence(
                        place, "y", f"hold every class in at least {self.cv} (cv) different {what}",
                        n_groups, at=f"for class {name!r}", remedy=f"Add {what}, or lower cv.",
                    )
                )  # fmt: skip


class _Votes:
    """Everything a worker needs to fit without some rows and vote on these."""

    def __init__(self, model, Z, codes, n_classes) -> None:
        self.model, self.Z, self.codes, self.n_classes = model, Z, codes, n_classes

    def __call__(self, test):
        """Model (only of the fit that leaves nothing out) and votes."""
        train = np.setdiff1d(np.arange(len(self.codes)), test)
        model = clone(self.model).fit(self.Z[train], self.codes[train])
        if len(test) == 0:
            return model, np.empty((0, self.n_classes))
        return None, _votes(model, self.Z[test], self.n_classes)


def _own_probabilities(probabilities, codes) -> list[np.ndarray]:
    """For every class, what its own formulas got for it, rising."""
    return [np.sort(probabilities[codes == c, c]) for c in range(probabilities.shape[1])]


def _sets(probabilities, taken, own, level) -> np.ndarray:
    """Classes whose probability is not among the smallest of their own formulas; the one taken too."""
    inside = np.empty(probabilities.shape, dtype=bool)
    for column, known in enumerate(own):
        rank = int(np.floor((1.0 - level) * (len(known) + 1)))
        inside[:, column] = probabilities[:, column] >= (known[rank - 1] if rank else -np.inf)
    inside[np.arange(len(inside)), taken] = True
    return inside


def _check_level(level, place) -> None:
    if not 0.0 < level < 1.0:
        raise InputError(sentence(place, "level", "lie between 0 and 1", level, remedy="Pass e.g. 0.9."))


def _votes(model, Z, n_classes) -> np.ndarray:
    """Probabilities of the model, a column for every class also where it has not seen one."""
    votes = np.zeros((len(Z), n_classes))
    votes[:, model.classes_] = model.predict_proba(Z)
    return votes
