"""Why another program cannot run a network that masklet saved, or what it computes in another way."""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Any

from masklet.checkpoints.layouts.current import VIDEO_ONLY_PATTERNS
from masklet.configuration import Config, Sam2Config, Sam2HieraDetConfig


class Program(StrEnum):
    """The other programs whose files masklet writes."""

    TRANSFORMERS = "transformers"
    META = "Meta's sam2"


BUILT_IN_BY_META = {
    "vision_config.backbone_config": (
        "num_channels",
        "patch_kernel_size",
        "patch_padding",
        "mlp_ratio",
        "hidden_act",
        "layer_norm_eps",
    ),
    "prompt_encoder_config": ("mask_input_channels", "num_point_embeddings", "hidden_act", "layer_norm_eps"),
    "mask_decoder_config": (
        "mlp_dim",
        "num_hidden_layers",
        "num_attention_heads",
        "attention_downsample_rate",
        "num_multimask_outputs",
        "iou_head_depth",
        "iou_head_hidden_dim",
        "hidden_act",
    ),
    "": ("memory_fuser_hidden_act",),
}
"""Fields that no configuration of Meta's sam2 changes: by part, those that must be as in the released models."""
MEMORY_CHANNELS_OF_TRANSFORMERS = 64
MEMORY_FUSER_RATIO_OF_META = 4


def has_memory(tensor_names: Iterable[str]) -> bool:
    """Return whether a checkpoint with these tensors, named as masklet does, has a video part."""
    return any(re.match(pattern, name) for pattern in VIDEO_ONLY_PATTERNS for name in tensor_names)


def obstacles(program: Program, config: Config, *, with_memory: bool) -> list[str]:
    """Return the reasons why `program` cannot run a network; empty if it can.

    Args:
        program: whose file or folder it is.
        config: of the whole network, or of a part of it (the vision encoder, its backbone).
        with_memory: whether the checkpoint has the video part.
    """
    vision = getattr(config, "vision_config", config)
    backbone = getattr(vision, "backbone_config", vision)
    found = _obstacles_of_any_hiera(backbone) if isinstance(backbone, Sam2HieraDetConfig) else []
    if program is Program.META:
        assert isinstance(config, Sam2Config)  # parts are not converted
        return [*found, *_obstacles_of_meta(config, with_memory)]
    channels = getattr(config, "memory_encoder_output_channels", MEMORY_CHANNELS_OF_TRANSFORMERS)
    if with_memory and channels != MEMORY_CHANNELS_OF_TRANSFORMERS:
        expected = f"where there are always {MEMORY_CHANNELS_OF_TRANSFORMERS}"
        found.append(f"memory_encoder_output_channels={channels}, {expected} in its video model")
    return found


def why_not_run(program: Program, config: Config, *, with_memory: bool) -> str | None:
    """Return a sentence that names all obstacles (arguments: see there); None if there are none."""
    reasons = obstacles(program, config, with_memory=with_memory)
    return f"{program} cannot run this network: {'; '.join(reasons)}." if reasons else None


def what_others_lack(config: Sam2Config) -> str | None:
    """Return what a network of this configuration does that other programs do not; None if it does nothing more."""
    lacking = []
    if config.prompt_encoder_config.draws_boxes:
        lacking.append(
            "this network was trained to see a box as a drawn mask, too (draws_boxes), which no other program does: "
            "there its masks from boxes are worse than in masklet."
        )
    if not config.binarize_mask_from_pts_for_mem_enc:
        lacking.append(
            "in videos this network encodes soft masks of clicks into memory: set that in Meta's sam2 "
            "(binarize_mask_from_pts_for_mem_enc=false); transformers cannot do it."
        )
    return " ".join(lacking) or None


def _obstacles_of_any_hiera(backbone: Sam2HieraDetConfig) -> list[str]:
    """Return what neither program's Hiera can be configured to."""
    found = []
    first_blocks = [sum(backbone.blocks_per_stage[:stage]) for stage in range(1, len(backbone.blocks_per_stage))]
    pooling = first_blocks[: backbone.num_query_pool_stages]
    for block in sorted({*pooling} & {*backbone.global_attention_blocks}):
        # Both divide the window by the query stride to put the pooled windows together; no windows are size 0.
        found.append(f"global attention in block {block}, which opens a stage and pools its queries")
    window, size = backbone.window_size_per_stage[0], backbone.image_size
    for side, stride in zip([size] * 2 if isinstance(size, int) else size, backbone.patch_stride, strict=True):
        if side // stride % window:
            # They repeat the positions of a window as often as it fits in whole.
            found.append(f"image_size={side}, whose {side // stride} tokens in a row are not whole windows of {window}")
            break
    return found


def _obstacles_of_meta(config: Sam2Config, with_memory: bool) -> list[str]:
    found = []
    backbone = config.vision_config.backbone_config
    for name in ("embed_dim_per_stage", "num_attention_heads_per_stage"):
        values = getattr(backbone, name)
        if not _grow_by_one_factor(values):
            found.append(f"{name}={values}, which do not grow by one factor, as doubling would be")
    for path, fields in BUILT_IN_BY_META.items():
        part: Any = config
        for name in filter(None, path.split(".")):
            part = getattr(part, name)
        for field in fields:
            value, built_in = getattr(part, field), getattr(type(part), field)
            if value != built_in:
                found.append(f"{f'{path}.' if path else ''}{field}={value}, always {built_in} there")
    ratio = MEMORY_FUSER_RATIO_OF_META
    if config.memory_fuser_intermediate_dim != ratio * config.memory_fuser_embed_dim:
        needed = f"always {ratio} times memory_fuser_embed_dim there"
        found.append(f"memory_fuser_intermediate_dim={config.memory_fuser_intermediate_dim}, {needed}")
    channels = config.memory_encoder_output_channels
    if channels == config.memory_encoder_hidden_size:
        found.append(f"memory_encoder_output_channels={channels}, as many as before, which it would not project")
    if not with_memory:
        found.append("it has no video part (Sam2Model), without which Meta's files are not loaded")
    return found


def _grow_by_one_factor(values: Sequence[int]) -> bool:
    """Return whether each value is the one before it times the same number, rounded down."""
    factor = values[1] / values[0] if len(values) > 1 else 1.0
    return all(int(before * factor) == after for before, after in pairwise(values))
