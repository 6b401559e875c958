"""A model file is all there and unchanged - or an error that says what is wrong with it."""

import hashlib
import io
import json
import os
import zipfile
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sozai import __version__
from sozai.contracts import model_file
from sozai.contracts.errors import InputError
from sozai.contracts.model_file import digest, load_model, save_model
from sozai.contracts.whole_file import replace_file

STATE = {
    "terms": ("a*b", "記述子"),
    "coefficients": np.array([0.1, -np.inf, np.nan]),
    "slope": Fraction(1, 3),
    "nested": {"$": [1, 2.5, None, True], (1, 2): {"x": -0.0}},
    "scalar": np.float32(1.5),
    "flags": np.array([[True], [False]]),
    "names": np.array(["α", "beta"]),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "empty": np.zeros((0, 3)),
    "odd": [float("inf"), float("nan"), 10**30, "", {}],
}


def same(first, second):
    """Equality to the bit and to the type."""
    if type(first) is not type(second):
        return False
    if isinstance(first, np.ndarray):
        order = first.flags.f_contiguous == second.flags.f_contiguous
        return (
            first.dtype == second.dtype
            and first.shape == second.shape
            and order
            and (first.tobytes() == second.tobytes())
        )
    if isinstance(first, np.generic):
        return first.dtype == second.dtype and first.tobytes() == second.tobytes()
    if isinstance(first, dict):
        return list(first) == list(second) and all(same(first[key], second[key]) for key in first)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    return repr(first) == repr(second)


def message_of(path, kind="Law"):
    with pytest.raises(InputError) as caught:
        load_model(path, kind)
    return str(caught.value)


@pytest.fixture
def path(tmp_path):
    return save_model(tmp_path / "law.sozai", "Law", STATE)


