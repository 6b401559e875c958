"""Peaks of every pixel of a spectrum image: a blind fit of the whole, then all pixels, in whatever order."""

from __future__ import annotations

import os
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray

from sozai import __version__
from sozai.contracts.checks import as_generator
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.estimator import (
    BaseEstimator,
    Interval,
    StrOptions,
    TransformerMixin,
    check_is_fitted,
    fit_context,
    validate_table,
)
from sozai.contracts.model_file import digest
from sozai.contracts.parallel import one_thread
from sozai.contracts.progress import Progress, Silent, progress_bar
from sozai.spectra.noise import RobustNoise
from sozai.spectra.peaks.bound_notes import map_bound_note
from sozai.spectra.peaks.map_fit import MapModel, view_names
from sozai.spectra.peaks.map_presence import choose_peaks
from sozai.spectra.peaks.map_rows import UNMATCHED, MapRows, rows_of
from sozai.spectra.peaks.map_run import MapRun, fit_independent
from sozai.spectra.peaks.map_setup import MapNoise, choose_noise, reference_of
from sozai.spectra.peaks.map_source import DEAD, MapSource, Survey
from sozai.spectra.peaks.map_workers import MapStore
from sozai.spectra.peaks.mixture import PeakMixture
from sozai.spectra.peaks.peak_map import STATUS_SENTENCES, PeakMap
from sozai.spectra.spectrum import SpectrumMap

__all__ = ["SpectrumMapPeaks"]

Array = NDArray[np.float64]

#: Rows that a transform works on at a time.
_ROWS = 256
#: Most peaks of a template whose number is not given.
_MOST_PEAKS = 8
#: Share of pixels with a peak like none of the template's from which on they are no accident.
_MANY = 0.02
#: Quantities that a transform gives, where the shape has them.
_FEATURES = ("position", "fwhm", "area", "lorentz_fraction")


