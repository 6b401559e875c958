"""Take rows in, one way or another, keep their sums, and fit when asked."""

from __future__ import annotations

import warnings

import numpy as np

from sozai.assimilation.basis import as_basis, nested_sets, resolved
from sozai.assimilation.fitting import Settings, assimilate, check_size
from sozai.assimilation.intake import read_domain, read_sigma, read_sources, source_number, split_labels
from sozai.assimilation.patterns import PatternStatistics
from sozai.assimilation.priors import AssimilationPrior
from sozai.assimilation.told_rows import LearnedFrom, Told
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.estimator import (
    BaseEstimator,
    NotFittedError,
    check_is_fitted,
    fit_context,
    input_names,
    validate_table,
)
from sozai.contracts.parallel import one_thread

__all__ = ["SumsKeeper"]

#: Basis columns are made for so many numbers at once.
_CHUNK_NUMBERS = 2_000_000
#: Training rows farthest out that are remembered to tell extrapolation.
_EDGE = 32


class _Solved:
    """A fitted attribute, computed when first asked for after new data."""

    def __set_name__(self, owner, name):
        self.name = name.rstrip("_")

    def __get__(self, obj, owner=None):
        if obj is None:
            return self
        if "statistics_" not in vars(obj):
            raise NotFittedError(f"This {type(obj).__name__} has no {self.name}_ yet. Call fit first.")
        return getattr(obj._solved(), self.name)


