"""The memory of a step: it grows with what is computed, and is about what a real step keeps."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.small_recipes import small_recipe, small_video_config, write_plain_images
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.modeling.video_network import VideoNetwork
from masklet.training.network.building import initial_network
from masklet.training.network.footprint import PEAK_FACTOR, Footprint, estimate_footprint
from masklet.training.procedure.training_step import MicroBatch, TrainingStep
from masklet.training.settings.learning import LowRank
from masklet.training.settings.procedure import ClipTracking, PromptShares
from masklet.training.settings.recipe import Hardware, Recipe
from masklet.training.settings.stages import ClipStage, Stage
from masklet.training.supply.data_source import open_training_data
from masklet.training.supply.micro_batches import StepSlice

IMAGES = Stage(64, 1, scenes_per_step=2, objects_per_scene=2)
CLIPS = ClipStage(64, 1, 1, 1, clip_length=3, clips_per_step=2, objects_per_clip=2)
SMALL_MODEL_TOLERANCE = 1.2  # either way; of a small model on the processor, without the factor for the peak


def recipe_of(stage: Stage, **changes: Any) -> Recipe:
    return small_recipe(Path("images"), stages=(stage,), **changes)


def activations(stage: Stage, **changes: Any) -> int:
    return estimate_footprint(recipe_of(stage, **changes)).activations


@pytest.mark.parametrize(
    ("less", "more"),
    [
        (IMAGES, replace(IMAGES, objects_per_scene=4)),
        (IMAGES, replace(IMAGES, scenes_per_step=4)),
        (IMAGES, replace(IMAGES, image_size=128)),
        (CLIPS, replace(CLIPS, clip_length=6)),
        (CLIPS, replace(CLIPS, objects_per_clip=4)),
        (replace(CLIPS, train_image_encoder=False), CLIPS),
        (IMAGES, replace(CLIPS, scenes_per_step=2, objects_per_scene=2, images_every=2)),  # the larger kind of step
    ],
    ids=["objects", "scenes", "image size", "clip length", "objects of clips", "image encoder", "clips among images"],
)
def test_more_to_compute_needs_more(less: Stage, more: Stage) -> None:
    assert activations(more) > activations(less)


def test_rounds_and_corrections_need_more() -> None:
    assert activations(IMAGES, prompt_rounds=3) > activations(IMAGES, prompt_rounds=1)
    with_corrections, without = (ClipTracking(corrections=count) for count in (3, 0))
    assert activations(CLIPS, tracking=with_corrections) > activations(CLIPS, tracking=without)


def test_gradient_checkpointing_micro_batches_and_half_precision_save_memory() -> None:
    plain = activations(IMAGES)
    assert activations(IMAGES, hardware=Hardware(gradient_checkpointing=True)) < 0.9 * plain
    recipe = recipe_of(IMAGES)
    assert estimate_footprint(recipe, micro_batches=2).activations < 0.7 * plain
    assert estimate_footprint(recipe, is_half_precision=True).activations < plain


def test_only_what_is_trained_has_gradients_and_moments() -> None:
    whole, frozen = estimate_footprint(recipe_of(IMAGES)), estimate_footprint(recipe_of(IMAGES, frozen=("memory",)))
    assert (whole.gradients, whole.optimizer) == (whole.weights, 2 * whole.weights)
    assert whole.weights == frozen.weights
    assert frozen.optimizer == 2 * frozen.gradients < whole.optimizer


def test_adapters_need_little_beside_the_weights() -> None:
    pytest.importorskip("peft")
    adapted = estimate_footprint(recipe_of(IMAGES, lora=LowRank(rank=2)))
    assert 0 < adapted.optimizer < 0.2 * adapted.weights


def test_the_sum_is_reported_in_gib() -> None:
    estimate = Footprint(weights=2**30, ema_weights=2**30, gradients=2**29, optimizer=2**30, activations=2**31)
    assert estimate.total == 5.5 * 2**30
    assert str(estimate).startswith(
        "Estimated RAM or GPU memory: 5.50 GiB (weights 1.00, EMA weights 1.00, gradients 0.50, "
    )


def test_parts_that_do_not_go_together_are_reported() -> None:
    model = small_video_config()
    model.memory_attention_hidden_size = 32
    with pytest.raises(InvalidInputError, match=r"do not fit together: .*memory_attention_hidden_size=32"):
        estimate_footprint(recipe_of(CLIPS, model=model))


def kept(network: VideoNetwork, call: Callable[[], object]) -> int:
    """The bytes that the backward pass of a call needs beside the weights."""
    own = {each.untyped_storage().data_ptr() for each in network.parameters()}
    seen: dict[int, Tensor] = {}

    def note(tensor: Tensor) -> Tensor:
        seen.setdefault(tensor.untyped_storage().data_ptr(), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        result = call()
    del result
    return sum(each.untyped_storage().nbytes() for place, each in seen.items() if place not in own)


@pytest.mark.parametrize("stage", [IMAGES, replace(IMAGES, image_size=128), CLIPS], ids=["images", "larger", "clips"])
def test_a_real_step_keeps_about_what_is_estimated(stage: Stage, tmp_path: Path) -> None:
    """Prompted as the estimate supposes: by boxes, on one frame, with all corrections."""
    recipe = small_recipe(
        write_plain_images(tmp_path),
        stages=(stage,),
        prompts=PromptShares(click=0, box=1, mask=0),
        tracking=ClipTracking(PromptShares(click=0, box=1, mask=0), 1, 1, corrections=2),
    )
    network = initial_network(recipe, stage.image_size)
    batch = open_training_data(recipe).batches_for(stage, StepSlice(), 0, 1)[0]
    step = TrainingStep(network, recipe).train()
    measured = kept(network, lambda: step(MicroBatch(batch, (0, 0))))
    estimated = estimate_footprint(recipe).activations / PEAK_FACTOR
    assert measured / SMALL_MODEL_TOLERANCE < estimated < measured * SMALL_MODEL_TOLERANCE
