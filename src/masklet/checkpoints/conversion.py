"""A checkpoint of one layout written in another; there and back again is bit-identical."""

import os
import re
from pathlib import Path
from typing import Unpack

from masklet.checkpoints.layouts import layout_named
from masklet.checkpoints.layouts.current import VIDEO_ONLY_PATTERNS
from masklet.checkpoints.layouts.meta import META
from masklet.checkpoints.layouts.seed import SEED, config_in_seed_layout
from masklet.checkpoints.opening import open_checkpoint
from masklet.checkpoints.renaming import Tensors
from masklet.checkpoints.writing import write_checkpoint_folder, write_pickle
from masklet.configuration import Sam2Config
from masklet.errors import InvalidInputError
from masklet.sources import PICKLE_SUFFIXES, Location, Source, locate_file

PROCESSOR_FILES = ("preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json")


def convert(
    source: Source,
    target: str | os.PathLike[str],
    layout: str,
    *,
    max_shard_size: int | str = "5GB",
    **location: Unpack[Location],
) -> Sam2Config:
    """Write the checkpoint `source` (any layout, image or video) to `target` in `layout`.

    "meta": `target` is a .pt file that Meta's code loads: {"model": tensors, "config": today's configuration}, the
    latter for models of other shapes than the released ones. "seed" and "current": `target` is a folder with
    `config.json` and `model.safetensors` (in shards above `max_shard_size`); processor files come along unchanged.
    Tensors keep every bit. Returns the configuration, of which other programs know nothing but what is SAM 2's
    (see `what_others_lack`). Raises `CheckpointError`, and `InvalidInputError` for a layout or target that is none.
    """
    wanted = layout_named(layout)
    is_pickle_name = Path(target).suffix in PICKLE_SUFFIXES
    if is_pickle_name != (wanted is META):
        needed = "a file name ending in .pt" if wanted is META else "a folder"
        raise InvalidInputError(f"Layout {layout!r} is written to {needed}; the target is {os.fspath(target)!r}.")
    config, tensors = open_checkpoint(source, Sam2Config, location)
    renamed = wanted.from_current(tensors)
    values = {**config.to_dict(), "architectures": [_architecture(tensors)]}
    if wanted is META:
        write_pickle(target, {"model": renamed, "config": values})
        return config
    write_checkpoint_folder(
        target,
        renamed,
        config_in_seed_layout(values) if wanted is SEED else values,
        max_shard_size=max_shard_size,
        other_files=_processor_files(source, location),
    )
    return config


def what_others_lack(config: Sam2Config) -> str | None:
    """What a network of this configuration does that other programs do not; None if it does nothing more."""
    lacking = []
    if config.prompt_encoder_config.draws_boxes:
        lacking.append(
            "this network was trained to see a box as a drawn mask, too (draws_boxes), which no other program does: "
            "there its masks from boxes are worse than in masklet."
        )
    if not config.binarize_mask_from_pts_for_mem_enc:
        lacking.append(
            "in videos this network remembers masks of clicks as soft as they are: Meta's sam2 is to be told so "
            "(binarize_mask_from_pts_for_mem_enc=false), transformers cannot be."
        )
    return " ".join(lacking) or None


def _architecture(tensors: Tensors) -> str:
    has_video_part = any(re.match(pattern, name) for pattern in VIDEO_ONLY_PATTERNS for name in tensors)
    return "Sam2VideoModel" if has_video_part else "Sam2Model"


def _processor_files(source: Source, location: Location) -> dict[str, bytes]:
    found = {name: locate_file(source, name, required=False, **location) for name in PROCESSOR_FILES}
    return {name: path.read_bytes() for name, path in found.items() if path is not None}
