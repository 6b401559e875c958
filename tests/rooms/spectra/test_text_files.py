"""Text in columns: real exports, every habit of writing numbers, and errors that name the line."""

import time

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError
from sozai.spectra.axis_headers import axis_meaning, counts_meaning
from sozai.spectra.files import read_spectra, write_spectra
from sozai.spectra.spectrum import Spectrum

# file: (label, channels, kind, unit, first axis value, first counts)
FILES = {
    "0-150W_NiWwide_wide.txt": ("0-150W_NiWwide_wide", 1206, "binding", "eV", 1200.0, 2106.0),
    "0-150W_NiWC1s_C1s.txt": ("0-150W_NiWC1s_C1s", 301, "binding", "eV", 300.0, 1906.0),
    "0-150W_NiWNi2p_Ni2p.txt": ("0-150W_NiWNi2p_Ni2p", 601, "binding", "eV", 900.0, 114.0),
    "0-150W_NiWO1s_O1s.txt": ("0-150W_NiWO1s_O1s", 251, "binding", "eV", 545.0, 1620.0),
    "0-150W_NiWW4f_W4f.txt": ("0-150W_NiWW4f_W4f", 251, "binding", "eV", 50.0, 897.0),
    "111126_0100.csv": ("111126_0100", 291, "kinetic", "eV", 26.0, 220.730699118004),
    "111216_0459_O1s.csv": ("In111216_0459", 126, "binding", "eV", 546.0, 8.30239),
    "170109_1712_Ef.csv": ("In170109_1712_Ef", 351, "binding", "eV", 5.30000019073486, 9.639629),
    "C1s_sample.csv": ("InC1s_sample", 351, "binding", "eV", 301.5, 1709.0),
    "CK.csv": ("AbNorm_161116_1251_Is", 251, "photon", "eV", 270.7, 0.073284424),
    "Highres_Au4f_hv_180_testfile.csv": ("Highres_Au4f_hv_180_testfile", 269, None, None, 85.0, 1590.0),
    "Highres_FK_hv_180.csv": ("Highres_FK_hv_180", 16, None, None, 235.597, 521.0),
    "PET_C1s.csv": ("InPET_C1s", 401, "binding", "eV", 299.300817131996, 324.2826),
    "Survey_Au_hv_700.csv": ("Survey_Au_hv_700", 537, None, None, 60.0, 44239.0),
}


def read(tmp_path, text, name="a.csv", encoding="utf-8", **options):
    (tmp_path / name).write_bytes(text.encode(encoding))
    return read_spectra(tmp_path / name, **options)


@pytest.mark.parametrize("name", FILES)
def test_every_collected_text_file_is_read(data_folder, name):
    label, n, kind, unit, first, counts = FILES[name]
    (spectrum,) = read_spectra(data_folder / "spectra/xps_csv" / name)
    assert (spectrum.label, len(spectrum), spectrum.axis_kind, spectrum.unit) == (label, n, kind, unit)
    assert (spectrum.axis[0], spectrum.counts[0]) == (first, counts)


def test_the_pass_energy_above_the_counts_is_no_label(data_folder):
    folder = data_folder / "spectra/xps_csv"
    assert read_spectra(folder / "0-150W_NiWwide_wide.txt")[0].metadata["pass_energy"] == 160.0
    assert read_spectra(folder / "111126_0100.csv")[0].metadata["pass_energy"] == 600.0


def test_specs_regions_with_their_headers(data_folder):
    survey, iron = read_spectra(data_folder / "spectra/xps_pynx/MgFe2O4_small.xy")
    assert [survey.label, iron.label] == ["Survey", "Fe2p"]
    assert [len(survey), len(iron)] == [1351, 56]
    for spectrum, dwell, passed in [(survey, 0.1, 100.0), (iron, 0.3, 20.0)]:
        assert (spectrum.axis_kind, spectrum.unit, spectrum.counts_unit) == ("binding", "eV", "counts/s")
        assert (spectrum.photon_energy, spectrum.dwell, spectrum.sweeps) == (1486.61, dwell, 1)
        assert spectrum.metadata["pass_energy"] == passed
    assert (survey.counts[0], survey.axis[-1]) == (15598.679, 0.0)


