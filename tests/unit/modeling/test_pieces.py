"""Work in pieces gives what work in one go gives."""

import pytest
import torch
from tests.support.small_models import randomised

from masklet.configuration import Sam2Config, Sam2HieraDetConfig, Sam2VisionConfig
from masklet.modeling import pieces as pieces_module
from masklet.modeling.image_model import Sam2Model
from masklet.modeling.pieces import in_pieces, pieces

HERE = torch.empty(0)


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)


@torch.no_grad()
def test_each_thread_has_its_share_of_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces_module, "NUMBERS_PER_THREAD", 40)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert pieces(20, 10, HERE) == [slice(0, 12), slice(12, 20)]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 12])
def test_pieces_cover_every_entry_once_in_order(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces_module, "NUMBERS_PER_THREAD", 40)
    with torch.no_grad():
        parts = pieces(count, 10, HERE)
    entries = [list(range(count))[part] for part in parts]
    assert [index for part in entries for index in part] == list(range(count))
    assert max(map(len, entries)) <= 4


def test_entries_wider_than_a_piece_go_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces_module, "NUMBERS_PER_THREAD", 40)
    with torch.no_grad():
        assert len(pieces(3, 41, HERE)) == 3


def test_gradients_and_accelerators_get_one_piece() -> None:
    assert pieces(10**6, 10**6, HERE) == [slice(None)]
    with torch.no_grad():
        assert pieces(10**6, 10**6, torch.empty(0, device="meta")) == [slice(None)]


@pytest.mark.parametrize(
    ("dtype", "has_units", "size"),
    [(torch.float32, True, 4), (torch.bfloat16, False, 4), (torch.bfloat16, True, 10), (torch.float16, True, 10)],
)
@torch.no_grad()
def test_halves_go_in_larger_pieces_to_tile_units(
    dtype: torch.dtype, has_units: bool, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: has_units)
    monkeypatch.setattr(pieces_module, "NUMBERS_PER_THREAD", 40)
    monkeypatch.setattr(pieces_module, "NUMBERS_PER_THREAD_ON_TILES", 100)
    assert pieces(20, 10, torch.empty(0, dtype=dtype))[0] == slice(0, size)


@pytest.mark.parametrize("rows", [1, 4, 5, 11])
@torch.no_grad()
def test_in_pieces_is_the_function(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces_module, "NUMBERS_PER_THREAD", 4)
    x = torch.randn(rows, 3)
    torch.testing.assert_close(in_pieces(lambda part: part[:, :1].exp(), x, 1), x[:, :1].exp())


@torch.no_grad()
def test_the_network_in_pieces_is_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = Sam2HieraDetConfig(hidden_size=16, window_size_per_stage=[8, 4, 8, 4], global_attention_blocks=[5, 11])
    vision = Sam2VisionConfig(backbone_config=backbone, backbone_channel_list=[128, 64, 32, 16])
    model = randomised(Sam2Model(Sam2Config(vision_config=vision, image_size=128))).double().eval()
    pixels, points = torch.randn(2, 3, 128, 128).double(), torch.rand(2, 5, 2, 2).double() * 128
    monkeypatch.setattr(pieces_module, "NUMBERS_PER_THREAD", 10**12)
    whole = model(pixels, points)
    monkeypatch.setattr(pieces_module, "NUMBERS_PER_THREAD", 3000)
    cut = model(pixels, points)
    torch.testing.assert_close(cut.pred_masks, whole.pred_masks)
    torch.testing.assert_close(cut.iou_scores, whole.iou_scores)
