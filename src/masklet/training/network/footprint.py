"""The footprint of a recipe's steps in RAM or GPU memory, counted before the first one.

The network goes through a step's calls with tensors that have shapes and no content (`FakeTensorMode`), and whatever
the backward pass would need is summed. Nothing is computed; it takes a second or two even for the largest model.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily

from masklet.errors import InvalidInputError
from masklet.modeling.hiera import HieraBlock
from masklet.modeling.object_memory import stacked_memory
from masklet.modeling.rotary_attention import RotaryAttention
from masklet.modeling.values import ImageFeatures
from masklet.modeling.video_network import VideoNetwork
from masklet.modeling.windows import Grid
from masklet.runtimes.object_masks import select_mask
from masklet.training.network.building import untrained_network
from masklet.training.settings.recipe import Recipe
from masklet.training.settings.stages import ClipStage, Stage

FLOAT_BYTES = 4
ADAM_MOMENTS = 2
# Of what the backward pass needs in half precision: products' inputs are halved; sums, norms and losses are not.
HALF_PRECISION_FACTOR = 0.65
# What a step needs at its peak beside what is counted: gradients on their way, the loss, buffers of the libraries.
PEAK_FACTOR = 1.25
GIBIBYTE = 2**30

Result = TypeVar("Result")


@dataclass(frozen=True)
class Footprint:
    """Bytes that one process holds at the peak of its largest step.

    Without sharding, and without what the program itself and its libraries take (about half a GiB).

    Attributes:
        weights: of the network.
        ema_weights: their moving averages.
        gradients: of what is trained.
        optimizer: AdamW's moments.
        activations: what the backward pass needs.
    """

    weights: int
    ema_weights: int
    gradients: int
    optimizer: int
    activations: int

    @property
    def total(self) -> int:
        """The sum."""
        return sum(getattr(self, each.name) for each in fields(self))

    def __str__(self) -> str:
        parts = {each.name.replace("ema_", "EMA "): getattr(self, each.name) for each in fields(self)}
        listed = ", ".join(f"{name} {_gibibytes(count)}" for name, count in parts.items())
        return f"Estimated RAM or GPU memory: {_gibibytes(self.total)} GiB ({listed})."


def estimate_footprint(
    recipe: Recipe, *, device: str = "cpu", micro_batches: int = 1, is_half_precision: bool = False
) -> Footprint:
    """Count what the largest step of a recipe needs, one of its `micro_batches` at a time.

    On a GPU attention keeps no matrix of scores, on the processor it does where scores are dropped out.

    Raises:
        InvalidInputError: for a network whose parts do not go together.
    """
    network = untrained_network(recipe, recipe.stages[0].image_size)
    everything = _bytes(network.parameters())
    trained = _bytes(each for each in network.parameters() if each.requires_grad)
    try:
        with FakeTensorMode(allow_non_fake_inputs=True):
            activations = max(_activations(recipe, stage, micro_batches, device == "cpu") for stage in recipe.stages)
    except RuntimeError as error:  # torch names the shapes of a product that do not go together
        raise InvalidInputError(f"A network with these settings (model.*) cannot take a step: {error}") from error
    factor = HALF_PRECISION_FACTOR if is_half_precision else 1.0
    kept = int(PEAK_FACTOR * factor * activations)
    return Footprint(everything, everything, trained, ADAM_MOMENTS * trained, kept)


def _activations(recipe: Recipe, stage: Stage, micro_batches: int, may_keep_scores: bool) -> int:
    """Count what the backward pass of a micro-batch of a stage's largest step needs."""

    def fresh() -> VideoNetwork:
        """Make a network without tables of earlier calls, which it would compare with.

        Its weights become tensors without content: real ones would be turned into others wherever they are read, and
        count with what is computed.
        """
        with unset_fake_temporarily():
            network = untrained_network(recipe, stage.image_size).train()
        for module in network.modules():
            for name, weight in module.named_parameters(recurse=False):
                setattr(module, name, nn.Parameter(torch.empty_like(weight), weight.requires_grad))
        for module in network.modules():
            if isinstance(module, RotaryAttention) and not may_keep_scores:
                module.dropout = 0.0
        return network

    of_clips = _of_clips(fresh(), recipe, stage, micro_batches) if isinstance(stage, ClipStage) else 0
    has_images = not isinstance(stage, ClipStage) or stage.images_every > 0
    return max(of_clips, _of_images(fresh(), recipe, stage, micro_batches) if has_images else 0)


