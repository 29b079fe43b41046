import errno
import json

import pytest
import torch
from safetensors import SafetensorError, safe_open
from tests.support.tensor_names import assert_same_tensors

from masklet.checkpoints import writing
from masklet.checkpoints.reading import read_weights
from masklet.checkpoints.writing import write_checkpoint_folder, write_pickle
from masklet.errors import CheckpointError

TENSORS = {f"layer{number}.weight": torch.full((25, 10), float(number)) for number in range(4)}  # 1,000 bytes each


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_folder_holds_weights_and_config(tmp_path):
    write_checkpoint_folder(tmp_path / "new" / "model", TENSORS, {"b": 1, "a": [2]}, other_files={"x.json": b"{}"})
    folder = tmp_path / "new" / "model"
    assert sorted(content(folder)) == ["config.json", "model.safetensors", "x.json"]
    assert json.loads((folder / "config.json").read_text()) == {"a": [2], "b": 1}
    assert_same_tensors(read_weights(folder).tensors, TENSORS)
    with safe_open(folder / "model.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt"}  # transformers refuses files without it


@pytest.mark.parametrize(("max_shard_size", "shards"), [("2KB", 2), (1000, 4), ("1GB", 0)])
def test_shards(tmp_path, max_shard_size, shards):
    write_checkpoint_folder(tmp_path, TENSORS, {}, max_shard_size=max_shard_size)
    assert len(list(tmp_path.glob("model-*-of-*.safetensors"))) == shards
    assert (tmp_path / "model.safetensors.index.json").exists() == (shards > 0)
    assert_same_tensors(read_weights(tmp_path).tensors, TENSORS)


@pytest.mark.parametrize("sizes", [("1GB", 1000), (1000, "1GB"), (1000, 2000)])
def test_weights_of_an_earlier_checkpoint_do_not_stay_behind(tmp_path, sizes):
    (tmp_path / "README.md").write_text("mine")
    write_checkpoint_folder(tmp_path, {"old": torch.zeros(500), **TENSORS}, {}, max_shard_size=sizes[0])
    write_checkpoint_folder(tmp_path, TENSORS, {}, max_shard_size=sizes[1])
    assert_same_tensors(read_weights(tmp_path).tensors, TENSORS)
    names = set(content(tmp_path))
    assert "README.md" in names
    assert ("model.safetensors" in names) == (sizes[1] == "1GB")


def test_saving_over_the_file_that_the_tensors_are_mapped_from(tmp_path):
    write_checkpoint_folder(tmp_path, TENSORS, {})
    mapped = read_weights(tmp_path).tensors
    write_checkpoint_folder(tmp_path, {name: tensor * 2 for name, tensor in mapped.items()}, {})
    assert_same_tensors(mapped, TENSORS)
    assert_same_tensors(read_weights(tmp_path).tensors, {name: tensor * 2 for name, tensor in TENSORS.items()})


def test_tensors_that_share_memory_or_are_views_are_written_in_full(tmp_path):
    base = torch.arange(12.0).reshape(3, 4)
    tensors = {"base": base, "same": base, "row": base[1], "turned": base.T, "parameter": torch.nn.Parameter(base)}
    write_checkpoint_folder(tmp_path, tensors, {})
    assert_same_tensors(read_weights(tmp_path).tensors, {name: tensor.detach() for name, tensor in tensors.items()})


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        SafetensorError("I/O error: No space left on device (os error 28)"),
    ],
)
@pytest.mark.parametrize("good_shards", [0, 2])
def test_full_disk_leaves_the_folder_as_it_was(tmp_path, monkeypatch, error, good_shards):
    folder = tmp_path / "model"
    write_checkpoint_folder(folder, TENSORS, {"version": 1})
    before = content(folder)
    save_file, calls = writing.save_file, []

    def fills_the_disk(tensors, path, metadata):
        calls.append(path)
        if len(calls) > good_shards:
            path.write_bytes(b"half")
            raise error
        save_file(tensors, path, metadata=metadata)

    monkeypatch.setattr(writing, "save_file", fills_the_disk)
    with pytest.raises(CheckpointError, match="No space left on device"):
        write_checkpoint_folder(folder, TENSORS, {"version": 2}, max_shard_size=1000)
    assert content(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def write_on_an_interrupt(folder):
    """As training does; why that fails has nothing to do with the interrupt."""
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        write_checkpoint_folder(folder, TENSORS, {})


def test_full_disk_leaves_no_new_folder_and_no_half_pickle(tmp_path, monkeypatch):
    def fills_the_disk(_, path, **__):
        path.write_bytes(b"half")
        raise RuntimeError("no space")

    def fills_the_disk_and_cannot_close_the_file(_, file):
        file.write(b"half")
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        finally:
            raise RuntimeError("[enforce fail at inline_container.cc] unexpected pos 576 vs 534")

    monkeypatch.setattr(writing, "save_file", fills_the_disk)
    monkeypatch.setattr(torch, "save", fills_the_disk_and_cannot_close_the_file)
    with pytest.raises(CheckpointError, match="new: no space"):
        write_on_an_interrupt(tmp_path / "new")
    with pytest.raises(CheckpointError, match=r"x\.pt: .*No space left on device"):
        write_pickle(tmp_path / "x.pt", {"model": TENSORS})
    assert list(tmp_path.iterdir()) == []


def test_target_that_is_a_file(tmp_path):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(CheckpointError, match="taken"):
        write_checkpoint_folder(tmp_path / "taken", TENSORS, {})
    assert content(tmp_path) == {"taken": b"mine"}
