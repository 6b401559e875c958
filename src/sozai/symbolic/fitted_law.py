"""What a fitted law can do: predict, know its limits, show its effects, be rewritten, be kept."""

from __future__ import annotations

import warnings
from numbers import Real

import numpy as np
from scipy.stats import t as student

from sozai.contracts.errors import ExtrapolationWarning, InputError, sentence
from sozai.contracts.estimator import check_is_fitted, validate_table
from sozai.contracts.model_file import load_model, save_model
from sozai.symbolic.formulas.grammar import parse_into
from sozai.symbolic.formulas.linear_formula import render_formula
from sozai.symbolic.law_file import KIND, from_state, to_state
from sozai.symbolic.rewriting import rewrite

__all__ = ["FittedLaw"]

_ROUNDED = 1e-12  # an intercept this small beside the target is rounding
_STORED_DIGITS = 6  # of a law read from a file, whose training rows are not kept


class FittedLaw:
    """Methods of an estimator that holds ``model_``, ``expressions_``, ``columns_`` and ``domain_``.

    :class:`sozai.symbolic.regressor.SymbolicRegressor` finds the law; what is
    here needs only the law.
    """

    def predict(self, X, return_std=False):
        r"""Value of the law; NaN where it is not defined, with a warning that counts rows outside its domain.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
        return_std : bool
            Also return the standard deviation of a new observation,
            :math:`s\sqrt{1 + x^T P x}`.

        Returns
        -------
        y : ndarray of shape (n_samples,), or the pair (y, std)
        """
        primary, values = self._evaluate(X)
        reasons = self._reasons(primary, values)
        outside = sum(1 for reason in reasons if reason)
        if outside:
            first = next(i for i, reason in enumerate(reasons) if reason)
            warnings.warn(
                f"SymbolicRegressor.predict: {outside} of {len(reasons)} rows lie outside the training "
                f"region, first row {first}: {reasons[first]}. See applicability(X).",
                ExtrapolationWarning,
                stacklevel=2,
            )
        mean = self.model_.predict(values)
        if not return_std:
            return mean
        return mean, np.sqrt(self.model_.prediction_variance(values))

    def predict_interval(self, X, level=0.95):
        """Student interval for a new observation, shape (n_samples,) each.

        Holds for a law fixed beforehand; after a search it is a lower bound of
        the uncertainty, which the nested score shows.
        """
        if not 0 < level < 1:
            raise InputError(
                sentence(
                    "SymbolicRegressor.predict_interval",
                    "level",
                    "lie between 0 and 1",
                    level,
                    remedy="Use 0.95.",
                )
            )
        _, values = self._evaluate(X)
        mean = self.model_.predict(values)
        freedom = max(len(self.model_.fitted) - self.model_.n_parameters, 1)
        half = student.ppf((1 + level) / 2, freedom) * np.sqrt(self.model_.prediction_variance(values))
        return mean - half, mean + half

    def applicability(self, X):
        """Say for every row whether the law has been tested there, and why not.

        Returns
        -------
        DataFrame with columns ``in_domain`` (bool) and ``reason`` (text)
        """
        primary, values = self._evaluate(X)
        return self.domain_.frame(self._reasons(primary, values), getattr(X, "index", None))

    def effects(self, X):
        """What each column does to the law: slopes, elasticities, finite changes.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)

        Returns
        -------
        Effects
            See :func:`sozai.symbolic.effects.effects`.
        """
        from sozai.symbolic.effects import effects

        return effects(self, X)

    def limits(self, domain=None, constraints=(), goal="max", **options):
        """Certified optimum of the law over a box and linear constraints, and what holds it back.

        Parameters
        ----------
        domain : dict of str to (low, high), optional
            In the units of the table; the training ranges where left out.
        constraints : str, LinearConstraint or sequence of these
            For example ``"x_A + x_B == 1"``.
        goal : {"max", "min"}
        **options
            ``tolerance``, ``max_boxes``, ``progress`` of
            :func:`sozai.symbolic.limits.limits`.

        Returns
        -------
        Limit
        """
        from sozai.symbolic.limits import limits

        return limits(self, domain, constraints, goal, **options)

    def reach(self, target, domain=None, constraints=(), goal=">=", **options):
        """Boxes in which even the lower end of the prediction interval meets a target.

        Parameters
        ----------
        target : float
        domain, constraints
            As in :meth:`limits`.
        goal : {">=", "<="}
        **options
            ``level``, ``tolerance``, ``max_boxes``, ``progress`` of
            :func:`sozai.symbolic.reach.reach`.

        Returns
        -------
        Reach

        Raises
        ------
        InputError
            A target that is no number, and all that :func:`sozai.symbolic.reach.reach` refuses.
        """
        from sozai.symbolic.reach import reach

        if not isinstance(target, Real) or isinstance(target, (bool, np.bool_)):
            raise InputError(
                sentence(
                    "reach", "target", "be one number, in the unit of the target", target,
                    remedy="Write law.reach(2.0).",
                )
            )  # fmt: skip
        return reach(self, target, domain, constraints, goal, **options)

    def formula_of(self, model, *, digits="auto", snap=False):
        """Text of any model of ``models_``; parses in our grammar.

        Parameters
        ----------
        model : SymbolicModel
        digits : int or "auto", default="auto"
            Significant digits; ``"auto"`` takes the fewest that move no
            prediction by a thousandth of the error.
        snap : bool, default=False
            Write a coefficient as a simple fraction where it lies within two
            standard errors of one and that is no coincidence.
        """
        return self._render(model, digits, snap).text

    def latex_of(self, model, *, digits="auto", snap=False):
        """LaTeX of any model of ``models_``; parameters as :meth:`formula_of`."""
        return self._render(model, digits, snap).latex

    def rewrite(self, prefer=None, max_terms=None, n_results=20, additions=()):
        """Write the kept law with other members of the same span.

        Parameters
        ----------
        prefer : sequence of str, optional
            Terms you would like to see; forms that hold more of them come first.
        max_terms : int, optional
            Most terms of a form; as many as the law has now by default.
        n_results : int, default=20
            Most forms returned.
        additions : sequence of str
            Expressions of your own, e.g. ``"x*(1-x)"``; each must lie in the span.

        Returns
        -------
        RewriteList
            Forms with the same predictions in this sample; those that hold
            always come first.

        Raises
        ------
        NotIndependentError, InputError
            As :func:`sozai.symbolic.rewriting.rewrite`.
        """
        check_is_fitted(self, "relations_")
        return rewrite(
            self.model_,
            self.relations_,
            prefer=prefer,
            max_terms=max_terms,
            n_results=n_results,
            additions=additions,
        )

    def save(self, path):
        """Write the fitted law to a zip of JSON and npy with hashes."""
        check_is_fitted(self, "model_")
        save_model(path, KIND, to_state(self))

    @classmethod
    def load(cls, path):
        """Read a law written by :meth:`save`.

        The law predicts, judges applicability and shows its scores as before;
        the descriptors it was chosen from are not kept.
        """
        return from_state(cls, load_model(path, KIND))

    def _ids(self, model):
        """Expressions of the terms of a model."""
        return np.array([parse_into(self.expressions_, term) for term in model.terms], dtype=np.int64)

    def _evaluate(self, X):
        """Primary columns in the law's units, and the values of its terms."""
        check_is_fitted(self, "model_")
        if hasattr(X, "columns") and hasattr(self, "feature_names_in_"):
            X = self.columns_.aligned(X)
        primary = self.columns_.convert(validate_table(self, X, reset=False))
        with np.errstate(all="ignore"):
            values = self.expressions_.evaluate(self._ids(self.model_), primary)
        values[~np.isfinite(values)] = np.nan
        return primary, values

    def _reasons(self, primary, values):
        """Why each row lies outside the training region; empty text inside."""
        rows = np.column_stack([np.ones(len(values)), values])
        leverage = np.einsum("ti,ij,tj->t", rows, self.model_.covariance, rows)
        leverage = np.where(np.isfinite(leverage), leverage, 0.0)
        return self.domain_.reasons(self.expressions_, self._ids(self.model_), primary, leverage)

    def _render(self, model, digits, snap=False):
        """Text and LaTeX of a law with just the digits that matter; rounding alone is written as zero."""
        scale = float(np.sqrt(np.mean(model.target**2)))
        intercept = 0.0 if abs(model.intercept) <= _ROUNDED * scale else model.intercept
        design = None
        if digits == "auto" and hasattr(self, "generated_"):
            design = self.generated_.values[:, list(model.columns)]
        return render_formula(
            [self.expressions_.expression(int(node)) for node in self._ids(model)],
            model.coefficients,
            intercept,
            digits=digits if design is not None or digits != "auto" else _STORED_DIGITS,
            design=design,
            rmse=max(model.rmse, 1e-8 * scale),
            standard_errors=model.standard_errors if snap else None,
            intercept_standard_error=model.intercept_standard_error if snap else None,
            snap=snap,
        )