def rewritten(path, change):
    """The same zip with its manifest, and perhaps its members, changed by hand."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members["manifest.json"])
    change(manifest, members)
    members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, payload in members.items():
            archive.writestr(name, payload)


def test_types_and_bits_come_back(path):
    assert same(load_model(path, "Law"), STATE)


leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.fractions()
    | arrays.arrays(st.sampled_from(["f8", "f4", "i8", "?", "c16", "<U3"]), arrays.array_shapes(min_side=0))
)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(trees)
def test_any_tree_comes_back(tmp_path_factory, tree):
    path = save_model(tmp_path_factory.mktemp("tree") / "file", "Tree", {"tree": tree})
    assert same(load_model(path, "Tree"), {"tree": tree})


def test_same_state_same_bytes(path, tmp_path):
    again = save_model(tmp_path / "again", "Law", STATE)
    assert again.read_bytes() == path.read_bytes()
    known = save_model(tmp_path / "known", "Law", {"a": 1})
    with zipfile.ZipFile(known) as archive:
        assert archive.namelist() == ["manifest.json", "state.json"]
        assert archive.read("state.json") == b'{"a":1}'
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["members"] == {"state.json": hashlib.sha256(b'{"a":1}').hexdigest()}
    assert (manifest["format"], manifest["kind"], manifest["version"]) == (1, "Law", __version__)


def test_digest_tells_content_and_type_apart():
    values = [1, 1.0, "1", (1,), [1], np.array(1), np.array([1]), np.array([1.0]), Fraction(1), True, None]
    assert len({digest(value) for value in values}) == len(values)
    assert digest({"a": np.arange(3)}) == digest({"a": np.arange(3)})


def test_every_changed_byte_is_found_or_changes_nothing(tmp_path):
    path = save_model(tmp_path / "small", "Law", {"a": np.arange(2), "b": (1, 2)})
    payload = path.read_bytes()
    found = 0
    for k in range(len(payload)):
        path.write_bytes(payload[:k] + bytes([payload[k] ^ 0x55]) + payload[k + 1 :])
        try:
            state = load_model(path, "Law")
        except InputError as error:
            found += str(path) in str(error)
        else:  # a byte that nobody reads: a time stamp, a permission
            assert same(state, {"a": np.arange(2), "b": (1, 2)})
    assert found > 0.7 * len(payload)


@pytest.mark.parametrize("length", [0, 1, 30, 200])
def test_a_file_cut_short_is_no_model_file(path, length):
    path.write_bytes(path.read_bytes()[:length])
    assert f"path must be a model file that sozai wrote. Got '{path}'" in message_of(path)


def test_another_zip_is_no_model_file(tmp_path):
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "hello")
    assert "a zip without a readable manifest.json" in message_of(path)


def test_a_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "nowhere", "Law")


def test_another_kind_is_named(path):
    message = message_of(path, "Peaks")
    assert f"{path} must hold a Peaks. Got 'Law' (written by sozai {__version__})" in message


def test_a_newer_format_names_both_versions(path):
    rewritten(path, lambda manifest, members: manifest.update(format=7, version="9.1.0"))
    message = message_of(path)
    assert "must have format 1 or older. Got format 7, written by sozai 9.1.0" in message
    assert f"this is sozai {__version__}. Run: pip install --upgrade sozai" in message


def test_changed_bytes_name_the_member_and_both_hashes(path):
    before = hashlib.sha256(path.read_bytes()).hexdigest()

    def change(manifest, members):
        members["state.json"] = members["state.json"].replace(b"1/3", b"1/4")

    with zipfile.ZipFile(path) as archive:
        expected = hashlib.sha256(archive.read("state.json")).hexdigest()
    rewritten(path, change)
    message = message_of(path)
    assert "Member 'state.json': its SHA-256 is " in message
    assert f"the manifest says {expected}" in message
    assert str(path) in message
    assert before != hashlib.sha256(path.read_bytes()).hexdigest()


def test_members_must_be_those_of_the_manifest(path):
    rewritten(path, lambda manifest, members: members.update(extra=b"1"))
    assert "Member 'extra': the file list differs" in message_of(path)


def signed(state):
    """A change that puts any bytes in as the state, with the right hash."""

    def change(manifest, members):
        for name in [name for name in members if name != "manifest.json"]:
            del members[name]
        members["state.json"] = state
        manifest["members"] = {"state.json": hashlib.sha256(state).hexdigest()}

    return change


@pytest.mark.parametrize(
    "state",
    [
        b"[1]",
        b"not json",
        b'{"a":{"$":"python/object","value":"os.system"}}',
        b'{"a":{"$":"array","member":"nowhere.npy"}}',
        b'{"a":{"$":"fraction","value":"1/0"}}',
        b"[" * 100_000,
    ],
)
def test_a_state_that_makes_no_sense_is_refused(path, state):
    rewritten(path, signed(state))
    assert "Member 'state.json'" in message_of(path)


def test_nothing_is_unpickled(path):
    payload = io.BytesIO()
    np.save(payload, np.array([{"code": 1}], dtype=object), allow_pickle=True)

    def change(manifest, members):
        signed(b'{"a":{"$":"array","member":"arrays/00000.npy"}}')(manifest, members)
        members["arrays/00000.npy"] = payload.getvalue()
        manifest["members"]["arrays/00000.npy"] = hashlib.sha256(payload.getvalue()).hexdigest()

    rewritten(path, change)
    assert "Object arrays cannot be loaded" in message_of(path)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"a": [1, {2, 3}]}, "state['a'][1] must be a dict, list, tuple, array"),
        ({"a": np.array([object()])}, "state['a'] must be an array of numbers or fixed-width strings"),
        ({"a": b"raw"}, "Got 'bytes'"),
        ({"a": np.ma.masked_array([1.0])}, "Got 'MaskedArray'"),
    ],
)
def test_what_cannot_be_stored_is_named_by_its_place(tmp_path, state, words):
    with pytest.raises(InputError) as caught:
        save_model(tmp_path / "law", "Law", state)
    assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_and_no_part(path, monkeypatch):
    before = path.read_bytes()

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replace_file(path, b"half")
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_model_file_can_be_read_like_any_other_file(path, tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("")
    assert path.stat().st_mode == plain.stat().st_mode


def test_the_format_is_written_down():
    assert model_file.FORMAT == 1
