"""What becomes of memories that the frames to come cannot attend to: dropped, or put on disk."""

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from safetensors.torch import load_file, save_file

from masklet.atomic_files import made_folder
from masklet.errors import InvalidInputError
from masklet.json_files import shown


@dataclass(frozen=True)
class Spill:
    """Put out-of-reach memories into files under `folder`; None: a temporary folder that goes with the session.

    A frame takes about 1.3 MB for each object at a size of 1024 pixels.

    Example:
        >>> from masklet import Spill, VideoTracker
        >>> video = VideoTracker.from_pretrained().open("assets/juggle.mp4", retention=Spill())
        >>> len(video)
        48
    """

    folder: str | os.PathLike[str] | None = None


RetentionChoice = Literal["window", "spill"] | Spill


@dataclass(frozen=True, eq=False)
class ArchivedFrame:
    """A memory on disk: its file, which is never changed, and the direction in which the frame was tracked."""

    path: Path
    reverse: bool | None


class Archive:
    """The memories of one object on disk, one file for each frame.

    A forked process reads what it inherited, deletes nothing of it, and writes into a folder of its own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._process = folder, os.getpid()
        self._frames: dict[int, ArchivedFrame] = {}
        self._count = 0

    def __contains__(self, frame: object) -> bool:
        return frame in self._frames

    def write(self, frame: int, memory: Mapping[str, Any]) -> None:
        """Keep the tensors of a memory, and in which direction it was tracked."""
        tensors = {name: value.contiguous() for name, value in memory.items() if name != "reverse"}
        self._keep(frame, lambda path: save_file(tensors, path), memory["reverse"])

    def read(self, frame: int) -> dict[str, Any]:
        """Return what `write` was given."""
        archived = self._frames[frame]
        return {**load_file(archived.path), "reverse": archived.reverse}

    def remove(self, frame: int) -> None:
        """Delete a frame's file, if there is one."""
        archived = self._frames.pop(frame, None)
        if archived is not None and archived.path.parent == self.folder and self._process == os.getpid():
            archived.path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete all files."""
        for frame in list(self._frames):
            self.remove(frame)

    def take(self, frame: int, path: Path, reverse: bool | None) -> None:
        """Keep a file that an archive wrote."""
        self._keep(frame, lambda own: link_or_copy(path, own), reverse)

    def direction(self, frame: int) -> bool | None:
        """Whether a frame was tracked in reverse; None if it is not there."""
        archived = self._frames.get(frame)
        return None if archived is None else archived.reverse

    def frames(self) -> Mapping[int, ArchivedFrame]:
        """Return the frames that are there."""
        return self._frames

    def _keep(self, frame: int, write: Callable[[Path], object], reverse: bool | None) -> None:
        self.remove(frame)
        if self._process != os.getpid():
            self._process, self.folder = os.getpid(), self.folder.with_name(f"{self.folder.name}-{os.getpid()}")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._count += 1  # a name is never used twice
        path = self.folder / f"{frame}-{self._count}.safetensors"
        write(path)
        self._frames[frame] = ArchivedFrame(path, reverse)


class Archives:
    """The archives of a session's objects, in one folder."""

    def __init__(self, folder: str | os.PathLike[str] | None) -> None:
        parent = None if folder is None else Path(folder)
        if parent is not None:
            made_folder(parent)
        self.folder = Path(tempfile.mkdtemp(prefix="masklet-session-", dir=parent))
        self._count = 0
        self._cleaning = weakref.finalize(self, _remove_own, self.folder, os.getpid())

    def new(self) -> Archive:
        """Make an archive for one more object."""
        self._count += 1
        return Archive(self.folder / str(self._count))


def _remove_own(folder: Path, process: int) -> None:
    if os.getpid() == process:  # a forked process inherits the session, and ends before its parent
        shutil.rmtree(folder, ignore_errors=True)


def archives_of(retention: RetentionChoice) -> Archives | None:
    """Return where a session puts what its frames cannot attend to any more; None: nowhere."""
    if retention == "window":
        return None
    if retention == "spill":
        return Archives(None)
    if isinstance(retention, Spill):
        return Archives(retention.folder)
    raise InvalidInputError(f"retention is {shown(retention)}; allowed: 'window', 'spill' or Spill(folder).")


def link_or_copy(source: Path, target: Path) -> None:
    """Make `target` the same file as `source`, whose content nobody changes, or a copy on another disk."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
