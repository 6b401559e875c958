"""One Display class per result: draws records and arrays, imports no model."""

from sozai.displays.correlation import CorrelationDisplay
from sozai.displays.display import Display
from sozai.displays.formula_map import FormulaMapDisplay
from sozai.displays.invariants import InvariantDisplay
from sozai.displays.pareto import ParetoDisplay
from sozai.displays.parity import ParityDisplay
from sozai.displays.relation_map import RelationMapDisplay
from sozai.displays.residual import ResidualDisplay
from sozai.displays.selection_path import SelectionPathDisplay

__all__ = [
    "CorrelationDisplay",
    "Display",
    "FormulaMapDisplay",
    "InvariantDisplay",
    "ParetoDisplay",
    "ParityDisplay",
    "RelationMapDisplay",
    "ResidualDisplay",
    "SelectionPathDisplay",
]
