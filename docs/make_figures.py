"""Draw the figure of the README from bundled data: two laws found, none drawn by hand.

uv run python docs/make_figures.py
"""

from pathlib import Path

import numpy as np
import pandas as pd

from sozai import datasets
from sozai.displays.style import blank_figure, dress, house_style, save_figure
from sozai.symbolic import Exhaustive, SymbolicRegressor

IMAGES = Path(__file__).resolve().parent / "images"


def draw_hydrogen(axes) -> None:
    """Wave numbers of hydrogen: dots as published, lines as the law found says."""
    lines = datasets.load_hydrogen_lines().frame
    levels, wave_number = lines[["n1", "n2"]], 1e9 / lines["wavelength"]
    law = SymbolicRegressor(operations=("inverse",), selection=Exhaustive(max_terms=2)).fit(
        levels, wave_number
    )
    found = lines.assign(measured=1e-6 * wave_number, law=1e-6 * law.predict(levels))
    for series, rows in found.groupby("series", sort=False):
        (curve,) = axes.plot(rows["n2"], rows["law"], lw=1)
        axes.plot(rows["n2"], rows["measured"], "o", ms=4, color=curve.get_color())
        last = rows.iloc[-1]
        axes.annotate(series, (last["n2"] + 0.15, last["measured"]), fontsize=8, va="center")
    axes.set_xlim(1.6, 10.9)
    axes.set_yscale("log")
    constant = abs(law.model_.coefficients[0])
    title = f"1/λ = R (1/n₁² − 1/n₂²),  R = {constant:,.0f} m⁻¹"
    dress(axes, x="upper level n₂", y="wave number 1/λ (μm⁻¹)", title=title)


def alloy_table() -> pd.DataFrame:
    """Nine alloys X-Fe at eleven compositions; moments of the published law with a scatter of 0.005 μB."""
    elements = datasets.load_binary_alloy_elements().frame.set_index("element")
    others = elements.drop(index="Fe").rename(
        columns={"M_P": "M_A [μB]", "Z": "Z_A", "M_I_in_Fe": "M_AB [μB]", "M_I_Fe_in": "M_BA [μB]"}
    )
    table = others.reset_index().merge(pd.DataFrame({"x": np.linspace(0, 1, 11).round(1)}), how="cross")
    x = table["x"]
    strength = -4.03 + 0.28 * table["Z_A"] + 0.62 * table["M_BA [μB]"]
    strength += 0.20 * (table["M_A [μB]"] + table["M_AB [μB]"]).abs()
    table["average"] = (1 - x) * table["M_A [μB]"] + x * elements.loc["Fe", "M_P"]
    scatter = 0.005 * np.random.default_rng(0).standard_normal(len(table))
    return table.assign(moment=table["average"] + x * (1 - x) * strength + scatter)


def draw_alloys(axes) -> None:
    """Excess moment of alloys: dots from the table, lines from the law found for the mixing strength."""
    table = alloy_table()
    excess = table["moment"] - table["average"]
    inside = table["x"].between(0.05, 0.95)
    weight = table["x"] * (1 - table["x"])
    descriptors = table[["M_A [μB]", "Z_A", "M_AB [μB]", "M_BA [μB]"]]
    law = SymbolicRegressor(pair_operations=("abs_sum", "abs_difference"), max_order=1)
    law.fit(descriptors[inside], (excess / weight)[inside].rename("Ω [μB]"), groups=table["element"][inside])
    found = table.assign(excess=excess, law=weight * law.predict(descriptors))
    for element, rows in found.groupby("element", sort=False):
        (curve,) = axes.plot(rows["x"], rows["law"], lw=1)
        axes.plot(rows["x"], rows["excess"], "o", ms=3, color=curve.get_color(), label=f"{element}–Fe")
    axes.legend(ncols=3, fontsize=7, loc="lower center")
    axes.set_ylim(-1.3, 0.4)
    title = f"Ω = {law.formula_of(law.model_, digits=3)}"
    dress(axes, x="fraction of iron x", y="moment − average = x(1−x)Ω (μB)", title=title)


def main() -> None:
    """Write ``first-laws.svg``."""
    with house_style():
        figure = blank_figure(9.6, 3.9, interactive=False)
        left, right = figure.subplots(1, 2)
        draw_hydrogen(left)
        draw_alloys(right)
    IMAGES.mkdir(exist_ok=True)
    save_figure(figure, IMAGES / "first-laws.svg")


if __name__ == "__main__":
    main()
