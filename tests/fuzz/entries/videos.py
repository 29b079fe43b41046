"""Video files and folders of frames."""

from pathlib import Path
from random import Random

import numpy as np
from tests.fuzz import materials
from tests.fuzz.attempt import Entry
from tests.fuzz.spoiling import spoil_bytes, spoil_folder
from tests.support.small_video_models import small_clip

from masklet.media.video_reader import open_video

CODECS = {".mp4": "libx264", ".gif": "gif", ".webm": "libvpx-vp9", ".avi": "mjpeg", ".mkv": "mpeg4", ".mov": "libx264"}


def _files(folder: Path) -> list[Path]:
    return [materials.copied(materials.video(codec, end), folder / f"clip{end}") for end, codec in CODECS.items()]


def _spoil_file(rng: Random, paths: list[Path]) -> tuple[str, list[Path]]:
    path = rng.choice(paths)
    names = [spoil_bytes(rng, path) for _ in range(rng.choice((1, 1, 2)))]
    return ", ".join(names), [path]


def _folder(folder: Path) -> list[Path]:
    for number, pixels in enumerate(small_clip(4)):
        materials.write_image(folder / f"frames/{number:05}.jpg", np.ascontiguousarray(pixels))
    return [folder / "frames"]


def _spoil_folder(rng: Random, paths: list[Path]) -> tuple[str, list[Path]]:
    return spoil_folder(rng, paths[0]), paths


def _use(paths: list[Path]) -> None:
    for path in paths:
        with open_video(path) as video:
            for number in range(len(video)):
                video[number], video.time_of(number), video.frame_name(number)
            video[0]


ENTRIES = {
    "video-file": Entry(_files, _spoil_file, _use),
    "frame-folder": Entry(_folder, _spoil_folder, _use),
}
