"""Formulas as rows of a sparse matrix, in scikit-learn's manner."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from sozai.composition.compositions import ParsedFormulas, canonical_csr, unique_names
from sozai.composition.formula import as_compositions
from sozai.composition.symbols import ELEMENTS
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.estimator import (
    BaseEstimator,
    StrOptions,
    TransformerMixin,
    check_is_fitted,
    fit_context,
)

__all__ = ["CompositionVectorizer"]


class CompositionVectorizer(TransformerMixin, BaseEstimator):
    r"""Atomic fractions of a column of formulas.

    Each row of ``X`` is one formula; each column of the result is one component.

    Parameters
    ----------
    components : "elements" or sequence of str, default="elements"
        Columns: the 118 elements by atomic number, or the names given.
    basis : {"amount", "at%", "wt%"}, default="amount"
        Meaning of the numbers in a formula.
    on_error : {"raise", "nan"}, default="raise"
        What becomes of a formula that cannot be read: an error, or a row of NaN. Rows are never left
        out, so that they stay beside their targets.
    dense_output : bool, default=False
        Return a full array instead of a sparse one.

    Attributes
    ----------
    components_ : tuple of str
        Names of the columns.
    issues_ : DataFrame
        What was repaired or refused in ``fit``; see :class:`~sozai.composition.ParsedFormulas`.

    See Also
    --------
    sozai.composition.parse_formulas : The function behind it, with charges and numbers of atoms.
    sklearn.feature_extraction.DictVectorizer : Counts of any words, which it must see in ``fit``.

    Notes
    -----
    With amounts :math:`n_i` of a formula the row is :math:`w_i = n_i / \sum_j n_j`; rows sum to 1.
    Nothing is learned from the data: ``fit`` reads them only to find trouble early.

    Examples
    --------
    >>> from sozai.composition.vectorizer import CompositionVectorizer
    >>> vectorizer = CompositionVectorizer(["Fe", "O"], dense_output=True)
    >>> vectorizer.fit_transform(["Fe2O3", "FeO"])
    array([[0.4, 0.6],
           [0.5, 0.5]])
    >>> vectorizer.get_feature_names_out().tolist()
    ['Fe', 'O']
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        "components": [StrOptions({"elements"}), "array-like"],
        "basis": [StrOptions({"amount", "at%", "wt%"})],
        "on_error": [StrOptions({"raise", "nan"})],
        "dense_output": ["boolean"],
    }

    def __init__(
        self,
        components: Any = "elements",
        basis: str = "amount",
        *,
        on_error: str = "raise",
        dense_output: bool = False,
    ) -> None:
        self.components = components
        self.basis = basis
        self.on_error = on_error
        self.dense_output = dense_output

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> CompositionVectorizer:
        """Fix the columns, and read the formulas once to find trouble early.

        Parameters
        ----------
        X : column of formulas, dictionaries or compositions, or table of fractions
            See :func:`~sozai.composition.parse_formulas`.
        y : ignored

        Returns
        -------
        CompositionVectorizer
        """
        self._fit(X)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: Any, y: Any = None) -> sp.csr_array | NDArray[np.float64]:
        """Fit, and transform the same formulas; they are read once.

        Parameters
        ----------
        X : column of formulas
            As for ``fit``.
        y : ignored

        Returns
        -------
        csr_array or ndarray of shape (n_samples, n_components)
        """
        return self._output(self._fit(X))

    def transform(self, X: Any) -> sp.csr_array | NDArray[np.float64]:
        """Fractions of each formula.

        Parameters
        ----------
        X : column of formulas
            As for ``fit``.

        Returns
        -------
        csr_array or ndarray of shape (n_samples, n_components)
            Refused rows are NaN throughout.
        """
        check_is_fitted(self)
        return self._output(self._read(X, "transform"))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the components.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        return np.asarray(self.components_, dtype=object)

    def _fit(self, X: Any) -> ParsedFormulas:
        """Set the fitted attributes; returns what was read."""
        elements = isinstance(self.components, str)
        self.components_ = (
            ELEMENTS if elements else unique_names(self.components, "CompositionVectorizer.fit")
        )
        if not self.components_:
            remedy = "Name the columns, or leave components out."
            what = "name at least one component"
            raise InputError(
                sentence("CompositionVectorizer.fit", "components", what, self.components, remedy=remedy)
            )
        parsed = self._read(X, "fit")
        self.issues_: pd.DataFrame = parsed.issues
        return parsed

    def _read(self, X: Any, method: str) -> ParsedFormulas:
        """Formulas in the fitted columns."""
        place = f"CompositionVectorizer.{method}"
        return as_compositions(X, self.components_, place=place, on_error=self.on_error, basis=self.basis)

    def _output(self, parsed: ParsedFormulas) -> sp.csr_array | NDArray[np.float64]:
        """Sparse or full; refused rows are stored as NaN in both."""
        if self.dense_output:
            return parsed.dense()
        if not parsed.refused.any():
            return parsed.fractions
        n, m = parsed.fractions.shape
        counts = np.diff(parsed.fractions.indptr)
        full = np.where(parsed.refused, m, counts)
        gaps = np.repeat(parsed.refused, full)
        indices, data = np.empty(len(gaps), dtype=np.int64), np.full(len(gaps), np.nan)
        indices[gaps] = np.tile(np.arange(m), int(parsed.refused.sum()))
        indices[~gaps], data[~gaps] = parsed.fractions.indices, parsed.fractions.data
        return canonical_csr(data, indices, np.concatenate([[0], np.cumsum(full)]), (n, m))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.sparse = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = True
        return tags
