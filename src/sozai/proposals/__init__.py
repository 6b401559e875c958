"""What to measure next: ask, measure, tell, ask again."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sozai.contracts.observations import Choice as Choice
    from sozai.contracts.observations import Observations as Observations
    from sozai.contracts.protocols import Assimilator as Assimilator
    from sozai.contracts.protocols import PoolProposer as PoolProposer
    from sozai.contracts.records import Proposal as Proposal
    from sozai.proposals.acquisition import ExpectedImprovement as ExpectedImprovement
    from sozai.proposals.acquisition import NoisyExpectedImprovement as NoisyExpectedImprovement
    from sozai.proposals.acquisition import ProbabilityOfImprovement as ProbabilityOfImprovement
    from sozai.proposals.acquisition import RangeProbability as RangeProbability
    from sozai.proposals.acquisition import TargetImprovement as TargetImprovement
    from sozai.proposals.acquisition import ThompsonSampling as ThompsonSampling
    from sozai.proposals.acquisition import UpperConfidenceBound as UpperConfidenceBound
    from sozai.proposals.acquisition import Variance as Variance
    from sozai.proposals.batch import ConstantLiar as ConstantLiar
    from sozai.proposals.batch import Fantasies as Fantasies
    from sozai.proposals.batch import LocalPenalty as LocalPenalty
    from sozai.proposals.batch import Thompson as Thompson
    from sozai.proposals.batch import TopScores as TopScores
    from sozai.proposals.bayesian import BayesianProposer as BayesianProposer
    from sozai.proposals.campaign import Campaign as Campaign
    from sozai.proposals.campaign_events import CampaignWarning as CampaignWarning
    from sozai.proposals.campaign_events import Event as Event
    from sozai.proposals.campaign_records import BestResult as BestResult
    from sozai.proposals.campaign_records import CampaignStatus as CampaignStatus
    from sozai.proposals.campaign_records import TellReport as TellReport
    from sozai.proposals.candidates_table import CandidatesTable as CandidatesTable
    from sozai.proposals.candidates_table import read_candidates as read_candidates
    from sozai.proposals.candidates_table import read_proposals as read_proposals
    from sozai.proposals.coexistence import Coexistence as Coexistence
    from sozai.proposals.coexistence import LeverRule as LeverRule
    from sozai.proposals.evolutionary import EvolutionaryProposer as EvolutionaryProposer
    from sozai.proposals.label_graph import LabelPropagation as LabelPropagation
    from sozai.proposals.label_graph import LabelSpreading as LabelSpreading
    from sozai.proposals.library_boxes import NextLibrary as NextLibrary
    from sozai.proposals.library_grid import LibraryGrid as LibraryGrid
    from sozai.proposals.library_map import LibraryBest as LibraryBest
    from sozai.proposals.library_map import LibraryMap as LibraryMap
    from sozai.proposals.model_free import ExhaustiveProposer as ExhaustiveProposer
    from sozai.proposals.model_free import RandomProposer as RandomProposer
    from sozai.proposals.model_free import SpaceFillingProposer as SpaceFillingProposer
    from sozai.proposals.model_slices import PosteriorSlices as PosteriorSlices
    from sozai.proposals.model_slices import posterior_slices as posterior_slices
    from sozai.proposals.novelty import SteinNovelty as SteinNovelty
    from sozai.proposals.objectives import Objective as Objective
    from sozai.proposals.objectives import Range as Range
    from sozai.proposals.objectives import Target as Target
    from sozai.proposals.outcomes import Constraint as Constraint
    from sozai.proposals.outcomes import LearnedCost as LearnedCost
    from sozai.proposals.outcomes import SuccessProbability as SuccessProbability
    from sozai.proposals.pareto import expected_hypervolume_improvement as expected_hypervolume_improvement
    from sozai.proposals.pareto import hypervolume as hypervolume
    from sozai.proposals.pareto import hypervolume_improvement as hypervolume_improvement
    from sozai.proposals.pareto import nondominated as nondominated
    from sozai.proposals.pareto import nondominated_rank as nondominated_rank
    from sozai.proposals.pareto import reference_point as reference_point
    from sozai.proposals.phase_batches import Determinantal as Determinantal
    from sozai.proposals.phase_batches import NeighborExclusion as NeighborExclusion
    from sozai.proposals.phase_classifiers import OneHotGaussianProcess as OneHotGaussianProcess
    from sozai.proposals.phase_classifiers import PresenceGaussianProcess as PresenceGaussianProcess
    from sozai.proposals.phase_constraints import FreeColumns as FreeColumns
    from sozai.proposals.phase_constraints import SameValue as SameValue
    from sozai.proposals.phase_coordinates import PhaseCoordinates as PhaseCoordinates
    from sozai.proposals.phase_diagram import PhaseDiagramProposer as PhaseDiagramProposer
    from sozai.proposals.phase_evaluation import evaluate_phase_sampling as evaluate_phase_sampling
    from sozai.proposals.phase_evaluation import labels_to_reach as labels_to_reach
    from sozai.proposals.phase_goal import PhaseGoal as PhaseGoal
    from sozai.proposals.phase_grids import composition_grid as composition_grid
    from sozai.proposals.phase_grids import parse_grid as parse_grid
    from sozai.proposals.phase_grids import with_condition as with_condition
    from sozai.proposals.phase_rule import PhaseRule as PhaseRule
    from sozai.proposals.phase_rule import PhaseRuleViolation as PhaseRuleViolation
    from sozai.proposals.phase_scores import EntropyApproach as EntropyApproach
    from sozai.proposals.phase_scores import LeastConfident as LeastConfident
    from sozai.proposals.phase_scores import MarginSampling as MarginSampling
    from sozai.proposals.phase_scores import RandomSampling as RandomSampling
    from sozai.proposals.phase_scores import Straddle as Straddle
    from sozai.proposals.several_objectives import (
        ExpectedHypervolumeImprovement as ExpectedHypervolumeImprovement,
    )
    from sozai.proposals.several_objectives import HypervolumeProbability as HypervolumeProbability
    from sozai.proposals.several_objectives import HypervolumeThompson as HypervolumeThompson
    from sozai.proposals.several_objectives import NonDominatedRank as NonDominatedRank
    from sozai.proposals.several_objectives import ParEGO as ParEGO
    from sozai.proposals.simulate import evaluations_to as evaluations_to
    from sozai.proposals.simulate import simulate_campaign as simulate_campaign
    from sozai.proposals.space import LinearConstraint as LinearConstraint
    from sozai.proposals.spaces import Box as Box
    from sozai.proposals.spaces import Categorical as Categorical
    from sozai.proposals.spaces import Mixture as Mixture
    from sozai.proposals.spaces import Pool as Pool
    from sozai.proposals.spaces import Product as Product
    from sozai.proposals.surrogate import Surrogate as Surrogate
    from sozai.proposals.threshold_proposer import ThresholdProposer as ThresholdProposer
    from sozai.proposals.two_source import TwoSourceProposer as TwoSourceProposer
    from sozai.proposals.two_source_replay import rounds_to_best as rounds_to_best
    from sozai.proposals.two_source_replay import simulate_two_sources as simulate_two_sources
    from sozai.proposals.two_source_results import TwoSourceStatus as TwoSourceStatus
    from sozai.proposals.two_source_rules import CostAware as CostAware
    from sozai.proposals.two_source_rules import MaximumVariance as MaximumVariance
    from sozai.proposals.two_source_rules import Mean as Mean

# The room opens a module when a name of it is first asked for: reading a list needs no model.
_HOMES = {
    "sozai.contracts.observations": (
        "Choice",
        "Observations",
    ),
    "sozai.contracts.protocols": (
        "Assimilator",
        "PoolProposer",
    ),
    "sozai.contracts.records": ("Proposal",),
    "sozai.proposals.acquisition": (
        "ExpectedImprovement",
        "NoisyExpectedImprovement",
        "ProbabilityOfImprovement",
        "RangeProbability",
        "TargetImprovement",
        "ThompsonSampling",
        "UpperConfidenceBound",
        "Variance",
    ),
    "sozai.proposals.batch": (
        "ConstantLiar",
        "Fantasies",
        "LocalPenalty",
        "Thompson",
        "TopScores",
    ),
    "sozai.proposals.bayesian": ("BayesianProposer",),
    "sozai.proposals.campaign": ("Campaign",),
    "sozai.proposals.campaign_events": (
        "CampaignWarning",
        "Event",
    ),
    "sozai.proposals.campaign_records": (
        "BestResult",
        "CampaignStatus",
        "TellReport",
    ),
    "sozai.proposals.candidates_table": (
        "CandidatesTable",
        "read_candidates",
        "read_proposals",
    ),
    "sozai.proposals.evolutionary": ("EvolutionaryProposer",),
    "sozai.proposals.library_boxes": ("NextLibrary",),
    "sozai.proposals.library_grid": ("LibraryGrid",),
    "sozai.proposals.library_map": (
        "LibraryBest",
        "LibraryMap",
    ),
    "sozai.proposals.model_free": (
        "ExhaustiveProposer",
        "RandomProposer",
        "SpaceFillingProposer",
    ),
    "sozai.proposals.model_slices": (
        "PosteriorSlices",
        "posterior_slices",
    ),
    "sozai.proposals.novelty": ("SteinNovelty",),
    "sozai.proposals.objectives": (
        "Objective",
        "Range",
        "Target",
    ),
    "sozai.proposals.outcomes": (
        "Constraint",
        "LearnedCost",
        "SuccessProbability",
    ),
    "sozai.proposals.pareto": (
        "expected_hypervolume_improvement",
        "hypervolume",
        "hypervolume_improvement",
        "nondominated",
        "nondominated_rank",
        "reference_point",
    ),
    "sozai.proposals.several_objectives": (
        "ExpectedHypervolumeImprovement",
        "HypervolumeProbability",
        "HypervolumeThompson",
        "NonDominatedRank",
        "ParEGO",
    ),
    "sozai.proposals.simulate": (
        "evaluations_to",
        "simulate_campaign",
    ),
    "sozai.proposals.space": ("LinearConstraint",),
    "sozai.proposals.spaces": (
        "Box",
        "Categorical",
        "Mixture",
        "Pool",
        "Product",
    ),
    "sozai.proposals.surrogate": ("Surrogate",),
    "sozai.proposals.threshold_proposer": ("ThresholdProposer",),
    "sozai.proposals.two_source": ("TwoSourceProposer",),
    "sozai.proposals.two_source_replay": (
        "rounds_to_best",
        "simulate_two_sources",
    ),
    "sozai.proposals.two_source_results": ("TwoSourceStatus",),
    "sozai.proposals.two_source_rules": (
        "CostAware",
        "MaximumVariance",
        "Mean",
    ),
    "sozai.proposals.coexistence": (
        "Coexistence",
        "LeverRule",
    ),
    "sozai.proposals.label_graph": (
        "LabelPropagation",
        "LabelSpreading",
    ),
    "sozai.proposals.phase_batches": (
        "Determinantal",
        "NeighborExclusion",
    ),
    "sozai.proposals.phase_classifiers": (
        "OneHotGaussianProcess",
        "PresenceGaussianProcess",
    ),
    "sozai.proposals.phase_constraints": (
        "FreeColumns",
        "SameValue",
    ),
    "sozai.proposals.phase_coordinates": ("PhaseCoordinates",),
    "sozai.proposals.phase_diagram": ("PhaseDiagramProposer",),
    "sozai.proposals.phase_evaluation": (
        "evaluate_phase_sampling",
        "labels_to_reach",
    ),
    "sozai.proposals.phase_goal": ("PhaseGoal",),
    "sozai.proposals.phase_grids": (
        "composition_grid",
        "parse_grid",
        "with_condition",
    ),
    "sozai.proposals.phase_rule": (
        "PhaseRule",
        "PhaseRuleViolation",
    ),
    "sozai.proposals.phase_scores": (
        "EntropyApproach",
        "LeastConfident",
        "MarginSampling",
        "RandomSampling",
        "Straddle",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Assimilator",
    "BayesianProposer",
    "BestResult",
    "Box",
    "Campaign",
    "CampaignStatus",
    "CampaignWarning",
    "CandidatesTable",
    "Categorical",
    "Choice",
    "Coexistence",
    "ConstantLiar",
    "Constraint",
    "CostAware",
    "Determinantal",
    "EntropyApproach",
    "Event",
    "EvolutionaryProposer",
    "ExhaustiveProposer",
    "ExpectedHypervolumeImprovement",
    "ExpectedImprovement",
    "Fantasies",
    "FreeColumns",
    "HypervolumeProbability",
    "HypervolumeThompson",
    "LabelPropagation",
    "LabelSpreading",
    "LearnedCost",
    "LeastConfident",
    "LeverRule",
    "LibraryBest",
    "LibraryGrid",
    "LibraryMap",
    "LinearConstraint",
    "LocalPenalty",
    "MarginSampling",
    "MaximumVariance",
    "Mean",
    "Mixture",
    "NeighborExclusion",
    "NextLibrary",
    "NoisyExpectedImprovement",
    "NonDominatedRank",
    "Objective",
    "Observations",
    "OneHotGaussianProcess",
    "ParEGO",
    "PhaseCoordinates",
    "PhaseDiagramProposer",
    "PhaseGoal",
    "PhaseRule",
    "PhaseRuleViolation",
    "Pool",
    "PoolProposer",
    "PosteriorSlices",
    "PresenceGaussianProcess",
    "ProbabilityOfImprovement",
    "Product",
    "Proposal",
    "RandomProposer",
    "RandomSampling",
    "Range",
    "RangeProbability",
    "SameValue",
    "SpaceFillingProposer",
    "SteinNovelty",
    "Straddle",
    "SuccessProbability",
    "Surrogate",
    "Target",
    "TargetImprovement",
    "TellReport",
    "Thompson",
    "ThompsonSampling",
    "ThresholdProposer",
    "TopScores",
    "TwoSourceProposer",
    "TwoSourceStatus",
    "UpperConfidenceBound",
    "Variance",
    "composition_grid",
    "evaluate_phase_sampling",
    "evaluations_to",
    "expected_hypervolume_improvement",
    "hypervolume",
    "hypervolume_improvement",
    "labels_to_reach",
    "nondominated",
    "nondominated_rank",
    "parse_grid",
    "posterior_slices",
    "read_candidates",
    "read_proposals",
    "reference_point",
    "rounds_to_best",
    "simulate_campaign",
    "simulate_two_sources",
    "with_condition",
]


def __getattr__(name: str) -> object:
    if name in _HOME_OF:
        return getattr(importlib.import_module(_HOME_OF[name]), name)
    raise AttributeError(f"module 'sozai.proposals' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
