"""Short formulas for a property: build descriptors, find every relation among them, choose the best few."""

from sozai.numerics.table_predictor import TablePredictor
from sozai.symbolic.classifier import NestedAccuracy, SymbolicClassifier, nested_accuracy
from sozai.symbolic.effects import Effects
from sozai.symbolic.formulas.linear_constraints import LinearConstraint
from sozai.symbolic.formulas.linear_formula import LinearFormula, render_formula
from sozai.symbolic.generation import BasicOperations, DirectProducts, Generated, generate
from sozai.symbolic.independence import IndependentDescriptors, Relation, RelationTable, find_relations
from sozai.symbolic.invariants import Invariant, InvariantList, find_invariants
from sozai.symbolic.limit_multipliers import ActiveBound
from sozai.symbolic.limits import Limit
from sozai.symbolic.multi_task import MultiTaskSymbolicRegressor
from sozai.symbolic.operations import Expression, Expressions, parse_expression
from sozai.symbolic.price import Price, price_of_interpretability
from sozai.symbolic.reach import Reach
from sozai.symbolic.regressor import SymbolicRegressor
from sozai.symbolic.rewriting import Rewrite, RewriteList, rewrite
from sozai.symbolic.screening import ScreenResult, ScreenThenL0, grow, screen
from sozai.symbolic.selection import (
    AllTerms,
    BackwardElimination,
    Exhaustive,
    ForwardSelection,
    Lasso,
    LassoThenL0,
    ModelList,
    NestedScore,
    OrthogonalMatchingPursuit,
    PartialLeastSquares,
    PrincipalComponents,
    Ridge,
    SelectionFrequency,
    Stepwise,
    SymbolicModel,
    nested_score,
    selection_frequency,
)
from sozai.symbolic.subspaces import SubspaceList
from sozai.symbolic.symmetry import AugmentedTable, Symmetrizer, SymmetryGroup, augment

__all__ = [
    "ActiveBound",
    "AllTerms",
    "AugmentedTable",
    "BackwardElimination",
    "BasicOperations",
    "DirectProducts",
    "Effects",
    "Exhaustive",
    "Expression",
    "Expressions",
    "ForwardSelection",
    "Generated",
    "IndependentDescriptors",
    "Invariant",
    "InvariantList",
    "Lasso",
    "LassoThenL0",
    "Limit",
    "LinearConstraint",
    "LinearFormula",
    "ModelList",
    "MultiTaskSymbolicRegressor",
    "NestedAccuracy",
    "NestedScore",
    "OrthogonalMatchingPursuit",
    "PartialLeastSquares",
    "Price",
    "PrincipalComponents",
    "Reach",
    "Relation",
    "RelationTable",
    "Rewrite",
    "RewriteList",
    "Ridge",
    "ScreenResult",
    "ScreenThenL0",
    "SelectionFrequency",
    "Stepwise",
    "SubspaceList",
    "SymbolicClassifier",
    "SymbolicModel",
    "SymbolicRegressor",
    "Symmetrizer",
    "SymmetryGroup",
    "TablePredictor",
    "augment",
    "find_invariants",
    "find_relations",
    "generate",
    "grow",
    "nested_accuracy",
    "nested_score",
    "parse_expression",
    "price_of_interpretability",
    "render_formula",
    "rewrite",
    "screen",
    "selection_frequency",
]
