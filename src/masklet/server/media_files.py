"""The media of items: checked and named by their hash when they come in, opened to be read by frame."""

import hashlib
import io
import os
import re
import shutil
import stat
import zipfile
import zlib
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from PIL import Image

from masklet.atomic_files import folder_written_whole, made_folder
from masklet.errors import InvalidInputError
from masklet.folders import bytes_of
from masklet.media.frame_folders import IMAGE_SUFFIXES, FrameImages
from masklet.media.images import Pixels
from masklet.media.video_reader import VideoReader, open_video
from masklet.server.packets import LONGEST_SIDE
from masklet.server.problems import not_found
from masklet.server.rows import ItemRow

FOLDER = "media"
MOST_ENTRIES, MOST_RATIO = 100_000, 100
_PIECE = 2**20
FORMATS = {"jpeg": "JPEG", "webp": "WEBP", "png": "PNG"}
_QUALITY = 90


def hash_of_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def kept_by_hash(file: Path, folder: Path, sha256: str, suffix: str) -> str:
    """Move an uploaded file below a project's folder; return where it is from there."""
    made_folder(folder / FOLDER)
    name = f"{FOLDER}/{sha256}{suffix}"
    os.replace(file, folder / name)
    return name


def remove_media(folder: Path, media: str) -> None:
    """Delete media below a project's folder; those outside stay."""
    path = folder / media
    if path.parent == folder / FOLDER:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):  # another program, or a reader on Windows, has it open
                path.unlink(missing_ok=True)


def media_bytes(folder: Path) -> int:
    """Return how many bytes the media below a project's folder have."""
    return bytes_of(folder / FOLDER, "**/*")


def unpacked(archive: Path, folder: Path, sha256: str) -> str:
    """Unpack the images of a zip below a project's folder; return where they are from there.

    InvalidInputError for what is no zip, for names that lead elsewhere, links, and files that grow suspiciously.
    """
    name = f"{FOLDER}/{sha256}"
    with opened_zip(archive) as content, folder_written_whole(folder / name) as unfinished:
        for member in _members(content):
            if Path(member.filename).suffix.lower() in IMAGE_SUFFIXES:
                target = unfinished / re.sub(r"[^A-Za-z0-9._-]+", "_", member.filename)
                _copy(content, member, target)
    return name


def unpacked_all(archive: Path, folder: Path, check_room: Callable[[int], None]) -> None:
    """Unpack a zip into a folder that is there, errors as `unpacked`; Problem of `check_room` for too many bytes."""
    with opened_zip(archive) as content:
        members = _members(content)
        check_room(sum(member.file_size for member in members))
        for member in members:
            target = folder / member.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(content, member, target)


@contextmanager
def opened_zip(archive: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip within the block; InvalidInputError if it is none, or damaged."""
    try:
        with zipfile.ZipFile(archive) as content:
            yield content
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, FileExistsError, zlib.error) as error:
        raise InvalidInputError(f"The file must be a zip: {error}.") from error


def _copy(content: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    with content.open(member) as packed, target.open("xb") as file:
        shutil.copyfileobj(packed, file, _PIECE)


def _members(content: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files of a zip; InvalidInputError unless it may be unpacked."""
    members = [each for each in content.infolist() if not each.is_dir()]
    if len(members) > MOST_ENTRIES:
        raise InvalidInputError(f"The zip has {len(members)} files; {MOST_ENTRIES} are allowed.")
    for member in members:
        _check_member(member)
    return members


def _check_member(member: zipfile.ZipInfo) -> None:
    path = Path(member.filename)
    if path.is_absolute() or ".." in path.parts or stat.S_ISLNK(member.external_attr >> 16):
        raise InvalidInputError(f"The zip holds {member.filename!r}, which leads elsewhere.")
    if member.file_size > MOST_RATIO * max(member.compress_size, _PIECE // MOST_RATIO):
        raise InvalidInputError(f"{member.filename!r} in the zip would grow more than {MOST_RATIO} times.")


def outside_file(path: str, roots: Sequence[Path]) -> Path:
    """Return a file or folder of the server's below one of the roots, links followed; Problem for anything else."""
    real = Path(os.path.realpath(path))
    is_below = any(real.is_relative_to(os.path.realpath(root)) for root in roots)
    if not is_below or not (real.is_file() or real.is_dir()):
        raise not_found()
    return real


def opened(item: ItemRow, folder: Path) -> VideoReader:
    """Open the media of an item of a project.

    UnreadableImageError, UnreadableVideoError or InvalidInputError if they cannot be used.
    """
    path = folder / item.media  # of media outside this is their own path
    reader = VideoReader(FrameImages([path], item.name)) if item.kind == "image" else open_video(path)
    if max(reader.height, reader.width) > LONGEST_SIDE:
        reader.close()
        raise InvalidInputError(f"{reader.width} x {reader.height} pixels; a side has at most {LONGEST_SIDE}.")
    return reader


class Readers:
    """Open media, those that were used last.

    Args:
        most: so many are held open.
        open_item: opens those of an item of the project in a folder.
    """

    def __init__(self, most: int, open_item: Callable[[ItemRow, Path], VideoReader] = opened) -> None:
        self._most, self._open_item = most, open_item
        self._lock = Lock()
        self._open: OrderedDict[str, VideoReader] = OrderedDict()
        self._opening: defaultdict[str, Lock] = defaultdict(Lock)

    def get(self, item: ItemRow, folder: Path) -> VideoReader:
        """Return the reader of an item; errors as of opening it, which may take a while and stops no other."""
        with self._lock:
            opening = self._opening[item.id]
        with opening:
            with self._lock:
                if (reader := self._open.get(item.id)) is not None:
                    self._open.move_to_end(item.id)
                    return reader
            reader = self._open_item(item, folder)
            with self._lock:
                self._open[item.id] = reader
                while len(self._open) > self._most:
                    self._open.popitem(last=False)  # closes itself once nobody reads from it any more, say a session
        return reader

    def forget(self, item_id: str) -> None:
        """Close the reader of an item."""
        with self._lock:
            reader = self._open.pop(item_id, None)
            self._opening.pop(item_id, None)
        if reader is not None:
            reader.close()

    def close(self) -> None:
        """Close all."""
        for item_id in list(self._open):
            self.forget(item_id)


def encoded_image(pixels: Pixels, kind: str, width: int | None) -> bytes:
    """Return pixels (uint8 [H, W, 3]) as a file of a kind of `FORMATS`, made smaller to a width if given."""
    image = Image.fromarray(pixels)
    if width is not None and width < image.width:
        image = image.resize((width, max(1, round(image.height * width / image.width))), Image.Resampling.BILINEAR)
    file = io.BytesIO()
    image.save(file, FORMATS[kind], **({} if kind == "png" else {"quality": _QUALITY}))
    return file.getvalue()


def filmstrip(reader: VideoReader, count: int, height: int) -> bytes:
    """Return frames at equal distances side by side, `height` pixels high, as a JPEG.

    A key frame stands for one that is near to it, by half the distance: others take up to a second each.
    """
    width = max(1, round(reader.width * height / reader.height))
    numbers = [place * len(reader) // count for place in range(min(count, len(reader)))]
    strip = Image.new("RGB", (width * len(numbers), height))
    for place, exact in enumerate(numbers):
        key = reader.near_key(exact)
        number = key if abs(key - exact) <= len(reader) // count // 2 else exact
        strip.paste(Image.fromarray(reader[number]).resize((width, height)), (place * width, 0))
    file = io.BytesIO()
    strip.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
