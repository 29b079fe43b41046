"""Rates by part, block and step."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.support.small_recipes import small_recipe, small_video_config

from masklet.errors import InvalidInputError
from masklet.modeling.video_network import VideoNetwork
from masklet.training.network.trained_parameters import TrainedParameters, freeze, part_of
from masklet.training.run.optimizer import learning_rate, make_optimizer, rate_scale, set_learning_rate
from masklet.training.settings.learning import ImageEncoderRates
from masklet.training.settings.recipe import Recipe
from masklet.training.settings.stages import PARTS, ClipStage, Part, Stage

BLOCKS = "vision_encoder.backbone.blocks."


@pytest.fixture(scope="module")
def network() -> VideoNetwork:
    return VideoNetwork(small_video_config())  # eight blocks


@pytest.fixture
def recipe() -> Recipe:
    """The reference's fine-tuning: 5e-6, of which the image encoder gets 3e-6, and a layer decay of 0.9."""
    rates = ImageEncoderRates(learning_rate=3e-6, layer_decay=0.9)
    return small_recipe(Path("nowhere"), learning_rate=5e-6, image_encoder=rates, weight_decay=0.1)


def rates_of(network: VideoNetwork, recipe: Recipe) -> dict[str, float]:
    optimizer = make_optimizer(network, recipe)
    set_learning_rate(optimizer, 5e-6)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    return {names[id(each)]: group["lr"] for group in optimizer.param_groups for each in group["params"]}


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        (f"{BLOCKS}7.attn.qkv.weight", 2.7e-6),  # 3e-6 * 0.9
        (f"{BLOCKS}6.attn.qkv.bias", 2.43e-6),  # 3e-6 * 0.9 ** 2
        (f"{BLOCKS}0.mlp.proj_in.weight", 1.29140163e-6),  # 3e-6 * 0.9 ** 8
        ("vision_encoder.backbone.patch_embed.projection.weight", 1.162261467e-6),  # 3e-6 * 0.9 ** 9
        ("vision_encoder.backbone.pos_embed", 3e-6),
        ("vision_encoder.neck.convs.0.weight", 3e-6),
        ("mask_decoder.conv_s0.weight", 5e-6),
        ("memory_encoder.projection.weight", 5e-6),
    ],
)
def test_layer_decay_by_hand(network: VideoNetwork, recipe: Recipe, name: str, rate: float) -> None:
    assert rates_of(network, recipe)[name] == pytest.approx(rate, rel=1e-9)


def test_blocks_of_two_digits_are_not_taken_for_others(recipe: Recipe) -> None:
    assert rate_scale(f"{BLOCKS}11.layer_norm1.weight", recipe, 12) == pytest.approx(0.6 * 0.9)
    assert rate_scale(f"{BLOCKS}1.layer_norm1.weight", recipe, 12) == pytest.approx(0.6 * 0.9**11)


def test_without_rates_of_its_own_the_image_encoder_learns_like_the_rest(network: VideoNetwork, recipe: Recipe) -> None:
    assert set(rates_of(network, replace(recipe, image_encoder=ImageEncoderRates())).values()) == {5e-6}


def test_biases_and_norms_do_not_decay(network: VideoNetwork, recipe: Recipe) -> None:
    seen = set()
    for group in make_optimizer(network, recipe).param_groups:
        for parameter in group["params"]:
            assert group["weight_decay"] == (0.1 if parameter.ndim > 1 else 0)
            seen.add(id(parameter))
    assert seen == {id(parameter) for parameter in network.parameters()}


def test_learning_rate_warms_up_and_falls_along_a_cosine() -> None:
    stages = (Stage(image_size=64, steps=102, scenes_per_step=1, objects_per_scene=1),)
    recipe = small_recipe(Path("x"), stages=stages, learning_rate=1.0, final_learning_rate=0.2, warmup_steps=2)
    rates = [learning_rate(recipe, step) for step in (0, 1, 2, 52, 102, 500)]
    assert rates == pytest.approx([0.5, 1.0, 1.0, 0.6, 0.2, 0.2])


def test_every_parameter_is_of_one_part_and_every_part_has_some(network: VideoNetwork) -> None:
    names = [name for name, _ in network.named_parameters()]
    assert {part_of(name) for name in names} == set(PARTS)
    assert {part_of(name) for name in names if "memory" in name} == {"memory", "mask_decoder"}  # no_memory_embedding
    assert part_of("object_pointer_proj.proj_in.weight") == "memory"
    assert part_of("mask_decoder.conv_s0.weight") == "mask_decoder"


def test_frozen_parts_are_not_optimized_and_never_wake(recipe: Recipe) -> None:
    network = VideoNetwork(small_video_config())
    freeze(network, ("image_encoder", "prompt_encoder"))
    assert {part_of(name) for name in rates_of(network, recipe)} == {"mask_decoder", "memory"}
    trained = TrainedParameters(network)
    for frozen, awake in ((("memory",), {"mask_decoder"}), ((), {"mask_decoder", "memory"})):
        trained.freeze(frozen)
        assert {part_of(name) for name, each in network.named_parameters() if each.requires_grad} == awake


def test_unknown_parts_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="frozen=backbone; there are image_encoder, prompt_encoder, mask_de"):
        small_recipe(Path("nowhere"), frozen=("backbone",))


CLIPS = ClipStage(64, 1, train_image_encoder=False)


@pytest.mark.parametrize(
    ("stages", "frozen", "what"),
    [
        ((Stage(64, 1),), PARTS[:3], "images of stage 0"),
        ((CLIPS,), PARTS[1:], "clips of stage 0"),
        ((CLIPS, replace(CLIPS, images_every=2)), PARTS[:3], "images of stage 1"),
        ((CLIPS,), PARTS, "clips of stage 0"),
    ],
)
def test_a_stage_that_would_train_nothing_is_refused(
    stages: tuple[Stage, ...], frozen: tuple[Part, ...], what: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"steps on {what} would train nothing"):
        small_recipe(Path("nowhere"), stages=stages, frozen=frozen)


@pytest.mark.parametrize("decay", [0, 1.1])
def test_layer_decay_out_of_range_is_refused(decay: float) -> None:
    with pytest.raises(InvalidInputError, match="layer_decay"):
        ImageEncoderRates(layer_decay=decay)


def test_steps_by_hand(network: VideoNetwork, recipe: Recipe) -> None:
    """AdamW's first step moves a weight by its rate, against the gradient's sign (weights decay apart)."""
    optimizer = make_optimizer(network, replace(recipe, weight_decay=0.0))
    set_learning_rate(optimizer, 5e-6)
    weight = network.get_parameter(f"{BLOCKS}7.attn.qkv.weight")
    before = weight.detach().clone()
    weight.grad = torch.ones_like(weight)
    optimizer.step()
    torch.testing.assert_close(before - weight.detach(), torch.full_like(before, 2.7e-6), rtol=0.1, atol=0)
