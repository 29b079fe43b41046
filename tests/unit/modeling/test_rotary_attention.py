"""Attention to memory against its plain statement, in float64."""

import pytest
import torch
from tests.support.small_models import randomised
from torch import Tensor

from masklet import Sam2Config
from masklet.modeling import rotary_attention as tiled
from masklet.modeling.rotary_attention import RotaryAttention, axial_rotation

HEIGHT, WIDTH, OBJECTS, FRAMES, POINTERS = 4, 6, 3, 2, 5
PIXELS, MEMORY_WIDTH = HEIGHT * WIDTH, 8


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def rotary_attention(heads: int) -> RotaryAttention:
    config = Sam2Config(memory_attention_hidden_size=64, memory_attention_num_attention_heads=heads)
    attention: RotaryAttention = randomised(RotaryAttention(config, MEMORY_WIDTH)).double()
    return attention


def plain(attention: RotaryAttention, queries: Tensor, keys: Tensor, values: Tensor, rotation: Tensor) -> Tensor:
    """One object and one head at a time, neighbouring channels rotated as complex numbers."""
    turns = torch.complex(*rotation.double())
    channels = attention.q_proj.out_features // attention.heads

    def turned(x: Tensor) -> Tensor:
        return torch.view_as_real(torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous()) * turns).flatten(-2)

    objects = []
    for index in range(len(keys)):
        q = attention.q_proj(queries[index if len(queries) > 1 else 0])
        k, v = attention.k_proj(keys[index]), attention.v_proj(values[index])
        heads = []
        for q_h, k_h, v_h in zip(*(x.split(channels, dim=-1) for x in (q, k, v)), strict=True):
            on_grid = [turned(k_h[frame * PIXELS : (frame + 1) * PIXELS]) for frame in range(FRAMES)]
            scores = turned(q_h) @ torch.cat([*on_grid, k_h[FRAMES * PIXELS :]]).T / channels**0.5
            heads.append(scores.softmax(-1) @ v_h)
        objects.append(attention.o_proj(torch.cat(heads, dim=-1)))
    return torch.stack(objects)


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("rows_of_queries", [1, OBJECTS])
def test_every_way_equals_the_plain_statement(
    heads: int, rows_of_queries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    attention = rotary_attention(heads)
    queries = drawn(rows_of_queries, PIXELS, 64)
    keys, values = (drawn(OBJECTS, FRAMES * PIXELS + POINTERS, MEMORY_WIDTH, seed=seed) for seed in (1, 2))
    grids, loose = keys[:, : FRAMES * PIXELS].unflatten(1, (FRAMES, PIXELS)), keys[:, FRAMES * PIXELS :]
    rotation = axial_rotation(HEIGHT, WIDTH, 64 // heads, 100.0, queries.device)
    expected = plain(attention, queries, keys, values, rotation).detach()
    with_gradients = attention(queries, grids, loose, values, rotation)
    torch.testing.assert_close(with_gradients, expected, rtol=1e-6, atol=1e-7)  # rotations are rounded to float32
    calls, in_tiles = [], tiled.tiled_attention
    monkeypatch.setattr(tiled, "tiled_attention", lambda *tensors: calls.append(tensors) or in_tiles(*tensors))
    with torch.no_grad():
        over_raw_values = attention(queries, grids, loose, values, rotation)
    assert len(calls) == OBJECTS * heads
    torch.testing.assert_close(over_raw_values, with_gradients, rtol=1e-9, atol=1e-9)


def test_half_precision_over_the_raw_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """By products where there are no tile units; with them the fused kernel sees projected values."""
    attention = rotary_attention(1).bfloat16()
    queries = drawn(1, PIXELS, 64).bfloat16()
    grids, loose = drawn(OBJECTS, FRAMES, PIXELS, MEMORY_WIDTH, seed=1), drawn(OBJECTS, POINTERS, MEMORY_WIDTH, seed=2)
    values = drawn(OBJECTS, FRAMES * PIXELS + POINTERS, MEMORY_WIDTH, seed=3)
    memory = [each.bfloat16() for each in (grids, loose, values)]
    rotation = axial_rotation(HEIGHT, WIDTH, 64, 100.0, queries.device)
    calls, by_products = [], tiled.attention_by_products
    monkeypatch.setattr(tiled, "attention_by_products", lambda *tensors: calls.append(tensors) or by_products(*tensors))
    outputs = []
    with torch.no_grad():
        for has_tile_units in (False, True):
            monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda answer=has_tile_units: answer)
            outputs.append(attention(queries, *memory, rotation))
    assert len(calls) == OBJECTS
    torch.testing.assert_close(*outputs, rtol=0.05, atol=0.05)


@pytest.mark.parametrize(("queries", "keys"), [(1, 1), (5, 3), (16, 40), (17, 41), (40, 7)])
def test_tiles(queries: int, keys: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several tiles each way, the last ones smaller; scores that would overflow without a shift."""
    monkeypatch.setattr(tiled, "QUERIES_PER_TILE", 8)
    monkeypatch.setattr(tiled, "NUMBERS_PER_THREAD", 8 * 6)
    q, k, v = drawn(queries, 16, seed=1) * 100, drawn(keys, 16, seed=2) * 100, drawn(keys, 3, seed=3)
    expected = (q @ k.T / 4).softmax(-1) @ v
    torch.testing.assert_close(tiled.tiled_attention(q, k, v), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("heads", [1, 16], ids=["narrow values", "wide values"])
def test_graphs_attend_by_pieces_of_the_queries(heads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No product of a graph holds the scores of all queries, and what it computes is the same."""
    monkeypatch.setattr(tiled, "QUERIES_IN_GRAPHS", PIXELS // 3)
    attention = rotary_attention(heads).eval()
    queries, keys, values = drawn(1, PIXELS, 64), *(drawn(OBJECTS, 29, MEMORY_WIDTH, seed=seed) for seed in (1, 2))
    grids, loose = keys[:, :PIXELS].unflatten(1, (1, PIXELS)), keys[:, PIXELS:]
    arguments = (queries, grids, loose, values, axial_rotation(HEIGHT, WIDTH, 64 // heads, 100.0, queries.device))
    with torch.no_grad():
        graph = torch.export.export(attention, arguments, strict=False)
        torch.testing.assert_close(graph.module()(*arguments), attention(*arguments))
    attended = [node for node in graph.graph.nodes if "scaled_dot_product_attention" in str(node.target)]
    assert [node.args[0].meta["val"].shape[-2] for node in attended] == [PIXELS // 3] * 3
    assert attention.values_are_narrow == (attended[0].args[2].meta["val"].shape[-1] == MEMORY_WIDTH)
