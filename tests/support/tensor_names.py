"""The tensors of SAM 2.1 tiny in three layouts, as recorded from the references (facts, no weights)."""

import csv
from dataclasses import dataclass
from pathlib import Path

import torch


@dataclass(frozen=True)
class TensorNames:
    meta: str
    seed: str
    current: str
    shape: tuple[int, ...]


def tiny_tensor_names() -> list[TensorNames]:
    """One row for each of Meta's 471 tensors; the file gives rows that differ only in a number once."""
    rows = []
    with Path(__file__).with_name("tensor_names_tiny.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            seed = row["seed"] or row["meta"]
            current = row["current"] or seed
            shape = tuple(int(size) for size in row["shape"].split("x"))
            for number in row["numbers"].split() or [""]:
                rows.append(TensorNames(*(name.format(number) for name in (row["meta"], seed, current)), shape))
    return rows


def small_meta_tensors() -> dict[str, torch.Tensor]:
    """All of tiny's tensors in Meta's names: random and small, but with the real backbone width and point rows."""
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for row in tiny_tensor_names():
        is_telling = row.meta.endswith("trunk.pos_embed") or "point_embeddings" in row.meta
        shape = row.shape if is_telling else tuple(min(size, 2) for size in row.shape)
        tensors[row.meta] = torch.randn(shape, generator=generator)
    return tensors


def assert_same_tensors(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert sorted(found) == sorted(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype, name
        assert torch.equal(found[name], tensor), name
