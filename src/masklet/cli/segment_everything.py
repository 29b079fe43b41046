"""`masklet segment --everything`: the masks of all that is in images; a folder of them can be continued."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from masklet import __version__
from masklet.cli.everything_options import assigned
from masklet.cli.exit_codes import ExitCode, report_error
from masklet.cli.model_options import load_generator
from masklet.runtimes.names import RuntimeName

if TYPE_CHECKING:
    from rich.progress import Progress

    from masklet.jobs.everything_in_images import EverythingInImages


def opened_job(
    how: tuple[str | None, str | None, str | None, int | None],
    preset: str | None,
    changes: Sequence[str],
    output: Path,
    bands: tuple[int, ...] | None,
    shows_ids: bool,
    runtime: RuntimeName,
) -> EverythingInImages:
    """Load the model and open the folder of the results.

    Args:
        how: the model, the device, the number type and the image size, as `load_generator` takes them.
        preset: the name of settings, or None.
        changes: NAME=VALUE each.
        output: the folder.
        bands: of TIFF images.
        shows_ids: whether overlays show the objects' numbers.
        runtime: how the model runs.
    """
    from masklet.automask.settings import AutomaticMaskSettings
    from masklet.jobs.everything_in_images import EverythingInImages

    generator = load_generator(*how, preset, assigned(changes, AutomaticMaskSettings), runtime)
    return EverythingInImages(generator, output, bands=bands, shows_ids=shows_ids, version=__version__)


def segment_everything(
    paths: Sequence[Path], open_job: Callable[[], EverythingInImages], *, is_debugging: bool
) -> list[ExitCode]:
    """Segment the images that are not finished; print the paths of all results, and what the filters dropped.

    Args:
        paths: of the images.
        open_job: loads the model and opens the folder of the results.
        is_debugging: whether errors are shown with their traceback.

    Returns:
        The exit codes of the images that failed.

    Raises:
        Exit: after Ctrl-C, if there is something to continue.
    """
    from masklet.cli.progress import progress_bar

    with progress_bar() as progress:
        loading = progress.add_task("Loading the model", total=None)
        job = open_job()
        progress.remove_task(loading)
        try:
            return list(filter(None, _codes(job, paths, progress, is_debugging)))
        except KeyboardInterrupt:
            if len(paths) == 1:
                raise
            print(f"Stopped; {job.folder} keeps what is finished: give the same command to continue.", file=sys.stderr)
            raise typer.Exit(ExitCode.INTERRUPTED) from None


def _codes(
    job: EverythingInImages, paths: Sequence[Path], progress: Progress, is_debugging: bool
) -> Iterator[ExitCode]:
    """Yield of each image how it went."""
    is_open = {path: not job.is_finished(path) for path in paths}
    if finished := len(paths) - sum(is_open.values()):
        print(f"Note: {finished} of {len(paths)} images were finished before, with the same settings.", file=sys.stderr)
    images = progress.add_task("Images", total=len(paths), completed=finished)
    points = progress.add_task("Points", total=None)
    for number, path in enumerate(paths, start=1):
        progress.update(images, description=path.name)
        try:
            if is_open[path]:
                masks = job.segment(
                    path, number, lambda done, total: progress.update(points, completed=done, total=total)
                )
                print(f"{path}: {masks.summary()}", file=sys.stderr)
                progress.advance(images)
            print(*job.files_of(path), sep="\n", flush=True)
            yield ExitCode.DONE
        except (OSError, ValueError) as error:
            yield report_error(error, debug=is_debugging, subject=str(path))
