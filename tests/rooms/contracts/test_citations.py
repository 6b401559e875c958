"""The papers behind what was run."""

import re

import pytest

import sozai
from sozai.contracts import citations
from sozai.contracts.citations import BIBLIOGRAPHY, Citations, cite, cited_names, cites, register_citation
from sozai.contracts.errors import InputError


def keys(citations):
    return [paper.key for paper in citations]


def test_a_name_gives_sozai_and_its_papers():
    assert keys(cite("fetch_octet_binaries")) == ["sozai", "ghiringhelli2015"]
    text = str(cite("fetch_octet_binaries"))
    assert text.splitlines()[1] == (
        "[2] L. M. Ghiringhelli, J. Vybiral, S. V. Levchenko, C. Draxl, M. Scheffler, Big data of materials "
        "science: critical role of the descriptor, Physical Review Letters 114, 105503 (2015). "
        "https://doi.org/10.1103/PhysRevLett.114.105503"
    )
    assert f"version {sozai.__version__}" in text.splitlines()[0]


def test_nothing_gives_every_paper_behind_anything_once():
    behind = {key for name in cited_names() for key in keys(cite(name))}
    assert keys(sozai.cite())[0] == "sozai"
    assert set(keys(sozai.cite())) == behind
    assert len(sozai.cite()) == len(behind)


def test_an_unknown_name_lists_near_ones():
    with pytest.raises(InputError, match="Got 'fetch_octet'") as caught:
        cite("fetch_octet")
    assert "Did you mean 'fetch_octet_binaries' or" in str(caught.value)
    with pytest.raises(InputError, match=r"Call cite\(\) for the whole list"):
        cite("zzzz")


@pytest.fixture
def own_registry(monkeypatch):
    """A copy of the registry, so that examples do not stay behind."""
    monkeypatch.setattr(citations, "_CITED_BY", dict(citations._CITED_BY))


def test_classes_instances_functions_and_parameters(own_registry):
    @cites("allen1974")
    class Press:
        pass

    @cites("tibshirani1996")
    class Shrinking(Press):
        def __init__(self, inner=None):
            self.inner = inner

        def get_params(self, deep=True):
            return {"inner": self.inner, "n": 3, "name": "shrinking"}

    @cites("fan2008")
    class Screen:
        pass

    @cites("schwartz1980")
    def rank_of(matrix):
        return matrix

    assert keys(cite(Shrinking)) == ["sozai", "tibshirani1996", "allen1974"]
    assert keys(cite(Press())) == ["sozai", "allen1974"]
    assert keys(cite(Shrinking(Screen()))) == ["sozai", "tibshirani1996", "allen1974", "fan2008"]
    assert keys(cite(rank_of)) == ["sozai", "schwartz1980"]
    assert keys(cite("rank_of")) == ["sozai", "schwartz1980"]
    assert keys(cite(3.5)) == ["sozai"]
    assert {"Press", "Shrinking", "Screen", "rank_of"} <= set(cited_names())


def test_a_data_set_brings_its_papers():
    from sozai.datasets import load_hydrogen_lines

    assert keys(cite(load_hydrogen_lines())) == ["sozai", "sansonetti2005", "peck1972"]
    assert keys(cite(load_hydrogen_lines)) == keys(cite(load_hydrogen_lines()))


def test_an_unknown_paper_cannot_be_registered():
    with pytest.raises(InputError, match=r"Got 'allen1947'\. Did you mean 'allen1974'"):
        register_citation("Anything", "allen1947")
    assert "Anything" not in cited_names()


def test_bibtex_has_one_balanced_entry_per_paper():
    text = cite().bibtex()
    entries = re.split(r"\n\n(?=@)", text)
    assert len(entries) == len(cite())
    for entry in entries:
        assert re.match(r"@(article|book|misc)\{\w+,\n", entry)
        assert entry.count("{") == entry.count("}")
        assert "author = " in entry
        assert "year = " in entry
    assert "pages = {125--127}" in BIBLIOGRAPHY["allen1974"].bibtex()
    assert "journal" not in BIBLIOGRAPHY["golub2013"].bibtex()


def test_the_bibliography_is_well_formed():
    for key, paper in BIBLIOGRAPHY.items():
        assert key == paper.key
        assert key.endswith(str(paper.year))
        assert 1900 < paper.year < 2100
        if paper.doi:
            assert re.fullmatch(r"10\.\d{4,5}/\S+", paper.doi)
        if paper.kind == "article":
            assert paper.journal
            assert paper.volume
            assert paper.pages


def test_papers_are_listed_once_and_compare():
    paper = BIBLIOGRAPHY["fan2008"]
    assert len(Citations([paper, paper])) == 1
    assert Citations([paper]) == Citations([paper, paper])
    assert hash(Citations([paper])) == hash(Citations([paper]))
    assert list(Citations([paper])[:1]) == [paper]
