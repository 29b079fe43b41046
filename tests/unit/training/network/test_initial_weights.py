"""Where a run's weights come from."""

from pathlib import Path

import pytest
import torch
from tests.support.small_models import randomised
from tests.support.small_recipes import small_video_config

from masklet import Sam2Model
from masklet.modeling.object_memory import stacked_memory
from masklet.modeling.video_network import VideoNetwork
from masklet.training.network.building import load_initial_weights
from masklet.training.network.initial_weights import draw_initial_weights, draw_memory_weights


def drawn(seed: int) -> VideoNetwork:
    torch.manual_seed(seed)
    model = VideoNetwork(small_video_config())
    draw_initial_weights(model)
    draw_memory_weights(model)
    return model


def test_an_image_checkpoint_gets_a_memory_that_speaks_its_language(tmp_path: Path) -> None:
    images = randomised(Sam2Model(small_video_config()), 5)
    images.save_pretrained(tmp_path)
    model = drawn(0)
    assert not load_initial_weights(model, tmp_path)
    draw_memory_weights(model)
    state, given = model.state_dict(), images.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in given.items())
    logits = torch.full((1, 1, 24, 24), 10.0)
    with torch.no_grad():
        on, off = (images.prompt_encoder.dense(sign * logits, 1)[0, 0, 3, 3] for sign in (1, -1))
    assert torch.allclose(model.memory_attention.layers[0].cross_attn_image.o_proj.weight[:, 0], (on - off) / 2)


def test_a_video_checkpoint_replaces_everything(tmp_path: Path) -> None:
    videos = randomised(VideoNetwork(small_video_config()), 5)
    videos.save_pretrained(tmp_path)
    model = drawn(0)
    assert load_initial_weights(model, tmp_path)
    assert all(torch.equal(tensor, videos.state_dict()[name]) for name, tensor in model.state_dict().items())


def test_drawn_memory_holds_the_mask() -> None:
    model = drawn(0).eval()
    model.resize(256)
    logits = torch.full((1, 64, 64), -10.0)
    logits[:, 24:48, 24:48] = 10.0
    with torch.no_grad():
        memory = model.encode_memory(torch.randn(1, 64, 16, 16), logits, torch.ones(1), torch.tensor([False]))
    mask = memory[0, :, 0].view(16, 16)
    assert mask[8:10, 8:10].mean() == pytest.approx(1, abs=0.2)
    assert mask[2:4, 2:4].mean() == pytest.approx(-1, abs=0.2)


def test_drawn_memory_is_read_as_a_mask_prompt_would_be() -> None:
    model = drawn(0).eval()
    features = 2 * torch.nn.functional.layer_norm(torch.randn(1, 36, 64), (64,)).transpose(1, 2).unflatten(2, (6, 6))
    on, off = torch.zeros(2, 1, 36, 32)
    on[..., 0], off[..., 0] = 1.0, -1.0
    prompts = torch.stack([torch.full((1, 24, 24), value) for value in (10.0, -10.0)]).unsqueeze(0)
    with torch.no_grad():
        told = [model.condition(features, stacked_memory(model.config, [memory], [0])) for memory in (on, off)]
        prompted = model.prompt_encoder.dense(prompts.transpose(1, 2).flatten(1, 2), 1)[0, :, 3, 3]
    difference = (told[0] - told[1])[0, :, 3, 3]
    likeness = torch.nn.functional.cosine_similarity(difference, prompted[0] - prompted[1], dim=0)
    assert likeness > 0.8


def test_drawn_memory_looks_about_where_it_is() -> None:
    """With nothing else to go by, what is remembered of a place is heard most there, and less the farther away."""
    memory_attention = drawn(0).eval().memory_attention
    attention, rotation = (
        memory_attention.layers[0].cross_attn_image,
        memory_attention.rotation(8, 8, torch.device("cpu")),
    )
    nothing, keys, values = torch.zeros(1, 64, 64), torch.zeros(1, 1, 64, 32), torch.zeros(1, 64, 32)
    values[0, 3 * 8 + 4] = 1.0
    no_pointers = torch.zeros(1, 0, 32)
    with torch.no_grad():
        heard, at_rest = (
            attention(nothing, keys, no_pointers, each, rotation) for each in (values, torch.zeros_like(values))
        )
    heard = heard - at_rest
    heard = heard.norm(dim=-1).view(8, 8)
    assert heard.argmax() == 3 * 8 + 4
    assert heard[3, 4] > 10 * heard[7, 0]
    assert (heard[3, 4:].diff() < 0).all()
    assert (heard[3:, 4].diff() < 0).all()
