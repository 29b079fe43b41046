"""`masklet data`: whether annotated images and videos can be used."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.atomic_files import remove_unfinished, written_whole
from masklet.cli.exit_codes import ExitCode
from masklet.cli.image_options import MaxImagePixelsOption

if TYPE_CHECKING:
    from collections.abc import Iterator

    from masklet.datasets.checking import DatasetReport
    from masklet.datasets.examination import Findings

CHECK_EXIT_CODES = (
    "Exit codes: 0 no errors, perhaps remarks; 1 there are errors; "
    "2 ROOT is in no known layout; 3 the report cannot be written; "
    "130 interrupted; 143 terminated."
)

data = typer.Typer(help="Check annotated images and videos.", rich_markup_mode=None)


@data.callback()
def choose() -> None:
    """Check annotated images and videos."""


@data.command(epilog=CHECK_EXIT_CODES)
def check(
    root: Annotated[
        Path, typer.Argument(help="A folder in a layout of docs/data.md, a COCO file or a list of sequences.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", "--json", help="Write all that was found to this JSON file.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Print at most so many problems of a kind.")] = 20,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Read so many images or videos at a time; all processors by default.")
    ] = None,
    structure: Annotated[
        bool, typer.Option("--structure", help="Read names and annotation files only, no images and masks.")
    ] = False,
    max_image_pixels: MaxImagePixelsOption = None,
) -> None:
    """Read everything under ROOT, and report its contents and what is wrong with them, and where.

    Errors keep data from being used; remarks do not. A training begins with the --structure check of its data.
    """
    from masklet.cli.progress import progress_bar
    from masklet.datasets.checking import check_dataset, check_structure

    if structure:
        report = check_structure(root)
    else:
        with progress_bar() as bar:
            task = bar.add_task("Checking", total=None)
            report = check_dataset(
                root, lambda done, total: bar.update(task, completed=done, total=total), workers=workers
            )
    if output is not None:
        remove_unfinished(output.parent)
        with written_whole(output) as unfinished:
            unfinished.write_text(json.dumps(report.to_json(), indent=1) + "\n", "utf-8")
    for line in (f"{report.root}: {report.layout}", *_contents(report.findings), *_problems(report, limit)):
        print(line)
    if report.errors:
        raise typer.Exit(ExitCode.SOME_FAILED)


def _contents(found: Findings) -> Iterator[str]:
    """Yield a line for everything of which there is something."""
    names = ("images", "videos", "frames", "annotated_frames", "objects")
    rows = [(name.replace("_", " "), f"{getattr(found, name):,}") for name in names if getattr(found, name)]
    if found.sizes:
        smallest, largest = (f"{width} x {height}" for height, width in (min(found.sizes), max(found.sizes)))
        sizes = smallest if smallest == largest else f"{smallest} to {largest}, {len(found.sizes)} different"
        rows.append(("sizes", sizes))
    rows += [("left out", f"{count} {reason}") for reason, count in found.left_out.items()]
    return (f"  {name:16}  {value}" for name, value in rows)


def _problems(report: DatasetReport, limit: int) -> Iterator[str]:
    """Yield the problems kind by kind, errors first, and at the end how many there are."""
    by_kind = defaultdict(list)
    for problem in report.problems:
        by_kind[problem.kind].append(problem)
    for kind in sorted(by_kind, key=lambda kind: not kind.is_error):
        problems = by_kind[kind]
        yield f"{'Error' if kind.is_error else 'Remark'}: {kind} ({len(problems)})"
        yield from (f"  {each.place}: {each.detail}" for each in problems[:limit])
        if len(problems) > limit:
            yield f"  and {len(problems) - limit} more, which --json and a higher --limit show"
    errors = len(report.errors)
    yield f"{errors} errors, {len(report.problems) - errors} remarks."
