"""A checkpoint of one layout written in another; there and back again is bit-identical."""

import os
from pathlib import Path
from typing import Unpack

from masklet.checkpoints.layouts import layout_named
from masklet.checkpoints.layouts.meta import META
from masklet.checkpoints.layouts.seed import SEED, config_in_seed_layout
from masklet.checkpoints.other_programs import Program, has_memory, what_others_lack, why_not_run
from masklet.checkpoints.reading import open_checkpoint
from masklet.checkpoints.writing import write_checkpoint_folder, write_pickle
from masklet.configuration import Sam2Config
from masklet.errors import InvalidInputError
from masklet.sources import PICKLE_SUFFIXES, Location, Source, locate_file

PROCESSOR_FILES = (
    "preprocessor_config.json",
    "processor_config.json",
    "video_preprocessor_config.json",
    "automatic_masks.json",
)


def convert(
    source: Source,
    target: str | os.PathLike[str],
    layout: str,
    *,
    max_shard_size: int | str = "5GB",
    **location: Unpack[Location],
) -> str | None:
    """Write the checkpoint `source` (any layout, image or video) to `target` in `layout`.

    "meta": `target` is a .pt file that Meta's code loads: {"model": tensors, "config": today's configuration}, the
    latter for models of other shapes than the released ones. "seed" and "current": `target` is a folder with
    `config.json` and `model.safetensors` (in shards above `max_shard_size`); processor files come along unchanged.
    Tensors keep every bit.

    Returns:
        A sentence on why the program whose layout it is cannot run the network, or else on what it computes in another
        way (`other_programs.py`); None if it does what masklet does.

    Raises:
        CheckpointError: for a source that cannot be read, or a target that cannot be written.
        InvalidInputError: for a layout or target that is none.
    """
    wanted = layout_named(layout)
    is_pickle_name = Path(target).suffix in PICKLE_SUFFIXES
    if is_pickle_name != (wanted is META):
        needed = "a file name ending in .pt" if wanted is META else "a folder"
        raise InvalidInputError(f"Layout {layout!r} is written to {needed}; the target is {os.fspath(target)!r}.")
    config, tensors = open_checkpoint(source, Sam2Config, location)
    renamed = wanted.from_current(tensors)
    with_memory = has_memory(tensors)
    values = {**config.to_dict(), "architectures": ["Sam2VideoModel" if with_memory else "Sam2Model"]}
    if wanted is META:
        write_pickle(target, {"model": renamed, "config": values})
    else:
        write_checkpoint_folder(
            target,
            renamed,
            config_in_seed_layout(values) if wanted is SEED else values,
            max_shard_size=max_shard_size,
            other_files=_processor_files(source, location),
        )
    program = Program.META if wanted is META else Program.TRANSFORMERS
    return why_not_run(program, config, with_memory=with_memory) or what_others_lack(config)


def _processor_files(source: Source, location: Location) -> dict[str, bytes]:
    found = {name: locate_file(source, name, required=False, **location) for name in PROCESSOR_FILES}
    return {name: path.read_bytes() for name, path in found.items() if path is not None}
