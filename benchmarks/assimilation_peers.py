"""What a prediction of the experiment is made with elsewhere: each takes both sources, gives mean and band.

A leg takes ``X`` (n, q), ``Y`` (n, 2) with NaN where a source has no value, the ``domain`` (q, 2) and new
points; it gives the mean and the standard deviation of the experiment's function there (None where it has
none). SMT's co-kriging runs in its own environment:

    python benchmarks/assimilation_peers.py --tasks tasks.npz
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from typing import Any

import numpy as np

Band = tuple[np.ndarray, np.ndarray | None]
DEGREE = 3


def own(X: np.ndarray, Y: np.ndarray, source: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and values of one source."""
    told = ~np.isnan(Y[:, source])
    return X[told], Y[told, source]


def scaled(X: np.ndarray, domain: np.ndarray) -> np.ndarray:
    """Descriptors on [0, 1]."""
    return (X - domain[:, 0]) / (domain[:, 1] - domain[:, 0])


def powers(X: np.ndarray, domain: np.ndarray) -> np.ndarray:
    """All products up to the third degree but the constant, on [-1, 1]."""
    from sklearn.preprocessing import PolynomialFeatures

    return PolynomialFeatures(DEGREE, include_bias=False).fit_transform(2.0 * scaled(X, domain) - 1.0)


def stacked(X: np.ndarray, Y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both sources below each other: descriptors, values, and 1 where a value was measured."""
    parts = [own(X, Y, source) for source in (0, 1)]
    level = np.repeat([0.0, 1.0], [len(part[0]) for part in parts])
    return np.vstack([part[0] for part in parts]), np.concatenate([part[1] for part in parts]), level


def least_squares(X: np.ndarray, Y: np.ndarray, domain: np.ndarray, new: np.ndarray) -> Band:
    """The experiments alone, by NumPy; the shortest solution where they are too few."""
    x, y = own(X, Y, 1)
    columns, there = (np.column_stack([np.ones(len(a)), powers(a, domain)]) for a in (x, new))
    return there @ np.linalg.lstsq(columns, y, rcond=None)[0], None


def ridge(columns: np.ndarray, y: np.ndarray, there: np.ndarray) -> Band:
    """Bayesian ridge regression of scikit-learn; the band without the noise of a value."""
    from sklearn.linear_model import BayesianRidge

    model = BayesianRidge(max_iter=1000).fit(columns, y)
    mean, std = model.predict(there, return_std=True)
    return mean, np.sqrt(np.maximum(std**2 - 1.0 / model.alpha_, 0.0))


def ridge_alone(X: np.ndarray, Y: np.ndarray, domain: np.ndarray, new: np.ndarray) -> Band:
    x, y = own(X, Y, 1)
    return ridge(powers(x, domain), y, powers(new, domain))


def ridge_indicator(X: np.ndarray, Y: np.ndarray, domain: np.ndarray, new: np.ndarray) -> Band:
    """One more column says which source: the difference is a constant, and the shapes are the same."""
    x, y, level = stacked(X, Y)
    columns = np.column_stack([powers(x, domain), level])
    return ridge(columns, y, np.column_stack([powers(new, domain), np.ones(len(new))]))


def ridge_products(X: np.ndarray, Y: np.ndarray, domain: np.ndarray, new: np.ndarray) -> Band:
    """That column times all others, too: the difference is any cubic."""
    x, y, level = stacked(X, Y)
    terms, there = powers(x, domain), powers(new, domain)
    columns = np.column_stack([terms, level, terms * level[:, None]])
    return ridge(columns, y, np.column_stack([there, np.ones(len(new)), there]))


def process_alone(X: np.ndarray, Y: np.ndarray, domain: np.ndarray, new: np.ndarray) -> Band:
    """Gaussian process of scikit-learn on the experiments alone."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    x, y = own(X, Y, 1)
    kernel = ConstantKernel(1.0) * RBF(np.ones(X.shape[1])) + WhiteKernel(0.01)
    model = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=3, random_state=0)
    model.fit(scaled(x, domain), y)
    mean, std = model.predict(scaled(new, domain), return_std=True)
    noise = model.kernel_.k2.noise_level * np.var(y)
    return mean, np.sqrt(np.maximum(std**2 - noise, 0.0))


