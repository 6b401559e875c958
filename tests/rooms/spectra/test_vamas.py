"""VAMAS: every real file, round trips to the last digit, and errors that name line and block."""

import dataclasses

import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.spectra.files import read_map, read_spectra, write_spectra
from sozai.spectra.spectrum import Spectrum
from sozai.spectra.vamas import FORMAT_LINE, read_vamas
from sozai.spectra.vamas_spectra import spectra_of, vamas_of
from sozai.spectra.vamas_writing import vamas_text, write_vamas

# file: (channels of each block, axis kind, first axis value, first and last counts of the first block)
FILES = {
    "xps_vamas/Mutlipak_vms.npl": ([601, 601, 501, 401, 401], "binding", 305.0, 1187.5),
    "xps_vamas/aes_staib.vms": ([1100], "kinetic", 19.989319, 99886.0),
    "xps_vamas/lg4x_0-150W.vms": ([1206, 601, 251, 301, 251], "kinetic", 286.69, 2106.0),
    "xps_vamas/xps_eis.vms": ([8201, 321, 941, 541], "kinetic", 1506.7, None),
    "xps_pynx/regular.vms": ([1351], "kinetic", 136.61, 1559.87),
    "xps_pynx/irregular.vms": ([1351], "kinetic", 136.61, 15598.7),
    "xps_pynx/data_analysis/FeO_analyzed.vms": ([1121], "kinetic", 736.61, 12516.9),
}


def same(a, b):
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b


@pytest.mark.parametrize("name", FILES)
def test_every_collected_file_is_read(data_folder, name):
    sizes, kind, start, _ = FILES[name]
    spectra = read_spectra(data_folder / "spectra" / name)
    assert [len(spectrum) for spectrum in spectra] == sizes
    assert {(spectrum.axis_kind, spectrum.unit) for spectrum in spectra} == {(kind, "eV")}
    assert spectra[0].axis[0] == start
    assert all(np.isfinite(spectrum.counts).all() for spectrum in spectra)


@pytest.mark.parametrize("name", FILES)
def test_writing_and_reading_gives_the_same_file(data_folder, tmp_path, name):
    first = read_vamas(data_folder / "spectra" / name)
    write_vamas(tmp_path / "a.vms", first)
    second = read_vamas(tmp_path / "a.vms")
    for field in dataclasses.fields(first):
        if field.name not in ("blocks", "source"):
            assert getattr(first, field.name) == getattr(second, field.name), field.name
    for old, new in zip(first.blocks, second.blocks, strict=True):
        assert all(
            same(getattr(old, field.name), getattr(new, field.name))
            for field in dataclasses.fields(old)
            if field.name != "line"
        )


@pytest.mark.parametrize("name", FILES)
def test_spectra_come_back_to_the_last_digit(data_folder, tmp_path, name):
    spectra = read_spectra(data_folder / "spectra" / name)
    write_spectra(tmp_path / "a.vms", spectra)
    for old, new in zip(spectra, read_spectra(tmp_path / "a.vms"), strict=True):
        for field in dataclasses.fields(old):
            if field.name not in ("source", "variables", "repairs", "metadata"):
                assert same(getattr(old, field.name), getattr(new, field.name)), field.name
        assert old.variables.keys() == new.variables.keys()
        assert all(np.array_equal(old.variables[key], new.variables[key]) for key in old.variables)
        kept = {key: value for key, value in old.metadata.items() if not key.startswith("experiment: ")}
        assert kept.items() <= {**new.metadata, "comment": kept.get("comment")}.items()


def test_the_iron_oxide_region_keeps_source_and_comment(data_folder):
    (spectrum,) = read_spectra(data_folder / "spectra/xps_pynx/data_analysis/FeO_analyzed.vms")
    assert spectrum.label == "Fe 2p"
    assert spectrum.photon_energy == 1486.61
    assert spectrum.dwell == 2.0
    assert "pass_energy" not in spectrum.metadata  # the file says 1e37: missing
    assert [spectrum.metadata[key] for key in ("species", "transition")] == ["Fe", "2p"]
    assert spectrum.counts[:3].tolist() == [12516.9, 12304.9, 12369.0]
    assert spectrum.variables["transmission"][0] == 2.77354
    assert any("LF(0.54,10,80,100,6)" in line for line in spectrum.metadata["comment"])
    binding = spectrum.to_binding()
    assert [round(float(binding.axis[k]), 6) for k in (0, -1)] == [750.0, 694.0]