def test_the_same_survey_as_xy_and_vamas(data_folder):
    folder = data_folder / "spectra/xps_pynx"
    (vamas,) = read_spectra(folder / "irregular.vms")
    survey = read_spectra(folder / "MgFe2O4_small.xy")[0]
    np.testing.assert_allclose(vamas.to_binding().axis, survey.axis, atol=1e-9)
    np.testing.assert_allclose(vamas.counts, survey.counts, rtol=1e-5)  # six digits in one of them


@pytest.mark.parametrize(
    ("number", "label", "n", "light", "passed", "sweeps"),
    [(1, "survey", 1221, 700, 200, 2), (2, "O1s", 301, 650, 50, 10), (3, "C 1s", 321, 400, 50, 10)],
)
def test_scienta_regions_with_their_headers(data_folder, number, label, n, light, passed, sweeps):
    (spectrum,) = read_spectra(data_folder / f"spectra/xps_pynx/Cu-HHTP_000{number}.txt")
    assert (spectrum.label, len(spectrum), spectrum.axis_kind, spectrum.unit) == (label, n, "binding", "eV")
    assert (spectrum.photon_energy, spectrum.metadata["pass_energy"]) == (light, passed)
    assert (spectrum.dwell, spectrum.sweeps) == (0.203, sweeps)


def test_a_shortened_specs_curve_names_the_line(data_folder, tmp_path):
    lines = (data_folder / "spectra/xps_pynx/MgFe2O4_small.xy").read_text().split("\n")
    with pytest.raises(InputError, match=r"curve 2 \('Fe2p'\) must have the declared 56 values. Got 46 at"):
        read(tmp_path, "\n".join(lines[:-10]), "a.xy")
    broken = [*lines[:60], "1300 abc", *lines[61:]]
    with pytest.raises(InputError, match=r"rows of 2 numbers. Got '1300 abc' at line 61 of"):
        read(tmp_path, "\n".join(broken), "a.xy")


def test_a_shortened_scienta_region_names_the_line(data_folder, tmp_path):
    text = (data_folder / "spectra/xps_pynx/Cu-HHTP_0002.txt").read_text()
    with pytest.raises(InputError, match=r"region 1 \('O1s'\) must have the declared 301 channels"):
        read(tmp_path, "\n".join(text.rstrip().split("\n")[:-5]), "a.txt")
    with pytest.raises(InputError, match=r"hold the declared 2 regions. Got 1"):
        read(tmp_path, text.replace("Regions=0001", "Regions=0002"), "a.txt")
    with pytest.raises(InputError, match=r"must have data. Got 'none'"):
        read(tmp_path, text[: text.index("[Data 1]")], "a.txt")
    with pytest.raises(InputError, match="rows at the declared scale"):
        read(tmp_path, text.replace("scale=540 ", "scale=541 "), "a.txt")


def test_slices_of_a_scienta_region_are_spectra(tmp_path):
    text = (
        "[Info]\nNumber of Regions=1\n[Region 1]\nRegion Name=VB\nDimension 1 name=Kinetic Energy [eV]\n"
        "Dimension 1 size=2\nDimension 1 scale=1 2\nDimension 2 size=3\nDimension 2 scale=-1 0 1\n"
        "[Info 1]\nExcitation Energy=21.2\n[Data 1]\n 1 10 20 30\n 2 11 21 31\n"
    )
    spectra = read(tmp_path, text, "a.txt")
    assert [spectrum.label for spectrum in spectra] == ["VB -1", "VB 0", "VB 1"]
    np.testing.assert_array_equal(spectra[2].counts, [30, 31])
    assert spectra[0].axis_kind == "kinetic"


