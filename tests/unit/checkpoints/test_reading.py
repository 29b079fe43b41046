import json
import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.support.litter import litter
from tests.support.tensor_names import assert_same_tensors

from masklet.checkpoints.reading import read_weights
from masklet.errors import CheckpointError

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b.bias": torch.tensor([1, 2], dtype=torch.bfloat16)}


class CreatesFile:
    """Unpickling this runs a command, as a malicious checkpoint would."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def save_shards(folder: Path) -> None:
    weight_map = {}
    for number, (name, tensor) in enumerate(TENSORS.items(), 1):
        weight_map[name] = f"model-0000{number}-of-00002.safetensors"
        save_file({name: tensor}, folder / weight_map[name])
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))


def test_safetensors_by_folder_by_file_and_in_a_subfolder(tmp_path):
    (tmp_path / "part").mkdir()
    save_file(TENSORS, tmp_path / "model.safetensors")
    save_file(TENSORS, tmp_path / "part" / "another_name.safetensors")
    assert_same_tensors(read_weights(tmp_path).tensors, TENSORS)
    assert_same_tensors(read_weights(str(tmp_path / "model.safetensors")).tensors, TENSORS)
    assert_same_tensors(read_weights(tmp_path, subfolder="part").tensors, TENSORS)


@pytest.mark.parametrize("name", ["", "model.safetensors.index.json"])
def test_shards_by_folder_and_by_index(tmp_path, name):
    save_shards(tmp_path)
    assert_same_tensors(read_weights(tmp_path / name).tensors, TENSORS)


def test_safetensors_win_over_a_pickle_beside_them(tmp_path):
    save_file(TENSORS, tmp_path / "model.safetensors")
    torch.save({"other": torch.zeros(1)}, tmp_path / "sam2_hiera_tiny.pt")
    assert_same_tensors(read_weights(tmp_path).tensors, TENSORS)


@pytest.mark.parametrize("wrapper", [None, "model", "state_dict"])
@pytest.mark.parametrize("zipped", [True, False])
def test_pickles_of_tensors(tmp_path, wrapper, zipped):
    content = TENSORS if wrapper is None else {wrapper: TENSORS, "epoch": 3}
    torch.save(content, tmp_path / "x.pt", _use_new_zipfile_serialization=zipped)
    assert_same_tensors(read_weights(tmp_path / "x.pt").tensors, TENSORS)
    assert_same_tensors(read_weights(tmp_path).tensors, TENSORS)


def test_configuration_inside_a_pickle(tmp_path):
    torch.save({"model": TENSORS, "config": {"image_size": 64}}, tmp_path / "x.pt")
    assert read_weights(tmp_path).config == {"image_size": 64}


@pytest.mark.parametrize("write", ["zip", "legacy", "plain pickle"])
def test_malicious_pickle_is_refused_and_not_run(tmp_path, write):
    victim = tmp_path / "created_by_the_checkpoint"
    path = tmp_path / "evil.pt"
    content = {"model": {**TENSORS, "x": CreatesFile(victim)}}
    if write == "plain pickle":
        path.write_bytes(pickle.dumps(content, protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=write == "zip")
    with pytest.raises(CheckpointError, match=r"evil\.pt .*more than tensors \(\S+\); masklet runs no code[^.]*\.$"):
        read_weights(path)
    assert not victim.exists()


@pytest.mark.parametrize("content", [{"model": {"a": 3}}, [torch.zeros(1)], {}, {5: torch.zeros(1)}])
def test_pickles_of_anything_but_named_tensors_are_refused(tmp_path, content):
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match="named tensors"):
        read_weights(tmp_path)


@pytest.mark.parametrize("name", ["model.safetensors", "x.pt", "pytorch_model.bin"])
@pytest.mark.parametrize("damage", ["truncated", "noise", "empty"])
def test_damaged_files_are_named(tmp_path, name, damage):
    path = tmp_path / name
    tensors = {"a": torch.zeros(1000)}
    save_file(tensors, path) if path.suffix == ".safetensors" else torch.save(tensors, path)
    whole = path.read_bytes()
    path.write_bytes({"truncated": whole[: len(whole) // 2], "noise": b"\x93" * 500, "empty": b""}[damage])
    with pytest.raises(CheckpointError, match=name):
        read_weights(tmp_path)


@pytest.mark.parametrize("index", ["{", "[]", '{"weight_map": 3}', '{"weight_map": {"a": "../../secret.safetensors"}}'])
def test_bad_indexes_are_refused(tmp_path, index):
    (tmp_path / "model.safetensors.index.json").write_text(index)
    with pytest.raises(CheckpointError, match=r"index\.json"):
        read_weights(tmp_path)


def test_a_missing_shard_is_named(tmp_path):
    save_shards(tmp_path)
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(CheckpointError, match="model-00002-of-00002"):
        read_weights(tmp_path)


def test_several_candidates_are_listed(tmp_path):
    for name in ("sam2_hiera_tiny.pt", "sam2_hiera_large.pt"):
        torch.save(TENSORS, tmp_path / name)
    with pytest.raises(CheckpointError, match=r"sam2_hiera_large\.pt, sam2_hiera_tiny\.pt"):
        read_weights(tmp_path)


@pytest.mark.parametrize("name", ["tuned.safetensors", "tuned.pt"])
def test_litter_is_no_candidate(tmp_path, name):
    save_file(TENSORS, tmp_path / name) if name.endswith(".safetensors") else torch.save(TENSORS, tmp_path / name)
    litter(tmp_path)
    assert_same_tensors(read_weights(tmp_path).tensors, TENSORS)


def test_no_weights_and_not_a_weight_file(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match="holds no weights"):
        read_weights(tmp_path)
    with pytest.raises(CheckpointError, match="/part holds no weights"):
        read_weights(tmp_path, subfolder="part")
    with pytest.raises(CheckpointError, match="not a weight file"):
        read_weights(tmp_path / "config.json")


@pytest.mark.parametrize("name", ["model.safetensors", "x.pt"])
def test_changing_loaded_tensors_leaves_the_file_alone(tmp_path, name):
    path = tmp_path / name
    save_file(TENSORS, path) if path.suffix == ".safetensors" else torch.save(TENSORS, path)
    before = path.read_bytes()
    read_weights(path).tensors["a.weight"].add_(1)
    assert path.read_bytes() == before


def test_tensors_are_mapped_not_copied(tmp_path):
    if not Path("/proc/self/maps").exists():
        pytest.skip("needs a Linux list of mapped files")
    save_file({"a": torch.zeros(100_000)}, tmp_path / "model.safetensors")
    tensors = read_weights(tmp_path).tensors
    assert tensors["a"].shape == (100_000,)
    assert str(tmp_path / "model.safetensors") in Path("/proc/self/maps").read_text()


def test_load_file_agrees(tmp_path):
    save_file(TENSORS, tmp_path / "model.safetensors")
    assert_same_tensors(load_file(tmp_path / "model.safetensors"), read_weights(tmp_path).tensors)


@pytest.mark.parametrize(
    ("change", "form"),
    [
        (lambda tensor: tensor.to_sparse(), "sparse"),
        (lambda tensor: torch.empty_like(tensor, device="meta"), "meta"),
        (lambda tensor: torch.nested.nested_tensor([tensor], layout=torch.jagged), "nested"),
    ],
)
def test_tensors_without_numbers_in_rows_are_refused(tmp_path, change, form):
    torch.save({**TENSORS, "c": change(torch.ones(2, 2))}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match=rf"a\.pt holds the {form} tensor 'c'"):
        read_weights(tmp_path / "a.pt")


def test_a_message_of_a_library_that_quotes_the_file_is_cut(tmp_path):
    header = json.dumps({"x" * 100_000: {"dtype": "F32"}}).encode()
    (tmp_path / "a.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(CheckpointError, match="damaged or not a safetensors file") as caught:
        read_weights(tmp_path / "a.safetensors")
    assert len(str(caught.value)) < 1000
