"""What `masklet track` writes when it is done, or stopped: always JSON, and videos and label maps as asked for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress

from masklet.cli.track_prompts import PromptOnFrame
from masklet.errors import InvalidInputError
from masklet.media.label_maps import MAXIMUM_OBJECT_ID
from masklet.media.mask_sequences import write_label_maps, write_mask_videos, write_overlay_video
from masklet.media.recorded_masks import RecordedMasks
from masklet.media.video_reader import VideoReader


@dataclass(frozen=True)
class TrackOutputs:
    """The files of one tracked video, and which of them are wanted; JSON always is.

    Attributes:
        folder: where they go.
        name: what their names begin with.
    """

    folder: Path
    name: str
    with_overlay: bool = True
    with_label_maps: bool = False
    with_mask_videos: bool = False

    @property
    def json(self) -> Path:
        """The file of all masks as COCO run lengths."""
        return self.folder / f"{self.name}.json"

    @property
    def session(self) -> Path:
        """Where an interrupted session is kept if no other place was named."""
        return self.folder / f"{self.name}_session"

    def check(self, object_ids: Iterable[int]) -> None:
        """InvalidInputError, before any work, for what could not be written."""
        if self.folder.exists() and not self.folder.is_dir():
            raise InvalidInputError(f"-o {self.folder} is a file; give a folder.")
        highest = max(object_ids, default=0)
        if self.with_label_maps and highest > MAXIMUM_OBJECT_ID:
            raise InvalidInputError(f"Label maps hold object numbers up to {MAXIMUM_OBJECT_ID}; got {highest}.")

    def write(
        self, video: VideoReader, recorded: RecordedMasks, prompts: Sequence[PromptOnFrame], progress: Progress
    ) -> Iterator[Path]:
        """Write the frames recorded, and yield the paths as they are complete."""
        recorded.save(self.json, described(video))
        yield self.json
        if self.with_overlay:
            overlay = self.folder / f"{self.name}_overlay.mp4"
            frames = _shown(progress, recorded, "Drawing the overlay")
            write_overlay_video(overlay, video, recorded, frames, _drawn(prompts))
            yield overlay
        if self.with_label_maps:
            folder = self.folder / f"{self.name}_masks"
            write_label_maps(folder, video, recorded, _shown(progress, recorded, "Writing label maps"))
            yield folder
        if self.with_mask_videos:
            files = {each: self.folder / f"{self.name}_object{each}.mp4" for each in recorded.object_ids()}
            write_mask_videos(files, video, recorded, _shown(progress, recorded, "Writing mask videos"))
            yield from files.values()


def described(video: VideoReader) -> dict[str, object]:
    """Return what the JSON says about the video."""
    return {
        "file_name": Path(video.name).name,
        "height": video.height,
        "width": video.width,
        "frame_rate": round(float(video.frame_rate), 6),
        "frame_count": len(video),
    }


def _shown(progress: Progress, recorded: RecordedMasks, description: str) -> Iterable[int]:
    return progress.track(list(recorded), description=description)


def _drawn(
    prompts: Sequence[PromptOnFrame],
) -> dict[int, tuple[list[tuple[float, float, int]], list[tuple[float, float, float, float]]]]:
    """Return the clicks and boxes of each prompted frame."""
    drawn: dict[int, tuple[list[tuple[float, float, int]], list[tuple[float, float, float, float]]]] = {}
    for each in prompts:
        clicks, boxes = drawn.setdefault(each.frame, ([], []))
        clicks += each.prompt.points
        boxes += [each.prompt.box] if each.prompt.box is not None else []
    return drawn
