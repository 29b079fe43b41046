"""What becomes of memories that the frames to come cannot attend to: dropped, or put on disk."""

import os
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from safetensors.torch import load_file, save_file

from masklet.errors import InvalidInputError


@dataclass(frozen=True)
class Spill:
    """Put out-of-reach memories into files under `folder`; None: a temporary folder that goes with the session.

    A frame takes about 1.3 MB for each object at a size of 1024 pixels.
    """

    folder: str | os.PathLike[str] | None = None


RetentionChoice = Literal["window", "spill"] | Spill


class Archive:
    """The memories of one object on disk, one file for each frame."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._frames: dict[int, bool | None] = {}

    def __contains__(self, frame: object) -> bool:
        return frame in self._frames

    def write(self, frame: int, memory: Mapping[str, Any]) -> None:
        """Keep the tensors of a memory, and in which direction it was tracked."""
        self.folder.mkdir(parents=True, exist_ok=True)
        tensors = {name: value.contiguous() for name, value in memory.items() if name != "reverse"}
        save_file(tensors, self._path(frame))
        self._frames[frame] = memory["reverse"]

    def read(self, frame: int) -> dict[str, Any]:
        """What `write` was given."""
        return {**load_file(self._path(frame)), "reverse": self._frames[frame]}

    def forget(self, frame: int) -> None:
        """Delete a frame's file, if there is one."""
        if self._frames.pop(frame, "absent") != "absent":
            self._path(frame).unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete all files."""
        for frame in list(self._frames):
            self.forget(frame)

    def take(self, frame: int, path: Path, reverse: bool | None) -> None:
        """Copy a file that an archive wrote."""
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, self._path(frame))
        self._frames[frame] = reverse

    def direction(self, frame: int) -> bool | None:
        """Whether a frame was tracked in reverse; None if it is not there."""
        return self._frames.get(frame)

    def entries(self) -> list[tuple[int, bool | None]]:
        """The frames that are there, and in which direction they were tracked."""
        return list(self._frames.items())

    def files(self) -> dict[int, Path]:
        """The frames that are there, and their files."""
        return {frame: self._path(frame) for frame in self._frames}

    def _path(self, frame: int) -> Path:
        return self.folder / f"{frame}.safetensors"


class Archives:
    """The archives of a session's objects, in one folder."""

    def __init__(self, folder: str | os.PathLike[str] | None) -> None:
        parent = None if folder is None else Path(folder)
        if parent is not None:
            parent.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="masklet-session-", dir=parent))
        self._count = 0
        self._cleaning = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def new(self) -> Archive:
        """An archive for one more object."""
        self._count += 1
        return Archive(self.folder / str(self._count))


def archives_of(retention: RetentionChoice) -> Archives | None:
    """Where a session puts what its frames cannot attend to any more; None: nowhere."""
    if retention == "window":
        return None
    if retention == "spill":
        return Archives(None)
    if isinstance(retention, Spill):
        return Archives(retention.folder)
    raise InvalidInputError(f"retention is {retention!r}; allowed: 'window', 'spill' or Spill(folder).")
