"""Which peaks are behind this curve, how many, and how sure."""

from sozai.spectra.peaks.background import (
    Background,
    BSpline,
    Constant,
    Exponential,
    Linear,
    NoBackground,
    Polynomial,
    Shirley,
    StaticShirley,
    Sum,
    Tougaard,
    as_background,
)
from sozai.spectra.peaks.compiled_model import CompiledModel, Grid, compile_model
from sozai.spectra.peaks.count import PeakCount, select_n_components
from sozai.spectra.peaks.count_criteria import AIC, BIC, AICc, AnnealedDirichlet, Criterion, Evidence
from sozai.spectra.peaks.expectation import GaussianMixtureFit, PooledPeaks, gaussian_em, start_up_em
from sozai.spectra.peaks.fit_errors import covariance_of, one_sided_limit, profile_interval, standard_errors
from sozai.spectra.peaks.likelihood_fit import FitBatch, deviance, fit_spectra
from sozai.spectra.peaks.map import SpectrumMapPeaks
from sozai.spectra.peaks.mixture import PeakMixture, fit_peaks
from sozai.spectra.peaks.peak_evidence import PeakPosterior
from sozai.spectra.peaks.peak_fit import Peak, PeakFit, StartTable
from sozai.spectra.peaks.peak_map import PeakMap
from sozai.spectra.peaks.shape_description import describe_peak
from sozai.spectra.peaks.shapes import (
    SHAPES,
    AsymmetricPseudoVoigt,
    DoniachSunjic,
    DoniachSunjicGaussian,
    Gaussian,
    Lorentzian,
    PearsonVII,
    PseudoVoigt,
    Shape,
    Voigt,
    check_shape,
)
from sozai.spectra.peaks.starts import choose_distinct, draw_starts, split_and_move
from sozai.spectra.peaks.static_shirley import static_shirley
from sozai.spectra.peaks.ties import (
    D_RATIO,
    F_RATIO,
    P_RATIO,
    Doublet,
    Expression,
    Tie,
    TieTable,
    compile_ties,
    of,
    tie,
)

__all__ = [
    "AIC",
    "BIC",
    "D_RATIO",
    "F_RATIO",
    "P_RATIO",
    "SHAPES",
    "AICc",
    "AnnealedDirichlet",
    "AsymmetricPseudoVoigt",
    "BSpline",
    "Background",
    "CompiledModel",
    "Constant",
    "Criterion",
    "DoniachSunjic",
    "DoniachSunjicGaussian",
    "Doublet",
    "Evidence",
    "Exponential",
    "Expression",
    "FitBatch",
    "Gaussian",
    "GaussianMixtureFit",
    "Grid",
    "Linear",
    "Lorentzian",
    "NoBackground",
    "Peak",
    "PeakCount",
    "PeakFit",
    "PeakMap",
    "PeakMixture",
    "PeakPosterior",
    "PearsonVII",
    "Polynomial",
    "PooledPeaks",
    "PseudoVoigt",
    "Shape",
    "Shirley",
    "SpectrumMapPeaks",
    "StartTable",
    "StaticShirley",
    "Sum",
    "Tie",
    "TieTable",
    "Tougaard",
    "Voigt",
    "as_background",
    "check_shape",
    "choose_distinct",
    "compile_model",
    "compile_ties",
    "covariance_of",
    "describe_peak",
    "deviance",
    "draw_starts",
    "fit_peaks",
    "fit_spectra",
    "gaussian_em",
    "of",
    "one_sided_limit",
    "profile_interval",
    "select_n_components",
    "split_and_move",
    "standard_errors",
    "start_up_em",
    "static_shirley",
    "tie",
]
