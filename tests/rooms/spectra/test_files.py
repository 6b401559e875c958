"""Our own files: nothing lost, nothing half written, maps left on disk; and what is refused by name."""

import dataclasses
import os

import numpy as np
import pytest

from sozai.contracts.errors import InputError, MissingPackageError
from sozai.spectra import hdf_files
from sozai.spectra.files import read_map, read_spectra, write_map, write_spectra
from sozai.spectra.noise import GaussianNoise, PoissonNoise, RobustNoise
from sozai.spectra.spectrum import Spectrum, SpectrumMap

RNG = np.random.default_rng(0)
SPECTRA = [
    Spectrum(
        RNG.standard_normal(20), RNG.standard_normal(20), "eV", "kinetic", "試料 1/2", 0.4, 5, 1486.6,
        "counts/s", RNG.random(20) > 0.5, PoissonNoise(0.5, 2.0),
        {"comment": ["a", "b"], "pass_energy": 20.0, "number": np.int64(3), "nested": {"x": None}},
        "somewhere", {"transmission": RNG.random(20), "a/b": RNG.random(20)},
    ),
    Spectrum([1.0, np.nan], [np.nan, 2.0], noise=GaussianNoise([0.5, 0.25])),
    Spectrum([1.0], [2.0], noise=RobustNoise(3.0)),
]  # fmt: skip
HDF = pytest.param(".h5", id="h5")


@pytest.fixture(params=[".npz", HDF])
def ending(request):
    if request.param == ".h5":
        pytest.importorskip("h5py", reason="h5py is an optional package")
    return request.param


def cube(dtype=np.uint16, shape=(7, 9)):
    counts = RNG.integers(0, 60_000, size=(*shape, 11)).astype(dtype)
    mask = np.zeros(shape, dtype=bool)
    mask.flat[3] = True
    return SpectrumMap(
        np.linspace(1, 2, 11), counts, "nm", "wavelength", mask=mask, noise=PoissonNoise(2.0),
        metadata={"sample": "A"},
    )  # fmt: skip


def test_spectra_come_back_whole(tmp_path, ending):
    write_spectra(tmp_path / f"a{ending}", SPECTRA)
    back = read_spectra(tmp_path / f"a{ending}")
    assert len(back) == 3
    for old, new in zip(SPECTRA, back, strict=True):
        for field in dataclasses.fields(old):
            one, other = getattr(old, field.name), getattr(new, field.name)
            if isinstance(one, np.ndarray):
                np.testing.assert_array_equal(one, other)
            elif field.name == "noise":
                assert type(one) is type(other)
                assert all(np.array_equal(getattr(one, k), getattr(other, k)) for k in vars(one or 0) or ())
            elif field.name == "variables":
                assert list(one) == list(other)
                assert all(np.array_equal(one[key], other[key]) for key in one)
            else:
                assert one == other, field.name


@pytest.mark.parametrize("tile", [1, 4, 10, 4096])
@pytest.mark.parametrize("shape", [(7, 9), (63,)])
def test_maps_of_any_tile_and_chunk_hold_the_same_numbers(tmp_path, ending, tile, shape):
    first = cube(shape=shape)
    write_map(tmp_path / f"a{ending}", first, tile=tile)
    back = read_map(tmp_path / f"a{ending}")
    assert back.shape == shape
    assert back.counts.dtype == np.uint16
    assert not isinstance(back.counts, np.ndarray) or isinstance(back.counts, np.memmap)
    for size in (1, 5, 64):
        rows = np.concatenate([part for _, part in back.tiles(size)])
        np.testing.assert_array_equal(rows, first.counts.reshape(-1, 11))
    np.testing.assert_array_equal(back.mask, first.mask)
    assert (back.unit, back.axis_kind, back.noise, back.metadata) == (
        "nm", "wavelength", PoissonNoise(2.0), {"sample": "A"},
    )  # fmt: skip


def test_a_map_of_another_byte_order_comes_back(tmp_path, ending):
    first = cube(">f4")
    write_map(tmp_path / f"a{ending}", first)
    np.testing.assert_array_equal(read_map(tmp_path / f"a{ending}").counts[:], first.counts)


def test_chunks_hold_whole_spectra(tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is an optional package")
    for tile, chunk in [(4, (1, 4, 11)), (20, (2, 9, 11)), (4096, (7, 9, 11))]:
        write_map(tmp_path / "a.h5", cube(), tile=tile)
        with h5py.File(tmp_path / "a.h5") as file:
            assert file["counts"].chunks == chunk


def test_a_truncated_file_is_refused_by_name(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    for write, read in ((write_spectra, read_spectra), (write_map, read_map)):
        write(path, SPECTRA if write is write_spectra else cube())
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        with pytest.raises(InputError, match="be a whole") as caught:
            read(path)
        assert str(path) in str(caught.value)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    write_map(path, cube())
    before = path.read_bytes()

    class Broken:
        shape, dtype = (4, 5, 11), np.dtype("f8")

        def __getitem__(self, key):
            raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match=r"be writable \(No space left on device\)"):
        write_map(path, SpectrumMap(np.arange(11.0), Broken()))
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.npz"]


def test_files_of_another_layout_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.arange(3))
    with pytest.raises(InputError, match=r"be written by write_spectra. Got \['x'\]"):
        read_spectra(tmp_path / "a.npz")
    with pytest.raises(InputError, match=r"hold axis and counts. Got \['x'\]"):
        read_map(tmp_path / "a.npz")
    h5py = pytest.importorskip("h5py", reason="h5py is an optional package")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = [1]
    with pytest.raises(InputError, match=r"axis and counts. Got \['x'\]"):
        read_map(tmp_path / "a.h5")
    with pytest.raises(InputError, match=r"written by write_spectra. Got \['x'\]"):
        read_spectra(tmp_path / "a.h5")


