"""Low-rank adapters."""

from copy import deepcopy
from pathlib import Path

import peft
import pytest
import torch
from tests.support.small_recipes import small_video_config
from torch import Tensor, nn

from masklet.errors import InvalidInputError
from masklet.modeling.object_memory import stacked_memory
from masklet.modeling.video_network import VideoNetwork
from masklet.runtimes.object_masks import select_mask
from masklet.training.network.low_rank import adaptable_layers, add_adapters, merged, save_adapters
from masklet.training.run.optimizer import EmaWeights
from masklet.training.settings.learning import LowRank


@pytest.fixture
def model() -> VideoNetwork:
    torch.manual_seed(0)
    return VideoNetwork(small_video_config()).eval()


def everything(model: VideoNetwork) -> list[Tensor]:
    """What all parts of the network say of an image, a click and a memory."""
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randn(1, 3, 96, 96, generator=generator)
    features = model.encode_image(pixels)
    points, labels = torch.tensor([[[40.0, 50.0]]]), torch.ones(1, 1, dtype=torch.long)
    outputs = model.decode(model.without_memory(features), points, labels)
    mask = select_mask(outputs, torch.tensor([True]), model.config)
    memory = model.encode_memory(features.stride16, mask.logits, mask.object_score, torch.tensor([False]))
    conditioned = model.condition(features.stride16, stacked_memory(model.config, [memory], [0]))
    return [*features, outputs.logits, outputs.iou, outputs.object_score, mask.pointer, memory, conditioned]


def disturb(model: nn.Module) -> None:
    """As if the adapters had learnt something (they begin at zero)."""
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.05)


def test_fresh_adapters_change_nothing(model: VideoNetwork) -> None:
    before = everything(model)
    add_adapters(model, LowRank(rank=2))
    for one, other in zip(before, everything(model), strict=True):
        torch.testing.assert_close(one, other)


def test_only_adapters_train(model: VideoNetwork) -> None:
    add_adapters(model, LowRank(rank=2))
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert trained
    assert all(".lora_" in name for name in trained)


def test_every_adapter_is_heard(model: VideoNetwork) -> None:
    """The network reads some weights without calling their layer; an adapter there would learn nothing."""
    add_adapters(model, LowRank(rank=2))
    disturb(model)
    sum(each.square().sum() for each in everything(model)).backward()
    deaf = {name for name, each in model.named_parameters() if "lora_A" in name and (each.grad is None)}
    assert not {name for name in deaf if "object_pointer" not in name and "temporal" not in name}


def test_merged_weights_say_the_same(model: VideoNetwork) -> None:
    names = set(model.state_dict())
    before = everything(model)
    add_adapters(model, LowRank(rank=2))
    disturb(model)
    plain = merged(model)
    assert set(plain.state_dict()) == names
    for one, other in zip(everything(model), everything(plain), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(before[0], everything(plain)[0], atol=1e-3)
    assert merged(plain) is plain


def test_ema_weights_have_adapters(model: VideoNetwork) -> None:
    add_adapters(model, LowRank(rank=2))
    ema = EmaWeights(model.state_dict(), 0.5)
    disturb(model)
    ema.update(model.state_dict(), 1000)
    ema_network = deepcopy(model)
    ema_network.load_state_dict(ema.tensors)
    name = "vision_encoder.backbone.blocks.0.attn.qkv"
    learnt = model.get_submodule(name).get_delta_weight("default")
    followed = merged(ema_network).get_submodule(name).weight - model.get_submodule(name).base_layer.weight
    torch.testing.assert_close(followed, 0.5 * learnt)


def test_the_adapter_alone_is_saved(model: VideoNetwork, tmp_path: Path) -> None:
    save_adapters(model, tmp_path / "none")
    assert not (tmp_path / "none").exists()
    fresh = VideoNetwork(model.config).eval()
    fresh.load_state_dict(model.state_dict())
    add_adapters(model, LowRank(rank=2, layers=("vision_encoder.*.qkv",)))
    disturb(model)
    save_adapters(model, tmp_path / "adapter")
    again = peft.PeftModel.from_pretrained(fresh, str(tmp_path / "adapter")).merge_and_unload()
    for one, other in zip(everything(merged(model)), everything(again), strict=True):
        torch.testing.assert_close(one, other)


def test_patterns_choose_layers(model: VideoNetwork) -> None:
    add_adapters(model, LowRank(rank=2, layers=("*.qkv", "mask_decoder.*.proj_in")))
    adapted = {name.split(".lora_A")[0] for name, _ in model.named_parameters() if ".lora_A" in name}
    assert adapted == {
        name
        for name in adaptable_layers(VideoNetwork(model.config))
        if name.endswith(".qkv") or (name.startswith("mask_decoder") and name.endswith("proj_in"))
    }


def test_a_pattern_without_a_layer_is_refused(model: VideoNetwork) -> None:
    with pytest.raises(InvalidInputError, match=r"'\*.q_proj' fits none of the \d+ linear layers that can be adapted"):
        add_adapters(model, LowRank(layers=("*.qkv", "*.q_proj")))
