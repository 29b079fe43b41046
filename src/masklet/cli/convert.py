"""`masklet convert`: checkpoints between layouts."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class LayoutName(StrEnum):
    """The layouts that `masklet.checkpoints.layouts` knows."""

    META = "meta"
    SEED = "seed"
    CURRENT = "current"


def convert(
    source: Annotated[str, typer.Argument(help="Folder, weight file or hub id, in any layout.", show_default=False)],
    target: Annotated[Path, typer.Argument(help="A folder; for meta a file ending in .pt.", show_default=False)],
    to: Annotated[LayoutName, typer.Option("--to", help="The layout to write.")] = LayoutName.CURRENT,
) -> None:
    """Write a checkpoint in another layout; every bit of the weights is kept.

    current: config.json and model.safetensors as masklet and transformers read them. seed: the same with the names of
    earlier transformers versions. meta: one .pt file as Meta's sam2 reads it. If that program cannot run the network, a
    line on stderr gives the reason.
    """
    from masklet.atomic_files import remove_unfinished
    from masklet.cli.progress import progress_bar

    remove_unfinished(target.parent)
    with progress_bar() as progress:
        progress.add_task(f"Converting {source}", total=None)
        from masklet.checkpoints import conversion

        note = conversion.convert(source, target, to.value)
        if target.is_dir() and not any((target / name).exists() for name in conversion.PROCESSOR_FILES):
            from masklet.processing.image_processor import Sam2ImageProcessorFast

            # Files of weights alone come without settings; programs for the folder want them.
            Sam2ImageProcessorFast.from_pretrained(target).save_pretrained(target)
    print(target)
    if note is not None:
        print(f"Note: {note}", file=sys.stderr)