# --------------------------------------------------------------------------------------------
# Habits of writing
# --------------------------------------------------------------------------------------------

ROWS = [("285.1", "10"), ("285.0", "12.5"), ("284.9", "1e1")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "  "])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_separators_and_line_ends(tmp_path, encoding, separator, end):
    name = "結合エネルギー[eV]"
    text = end.join(separator.join(row) for row in [(name, "強度"), *ROWS]) + end
    (spectrum,) = read(tmp_path, text, encoding=encoding)
    assert (spectrum.axis_kind, spectrum.unit, spectrum.label) == ("binding", "eV", "強度")
    np.testing.assert_array_equal(spectrum.axis, [285.1, 285.0, 284.9])
    np.testing.assert_array_equal(spectrum.counts, [10, 12.5, 10])


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("header", [True, False])
def test_decimal_commas(tmp_path, separator, header):
    rows = [tuple(cell.replace(".", ",") for cell in row) for row in [("285.1", "10.25"), ("285.0", "12.5")]]
    rows = [("E (eV)", "counts"), *rows] if header else rows
    (spectrum,) = read(tmp_path, "\n".join(separator.join(row) for row in rows) + "\n")
    np.testing.assert_array_equal(spectrum.axis, [285.1, 285.0])
    np.testing.assert_array_equal(spectrum.counts, [10.25, 12.5])
    assert "decimal_comma" in spectrum.repairs.codes()


def test_no_row_is_lost_without_a_header(tmp_path):
    for text in ("1,10\n2,20\n3,30", "1,10\n2,\n3,30\n", "1 10\n2 20\n3 30\n"):
        (spectrum,) = read(tmp_path, text)
        np.testing.assert_array_equal(spectrum.axis, [1, 2, 3])
        assert spectrum.label == "a"
    (spectrum,) = read(tmp_path, "1,10\n2,NaN\n3,30\n")
    np.testing.assert_array_equal(spectrum.counts, [10, np.nan, 30])


def test_many_columns_are_one_spectrum_each(tmp_path):
    spectra = read(tmp_path, "Raman shift (cm-1),spot 1 (cps),spot 2 (cps)\n100,1,2\n101,3,4\n")
    assert [spectrum.label for spectrum in spectra] == ["spot 1", "spot 2"]
    assert {spectrum.counts_unit for spectrum in spectra} == {"counts/s"}
    assert {(spectrum.axis_kind, spectrum.unit) for spectrum in spectra} == {("shift", "cm-1")}
    np.testing.assert_array_equal(spectra[1].counts, [2, 4])


def test_comment_lines_are_read(tmp_path):
    text = (
        "# Pass energy: 20 eV\n# Excitation energy = 1486.6 eV\n# dwell: 200 ms\n# sweeps: 4\n# taken late\n"
        "# sample: A-1\nBE/eV,counts\n285,10\n284,12\n"
    )
    (spectrum,) = read(tmp_path, text)
    assert (spectrum.photon_energy, spectrum.dwell, spectrum.sweeps) == (1486.6, 0.2, 4)
    assert spectrum.metadata["pass_energy"] == 20.0
    assert spectrum.metadata["sample"] == "A-1"
    assert spectrum.metadata["comment"] == ["taken late"]


def test_a_commented_header_names_the_columns(tmp_path):
    (spectrum,) = read(tmp_path, "# energy_eV signal\n1 2\n2 3\n3 4\n", "a.dat")
    assert spectrum.label == "signal"


def test_a_row_of_units_and_a_title(tmp_path):
    (spectrum,) = read(tmp_path, "Binding energy,C 1s\neV,counts\n285,10\n284,12\n283,9\n")
    assert (spectrum.unit, spectrum.label) == ("eV", "C 1s")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "read_spectra: .*empty"),
        ("a,b\nx,1\ny,2\n", "first column must be the axis.*Got 'text'"),
        ("E [eV]\n1\n2\n3\n", "first column must be the axis|no second column"),
        ("E,I\n1,2\n3,4,5,6,7\n", "row"),
    ],
)
def test_what_is_no_spectrum_is_refused(tmp_path, text, words):
    with pytest.raises(InputError, match=words) as caught:
        read(tmp_path, text)
    assert "a.csv" in str(caught.value)


