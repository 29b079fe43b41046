"""Where a run's weights come from."""

from pathlib import Path

import torch
from tests.unit.modeling.small_models import randomised
from tests.unit.training.small_recipes import small_video_config

from masklet import Sam2Model
from masklet.modeling.video_network import SpatialMemory, VideoNetwork
from masklet.training.initial_weights import draw_initial_weights, load_initial_weights


def drawn(seed: int) -> VideoNetwork:
    torch.manual_seed(seed)
    model = VideoNetwork(small_video_config())
    draw_initial_weights(model)
    return model


def test_an_image_checkpoint_leaves_memory_as_drawn(tmp_path: Path) -> None:
    images = randomised(Sam2Model(small_video_config()), 5)
    images.save_pretrained(tmp_path)
    model = drawn(0)
    load_initial_weights(model, tmp_path)
    state, before, given = model.state_dict(), drawn(0).state_dict(), images.state_dict()
    assert all(torch.equal(state[name], given.get(name, before[name])) for name in state)
    assert "memory_attention.layer_norm.weight" not in given


def test_a_video_checkpoint_replaces_everything(tmp_path: Path) -> None:
    videos = randomised(VideoNetwork(small_video_config()), 5)
    videos.save_pretrained(tmp_path)
    model = drawn(0)
    load_initial_weights(model, tmp_path)
    assert all(torch.equal(tensor, videos.state_dict()[name]) for name, tensor in model.state_dict().items())


def test_drawn_memory_leaves_a_frame_nearly_as_it_is() -> None:
    model = drawn(0).eval()
    features = 2 * torch.nn.functional.layer_norm(torch.randn(1, 64, 6, 6).permute(0, 2, 3, 1), (64,)).permute(
        0, 3, 1, 2
    )
    memories = [SpatialMemory(torch.randn(1, 36, 32), slot) for slot in (2, 0)]
    with torch.no_grad():
        conditioned = model.condition(features, memories, (), 2)
    likeness = torch.nn.functional.cosine_similarity(conditioned, features, dim=1)
    assert likeness.min() > 0.7
    assert 0.8 < conditioned.std() / features.std() < 1.25


def test_drawn_memory_looks_about_where_it_is() -> None:
    """With nothing else to go by, what is remembered of a place is heard most there, and less the farther away."""
    memory_attention = drawn(0).eval().memory_attention
    attention, rotation = (
        memory_attention.layers[0].cross_attn_image,
        memory_attention.rotation(8, 8, torch.device("cpu")),
    )
    nothing, keys, values = torch.zeros(1, 64, 64), torch.zeros(1, 64, 32), torch.zeros(1, 64, 32)
    values[0, 3 * 8 + 4] = 1.0
    with torch.no_grad():
        heard = attention(nothing, keys, values, 1, rotation).norm(dim=-1).view(8, 8)
    assert heard.argmax() == 3 * 8 + 4
    assert heard[3, 4] > 10 * heard[7, 0]
    assert (heard[3, 4:].diff() < 0).all()
    assert (heard[3:, 4].diff() < 0).all()
