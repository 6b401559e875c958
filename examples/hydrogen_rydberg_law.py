"""# The Rydberg law from the wavelengths of hydrogen

Balmer and Rydberg found a law in a table of wavelengths. Here the table goes in and the law comes out: the
wave number of a line is a constant times the difference of two inverse squares.
"""

# %%
# ## The table
# Published wavelengths (in vacuum) with the quantum numbers of the lower and the upper level.
from sozai import datasets
from sozai.symbolic import Exhaustive, SymbolicRegressor

lines = datasets.load_hydrogen_lines()
print(lines.frame.head())

# %%
# ## What should the law explain?
# Energies add, wavelengths do not: the target is the wave number in 1/m. The inverse of a quantum number is a
# sensible descriptor, so it is switched on; products of two (the default) give
# the squares.
levels = lines.frame[["n1", "n2"]]
wave_number = (1e9 / lines.frame["wavelength"]).rename("wave number [1/m]")
law = SymbolicRegressor(operations=("inverse",), max_order=2, selection=Exhaustive(max_terms=2)).fit(
    levels, wave_number
)
print(law.formula_)

# %%
# ## Found beside published
# Two terms with opposite coefficients: the Rydberg constant of hydrogen, 10 967 758.34 1/m.
model = law.model_
for term, value, error in zip(model.terms, model.coefficients, model.standard_errors, strict=True):
    print(f"{term:12s} {value:14.1f} +- {error:.1f}")
assert len(model.terms) == 2
for value in model.coefficients:
    assert abs(abs(value) / 10_967_758.34 - 1) < 2e-5
assert model.coefficients[0] * model.coefficients[1] < 0

# %%
# ## A line that was not in the table
# The limit of the Balmer series lies outside anything measured, and the law says so.
new = levels.iloc[[0]].assign(n1=2, n2=40)
print(law.applicability(new).to_string())