class TwoLevels:
    r"""Kennedy and O'Hagan's process: experiment = ρ simulation + a second process, by maximum likelihood.

    Both kernels are scikit-learn's (a constant plus a squared exponential with one length a descriptor), all
    values have one shift and scale, the noise of each source is learned.
    """

    def __init__(self, q: int) -> None:
        from sklearn.gaussian_process.kernels import RBF, ConstantKernel

        self.kernels = [
            ConstantKernel(size, (1e-4, 1e4)) * RBF(np.ones(q), (0.05, 50.0))
            + ConstantKernel(1.0, (1e-4, 1e3))
            for size in (1.0, 0.1)
        ]  # fmt: skip

    def fit(self, X: np.ndarray, y: np.ndarray, level: np.ndarray) -> TwoLevels:
        from scipy.optimize import minimize

        self.shift, self.scale = y.mean(), y.std()
        self.X, self.y, self.level = X, (y - self.shift) / self.scale, level
        self.split = len(self.kernels[0].theta)
        start = np.concatenate([kernel.theta for kernel in self.kernels])
        bounds = [*map(tuple, np.vstack([kernel.bounds for kernel in self.kernels]))]
        ends = [
            minimize(self.loss, [*start, rho, *np.log([1e-2, 1e-2])], jac=True, method="L-BFGS-B",
                     bounds=[*bounds, (-5.0, 5.0), *[(np.log(1e-7), np.log(10.0))] * 2])
            for rho in (1.0, 0.5)
        ]  # fmt: skip
        self.loss(min(ends, key=lambda end: end.fun).x)
        return self

    def loss(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus the log likelihood, and its slope."""
        k = self.split
        first, second = (
            c.clone_with_theta(t) for c, t in zip(self.kernels, (theta[:k], theta[k : 2 * k]), strict=True)
        )
        rho, noise = theta[2 * k], np.exp(theta[2 * k + 1 :])
        self.now = (first, second, rho)
        (K1, d1), (K2, d2) = (kernel(self.X, eval_gradient=True) for kernel in (first, second))
        r, e = np.where(self.level > 0, rho, 1.0), self.level
        K = np.outer(r, r) * K1 + np.outer(e, e) * K2 + np.diag(noise[e.astype(int)])
        try:
            L = np.linalg.cholesky(K)
        except np.linalg.LinAlgError:
            return 1e10, np.zeros_like(theta)
        self.inverse = np.linalg.inv(K)
        self.weights = self.inverse @ self.y
        value = 0.5 * self.y @ self.weights + np.log(np.diag(L)).sum()
        M = 0.5 * (self.inverse - np.outer(self.weights, self.weights))
        slope = [
            np.einsum("ij,ijk->k", M * np.outer(r, r), d1),
            np.einsum("ij,ijk->k", M * np.outer(e, e), d2),
        ]
        slope += [[(M * (np.outer(e, r) + np.outer(r, e)) * K1).sum()]]
        slope += [[(np.diag(M) * (e == source)).sum() * noise[source]] for source in (0, 1)]
        return float(value), np.concatenate(slope)

    def predict(self, new: np.ndarray) -> Band:
        first, second, rho = self.now
        r = np.where(self.level > 0, rho, 1.0)
        cross = rho * r * first(new, self.X) + self.level * second(new, self.X)
        variance = rho**2 * first.diag(new) + second.diag(new) - ((cross @ self.inverse) * cross).sum(axis=1)
        return self.shift + self.scale * (cross @ self.weights), self.scale * np.sqrt(
            np.maximum(variance, 0.0)
        )


def process_two_levels(X: np.ndarray, Y: np.ndarray, domain: np.ndarray, new: np.ndarray) -> Band:
    x, y, level = stacked(X, Y)
    return TwoLevels(X.shape[1]).fit(scaled(x, domain), y, level).predict(scaled(new, domain))


def co_kriging(X: np.ndarray, Y: np.ndarray, domain: np.ndarray, new: np.ndarray, **options: Any) -> Band:
    """SMT's MFK."""
    from smt.applications import MFK

    model = MFK(print_global=False, **options)
    x, y = own(X, Y, 0)
    model.set_training_values(scaled(x, domain), y[:, None], name=0)
    x, y = own(X, Y, 1)
    model.set_training_values(scaled(x, domain), y[:, None])
    model.train()
    there = scaled(new, domain)
    return model.predict_values(there)[:, 0], np.sqrt(np.maximum(model.predict_variances(there)[:, 0], 0.0))


#: Leg: function, its package.
HERE = {
    "least squares of the experiments (NumPy)": (least_squares, "numpy"),
    "BayesianRidge, experiments (scikit-learn)": (ridge_alone, "scikit-learn"),
    "BayesianRidge, both and an indicator (scikit-learn)": (ridge_indicator, "scikit-learn"),
    "BayesianRidge, both and an indicator times all terms (scikit-learn)": (ridge_products, "scikit-learn"),
    "Gaussian process, experiments (scikit-learn)": (process_alone, "scikit-learn"),
    "two-level Gaussian process (scikit-learn's kernels)": (process_two_levels, "scikit-learn"),
}
SMT: dict[str, dict[str, Any]] = {
    "co-kriging, defaults (SMT)": {},
    "co-kriging, noise estimated (SMT)": {"eval_noise": True},
    "co-kriging, noise estimated, Matérn 5/2 (SMT)": {"eval_noise": True, "corr": "matern52"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", required=True, help="npz with X_k, Y_k, domain and new")
    tasks = np.load(parser.parse_args().tasks)
    warnings.simplefilter("ignore")
    import smt.applications  # noqa: F401 (unmeasured)

    for leg, options in SMT.items():
        for k in range(sum(name.startswith("X_") for name in tasks)):
            begun = time.process_time()
            mean, std = co_kriging(tasks[f"X_{k}"], tasks[f"Y_{k}"], tasks["domain"], tasks["new"], **options)
            seconds = time.process_time() - begun
            found = {"leg": leg, "task": k, "mean": mean.tolist(), "std": std.tolist(), "seconds": seconds}
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
