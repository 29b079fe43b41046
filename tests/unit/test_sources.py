import os
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub import constants
from huggingface_hub.errors import RepositoryNotFoundError
from tests.support.litter import litter

from masklet import sources
from masklet.checkpoints.reading import read_weights
from masklet.errors import CheckpointError
from masklet.sources import list_files, locate_file


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "model"
    (folder / "part").mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "part/config.json"):
        (folder / name).write_text(name)
    return folder


def test_folder(folder):
    assert locate_file(folder, "config.json") == folder / "config.json"
    assert locate_file(str(folder), "config.json", subfolder="part") == folder / "part" / "config.json"
    assert locate_file(folder, "other.json", required=False) is None
    assert list_files(folder) == ["config.json", "model.safetensors"]
    assert list_files(folder, subfolder="part") == ["config.json"]
    assert list_files(folder, subfolder="none") == []


def test_litter_is_no_file_of_a_checkpoint(folder):
    litter(folder)
    assert list_files(folder) == ["config.json", "model.safetensors"]
    assert list_files(folder, subfolder="part") == ["config.json"]


def leave_unmoved(folder, name):
    """Leave what a writer of a whole folder leaves that is killed before it has moved a file."""
    left = folder / ".unfinished-k" / "complete"
    left.mkdir(parents=True)
    (left / name).write_text("new")
    (left.parent / "gone.json").write_text("[]")


@pytest.mark.parametrize("part", ["", "part"])
def test_a_checkpoint_whose_writer_was_killed_is_completed_before_it_is_read(folder, part, monkeypatch):
    leave_unmoved(folder / part, "config.json")

    def refused(*_):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", refused)
        with pytest.raises(CheckpointError, match="holds files of two checkpoints"):
            locate_file(folder, "config.json", subfolder=part)
    assert locate_file(folder, "config.json", subfolder=part).read_text() == "new"


def test_missing_file_is_named_with_its_folder(folder):
    with pytest.raises(CheckpointError, match=r"model has no file 'part/other\.json'"):
        locate_file(folder, "other.json", subfolder="part")


def test_safetensors_file_brings_the_files_beside_it(folder):
    file = folder / "model.safetensors"
    assert list_files(file) == ["model.safetensors"]
    assert locate_file(file, "model.safetensors") == file
    assert locate_file(file, "config.json") == folder / "config.json"


def test_pickle_file_stands_alone(folder):
    file = folder / "sam2_hiera_tiny.pt"
    file.write_text("")
    assert locate_file(file, "sam2_hiera_tiny.pt") == file
    assert locate_file(file, "config.json", required=False) is None


def test_bundled_folder(folder, monkeypatch):
    monkeypatch.setattr(sources, "BUNDLED_FOLDER", folder)
    assert locate_file(None, "config.json") == folder / "config.json"
    with pytest.raises(CheckpointError, match=r"The bundled model has no file 'x\.json'"):
        locate_file(None, "x.json")
    monkeypatch.setattr(sources, "BUNDLED_FOLDER", folder / "none")
    with pytest.raises(CheckpointError, match="no bundled model"):
        locate_file(None, "config.json")


@pytest.mark.parametrize("source", [Path("no/where"), "/no/such/folder", "./no", "gpt2", "a/b/c", "", "owner/na me"])
def test_what_is_neither_path_nor_hub_id_never_reaches_the_hub(source, monkeypatch):
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda token: pytest.fail("asked the hub"))
    monkeypatch.chdir("/")
    if source == "":
        assert locate_file(source, "no such file", required=False) is None  # the current folder
        return
    with pytest.raises(CheckpointError, match=r"allowed: an existing folder or file, a hub id 'owner/name', or None"):
        locate_file(source, "config.json")


@pytest.mark.parametrize("source", [7, b"model", ["model"]])
def test_what_cannot_name_a_checkpoint(source):
    for ask in (lambda: locate_file(source, "config.json"), lambda: read_weights(source)):
        with pytest.raises(CheckpointError, match=f"a hub id 'owner/name', or None; got a {type(source).__name__}"):
            ask()


