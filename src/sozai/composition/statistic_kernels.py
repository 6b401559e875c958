"""Compiled passes over sparse rows of fractions: each writes one or more statistics of all features."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["write_mode", "write_moments", "write_quantile"]

#: Relative difference up to which two fractions count as equally abundant.
_TIE = 1e-9


@njit(cache=True, nogil=True)
def write_moments(indptr, indices, weights, n_atoms, table, places, out, start, stop):  # pragma: no cover
    """Write mean, sum, var, std, max, min, range and average deviation of samples ``start`` to ``stop``.

    ``places`` (8,) says at which column of ``out`` (n, n_columns) each of them begins, -1 where it is not
    wanted. Two passes over the few components of a sample, so that the variance loses no digits; one
    component gives a variance of exactly 0. A sample without components gives NaN.
    """
    n_features = table.shape[1]
    mean, spread, away = np.empty(n_features), np.empty(n_features), np.empty(n_features)
    high, low = np.empty(n_features), np.empty(n_features)
    two_passes = places[2] >= 0 or places[3] >= 0 or places[7] >= 0
    for sample in range(start, stop):
        first, last = indptr[sample], indptr[sample + 1]
        if first == last:
            for place in places:
                if place >= 0:
                    out[sample, place : place + n_features] = np.nan
            continue
        mean[:] = 0.0
        high[:] = -np.inf
        low[:] = np.inf
        for position in range(first, last):
            weight = weights[position]
            features = table[indices[position]]
            for k in range(n_features):
                mean[k] += weight * features[k]
                high[k] = features[k] if features[k] > high[k] else high[k]
                low[k] = features[k] if features[k] < low[k] else low[k]
        if last - first == 1:  # exact, whatever the rounding of the weight
            mean[:] = table[indices[first]]
        if two_passes:
            spread[:] = 0.0
            away[:] = 0.0
            for position in range(first, last):
                weight = weights[position]
                features = table[indices[position]]
                for k in range(n_features):
                    difference = features[k] - mean[k]
                    spread[k] += weight * (difference * difference)
                    away[k] += weight * abs(difference)
        row = out[sample]
        if places[0] >= 0:
            row[places[0] : places[0] + n_features] = mean
        if places[1] >= 0:
            atoms = n_atoms[sample]
            for k in range(n_features):
                row[places[1] + k] = atoms * mean[k]
        if places[2] >= 0:
            row[places[2] : places[2] + n_features] = spread
        if places[3] >= 0:
            for k in range(n_features):
                row[places[3] + k] = np.sqrt(spread[k])
        if places[4] >= 0:
            row[places[4] : places[4] + n_features] = high
        if places[5] >= 0:
            row[places[5] : places[5] + n_features] = low
        if places[6] >= 0:
            for k in range(n_features):
                row[places[6] + k] = high[k] - low[k]
        if places[7] >= 0:
            row[places[7] : places[7] + n_features] = away


@njit(cache=True, nogil=True)
def write_mode(indptr, indices, weights, table, place, out, start, stop):  # pragma: no cover
    """Write the features of the most abundant component; equally abundant ones are averaged."""
    n_features = table.shape[1]
    for sample in range(start, stop):
        first, last = indptr[sample], indptr[sample + 1]
        block = out[sample, place : place + n_features]
        if first == last:
            block[:] = np.nan
            continue
        largest = weights[first:last].max()
        block[:] = 0.0
        n_ties = 0
        for position in range(first, last):
            if weights[position] >= largest * (1.0 - _TIE):
                n_ties += 1
                for k in range(n_features):
                    block[k] += table[indices[position], k]
        if n_ties > 1:
            for k in range(n_features):
                block[k] /= n_ties


@njit(cache=True, nogil=True)
def write_quantile(indptr, indices, weights, table, q, place, out, start, stop):  # pragma: no cover
    """Write the smallest value at which the weight of all values up to it reaches ``q``."""
    n_features = table.shape[1]
    for sample in range(start, stop):
        first, last = indptr[sample], indptr[sample + 1]
        if first == last:
            out[sample, place : place + n_features] = np.nan
            continue
        members = indices[first:last]
        for k in range(n_features):
            values = table[members, k]
            order = np.argsort(values, kind="mergesort")
            reached = 0.0
            answer = values[order[-1]]
            for j in order:
                reached += weights[first + j]
                if reached >= q - _TIE:
                    answer = values[j]
                    break
            out[sample, place + k] = answer
