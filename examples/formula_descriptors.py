"""# From a formula to numbers, and back

A formula says how much of each element is there. Descriptors turn that into columns for any model; the kernel
mean keeps so much that the formula can be computed back, even from noisy numbers.

化学式を数値(記述子)に変え、その数値から化学式を計算し直します。
"""

# %%
# ## Read a column of formulas
# Brackets, hydrates, subscripts and charges are read; what is doubtful is repaired with a note or refused
# with a reason. Nothing is dropped silently.
import numpy as np

from sozai.composition import KernelMeanDescriptor, SummaryStatistics, parse_formulas

column = ["Fe2O3", "Ca5(PO4)3OH", "CuSO4.5H2O", "Fe₃O₄", "NaN", "La1-xSrxMnO3"]
parsed = parse_formulas(column, on_error="nan")
print(parsed.to_frame()[["text", "formula", "n_atoms"]].to_string())
print(parsed.issues[["row", "text", "code", "message"]].to_string(index=False))
assert parsed.refused.tolist() == [False, False, False, False, True, True]
manganite = parse_formulas(["La1-xSrxMnO3"], values={"x": 0.3}).keys()[0]
assert manganite == parse_formulas(["La7Sr3Mn10O30"]).keys()[0]

# %%
# ## Summary statistics
# Mean, variance, largest and smallest value of 59 properties of the elements. Different materials may share
# all of them, and the way back is closed.
formulas = ["NaCl", "BaTiO3", "LiFePO4", "YBa2Cu3O7", "Nd2Fe14B", "Cu2ZnSnS4", "Li7La3Zr2O12"]
statistics = SummaryStatistics(statistics=("mean", "var", "max", "min")).fit()
table = statistics.transform(formulas)
names = statistics.get_feature_names_out().tolist()
print(table.shape, names[:3])
mean_weight = table[0, names.index("mean:atomic_weight")]
assert abs(mean_weight - (22.990 + 35.45) / 2) < 0.01

# %%
# ## Kernel mean
# Every property on a grid of ten points: how much of the material lies near each of them.
descriptor = KernelMeanDescriptor().fit()
phi = descriptor.transform(formulas)
print(phi.shape, descriptor.get_feature_names_out()[:2].tolist(), descriptor.invertibility_)
assert descriptor.invertibility_.unique

# %%
# ## Back to fractions
# The fractions are the nearest point of a simplex, with a certificate that no other composition is as near.
back = descriptor.inverse_transform(phi)
truth = parse_formulas(formulas, components=descriptor.components_).dense()
print(back, np.abs(back.fractions - truth).sum(axis=1).max())
assert np.abs(back.fractions - truth).sum(axis=1).max() < 1e-12
assert back.unique.all()

# %%
# ## Back from noisy numbers
# A designed descriptor is never exact. The nearest fractions then hold traces of many elements; `decode`
# weighs the distance against the number of elements and atoms and answers with formulas.
noisy = phi + 0.01 * np.random.default_rng(0).standard_normal(phi.shape)
spread = (descriptor.inverse_transform(noisy).fractions > 1e-6).sum(axis=1)
answers = descriptor.decode(noisy, n_best=3)
for formula, count, found in zip(formulas, spread, answers, strict=True):
    print(f"{formula:14} {count:2} elements in the nearest fractions; decoded {found[0].formula}")
assert [found[0].formula for found in answers] == parse_formulas(formulas).keys().tolist()

# %%
# ## A formula that must be neutral
# Oxidation states that cancel can be asked for, and elements can be named or excluded.
best = descriptor.decode(noisy[2], charge_balance=True, include=["Li"], exclude=["Na"], n_best=1)[0]
print(best.formula, best.oxidation_states, best.reason)
assert best.charge == 0
