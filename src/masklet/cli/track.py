"""`masklet track`: a video and prompts in, the objects' masks on every frame out."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.atomic_files import check_writable, remove_unfinished
from masklet.cli.exit_codes import ExitCode
from masklet.cli.image_options import MaxImagePixelsOption
from masklet.cli.model_options import (
    CompileOption,
    DataTypeOption,
    DeviceOption,
    ImageSizeOption,
    ModelOption,
    PresetOption,
    load_tracker,
)
from masklet.cli.track_choices import Direction, Product
from masklet.cli.track_plan import parsed_range
from masklet.configuration.tracking_presets import TrackingPreset
from masklet.errors import InvalidInputError

if TYPE_CHECKING:
    from masklet.cli.track_outputs import TrackOutputs
    from masklet.cli.track_run import TrackingTask
    from masklet.media.video_reader import VideoReader
    from masklet.video_tracking import VideoTracker

MOST_PROBLEMS_SHOWN = 10


def track(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="A video file, or a folder of frames.")],
    point: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X,Y[,LABEL][@FRAME:N]", help="A click in pixels; label 1 (default): on the object, 0: off it."
        ),
    ] = None,
    box: Annotated[list[str] | None, typer.Option(metavar="X1,Y1,X2,Y2[@FRAME:N]", help="A box in pixels.")] = None,
    mask: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE[@FRAME:N]", help="A mask as large as the video, not black inside, or a label map."),
    ] = None,
    direction: Annotated[Direction, typer.Option(help="Where to go from the prompted frames.")] = Direction.FORWARD,
    frames: Annotated[str | None, typer.Option("--range", metavar="A:B", help="Track frames A to B - 1 only.")] = None,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="The folder to write to.")] = Path(
        "masklet-output"
    ),
    write: Annotated[
        list[Product] | None,
        typer.Option(metavar="WHAT", help=f"{', '.join(Product)}: beside the JSON file; repeatable; default: overlay."),
    ] = None,
    save_session: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep the session, to correct it or go on by --resume.")
    ] = None,
    resume: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Go on with a session that was kept.")] = None,
    model: ModelOption = None,
    device: DeviceOption = None,
    dtype: DataTypeOption = None,
    image_size: ImageSizeOption = None,
    preset: PresetOption = TrackingPreset.EXACT,
    is_compiled: CompileOption = False,
    max_image_pixels: MaxImagePixelsOption = None,
) -> None:
    """Follow objects through a video, from points, boxes and masks on any of its frames.

    OUT gets NAME.json (COCO run lengths and scores of every frame) and NAME_overlay.mp4, or what --write asks for:
    NAME_sheet.png, a few frames at a glance; NAME_masks/00000.png and so on, label maps laid out as DAVIS is;
    NAME_object1.mp4 and so on, each object's mask. Their paths are printed.

    @FRAME behind a value says on which frame it is meant (from 0; default: the first that is tracked), :N of which
    object: --point 320,200@30:2. Without it each --box and each --mask is an object of its own, points are object 1's.

    Ctrl-C ends after the frame at hand: what was tracked is written, and the session is kept. Prompts that are given
    with --resume correct it: from there on frames are tracked again.
    """
    from masklet.cli.track_outputs import TrackOutputs
    from masklet.cli.track_prompts import prompts_of_options
    from masklet.cli.track_run import TrackingTask
    from masklet.media.video_reader import open_video

    with open_video(video) as reader:
        wanted = parsed_range(frames, len(reader))
        prompts = prompts_of_options(point or [], box or [], mask or [], wanted.start)
        task = TrackingTask(prompts, wanted, direction, resume)
        outputs = TrackOutputs(output, video.resolve().stem, tuple(write or [Product.OVERLAY]))
        _check(task, outputs, reader, save_session)
        tracker = load_tracker(model, device, dtype, image_size, preset, is_compiled)
        _track(tracker, reader, task, outputs, save_session)


def _check(task: TrackingTask, outputs: TrackOutputs, video: VideoReader, save_session: Path | None) -> None:
    """Refuse, before the model is loaded, what could not be tracked or written."""
    from masklet.cli.track_prompts import absences

    if not task.prompts and task.resumed is None:
        raise InvalidInputError("There is nothing to track; give --point, --box or --mask.")
    for each in task.prompts:
        if each.frame not in task.frames:
            raise InvalidInputError(
                f"A prompt is on frame {each.frame}; tracked are frames {task.frames.start} to {task.frames.stop - 1}."
            )
        each.check(video.height, video.width)
    for absence in absences(task.prompts, video.height, video.width, is_resumed=task.resumed is not None):
        print(f"Warning: {absence}", file=sys.stderr)
    outputs.check(each.prompt.object_id for each in task.prompts)
    if save_session is not None:
        check_writable(save_session)


def _track(
    tracker: VideoTracker, video: VideoReader, task: TrackingTask, outputs: TrackOutputs, save_session: Path | None
) -> None:
    """Track, keep the session where that was asked for or the work is not finished, and write the results."""
    from masklet.cli.progress import MemoryInUse, PerSecond, progress_bar
    from masklet.cli.track_run import TrackingRun
    from masklet.media.recorded_masks import RecordedMasks

    remove_unfinished(outputs.folder)
    columns = (PerSecond("frames"), MemoryInUse(), "objects: {task.fields[objects]}")
    with RecordedMasks(video.height, video.width) as recorded:
        run = TrackingRun.begin(tracker, video, recorded, task)
        outputs.check(run.tracked.object_ids)  # those of a session that goes on, too
        with progress_bar(*columns) as progress:
            ending = run.follow(task, progress)
        session = save_session or (task.resumed or outputs.session if ending else None)
        if session is not None:
            run.save(session)
        if isinstance(ending, KeyboardInterrupt):
            print(f"Stopped; the session is kept, go on with: --resume {shlex.quote(str(session))}", file=sys.stderr)
        with progress_bar() as progress:
            for path in outputs.write(video, recorded, task.prompts, progress):
                print(path, flush=True)
    _warn_of_problems(video)
    if isinstance(ending, KeyboardInterrupt):
        raise typer.Exit(ExitCode.INTERRUPTED)
    if ending is not None:
        raise ending


def _warn_of_problems(video: VideoReader) -> None:
    for problem in video.problems[:MOST_PROBLEMS_SHOWN]:
        print(f"Warning: {video.name}: {problem}", file=sys.stderr)
    if len(video.problems) > MOST_PROBLEMS_SHOWN:
        print(f"Warning: {video.name}: {len(video.problems)} problems in all.", file=sys.stderr)
