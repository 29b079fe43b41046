"""Values of Python that users hand over in place of images, prompts and options."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
import torch
from tests.fuzz import materials
from tests.fuzz.spoiling import DEEP, HOSTILE, spoiled_json


def nested(depth: int) -> list[Any]:
    """A list inside a list, and so on."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def any_value(rng: Random) -> Any:
    """A value of any kind, seldom one that makes sense."""
    value = rng.choice(HOSTILE)
    return nested(1_000) if isinstance(value, str) and value == DEEP else value


def spoiled(rng: Random, value: Any, *, may_be_array: bool) -> tuple[str, Any]:
    """Spoil a nested list as JSON is, or replace a value by any other, also by arrays and tensors."""
    choice = rng.randrange(6 if may_be_array else 4)
    if choice < 3 and isinstance(value, list | dict):
        name, given = spoiled_json(rng, value)
        return name, nested(1_000) if isinstance(given, str) and given == DEEP else given
    if choice < 4:
        return "replaced", any_value(rng)
    name, change = rng.choice(ARRAYS)
    return name, change(rng)


def _array(shape: Sequence[int], dtype: Any, value: float = 1) -> Callable[[Random], Any]:
    return lambda _: np.full(shape, value, dtype=dtype)


def _tensor(shape: Sequence[int], dtype: torch.dtype, value: float = 1) -> Callable[[Random], Any]:
    return lambda _: torch.full(tuple(shape), value, dtype=dtype)


HEIGHT, WIDTH = materials.HEIGHT, materials.WIDTH
ARRAYS: tuple[tuple[str, Callable[[Random], Any]], ...] = (
    ("no rows", _array((0, WIDTH, 3), np.uint8)),
    ("no channels", _array((HEIGHT, WIDTH, 0), np.uint8)),
    ("nothing", _array((0,), np.float32)),
    ("a number", _array((), np.float64)),
    ("five dimensions", _array((1, 1, 2, 2, 2), np.float32)),
    ("five channels", _array((HEIGHT, WIDTH, 5), np.uint8)),
    ("one pixel", _array((1, 1, 3), np.uint8)),
    ("a long strip", _array((1, 20_000, 3), np.uint8)),
    ("transposed", _array((WIDTH, HEIGHT), bool)),
    ("text", lambda _: np.array([["a", "b"]])),
    ("objects", lambda _: np.array([[None, {}]], dtype=object)),
    ("times", lambda _: np.zeros((HEIGHT, WIDTH, 3), dtype="datetime64[s]")),
    ("complex", _array((HEIGHT, WIDTH, 3), np.complex64)),
    ("NaN", _array((HEIGHT, WIDTH, 3), np.float32, float("nan"))),
    ("infinite", _array((HEIGHT, WIDTH), np.float64, float("inf"))),
    ("huge", _array((HEIGHT, WIDTH, 3), np.float64, 1e300)),
    ("16 bits", _array((HEIGHT, WIDTH, 3), np.uint16, 60_000)),
    ("64 bits", _array((HEIGHT, WIDTH), np.uint64, 2**63)),
    ("negative", _array((HEIGHT, WIDTH, 3), np.int64, -7)),
    ("half", _array((HEIGHT, WIDTH), np.float16, 0.5)),
    ("long double", _array((HEIGHT, WIDTH), np.longdouble)),
    ("records", lambda _: np.zeros((4, 4), dtype=[("a", "u1")])),
    ("bfloat16 tensor", _tensor((3, HEIGHT, WIDTH), torch.bfloat16)),
    ("float8 tensor", lambda _: torch.zeros(3, HEIGHT, WIDTH).to(torch.float8_e5m2)),
    ("sparse tensor", lambda _: torch.ones(3, HEIGHT, WIDTH).to_sparse()),
    ("meta tensor", lambda _: torch.empty(3, HEIGHT, WIDTH, device="meta")),
    ("tensor with gradients", lambda _: torch.zeros(3, HEIGHT, WIDTH, requires_grad=True)),
    ("bool tensor", _tensor((HEIGHT, WIDTH), torch.bool)),
    ("empty tensor", _tensor((0,), torch.float32)),
    ("bytes", lambda rng: rng.randbytes(100)),
    ("a function", lambda _: len),
    ("a generator", lambda _: (each for each in ())),
    ("a set", lambda _: {1, 2}),
    ("a range", lambda _: range(5)),
)