class FakeHub:
    """A hub with one repository."""

    def __init__(self, token=None):
        self.token = token

    def model_info(self, repo_id, *, revision, timeout):
        assert timeout <= 10
        if repo_id != "owner/model":
            response = SimpleNamespace(headers={}, request=None, status_code=404, url="")
            raise RepositoryNotFoundError("401 Client Error.", response=response)
        return SimpleNamespace(siblings=[SimpleNamespace(rfilename=name) for name in ("config.json", "part/x.bin")])


def test_hub_repository(folder, monkeypatch):
    asked = []

    def download(repo_id, name, *, revision=None, etag_timeout):
        asked.append((repo_id, name, revision))
        return str(folder / "config.json")

    monkeypatch.setattr(huggingface_hub, "HfApi", FakeHub)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    assert locate_file("owner/model", "config.json", revision="v1") == folder / "config.json"
    assert asked == [("owner/model", "config.json", "v1")]
    assert locate_file("owner/model", "x.bin", required=False) is None
    assert list_files("owner/model") == ["config.json"]
    assert list_files("owner/model", subfolder="part") == ["x.bin"]
    with pytest.raises(CheckpointError, match=r"owner/model has no file 'model\.safetensors'"):
        locate_file("owner/model", "model.safetensors")
    assert len(asked) == 1


def test_unknown_hub_id(monkeypatch):
    monkeypatch.setattr(huggingface_hub, "HfApi", FakeHub)
    with pytest.raises(CheckpointError, match=r"'owner/other' is neither an existing folder.*spelling"):
        locate_file("owner/other", "config.json", required=False)


def test_download_that_breaks_off(monkeypatch):
    def download(*_, **__):
        raise ConnectionError("reset by peer\nlong story")

    monkeypatch.setattr(huggingface_hub, "HfApi", FakeHub)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    with pytest.raises(CheckpointError, match=r"Cannot download 'config\.json' of owner/model: reset by peer$"):
        locate_file("owner/model", "config.json")


def test_offline_is_a_clear_message_and_asks_nothing(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(CheckpointError, match=r"'facebook/none-such'.*not in the local cache.*offline.*path of a"):
        locate_file("facebook/none-such", "config.json", required=False)


def test_offline_uses_what_the_cache_holds(tmp_path, monkeypatch):
    snapshot = tmp_path / "models--owner--model" / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    refs = tmp_path / "models--owner--model" / "refs"
    refs.mkdir()
    (refs / "main").write_text("0" * 40)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert locate_file("owner/model", "config.json") == snapshot / "config.json"
    assert locate_file("owner/model", "model.safetensors", required=False) is None
    with pytest.raises(CheckpointError, match="cached copy of the hub repository owner/model"):
        locate_file("owner/model", "model.safetensors")


LOCATION = {"token": "hf_x", "cache_dir": "/big/disk", "force_download": True, "revision": "v1"}


def test_the_hub_is_asked_with_the_arguments_given(folder, monkeypatch):
    asked = []

    def download(repo_id, name, **options):
        asked.append(options)
        return str(folder / "config.json")

    hubs = []
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda token: hubs.append(token) or FakeHub())
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    locate_file("owner/model", "x.bin", subfolder="part", **LOCATION)
    assert hubs == ["hf_x"]
    assert asked == [{**LOCATION, "etag_timeout": sources.HUB_TIMEOUT}]


def test_local_files_only_asks_nobody(folder, monkeypatch):
    asked = []

    def snapshot(repo_id, **options):
        asked.append(options)
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "HfApi", lambda token: pytest.fail("asked the hub"))
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    path = locate_file("owner/model", "config.json", local_files_only=True, cache_dir="/big/disk")
    assert path == folder / "config.json"
    assert asked == [{"revision": None, "cache_dir": "/big/disk", "local_files_only": True}]
