"""One Display class per result: draws records and arrays, imports no model."""

from sozai.displays.acquisition_display import AcquisitionDisplay
from sozai.displays.assimilation import (
    AssimilationDisplay,
    CouplingDisplay,
    PatternDisplay,
    TwoSourceDisplay,
)
from sozai.displays.class_map import ClassMapDisplay
from sozai.displays.composition_map import CompositionMapDisplay
from sozai.displays.correlation import CorrelationDisplay
from sozai.displays.display import Display
from sozai.displays.effects import EffectsDisplay
from sozai.displays.formula_map import FormulaMapDisplay
from sozai.displays.front_display import FrontDisplay
from sozai.displays.history_display import HistoryDisplay
from sozai.displays.importance import ImportanceDisplay
from sozai.displays.interval_parity import IntervalParityDisplay
from sozai.displays.invariants import InvariantDisplay
from sozai.displays.kernel_mean_profile import KernelMeanProfileDisplay
from sozai.displays.library_map_display import LibraryMapDisplay
from sozai.displays.limits import LimitsDisplay
from sozai.displays.pareto import ParetoDisplay
from sozai.displays.parity import ParityDisplay
from sozai.displays.peak_count_display import PeakCountDisplay
from sozai.displays.peak_display import PeakDisplay
from sozai.displays.peak_images_display import PeakImagesDisplay
from sozai.displays.peak_map_display import PeakMapDisplay
from sozai.displays.phase_diagram import PhaseDiagramDisplay
from sozai.displays.relation_map import RelationMapDisplay
from sozai.displays.residual import ResidualDisplay
from sozai.displays.selection_path import SelectionPathDisplay

__all__ = [
    "AcquisitionDisplay",
    "AssimilationDisplay",
    "ClassMapDisplay",
    "CompositionMapDisplay",
    "CorrelationDisplay",
    "CouplingDisplay",
    "Display",
    "EffectsDisplay",
    "FormulaMapDisplay",
    "FrontDisplay",
    "HistoryDisplay",
    "ImportanceDisplay",
    "IntervalParityDisplay",
    "InvariantDisplay",
    "KernelMeanProfileDisplay",
    "LibraryMapDisplay",
    "LimitsDisplay",
    "ParetoDisplay",
    "ParityDisplay",
    "PatternDisplay",
    "PeakCountDisplay",
    "PeakDisplay",
    "PeakImagesDisplay",
    "PeakMapDisplay",
    "PhaseDiagramDisplay",
    "RelationMapDisplay",
    "ResidualDisplay",
    "SelectionPathDisplay",
    "TwoSourceDisplay",
]