def test_photon_and_pass_energy_where_the_file_has_them(data_folder):
    spectra = read_spectra(data_folder / "spectra/xps_vamas/Mutlipak_vms.npl")
    assert {(s.photon_energy, s.metadata["pass_energy"], s.counts_unit) for s in spectra} == {
        (1486.6, 46.95, "counts/s")
    }
    assert [s.dwell for s in spectra] == [0.4, 0.4, 0.8, 0.8, 0.8]


@pytest.mark.parametrize(("region", "k"), [("wide", 0), ("Ni2p", 1), ("O1s", 2), ("C1s", 3), ("W4f", 4)])
def test_two_exports_of_one_measurement_agree(data_folder, region, k):
    """The same regions as VAMAS (kinetic) and as text (binding, converted by the instrument's program)."""
    vamas = read_spectra(data_folder / "spectra/xps_vamas/lg4x_0-150W.vms")[k]
    (path,) = (data_folder / "spectra/xps_csv").glob(f"0-150W_NiW*_{region}.txt")
    (text,) = read_spectra(path)
    np.testing.assert_array_equal(vamas.counts, text.counts)
    np.testing.assert_allclose(vamas.to_binding().axis, text.axis, atol=1e-9)
    assert vamas.metadata["pass_energy"] == text.metadata["pass_energy"]


# --------------------------------------------------------------------------------------------
# Made files
# --------------------------------------------------------------------------------------------


def made(tmp_path, edit=None, **changes):
    """Text of a small file with two blocks, changed line by line; path of the file."""
    spectra = [
        Spectrum([284.0, 284.5, 285.0], [3, 5, 4], "eV", "binding", "C 1s", photon_energy=1486.6),
        Spectrum([530.0, 530.5], [7, 8], "eV", "binding", "O 1s"),
    ]
    lines = vamas_text(dataclasses.replace(vamas_of(spectra), **changes)).split("\r\n")[:-1]
    lines = lines if edit is None else edit(lines)
    (tmp_path / "a.vms").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return tmp_path / "a.vms"


def swapped(at, text):
    return lambda lines: [*lines[:at], text, *lines[at + 1 :]]


def test_a_truncated_file_names_line_and_block(tmp_path):
    whole = made(tmp_path).read_text().split("\n")
    for kept in range(1, len(whole) - 2):
        path = made(tmp_path, lambda lines, kept=kept: lines[:kept])
        with pytest.raises(InputError, match=rf"line {kept}|fit the \d+ lines that follow") as caught:
            read_vamas(path)
        assert (kept < 18) or ("block 1 of 2" if "O 1s" not in whole[: kept + 1] else "block 2 of 2") in str(
            caught.value
        )


def test_a_missing_terminator_is_noted(tmp_path):
    path = made(tmp_path, lambda lines: lines[:-1])
    assert "end of experiment" in read_vamas(path).notes[0]
    assert read_spectra(path)[0].repairs.codes() == {"terminator": 1}


@pytest.mark.parametrize(
    ("find", "text", "words"),
    [
        ("NORM", "NORMAL", r"experiment mode must be one of MAP, .*'NORMAL' at line \d+"),
        ("REGULAR", "SOMETIMES", "scan mode must be one of REGULAR"),
        ("305", "305", None),
        ("XPS", "XPS", None),
    ],
)
def test_words_of_the_format_are_held_to_it(tmp_path, find, text, words):
    def edit(lines):
        return [text if line == find else line for line in lines]

    path = made(tmp_path, edit)
    if words is None:
        assert len(read_vamas(path).blocks) == 2
        return
    with pytest.raises(InputError, match=words):
        read_vamas(path)


def ordinates(lines):
    """Place of the first block's number of ordinates."""
    return lines.index("3", lines.index("pulse counting"))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("2", r"block identifier|must be|a number"),
        ("4", "must be"),
        ("3.5", r"number of ordinate values must be a whole number\. Got '3\.5' at line \d+, block 1 of 2"),
        ("-3", "must be at least 1. Got -3"),
        ("900000", r"fit the \d+ lines that follow. Got 900000 at line \d+, block 1 of 2 \('C 1s'\),"),
        ("1e37", "fit the"),
        ("three", "whole number. Got 'three'"),
    ],
)
def test_a_wrong_number_of_ordinates_is_found(tmp_path, number, words):
    path = made(tmp_path, lambda lines: swapped(ordinates(lines), number)(lines))
    with pytest.raises(InputError, match=words) as caught:
        read_vamas(path)
    assert "line" in str(caught.value)


