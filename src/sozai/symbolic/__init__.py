"""Short formulas for a property: build descriptors, find every relation among them, choose the best few."""

from sozai.symbolic.formulas.linear_formula import LinearFormula, render_formula
from sozai.symbolic.generation import BasicOperations, DirectProducts, Generated, generate
from sozai.symbolic.independence import IndependentDescriptors, Relation, RelationTable, find_relations
from sozai.symbolic.invariants import Invariant, InvariantList, find_invariants
from sozai.symbolic.operations import Expression, Expressions, parse_expression
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
    "AllTerms",
    "AugmentedTable",
    "BackwardElimination",
    "BasicOperations",
    "DirectProducts",
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
    "LinearFormula",
    "ModelList",
    "NestedScore",
    "OrthogonalMatchingPursuit",
    "PartialLeastSquares",
    "PrincipalComponents",
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
    "SymbolicModel",
    "SymbolicRegressor",
    "Symmetrizer",
    "SymmetryGroup",
    "augment",
    "find_invariants",
    "find_relations",
    "generate",
    "grow",
    "nested_score",
    "parse_expression",
    "render_formula",
    "rewrite",
    "screen",
    "selection_frequency",
]
