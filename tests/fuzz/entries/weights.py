"""Weight files: safetensors, shards and what torch.save wrote."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import torch
from safetensors.torch import load, load_file, save_file
from tests.fuzz import materials
from tests.fuzz.attempt import Entry
from tests.fuzz.spoiling import HOSTILE, spoil_bytes, spoil_folder, spoiled_json

import masklet

Tensors = dict[str, Any]


def _model(folder: Path) -> Path:
    return materials.copied(materials.model(), folder / "model")


def _shards(folder: Path) -> Path:
    masklet.Sam2VideoModel.from_pretrained(materials.model()).save_pretrained(folder / "model", max_shard_size="100KB")
    return folder / "model"


def _pickle(folder: Path) -> Path:
    model = _model(folder)
    torch.save(load_file(model / "model.safetensors"), model / "pytorch_model.bin")
    (model / "model.safetensors").unlink()
    return model


def _use(model: Path) -> None:
    segmenter = masklet.ImageSegmenter.from_pretrained(model)
    segmenter.segment(segmenter.encode(materials.pixels()), boxes=[[15, 10, 40, 30]])


def _spoil_bytes(rng: Random, model: Path) -> tuple[str, Path]:
    return spoil_bytes(rng, rng.choice(sorted({*model.glob("*.safetensors"), *model.glob("*.bin")}))), model


def _spoil_header(rng: Random, model: Path) -> tuple[str, Path]:
    """The header of a safetensors file is JSON: its length, then names, types, shapes and places."""
    path = model / "model.safetensors"
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    chosen = rng.sample(sorted(header), 3)
    name, part = spoiled_json(rng, {each: header[each] for each in chosen})
    whole = {**{each: value for each, value in header.items() if each not in chosen}, **part} if part else part
    text = json.dumps(whole).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])
    return f"header: {name}", model


def _spoil_tensors(rng: Random, model: Path) -> tuple[str, Path]:
    path = next(iter([*model.glob("*.bin"), *model.glob("*.safetensors")]))
    tensors: Tensors = torch.load(path) if path.suffix == ".bin" else load(path.read_bytes())
    names = [*_TENSORS, *(_OBJECTS if path.suffix == ".bin" else ())]
    how = rng.choice(names)
    chosen = rng.choice(sorted(tensors))
    change = _TENSORS.get(how) or _OBJECTS[how]
    content = change(rng, tensors, chosen)
    if path.suffix == ".bin":
        torch.save(content, path)
    else:
        save_file(content, path)
    return f"{chosen}: {how}", model


def _one(change: Callable[[torch.Tensor], Any]) -> Callable[[Random, Tensors, str], Any]:
    return lambda _, tensors, name: {**tensors, name: change(tensors[name]).contiguous()}


def _one_object(change: Callable[[torch.Tensor], Any]) -> Callable[[Random, Tensors, str], Any]:
    return lambda _, tensors, name: {**tensors, name: change(tensors[name])}


def _every(change: Callable[[torch.Tensor], Any]) -> Callable[[Random, Tensors, str], Any]:
    return lambda _, tensors, __: {name: change(tensor).contiguous() for name, tensor in tensors.items()}


_TENSORS: dict[str, Callable[[Random, Tensors, str], Any]] = {
    "missing": lambda _, tensors, name: {other: tensor for other, tensor in tensors.items() if other != name},
    "another name": lambda _, tensors, name: {**tensors, f"x.{name}": tensors[name].clone()},
    "under a prefix": lambda _, tensors, __: {f"model.{name}": tensor for name, tensor in tensors.items()},
    "nothing": lambda _, __, ___: {},
    "complex": _one(lambda tensor: tensor.to(torch.complex64)),
    "whole numbers": _one(lambda tensor: tensor.to(torch.int64)),
    "bool": _one(lambda tensor: tensor > 0),
    "float8": _one(lambda tensor: tensor.to(torch.float8_e4m3fn)),
    "all float8": _every(lambda tensor: tensor.to(torch.float8_e5m2)),
    "all float64": _every(lambda tensor: tensor.double()),
    "all complex": _every(lambda tensor: tensor.to(torch.complex64)),
    "all bool": _every(lambda tensor: tensor > 0),
    "empty": _one(lambda tensor: tensor.new_zeros(0)),
    "a number": _one(lambda tensor: tensor.flatten()[0].clone()),
    "flat": _one(lambda tensor: tensor.flatten().clone()),
    "turned": _one(lambda tensor: tensor.T.clone() if tensor.ndim == 2 else tensor[None].clone()),
    "NaN": _one(lambda tensor: torch.full_like(tensor, float("nan"))),
    "all NaN": _every(lambda tensor: torch.full_like(tensor, float("nan"))),
    "infinite": _one(lambda tensor: torch.full_like(tensor, float("inf"))),
}


class _Foreign:
    """What a file of tensors has no place for."""


_OBJECTS: dict[str, Callable[[Random, Tensors, str], Any]] = {
    "meta": _one_object(lambda tensor: torch.empty_like(tensor, device="meta")),
    "sparse": _one_object(lambda tensor: tensor.to_sparse()),
    "sparse rows": _one_object(lambda tensor: tensor.to_sparse_csr() if tensor.ndim == 2 else tensor.to_sparse()),
    "quantised": _one_object(lambda tensor: torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8)),
    "expanded": _one_object(lambda tensor: tensor.new_zeros(1).expand(tensor.shape)),
    "enormous by strides": _one_object(lambda tensor: tensor.new_zeros(1).expand(10**12)),
    "nested": _one_object(lambda tensor: torch.nested.nested_tensor([tensor], layout=torch.jagged)),
    "a parameter": _one_object(torch.nn.Parameter),
    "hostile value": lambda rng, tensors, name: {**tensors, name: rng.choice(HOSTILE)},
    "key that is no name": lambda _, tensors, name: {**tensors, 7: tensors[name]},
    "wrapped": lambda rng, tensors, _: {rng.choice(("model", "state_dict", "ema")): tensors},
    "wrapped twice": lambda _, tensors, __: {"model": {"state_dict": tensors}},
    "with a configuration": lambda rng, tensors, _: {"model": tensors, "config": rng.choice(HOSTILE)},
    "a list": lambda _, tensors, __: list(tensors.values()),
    "one tensor": lambda _, tensors, name: tensors[name],
    "only a value": lambda rng, _, __: rng.choice(HOSTILE),
    "an object": lambda _, tensors, name: {**tensors, name: _Foreign()},
    "a module": lambda _, __, ___: torch.nn.Linear(2, 2),
    "tensors in lists": lambda _, tensors, __: {name: [tensor] for name, tensor in tensors.items()},
}


def _spoil_shards(rng: Random, model: Path) -> tuple[str, Path]:
    return spoil_folder(rng, model, "model*"), model


ENTRIES = {
    "safetensors": Entry(_model, _spoil_bytes, _use),
    "header": Entry(_model, _spoil_header, _use),
    "tensors": Entry(_model, _spoil_tensors, _use),
    "pickle": Entry(_pickle, _spoil_tensors, _use),
    "pickle-bytes": Entry(_pickle, _spoil_bytes, _use),
    "shards": Entry(_shards, _spoil_shards, _use),
}
