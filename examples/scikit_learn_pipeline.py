"""# With scikit-learn: pipeline, grid search, cross-validation

The regressor and the transformers are scikit-learn estimators: they take DataFrames, keep names, and can be
cloned, searched and validated like any other.
"""

# %%
# ## A table whose law we know
# `make_planted_law` draws samples of a law with noise and columns that have no part in it.
import warnings

from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from sozai.contracts.errors import ExtrapolationWarning
from sozai.datasets import make_planted_law
from sozai.symbolic import Exhaustive, IndependentDescriptors, SymbolicRegressor


def fallen(g, t):
    return g * t**2 / 2


fall = make_planted_law(
    lambda g, t: g * t**2 / 2, ["g", "t"], n_samples=40, noise=0.01, n_distractors=1, rng=0
)
X, y = fall.features, fall.target

# %%
# ## Choose the order by cross-validation
# Some rows of a fold lie a little outside the others; the law says so, and here we are content with that.
warnings.simplefilter("ignore", ExtrapolationWarning)
search = GridSearchCV(
    SymbolicRegressor(selection=Exhaustive(max_terms=1)),
    {"max_order": [1, 2, 3]},
    cv=5,
    scoring="neg_root_mean_squared_error",
).fit(X, y)
print(search.best_params_, search.best_estimator_.formula_)
assert search.best_params_ == {"max_order": 3}
assert search.best_estimator_.model_.terms == ("g*t**2",)

# %%
# ## In a pipeline, with a DataFrame from end to end
# The transformer keeps an independent basis of the columns it is given; the names survive.
doubled = X.assign(twice_g=2 * X["g"])
basis = IndependentDescriptors().set_output(transform="pandas").fit(doubled)
print(list(basis.transform(doubled).columns))
assert "twice_g" not in basis.get_feature_names_out()
pipeline = make_pipeline(IndependentDescriptors().set_output(transform="pandas"), search.best_estimator_)
scores = cross_val_score(pipeline, doubled, y, cv=GroupKFold(5), groups=range(len(y)))
print(scores.round(4))
assert scores.min() > 0.98

# %%
# ## Saved without pickle
# A zip of JSON and npy files with hashes; loading runs nothing.
law = search.best_estimator_
law.save("law.zip")
again = SymbolicRegressor.load("law.zip")
assert (again.predict(X) == law.predict(X)).all()
print(again.formula_)