def test_a_wrong_number_of_blocks_is_found(tmp_path):
    place = made(tmp_path).read_text().split("\n").index("C 1s") - 1
    with pytest.raises(InputError, match=r"'end of experiment' after 1 declared blocks. Got 'O 1s'"):
        read_vamas(made(tmp_path, swapped(place, "1")))
    with pytest.raises(InputError, match="block 3 of 3"):
        read_vamas(made(tmp_path, swapped(place, "3")))


def test_a_text_among_the_ordinates_is_named(tmp_path):
    def edit(lines):
        at = ordinates(lines) + 4
        return swapped(at, "5,5")(lines)

    with pytest.raises(InputError, match=r"ordinate value must be a number. Got '5,5' at line \d+, block 1"):
        read_vamas(made(tmp_path, edit))


def test_ordinates_must_divide_by_the_variables(tmp_path):
    spectrum = Spectrum([1.0, 2.0], [3, 4], "eV", variables={"Transmission": [0.5, 0.6]})
    lines = vamas_text(vamas_of([spectrum])).split("\r\n")
    at = lines.index("4", lines.index("pulse counting"))
    (tmp_path / "a.vms").write_text("\n".join(swapped(at, "3")(lines)))
    with pytest.raises(InputError, match=r"divide by the number of variables \(2\). Got 3"):
        read_vamas(tmp_path / "a.vms")


def test_missing_ordinates_are_nan_and_come_back(tmp_path):
    spectrum = Spectrum([1.0, 2.0, 3.0], [3, np.nan, 4], "eV")
    write_spectra(tmp_path / "a.vms", spectrum)
    assert "\r\n1e+37\r\n4\r\n" in (tmp_path / "a.vms").read_bytes().decode()
    np.testing.assert_array_equal(read_spectra(tmp_path / "a.vms")[0].counts, [3, np.nan, 4])


def test_an_irregular_axis_makes_an_irregular_file(tmp_path):
    spectrum = Spectrum([1.0, 2.0, 4.0], [3, 5, 4], "eV", "kinetic", variables={"T": [0.1, 0.2, 0.3]})
    write_spectra(tmp_path / "a.vms", spectrum)
    assert read_vamas(tmp_path / "a.vms").scan_mode == "IRREGULAR"
    (back,) = read_spectra(tmp_path / "a.vms")
    np.testing.assert_array_equal(back.axis, spectrum.axis)
    np.testing.assert_array_equal(back.variables["T"], spectrum.variables["T"])
    assert back.axis_kind == "kinetic"


@pytest.mark.parametrize("listed", [(-1, -2, -8, -40), (30, 31)])
def test_items_left_out_of_later_blocks_come_from_the_first(tmp_path, listed):
    spectra = [
        Spectrum([1.0, 2.0], [3, 4], "eV", label="a", metadata={"date": [2024, 5, 6, 7, 8, 9, 0]}),
        Spectrum([5.0, 6.0], [8, 9], "eV", label="b"),
    ]
    file = dataclasses.replace(vamas_of(spectra), listed=listed)
    write_vamas(tmp_path / "a.vms", file)
    first, second = read_vamas(tmp_path / "a.vms").blocks
    assert second.date[:2] == first.date[:2] == (2024, 5)
    assert second.date[2] == (0 if listed[0] < 0 else 6)
    assert second.items["abscissa_start"] == 5.0
    assert second.values.ravel().tolist() == [8, 9]


def test_future_entries_and_leading_blank_lines(tmp_path):
    file = vamas_of([Spectrum([1.0, 2.0], [3, 4], "eV")])
    block = dataclasses.replace(file.blocks[0], upgrades=("later 1", "later 2"))
    file = dataclasses.replace(file, upgrades=("new",), n_block_upgrades=2, blocks=(block,), manual=(3,))
    (tmp_path / "a.vms").write_text("\n\n" + vamas_text(file).replace("\r\n", "\n"))
    back = read_vamas(tmp_path / "a.vms")
    assert back.upgrades == ("new",)
    assert back.blocks[0].upgrades == ("later 1", "later 2")
    assert back.manual == (3,)


