"""`masklet formats`: which formats of annotated data there are, and conversion between them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from masklet.cli.exit_codes import EXPLANATION, ExitCode
from masklet.cli.image_options import MaxImagePixelsOption

formats = typer.Typer(
    help="List the formats of annotated data, or convert between them.",
    rich_markup_mode=None,
    invoke_without_command=True,
)


@formats.callback(epilog=EXPLANATION)
def show(context: typer.Context) -> None:
    """List the formats of annotated data, or convert between them."""
    if context.invoked_subcommand is not None:
        return
    from masklet.formats.reading.opening import LAYOUTS
    from masklet.formats.registry import READERS

    for writer, reader in READERS.items():
        how = "written" if reader is None else "read, written"
        kind = "images" if writer.HOLDS.images else "videos"
        print(f"{writer.NAME:19} {how:13}  {kind}  {writer.TITLE}: {writer.LAYOUT}")
    for layout in LAYOUTS:
        if layout not in READERS.values():
            print(f"{'':19} {'read':13}  {layout.NAME}: {layout.LAYOUT}")


@formats.command(epilog=EXPLANATION)
def convert(
    source: Annotated[Path, typer.Argument(help="A folder or file that `masklet data check` reads.")],
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="One of `masklet formats`.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A new folder, or that of a stopped conversion.")],
    strict: Annotated[bool, typer.Option("--strict", help="Refuse what the format cannot hold.")] = False,
    polygons: Annotated[bool, typer.Option("--polygons", help="Of coco: outlines in place of run lengths.")] = False,
    images: Annotated[bool, typer.Option("--images/--no-images", help="Copy the images, or only name them.")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what would be lost, and write nothing.")] = False,
    max_image_pixels: MaxImagePixelsOption = None,
) -> None:
    """Write annotated images or videos in another format, and report on stderr what it cannot hold.

    A conversion that was stopped goes on where it was when the same command is given again.
    """
    from masklet.cli.interruption import noticed_interruption
    from masklet.cli.progress import progress_bar
    from masklet.jobs.conversion import convert_dataset

    with noticed_interruption() as interruption, progress_bar() as bar:
        task = bar.add_task(f"Converting to {to}", total=None)
        conversion = convert_dataset(
            source,
            output,
            to,
            strict=strict,
            polygons=polygons,
            copies_images=images,
            dry_run=dry_run,
            on_item=lambda done, total: bar.update(task, completed=done, total=total),
            should_stop=lambda: interruption.was_asked_for,
        )
    if not conversion.is_finished:
        print("Stopped." if dry_run else "Stopped; the same command goes on.", file=sys.stderr)
        raise typer.Exit(ExitCode.INTERRUPTED)
    if not dry_run:
        print(output)
    elif not conversion.losses:
        print("Nothing would be lost.", file=sys.stderr)
    for loss, count in sorted(conversion.losses.items()):
        print(f"{'Would be lost' if dry_run else 'Lost'}: {count} {loss}.", file=sys.stderr)
