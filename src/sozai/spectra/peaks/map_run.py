"""Stages of the fit of a map, each over all tiles: survey, pyramid, repair, prior, number of peaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.progress import Silent
from sozai.spectra.peaks.likelihood_fit import FitBatch
from sozai.spectra.peaks.map_fit import MapModel, best_of, bound_scores, fit_map_rows, take, view_names
from sozai.spectra.peaks.map_presence import choose_peaks
from sozai.spectra.peaks.map_prior import (
    Prior,
    fit_shared,
    fit_with_prior,
    shared_columns,
    smoothness_prior,
)
from sozai.spectra.peaks.map_pyramid import fit_pyramid
from sozai.spectra.peaks.map_repair import find_suspects, neighbors_of, repair_rows
from sozai.spectra.peaks.map_rows import FAILED, MapRows, rows_of
from sozai.spectra.peaks.map_source import DEAD, Block, MapSource, Survey
from sozai.spectra.peaks.map_starts import blind_starts
from sozai.spectra.peaks.map_workers import Beat, MapStore, run_tiles, stored

__all__ = ["MapRun", "fit_independent"]

Array = NDArray[np.float64]
Work = Callable[[Array, Array, NDArray[np.int64], Block], "dict[str, Any] | None"]

_SWEEPS = 3
#: A deviance must fall by more than this, absolute and relative, to replace a result.
_BETTER = 1e-6
_SHRINK_ROUNDS, _SHARED_ROUNDS = 2, 12


@dataclass(eq=False)
class MapRun:
    """One run over one map.

    Attributes
    ----------
    source : MapSource
    tiles : list of tuple of Block
    n_workers : int
    bar : Silent
    store : MapStore or None
    report : dict
    """

    source: MapSource
    tiles: list[tuple[Block, ...]]
    n_workers: int
    bar: Silent
    store: MapStore | None = None
    report: dict[str, Any] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)

    def _sizes(self) -> list[int]:
        return [sum(int(np.prod(block.shape)) for block in tile) for tile in self.tiles]

    def survey(self, *, hashed: bool) -> Survey:
        """One pass over all counts."""
        sizes = self._sizes()

        def work(tile: int, beat: Beat) -> dict[str, Any]:
            beat()
            found = self.source.survey_tile(self.tiles[tile], hashed=hashed)
            beat(sizes[tile])
            return found

        found, failed = run_tiles(work, len(self.tiles), n_workers=self.n_workers, bar=Silent())
        for tile in failed:
            found[tile] = self._nothing(tile)
        self.failed |= set(failed)
        return self.source.survey_of(found, hashed=hashed)

    def _nothing(self, tile: int) -> dict[str, Any]:
        """Survey of a tile that could not be read."""
        pixels = np.concatenate([block.pixels(self.source.image_shape[1]) for block in self.tiles[tile]])
        n = len(self.source.axis)
        return {
            "pixels": pixels, "total": np.zeros(len(pixels)), "cells": np.zeros((1, n)), "digest": b"",
            "numbers": np.zeros(1), "places": pixels[:1], "whole": True, "negative": None,
            "status": np.full(len(pixels), FAILED, dtype=np.int8),
        }  # fmt: skip

    def _stage(
        self, name: str, work: Work, wanted: NDArray[np.bool_], into: MapRows, *, bar: bool = False
    ) -> list[dict[str, Any]]:
        """Do some work for the wanted pixels of every block, tile by tile; rows land in ``into``.

        Results of a block are computed from its wanted pixels alone, in one call.
        """
        width, shown = self.source.image_shape[1], self.bar if bar else Silent()
        order = [
            tile
            for tile, blocks in enumerate(self.tiles)
            if tile not in self.failed and any(wanted[block.pixels(width)].any() for block in blocks)
        ]
        sizes = self._sizes()

        def do(index: int, beat: Beat) -> dict[str, Any]:
            tile = self.tiles[order[index]]
            raw, parts = self.source.read(tile), []
            for block in tile:
                beat()
                pixels = block.pixels(width)
                if wanted[pixels].any():
                    counts, weights = self.source.prepare(raw, tile, block)
                    found = work(counts, weights, pixels, block)
                    if found is not None:
                        parts.append(found)
                beat(len(pixels))
            return {"parts": parts}

        look = stored(self.store, name, do, order, [sizes[tile] for tile in order])

        def put(index: int, beat: Beat) -> list[dict[str, Any]]:
            left = []
            for part in look(index, beat)["parts"]:
                if "theta" in part:  # rows of different tiles never meet
                    into.put(part["pixels"], part)
                if "sums" in part:
                    left.append({"sums": part["sums"]})
            return left

        found, failed = run_tiles(put, len(order), n_workers=self.n_workers, bar=shown)
        for index in failed:
            tile = order[index]
            self.failed.add(tile)
            pixels = np.concatenate([block.pixels(width) for block in self.tiles[tile]])
            into.status[pixels[wanted[pixels]]] = FAILED
        return [part for result in found for part in result or []]

    # --- stages ------------------------------------------------------------------------------------

    def first_fits(self, setup: MapModel, survey: Survey, start: str | Array) -> MapRows:
        """Fit every pixel once: from the pyramid, the template or given parameters."""
        rows = MapRows.empty(setup, survey.status)
        wanted = survey.status == 0

        def work(counts: Array, weights: Array, pixels: NDArray[np.int64], block: Block) -> dict[str, Any]:
            live = wanted[pixels] & ((weights > 0).sum(axis=1) > setup.model.n_free)
            if not live.any():
                return {"pixels": pixels[:0]}
            chosen = pixels[live]
            if isinstance(start, str) and start == "pyramid":
                number = int(pixels[0])
                fit = fit_pyramid(
                    setup, counts, weights, live, block.shape, number, is_line=self.source.is_line
                )
            else:
                lines = weights if len(weights) == 1 else weights[live]
                if isinstance(start, str):
                    fit = fit_independent(setup, counts[live], lines, chosen)
                else:
                    begin = self._given(setup, start[chosen], survey.total[chosen])
                    fit = fit_map_rows(setup, counts[live], lines, begin)
            lines = weights if len(weights) == 1 else weights[live]
            score = bound_scores(setup, counts[live], lines, fit)
            return {"pixels": chosen, **rows_of(setup, fit, score=score)}

        self._stage("first", work, wanted, rows, bar=True)
        rows.status[wanted & np.isnan(rows.deviance) & (rows.status == 0)] = DEAD
        return rows

    @staticmethod
    def _given(setup: MapModel, start: Array, totals: Array) -> Array:
        """Starts that the user gave; the template where they hold NaN."""
        template = setup.scaled(setup.template[None], totals / max(setup.template_counts, 1e-300))
        return np.where(np.isfinite(start).all(axis=1)[:, None], start, template)

    def repair(self, setup: MapModel, survey: Survey, rows: MapRows) -> MapRows:
        """Up to three synchronous sweeps over pixels that look wrong."""
        shape = self.source.image_shape
        names = view_names(setup.model)
        position, area = names.index("position"), names.index("area")
        changed = np.ones(len(rows.status), dtype=bool)
        searched = np.zeros(len(rows.status), dtype=bool)
        tried, repaired = [], []
        for sweep in range(_SWEEPS):
            suspects, bad = find_suspects(rows, shape, position, area)
            if sweep:
                where = np.flatnonzero(suspects)
                around = neighbors_of(where, shape)
                moved = ((around >= 0) & changed[around]).any(axis=1) | changed[where]
                suspects[where[~moved]] = False
            if not suspects.any():
                break
            before = rows.deviance.copy()
            after = replace(
                rows, **{name: np.array(getattr(rows, name)) for name in rows.__dataclass_fields__}
            )
            blind = bad & ~searched  # blind starts are the same in every sweep
            searched |= blind & suspects
            self._stage(
                f"sweep{sweep + 1}", self._repairer(setup, survey, rows, suspects, blind), suspects, after
            )
            rows = after
            with np.errstate(invalid="ignore"):
                changed = (rows.deviance < before) | (np.isnan(before) & np.isfinite(rows.deviance))
            tried.append(int(suspects.sum()))
            repaired.append(int(changed.sum()))
            if not changed.any():
                break
        self.report["suspects"], self.report["repaired"] = tried, repaired
        return rows

    def _repairer(
        self,
        setup: MapModel,
        survey: Survey,
        rows: MapRows,
        suspects: NDArray[np.bool_],
        blind: NDArray[np.bool_],
    ) -> Work:
        """Work of one sweep: results of the last one are read, never those of this one."""

        def work(
            counts: Array, weights: Array, pixels: NDArray[np.int64], block: Block
        ) -> dict[str, Any] | None:
            here = np.flatnonzero(suspects[pixels])
            lines = weights if len(weights) == 1 else weights[here]
            chosen, shape = pixels[here], self.source.image_shape
            fit = repair_rows(setup, counts[here], lines, chosen, rows, survey.total, shape, blind[chosen])
            old = rows.deviance[chosen]
            with np.errstate(invalid="ignore"):
                better = fit.deviance < old - _BETTER - _BETTER * np.abs(old)
            better |= ~np.isfinite(old) & np.isfinite(fit.deviance)
            keep = np.flatnonzero(better)
            if not len(keep):
                return None
            kept = take(fit, keep)
            lines = weights if len(weights) == 1 else weights[here[keep]]
            score = bound_scores(setup, counts[here[keep]], lines, kept)
            return {"pixels": chosen[keep], **rows_of(setup, kept, score=score)}

        return work

    def choose_peaks(self, setup: MapModel, survey: Survey, rows: MapRows) -> MapRows:
        """Number of peaks of every pixel."""
        fitted = rows.fitted

        def work(counts: Array, weights: Array, pixels: NDArray[np.int64], block: Block) -> dict[str, Any]:
            chosen, counts, weights = _chosen(fitted, counts, weights, pixels)
            fit = fit_map_rows(setup, counts, weights, rows.theta[chosen])
            factor = survey.total[chosen] / max(setup.template_counts, 1e-300)
            fit, present = choose_peaks(setup, counts, weights, fit, factor)
            score = bound_scores(setup, counts, weights, fit)
            return {"pixels": chosen, **rows_of(setup, fit, present=present, score=score)}

        self._stage("peaks", work, fitted, rows)
        self.report["pixels per number of peaks"] = np.bincount(rows.present[fitted].sum(axis=1)).tolist()
        return rows

    def shrink(self, setup: MapModel, rows: MapRows) -> MapRows:
        """Two rounds of a prior centered at the neighbors."""
        fitted = rows.fitted
        prior = smoothness_prior(setup, rows, self.source.image_shape)
        variance = prior.variance
        for turn in range(_SHRINK_ROUNDS):
            if turn:  # shrunk values scatter less than the truth: only the first round says how much it does
                prior = replace(smoothness_prior(setup, rows, self.source.image_shape), variance=variance)
            after = replace(
                rows, **{name: np.array(getattr(rows, name)) for name in rows.__dataclass_fields__}
            )
            self._stage(f"prior{turn + 1}", self._shrinker(setup, rows, fitted, prior), fitted, after)
            rows = after
            self.report["prior standard deviations"] = {
                f"{setup.model.labels[one.peak]}.{one.kind}": float(np.sqrt(v))
                for one, v in zip(prior.quantities, prior.variance, strict=True)
            }
        return rows

    def _shrinker(self, setup: MapModel, rows: MapRows, fitted: NDArray[np.bool_], prior: Prior) -> Work:
        """Work of one round."""

        def work(counts: Array, weights: Array, pixels: NDArray[np.int64], block: Block) -> dict[str, Any]:
            chosen, counts, weights = _chosen(fitted, counts, weights, pixels)
            fit = _batch_of(setup, rows, chosen)
            size = np.ones(len(chosen))
            if setup.free_dispersion:
                size = fit.deviance / np.maximum(fit.dof, 1)
            fit, information, score = fit_with_prior(setup, counts, weights, fit, prior, chosen)
            found = rows_of(
                setup, fit, present=rows.present[chosen], fisher=information, dispersion=size, score=score
            )
            return {"pixels": chosen, **found}

        return work

    def share(self, setup: MapModel, rows: MapRows, names: tuple[str, ...]) -> MapRows:
        """One value of some parameters for all pixels."""
        columns, fitted = shared_columns(setup, names), rows.fitted
        model = setup.model
        free = model.free_of(rows.theta[fitted])[:, columns]
        value = np.median(free, axis=0)
        low, high = model.free_lower[columns], model.free_upper[columns]
        error = np.zeros(len(columns))
        for turn in range(_SHARED_ROUNDS):
            begin, at = rows, value

            def work(
                counts: Array, weights: Array, pixels: NDArray[np.int64], block: Block,
                begin: MapRows = begin, at: Array = at,
            ) -> dict[str, Any]:  # fmt: skip
                chosen, counts, weights = _chosen(fitted, counts, weights, pixels)
                fit, sums = fit_shared(setup, counts, weights, begin.theta[chosen], columns, at)
                score = bound_scores(setup, counts, weights, fit)
                found = rows_of(setup, fit, present=begin.present[chosen], score=score)
                return {"pixels": chosen, **found, "sums": (sums.score, sums.information)}

            after = replace(
                rows, **{name: np.array(getattr(rows, name)) for name in rows.__dataclass_fields__}
            )
            results = self._stage(f"shared{turn + 1}", work, fitted, after)
            rows = after
            parts = [part["sums"] for part in results]
            score, information = sum(part[0] for part in parts), sum(part[1] for part in parts)
            covariance = np.linalg.pinv(information, hermitian=True)
            error = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
            moved = np.clip(value + covariance @ score, low, high) - value
            if (np.abs(moved) <= 1e-3 * error).all():
                break
            value = value + moved
        self._report_shared(setup, columns, value, error, rows)
        return rows

    def _report_shared(
        self, setup: MapModel, columns: NDArray[np.int64], value: Array, error: Array, rows: MapRows
    ) -> None:
        """Shared values, and their errors in every pixel."""
        model, names = setup.model, view_names(setup.model)
        self.report["shared"] = {}
        for i, full in enumerate(model.names[: model.n_peak_parameters]):
            hit = np.flatnonzero(model.T[i, columns])
            if len(hit) != 1:
                continue
            factor = model.T[i, columns[hit[0]]]
            sd = float(abs(factor) * error[hit[0]])
            label, _, name = full.rpartition(".")
            self.report["shared"][full] = (float(factor * value[hit[0]] + model.t0[i]), sd)
            if name in names:
                k = model.labels.index(label)
                rows.errors[rows.fitted & rows.present[:, k], k, names.index(name)] = sd


def _chosen(
    wanted: NDArray[np.bool_], counts: Array, weights: Array, pixels: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Array, Array]:
    """Wanted pixels of a block, their counts and weights."""
    here = np.flatnonzero(wanted[pixels])
    return pixels[here], counts[here], weights if len(weights) == 1 else weights[here]


def _batch_of(setup: MapModel, rows: MapRows, chosen: NDArray[np.int64]) -> FitBatch:
    """Results of some pixels as a batch of fits."""
    status = np.where(rows.status[chosen] > 2, 0, rows.status[chosen]).astype(np.int8)
    n, p = len(chosen), setup.model.n_parameters
    return FitBatch(
        rows.theta[chosen].copy(), rows.deviance[chosen], status, np.zeros(n, dtype=np.int64), None,
        np.zeros((n, p), dtype=bool), rows.dof[chosen].astype(np.int64), setup.noise.kernel,
    )  # fmt: skip


def fit_independent(setup: MapModel, counts: Array, weights: Array, pixels: NDArray[np.int64]) -> FitBatch:
    """Fit every row from the template, the reference's solutions and the curvature, neighbors ignored."""
    totals = np.where(weights > 0, counts, 0.0).sum(axis=1)
    template = setup.scaled(setup.template[None], totals / max(setup.template_counts, 1e-300))
    others = setup.scaled(setup.solutions[None], totals[:, None] / setup.solution_counts)
    blind = blind_starts(setup, counts, weights, template, pixels, 1)
    every = np.concatenate([template[:, None], others, blind], axis=1)
    groups = np.repeat(np.arange(len(counts)), every.shape[1])
    return best_of(setup, counts, weights, every.reshape(len(groups), -1), groups)[0]
