"""# The area of a triangle: from twenty measured rows to a law

A first law from a table: which short formula gives the area of a triangle from its base and height? The
table is the one printed in the lectures on descriptor generation, so the answer can be compared with the
published figures.
"""

# %%
# ## The table
# Bundled with the package: twenty triangles with base, height and area.
from sozai import datasets
from sozai.symbolic import AllTerms, SymbolicRegressor

triangles = datasets.load_triangle_area()
X, area = triangles.features, triangles.target

# %%
# ## A plain linear fit is not enough
# Published: 0.11681 b + 0.13780 h - 0.03876 with an adjusted R2 of 0.5515.
plain = AllTerms().select(X.to_numpy(), area.to_numpy(), ("base", "height"))[0]
print(plain.terms, plain.coefficients, f"adjusted R2 {plain.adj_r2:.4f}")
assert round(plain.adj_r2, 4) == 0.5515

# %%
# ## Products of two columns
# `max_order=2` allows them. The kept law is the simplest one whose leave-one-out error is within one
# standard error of the best; here it is a single term.
law = SymbolicRegressor(max_order=2).fit(X, area)
print(law.formula_)
model = law.model_
print(f"slope {model.coefficients[0]:.6f} +- {model.standard_errors[0]:.6f}, Q2 {model.q2:.8f}")
assert model.terms == ("base*height",)
assert round(model.coefficients[0], 4) == 0.4998

# %%
# ## Prediction with an interval, and where not to trust it
new = X.iloc[:2].assign(base=[0.5, 7.0])
print(law.predict(X.iloc[:2]))
print(law.predict_interval(X.iloc[:2]))
print(law.applicability(new))
