"""What a batch makes of an image or a video: the files of `masklet segment` and `masklet track`."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import torch

from masklet.configuration.presets import SpeedPreset
from masklet.devices import name_of
from masklet.errors import InvalidInputError
from masklet.jobs.batch_jobs import BatchJob
from masklet.jobs.batch_options import policy_of, products_of
from masklet.jobs.everything_in_images import write_everything
from masklet.jobs.prompted_frames import read_prompts
from masklet.jobs.prompted_image import segment_image
from masklet.jobs.track_outputs import TrackOutputs
from masklet.jobs.tracking_journal import SavedTracking, TrackingJournal
from masklet.jobs.tracking_requests import EverythingRequest, PromptedRequest, TrackingRequest
from masklet.media.images import read_image
from masklet.media.pixel_limit import set_max_image_pixels
from masklet.media.recorded_masks import RecordedMasks
from masklet.media.video_reader import VideoReader, open_video
from masklet.predictors.automatic_mask_generator import AutomaticMaskGenerator
from masklet.predictors.image_segmenter import ImageSegmenter
from masklet.predictors.video_tracker import VideoTracker
from masklet.runtimes.exported import ExportedRuntime
from masklet.runtimes.names import RuntimeName
from masklet.tracking.frame_order import Direction, TrackingTask
from masklet.tracking.saved_session import FILE


@dataclass(frozen=True)
class ModelChoice:
    """The model of a batch.

    Attributes:
        source: as `VideoTracker.from_pretrained` takes it.
        device: where it computes.
        dtype: the number type; None: float32.
        image_size: side of the network's input in pixels; None: the model's own.
        preset: of speed, see `SpeedPreset`.
        runtime: how the model is run.
        bands: of TIFF images, see `read_image`.
        max_image_pixels: of the largest image; None: what this process allows.
        version: of masklet.
        save_every: seconds after which the session of a video is saved.
    """

    source: str | None = None
    device: str = "cpu"
    dtype: str | None = None
    image_size: int | None = None
    preset: SpeedPreset = SpeedPreset.EXACT
    runtime: RuntimeName = RuntimeName.AUTO
    bands: Sequence[int] | None = None
    max_image_pixels: int | None = None
    version: str = ""
    save_every: float = 30.0

    def on(self, device: str) -> Self:
        """Return the same on another device."""
        return replace(self, device=device)

    def load(self) -> "BatchModels":
        """Load the model; errors as `VideoTracker.from_pretrained` raises them."""
        if self.max_image_pixels is not None:
            set_max_image_pixels(self.max_image_pixels)
        options: dict[str, Any] = {"dtype": self.dtype, "image_size": self.image_size}
        given = {name: value for name, value in options.items() if value is not None}
        how = {"preset": self.preset, "runtime": self.runtime, "device": self.device}
        tracker = VideoTracker.from_pretrained(self.source, **how, **given)
        own = RuntimeName.EAGER if self.runtime is RuntimeName.AUTO else self.runtime
        name = tracker.runtime.name if isinstance(tracker.runtime, ExportedRuntime) else own
        return BatchModels(tracker, name, self.version, self.save_every, self.bands)


@dataclass(frozen=True)
class BatchModels:
    """One model for all kinds of jobs.

    Attributes:
        tracker: the model and its processor.
        runtime: how the model is run, not `AUTO`.
        version: of masklet.
        save_every: seconds after which the session of a video is saved.
        bands: of TIFF images.
    """

    tracker: VideoTracker
    runtime: RuntimeName
    version: str
    save_every: float
    bands: Sequence[int] | None = None

    @property
    def settings(self) -> dict[str, str]:
        """What the results depend on beside the jobs."""
        model = self.tracker.runtime
        made_by = {"masklet": self.version, "torch": torch.__version__, "model": model.fingerprint}
        numbers = {"runtime": self.runtime.value, "dtype": name_of(model.dtype), "device": model.device.type}
        bands = {} if self.bands is None else {"bands": ",".join(map(str, self.bands))}
        return {**made_by, **numbers, **bands}

    def do(self, job: BatchJob, folder: Path) -> int:
        """Write the results of a job into a folder, and return of how many frames they are, 1 of an image.

        Raises:
            OSError, ValueError: for media and prompts that cannot be used, and what cannot be written.
        """
        if job.is_video:
            return self._track(job, folder)
        if job.prompts is None:
            self._segment_everything(job, folder)
        else:
            segmenter = ImageSegmenter(self.tracker.runtime, self.tracker.processor)
            objects = list(job.objects().values())
            list(segment_image(segmenter, job.path, objects, folder, bands=self.bands, **job.options))
        return 1

    def _segment_everything(self, job: BatchJob, folder: Path) -> None:
        preset, settings = job.options.get("preset"), job.options.get("settings", {})
        generator = AutomaticMaskGenerator(self.tracker.runtime, self.tracker.processor, preset, **settings)
        pixels = read_image(job.path, bands=self.bands)
        write_everything(folder, job.path, pixels, generator.generate(pixels), 1, ids=job.options.get("ids", False))

    def _track(self, job: BatchJob, folder: Path) -> int:
        """Track a video, from where an earlier process has saved it."""
        outputs = _outputs(job, folder)
        session = outputs.session
        with open_video(job.path) as video, RecordedMasks(video.height, video.width) as recorded:
            try:
                saved = SavedTracking.read(session) if (session / FILE).is_file() else None
                request = _request(job, video, saved)
                outputs.check(request.object_ids)
                work = request.begin(self.tracker, video, recorded)
            except InvalidInputError:
                if not session.exists():
                    raise
                shutil.rmtree(session)  # damaged, or of a video that stood here before: it is tracked from its start
                return self._track(job, folder)
            outputs.check(work.job.tracked.object_ids)
            with TrackingJournal(session, session, self.save_every, is_kept=False) as journal:
                if (error := work.run(journal=journal).error) is not None:
                    raise error
                records = None if work.everything is None else work.everything.objects
                list(outputs.write(video, recorded, work.job.tracked.drawn_prompts(), records))
                journal.finish()
            return len(recorded)


def session_file(job: BatchJob, folder: Path) -> Path:
    """Return the file that is there once the session of a video was saved, and is newer each time."""
    return _outputs(job, folder).session / FILE


def _outputs(job: BatchJob, folder: Path) -> TrackOutputs:
    return TrackOutputs(folder, job.path.stem, products_of(job.options), job.options.get("ids", False))


def _request(job: BatchJob, video: VideoReader, saved: SavedTracking | None) -> TrackingRequest:
    """Return what a job asks for of its video; a saved session has the prompts already."""
    zoom = job.options.get("zoom", False)
    if job.prompts is None:
        return EverythingRequest(policy_of(job.options), job.options.get("lookback", False), saved, zoom)
    first, end = job.options.get("frames", (0, len(video)))
    objects = job.objects()
    if end > len(video):
        raise InvalidInputError(f"The frames {first} to {end - 1} are asked for; the video has 0 to {len(video) - 1}.")
    if outside := sorted({frame for frame, _ in objects} - set(range(first, end))):
        raise InvalidInputError(f"A prompt is on frame {outside[0]}; tracked are frames {first} to {end - 1}.")
    task = TrackingTask(range(first, end), Direction(job.options.get("direction", Direction.FORWARD)))
    if saved is not None:
        return PromptedRequest({}, task, saved, zoom)
    prompts, _ = read_prompts(objects, video.height, video.width, is_resumed=False)
    return PromptedRequest(prompts, task, None, zoom)
