"""What is typed about peaks and what is said about them: numbers, ranges, backgrounds, values with errors."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sozai.apps.cli.usage import UsageError, as_usage
from sozai.apps.cli.wording import in_command_words
from sozai.contracts.errors import sentence

__all__ = [
    "ANY_NUMBER",
    "MAX_PEAKS",
    "PeakModel",
    "axis_words",
    "in_peak_words",
    "noise_words",
    "read_background",
    "read_doublets",
    "read_noise",
    "read_peaks",
    "read_range",
]

MAX_PEAKS = 12
"""Most peaks of one spectrum."""

ANY_NUMBER = (0, 6)
"""Fewest and most peaks that are tried when nothing else is asked."""

_NAMED = ("none", "constant", "linear", "polynomial", "exponential", "bspline", "shirley", "tougaard")
_MORE = ("static-shirley", "shirley-per-peak", "signed-constant", "signed-linear", "signed-polynomial")
_ELECTRONS = ("binding", "kinetic")

_PLACES = (
    r"read_axis|read_map|read_spectra|PeakMixture\.fit|fit_peaks|select_n_components|"
    r"SpectrumMapPeaks\.fit_map|Spectrum\.with_range"
)

# What the library advises to one who writes Python, and how the same is done here.
_SPOKEN = tuple(
    (re.compile(python), command)
    for python, command in (
        (r"\bnoise=(Gaussian|Poisson|Robust)Noise\(\)", lambda m: f"--noise {m.group(1).lower()}"),
        (r"\bnoise=PoissonNoise\(gain=\.\.\.\)", "--noise poisson:GAIN"),
        (r"\bPass dwell= or --noise", "Pass --noise"),
        (r"\bPass saturation= to leave them out\.", "Leave them out with --saturation."),
        (r"\b[Pp]ass despike=True", "Give --despike"),
        (r"\bRaise max_iter or use fewer peaks\.", "Use fewer --peaks or more --starts."),
        (r"Correct unit=, axis_kind= or photon_energy=\.", "Correct --unit or --axis-kind."),
        (r"Pass axis=\.", "Name a file with its values: --axis FILE."),
        (r"Read them with read_spectra\.", "Use sozai explain peaks."),
        (r"Open it with read_map\(path, axis=\.\.\.\)\.", "Use sozai explain map with --axis FILE."),
        (
            r"Read a map with read_map, or build Spectrum objects yourself\.",
            "An image of spectra is for sozai explain map.",
        ),
        (
            r"Open it with h5py and pass the data sets to Spectrum or SpectrumMap\.",
            "An image that write_map wrote is for sozai explain map; write others anew with write_spectra.",
        ),
        (r"Set axis_kind='(\w+)' and unit='(\w+)'", r"Give --axis-kind \1 --unit \2"),
        (r"Pass photon_energy= in eV\.", "The file must hold it in eV."),
        (r"Pass n_components='per-pixel'\.", "Give --per-pixel."),
        (r"\bn_components\b", "--peaks"),
        (r"\brandom_state=\d+", "--seed"),
        (r"\bn_init=", "--starts "),
        (r"\bcriterion='(\w+)'", r"--criterion \1"),
        (rf"^(?:{_PLACES}): ", ""),
    )
)  # fmt: skip


@dataclass(frozen=True)
class PeakModel:
    """What is fitted, as it was asked for.

    Attributes
    ----------
    peaks : (int, int)
        Fewest and most peaks; equal where the number was given.
    shape : str
    background : str or None
        None is chosen by the axis.
    noise : str or None
        None is found from the counts.
    criterion : str
    starts : int or None
    seed : int
    n_jobs : int or None
    doublets : tuple of str
        ``"PARENT:PARTNER:SPLITTING:RATIO"``.
    saturation : float or None
    despike : bool
    per_pixel : bool
        Whether every pixel of an image keeps as many peaks as it needs.

    Examples
    --------
    >>> PeakModel((3, 3)).is_given, PeakModel((0, 6)).background_on("binding")
    (True, 'constant+shirley')
    """

    peaks: tuple[int, int]
    shape: str = "pseudo-voigt"
    background: str | None = None
    noise: str | None = None
    criterion: str = "bic"
    starts: int | None = None
    seed: int = 0
    n_jobs: int | None = None
    doublets: tuple[str, ...] = ()
    saturation: float | None = None
    despike: bool = False
    per_pixel: bool = False

    @property
    def is_given(self) -> bool:
        """Whether the number of peaks was given."""
        return self.peaks[0] == self.peaks[1]

    @property
    def is_open(self) -> bool:
        """Whether nothing was said about the number of peaks."""
        return self.peaks == ANY_NUMBER

    @property
    def chooses(self) -> bool:
        """Whether every pixel of an image keeps as many peaks as it needs."""
        return self.per_pixel or not self.is_given

    @property
    def criterion_name(self) -> str:
        """How the criterion is written."""
        spelled = {"aicc": "AICc", "dirichlet": "annealing and BIC", "evidence": "evidence"}
        return spelled.get(self.criterion, self.criterion.upper())

    def background_on(self, axis_kind: str | None) -> str:
        """Name of the background on an axis of this kind."""
        if self.background is not None:
            return self.background
        return "constant+shirley" if axis_kind in _ELECTRONS else "linear"


def read_peaks(text: str) -> tuple[int, int]:
    """Fewest and most peaks that an option asks for.

    Examples
    --------
    >>> read_peaks("auto"), read_peaks("3"), read_peaks("2:5")
    ((0, 6), (3, 3), (2, 5))
    """
    if text.strip().lower() == "auto":
        return ANY_NUMBER
    match = re.fullmatch(r"\s*(\d{1,9})\s*(?:[:-]\s*(\d{1,9}))?\s*", text)
    low, high = (-1, -1) if match is None else (int(match[1]), int(match[2] or match[1]))
    if not 0 <= low <= high <= MAX_PEAKS:
        raise UsageError(
            sentence(
                "--peaks", "K", f"be auto, a number from 0 to {MAX_PEAKS}, or LOW:HIGH of two", text,
                remedy="Cut the axis into parts with --range where more peaks are wanted.",
            )
        )  # fmt: skip
    return low, high


def read_range(text: str | None) -> tuple[float, float] | None:
    """Ends of a part of the axis, rising; an end left out is infinite.

    Examples
    --------
    >>> read_range("295:280"), read_range("280:"), read_range("-1.5:5")
    ((280.0, 295.0), (280.0, inf), (-1.5, 5.0))
    """
    if text is None:
        return None
    ends = [part.strip() for part in text.split(":")]
    try:
        low, high = (float(end) if end else None for end in ends)
    except ValueError:
        low = high = math.nan
    low, high = (-math.inf if low is None else low), (math.inf if high is None else high)
    if math.isnan(low) or math.isnan(high) or low == high or (math.isinf(low) and math.isinf(high)):
        raise UsageError(
            sentence(
                "--range", "LOW:HIGH", "be two different numbers joined by a colon", text,
                remedy="Write it as --range 280:295.",
            )
        )  # fmt: skip
    return min(low, high), max(low, high)


def read_background(text: str) -> Any:
    """Background object of names joined by ``+``.

    Examples
    --------
    >>> read_background("polynomial:3+shirley")
    Sum(parts=(Polynomial(degree=3, positive=True), Shirley(per_peak=False)))
    """
    from sozai.spectra.peaks.background import Sum

    parts = [_one_background(name.strip().lower(), text) for name in text.split("+")]
    return parts[0] if len(parts) == 1 else Sum(tuple(parts))


def _one_background(name: str, text: str) -> Any:
    """Background of one name, with its number behind a colon."""
    from sozai.spectra.peaks import background as kinds

    word, _, number = name.partition(":")
    plain: dict[str, Callable[[], Any]] = {
        "none": kinds.NoBackground, "constant": kinds.Constant, "linear": kinds.Linear,
        "exponential": kinds.Exponential, "shirley": kinds.Shirley, "static-shirley": kinds.StaticShirley,
        "shirley-per-peak": lambda: kinds.Shirley(per_peak=True), "tougaard": kinds.Tougaard,
        "signed-constant": lambda: kinds.Constant(positive=False),
        "signed-linear": lambda: kinds.Linear(positive=False),
    }  # fmt: skip
    counted: dict[str, Callable[[int], Any]] = {
        "polynomial": lambda n: kinds.Polynomial(degree=n), "bspline": lambda n: kinds.BSpline(sections=n),
        "signed-polynomial": lambda n: kinds.Polynomial(degree=n, positive=False),
    }  # fmt: skip
    if word in plain and not number:
        return plain[word]()
    if word in counted and (not number or number.isdecimal()):
        with as_usage():
            return counted[word](int(number) if number else 5 if word == "bspline" else 2)
    raise UsageError(
        sentence(
            "--background", "NAME", f"be one of {', '.join((*_NAMED, *_MORE))}, or several joined by '+'",
            text, remedy="A degree or number of sections follows a colon: polynomial:3, bspline:5.",
        )
    )  # fmt: skip


def read_noise(text: str | None) -> Any:
    """Noise object of a name, with its size behind a colon; None where nothing was asked for.

    Examples
    --------
    >>> read_noise("poisson:2.5"), read_noise("gaussian"), read_noise(None)
    (PoissonNoise(gain=2.5, read=0.0), GaussianNoise(sigma=None), None)
    """
    if text is None:
        return None
    from sozai.spectra.noise import GaussianNoise, PoissonNoise, RobustNoise

    word, _, size = text.strip().lower().partition(":")
    sized = {"poisson": PoissonNoise, "gaussian": GaussianNoise}
    try:
        number = float(size) if size else None
    except ValueError:
        number, word = None, ""
    if number is not None and word in sized:
        with as_usage():
            return sized[word](number)
    if number is None and word in (*sized, "robust"):
        return {**sized, "robust": RobustNoise}[word]()
    raise UsageError(
        sentence(
            "--noise", "NAME", "be poisson, poisson:GAIN, gaussian, gaussian:SIGMA or robust", text,
            remedy="Leave it out to have it found from the counts.",
        )
    )  # fmt: skip


def read_doublets(texts: Sequence[str], n_peaks: int) -> list[Any]:
    """Ties of spin-orbit pairs: numbers of two peaks, their splitting and ratio of areas.

    Examples
    --------
    >>> parent, partner, pair = read_doublets(["1:2:2.18:f"], 2)[0]
    >>> parent, partner, pair.splitting, pair.ratio
    ('peak 1', 'peak 2', 2.18, 0.75)
    """
    from sozai.spectra.peaks.ties import D_RATIO, F_RATIO, P_RATIO, Doublet

    named = {"p": P_RATIO, "d": D_RATIO, "f": F_RATIO}
    ties = []
    for text in texts:
        try:
            parent, partner, splitting, ratio = (part.strip().lower() for part in text.split(":"))
            first, second, shift = int(parent), int(partner), float(splitting)
            share = named[ratio] if ratio in named else float(ratio)
        except ValueError:
            first = second = 0
        if not (1 <= first <= n_peaks and 1 <= second <= n_peaks and first != second):
            raise UsageError(
                sentence(
                    "--doublet", "FIRST:SECOND:SPLITTING:RATIO",
                    f"be the numbers of two of the {f'{n_peaks} ' if n_peaks else ''}peaks, a splitting, and "
                    "a ratio or p, d, f",
                    text,
                    remedy="Give --peaks K, and write it as --doublet 1:2:2.18:f.",
                )
            )  # fmt: skip
        with as_usage():
            ties.append((f"peak {first}", f"peak {second}", Doublet(shift, share)))
    return ties


def axis_words(kind: str | None) -> str:
    """What an axis measures, in words; nothing where that is not known.

    Examples
    --------
    >>> axis_words("kinetic"), axis_words("shift"), axis_words(None)
    ('kinetic energy', 'shift', '')
    """
    energies = {"binding": "binding energy", "kinetic": "kinetic energy", "photon": "photon energy",
                "loss": "energy loss"}  # fmt: skip
    return "" if kind is None else energies.get(kind, kind)


def noise_words(text: str) -> str:
    """What the fit says of its noise, in words.

    Examples
    --------
    >>> noise_words("PoissonNoise(gain=1.0, read=0.0)"), noise_words("GaussianNoise(sigma=0.5)")
    ('Poisson noise', 'Gaussian noise (sigma 0.5)')
    """
    match = re.fullmatch(r"(\w+)Noise\((.*)\)", text.strip())
    if match is None:
        return f"{text} noise"
    parts = [_short(part.strip().replace("=", " ")) for part in match[2].split(",")]
    told = [part for part in parts if part and part not in ("gain 1.0", "read 0.0", "sigma None")]
    inside = f" ({', '.join(told)})" if told else ""
    return f"{match[1]} noise{inside}"


def _short(text: str) -> str:
    """The number behind a name with six digits, ``gain 1.0`` as it is."""
    name, _, number = text.partition(" ")
    try:
        return text if len(number) < 8 else f"{name} {float(number):.6g}"
    except ValueError:
        return text


def in_peak_words(text: str) -> str:
    """Return a message of the library with its remedies spelled as options.

    Examples
    --------
    >>> in_peak_words("counts must be >= 0 for PoissonNoise. Pass noise=GaussianNoise().")
    'counts must be >= 0 for PoissonNoise. Pass --noise gaussian.'
    """
    for python, command in _SPOKEN:
        text = python.sub(command, text)
    return in_command_words(text)
