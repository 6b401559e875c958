"""The papers behind what you just ran."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from sozai import __version__
from sozai.contracts.errors import InputError, sentence

__all__ = ["BIBLIOGRAPHY", "Citations", "Paper", "cite", "cited_names", "cites", "register_citation"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Paper:
    """One bibliography entry; fields that are not known for certain stay empty.

    Attributes
    ----------
    key : str
        BibTeX key, e.g. ``"ghiringhelli2015"``.
    kind : str
        BibTeX entry type: ``"article"``, ``"book"`` or ``"misc"``.
    authors : tuple of str
        ``"Given Names Family"``, in the printed order.
    title, journal, volume, pages, publisher, doi, note : str
        As in BibTeX; ``pages`` also holds article numbers.
    year : int

    Examples
    --------
    >>> BIBLIOGRAPHY["allen1974"]
    D. M. Allen, The relationship between variable selection and data augmentation and a method for \
prediction, Technometrics 16, 125-127 (1974). https://doi.org/10.1080/00401706.1974.10489157
    """

    key: str
    kind: str
    authors: tuple[str, ...]
    title: str
    year: int
    journal: str = ""
    volume: str = ""
    pages: str = ""
    publisher: str = ""
    doi: str = ""
    note: str = ""

    def __repr__(self) -> str:
        place = " ".join(part for part in (self.journal or self.publisher, self.volume) if part)
        middle = ", ".join(part for part in (place, self.pages, self.note) if part)
        authors = ", ".join(self.authors).replace(", and others", " et al.")
        text = f"{authors}, {self.title}{', ' + middle if middle else ''} ({self.year})."
        return f"{text} https://doi.org/{self.doi}" if self.doi else text

    def bibtex(self) -> str:
        """Return the entry in BibTeX."""
        fields = {
            "author": " and ".join(self.authors),
            "title": "{" + self.title + "}",
            "journal": self.journal,
            "volume": self.volume,
            "pages": self.pages.replace("-", "--"),
            "publisher": self.publisher,
            "year": str(self.year),
            "doi": self.doi,
            "note": self.note,
        }
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"])


class Citations(Sequence[Paper]):
    """Papers in the order to read them; prints as a numbered list.

    Examples
    --------
    >>> print(Citations([BIBLIOGRAPHY["edmonds1971"]]))
    [1] J. Edmonds, Matroids and the greedy algorithm, Mathematical Programming 1, 127-136 (1971). \