def _of_images(network: VideoNetwork, recipe: Recipe, stage: Stage, micro_batches: int) -> int:
    """Count one encoding of the images, and all prompt rounds."""
    images = -(-stage.scenes_per_step // micro_batches)
    features, encoded = _encoded(network, images)
    objects = images, stage.objects_per_scene
    _, decoded = _needed(network, lambda: network.decode_images(features, *_prompts(network, objects)))
    return encoded + recipe.prompt_rounds * decoded


def _of_clips(network: VideoNetwork, recipe: Recipe, stage: ClipStage, micro_batches: int) -> int:
    """Count every frame encoded, conditioned, decoded and added to memory, and the corrections."""
    clips = -(-stage.clips_per_step // micro_batches)
    features, encoded = _encoded(network, 1)
    objects = clips * stage.objects_per_clip
    expanded = ImageFeatures(*(level.expand(objects, -1, -1, -1) for level in features))
    points, labels = (each.squeeze(1) for each in _prompts(network, (objects, 1)))
    outputs, of_decoding = _needed(network, lambda: network.decode(expanded, points, labels))
    mask = select_mask(outputs, torch.ones(objects, dtype=torch.bool), network.config)
    binarize = torch.zeros(objects, dtype=torch.bool)
    memory, of_memory = _needed(
        network, lambda: network.encode_memory(features.stride16, mask.logits, mask.object_score, binarize)
    )

    def conditioned_on(memories: int) -> int:
        remembered = stacked_memory(network.config, [memory] * memories, [0] * memories)
        return _needed(network, lambda: network.condition(features.stride16, remembered))[1]

    of_one, of_two = conditioned_on(1), conditioned_on(2)
    remembered = [min(frame, network.config.num_maskmem) for frame in range(1, stage.clip_length)]
    of_condition = sum(of_one + (count - 1) * (of_two - of_one) for count in remembered)
    tracking = recipe.tracking
    corrections = tracking.corrected_frames * tracking.corrections
    frames = stage.clip_length
    learns = clips * frames * encoded if stage.train_image_encoder else 0
    return learns + frames * of_memory + of_condition + (frames + corrections) * of_decoding


def _encoded(network: VideoNetwork, images: int) -> tuple[ImageFeatures, int]:
    """Return the features of so many images and what the backward pass of the image encoder needs."""
    side = network.config.image_size
    pixels = torch.empty(images, 3, side, side)
    backbone = network.vision_encoder.backbone
    if not backbone.gradient_checkpointing:
        features, needed = _needed(network, lambda: network.encode_image(pixels))
        return features, needed
    network.gradient_checkpointing_disable()
    blocks = [block for block in backbone.blocks if isinstance(block, HieraBlock)]
    of_blocks, inputs = [0] * len(blocks), [0] * len(blocks)
    with _attributed(blocks, of_blocks, inputs) as attribute:
        features, needed = _needed(network, lambda: network.encode_image(pixels), attribute)
    network.gradient_checkpointing_enable()
    # Only what goes into blocks is kept, and one block at a time is computed again.
    return features, needed - sum(of_blocks) + sum(inputs) + max(of_blocks)


def _needed(
    network: VideoNetwork, call: Callable[[], Result], attribute: Callable[[int], None] | None = None
) -> tuple[Result, int]:
    """Return what a call returns, and the bytes that its backward pass needs beside the weights.

    `attribute` is called with the bytes of each tensor's memory when it is first saved.
    """
    seen: dict[int, Tensor] = {each.untyped_storage()._cdata: each for each in network.parameters()}
    needed = 0

    def count(tensor: Tensor) -> Tensor:
        nonlocal needed
        storage = tensor.untyped_storage()
        if storage._cdata not in seen:
            seen[storage._cdata] = tensor  # kept, so that no other takes its address
            needed += storage.nbytes()
            if attribute is not None:
                attribute(storage.nbytes())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        result = call()
    return result, needed


@contextmanager
def _attributed(blocks: list[HieraBlock], of_blocks: list[int], inputs: list[int]) -> Iterator[Callable[[int], None]]:
    """Yield a function that adds bytes to the entry of `of_blocks` whose block runs; `inputs` gets its inputs."""
    running: list[int] = []

    def watch(number: int, block: HieraBlock) -> None:
        run = block.on_grid

        def watched(x: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
            running.append(number)
            inputs[number] += x.nbytes
            result = run(x, grid)
            running.pop()
            return result

        vars(block)["on_grid"] = watched  # a hook would change the layout of the tokens

    for number, block in enumerate(blocks):
        watch(number, block)

    def attribute(count: int) -> None:
        if running:
            of_blocks[running[-1]] += count

    try:
        yield attribute
    finally:
        for block in blocks:
            del vars(block)["on_grid"]


def _prompts(network: VideoNetwork, objects: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Make two points for every object, as a box has them."""
    return torch.empty(*objects, 2, 2), torch.ones(*objects, 2, dtype=torch.long)


def _bytes(parameters: Iterable[nn.Parameter]) -> int:
    return FLOAT_BYTES * sum(each.numel() for each in parameters)


def _gibibytes(count: int) -> str:
    return f"{count / GIBIBYTE:.2f}"
