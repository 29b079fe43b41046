"""`masklet segment`: masks of objects in images by prompts."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.cli.everything_options import EverythingOption, MaskPresetOption, SettingsOption, check_everything
from masklet.cli.exit_codes import ExitCode, report_error
from masklet.cli.image_options import BandsOption, IdsOption, MaxImagePixelsOption, parsed_bands
from masklet.cli.model_options import (
    DataTypeOption,
    DeviceOption,
    ImageSizeOption,
    ModelOption,
    RuntimeOption,
    ZoomOption,
    load_segmenter,
)
from masklet.cli.segment_everything import opened_job, segment_everything
from masklet.cli.segment_options import (
    BoxesOption,
    ImagesArgument,
    MasksOption,
    MultimaskOption,
    PointsOption,
    PromptsOption,
)
from masklet.errors import InvalidInputError
from masklet.runtimes.names import RuntimeName

if TYPE_CHECKING:
    from masklet.media.prompt_entries import PromptEntry
    from masklet.predictors.image_segmenter import ImageSegmenter

Work = Mapping[Path, "Sequence[PromptEntry]"]


def segment(
    context: typer.Context,
    images: ImagesArgument = None,
    point: PointsOption = None,
    box: BoxesOption = None,
    mask: MasksOption = None,
    prompts: PromptsOption = None,
    multimask: MultimaskOption = False,
    everything: EverythingOption = False,
    preset: MaskPresetOption = None,
    changes: SettingsOption = None,
    ids: IdsOption = False,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="The folder to write to.")] = Path(
        "masklet-output"
    ),
    model: ModelOption = None,
    device: DeviceOption = None,
    dtype: DataTypeOption = None,
    image_size: ImageSizeOption = None,
    runtime: RuntimeOption = RuntimeName.AUTO,
    zoom: ZoomOption = False,
    bands: BandsOption = None,
    max_image_pixels: MaxImagePixelsOption = None,
) -> None:
    """Segment objects in images by points, boxes and masks, or everything in them.

    For each image OUT gets NAME_overlay.png, NAME_mask.png and NAME.json (COCO run lengths and scores); with
    --multimask also NAME_candidate1_overlay.png and so on to NAME_candidate3.json. Their paths are printed.

    --everything needs no prompts: the model is asked on a grid of points, and NAME_mask.png is a label map of 16 bits.
    A line on stderr counts the masks that each filter left. The same command again does what is not finished.

    Several objects: each --box and each --mask is an object of its own, numbered 1, 2, ... in order; of a label map
    each object is, by its id; points belong to object 1. @N behind a value assigns it to object N: --point 320,200@2.
    The same prompts go for every image.

    Prompts per image come from a JSON file, {"street.jpg": [{"points": [[320, 200], [350, 240, 0]]}, {"box": [15, 80,
    310, 400]}]}: for each image, by its path from the file's folder, a list of objects with "points", "box" and "mask"
    (a file), and an "id" if it is not the place in the list. Without IMAGE all images of the file are done.
    """
    options = {"--point": point or [], "--box": box or [], "--mask": mask or []}
    prompting = {**options, "--prompts": prompts, "--multimask": multimask, "--zoom": zoom}
    check_everything(everything, prompts=prompting, settings={"--preset": preset, "--set": changes})
    paths = _image_files(images or [])
    work = _without_prompts(paths) if everything else _work(paths, tuple(options.values()), prompts)
    _check_output(work, output, multimask)
    how, is_debugging = (model, device, dtype, image_size), context.find_root().params["debug"]
    if everything:
        opened = partial(opened_job, how, preset, changes or [], output, parsed_bands(bands), ids, runtime)
        failures = segment_everything(paths, opened, is_debugging=is_debugging)
    else:
        drawn = (output, multimask, parsed_bands(bands), ids)
        failures = _segment_all(
            work, partial(load_segmenter, *how, zoom, runtime=runtime), *drawn, is_debugging=is_debugging
        )
    if failures:
        raise typer.Exit(failures[0] if len(failures) == len(work) else ExitCode.SOME_FAILED)


def _image_files(paths: Sequence[Path]) -> list[Path]:
    """Return the image files, for a folder those directly in it."""
    from masklet.media.frame_folders import frames_of_folder

    images: list[Path] = []
    for path in paths:
        inside = frames_of_folder(path) if path.is_dir() else [path]
        if not inside:
            raise InvalidInputError(f"The folder {path} holds no images.")
        images += inside
    return images


def _without_prompts(paths: Sequence[Path]) -> Work:
    if not paths:
        raise InvalidInputError("No image is given: masklet segment IMAGE... --everything")
    return dict.fromkeys(paths, ())


def _work(paths: Sequence[Path], options: tuple[list[str], ...], prompts: Path | None) -> Work:
    """Return the objects of each image, from the options or from the prompt file."""
    from masklet.cli.prompt_options import objects_of_options
    from masklet.media.prompt_entries import read_prompt_file

    objects = objects_of_options(*options)
    if prompts is None:
        if not paths:
            raise InvalidInputError("No image is given: masklet segment IMAGE... --point x,y")
        if not objects:
            raise InvalidInputError(
                "There is nothing to segment by; give --point, --box, --mask or --prompts, or --everything."
            )
        return dict.fromkeys(paths, objects)
    if objects:
        raise InvalidInputError("Give prompts either by --prompts or by --point, --box and --mask, not both.")
    objects_of = read_prompt_file(prompts)
    if not paths:
        return objects_of
    by_file = {os.path.realpath(path): entries for path, entries in objects_of.items()}
    missing = [str(path) for path in paths if os.path.realpath(path) not in by_file]
    if missing:
        raise InvalidInputError(f"{prompts} has no prompts for {', '.join(missing)}; paths in it start at its folder.")
    return {path: by_file[os.path.realpath(path)] for path in paths}


def _check_output(work: Work, output: Path, multimask: bool) -> None:
    """Refuse, before any work, what could not be written: results that overwrite each other, too high numbers, ..."""
    from masklet.jobs.prompted_image import CANDIDATES, candidate_name
    from masklet.media.label_maps import check_label_ids

    if output.exists() and not output.is_dir():
        raise InvalidInputError(f"-o {output} is a file; give a folder.")
    path_of: dict[str, Path] = {}
    for path, objects in work.items():
        if len(objects) > 1:  # one alone is written in black and white
            check_label_ids(each.object_id for each in objects)
        ranks = range(1, CANDIDATES + 1) if multimask else ()
        for name in (path.stem, *(candidate_name(path, rank) for rank in ranks)):
            other = path_of.setdefault(name, path)
            if other != path:
                raise InvalidInputError(
                    f"{other} and {path} would both be written to {output / name}.json; give them to two folders."
                )


def _segment_all(
    work: Work,
    load: Callable[[], ImageSegmenter],
    output: Path,
    multimask: bool,
    bands: tuple[int, ...] | None,
    ids: bool,
    *,
    is_debugging: bool,
) -> list[ExitCode]:
    """Load the model, segment all images and print the paths of the results; return the codes of those that failed."""
    from masklet.atomic_files import remove_unfinished
    from masklet.cli.progress import progress_bar
    from masklet.jobs.prompted_image import segment_image

    remove_unfinished(output)
    failures = []
    with progress_bar() as progress:
        task = progress.add_task("Loading the model", total=None)
        segmenter = load()
        progress.update(task, total=len(work))
        for path, objects in work.items():
            progress.update(task, description=path.name)
            try:
                for written in segment_image(
                    segmenter, path, objects, output, multimask=multimask, bands=bands, ids=ids
                ):
                    print(written, flush=True)
            except (OSError, ValueError) as error:
                failures.append(report_error(error, debug=is_debugging, subject=str(path)))
            progress.advance(task)
    return failures