https://doi.org/10.1007/BF01584082
    """

    def __init__(self, papers: Iterable[Paper]) -> None:
        self._papers = tuple(dict.fromkeys(papers))

    @overload
    def __getitem__(self, index: int) -> Paper: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Paper]: ...
    def __getitem__(self, index: int | slice) -> Paper | Sequence[Paper]:
        return self._papers[index]

    def __len__(self) -> int:
        return len(self._papers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Citations) and self._papers == other._papers

    def __hash__(self) -> int:
        return hash(self._papers)

    def __repr__(self) -> str:
        return "\n".join(f"[{number}] {paper!r}" for number, paper in enumerate(self, start=1))

    __str__ = __repr__

    def bibtex(self) -> str:
        """Return all entries in BibTeX, with an empty line between two."""
        return "\n\n".join(paper.bibtex() for paper in self)


def cite(obj: object = None) -> Citations:
    """Papers to cite for an estimator, a function, a class, a data set or a result.

    Parameters
    ----------
    obj : object or str, optional
        What you used, or its name. An estimator brings the papers of the
        objects among its parameters along. Left out: every paper behind anything.

    Returns
    -------
    Citations
        Sozai itself first, then the papers; ``.bibtex()`` gives BibTeX.

    Raises
    ------
    InputError
        When a name is not known; near names are listed.

    Examples
    --------
    >>> print(cite("fetch_perovskites").bibtex().splitlines()[0])
    @misc{sozai,
    >>> [paper.key for paper in cite("fetch_perovskites")]
    ['sozai', 'bartel2019']
    """
    if obj is None:
        cited = {key for keys in _CITED_BY.values() for key in keys}
        return Citations([_SOFTWARE, *(paper for key, paper in BIBLIOGRAPHY.items() if key in cited)])
    if isinstance(obj, str):
        return Citations([_SOFTWARE, *_by_name(obj)])
    return Citations([_SOFTWARE, *_by_object(obj)])


def register_citation(name: str, *keys: str) -> None:
    """Say that whoever uses ``name`` should cite these papers.

    Parameters
    ----------
    name : str
        Public name of a class or function.
    *keys : str
        Keys of :data:`BIBLIOGRAPHY`.
    """
    for key in keys:
        if key not in BIBLIOGRAPHY:
            raise InputError(
                sentence(
                    "register_citation",
                    "keys",
                    "name papers of the bibliography",
                    key,
                    remedy=_near(key, BIBLIOGRAPHY),
                )
            )
    _CITED_BY[name] = tuple(dict.fromkeys((*_CITED_BY.get(name, ()), *keys)))


def cites(*keys: str) -> Callable[[_T], _T]:
    """Decorate a class or function with the papers behind it.

    Examples
    --------
    >>> @cites("allen1974")
    ... def press(residuals): ...
    >>> [paper.key for paper in cite(press)]
    ['sozai', 'allen1974']
    """

    def register(thing: _T) -> _T:
        register_citation(getattr(thing, "__name__", ""), *keys)
        return thing

    return register


def cited_names() -> tuple[str, ...]:
    """Names that :func:`cite` knows, in alphabetical order."""
    return tuple(sorted(_CITED_BY))


def _by_name(name: str) -> list[Paper]:
    if name not in _CITED_BY:
        raise InputError(
            sentence("cite", "name", "be one that has papers", name, remedy=_near(name, _CITED_BY))
        )
    return [BIBLIOGRAPHY[key] for key in _CITED_BY[name]]


def _by_object(obj: Any) -> list[Paper]:
    """Papers an object carries, those of its class, and those of its parameters."""
    carried = getattr(obj, "citation", None)
    papers = list(carried) if isinstance(carried, Citations) else []
    names = [getattr(obj, "__name__", "")]
    names += [base.__name__ for base in (obj if isinstance(obj, type) else type(obj)).__mro__]
    for name in names:
        papers += [BIBLIOGRAPHY[key] for key in _CITED_BY.get(name, ())]
    if hasattr(obj, "get_params") and not isinstance(obj, type):
        for value in obj.get_params(deep=False).values():
            if hasattr(value, "__dict__") and not isinstance(value, type):
                papers += _by_object(value)
    return papers


def _near(name: str, known: Iterable[str]) -> str:
    names = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(map(repr, names))}?" if names else "Call cite() for the whole list."


_SOFTWARE = Paper(
    "sozai", "misc", ("the sozai developers",), "sozai: materials informatics in one house", 2026,
    note=f"version {__version__}",
)  # fmt: skip

BIBLIOGRAPHY: dict[str, Paper] = {
    paper.key: paper
    for paper in [
        Paper(
            "fujii2024", "misc", ("H. Fujii",),
            "LIDG: linearly independent descriptor generation, program and manual", 2024,
            note="version 0.4",
        ),
        Paper(
            "kanda2019", "article", ("Y. Kanda", "H. Fujii", "T. Oguchi"),
            "Sparse modeling of chemical bonding in binary compounds", 2019,
            "Science and Technology of Advanced Materials", "20", "1178-1188",
            doi="10.1080/14686996.2019.1697858",
        ),
        Paper(
            "ghiringhelli2015", "article",
            ("L. M. Ghiringhelli", "J. Vybiral", "S. V. Levchenko", "C. Draxl", "M. Scheffler"),
            "Big data of materials science: critical role of the descriptor", 2015,
            "Physical Review Letters", "114", "105503", doi="10.1103/PhysRevLett.114.105503",
        ),
        Paper(
            "ouyang2018", "article",
            ("R. Ouyang", "S. Curtarolo", "E. Ahmetcik", "M. Scheffler", "L. M. Ghiringhelli"),
            "SISSO: a compressed-sensing method for identifying the best low-dimensional descriptor in an "
            "immensity of offered candidates", 2018,
            "Physical Review Materials", "2", "083802", doi="10.1103/PhysRevMaterials.2.083802",
        ),
        Paper(
            "ouyang2019", "article",
            ("R. Ouyang", "E. Ahmetcik", "C. Carbogno", "M. Scheffler", "L. M. Ghiringhelli"),
            "Simultaneous learning of several materials properties from incomplete databases with "
            "multi-task SISSO", 2019,
            "Journal of Physics: Materials", "2", "024002", doi="10.1088/2515-7639/ab077b",
        ),
        Paper(
            "purcell2023", "article", ("T. A. R. Purcell", "M. Scheffler", "L. M. Ghiringhelli"),
            "Recent advances in the SISSO method and their implementation in the SISSO++ code", 2023,
            "The Journal of Chemical Physics", "159", "114110", doi="10.1063/5.0156620",
        ),
        Paper(
            "dench1988", "article", ("W. A. Dench", "L. B. Hazell", "M. P. Seah"),
            "VAMAS surface chemical analysis standard data transfer format with skeleton decoding "
            "programs", 1988, "Surface and Interface Analysis", "13", "63-122",
        ),
        Paper(
            "nist1998", "misc", ("National Institute of Standards and Technology",),
            "Statistical Reference Datasets: nonlinear regression", 1998, note="NIST/ITL StRD",
        ),
        Paper(
            "fan2008", "article", ("J. Fan", "J. Lv"),
            "Sure independence screening for ultrahigh dimensional feature space", 2008,
            "Journal of the Royal Statistical Society B", "70", "849-911",
            doi="10.1111/j.1467-9868.2008.00674.x",
        ),
        Paper(
            "bartel2019", "article",
            ("C. J. Bartel", "C. Sutton", "B. R. Goldsmith", "R. Ouyang", "C. B. Musgrave",
             "L. M. Ghiringhelli", "M. Scheffler"),
            "New tolerance factor to predict the stability of perovskite oxides and halides", 2019,
            "Science Advances", "5", "eaav0693", doi="10.1126/sciadv.aav0693",
        ),
        Paper(
            "tibshirani1996", "article", ("R. Tibshirani",),
            "Regression shrinkage and selection via the lasso", 1996,
            "Journal of the Royal Statistical Society B", "58", "267-288",
            doi="10.1111/j.2517-6161.1996.tb02080.x",
        ),
        Paper(
            "allen1974", "article", ("D. M. Allen",),
            "The relationship between variable selection and data augmentation and a method for prediction",
            1974, "Technometrics", "16", "125-127", doi="10.1080/00401706.1974.10489157",
        ),
        Paper(
            "furnival1974", "article", ("G. M. Furnival", "R. W. Wilson"),
            "Regressions by leaps and bounds", 1974, "Technometrics", "16", "499-511",
        ),
        Paper(
            "edmonds1971", "article", ("J. Edmonds",), "Matroids and the greedy algorithm", 1971,
            "Mathematical Programming", "1", "127-136", doi="10.1007/BF01584082",
        ),
        Paper(
            "schwartz1980", "article", ("J. T. Schwartz",),
            "Fast probabilistic algorithms for verification of polynomial identities", 1980,
            "Journal of the ACM", "27", "701-717", doi="10.1145/322217.322225",
        ),
        Paper(
            "belsley1980", "book", ("D. A. Belsley", "E. Kuh", "R. E. Welsch"),
            "Regression diagnostics: identifying influential data and sources of collinearity", 1980,
            publisher="Wiley", doi="10.1002/0471725153",
        ),
        Paper(
            "golub2013", "book", ("G. H. Golub", "C. F. Van Loan"), "Matrix computations", 2013,
            publisher="Johns Hopkins University Press", note="4th edition",
        ),
        Paper(
            "clementi1967", "article", ("E. Clementi", "D. L. Raimondi", "W. P. Reinhardt"),
            "Atomic screening constants from SCF functions. II. Atoms with 37 to 86 electrons", 1967,
            "The Journal of Chemical Physics", "47", "1300-1307", doi="10.1063/1.1712084",
        ),
        Paper(
            "sansonetti2005", "article", ("J. E. Sansonetti", "W. C. Martin"),
            "Handbook of basic atomic spectroscopic data", 2005,
            "Journal of Physical and Chemical Reference Data", "34", "1559-2259", doi="10.1063/1.1800011",
        ),
        Paper(
            "kepler1997", "book", ("J. Kepler",), "The harmony of the world", 1997,
            publisher="American Philosophical Society",
            note="Harmonices mundi libri V (1619), translated by E. J. Aiton, A. M. Duncan and J. V. Field",
        ),
        Paper(
            "anderson1963", "article", ("T. W. Anderson",),
            "Asymptotic theory for principal component analysis", 1963,
            "The Annals of Mathematical Statistics", "34", "122-148", doi="10.1214/aoms/1177704248",
        ),
        Paper(
            "westfall1993", "book", ("P. H. Westfall", "S. S. Young"),
            "Resampling-based multiple testing: examples and methods for p-value adjustment", 1993,
            publisher="Wiley",
        ),
        Paper(
            "hansen2004", "book", ("E. Hansen", "G. W. Walster"),
            "Global optimization using interval analysis", 2004, publisher="Marcel Dekker",
            note="2nd edition",
        ),
        Paper(
            "hand2001", "article", ("D. J. Hand", "R. J. Till"),
            "A simple generalisation of the area under the ROC curve for multiple class classification "
            "problems", 2001, "Machine Learning", "45", "171-186", doi="10.1023/A:1010920819831",
        ),
        Paper(
            "shewchuk1997", "article", ("J. R. Shewchuk",),
            "Adaptive precision floating-point arithmetic and fast robust geometric predicates", 1997,
            "Discrete & Computational Geometry", "18", "305-363", doi="10.1007/PL00009321",
        ),
        Paper(
            "wilson1927", "article", ("E. B. Wilson",),
            "Probable inference, the law of succession, and statistical inference", 1927,
            "Journal of the American Statistical Association", "22", "209-212",
            doi="10.1080/01621459.1927.10502953",
        ),
        Paper(
            "barber2021", "article",
            ("R. F. Barber", "E. J. Candès", "A. Ramdas", "R. J. Tibshirani"),
            "Predictive inference with the jackknife+", 2021, "The Annals of Statistics", "49", "486-507",
            doi="10.1214/20-AOS1965",
        ),
        Paper(
            "dunn2023", "article", ("R. Dunn", "L. Wasserman", "A. Ramdas"),
            "Distribution-free prediction sets for two-layer hierarchical models", 2023,
            "Journal of the American Statistical Association", "118", "2491-2502",
            doi="10.1080/01621459.2022.2060112",
        ),
        Paper(
            "rasmussen2006", "book", ("C. E. Rasmussen", "C. K. I. Williams"),
            "Gaussian processes for machine learning", 2006, publisher="MIT Press",
        ),
        Paper(
            "geurts2006", "article", ("P. Geurts", "D. Ernst", "L. Wehenkel"), "Extremely randomized trees",
            2006, "Machine Learning", "63", "3-42", doi="10.1007/s10994-006-6226-1",
        ),
        Paper(
            "smithson2006", "article", ("M. Smithson", "J. Verkuilen"),
            "A better lemon squeezer? Maximum-likelihood regression with beta-distributed dependent "
            "variables", 2006, "Psychological Methods", "11", "54-71", doi="10.1037/1082-989X.11.1.54",
        ),
        Paper(
            "shannon1976", "article", ("R. D. Shannon",),
            "Revised effective ionic radii and systematic studies of interatomic distances in halides and "
            "chalcogenides", 1976, "Acta Crystallographica A", "32", "751-767",
            doi="10.1107/S0567739476001551",
        ),
        Paper(
            "goldschmidt1926", "article", ("V. M. Goldschmidt",), "Die Gesetze der Krystallochemie", 1926,
            "Naturwissenschaften", "14", "477-485", doi="10.1007/BF01507527",
        ),
        Paper(
            "kieslich2014", "article", ("G. Kieslich", "S. Sun", "A. K. Cheetham"),
            "Solid-state principles applied to organic-inorganic perovskites: new tricks for an old dog",
            2014, "Chemical Science", "5", "4712-4715", doi="10.1039/C4SC02211D",
        ),
        Paper(
            "bonilla2008", "article", ("E. V. Bonilla", "K. M. A. Chai", "C. K. I. Williams"),
            "Multi-task Gaussian process prediction", 2008,
            "Advances in Neural Information Processing Systems", "20", "153-160",
        ),
        Paper(
            "snelson2006", "article", ("E. Snelson", "Z. Ghahramani"),
            "Sparse Gaussian processes using pseudo-inputs", 2006,
            "Advances in Neural Information Processing Systems", "18", "1257-1264",
        ),
        Paper(
            "kusaba2023", "article", ("M. Kusaba", "Y. Hayashi", "C. Liu", "A. Wakiuchi", "R. Yoshida"),
            "Representation of materials by kernel mean embedding", 2023,
            "Physical Review B", "108", "134107", doi="10.1103/PhysRevB.108.134107",
        ),
        Paper(
            "muandet2017", "article",
            ("K. Muandet", "K. Fukumizu", "B. Sriperumbudur", "B. Schölkopf"),
            "Kernel mean embedding of distributions: a review and beyond", 2017,
            "Foundations and Trends in Machine Learning", "10", "1-141", doi="10.1561/2200000060",
        ),
        Paper(
            "gretton2012", "article",
            ("A. Gretton", "K. M. Borgwardt", "M. J. Rasch", "B. Schölkopf", "A. Smola"),
            "A kernel two-sample test", 2012, "Journal of Machine Learning Research", "13", "723-773",
        ),
        Paper(
            "rahimi2007", "article", ("A. Rahimi", "B. Recht"),
            "Random features for large-scale kernel machines", 2007,
            "Advances in Neural Information Processing Systems", "20", "1177-1184",
        ),
        Paper(
            "hayashi2022", "article", ("Y. Hayashi", "J. Shiomi", "J. Morikawa", "R. Yoshida"),
            "RadonPy: automated physical property calculation using all-atom classical molecular dynamics "
            "simulations for polymer informatics", 2022, "npj Computational Materials", "8", "222",
            doi="10.1038/s41524-022-00906-4",
        ),
        Paper(
            "kusaba2022", "article", ("M. Kusaba", "C. Liu", "R. Yoshida"),
            "Crystal structure prediction with machine learning-based element substitution", 2022,
            "Computational Materials Science", "211", "111496", doi="10.1016/j.commatsci.2022.111496",
        ),
        Paper(
            "ward2016", "article", ("L. Ward", "A. Agrawal", "A. Choudhary", "C. Wolverton"),
            "A general-purpose machine learning framework for predicting properties of inorganic materials",
            2016, "npj Computational Materials", "2", "16028", doi="10.1038/npjcompumats.2016.28",
        ),
        Paper(
            "ward2018", "article", ("L. Ward", "and others"),
            "Matminer: an open source toolkit for materials data mining", 2018,
            "Computational Materials Science", "152", "60-69", doi="10.1016/j.commatsci.2018.05.018",
        ),
        Paper(
            "ong2013", "article", ("S. P. Ong", "and others"),
            "Python Materials Genomics (pymatgen): a robust, open-source python library for materials "
            "analysis", 2013, "Computational Materials Science", "68", "314-319",
            doi="10.1016/j.commatsci.2012.10.028",
        ),
        Paper(
            "mentel2014", "misc", ("L. M. Mentel",),
            "mendeleev: a Python resource for properties of chemical elements, ions and isotopes", 2014,
        ),
        Paper(
            "jain2013", "article", ("A. Jain", "and others"),
            "Commentary: The Materials Project: a materials genome approach to accelerating materials "
            "innovation", 2013, "APL Materials", "1", "011002", doi="10.1063/1.4812323",
        ),
        Paper(
            "dunn2020", "article", ("A. Dunn", "Q. Wang", "A. Ganose", "D. Dopp", "A. Jain"),
            "Benchmarking materials property prediction methods: the Matbench test set and Automatminer "
            "reference algorithm", 2020, "npj Computational Materials", "6", "138",
            doi="10.1038/s41524-020-00406-3",
        ),
        Paper(
            "wang2021", "article", ("A. Y.-T. Wang", "S. K. Kauwe", "R. J. Murdock", "T. D. Sparks"),
            "Compositionally restricted attention-based network for materials property predictions", 2021,
            "npj Computational Materials", "7", "77", doi="10.1038/s41524-021-00545-1",
        ),
        Paper(
            "liu2021", "article", ("C. Liu", "and others"),
            "Machine learning to predict quasicrystals from chemical compositions", 2021,
            "Advanced Materials", "33", "2102507", doi="10.1002/adma.202102507",
        ),
        Paper(
            "wu2020", "article", ("S. Wu", "G. Lambard", "C. Liu", "H. Yamada", "R. Yoshida"),
            "iQSPR in XenonPy: a Bayesian molecular design algorithm", 2020,
            "Molecular Informatics", "39", "1900107", doi="10.1002/minf.201900107",
        ),
        Paper(
            "peck1972", "article", ("E. R. Peck", "K. Reeder"), "Dispersion of air", 1972,
            "Journal of the Optical Society of America", "62", "958-962", doi="10.1364/JOSA.62.000958",
        ),
        Paper(
            "lawson1995", "book", ("C. L. Lawson", "R. J. Hanson"), "Solving Least Squares Problems", 1995,
            publisher="SIAM", doi="10.1137/1.9781611971217",
        ),
        Paper(
            "foster1994", "article", ("D. P. Foster", "E. I. George"),
            "The risk inflation criterion for multiple regression", 1994, "The Annals of Statistics", "22",
            "1947-1975", doi="10.1214/aos/1176325766",
        ),
        Paper(
            "sadinle2019", "article", ("M. Sadinle", "J. Lei", "L. Wasserman"),
            "Least ambiguous set-valued classifiers with bounded error levels", 2019,
            "Journal of the American Statistical Association", "114", "223-234",
            doi="10.1080/01621459.2017.1395341",
        ),
        Paper(
            "elfwing2018", "article", ("S. Elfwing", "E. Uchibe", "K. Doya"),
            "Sigmoid-weighted linear units for neural network function approximation in reinforcement "
            "learning", 2018, "Neural Networks", "107", "3-11", doi="10.1016/j.neunet.2017.12.012",
        ),
        Paper(
            "matsumura2019", "article",
            ("T. Matsumura", "N. Nagamura", "S. Akaho", "K. Nagata", "Y. Ando"),
            "Spectrum adapted expectation-maximization algorithm for high-throughput peak shift analysis",
            2019, "Science and Technology of Advanced Materials", "20", "733-745",
            doi="10.1080/14686996.2019.1620123",
        ),
        Paper(
            "matsumura2021", "article",
            ("T. Matsumura", "N. Nagamura", "S. Akaho", "K. Nagata", "Y. Ando"),
            "Spectrum adapted expectation-conditional maximization algorithm for extending high-throughput "
            "peak separation method in XPS analysis", 2021,
            "Science and Technology of Advanced Materials: Methods", "1", "45-55",
            doi="10.1080/27660400.2021.1899449",
        ),
        Paper(
            "savitzky1964", "article", ("A. Savitzky", "M. J. E. Golay"),
            "Smoothing and differentiation of data by simplified least squares procedures", 1964,
            "Analytical Chemistry", "36", "1627-1639", doi="10.1021/ac60214a047",
        ),
        Paper(
            "keenan2004", "article", ("Michael R. Keenan", "Paul G. Kotula"),
            "Accounting for Poisson noise in the multivariate analysis of ToF-SIMS spectrum images", 2004,
            "Surface and Interface Analysis", "36", "203-212", doi="10.1002/sia.1657",
        ),
        Paper(
            "kuhn1955", "article", ("Harold W. Kuhn",),
            "The Hungarian method for the assignment problem", 1955,
            "Naval Research Logistics Quarterly", "2", "83-97", doi="10.1002/nav.3800020109",
        ),
        Paper(
            "marquardt1963", "article", ("D. W. Marquardt",),
            "An algorithm for least-squares estimation of nonlinear parameters", 1963,
            "Journal of the Society for Industrial and Applied Mathematics", "11", "431-441",
            doi="10.1137/0111030",
        ),
        Paper(
            "hukushima1996", "article", ("K. Hukushima", "K. Nemoto"),
            "Exchange Monte Carlo method and application to spin glass simulations", 1996,
            "Journal of the Physical Society of Japan", "65", "1604-1608", doi="10.1143/JPSJ.65.1604",
        ),
        Paper(
            "syed2022", "article", ("S. Syed", "A. Bouchard-Côté", "G. Deligiannidis", "A. Doucet"),
            "Non-reversible parallel tempering: a scalable highly parallel MCMC scheme", 2022,
            "Journal of the Royal Statistical Society B", "84", "321-350", doi="10.1111/rssb.12464",
        ),
        Paper(
            "schwarz1978", "article", ("G. Schwarz",), "Estimating the dimension of a model", 1978,
            "Annals of Statistics", "6", "461-464", doi="10.1214/aos/1176344136",
        ),
        Paper(
            "akaike1974", "article", ("H. Akaike",),
            "A new look at the statistical model identification", 1974,
            "IEEE Transactions on Automatic Control", "19", "716-723", doi="10.1109/TAC.1974.1100705",
        ),
        Paper(
            "hurvich1989", "article", ("C. M. Hurvich", "C.-L. Tsai"),
            "Regression and time series model selection in small samples", 1989,
            "Biometrika", "76", "297-307", doi="10.1093/biomet/76.2.297",
        ),
        Paper(
            "figueiredo2002", "article", ("M. A. T. Figueiredo", "A. K. Jain"),
            "Unsupervised learning of finite mixture models", 2002,
            "IEEE Transactions on Pattern Analysis and Machine Intelligence", "24", "381-396",
            doi="10.1109/34.990138",
        ),
        Paper(
            "nagata2012", "article", ("K. Nagata", "S. Sugita", "M. Okada"),
            "Bayesian spectral deconvolution with the exchange Monte Carlo method", 2012,
            "Neural Networks", "28", "82-89", doi="10.1016/j.neunet.2011.12.001",
        ),
        Paper(
            "tokuda2017", "article", ("S. Tokuda", "K. Nagata", "M. Okada"),
            "Simultaneous estimation of noise variance and number of peaks in Bayesian spectral "
            "deconvolution", 2017,
            "Journal of the Physical Society of Japan", "86", "024001", doi="10.7566/JPSJ.86.024001",
        ),
        Paper(
            "bennett1976", "article", ("C. H. Bennett",),
            "Efficient estimation of free energy differences from Monte Carlo data", 1976,
            "Journal of Computational Physics", "22", "245-268", doi="10.1016/0021-9991(76)90078-4",
        ),
        Paper(
            "doniach1970", "article", ("S. Doniach", "M. Sunjic"),
            "Many-electron singularity in X-ray photoemission and X-ray line spectra from metals", 1970,
            "Journal of Physics C: Solid State Physics", "3", "285-291", doi="10.1088/0022-3719/3/2/010",
        ),
        Paper(
            "shirley1972", "article", ("D. A. Shirley",),
            "High-resolution X-ray photoemission spectrum of the valence bands of gold", 1972,
            "Physical Review B", "5", "4709-4714", doi="10.1103/PhysRevB.5.4709",
        ),
        Paper(
            "herrera2014", "article",
            ("A. Herrera-Gomez", "M. Bravo-Sanchez", "O. Ceballos-Sanchez", "M. O. Vazquez-Lepe"),
            "Practical methods for background subtraction in photoemission spectra", 2014,
            "Surface and Interface Analysis", "46", "897-905", doi="10.1002/sia.5453",
        ),
        Paper(
            "tougaard1988", "article", ("S. Tougaard",),
            "Quantitative analysis of the inelastic background in surface electron spectroscopy", 1988,
            "Surface and Interface Analysis", "11", "453-472", doi="10.1002/sia.740110902",
        ),
        Paper(
            "tougaard1997", "article", ("S. Tougaard",),
            "Universality classes of inelastic electron scattering cross-sections", 1997,
            "Surface and Interface Analysis", "25", "137-154",
        ),
        Paper(
            "weideman1994", "article", ("J. A. C. Weideman",),
            "Computation of the complex error function", 1994, "SIAM Journal on Numerical Analysis", "31",
            "1497-1518", doi="10.1137/0731077",
        ),
        Paper(
            "stancik2008", "article", ("A. L. Stancik", "E. B. Brauns"),
            "A simple asymmetric lineshape for fitting infrared absorption spectra", 2008,
            "Vibrational Spectroscopy", "47", "66-69", doi="10.1016/j.vibspec.2008.02.009",
        ),
        Paper(
            "thompson1987", "article", ("P. Thompson", "D. E. Cox", "J. B. Hastings"),
            "Rietveld refinement of Debye-Scherrer synchrotron X-ray data from Al2O3", 1987,
            "Journal of Applied Crystallography", "20", "79-83", doi="10.1107/S0021889887087090",
        ),
        Paper(
            "loshchilov2017", "misc", ("I. Loshchilov", "F. Hutter"),
            "Decoupled weight decay regularization", 2017, note="arXiv:1711.05101",
        ),
        Paper(
            "kiyohara2016", "article", ("S. Kiyohara", "H. Oda", "K. Tsuda", "T. Mizoguchi"),
            "Acceleration of stable interface structure searching using a kriging approach", 2016,
            "Japanese Journal of Applied Physics", "55", "045502",
        ),
        Paper(
            "motoyama2022", "article",
            ("Y. Motoyama", "R. Tamura", "K. Yoshimi", "K. Terayama", "T. Ueno", "K. Tsuda"),
            "Bayesian optimization package: PHYSBO", 2022, "Computer Physics Communications", "278", "108405",
        ),
        Paper(
            "liang2021", "article", ("Q. Liang", "and others"),
            "Benchmarking the performance of Bayesian optimization across multiple experimental materials "
            "science domains", 2021, "npj Computational Materials", "7", "188",
            doi="10.1038/s41524-021-00656-9",
        ),
        Paper(
            "gongora2020", "article", ("A. E. Gongora", "and others"),
            "A Bayesian experimental autonomous researcher for mechanical design", 2020,
            "Science Advances", "6", "eaaz1708",
        ),
        Paper(
            "tamura2023", "article", ("R. Tamura", "K. Tsuda", "S. Matsuda"),
            "NIMS-OS: an automation software to implement a closed loop between artificial intelligence and "
            "robotic experiments in materials science", 2023,
            "Science and Technology of Advanced Materials: Methods", "3", "2232297",
        ),
        Paper(
            "jones1998", "article", ("D. R. Jones", "M. Schonlau", "W. J. Welch"),
            "Efficient global optimization of expensive black-box functions", 1998,
            "Journal of Global Optimization", "13", "455-492", doi="10.1023/A:1008306431147",
        ),
        Paper(
            "ament2023", "misc", ("S. Ament", "S. Daulton", "D. Eriksson", "M. Balandat", "E. Bakshy"),
            "Unexpected improvements to expected improvement for Bayesian optimization", 2023,
            note="arXiv:2310.20708",
        ),
        Paper(
            "hoeffding1963", "article", ("W. Hoeffding",),
            "Probability inequalities for sums of bounded random variables", 1963,
            "Journal of the American Statistical Association", "58", "13-30",
            doi="10.1080/01621459.1963.10500830",
        ),
        Paper(
            "yeo2000", "article", ("I.-K. Yeo", "R. A. Johnson"),
            "A new family of power transformations to improve normality or symmetry", 2000,
            "Biometrika", "87", "954-959", doi="10.1093/biomet/87.4.954",
        ),
        Paper(
            "couckuyt2014", "article", ("I. Couckuyt", "D. Deschrijver", "T. Dhaene"),
            "Fast calculation of multiobjective probability of improvement and expected improvement criteria "
            "for Pareto optimization", 2014, "Journal of Global Optimization", "60", "575-594",
            doi="10.1007/s10898-013-0118-2",
        ),
        Paper(
            "lacour2017", "article", ("R. Lacour", "K. Klamroth", "C. M. Fonseca"),
            "A box decomposition algorithm to compute the hypervolume indicator", 2017,
            "Computers & Operations Research", "79", "347-360", doi="10.1016/j.cor.2016.06.021",
        ),
        Paper(
            "knowles2006", "article", ("J. Knowles",),
            "ParEGO: a hybrid algorithm with on-line landscape approximation for expensive multiobjective "
            "optimization problems", 2006, "IEEE Transactions on Evolutionary Computation", "10", "50-66",
            doi="10.1109/TEVC.2005.851274",
        ),
        Paper(
            "harashima2021", "article",
            ("Y. Harashima", "K. Tamai", "S. Doi", "M. Matsumoto", "H. Akai", "N. Kawashima", "M. Ito",
             "N. Sakuma", "A. Kato", "T. Shoji", "T. Miyake"),
            "Data assimilation method for experimental and first-principles data: Finite-temperature "
            "magnetization of (Nd,Pr,La,Ce)2(Fe,Co,Ni)14B", 2021, "Physical Review Materials", "5", "013806",
            doi="10.1103/PhysRevMaterials.5.013806",
        ),
        Paper(
            "kennedy2000", "article", ("M. C. Kennedy", "A. O'Hagan"),
            "Predicting the output from a complex computer code when fast approximations are available", 2000,
            "Biometrika", "87", "1-13", doi="10.1093/biomet/87.1.1",
        ),
        Paper(
            "kuzmin2005", "article", ("M. D. Kuz'min",),
            "Shape of temperature dependence of spontaneous magnetization of ferromagnets: quantitative "
            "analysis", 2005, "Physical Review Letters", "94", "107204",
            doi="10.1103/PhysRevLett.94.107204",
        ),
        Paper(
            "takeuchi2005", "article", ("I. Takeuchi", "J. Lauterbach", "M. J. Fasolka"),
            "Combinatorial materials synthesis", 2005, "Materials Today", "8", "18-26",
            doi="10.1016/S1369-7021(05)71121-4",
        ),
        Paper(
            "nemhauser1978", "article", ("G. L. Nemhauser", "L. A. Wolsey", "M. L. Fisher"),
            "An analysis of approximations for maximizing submodular set functions", 1978,
            "Mathematical Programming", "14", "265-294", doi="10.1007/BF01588971",
        ),
        Paper(
            "terayama2019", "article", ("K. Terayama", "R. Tamura", "Y. Nose", "H. Hiramatsu", "H. Hosono",
                                        "Y. Okuno", "K. Tsuda"),
            "Efficient construction method for phase diagrams using uncertainty sampling", 2019,
            "Physical Review Materials", "3", "033802", doi="10.1103/PhysRevMaterials.3.033802",
        ),
        Paper(
            "terayama2022", "article", ("K. Terayama", "and others"),
            "Acceleration of phase diagram construction by machine learning incorporating Gibbs' phase rule",
            2022, "Scripta Materialia", "208", "114335", doi="10.1016/j.scriptamat.2021.114335",
        ),
        Paper(
            "bryan2005", "misc",
            ("B. Bryan", "R. C. Nichol", "C. R. Genovese", "J. Schneider", "C. J. Miller", "L. Wasserman"),
            "Active learning for identifying function threshold boundaries", 2005,
            note="Advances in Neural Information Processing Systems 18",
        ),
        Paper(
            "wagner2011", "article", ("W. Wagner", "T. Riethmann", "R. Feistel", "A. H. Harvey"),
            "New equations for the sublimation pressure and melting pressure of H2O ice Ih", 2011,
            "Journal of Physical and Chemical Reference Data", "40", "043103", doi="10.1063/1.3657937",
        ),
        Paper(
            "zhu2003", "misc", ("X. Zhu", "Z. Ghahramani", "J. Lafferty"),
            "Semi-supervised learning using Gaussian fields and harmonic functions", 2003,
            note="International Conference on Machine Learning",
        ),
        Paper(
            "zhou2003", "misc", ("D. Zhou", "O. Bousquet", "T. N. Lal", "J. Weston", "B. Schölkopf"),
            "Learning with local and global consistency", 2003,
            note="Advances in Neural Information Processing Systems 16",
        ),
        Paper(
            "terayama2020", "article", ("K. Terayama", "and others"),
            "Pushing property limits in materials discovery via boundless objective-free exploration", 2020,
            "Chemical Science", "11", "5959-5968", doi="10.1039/D0SC00982B",
        ),
        Paper(
            "gardner2014", "misc", ("J. R. Gardner", "and others"),
            "Bayesian optimization with inequality constraints", 2014,
            note="International Conference on Machine Learning",
        ),
        Paper(
            "deb2002", "article", ("K. Deb", "A. Pratap", "S. Agarwal", "T. Meyarivan"),
            "A fast and elitist multiobjective genetic algorithm: NSGA-II", 2002,
            "IEEE Transactions on Evolutionary Computation", "6", "182-197", doi="10.1109/4235.996017",
        ),
        Paper(
            "storn1997", "article", ("R. Storn", "K. Price"),
            "Differential evolution: a simple and efficient heuristic for global optimization over "
            "continuous spaces", 1997, "Journal of Global Optimization", "11", "341-359",
            doi="10.1023/A:1008202821328",
        ),
        Paper(
            "kennedy2003", "misc", ("J. Kennedy",), "Bare bones particle swarms", 2003,
            doi="10.1109/SIS.2003.1202251", note="IEEE Swarm Intelligence Symposium",
        ),
    ]
}  # fmt: skip
"""Papers by key. Only facts that were checked are given; what could not be is left out."""

_CITED_BY: dict[str, tuple[str, ...]] = {
    "SymbolicRegressor": ("fujii2024", "kanda2019", "ghiringhelli2015"),
    "find_relations": ("fujii2024", "kanda2019", "golub2013", "schwartz1980"),
    "IndependentDescriptors": ("fujii2024", "kanda2019"),
    "Limit": ("hansen2004",),
    "Reach": ("hansen2004",),
    "find_invariants": ("westfall1993", "anderson1963"),
    "grow": ("ouyang2018",),
    "screen": ("fan2008", "ouyang2018"),
    "ScreenThenL0": ("fan2008", "ouyang2018", "purcell2023"),
    "MultiTaskSymbolicRegressor": ("ouyang2019", "ouyang2018"),
    "SymbolicClassifier": ("ouyang2018", "bartel2019", "hand2001", "shewchuk1997"),
    "nested_accuracy": ("wilson1927",),
    "NestedAccuracy": ("wilson1927",),
    "TablePredictor": ("barber2021", "dunn2023", "rasmussen2006", "geurts2006", "smithson2006"),
    "SubspaceList": ("fujii2024", "edmonds1971"),
    "generate": ("fujii2024",),
    "BasicOperations": ("fujii2024",),
    "DirectProducts": ("fujii2024",),
    "Symmetrizer": ("fujii2024",),
    "Exhaustive": ("furnival1974",),
    "Lasso": ("tibshirani1996",),
    "LassoThenL0": ("tibshirani1996", "ghiringhelli2015"),
    "SymbolicModel": ("allen1974", "belsley1980"),
    "load_triangle_area": ("fujii2024",),
    "load_binary_alloy_elements": ("fujii2024",),
    "load_hydrogen_lines": ("sansonetti2005", "peck1972"),
    "load_planets": ("kepler1997",),
    "load_calculated_radii": ("clementi1967",),
    "load_shannon_radii": ("shannon1976",),
    "perovskite_sites": ("bartel2019", "shannon1976", "goldschmidt1926", "kieslich2014"),
    "perovskite_descriptors": ("bartel2019", "shannon1976", "goldschmidt1926", "kieslich2014"),
    "CoregionalProcess": ("bonilla2008", "snelson2006", "rasmussen2006"),
    "fill": ("bonilla2008", "snelson2006"),
    "load_elements": ("mentel2014", "ong2013", "ward2016", "ward2018"),
    "load_oxidation_states": ("mentel2014", "ong2013"),
    "fetch_kmd_elements": ("kusaba2023",),
    "fetch_stable_formulas": ("jain2013", "kusaba2023"),
    "fetch_formation_energies": ("jain2013", "dunn2020", "wang2021"),
    "fetch_hypermaterials": ("liu2021",),
    "fetch_polymers": ("wu2020",),
    "SimplexSystem": ("lawson1995",),
    "minimize_deviance": ("marquardt1963",),
    "replica_exchange": ("hukushima1996", "syed2022", "bennett1976"),
    "solve_simplex_least_squares": ("lawson1995",),
    "invert": ("kusaba2023", "lawson1995"),
    "InverseResult": ("kusaba2023", "lawson1995"),
    "decode": ("kusaba2023", "foster1994"),
    "DecodedFormula": ("kusaba2023", "foster1994"),
    "KernelMeanDescriptor": ("kusaba2023", "muandet2017", "gretton2012"),
    "BlockKernelMean": ("kusaba2023",),
    "KernelMeanPooling": ("kusaba2023", "muandet2017"),
    "RandomFourierFeatures": ("rahimi2007",),
    "polymer_atoms": ("hayashi2022",),
    "BayesianProposer": ("jones1998", "ament2023", "yeo2000", "rasmussen2006"),
    "ExpectedImprovement": ("jones1998", "ament2023"),
    "log_improvement_bound": ("hoeffding1963",),
    "ExpectedHypervolumeImprovement": ("couckuyt2014", "lacour2017"),
    "HypervolumeProbability": ("couckuyt2014", "lacour2017"),
    "HypervolumeThompson": ("lacour2017",),
    "NonDominatedRank": ("deb2002",),
    "ParEGO": ("knowles2006",),
    "SteinNovelty": ("terayama2020",),
    "LibraryMap": ("takeuchi2005", "rasmussen2006", "nemhauser1978"),
    "DriftProcess": ("rasmussen2006",),
    "PhaseDiagramProposer": ("terayama2019", "terayama2022", "rasmussen2006"),
    "OneHotGaussianProcess": ("rasmussen2006",),
    "PresenceGaussianProcess": ("rasmussen2006",),
    "LabelPropagation": ("zhu2003",),
    "LabelSpreading": ("zhou2003",),
    "Coexistence": ("terayama2022",),
    "Straddle": ("bryan2005",),
    "ThresholdProposer": ("bryan2005", "rasmussen2006"),
    "make_water_diagram": ("wagner2011",),
    "Constraint": ("gardner2014",),
    "EvolutionaryProposer": ("deb2002", "storn1997", "kennedy2003"),
    "hypervolume": ("lacour2017",),
    "SummaryStatistics": ("kusaba2022", "ward2016"),
    "SimilarMaterials": ("kusaba2023", "gretton2012"),
    "CompositionRegressor": ("kusaba2023", "barber2021", "rasmussen2006"),
    "CompositionClassifier": ("kusaba2023", "liu2021", "sadinle2019", "geurts2006"),
    "SmoothNetworks": ("elfwing2018", "loshchilov2017"),
    "ComponentTable": ("mentel2014", "ong2013", "ward2016", "ward2018"),
    "fetch_octet_binaries": ("ghiringhelli2015",),
    "fetch_nist_problems": ("nist1998",),
    "load_nist_peaks": ("nist1998",),
    "load_assimilation_example": ("harashima2021",),
    "make_magnet_pair": ("harashima2021", "kuzmin2005"),
    "TwoSourceProposer": ("harashima2021",),
    "GaussianAssimilator": ("harashima2021", "kennedy2000"),
    "MagnetisationShape": ("kuzmin2005",),
    "fetch_xps_spectra": ("dench1988",),
    "fetch_grain_boundary_pool": ("kiyohara2016", "motoyama2022"),
    "fetch_crossed_barrel": ("liang2021", "gongora2020"),
    "fetch_p3ht": ("liang2021",),
    "fetch_al_si_zn_liquidus": ("tamura2023",),
    "PeakMixture": ("matsumura2019", "matsumura2021", "marquardt1963"),
    "SpectrumMapPeaks": ("keenan2004", "kuhn1955", "matsumura2019"),
    "PeakMap": ("keenan2004", "kuhn1955"),
    "fit_peaks": ("matsumura2019", "matsumura2021", "marquardt1963"),
    "select_n_components": ("schwarz1978", "figueiredo2002", "nagata2012"),
    "PeakCount": ("schwarz1978",),
    "BIC": ("schwarz1978",),
    "AIC": ("akaike1974",),
    "AICc": ("hurvich1989",),
    "AnnealedDirichlet": ("figueiredo2002",),
    "Evidence": ("nagata2012", "tokuda2017"),
    "fetch_binary_alloys": ("fujii2024",),
    "DoniachSunjic": ("doniach1970",),
    "DoniachSunjicGaussian": ("doniach1970",),
    "AsymmetricPseudoVoigt": ("stancik2008",),
    "Voigt": ("weideman1994",),
    "Shirley": ("shirley1972", "herrera2014"),
    "StaticShirley": ("shirley1972",),
    "static_shirley": ("shirley1972",),
    "Tougaard": ("tougaard1988", "tougaard1997"),
    "fit_spectra": ("marquardt1963",),
    "faddeeva": ("weideman1994",),
    "describe_peak": ("thompson1987",),
    "fetch_perovskites": ("bartel2019",),
}
"""Public names and the keys of what is behind them; rooms may add with :func:`cites`."""