class SpectrumMapPeaks(TransformerMixin, BaseEstimator):
    r"""Fit the same named peaks to every pixel of a spectrum image.

    A fit of one spectrum is a search for a good start. A map has thousands of spectra that resemble
    their neighbors, so the search is done once, on sums, and handed down.

    Parameters
    ----------
    mixture : PeakMixture, optional
        Line shape, background, noise, ties, bounds, and number of peaks of a pixel. Left out: pseudo-Voigt
        peaks on a constant.
    start : {"pyramid", "template"}, PeakMap or ndarray of shape (N, p), default="pyramid"
        Where pixels start: from the sums of their neighborhoods; from the template, the solutions of
        the sums and their own curvature, neighbors ignored; or from an earlier map.
    tile : int, default=4096
        Pixels that are read at a time, rounded to blocks of 16 x 16 (256 of a line), one block at least.
    shrinkage : bool, optional
        Pull positions, widths and Lorentz shares toward their neighbors by an empirical-Bayes prior.
    shared : tuple of str
        Parameters that have one value for all pixels, e.g. ``("fwhm",)`` or ``("peak 1.fwhm",)``.
    n_components : int, (int, int), "auto", "per-pixel" or None
        Number of peaks. A number: that many in every pixel. ``"auto"``: those that some neighborhood of
        the map wants, up to 8, or between the two of a pair; of these every pixel keeps 0 to all by BIC.
        ``"per-pixel"``: those of the mixture, of which every pixel keeps 0 to all. None: the number of the
        mixture in every pixel; without a mixture, ``"auto"``.
    axis : array-like of shape (n,), optional
        For :meth:`fit` and :meth:`transform`, and for a cube without an axis; 0, 1, 2, ... when left out.
    random_state : int, RandomState, Generator or None
    n_jobs : int, optional
        Threads; results have the same bits for any number.
    store : path-like, optional
        Folder for finished tiles: a run that was stopped goes on there with the same bits.

    Attributes
    ----------
    template_ : ndarray of shape (p,)
        Parameters of the named peaks, at the mean counts of a pixel.
    labels_ : tuple of str
    n_components_ : int
    noise_ : Noise
    notes_ : tuple of str
    result_ : PeakMap
        After :meth:`fit_map`.
    n_features_in_ : int
        After :meth:`fit`.

    See Also
    --------
    sozai.spectra.peaks.mixture.PeakMixture : One spectrum.
    sklearn.decomposition.NMF : Spectra and their shares without line shapes.

    Notes
    -----
    1. *Reference.* Blind fits of the mean spectrum and of the means of up to six groups of alike pixels,
       found by scaled principal components [1]_, so that a rare phase is not drowned. The solution
       whose peaks, held in place, describe all of them best names the peaks.
    2. *Pyramid.* Means of 16 x 16 pixels start from these solutions and from blind starts of their own;
       those of 8, 4, 2 and 1 start from what holds them. A raster "snake", each pixel from the last, would
       depend on the path.
    3. *Repair*, up to three synchronous sweeps: a pixel whose deviance per degree of freedom lies more than 4
       robust standard deviations above the median, one of whose centers or areas lies more than 3 from
       its neighbors, or whose fit failed, is fitted again from its neighbors, the template and five blind
       starts. Sweep t sees results of sweep t - 1 only.
    4. *Labels* by the assignment of least total :math:`|x_0-x_0'|/w' + |\ln(w/w')|` to the template.

    The cost of all is less than twice that of one fit per pixel from a good start: 1 + 1/4 + 1/16 + ... fits,
    and a dozen for the few pixels that look wrong. Memory: per thread one tile of counts as stored and one
    block of 256 spectra as float64; the result takes 8 (2 K n_param + p) bytes per pixel, twice that
    during a sweep. The optimum is that of the likelihood of each pixel. Where a number of peaks is
    given and one of them is absent, the spare one describes noise or splits another: on maps with
    several phases let every pixel choose.

    References
    ----------
    .. [1] M. R. Keenan, P. G. Kotula, Surf. Interface Anal. 36, 203 (2004). https://doi.org/10.1002/sia.1657
    .. [2] T. Matsumura, N. Nagamura, S. Akaho, K. Nagata, Y. Ando, Sci. Technol. Adv. Mater. 20, 733
       (2019). https://doi.org/10.1080/14686996.2019.1620123 (peaks of many spectra without handling each).

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.datasets.make_spectra import make_spectrum_map
    >>> made = make_spectrum_map((8, 8), n_channels=100, total=1e5, dead=0, rng=0)
    >>> peaks = SpectrumMapPeaks(n_components=3, axis=made.axis, random_state=0).fit_map(made.counts)
    >>> rest = peaks.image("peak 1.position") - made.position[..., 0]
    >>> bool(np.median(np.abs(rest)) < 0.1), bool((peaks.status == 0).sum() > 20)
    (True, True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "mixture": [PeakMixture, None],
        "start": [StrOptions({"pyramid", "template"}), PeakMap, "array-like"],
        "tile": [Interval(Integral, 1, None, closed="left")],
        "shrinkage": ["boolean", None],
        "shared": [tuple, list],
        "n_components": [
            Interval(Integral, 0, None, closed="left"),
            StrOptions({"auto", "per-pixel"}),
            tuple,
            None,
        ],
        "axis": ["array-like", None],
        "random_state": ["random_state", np.random.Generator],
        "n_jobs": [Integral, None],
        "store": [str, os.PathLike, None],
    }

    def __init__(
        self,
        mixture: PeakMixture | None = None,
        start: Any = "pyramid",
        *,
        tile: int = 4096,
        shrinkage: bool | None = None,
        shared: tuple[str, ...] = (),
        n_components: int | str | tuple[int, int] | None = None,
        axis: Any = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        store: str | os.PathLike[str] | None = None,
    ) -> None:
        self.mixture = mixture
        self.start = start
        self.tile = tile
        self.shrinkage = shrinkage
        self.shared = shared
        self.n_components = n_components
        self.axis = axis
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.store = store

    # --- maps --------------------------------------------------------------------------------------

    def fit_map(self, cube: Any, *, progress: Progress | bool | None = None) -> PeakMap:
        """Fit all pixels of a map.

        Parameters
        ----------
        cube : SpectrumMap or array-like of shape (ny, nx, n) or (m, n)
            Anything with ``shape`` and ``__getitem__``, on disk or in memory; read tile by tile, twice and
            in part a few times more.
        progress : object with ``advance(n)``, bool or None
            Told of finished pixels some ten times a second. What it raises ends the run within a
            second, as Ctrl-C does; with a ``store`` the finished tiles are kept.

        Returns
        -------
        PeakMap

        Raises
        ------
        InputError
            For a map without pixels or counts, negative counts where Poisson noise was asked for, too few
            channels, and a store that belongs to other settings or data.
        """
        return self._fit_map(cube, progress)

    @fit_context(prefer_skip_nested_validation=True)
    def _fit_map(self, cube: Any, progress: Progress | bool | None) -> PeakMap:
        place = "SpectrumMapPeaks.fit_map"
        spectra = self._as_map(cube, place)
        seed = self._seed()
        with one_thread(), progress_bar(spectra.n_spectra, "Fitting", progress=progress) as bar:
            run = self._run(MapSource.of(spectra, place=place), bar)
            survey = run.survey(hashed=self.store is not None)
            if self.store is not None:
                run.store = MapStore.open(
                    Path(self.store), self._plan(seed, survey), place="SpectrumMapPeaks.fit_map"
                )
            bar.advance(0)
            setup, noise = self._learn(run, survey, seed)
            self._check_wishes(setup, place)
            rows = self._stages(run, setup, survey)
        self.result_ = self._result(run, setup, noise, rows)
        return self.result_

    def _as_map(self, cube: Any, place: str) -> SpectrumMap:
        """The cube with an axis."""
        if isinstance(cube, SpectrumMap):
            return cube
        counts = cube if hasattr(cube, "shape") else np.asarray(cube)
        n = counts.shape[-1] if counts.shape else 0
        if len(counts.shape) not in (2, 3):
            raise InputError(
                sentence(
                    place, "cube", "have the shape (ny, nx, n_channels) or (m, n_channels)",
                    tuple(counts.shape),
                    remedy="Move the channels to the last axis.",
                )
            )  # fmt: skip
        return SpectrumMap(np.arange(float(n)) if self.axis is None else self.axis, counts)

    def _run(self, source: MapSource, bar: Silent) -> MapRun:
        """Tiles and workers."""
        return MapRun(source, source.tiles(int(self.tile)), effective_n_jobs(self.n_jobs), bar)

    def _seed(self) -> tuple[int, ...]:
        """Four words that all chance follows from; without an int, those of an older run in the store."""
        if self.store is not None and not isinstance(self.random_state, Integral):
            older = MapStore.read_seed(Path(self.store))
            if older is not None:
                return tuple(int(word) for word in older)
        return tuple(int(word) for word in as_generator(self.random_state).integers(0, 2**32, size=4))

    def _plan(self, seed: tuple[int, ...], survey: Survey) -> dict[str, Any]:
        """Everything a result depends on, setting by setting."""
        start = self.start.theta if isinstance(self.start, PeakMap) else self.start
        plan: dict[str, Any] = {
            "version": __version__, "data": survey.fingerprint, "seed": list(seed), "tile": int(self.tile),
            "start": start if isinstance(start, str) else digest(np.asarray(start)),
            "shrinkage": bool(self.shrinkage), "shared": list(self.shared),
            "n_components": self.n_components if self.n_components is None else str(self.n_components),
        }  # fmt: skip
        mixture = PeakMixture() if self.mixture is None else self.mixture
        plan["mixture"] = None if self.mixture is None else "given"
        with np.printoptions(threshold=1 << 30, precision=17):
            for name, value in sorted(mixture.get_params(deep=False).items()):
                if name not in ("n_jobs", "random_state"):
                    plan[f"mixture.{name}"] = repr(value)
        return plan

    def _learn(self, run: MapRun, survey: Survey, seed: tuple[int, ...]) -> tuple[MapModel, MapNoise]:
        """Noise, model and template; sets what :meth:`fit` promises."""
        source, place = run.source, run.source.place
        live = survey.status == 0
        if not live.any():
            raise InputError(
                f"{place}: the map must hold counts. There are no counts in any of {len(live)} pixels "
                f"({int((survey.status == DEAD).sum())} of them dead). Check the file or the region."
            )
        mixture = PeakMixture() if self.mixture is None else self.mixture
        noise = choose_noise(mixture.noise, source, survey, place=place)
        given = np.asarray(noise.noise.weights(np.ones(len(source.order))), dtype=np.float64)
        source = source.with_noise(given, getattr(noise.noise, "offset", 0.0))
        run.source = source
        setup = reference_of(mixture, self._n_template(place), source, survey, noise, seed)
        self.template_, self.labels_ = setup.template, setup.model.labels
        self.n_components_, self.noise_, self.notes_ = len(setup.model.shapes), noise.noise, noise.notes
        self._setup, self._noise_found = setup, noise
        return setup, noise

    def _n_template(self, place: str) -> tuple[int, int]:
        """Fewest and most peaks of the template."""
        wanted = self.n_components
        if isinstance(wanted, Integral):
            return int(wanted), int(wanted)
        if isinstance(wanted, tuple):
            if (
                len(wanted) == 2
                and all(isinstance(k, Integral) for k in wanted)
                and 0 <= wanted[0] <= wanted[1]
            ):
                return int(wanted[0]), int(wanted[1])
            raise InputError(
                sentence(
                    place, "n_components", "be two whole numbers, fewest and most, that do not fall", wanted,
                    remedy="Write (1, 5), or 'auto'.",
                )
            )  # fmt: skip
        if wanted == "auto" or self.mixture is None:
            return 0, _MOST_PEAKS
        return int(self.mixture.n_components), int(self.mixture.n_components)

    @property
    def _chooses(self) -> bool:
        """Whether every pixel keeps as many peaks as it needs; shared parameters need all of them."""
        if self.shared:
            return False
        given = isinstance(self.n_components, Integral)
        return not given and not (self.n_components is None and self.mixture is not None)

    def _check_wishes(self, setup: MapModel, place: str) -> None:
        """What cannot go together."""
        if (self.shrinkage or self.shared) and isinstance(setup.noise, RobustNoise):
            raise InputError(
                sentence(
                    place, "noise", "be Poisson or Gaussian with shrinkage or shared parameters", setup.noise,
                    remedy="Leave shrinkage and shared out, or pass GaussianNoise().",
                )
            )  # fmt: skip
        if self.shared and (self.shrinkage or self.n_components == "per-pixel"):
            raise InputError(
                sentence(
                    place, "shared",
                    "stand without shrinkage and n_components='per-pixel'", tuple(self.shared),
                    remedy="Choose one of them.",
                )
            )  # fmt: skip
        mixture = self.mixture
        if mixture is not None and (mixture.method != "em-lm" or mixture.despike or mixture.saturation):
            raise InputError(
                sentence(
                    place, "mixture", "have method='em-lm', and neither despike nor saturation",
                    (mixture.method, mixture.despike, mixture.saturation),
                    remedy="Write NaN into such channels, or use noise=RobustNoise().",
                )
            )  # fmt: skip
        known = {name.rpartition(".")[2] for name in setup.model.names[: setup.model.n_peak_parameters]}
        for name in self.shared:
            if name not in known and name not in setup.model.names[: setup.model.n_peak_parameters]:
                raise InputError(
                    sentence(
                        place, "shared", f"name parameters of peaks: {', '.join(sorted(known))}", name,
                        remedy="Write 'fwhm' for all peaks or 'peak 1.fwhm' for one.",
                    )
                )  # fmt: skip

    def _stages(self, run: MapRun, setup: MapModel, survey: Survey) -> MapRows:
        """All pixels, stage by stage."""
        start = self.start.theta if isinstance(self.start, PeakMap) else self.start
        if not isinstance(start, str):
            start = np.asarray(start, dtype=np.float64)
            wanted = (len(survey.status), setup.model.n_parameters)
            if start.shape != wanted:
                raise InputError(
                    sentence(
                        run.source.place, "start",
                        f"have one row per pixel and one column per parameter, {wanted}",
                        f"shape {start.shape}",
                        remedy="Pass the PeakMap of a map of the same shape and model.",
                    )
                )  # fmt: skip
        rows = run.first_fits(setup, survey, start)
        if isinstance(start, str):
            rows = run.repair(setup, survey, rows)
        if self.shared:
            rows = run.share(setup, rows, tuple(self.shared))
        if self._chooses:
            rows = run.choose_peaks(setup, survey, rows)
        if self.shrinkage:
            rows = run.shrink(setup, rows)
        return rows

    def _result(self, run: MapRun, setup: MapModel, noise: MapNoise, rows: MapRows) -> PeakMap:
        """The record."""
        cube, model = run.source.cube, setup.model
        notes = list(noise.notes)
        if run.failed:
            notes.append(f"Tiles {sorted(run.failed)[:10]} failed twice; their pixels are FAILED.")
        for code, text in STATUS_SENTENCES.items():
            n = int((rows.status == code).sum())
            if code and n:
                notes.append(f"{n} {'pixel' if n == 1 else 'pixels'} {text}")
        if not self._chooses and model.shapes and (rows.status == UNMATCHED).mean() > _MANY:
            notes.append(
                "Peaks of the template seem to be absent in many pixels, where a spare one has no best "
                "place. Pass n_components='per-pixel'."
            )
        walls = map_bound_note(model, rows.theta, rows.present, rows.fitted)
        notes += [] if walls is None else [walls]
        if self.shrinkage:
            notes.append("Positions, widths and shares were pulled toward their neighbors (shrinkage).")
        names = model.names[model.n_peak_parameters :]
        if run.source.offset > 0.0:  # the constant of read-out noise is no background of the user's
            names = names[:-1]
        seen = slice(model.n_peak_parameters, model.n_peak_parameters + len(names))
        return PeakMap(
            values=rows.values, errors=rows.errors, status=rows.status, deviance=rows.deviance, dof=rows.dof,
            labels=model.labels, parameters=view_names(model),
            background=rows.theta[:, seen], background_errors=rows.background_errors[:, : len(names)],
            background_names=names,
            shape=cube.shape, theta=rows.theta, model=model, unit=cube.unit, axis_kind=cube.axis_kind,
            counts_unit=cube.counts_unit, label=cube.label, source=cube.source, noise_name=repr(noise.noise),
            notes=tuple(notes), report=run.report,
        )  # fmt: skip

    # --- transformer -------------------------------------------------------------------------------

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> SpectrumMapPeaks:
        """Learn the named peaks from a table of spectra.

        Parameters
        ----------
        X : array-like of shape (m, n)
            One spectrum per row.
        y : ignored

        Returns
        -------
        self
        """
        place = "SpectrumMapPeaks.fit"
        table = validate_table(self, X)
        with one_thread():
            run = self._run(MapSource.of(self._as_map(table, place), place=place), Silent())
            survey = run.survey(hashed=False)
            self._learn(run, survey, self._seed())
        self._source = run.source
        return self

    def transform(self, X: Any) -> Array:
        """Positions, widths, areas and Lorentz shares of the peaks of every row, each row for itself.

        Parameters
        ----------
        X : array-like of shape (m, n)

        Returns
        -------
        ndarray of shape (m, n_features_out)
            NaN for rows without counts, and peaks that a row does not have.
        """
        check_is_fitted(self, "_source")
        table = validate_table(self, X, reset=False)
        source = MapSource.of(
            self._as_map(table, "SpectrumMapPeaks.transform"), place="SpectrumMapPeaks.transform"
        )
        given = np.asarray(self.noise_.weights(np.ones(len(source.order))), dtype=np.float64)
        source = source.with_noise(given, getattr(self.noise_, "offset", 0.0))
        found = np.full((len(table), len(self.labels_), len(view_names(self._setup.model))), np.nan)
        with one_thread():
            for tile in source.tiles(_ROWS):
                counts, weights = source.prepare(source.read(tile), tile, tile[0])
                pixels = tile[0].pixels(1)
                live = source.state(counts, weights, source.dead(tile[0])) == 0
                self._refuse_negative(counts, live, pixels)
                if live.any():
                    lines = weights if len(weights) == 1 else weights[live]
                    found[pixels[live]] = self._transformed(counts[live], lines)
        columns = self._columns()
        return found[:, [k for k, _ in columns], [j for _, j in columns]]

    def _transformed(self, counts: Array, weights: Array) -> Array:
        """Values of some rows."""
        setup = self._setup
        fit = fit_independent(setup, counts, weights, np.zeros(len(counts), dtype=np.int64))
        present = None
        if self._chooses:
            factor = counts.sum(axis=1) / max(setup.template_counts, 1e-300)
            fit, present = choose_peaks(setup, counts, weights, fit, factor)
        return np.asarray(rows_of(setup, fit, present=present)["values"])

    def _refuse_negative(self, counts: Array, live: NDArray[np.bool_], pixels: NDArray[np.int64]) -> None:
        """Rows of a transform under the noise of the fit."""
        bad = (counts < 0) & live[:, None]
        if self.noise_.kernel == "poisson" and bad.any():
            row, channel = (int(k) for k in np.argwhere(bad)[0])
            raise InputError(
                sentence(
                    "SpectrumMapPeaks.transform", "X", "be >= 0 for PoissonNoise",
                    float(counts[row, channel]), at=f"at row {int(pixels[row])}, channel {channel}",
                    remedy="Fit with noise=GaussianNoise().",
                )
            )  # fmt: skip

    def _columns(self) -> list[tuple[int, int]]:
        """Peak and quantity of every output."""
        names = view_names(self._setup.model)
        kept = []
        for k, shape in enumerate(self._setup.model.shapes):
            kept += [(k, names.index(name)) for name in _FEATURES[:3]]
            if shape.code in (2, 3, 6):
                kept.append((k, names.index("lorentz_fraction")))
        return kept

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names ``peak0_position``, ``peak0_fwhm``, ... of the outputs of :meth:`transform`."""
        check_is_fitted(self, "_source")
        names = view_names(self._setup.model)
        return np.array([f"peak{k}_{names[j]}" for k, j in self._columns()], dtype=object)