class SumsKeeper(BaseEstimator):
    """What an assimilator does with data before it predicts: fold rows into sums, and fit on demand.

    Examples
    --------
    >>> hasattr(SumsKeeper, "partial_fit")
    True
    """

    coef_ = _Solved()
    coupling_ = _Solved()
    coupling_std_ = _Solved()
    correction_ = _Solved()
    conditional_noise_ = _Solved()
    covariance_ = _Solved()
    precision_yy_ = _Solved()
    precision_yx_ = _Solved()
    pattern_table_ = _Solved()
    kept_terms_ = _Solved()
    log_evidence_ = _Solved()
    offset_table_ = _Solved()
    offset_std_ = _Solved()

    # --- data in -------------------------------------------------------------------------------------

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, Y, sigma=None):
        """Forget what was told before, take all rows and fit.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Descriptors; the column of ``offset`` names laboratories.
        Y : array-like or DataFrame of shape (n_samples, d) or (n_samples,)
            One column per source, from cheapest to truest; NaN where missing.
        sigma : array-like of shape (n_samples, d) or (d,), optional
            Known standard deviations in the unit of Y, on top of the fitted
            noise; NaN where not known. More than 16 different ones per source
            are joined in classes.

        Returns
        -------
        GaussianAssimilator

        Raises
        ------
        InputError
            For NaN or inf in X, inf in Y, a source without values, too many unknowns.
        UnitError
            When headers of Y hold units of different dimensions.

        Warns
        -----
        UserWarning
            When the data do not tell the coupling, a correction or an offset,
            columns are collinear, a source is constant, or noise ends at its floor.
        """
        for name in ("statistics_", "_assimilation", "_learned"):
            vars(self).pop(name, None)
        self._warm = {}
        told = self._told(X, Y, sigma, "GaussianAssimilator.fit")
        if not len(told.X):
            raise InputError(
                "GaussianAssimilator.fit: Y must have a value. Input y contains NaN only, in all of its "
                f"columns ({told.Y.shape[1]}). Add at least one value."
            )
        self._begin(told)
        self._take(told)
        self.anchors_ = told.anchors()
        self._report_classes()
        self._solved()
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, Y, sigma=None):
        """Add rows to what was told before; the fit itself waits until it is asked for.

        Rows in any order and any portions give the fit of all of them at once,
        when ``domain`` is given: without it the first portion sets the domain.

        Parameters
        ----------
        X, Y, sigma : as for :meth:`fit`

        Returns
        -------
        GaussianAssimilator

        Notes
        -----
        O((P + d)^2) operations a row.
        """
        first = "statistics_" not in vars(self)
        place = "GaussianAssimilator.partial_fit"
        told = self._told(X, Y, sigma, place, reset=first)
        if first:
            if not len(told.X) and self.domain is None:
                return self  # nothing to learn the domain from
            self._warm = {}
            self._begin(told)
        self._check_sources(told, place)
        self._take(told)
        self.anchors_ = ()
        vars(self).pop("_assimilation", None)
        return self

    def downdate(self, X, Y, sigma=None):
        """Take rows back that were told before, such as values to be corrected.

        Parameters
        ----------
        X, Y, sigma : as they were told

        Returns
        -------
        GaussianAssimilator

        Raises
        ------
        InputError
            When the sums cannot hold these rows; nothing is changed then. Rows
            never told that lie within what others told cannot be recognized.
        """
        check_is_fitted(self)
        told = self._told(X, Y, sigma, "GaussianAssimilator.downdate", reset=False)
        self._check_sources(told, "GaussianAssimilator.downdate")
        terms = self.basis_.evaluate(told.X, self.domain_)
        self.statistics_.remove(terms, told.Y, told.sigma, told.labels)
        self.anchors_ = ()
        vars(self).pop("_assimilation", None)
        return self

    def merge(self, other):
        """Add all that another assimilator was told, say in another laboratory.

        Parameters
        ----------
        other : GaussianAssimilator
            With the same basis, domain and sources; it stays as it is.

        Returns
        -------
        GaussianAssimilator

        Raises
        ------
        InputError
            When basis, domain, descriptors or sources differ; they are named.
        """
        check_is_fitted(self)
        check_is_fitted(other)
        for what, mine, theirs in (
            ("basis", self.basis_, other.basis_),
            ("domain", self.domain_.tolist(), other.domain_.tolist()),
            ("source names", self.source_names_, other.source_names_),
            ("descriptors", input_names(self), input_names(other)),
        ):
            if mine != theirs:
                raise InputError(
                    sentence(
                        "GaussianAssimilator.merge", f"{what} of other", f"be {mine!r}", theirs,
                        remedy="Give both the same basis and domain=[(low, high), ...] before any data.",
                    )
                )  # fmt: skip
        self.statistics_.merge(other.statistics_)
        self._learned = self._learned.joined(other._learned, _EDGE)
        self.anchors_ = ()
        vars(self).pop("_assimilation", None)
        return self

    # --- inside --------------------------------------------------------------------------------------

    def _told(self, X, Y, sigma, place, *, reset=True):
        """Checked rows; those without any value are left out."""
        labels = None
        if self.offset is not None:
            X, labels = split_labels(X, self.offset.column, place=place)
        X = validate_table(self, X, reset=reset)
        sources = read_sources(Y, len(X), place=place)
        sigma = read_sigma(sigma, sources.values.shape, place=place)
        return Told.of(X, sources, sigma, labels)

    def _begin(self, told):
        """Set what the first rows decide: basis, domain, names."""
        place = "GaussianAssimilator.fit"
        d = told.Y.shape[1]
        basis = as_basis(self.basis, place=place)
        self.basis_, dropped = resolved(basis, told.X, input_names(self))
        self.reference_species_ = tuple(dropped)
        self.domain_ = read_domain(self.domain, told.X, place=place)
        P = self.basis_.n_terms(told.X.shape[1])
        check_size(P, d, self.restricted, self.pattern, place)
        self.term_names_ = tuple(self.basis_.feature_names(list(input_names(self))))
        self.source_names_, self.unit_, self._flat = told.names, told.unit, told.flat
        self.statistics_ = PatternStatistics(P, d)
        self._learned = LearnedFrom.nothing(P, d)
        if self.reference_species_ and getattr(basis, "sites", None) is None:
            warnings.warn(
                f"{place}: all columns sum to 1, so {', '.join(self.reference_species_)} follows from the "
                "others and is the reference, left out of the basis. Pass sites=[...] to choose another.",
                UserWarning,
                stacklevel=4,
            )

    def _check_sources(self, told, place):
        if told.Y.shape[1] != len(self.source_names_) or (
            told.named and self._named and told.names != self.source_names_
        ):
            raise InputError(
                sentence(
                    place, "Y", f"have the columns {', '.join(self.source_names_)}", list(told.names),
                    remedy="Keep the sources and their order.",
                )
            )  # fmt: skip

    @property
    def _named(self):
        return self.source_names_ not in (("y",), tuple(f"y{j}" for j in range(len(self.source_names_))))

    def _take(self, told):
        """Fold rows into the sums, a chunk at a time."""
        step = max(_CHUNK_NUMBERS // (self.statistics_.n_terms + len(self.source_names_)), 256)
        labels = told.labels
        if labels is not None:
            j = self._source(self.offset.source, "GroupOffset")
            carries = ~np.isnan(told.Y[:, j:]).all(axis=1)
            labels = np.where(carries, labels, None)
        whole = len(told.X) <= step
        sums = self.statistics_ if whole else PatternStatistics(
            self.statistics_.n_terms, self.statistics_.n_sources, {}, list(self.statistics_.levels)
        )  # fmt: skip
        learned = self._learned
        with one_thread():
            for first in range(0, len(told.X), step):
                rows = slice(first, first + step)
                terms = self._finite_terms(told.X[rows], first)
                sums.add(
                    terms, told.Y[rows], None if told.sigma is None else told.sigma[rows],
                    None if labels is None else labels[rows],
                )  # fmt: skip
                learned = learned.seen(terms, _EDGE)
            if not whole:  # all rows or, after an error, none
                self.statistics_.merge(sums)
        self._learned = learned

    def _finite_terms(self, X, first):
        """Basis columns; the first that is not finite is named."""
        terms = self.basis_.evaluate(X, self.domain_)
        if np.isfinite(terms).all():
            return terms
        row, column = (int(k) for k in np.argwhere(~np.isfinite(terms))[0])
        raise InputError(
            sentence(
                "GaussianAssimilator.fit", f"basis column {self.term_names_[column]!r}", "be finite",
                float(terms[row, column]), at=f"at row {first + row}",
                remedy="Correct the function, or leave the row out.",
            )
        )  # fmt: skip

    def _report_classes(self):
        width = self.statistics_.class_width()
        if width:
            warnings.warn(
                f"GaussianAssimilator.fit: sigma has more than 16 values; they were joined in classes up to "
                f"{100 * width:.2g} % wide. Round them to keep them exact.",
                UserWarning,
                stacklevel=3,
            )

    def _solved(self):
        """The fit of all that was told."""
        if "_assimilation" not in vars(self):
            settings = Settings(
                "GaussianAssimilator.fit", self.source_names_, self.term_names_,
                self.basis_.degrees(self.n_features_in_), nested_sets(self.basis_, self.n_features_in_),
                self.basis_.raw_matrix(self.domain_),
                self.prior if self.prior is not None else AssimilationPrior(), self.restricted, self.pattern,
                self.coupling, self._offset_request(), self.allow_prior,
            )  # fmt: skip
            with one_thread():
                self._assimilation = assimilate(self.statistics_, settings, self._warm)
        return self._assimilation

    def _offset_request(self):
        if self.offset is None:
            return None
        std = None if isinstance(self.offset.std, str) else float(self.offset.std)
        return self._source(self.offset.source, "GroupOffset"), std

    def _source(self, source, place):
        return source_number(source, self.source_names_, place=place)
