"""# How far can it go? Effects and limits of a law

A law says more than its predictions: which column matters most, how large the property can become inside
the region one can make, and which bound stands in the way. The limits here are certified: interval
arithmetic proves that no point of the region goes beyond them.
"""

# %%
# ## The law
# The area of a triangle from twenty measured rows, as in the first example.
from sozai import datasets
from sozai.symbolic import SymbolicRegressor
from sozai.symbolic.effects import effects
from sozai.symbolic.limits import limits
from sozai.symbolic.reach import reach

triangles = datasets.load_triangle_area()
law = SymbolicRegressor(max_order=2).fit(triangles.features, triangles.target)
print(law.formula_)

# %%
# ## What each column does
# Slopes at every row with standard errors, and the change of the area when one column moves from its 25 %
# to its 75 % quantile while the other stays. For an area of b h / 2 the slope along b is h / 2.
acting = effects(law, triangles.features)
print(acting.to_frame()[["column", "slope", "slope_error", "effect", "effect_error", "same_sign"]])
base = acting.names.index("base")
assert abs(acting.slopes[:, base] - triangles.features["height"] / 2).max() < 1e-2

# %%
# ## The largest area inside a region
# Both bounds are always given: one is attained, the other is proven. The multipliers say what a wider bound
# would bring, here h / 2 and b / 2.
region = {"base": (0.5, 0.9), "height": (0.5, 0.8)}
largest = limits(law, region)
print(largest)
assert abs(largest.value - 0.5 * 0.9 * 0.8) < 1e-3
assert abs(largest.multipliers["base <= 0.9"] - 0.8 / 2) < 1e-3
assert largest.lower <= largest.value <= largest.upper

# %%
# ## A constraint in the way
# With a given sum of base and height the best triangle has both equal.
bounded = limits(law, region, "base + height <= 1.2")
print(bounded)
assert abs(bounded.value - 0.6 * 0.6 / 2) < 1e-3

# %%
# ## Where is an area of 0.3 certain?
# Boxes in which even the lower end of the 95 % prediction interval reaches the target; for a larger one the
# answer is that it cannot be reached inside the region.
boxes = reach(law, 0.3, region)
print(boxes)
print(boxes.to_frame().head(3))
assert boxes.answer == "reachable"
assert reach(law, 0.5, region).answer == "not reachable"

# %%
# ## Drawn
from sozai.displays.limits import LimitsDisplay

display = LimitsDisplay.from_limits(largest, limits(law, region, goal="min")).plot()
print(display.ax_.get_legend_handles_labels()[1])
