"""Results of all pixels as arrays, filled block by block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.spectra.peaks.likelihood_fit import FitBatch
from sozai.spectra.peaks.map_fit import MapModel, describe_rows, view_names
from sozai.spectra.peaks.map_labels import assign_labels

__all__ = ["FAILED", "OK", "UNMATCHED", "MapRows", "rows_of"]

Array = NDArray[np.float64]

#: Codes of a pixel; 1 and 2 are those of a fit, 3 and 4 those of pixels that are not fitted.
OK, UNMATCHED, FAILED = 0, 5, 6

_ARRAYS = ("theta", "background_errors", "values", "errors", "deviance", "dof", "status", "present")


@dataclass(frozen=True, eq=False)
class MapRows:
    """One row per pixel, NaN where nothing is known.

    Attributes
    ----------
    theta : ndarray of shape (N, p)
    background_errors : ndarray of shape (N, M)
    values, errors : ndarray of shape (N, K, n_param)
    deviance : ndarray of shape (N,)
    dof : ndarray of int32 of shape (N,)
    status : ndarray of int8 of shape (N,)
    present : ndarray of bool of shape (N, K)
        Peaks that the pixel has.
    """

    theta: Array
    background_errors: Array
    values: Array
    errors: Array
    deviance: Array
    dof: NDArray[np.int32]
    status: NDArray[np.int8]
    present: NDArray[np.bool_]

    @classmethod
    def empty(cls, setup: MapModel, status: NDArray[np.int8]) -> MapRows:
        """Nothing but the states of pixels that are not fitted."""
        n, model = len(status), setup.model
        n_peaks, p = len(model.shapes), model.n_parameters
        seen = (n, n_peaks, len(view_names(model)))
        return cls(
            np.full((n, p), np.nan), np.full((n, p - model.n_peak_parameters), np.nan), np.full(seen, np.nan),
            np.full(seen, np.nan), np.full(n, np.nan), np.zeros(n, dtype=np.int32), status.copy(),
            np.zeros((n, n_peaks), dtype=bool),
        )  # fmt: skip

    @property
    def fitted(self) -> NDArray[np.bool_]:
        """Pixels that have a fit, good or bad."""
        return np.isin(self.status, (0, 1, 2, UNMATCHED)) & np.isfinite(self.deviance)

    def put(self, pixels: NDArray[np.int64], found: dict[str, Any]) -> None:
        """Fill some rows."""
        for name in _ARRAYS:
            getattr(self, name)[pixels] = found[name]


def rows_of(
    setup: MapModel, fit: FitBatch, *, present: NDArray[np.bool_] | None = None, fisher: Array | None = None,
    dispersion: Array | None = None, score: Array | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Rows of a batch of fits, peaks named after the template.

    Parameters
    ----------
    setup : MapModel
    fit : FitBatch
    present : ndarray of bool of shape (S, K), optional
        Peaks that take part; all when left out.
    fisher, dispersion : ndarray, optional
        In the place of those of the fit.
    score : ndarray of shape (S, p), optional
        Of rows with a parameter on a bound.

    Returns
    -------
    dict of arrays, as the attributes of :class:`MapRows`
    """
    model = setup.model
    n_peaks = len(model.shapes)
    has = np.ones((len(fit), n_peaks), dtype=bool) if present is None else present
    values, errors, spread = describe_rows(
        setup, fit, fisher=fisher, dispersion=dispersion, score=score, present=present
    )
    theta, order, unmatched = assign_labels(model, setup.template, fit.theta, has)
    values = np.take_along_axis(values, order[:, :, None], axis=1)
    errors = np.take_along_axis(errors, order[:, :, None], axis=1)
    has = np.take_along_axis(has, order, axis=1)
    values[~has], errors[~has] = np.nan, np.nan
    status = np.where((fit.status == OK) & unmatched, UNMATCHED, fit.status).astype(np.int8)
    return {
        "theta": theta, "background_errors": spread[:, model.n_peak_parameters :], "values": values,
        "errors": errors, "deviance": fit.deviance, "dof": fit.dof.astype(np.int32), "status": status,
        "present": has,
    }  # fmt: skip
