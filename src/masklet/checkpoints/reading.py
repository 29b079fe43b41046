"""Checkpoints of any origin and layout: safetensors (also in shards) and pickles that hold nothing but tensors."""

import os
import pickle
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar, Unpack

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from masklet.checkpoints.layouts import in_current_layout
from masklet.checkpoints.released import RELEASED, config_by_shapes
from masklet.checkpoints.renaming import Tensors
from masklet.configuration import Config
from masklet.configuration.base import CONFIG_FILE
from masklet.errors import CheckpointError
from masklet.json_files import read_json, shown
from masklet.sources import PICKLE_SUFFIXES, Location, Source, list_files, locate_file

WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
WEIGHT_SUFFIXES = (".safetensors", *PICKLE_SUFFIXES)
_SHOWN = 300  # characters of a library's message, which may quote the file
AnyConfig = TypeVar("AnyConfig", bound=Config)


def open_checkpoint(
    source: Source,
    config_class: type[AnyConfig],
    location: Location | None = None,
    variant: str | None = None,
    **config_overrides: Any,
) -> tuple[AnyConfig, Tensors]:
    """Return the configuration, as `config_class`, and all tensors of a checkpoint.

    The configuration is that of `config.json`, else the one inside the weight file, else that of the released model
    whose shapes the tensors have. `config_overrides` win over it. Raises `CheckpointError`.
    """
    config, location = None, location or {}
    if locate_file(source, CONFIG_FILE, required=False, **location):
        config = config_class.from_pretrained(source, **location, **config_overrides)
    stored = read_weights(source, variant=variant, **location)
    tensors = in_current_layout(stored.tensors)
    if config is None:
        values = stored.config or config_by_shapes(tensors).to_dict()
        for key in config_class.path_in_composite:
            values = values.get(key, values)
        config = config_class.from_dict(values, **config_overrides)
    return config, tensors


@dataclass(frozen=True)
class StoredWeights:
    """The content of one checkpoint's weight files: tensors as named there, and a configuration if one is inside."""

    tensors: Tensors
    config: dict[str, Any] | None = None


def read_weights(source: Source, *, variant: str | None = None, **location: Unpack[Location]) -> StoredWeights:
    """Read the weights of a checkpoint; the tensors are mapped into memory, so nothing is copied before it is used.

    Args:
        source: as of `masklet.sources.locate_file`.
        variant: of the files, which `model.VARIANT.safetensors` is one of (fp16 for example).
        location: as of `masklet.sources.locate_file`.

    Raises:
        CheckpointError: for missing, damaged and unsafe files.
    """
    name = _weights_name(source, variant, location)
    path = locate_file(source, name, **location)
    assert path is not None
    if path.suffix == ".json":
        tensors: Tensors = {}
        for shard in _shard_names(path):
            shard_path = locate_file(source, shard, **location)
            assert shard_path is not None
            tensors.update(_read_safetensors(shard_path))
        return StoredWeights(tensors)
    if path.suffix == ".safetensors":
        return StoredWeights(_read_safetensors(path))
    return _read_pickle(path)


def _weights_name(source: Source, variant: str | None, location: Location) -> str:
    """Choose the weight file of a checkpoint: safetensors before pickles, the standard names before any other."""
    if isinstance(source, str | os.PathLike) and Path(source).is_file():
        return _named_weight_file(Path(source))
    names = list_files(source, **location)
    if variant:
        return _file_of_variant(names, variant, source)
    released = next((model.meta_file for model in RELEASED if model.hub_id == str(source)), "")
    for name in (WEIGHTS_FILE, INDEX_FILE, released, "pytorch_model.bin"):
        if name in names:
            return name
    for suffixes in ((".safetensors",), PICKLE_SUFFIXES):
        candidates = [name for name in names if name.endswith(suffixes)]
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise CheckpointError(f"{source} holds several weight files ({', '.join(candidates)}); name one of them.")
    place = "The bundled model" if source is None else PurePosixPath(source) / (location.get("subfolder") or "")
    raise CheckpointError(
        f"{place} holds no weights; "
        f"looked for {WEIGHTS_FILE}, {INDEX_FILE} and files ending in {', '.join(WEIGHT_SUFFIXES)}."
    )


def _file_of_variant(names: list[str], variant: str, source: Source) -> str:
    candidates = [f"model.{variant}.safetensors", f"model.safetensors.index.{variant}.json"]
    for name in candidates:
        if name in names:
            return name
    raise CheckpointError(
        f"{source} has no weights of the variant {shown(variant)}; looked for {' and '.join(candidates)}."
    )


def _named_weight_file(path: Path) -> str:
    if path.suffix in WEIGHT_SUFFIXES or path.name.endswith(".index.json"):
        return path.name
    raise CheckpointError(
        f"{path} is not a weight file; allowed endings: {', '.join((*WEIGHT_SUFFIXES, '.index.json'))}."
    )


def _shard_names(index: Path) -> list[str]:
    try:
        names = sorted(set(read_json(index)["weight_map"].values()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{index} is not an index of weight files: {error!r}") from error
    for name in names:
        if not isinstance(name, str) or os.path.basename(name) != name:
            raise CheckpointError(f"{index} names the weight file {shown(name)}; allowed are files in its own folder.")
    return names


def _read_safetensors(path: Path) -> Tensors:
    try:
        tensors: Tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is damaged or not a safetensors file: {str(error)[:_SHOWN]}") from error
    return tensors


def _foreign_content(error: pickle.UnpicklingError) -> str:
    """Return what the file needs besides tensors; the rest of torch's message advises to read the file unsafely."""
    found = re.search(r"GLOBAL (\S+)", str(error))
    return f" ({found[1]})" if found else ""


def _unusual_form(tensor: torch.Tensor) -> str:
    """Return why a tensor cannot be read as numbers in rows; nothing, if it is plain."""
    forms = {
        "nested": tensor.is_nested,
        "sparse": tensor.layout is not torch.strided,
        "meta": tensor.is_meta,
        "quantised": tensor.is_quantized,
    }
    return next((name for name, is_so in forms.items() if is_so), "")


def _read_pickle(path: Path) -> StoredWeights:
    """Read a file of `torch.save` without running any code in it."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} is damaged or holds more than tensors{_foreign_content(error)}; "
            "masklet runs no code out of a checkpoint."
        ) from error
    except Exception as error:  # torch's reader meets damaged bytes with any kind of error
        raise CheckpointError(f"{path} is damaged or not a file of torch.save: {str(error)[:_SHOWN]}") from error
    config = content.get("config") if isinstance(content, Mapping) else None
    for wrapper in ("model", "state_dict"):
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not content:
        raise CheckpointError(f"{path} holds a {type(content).__name__}; expected named tensors.")
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            found = type(value).__name__
            raise CheckpointError(f"{path} holds a {found} as {shown(name)}; expected named tensors only.")
        if form := _unusual_form(value):
            raise CheckpointError(f"{path} holds the {form} tensor {name!r}; expected plain ones, with all numbers.")
    return StoredWeights(dict(content), config if isinstance(config, dict) else None)
