"""The 27 problems of NIST's Statistical Reference Datasets for non-linear regression: reader and models.

Every model takes parameters (a, p) and predictors (n,) or (k, n), and returns expectations (a, n) and
the Jacobian (a, n, p), differentiated by hand.
"""

import re
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Problem:
    name: str
    response: np.ndarray
    predictor: np.ndarray
    starts: np.ndarray  # (2, p)
    certified: np.ndarray
    deviations: np.ndarray
    residual_squares: float

    def model(self, theta):
        return MODELS[self.name](theta, self.predictor)


def read_problem(path):
    """Read one file: the header tells the lines on which starts, certified values and data stand."""
    lines = path.read_text(encoding="latin-1").splitlines()
    ranges = dict(
        re.findall(
            r"(Starting Values|Certified Values|Data)\s+\(lines\s+(\d+\s+to\s+\d+)\)", "\n".join(lines)
        )
    )
    first, last = (int(number) for number in ranges["Starting Values"].split(" to "))
    rows = [re.sub(r".*=", "", line).split() for line in lines[first - 1 : last]]
    table = np.array(rows, dtype=float)
    first, last = (int(number) for number in ranges["Data"].split(" to "))
    data = np.array([line.split() for line in lines[first - 1 : last]], dtype=float).T
    (squares,) = re.findall(r"Residual Sum of Squares:\s+(\S+)", "\n".join(lines))
    name = path.stem
    response = np.log(data[0]) if name == "Nelson" else data[0]
    predictor = data[1] if len(data) == 2 else data[1:]
    return Problem(name, response, predictor, table[:, :2].T, table[:, 2], table[:, 3], float(squares))


def columns(theta):
    """Parameters as columns (a, 1)."""
    return (theta[:, j : j + 1] for j in range(theta.shape[1]))


def together(value, *slopes):
    return value, np.stack([np.broadcast_to(slope, value.shape) for slope in slopes], axis=2)


def saturation(theta, x):  # Misra1a, BoxBOD
    b1, b2 = columns(theta)
    left = np.exp(-b2 * x)
    return together(-b1 * np.expm1(-b2 * x), -np.expm1(-b2 * x), b1 * x * left)


def misra1b(theta, x):
    b1, b2 = columns(theta)
    base = 1 + b2 * x / 2
    return together(b1 * (1 - base**-2), 1 - base**-2, b1 * x * base**-3)


def misra1c(theta, x):
    b1, b2 = columns(theta)
    base = 1 + 2 * b2 * x
    return together(b1 * (1 - base**-0.5), 1 - base**-0.5, b1 * x * base**-1.5)


def misra1d(theta, x):
    b1, b2 = columns(theta)
    base = 1 + b2 * x
    return together(b1 * b2 * x / base, b2 * x / base, b1 * x / base**2)


def chwirut(theta, x):
    b1, b2, b3 = columns(theta)
    value = np.exp(-b1 * x) / (b2 + b3 * x)
    return together(value, -x * value, -value / (b2 + b3 * x), -x * value / (b2 + b3 * x))


def exponentials(theta, x):  # Lanczos1-3
    parts = [
        (np.exp(-rate * x), -height * x * np.exp(-rate * x), height)
        for height, rate in zip(*[iter(columns(theta))] * 2, strict=True)
    ]
    value = sum(height * shape for shape, _, height in parts)
    return together(value, *(slope for shape, turn, _ in parts for slope in (shape, turn)))


def gauss(theta, x):
    b1, b2, b3, b4, b5, b6, b7, b8 = columns(theta)
    decay = np.exp(-b2 * x)
    value, slopes = b1 * decay, [decay, -b1 * x * decay]
    for height, center, width in ((b3, b4, b5), (b6, b7, b8)):
        z = (x - center) / width
        bell = np.exp(-(z**2))
        value = value + height * bell
        slopes += [bell, 2 * height * bell * z / width, 2 * height * bell * z**2 / width]
    return together(value, *slopes)


def danwood(theta, x):
    b1, b2 = columns(theta)
    return together(b1 * x**b2, x**b2, b1 * x**b2 * np.log(x))


