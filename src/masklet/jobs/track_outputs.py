"""What is written of a tracked video when it is done, or stopped: always JSON, videos and label maps as asked for."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from masklet.atomic_files import check_writable
from masklet.automask.object_records import ObjectRecord
from masklet.errors import InvalidInputError
from masklet.formats.mot import write_mot_text
from masklet.formats.object_table import recorded_objects, write_object_table
from masklet.formats.sav import write_sav_json
from masklet.formats.youtube_vis import write_youtube_vis_json
from masklet.jobs.track_products import Product
from masklet.media.label_maps import check_label_ids
from masklet.media.mask_sequences import (
    DrawnPrompts,
    write_contact_sheet,
    write_label_maps,
    write_mask_videos,
    write_overlay_video,
)
from masklet.media.recorded_masks import RecordedMasks
from masklet.media.video_reader import VideoReader

Progress = Callable[..., Iterable[int]]
"""Passes on the numbers of frames, and may show, with `description`, how far it is."""


@dataclass(frozen=True)
class TrackOutputs:
    """The files of one tracked video: JSON, and the products that are wanted.

    Attributes:
        folder: where they go.
        name: what their names begin with.
        products: which are wanted.
        ids: whether overlay and contact sheet show the objects' numbers.
    """

    folder: Path
    name: str
    products: Collection[Product]
    ids: bool = False

    @property
    def json(self) -> Path:
        """The file of all masks as COCO run lengths."""
        return self.folder / f"{self.name}.json"

    @property
    def session(self) -> Path:
        """Where the session is saved as it goes if no other place was named."""
        return self.folder / f"{self.name}_session"

    def check(self, object_ids: Iterable[int]) -> None:
        """InvalidInputError or OSError, before any work, for what could not be written."""
        if self.folder.exists() and not self.folder.is_dir():
            raise InvalidInputError(f"-o {self.folder} is a file; give a folder.")
        check_writable(self.folder)
        if Product.LABEL_MAPS in self.products:
            check_label_ids(object_ids)

    def write(
        self,
        video: VideoReader,
        recorded: RecordedMasks,
        prompts: DrawnPrompts,
        records: Sequence[ObjectRecord] | None = None,
        progress: Progress = lambda frames, description: frames,
    ) -> Iterator[Path]:
        """Write the frames recorded, and yield the paths as they are complete.

        `records` is what became of the objects, where more is known of it than the masks show. `progress` is asked for
        the frames of each file.
        """
        recorded.save(self.json, described(video))
        yield self.json
        start = self.folder / self.name
        if Product.OVERLAY in self.products:
            overlay = Path(f"{start}_overlay.mp4")
            frames = progress(list(recorded), description="Drawing the overlay")
            write_overlay_video(overlay, video, recorded, frames, prompts, ids=self.ids)
            yield overlay
        if Product.CONTACT_SHEET in self.products:
            sheet = Path(f"{start}_sheet.png")
            write_contact_sheet(sheet, video, recorded, prompts, ids=self.ids)
            yield sheet
        if Product.LABEL_MAPS in self.products:
            folder = Path(f"{start}_masks")
            write_label_maps(folder, video, recorded, progress(list(recorded), description="Writing label maps"))
            yield folder
        if Product.MASK_VIDEOS in self.products:
            files = {each: Path(f"{start}_object{each}.mp4") for each in recorded.object_ids()}
            frames = progress(list(recorded), description="Writing mask videos")
            write_mask_videos(files, video, recorded, frames)
            yield from files.values()
        yield from self._write_formats(video, recorded, records)

    def _write_formats(
        self, video: VideoReader, recorded: RecordedMasks, records: Sequence[ObjectRecord] | None
    ) -> Iterator[Path]:
        """Write the files of other tools."""
        start = self.folder / self.name
        if Product.YOUTUBE_VIS in self.products:
            write_youtube_vis_json(path := Path(f"{start}_youtube_vis.json"), self.name, video, recorded)
            yield path
        if Product.SAV in self.products:
            write_sav_json(path := Path(f"{start}_auto.json"), self.name, video, recorded)
            yield path
        if Product.MOT in self.products:
            write_mot_text(path := Path(f"{start}_mot.txt"), recorded)
            yield path
        if Product.OBJECTS in self.products:
            known = recorded_objects(recorded) if records is None else records
            write_object_table(path := Path(f"{start}_objects.csv"), known)
            yield path


def described(video: VideoReader) -> dict[str, object]:
    """Return the description of the video in the JSON file."""
    return {
        "file_name": Path(video.name).name,
        "height": video.height,
        "width": video.width,
        "frame_rate": round(float(video.frame_rate), 6),
        "frame_count": len(video),
    }