def test_a_pickled_array_is_never_opened(tmp_path):
    np.savez(tmp_path / "a.npz", axis=np.array([{}], dtype=object), counts=np.zeros((1, 1, 1)))
    with pytest.raises(InputError, match="allow_pickle"):
        read_map(tmp_path / "a.npz")


def test_a_newer_format_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("sozai.spectra.spectrum_attributes.FORMAT", 9)
    write_spectra(tmp_path / "a.npz", SPECTRA[2])
    monkeypatch.undo()
    with pytest.raises(InputError, match=r"format 1 or older. Got 9"):
        read_spectra(tmp_path / "a.npz")


def test_a_bare_array_needs_its_axis(tmp_path):
    np.save(tmp_path / "a.npy", cube().counts)
    with pytest.raises(InputError, match=r"be given for a \.npy file"):
        read_map(tmp_path / "a.npy")
    with pytest.raises(InputError, match=r"one channel per axis value \(5\).*Got 11"):
        read_map(tmp_path / "a.npy", axis=np.arange(5.0))
    assert isinstance(read_map(tmp_path / "a.npy", axis=np.arange(11.0)).counts, np.memmap)


def test_columns_on_one_axis_are_a_series(tmp_path):
    (tmp_path / "a.csv").write_text("E [eV],a,b\n1,2,3\n2,4,5\n")
    series = read_map(tmp_path / "a.csv")
    assert series.shape == (2,)
    np.testing.assert_array_equal(series.counts, [[2, 4], [3, 5]])
    assert series.metadata["labels"] == ["a", "b"]
    write_spectra(tmp_path / "b.vms", [Spectrum([1.0, 2.0], [1, 2]), Spectrum([1.0, 3.0], [1, 2])])
    with pytest.raises(InputError, match=r'share one axis\. Got "spectrum 1'):
        read_map(tmp_path / "b.vms")


def test_h5py_is_asked_for_by_name(tmp_path, monkeypatch):
    def absent(module, **options):
        raise MissingPackageError(f"{options['for_']} needs the package {module!r}")

    monkeypatch.setattr(hdf_files, "need", absent)
    with pytest.raises(MissingPackageError, match=r"writing \.h5 files needs the package 'h5py'"):
        write_spectra(tmp_path / "a.h5", SPECTRA[2])
    (tmp_path / "b.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(MissingPackageError, match=r"reading \.h5 files"):
        read_map(tmp_path / "b.h5")
    assert not (tmp_path / "a.h5").exists()


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"SOFH\r\n", "a PHI .spe file"),
        (b"\x1f\x8b\x08", "a compressed file"),
        (b"SQLite format 3\x00", "SpecsLab .sle"),
    ],
)
def test_other_programs_files_are_refused_by_name(tmp_path, head, words):
    (tmp_path / "a.spe").write_bytes(head)
    with pytest.raises(InputError, match=words):
        read_spectra(tmp_path / "a.spe")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda path: read_spectra(path / "no.csv"), "No such file"),
        (lambda path: write_spectra(path / "a.doc", SPECTRA[2]), r"end in one of \.vms.*a\.doc"),
        (lambda path: write_spectra(path / "a.npz", []), "one Spectrum or more. Got 'nothing'"),
        (lambda path: write_spectra(path / "a.npz", [1.0]), r"Got \['float'\]"),
        (lambda path: write_spectra(path / "no" / "a.npz", SPECTRA[2]), "existing folder"),
        (lambda path: write_map(path / "a.csv", cube()), r"end in one of \.npz"),
        (lambda path: write_map(path / "a.npz", cube(), tile=0), "at least 1. Got 0"),
        (lambda path: write_map(path / "a.npz", 3), "SpectrumMap. Got 'int'"),
        (
            lambda path: write_spectra(path / "a.npz", Spectrum([1.0], [1.0], metadata={"a": {"b": {1}}})),
            "metadata 'a.b' must be numbers.*Got 'set'",
        ),
    ],
)
def test_errors_name_what_came(tmp_path, call, words):
    with pytest.raises(InputError, match=words):
        call(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_options_belong_to_text(tmp_path):
    write_spectra(tmp_path / "a.npz", SPECTRA[2])
    with pytest.raises(InputError, match=r"text in columns. Got \['decimal'\]"):
        read_spectra(tmp_path / "a.npz", decimal=",")
