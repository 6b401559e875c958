"""From an image of spectra to images of peaks: reading, cutting, resuming, and what is told."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sozai.apps.cli import explain_map_answer
from sozai.apps.cli.explain_map_answer import cut_channels
from sozai.spectra.files import write_map
from sozai.spectra.spectrum import SpectrumMap

AXIS = np.linspace(280.0, 290.0, 41)
PARAMETERS = ("position", "fwhm", "area", "lorentz_fraction", "height")


class FoundMap:
    """Peaks of every pixel as the room promises them."""

    def __init__(self, cube, n_peaks):
        n = cube.n_spectra
        self.labels = tuple(f"peak {k + 1}" for k in range(n_peaks))
        self.parameters, self.shape, self.notes = PARAMETERS, cube.shape, ("one note",)
        self.values = np.full((n, n_peaks, 5), 1.5)
        self.values[:, :, 0] = 284.0 + np.arange(n)[:, None] / n
        self.errors = np.full_like(self.values, 0.1)
        self.status = np.zeros(n, dtype=np.int8)
        self.status[1], self.status[2:4] = 4, 1
        self.values[1] = np.nan
        self.deviance = np.full(n, 30.0)
        self.deviance[1] = np.nan

    def units(self):
        found = dict.fromkeys((f"{label}.lorentz_fraction" for label in self.labels), "1")
        for label in self.labels:
            found |= {f"{label}.position": "eV", f"{label}.fwhm": "eV", f"{label}.area": "counts"}
        return found

    def image(self, name):
        if name == "reduced_deviance":
            return (self.deviance / 30).reshape(self.shape)
        label, _, parameter = name.rpartition(".")
        column = self.values[:, self.labels.index(label), self.parameters.index(parameter)]
        return column.reshape(self.shape)

    def to_frame(self):
        return pd.DataFrame({"pixel": np.arange(len(self.status)), "peak 1.position": self.values[:, 0, 0]})

    def write(self, path):
        np.savez(path, values=self.values)


@pytest.fixture
def asked(monkeypatch):
    """What the room was asked for."""
    calls = []

    def fit_cube(cube, model, background, store=None):
        calls.append(SimpleNamespace(cube=cube, model=model, background=background, store=store))
        if store is not None:
            store.mkdir(parents=True, exist_ok=True)
            (store / "tile-0.npz").write_bytes(b"finished")
        return FoundMap(cube, model.peaks[1] if model.is_given else 2)

    monkeypatch.setattr(explain_map_answer, "fit_cube", fit_cube)
    return calls


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "image.npz"
    counts = np.random.default_rng(0).poisson(20, size=(4, 5, 41)).astype(np.uint16)
    write_map(path, SpectrumMap(AXIS, counts, "eV", "binding"))
    return path


def test_json_has_the_promised_keys(run, asked, image):
    code, out, err = run("explain", "map", image, "--peaks", 2, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert set(found) == {
        "schema", "version", "input", "warnings", "shape", "n_spectra", "n_channels", "axis_unit",
        "line_shape", "background", "n_peaks", "peaks", "status", "seconds",
    }  # fmt: skip
    assert (found["schema"], found["shape"], found["n_spectra"]) == ("sozai.explain.map/1", [4, 5], 20)
    assert (found["axis_unit"], found["background"], found["n_peaks"]) == ("eV", "constant+shirley", 2)
    assert found["status"] == {"ok": 17, "max_iter": 2, "dead": 1}
    assert [peak["label"] for peak in found["peaks"]] == ["peak 1", "peak 2"]
    first = found["peaks"][0]["parameters"][0]
    assert set(first) == {"parameter", "unit", "median", "low", "high", "median_error"}
    assert (first["parameter"], first["unit"], first["median_error"]) == ("position", "eV", 0.1)
    assert found["warnings"] == ["one note"]


def test_terminal_tells_medians_and_pixels_that_failed(run, asked, image):
    code, out, _ = run("explain", "map", image, "--peaks", 1)
    assert code == 0
    assert "image.npz: 4 x 5 spectra of 41 channels" in out
    assert "1 peak in every pixel" in out
    assert "17 of 20 spectra fitted" in out
    assert "Note: one note" in out


def test_the_axis_is_cut_without_reading_the_image(run, asked, image):
    run("explain", "map", image, "--peaks", 1, "--range", "282:285")
    (call,) = asked
    assert (call.cube.axis.min(), call.cube.axis.max()) == (282.0, 285.0)
    assert call.cube.shape == (4, 5)
    whole = SpectrumMap(AXIS, np.arange(4 * 5 * 41).reshape(4, 5, 41))
    part = cut_channels(whole, 282.0, 285.0)
    np.testing.assert_array_equal(part.rows(7, 9), whole.rows(7, 9)[:, 8:21])
    np.testing.assert_array_equal(part.spectrum(2, 3).counts, whole.spectrum(2, 3).counts[8:21])


def test_bare_counts_need_an_axis(run, asked, tmp_path):
    np.save(tmp_path / "cube.npy", np.ones((3, 4, 41), dtype=np.uint16))
    np.savetxt(tmp_path / "axis.txt", AXIS)
    code, out, err = run("explain", "map", tmp_path / "cube.npy", "--json")
    assert (code, out) == (3, "")
    assert "--axis FILE" in err
    code, _, _ = run("explain", "map", tmp_path / "cube.npy", "--axis", tmp_path / "axis.txt", "--unit", "eV")
    assert code == 0
    assert asked[0].cube.unit == "eV"
    assert asked[0].background == "linear"
    lines = ["Binding energy [eV]", *(f"{value:.3f}" for value in AXIS)]
    (tmp_path / "headed.txt").write_text("\n".join(lines), encoding="utf-8")
    code, _, _ = run("explain", "map", tmp_path / "cube.npy", "--axis", tmp_path / "headed.txt")
    assert code == 0
    assert (asked[1].cube.unit, asked[1].cube.axis_kind, asked[1].background) == (
        "eV", "binding", "constant+shirley",
    )  # fmt: skip
    (tmp_path / "words.txt").write_text("energy\n1\ntwo\n", encoding="utf-8")
    code, _, err = run("explain", "map", tmp_path / "cube.npy", "--axis", tmp_path / "words.txt")
    assert code == 3
    assert "Got 'two' in line 3" in err
    code, _, err = run("explain", "map", tmp_path / "cube.npy", "--axis", tmp_path / "nowhere.txt")
    assert code == 3
    assert "read_table" not in err


def test_tables_and_folder(run, asked, image, tmp_path):
    code, _, _ = run(
        "explain", "map", image, "--peaks", 1, "-o", tmp_path / "pixels.csv", "--output", tmp_path / "out"
    )
    assert code == 0
    assert len((tmp_path / "pixels.csv").read_text(encoding="utf-8-sig").splitlines()) == 21
    names = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    images = {"figures/peaks.png", "figures/peaks.svg"}
    assert names == {"report.html", "summary.csv", "peaks.npz"} | images
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for said in ("position [eV]", "1.50 ± 0.10", "max iter", "Settings", "constant+shirley"):
        assert said in page
    code, _, _ = run("explain", "map", image, "-o", tmp_path / "pixels.npz")
    assert np.load(tmp_path / "pixels.npz")["values"].shape == (20, 2, 5)


def test_finished_tiles_are_kept_while_fitting_and_removed_after(run, asked, image, tmp_path):
    folder = tmp_path / "out"
    (folder / ".resume").mkdir(parents=True)
    code, out, err = run("explain", "map", image, "--output", folder)
    assert (code, out) == (3, "")
    assert "Add --resume" in err
    assert not asked
    code, _, _ = run("explain", "map", image, "--output", folder, "--resume")
    assert code == 0
    assert asked[0].store == folder / ".resume"
    assert not (folder / ".resume").exists()
    code, _, err = run("explain", "map", image, "--resume")
    assert code == 2
    assert "--output DIR" in err


def test_an_interrupted_run_says_how_to_go_on(run, monkeypatch, image, tmp_path):
    def stopped(cube, model, background, store=None):
        store.mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.setattr(explain_map_answer, "fit_cube", stopped)
    code, out, err = run("explain", "map", image, "--output", tmp_path / "out")
    assert (code, out) == (130, "")
    assert "--resume goes on from there" in err


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--peaks", 99], 2, "Got '99'"),
        (["--peaks", 0], 2, "be at least 1 for an image. Got '0'"),
        (["--shape", "triangle"], 2, "triangle"),
        (["--background", "hills"], 2, "Got 'hills'"),
        (["--range", "700:720"], 3, "The axis runs from 280 to 290 eV."),
        (["-o", "pixels.xlsx"], 3, "Name it .csv"),
        (["-o", "pixels.png"], 3, "be a CSV or TSV file, .npz or .h5. Got"),
        (["--n-jobs", 0], 2, "Got 0"),
    ],
)
def test_wrong_options_answer_with_a_sentence(run, asked, image, options, code, said):
    left, out, err = run("explain", "map", image, *options, "--json")
    assert (left, out) == (code, "")
    assert said in " ".join(err.replace("│", " ").split())


def test_a_missing_file_is_a_sentence(run, asked, tmp_path):
    code, out, err = run("explain", "map", tmp_path / "nowhere.h5", "--json")
    assert (code, out) == (3, "")
    assert "nowhere.h5" in err


def test_the_room_finds_the_peaks_of_every_pixel(run, tmp_path):
    axis = np.linspace(280.0, 290.0, 81)
    drift = np.linspace(0.0, 0.3, 12)[:, None, None]
    lines = 500 * np.exp(-4 * np.log(2) * ((axis - 285.0 - drift) / 1.2) ** 2) + np.zeros((12, 10, 1))
    counts = np.random.default_rng(0).poisson(lines + 20.0).astype(np.uint16)
    write_map(tmp_path / "made.npz", SpectrumMap(axis, counts, "eV"))
    code, out, err = run(
        "explain", "map", tmp_path / "made.npz", "--peaks", 1, "--shape", "gaussian",
        "--background", "constant", "--json", "-o", tmp_path / "pixels.csv", "--output",
        tmp_path / "out", "--resume",
    )  # fmt: skip
    assert code == 0, err
    found = json.loads(out)
    assert found["status"] == {"ok": 120}
    numbers = {row["parameter"]: row for row in found["peaks"][0]["parameters"]}
    assert numbers["position"]["median"] == pytest.approx(285.15, abs=0.02)
    assert numbers["fwhm"]["median"] == pytest.approx(1.2, abs=0.01)
    assert (numbers["position"]["unit"], numbers["area"]["unit"]) == ("eV", "counts")
    assert not (tmp_path / "out" / ".resume").exists()
    assert len((tmp_path / "pixels.csv").read_text(encoding="utf-8-sig").splitlines()) == 121