def rational(top, bottom):
    """Polynomial of degree ``top`` over 1 + b x + ... of degree ``bottom``."""

    def model(theta, x):
        up = theta[:, : top + 1] @ [x**k for k in range(top + 1)]
        down = 1 + theta[:, top + 1 :] @ [x**k for k in range(1, bottom + 1)]
        value = up / down
        return together(
            value,
            *(x**k / down for k in range(top + 1)),
            *(-value * x**k / down for k in range(1, bottom + 1)),
        )

    return model


def mgh09(theta, x):
    b1, b2, b3, b4 = columns(theta)
    up, down = x**2 + x * b2, x**2 + x * b3 + b4
    value = b1 * up / down
    return together(value, up / down, b1 * x / down, -value * x / down, -value / down)


def mgh10(theta, x):
    b1, b2, b3 = columns(theta)
    shape = np.exp(b2 / (x + b3))
    value = b1 * shape
    return together(value, shape, value / (x + b3), -value * b2 / (x + b3) ** 2)


def mgh17(theta, x):
    b1, b2, b3, b4, b5 = columns(theta)
    slow, fast = np.exp(-x * b4), np.exp(-x * b5)
    return together(b1 + b2 * slow + b3 * fast, 1.0, slow, fast, -b2 * x * slow, -b3 * x * fast)


def nelson(theta, x):
    b1, b2, b3 = columns(theta)
    time, shape = x[0], np.exp(-b3 * x[1])
    return together(b1 - b2 * time * shape, 1.0, -time * shape, b2 * time * x[1] * shape)


def roszman1(theta, x):
    b1, b2, b3, b4 = columns(theta)
    away = x - b4
    down = np.pi * (away**2 + b3**2)
    return together(b1 - b2 * x - np.arctan(b3 / away) / np.pi, 1.0, -x, -away / down, -b3 / down)


def enso(theta, x):
    b1, b2, b3, b4, b5, b6, b7, b8, b9 = columns(theta)
    year = 2 * np.pi * x / 12
    value, slopes = b1 + b2 * np.cos(year) + b3 * np.sin(year), [1.0, np.cos(year), np.sin(year)]
    for period, even, odd in ((b4, b5, b6), (b7, b8, b9)):
        phase = 2 * np.pi * x / period
        value = value + even * np.cos(phase) + odd * np.sin(phase)
        turn = (even * np.sin(phase) - odd * np.cos(phase)) * phase / period
        slopes += [turn, np.cos(phase), np.sin(phase)]
    return together(value, *slopes)


def eckerle4(theta, x):
    b1, b2, b3 = columns(theta)
    z = (x - b3) / b2
    shape = np.exp(-0.5 * z**2) / b2
    return together(b1 * shape, shape, b1 * shape * (z**2 - 1) / b2, b1 * shape * z / b2)


def rat42(theta, x):
    b1, b2, b3 = columns(theta)
    share = 1 / (1 + np.exp(b2 - b3 * x))
    slope = b1 * share * (1 - share)
    return together(b1 * share, share, -slope, x * slope)


def rat43(theta, x):
    b1, b2, b3, b4 = columns(theta)
    grown = np.exp(b2 - b3 * x)
    shape = (1 + grown) ** (-1 / b4)
    slope = -b1 * shape * grown / (1 + grown) / b4
    return together(b1 * shape, shape, slope, -x * slope, b1 * shape * np.log1p(grown) / b4**2)


def bennett5(theta, x):
    b1, b2, b3 = columns(theta)
    shape = (b2 + x) ** (-1 / b3)
    return together(b1 * shape, shape, -b1 * shape / (b3 * (b2 + x)), b1 * shape * np.log(b2 + x) / b3**2)


MODELS = {
    "Misra1a": saturation, "BoxBOD": saturation, "Misra1b": misra1b, "Misra1c": misra1c, "Misra1d": misra1d,
    "Chwirut1": chwirut, "Chwirut2": chwirut, "Lanczos1": exponentials, "Lanczos2": exponentials,
    "Lanczos3": exponentials, "Gauss1": gauss, "Gauss2": gauss, "Gauss3": gauss, "DanWood": danwood,
    "Kirby2": rational(2, 2), "Hahn1": rational(3, 3), "Thurber": rational(3, 3), "MGH09": mgh09,
    "MGH10": mgh10, "MGH17": mgh17, "Nelson": nelson, "Roszman1": roszman1, "ENSO": enso,
    "Eckerle4": eckerle4, "Rat42": rat42, "Rat43": rat43, "Bennett5": bennett5,
}  # fmt: skip
