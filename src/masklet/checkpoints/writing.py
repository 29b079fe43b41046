"""Tensors and configurations to checkpoint folders that are complete or untouched."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from masklet.atomic_files import folder_written_whole, written_whole
from masklet.checkpoints.reading import INDEX_FILE, WEIGHTS_FILE
from masklet.checkpoints.renaming import Tensors
from masklet.configuration.base import CONFIG_FILE
from masklet.errors import CheckpointError

_WEIGHTS_NAME = re.compile(rf"{re.escape(WEIGHTS_FILE)}|{re.escape(INDEX_FILE)}|model-\d+-of-\d+\.safetensors")


def write_checkpoint_folder(
    folder: str | os.PathLike[str],
    tensors: Mapping[str, torch.Tensor],
    config: Mapping[str, Any],
    *,
    max_shard_size: int | str = "5GB",
    other_files: Mapping[str, bytes] | None = None,
) -> None:
    """Write `model.safetensors` (in shards with an index above `max_shard_size`, bytes or "5GB") and `config.json`.

    Weight files that an earlier checkpoint left in `folder` are removed. On any error (such as a full disk) the folder
    is as it was, and the error is a `CheckpointError`.
    """
    with _write_errors_named(folder), folder_written_whole(folder, replaces=_WEIGHTS_NAME) as unfinished:
        _write_weights(unfinished, _without_shared_memory(tensors), max_shard_size)
        (unfinished / CONFIG_FILE).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        for name, content in (other_files or {}).items():
            (unfinished / name).write_bytes(content)


def write_pickle(path: str | os.PathLike[str], content: Mapping[str, Any]) -> None:
    """Write a file of `torch.save`; errors as `write_checkpoint_folder`."""
    # Given a path, torch would write by itself and not report why it cannot.
    with _write_errors_named(path), written_whole(path, durable=True) as unfinished, open(unfinished, "wb") as file:
        torch.save(dict(content), file)


def _write_weights(folder: Path, tensors: Tensors, max_shard_size: int | str) -> None:
    from huggingface_hub import split_torch_state_dict_into_shards  # reading does without

    shards = split_torch_state_dict_into_shards(tensors, max_shard_size=max_shard_size)
    for name, members in shards.filename_to_tensors.items():
        save_file({member: tensors[member] for member in members}, folder / name, metadata={"format": "pt"})
    if shards.is_sharded:
        index = {"metadata": shards.metadata, "weight_map": shards.tensor_to_filename}
        (folder / INDEX_FILE).write_text(json.dumps(index, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _without_shared_memory(tensors: Mapping[str, torch.Tensor]) -> Tensors:
    """Return detached CPU tensors of which each has memory of its own, as the safetensors format asks."""
    separate: Tensors = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        plain = tensor.detach().cpu().contiguous()
        storage = plain.untyped_storage()
        if storage.data_ptr() in seen or storage.nbytes() != plain.nbytes:
            plain = plain.clone()
        seen.add(plain.untyped_storage().data_ptr())
        separate[name] = plain
    return separate


@contextmanager
def _write_errors_named(target: str | os.PathLike[str]) -> Iterator[None]:
    """Turn the errors of a failed write into a `CheckpointError`; torch and safetensors have kinds of their own."""
    try:
        yield
    except CheckpointError:
        raise
    except (OSError, SafetensorError, RuntimeError) as error:
        raise CheckpointError(f"Cannot write the checkpoint {os.fspath(target)}: {_reason(error)}") from error


def _reason(error: Exception) -> BaseException:
    """Return the system's error if that came just before: torch fails again closing a file it could not write."""
    return error.__context__ if isinstance(error.__context__, OSError) else error