@pytest.mark.parametrize("mode", ["MAPDP", "MAPSVDP", "SDP", "SDPSV", "MAPSV", "SEM", "NOEXP"])
@pytest.mark.parametrize("technique", ["XPS", "AES diff", "SIMS"])
def test_every_mode_and_technique_comes_back(tmp_path, mode, technique):
    """Items that only some modes and techniques have are where the writer puts them, one line each."""
    from sozai.spectra.vamas import ITEMS_AFTER, ITEMS_BEFORE, item_stands

    file = vamas_of([Spectrum([1.0, 2.0], [3, 4], "eV")])
    head = {"experiment_mode": mode, "scan_mode": "REGULAR"}
    items = {}
    for _, names, condition in (*ITEMS_BEFORE, *ITEMS_AFTER):
        if item_stands(condition, head, technique):
            items |= {name: name if kind == "text" else len(items) for name, kind in names}
    position = (2.0, 1.0) if mode == "MAPDP" else ()
    block = dataclasses.replace(file.blocks[0], technique=technique, items=items, position=position)
    file = dataclasses.replace(
        file, experiment_mode=mode, blocks=(block,), map_size=(6, 3, 2) if mode == "MAPDP" else (),
        n_regions=1 if mode in ("MAPDP", "SDP") else None,
    )  # fmt: skip
    write_vamas(tmp_path / "a.vms", file)
    (back,) = read_vamas(tmp_path / "a.vms").blocks
    assert back.items == items
    assert back.position == position
    sputtered = mode in ("MAPDP", "MAPSVDP", "SDP", "SDPSV")
    assert ("sputtering_charge" in back.items) == (sputtered or technique == "SIMS")
    assert ("sputtering_mode" in back.items) == (sputtered and technique != "SIMS")
    assert ("differential_width" in back.items) == (technique == "AES diff")
    assert ("last_linescan_finish_y" in back.items) == (mode in ("MAPSV", "MAPSVDP", "SEM"))


def map_file(positions):
    spectra = [Spectrum([1.0, 2.0], [10 * x + y, 1], "eV", label=f"{x},{y}") for x, y in positions]
    file = vamas_of(spectra)
    extra = {"field_of_view_x": 1e-3, "field_of_view_y": 1e-3}
    blocks = [
        dataclasses.replace(block, position=position, items={**block.items, **extra})
        for block, position in zip(file.blocks, positions, strict=True)
    ]
    return dataclasses.replace(
        file, experiment_mode="MAP", n_regions=1, map_size=(len(positions), 3, 2), blocks=tuple(blocks)
    )


def test_a_map_is_an_image_with_holes_masked(tmp_path):
    write_vamas(tmp_path / "a.vms", map_file([(1, 1), (2, 1), (3, 1), (1, 2), (3, 2)]))
    cube = read_map(tmp_path / "a.vms")
    assert cube.shape == (2, 3)
    np.testing.assert_array_equal(cube.counts[..., 0], [[11, 21, 31], [12, 0, 32]])
    np.testing.assert_array_equal(cube.mask, [[False] * 3, [False, True, False]])
    assert len(read_spectra(tmp_path / "a.vms")) == 5


def test_a_position_outside_the_map_is_refused(tmp_path):
    write_vamas(tmp_path / "a.vms", map_file([(1, 1), (4, 1)]))
    with pytest.raises(InputError, match=r"declared map of 3 x 2. Got \(4.0, 1.0\) in block 2"):
        read_map(tmp_path / "a.vms")


def test_a_text_with_a_line_break_is_not_written(tmp_path):
    with pytest.raises(InputError, match="be one line"):
        write_spectra(tmp_path / "a.vms", Spectrum([1.0], [2.0], label="a\nb"))
    assert list(tmp_path.iterdir()) == []


def test_only_vamas_is_read_as_vamas(tmp_path):
    (tmp_path / "a.vms").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=f"format identifier must be '{FORMAT_LINE}'. Got 'a,b'"):
        read_vamas(tmp_path / "a.vms")


def test_blocks_of_a_file_keep_their_names():
    file = vamas_of([Spectrum([1.0, 2.0], [3, 4], "eV", label="N 1s")])
    assert [spectrum.label for spectrum in spectra_of(file)] == ["N 1s"]
