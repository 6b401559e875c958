import re
import xml.etree.ElementTree as ElementTree

import matplotlib
import numpy as np
import pytest

from sozai.displays import ParityDisplay
from sozai.displays.style import axis_label, blank_figure, house_style, inline_svg, readable, save_figure


@pytest.fixture
def figure():
    figure = blank_figure(interactive=False)
    with house_style():
        ax = figure.add_subplot()
        ax.plot([0, 1], [0, 1])
        ax.set_xlabel("磁化 [emu/g] <script>alert(1)</script> $x_1")
        ax.set_title("second", color="#1b2027")
    return figure


def test_settings_come_back_afterwards():
    before = dict(matplotlib.rcParams)
    with house_style():
        assert matplotlib.rcParams["svg.fonttype"] == "none"
    assert dict(matplotlib.rcParams) == before


def test_japanese_stays_text_and_markup_stays_harmless(figure):
    svg = inline_svg(figure)
    assert "磁化 [emu/g]" in svg
    assert "<script" not in svg
    assert "&lt;script" in svg


def test_inline_svg_is_well_formed_and_names_no_address(figure):
    svg = inline_svg(figure, label='a "quoted" <b>')
    root = ElementTree.fromstring(svg)
    assert root.attrib["aria-label"] == 'a "quoted" <b>'
    assert "http" not in svg


def test_ids_of_two_figures_on_one_page_differ(figure):
    ids = [set(re.findall(r'id="([^"]*)"', inline_svg(figure, prefix=prefix))) for prefix in ("f1", "f2")]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_every_reference_inside_an_svg_is_answered(figure):
    svg = inline_svg(figure, prefix="f7")
    ids = set(re.findall(r'id="([^"]*)"', svg))
    references = set(re.findall(r'url\(#([^)]*)\)|href="#([^"]*)"', svg))
    assert {one or other for one, other in references} <= ids


def test_ink_follows_the_page(figure):
    assert "var(--ink)" in inline_svg(figure)


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_files_are_written_whole_and_repeat_their_bytes(tmp_path, figure, ending):
    first = save_figure(figure, tmp_path / f"one.{ending}").read_bytes()
    assert len(first) > 500
    assert [path.name for path in tmp_path.iterdir()] == [f"one.{ending}"]
    if ending != "pdf":
        assert save_figure(figure, tmp_path / f"one.{ending}").read_bytes() == first


def test_a_failed_write_leaves_the_old_file(tmp_path, figure):
    kept = tmp_path / "one.xyz"
    kept.write_text("old")
    with pytest.raises(ValueError, match="xyz"):
        save_figure(figure, kept)
    assert kept.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["one.xyz"]


def test_labels():
    assert axis_label("T", "K") == "T [K]"
    assert axis_label("T") == "T"
    assert readable("a\x00b\x1bc") == "abc"
    assert len(readable("x" * 100, 21)) == 21


def test_a_dollar_sign_in_a_name_is_no_formula():
    display = ParityDisplay(np.arange(4.0), np.arange(4.0), name="price $_{")
    assert "price $_{" in display.to_svg()
