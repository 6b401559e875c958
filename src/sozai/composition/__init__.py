"""A chemical formula as numbers - and back."""

from sozai.composition.component_blocks import BlockKernelMean, ComponentBlock
from sozai.composition.compositions import ParsedFormulas
from sozai.composition.decoding import DecodedFormula, decode
from sozai.composition.elements import ComponentTable, as_table, imputation_share, oxidation_states
from sozai.composition.formula import Composition, as_compositions, parse_formula, parse_formulas
from sozai.composition.inverse_design import DesignedFormulas, Goal, design_formulas
from sozai.composition.ionic_radii import ionic_radius
from sozai.composition.kernel_grids import GridPoints, QuantileGrid, UniformGrid
from sozai.composition.kernel_landmarks import (
    AllComponents,
    KMeansLandmarks,
    PivotedCholeskyLandmarks,
    RandomFourierFeatures,
)
from sozai.composition.kernel_matrix import UserKernel
from sozai.composition.kernel_mean import KernelMeanDescriptor, load_kernel_mean
from sozai.composition.kernel_mean_inverse import InverseResult, Invertibility, invert, invertibility
from sozai.composition.mean_discrepancy import SimilarFormulas
from sozai.composition.perovskites import (
    PerovskiteSite,
    PerovskiteSites,
    octahedral_factor,
    perovskite_descriptors,
    perovskite_sites,
    tau_factor,
    tolerance_factor,
)
from sozai.composition.polymer_fragments import PolymerFragments, polymer_atoms
from sozai.composition.pooling import KernelMeanPooling
from sozai.composition.property_classes import CompositionClassifier
from sozai.composition.property_filling import PropertyFilling, fill
from sozai.composition.property_models import CompositionRegressor
from sozai.composition.property_tables import PropertySource, PropertyTable, PropertyValues, assemble
from sozai.composition.similar_materials import SimilarMaterials, SimilarResult, load_similar_materials
from sozai.composition.statistics import Quantile, SummaryStatistics
from sozai.composition.symbols import ELEMENTS
from sozai.composition.vectorizer import CompositionVectorizer

__all__ = [
    "ELEMENTS",
    "AllComponents",
    "BlockKernelMean",
    "ComponentBlock",
    "ComponentTable",
    "Composition",
    "CompositionClassifier",
    "CompositionRegressor",
    "CompositionVectorizer",
    "DecodedFormula",
    "DesignedFormulas",
    "Goal",
    "GridPoints",
    "InverseResult",
    "Invertibility",
    "KMeansLandmarks",
    "KernelMeanDescriptor",
    "KernelMeanPooling",
    "ParsedFormulas",
    "PerovskiteSite",
    "PerovskiteSites",
    "PivotedCholeskyLandmarks",
    "PolymerFragments",
    "PropertyFilling",
    "PropertySource",
    "PropertyTable",
    "PropertyValues",
    "Quantile",
    "QuantileGrid",
    "RandomFourierFeatures",
    "SimilarFormulas",
    "SimilarMaterials",
    "SimilarResult",
    "SummaryStatistics",
    "UniformGrid",
    "UserKernel",
    "as_compositions",
    "as_table",
    "assemble",
    "decode",
    "design_formulas",
    "fill",
    "imputation_share",
    "invert",
    "invertibility",
    "ionic_radius",
    "load_kernel_mean",
    "load_similar_materials",
    "octahedral_factor",
    "oxidation_states",
    "parse_formula",
    "parse_formulas",
    "perovskite_descriptors",
    "perovskite_sites",
    "polymer_atoms",
    "tau_factor",
    "tolerance_factor",
]