def test_a_csv_comes_back_to_the_last_digit(tmp_path):
    rng = np.random.default_rng(0)
    axis = np.sort(rng.uniform(0, 1, 50))
    spectra = [
        Spectrum(axis, rng.standard_normal(50), "eV", "binding", label, counts_unit=unit)
        for label, unit in [("=1+1", "counts"), ("a", "counts/s"), ("a", "counts")]
    ]
    for name in ("a.csv", "a.tsv", "a.txt"):
        write_spectra(tmp_path / name, spectra)
        back = read_spectra(tmp_path / name)
        assert [spectrum.label.lstrip("'") for spectrum in back] == ["=1+1", "a", "a 2"]
        assert [spectrum.counts_unit for spectrum in back] == ["counts", "counts/s", "counts"]
        for old, new in zip(spectra, back, strict=True):
            np.testing.assert_array_equal(old.axis, new.axis)
            np.testing.assert_array_equal(old.counts, new.counts)
            assert (new.axis_kind, new.unit) == ("binding", "eV")


def test_spectra_on_two_axes_do_not_fit_one_table(tmp_path):
    with pytest.raises(InputError, match=r"share one axis in a text file. Got 'spectrum 1'"):
        write_spectra(tmp_path / "a.csv", [Spectrum([1.0], [1.0]), Spectrum([2.0], [1.0])])


@pytest.mark.parametrize(
    ("header", "meaning"),
    [
        ("Photon energy (eV)", ("photon", "eV")),
        ("Energy loss [meV]", ("loss", "meV")),
        ("wavelength / nm", ("wavelength", "nm")),
        ("2θ (°)", ("angle", "deg")),
        ("波数 [cm⁻¹]", ("shift", "cm-1")),
        ("Energy (eV)", (None, "eV")),
        ("channel", (None, None)),
    ],
)
def test_axis_headers(header, meaning):
    assert axis_meaning(header) == meaning


def test_counts_headers():
    assert counts_meaning("counts per second") == ("", "counts/s")
    assert counts_meaning("C 1s [counts]") == ("C 1s", "counts")


@pytest.mark.slow
def test_a_million_rows_take_less_than_twice_pandas(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"BE/eV": np.arange(1_000_000) * 0.001, "counts": rng.poisson(1000, 1_000_000)})
    path = tmp_path / "big.csv"
    frame.to_csv(path, index=False)
    ours, theirs = [], []
    for _ in range(5):
        start = time.perf_counter()
        pd.read_csv(path)
        middle = time.perf_counter()
        (spectrum,) = read_spectra(path)
        ours.append(time.perf_counter() - middle)
        theirs.append(middle - start)
    np.testing.assert_array_equal(spectrum.counts, frame["counts"])
    np.testing.assert_array_equal(spectrum.axis, frame["BE/eV"])
    assert min(ours) < 2 * min(theirs)


@pytest.mark.parametrize("header", ["", "Shift Intensity\n"])
def test_decimal_commas_between_spaces_are_numbers(tmp_path, header):
    path = tmp_path / "raman.txt"
    path.write_text(header + "1100,25 209,5\n1101,25  -3,125\n1102,25 1,5e2\n", encoding="utf-8")
    (spectrum,) = read_spectra(path)
    assert spectrum.axis.tolist() == [1100.25, 1101.25, 1102.25]
    assert spectrum.counts.tolist() == [209.5, -3.125, 150.0]


def test_commas_without_a_fraction_beside_spaces_stay_delimiters(tmp_path):
    path = tmp_path / "plain.csv"
    path.write_text("1, 2\n2, 3\n3, 4\n", encoding="utf-8")
    assert read_spectra(path)[0].counts.tolist() == [2.0, 3.0, 4.0]
