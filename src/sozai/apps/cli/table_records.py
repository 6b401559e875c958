"""The answer to a question about a table as plain records, for JSON and for tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sozai.apps.cli.table_limits import as_records as limit_records

if TYPE_CHECKING:
    from sozai.apps.cli.table_answer import TableAnswer

__all__ = [
    "as_payload",
    "law_record",
    "relation_records",
    "repair_records",
    "rewrite_formula",
    "rewrite_record",
    "subspace_records",
]


def as_payload(found: TableAnswer) -> dict[str, Any]:
    """Keys of the JSON object beyond those every command shares."""
    law, reading, question = found.law, found.reading, found.question
    payload = {
        "target": reading.target,
        "unit": reading.target_unit,
        "units": {name: reading.units.get(name) for name in [*reading.X.columns, reading.target]},
        "formula_units": found.formula_units,
        "features": list(reading.X.columns),
        "n_rows": len(reading.y),
        "dropped_rows": reading.dropped,
        "repairs": repair_records(reading.table),
        "operations": {
            "unary": found.plan.operations,
            "pair": found.plan.pair_operations,
            "order": getattr(law, "order_", found.plan.order),
        },
        "search": {
            "size": "large" if found.plan.large else "small",
            "screens": [
                {"n_scored": screen.n_scored, "n_kept": len(screen.ids), "seconds": screen.seconds}
                for screen in law.screens_
            ],
            "log": found.search_log,
        },
        "rank": law.rank_,
        "n_relations": law.relations_.n_relations,
        "n_candidates": law.n_candidates_,
        "complete": bool(getattr(law.models_, "complete", True)),
        "simplified_formula": found.simplified,
        "laws": [law_record(law, model) for model in found.models],
        "validation": found.validation,
        "symmetry_error": law.symmetry_error_,
        "seconds": found.seconds,
    }
    if question.relations:
        payload["relations"] = relation_records(law.relations_)
        payload["subspaces"] = subspace_records(law.relations_)
    if question.prefer:
        payload["rewritten"] = [rewrite_record(law, form) for form in found.rewritten]
    if found.comparison is not None:
        payload["comparison"] = found.comparison.to_dict("records")
        payload["price"] = {
            name: getattr(found.price, name) for name in ("ratio", "lower", "upper", "ratio_blind", "best")
        }
    if found.limits is not None:
        payload |= limit_records(found.limits)
    if found.predictions is not None:
        payload["predictions"] = found.predictions.to_dict("records")
    return payload


def law_record(law: Any, model: Any) -> dict[str, Any]:
    """One law as JSON."""
    terms = zip(model.terms, model.coefficients, model.standard_errors, strict=True)
    return {
        "formula": law.formula_of(model),
        "latex": law.latex_of(model),
        "intercept": model.intercept,
        "n_terms": model.n_terms,
        "complexity": model.complexity,
        **{name: getattr(model, name) for name in ("rmse", "q2", "rmse_loo", "r2", "mae", "aic", "bic")},
        "terms": [
            {"name": name, "coefficient": value, "standard_error": error} for name, value, error in terms
        ],
    }


def rewrite_record(law: Any, form: Any) -> dict[str, Any]:
    """One equivalent form of the kept law as JSON."""
    terms = zip(form.terms, form.coefficients, strict=True)
    return {
        "formula": rewrite_formula(law, form),
        "intercept": form.intercept,
        "n_terms": form.n_terms,
        "complexity": form.complexity,
        "holds": form.holds,
        "max_abs_difference": form.max_abs_difference,
        "terms": [{"name": name, "coefficient": value} for name, value in terms],
    }


def rewrite_formula(law: Any, form: Any) -> str:
    """Text of an equivalent form in our grammar."""
    from sozai.symbolic.formulas.grammar import parse_into
    from sozai.symbolic.formulas.linear_formula import render_formula

    store = law.expressions_
    terms = [store.expression(parse_into(store, term)) for term in form.terms]
    return render_formula(terms, form.coefficients, form.intercept, snap=False).text


def relation_records(table: Any) -> list[dict[str, Any]]:
    """Every relation: the dependent column, what it is made of, how exactly, and whether always."""
    return [
        {
            "dependent": relation.dependent,
            "basis": list(relation.basis),
            "coefficients": list(relation.coefficients),
            "relative_residual": relation.relative_residual,
            "kind": relation.kind,
            "holds": relation.holds,
        }
        for relation in [*table.relations, *table.near_relations]
    ]


def subspace_records(table: Any) -> list[dict[str, Any]]:
    """Every subspace list: its members, and how many of them may stand together."""
    return [{"members": list(space.members), "dimension": space.dimension} for space in table.subspaces]


def repair_records(table: Any) -> list[dict[str, Any]]:
    """Every repair made while reading: row, column, what stood there, what was done."""
    return [dict(repair._asdict()) for repair in table.repairs]
