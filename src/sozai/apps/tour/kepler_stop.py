"""Kepler's third law, found without being told which column is to be explained."""

from __future__ import annotations

from sozai.apps.tour.stops import Finding, Stop, as_printed, beside
from sozai.displays.invariants import InvariantDisplay

__all__ = ["KEPLER_STOP"]


def kepler() -> Finding:
    """Product of powers of two columns that is the same for all planets."""
    from sozai.datasets import load_planets
    from sozai.symbolic.invariants import find_invariants

    planets = load_planets().to_frame()
    found = find_invariants(planets[["a [AU]", "T [yr]"]])
    law = found[0]
    free = dict(zip(law.names, law.free_exponents, strict=True))
    verdicts = (
        beside("independent invariants", found.n_independent, 1),
        beside("what is constant", law.formula, "a**3/T**2"),
        as_printed("exponent of T where that of a is 3", 3 * free["T"] / free["a"], "-2.0002"),
        as_printed("spread of a³/T²", law.spread, "5.8e-4"),
        beside("constant (AU³/yr², 1 for a test body)", law.constant, 1.0, 1e-3),
        beside("shuffled tables as firmly tied, of 199", round(law.p_value * 200) - 1, 0),
    )
    return Finding(
        verdicts,
        formulas=(("constant", law.formula),),
        figures=(
            (
                InvariantDisplay.from_invariant(law, labels=planets["planet"]),
                "Deviation of each planet from the constant.",
            ),
        ),
        text=(
            "No column was named as the target: among products of powers of the semi-major axis and the "
            "period, one is constant. Its exponents are found as numbers and read as 3 and −2. What is left "
            "is no noise: the elements are means over long times, and heavy planets are a little faster "
            "(one part in a thousand for Jupiter)."
        ),
        source="J. Kepler, Harmonices mundi libri V (1619); figures recomputed from the printed orbits",
    )


KEPLER_STOP = Stop(
    "symbolic", "Kepler's third law", "What is the same for all planets, if no column is the target?", kepler
)
