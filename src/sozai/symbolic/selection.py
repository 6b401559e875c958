"""Model selection: which terms belong into the formula, by every method a user may ask for."""

from sozai.symbolic.selectors.exhaustive import Exhaustive
from sozai.symbolic.selectors.models import ModelList, SymbolicModel
from sozai.symbolic.selectors.penalized import (
    Lasso,
    LassoThenL0,
    PartialLeastSquares,
    PrincipalComponents,
    Ridge,
)
from sozai.symbolic.selectors.selector import SelectionTask, Selector
from sozai.symbolic.selectors.stepwise import (
    AllTerms,
    BackwardElimination,
    ForwardSelection,
    OrthogonalMatchingPursuit,
    Stepwise,
)
from sozai.symbolic.selectors.validation import (
    NestedScore,
    SelectionFrequency,
    nested_score,
    selection_frequency,
)

__all__ = [
    "AllTerms",
    "BackwardElimination",
    "Exhaustive",
    "ForwardSelection",
    "Lasso",
    "LassoThenL0",
    "ModelList",
    "NestedScore",
    "OrthogonalMatchingPursuit",
    "PartialLeastSquares",
    "PrincipalComponents",
    "Ridge",
    "SelectionFrequency",
    "SelectionTask",
    "Selector",
    "Stepwise",
    "SymbolicModel",
    "nested_score",
    "selection_frequency",
]
