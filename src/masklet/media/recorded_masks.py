"""The masks of a video while it is tracked: any number of frames, in any order, on disk and not in memory."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from masklet.atomic_files import written_whole
from masklet.closing import Closing
from masklet.errors import InvalidInputError
from masklet.json_files import LARGEST, read_json, shown, whole_number
from masklet.masks.segmentation import Segmentation
from masklet.media.growing_file import PIECE, GrowingFile
from masklet.media.mask_files import annotations_of, segmentation_from


class RecordedMasks(Closing):
    """The `Segmentation` of each frame tracked so far (without logits), in a temporary file.

    A frame recorded again replaces what was recorded of it. Frames are visited in ascending order. Close it, or use it
    as a context. One thread may record while others read; a forked process continues with a copy.

    Args:
        height, width: of the video in pixels.
    """

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self._lines = GrowingFile()
        self._place_of: dict[int, tuple[int, int]] = {}  # where the line of a frame begins, and how long it is

    def __len__(self) -> int:
        return len(self._place_of)

    def __contains__(self, frame: object) -> bool:
        return frame in self._place_of

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._place_of))

    def __getitem__(self, frame: int) -> Segmentation:
        return segmentation_from(self._annotations(frame), self.height, self.width)

    def record(self, frame: int, segmentation: Segmentation) -> None:
        """Keep the masks of a frame."""
        self._keep(frame, annotations_of(segmentation))

    def object_ids(self) -> tuple[int, ...]:
        """Return the ids of all objects of all frames; InvalidInputError if what was recorded is damaged."""
        return tuple(sorted({_id_of(each) for frame in self for each in self._annotations(frame)}))

    def save(self, path: str | os.PathLike[str], video: Mapping[str, Any]) -> None:
        """Write all frames as JSON: `video` as it is, and `frames`, each with `frame` (its number) and `annotations`.

        An annotation is an object's, as `annotations_of` describes it. The file has one line per frame.
        """
        with written_whole(path) as unfinished, unfinished.open("w", encoding="utf-8") as file:
            file.write(f'{{"video": {json.dumps(dict(video))}, "frames": [')
            for place, frame in enumerate(self):
                entry = json.dumps({"frame": frame, "annotations": self._annotations(frame)})
                file.write(f"{',' if place else ''}\n{entry}")
            file.write("\n]}\n")

    def load(self, path: str | os.PathLike[str], frame_count: int | None = None) -> None:
        """Record all frames of a file that `save` wrote.

        Args:
            path: the file.
            frame_count: of the video; None: not known.

        Raises:
            InvalidInputError: if it is no such file, or of another size, or shows frames that the video has not.
        """
        content = read_json(Path(path))
        try:
            size, entries = (content["video"]["height"], content["video"]["width"]), content["frames"]
            if size != (self.height, self.width):
                shown_size = f"{shown(size[1])} x {shown(size[0])}"
                raise InvalidInputError(
                    f"it is about a video of {shown_size} pixels, not of {self.width} x {self.height}."
                )
            for entry in entries:
                frame = _frame_of(entry, frame_count)
                if frame in self._place_of:
                    raise InvalidInputError(f"it has frame {frame} twice.")
                self.record(frame, segmentation_from(entry["annotations"], self.height, self.width))
        except InvalidInputError as error:
            raise InvalidInputError(f"{path}: {error}") from error
        except (ValueError, TypeError, LookupError) as error:
            raise InvalidInputError(f"{path} holds no recorded masks of a video: {error!r}.") from error

    def content(self, start: int = 0) -> Iterator[bytes]:
        """Yield what was recorded so far, from the byte `start` on, in pieces; nothing in it is ever changed.

        All of it is lines that `load_lines` takes.
        """
        for place in range(start, self._lines.size, PIECE):
            yield self._lines.read(place, PIECE)

    def load_lines(self, lines: Iterable[bytes], frame_count: int) -> None:
        """Record all frames of the lines that `content` gave, of a video of so many frames.

        Their masks are decoded when they are asked for. InvalidInputError for lines that are none.
        """
        for line in lines:
            entry = json.loads(line)
            frame = _frame_of(entry, frame_count)
            if not isinstance(entry.get("annotations"), list):
                raise InvalidInputError(f"The masks of frame {frame} are {shown(entry)}.")
            self._keep(frame, entry["annotations"])

    def close(self) -> None:
        """Delete the temporary file."""
        self._lines.close()

    def _keep(self, frame: int, annotations: list[dict[str, Any]]) -> None:
        line = json.dumps({"frame": frame, "annotations": annotations}).encode("utf-8") + b"\n"
        self._place_of[frame] = self._lines.append(line), len(line)

    def _annotations(self, frame: int) -> list[dict[str, Any]]:
        annotations: list[dict[str, Any]] = json.loads(self._lines.read(*self._place_of[frame]))["annotations"]
        return annotations


def _id_of(annotation: Any) -> int:
    """Return the id of the object that an annotation is about."""
    if not isinstance(annotation, dict):
        raise InvalidInputError(f"An annotation of a recorded mask is {shown(annotation)}.")
    return whole_number(annotation.get("id"), "The id of a recorded mask", least=1)


def _frame_of(entry: Any, frame_count: int | None) -> int:
    """Return the number of the frame that an entry is about."""
    if not isinstance(entry, dict):
        raise InvalidInputError(f"An entry of a frame is {shown(entry)}.")
    return whole_number(entry.get("frame"), "frame", most=LARGEST if frame_count is None else frame_count - 1)
