"""`masklet track`: a video and prompts in, the objects' masks on every frame out."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from masklet.atomic_files import remove_unfinished
from masklet.cli.everything_options import EverythingOption, SettingsOption, check_everything
from masklet.cli.exit_codes import ExitCode
from masklet.cli.image_options import IdsOption, MaxImagePixelsOption
from masklet.cli.model_options import (
    CompileOption,
    DataTypeOption,
    DeviceOption,
    ImageSizeOption,
    ModelOption,
    PresetOption,
    RuntimeOption,
    load_tracker,
    runtime_asked_for,
)
from masklet.cli.track_choices import (
    SAVE_EVERY,
    BoxesOption,
    DirectionOption,
    LookbackOption,
    MasksOption,
    OutputOption,
    PointsOption,
    PolicyOption,
    RangeOption,
    ResumeOption,
    SaveEveryOption,
    SaveSessionOption,
    WriteOption,
    ZoomOption,
)
from masklet.cli.track_everything import everything_request, is_everything, show_objects
from masklet.configuration.presets import SpeedPreset
from masklet.jobs.track_products import Product
from masklet.runtimes.names import RuntimeName

if TYPE_CHECKING:
    from masklet.jobs.run import Ending
    from masklet.jobs.track_outputs import TrackOutputs
    from masklet.jobs.tracking_journal import SavedTracking, TrackingJournal
    from masklet.jobs.tracking_requests import TrackingRequest, Work
    from masklet.media.video_reader import VideoReader
    from masklet.predictors.video_tracker import VideoTracker
    from masklet.tracking.frame_order import Direction

MOST_PROBLEMS_SHOWN = 10


def track(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="A video file, or a folder of frames.")],
    point: PointsOption = None,
    box: BoxesOption = None,
    mask: MasksOption = None,
    everything: EverythingOption = False,
    policy: PolicyOption = None,
    changes: SettingsOption = None,
    looks_back: LookbackOption = False,
    direction: DirectionOption = None,
    frames: RangeOption = None,
    output: OutputOption = Path("masklet-output"),
    write: WriteOption = None,
    ids: IdsOption = False,
    save_session: SaveSessionOption = None,
    save_every: SaveEveryOption = SAVE_EVERY,
    resume: ResumeOption = None,
    model: ModelOption = None,
    device: DeviceOption = None,
    dtype: DataTypeOption = None,
    image_size: ImageSizeOption = None,
    preset: PresetOption = SpeedPreset.EXACT,
    runtime: RuntimeOption = RuntimeName.AUTO,
    is_compiled: CompileOption = False,
    zoom: ZoomOption = False,
    max_image_pixels: MaxImagePixelsOption = None,
) -> None:
    """Track objects through a video, from points, boxes and masks on any of its frames, or everything in it.

    OUT gets NAME.json (COCO run lengths and scores of every frame) and NAME_overlay.mp4, or what --write asks for:
    NAME_sheet.png, a few frames; NAME_masks/00000.png and so on, label maps as in DAVIS; NAME_object1.mp4 and so on,
    each object's mask. --everything needs no prompts: objects are found as they appear, and keep their numbers.

    @FRAME behind a value is its frame (from 0; default: the first tracked one), :N its object: --point 320,200@30:2.
    Without :N each --box and each --mask is an object of its own, and all points are prompts of object 1.

    The session is saved every half minute, and on Ctrl-C, which stops after the current frame and writes the results so
    far: in the folder of --save-session, else in OUT/NAME_session, which is removed when all is done. --resume with
    that folder continues with the frames and the direction that were asked for, also after a kill. Prompts beside it
    are corrections: from their frame on everything is tracked again.
    """
    from masklet.cli.track_sessions import check_sessions, check_zoom, opened_journal, saved_tracking
    from masklet.jobs.track_outputs import TrackOutputs
    from masklet.media.video_reader import open_video

    saved, asked_runtime = saved_tracking(resume), runtime_asked_for(runtime, is_compiled)
    own = {"--policy": policy, "--set": changes, "--lookback": looks_back}
    prompts = {"--point": point or [], "--box": box or [], "--mask": mask or []}
    with open_video(video) as reader:
        outputs = TrackOutputs(output, Path(os.path.realpath(video)).stem, tuple(write or [Product.OVERLAY]), ids)
        check_zoom(zoom, saved)
        finds_objects = everything or is_everything(saved)
        request = _request(finds_objects, own, prompts, (frames, direction), saved, reader, zoom)
        outputs.check(request.object_ids)
        check_sessions(save_session, saved, outputs.session)
        with opened_journal(save_session, saved, outputs.session, save_every) as journal:
            tracker = load_tracker(model, device, dtype, image_size, preset, asked_runtime)
            _track(tracker, reader, request, outputs, journal)
        if saved is not None and save_session is not None:
            saved.forget(save_session)


def _request(
    finds_objects: bool,
    own: Mapping[str, Any],
    prompts: Mapping[str, list[str]],
    where: tuple[str | None, Direction | None],
    saved: SavedTracking | None,
    video: VideoReader,
    zoom: bool,
) -> TrackingRequest:
    """Return what is asked for; refuse, before the model is loaded, what does not go together or cannot be tracked."""
    from masklet.cli.track_prompts import prompted_request

    frames, direction = where
    if finds_objects:
        return everything_request(own, saved, {**prompts, "--direction": direction, "--range": frames}, zoom)
    check_everything(False, prompts={}, settings=own)
    return prompted_request(list(prompts.values()), frames, direction, saved, video, zoom)


def _track(
    tracker: VideoTracker, video: VideoReader, request: TrackingRequest, outputs: TrackOutputs, journal: TrackingJournal
) -> None:
    """Track, save the session where that was asked for or the work is not finished, and write the results."""
    from masklet.cli.progress import progress_bar
    from masklet.media.recorded_masks import RecordedMasks

    with RecordedMasks(video.height, video.width) as recorded:
        work = request.begin(tracker, video, recorded)
        tracked, everything = work.job.tracked, work.everything
        outputs.check(tracked.object_ids)  # those of a session that is resumed, too
        remove_unfinished(outputs.folder)
        ending = _run(work, journal)
        records = None if everything is None else everything.objects
        with progress_bar() as progress:
            for path in outputs.write(video, recorded, tracked.drawn_prompts(), records, progress.track):
                print(path, flush=True)
    if everything is not None:
        show_objects(everything.objects, everything.refused)
    _warn_of_problems(video)
    if ending.error is not None:
        raise ending.error
    if not ending.is_finished:
        raise typer.Exit(ExitCode.INTERRUPTED)
    if not work.job.open_frames:
        journal.finish()


def _run(work: Work, journal: TrackingJournal) -> Ending:
    """Track with a progress bar until all is done or somebody presses Ctrl-C, and save the session if need be."""
    from masklet.cli.interruption import noticed_interruption
    from masklet.cli.progress import MemoryInUse, PerSecond, progress_bar
    from masklet.jobs.run import Ending

    columns = (PerSecond("frames"), MemoryInUse(), "objects: {task.fields[objects]}")
    with noticed_interruption() as interruption:
        with progress_bar(*columns) as progress:
            bar = progress.add_task("Tracking", total=None, objects=len(work.job.tracked.object_ids))
            ending = work.run(
                journal=journal,
                should_stop=lambda: interruption.was_asked_for,
                on_frame=lambda done, total, objects: progress.update(
                    bar, completed=done, total=total, objects=objects
                ),
            )
        if ending.is_finished and not journal.is_kept:
            journal.save_if_begun(work.job)
            return ending
        try:
            session = journal.save(work.job)
        except OSError as error:
            return Ending(is_finished=False, error=ending.error or error)  # raised once the results are written
    if not ending.is_finished and ending.error is None:
        print(f"Stopped; the session is kept, continue with: --resume {shlex.quote(str(session))}", file=sys.stderr)
    return ending


def _warn_of_problems(video: VideoReader) -> None:
    for problem in video.problems[:MOST_PROBLEMS_SHOWN]:
        print(f"Warning: {video.name}: {problem}", file=sys.stderr)
    if len(video.problems) > MOST_PROBLEMS_SHOWN:
        print(f"Warning: {video.name}: {len(video.problems)} problems in all.", file=sys.stderr)
