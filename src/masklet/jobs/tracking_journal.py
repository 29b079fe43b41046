"""What a tracking job saves as it goes: the session and the masks, which count together or not at all."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Protocol, Self

from masklet.closing import Closing
from masklet.committed_folder import FolderWriter, Part, checked_lines
from masklet.errors import DamagedSessionError, InvalidInputError
from masklet.json_files import shown, whole_number
from masklet.media.recorded_masks import RecordedMasks
from masklet.predictors.tracked_video import TrackedVideo
from masklet.tracking.frame_order import Direction, TrackingTask
from masklet.tracking.saved_session import FILE, SavedSession, commit_session, damage_named, session_folder

TRACKING = "tracking"  # beside "session" in `session.json`
MASKS_FILE = "masks.jsonl"
OLDER_MASKS_FILE = "masks.json"  # beside a session of format 1
MOST_TIME = 0.05  # share of the time that goes into saving, on however slow a disk


class SavedWork(Protocol):
    """What of a job is saved: the video with its objects, the masks found so far, what was asked for, what is left."""

    tracked: TrackedVideo
    recorded: RecordedMasks
    task: TrackingTask | None

    @property
    def open_frames(self) -> Sequence[range]:
        """The frames that are still to be done, or to be done again."""

    def described(self) -> Mapping[str, Any]:
        """Return what else stands beside the session, as plain JSON."""


class TrackingJournal(Closing):
    """Saves a job into a folder, every so many seconds and whenever `save` is called. Close it, or use it as a context.

    Args:
        folder: where to; held, and made if need be, from now on. None: `default`, held from the first save on.
        default: used without `folder`, with a number behind it where that holds a session.
        is_kept: whether `folder` stays when all is done; `finish` removes `default` in any case.
        every: seconds between two saves, or more where saving is slow; None: only when `save` is called.
        on_problem: called with the error when saving as it goes begins to fail. The job continues; the last save stays.
        clock: returns the seconds.

    Attributes:
        is_kept: whether the folder stays when all is done, which `SavedTracking` knows, too.

    Raises:
        InvalidInputError: if somebody else is saving into `folder`.
        OSError: if it cannot be written.
    """

    def __init__(
        self,
        folder: Path | None,
        default: Path,
        every: float | None,
        on_problem: Callable[[OSError], None] = lambda error: None,
        clock: Callable[[], float] = time.monotonic,
        *,
        is_kept: bool = True,
    ) -> None:
        self.is_kept = folder is not None and is_kept
        self._default, self._every, self._on_problem, self._clock = default, every, on_problem, clock
        self._folder_writer = None if folder is None else session_folder(folder)
        self._session: Any = None
        self._due = clock() + (every or 0)
        self._is_failing = False

    def save_if_due(self, job: SavedWork) -> None:
        """Save if the time has come; an error is passed on to `on_problem` and not raised."""
        begin = self._clock()
        if self._every is None or begin < self._due:
            return
        self._try_to_save(job)
        took = self._clock() - begin
        self._due = begin + took + max(self._every, took / MOST_TIME - took)

    def save_if_begun(self, job: SavedWork) -> None:
        """Save once more if the job was long enough to be saved before; errors as `save_if_due`."""
        if self._folder_writer is not None:
            self._try_to_save(job)

    def _try_to_save(self, job: SavedWork) -> None:
        try:
            self.save(job)
            self._is_failing = False
        except OSError as error:
            if not self._is_failing:
                self._on_problem(error)
            self._is_failing = True

    def save(self, job: SavedWork) -> Path:
        """Save session and masks as they are now, in one step, and return the folder; OSError if that fails."""
        if self._folder_writer is None:
            self._folder_writer = _first_free(self._default)
        try:
            self._commit(job, self._folder_writer)
        except BaseException:
            self._session = None
            self._folder_writer.begin_anew()
            raise
        return self._folder_writer.folder

    def _commit(self, job: SavedWork, writer: FolderWriter) -> None:
        assert job.task is not None  # a job is saved once it runs
        self._session = self._session or job.tracked.writer(writer)
        for piece in job.recorded.content(writer.size(MASKS_FILE)):
            writer.append(MASKS_FILE, piece)
        tracking = {
            "masks": writer.part(MASKS_FILE).to_json(),
            "frames": _in_json(job.task.frames),
            "direction": job.task.direction.value,
            "open": [_in_json(each) for each in job.open_frames],
            "kept": self.is_kept,
        }
        commit_session(writer, self._session.write(), **{TRACKING: tracking, **job.described()})

    def finish(self) -> None:
        """Remove the folder unless it is kept: all results are there."""
        if not self.is_kept and self._folder_writer is not None:
            self._folder_writer.discard()
        self.close()

    def close(self) -> None:
        """Release the folder; what was saved stays."""
        if self._folder_writer is not None:
            self._folder_writer.close()
        self._folder_writer = self._session = None


@dataclass(frozen=True)
class SavedTracking:
    """A job that was saved.

    Attributes:
        session: its session.
        task: what was asked for; None if all of that is done, or it was saved by an earlier version.
        open_frames: what was still to be done.
        is_kept: whether the folder was to stay when all is done.
    """

    session: SavedSession
    task: TrackingTask | None
    open_frames: tuple[range, ...]
    is_kept: bool = True

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what a journal saved; DamagedSessionError if the folder holds no such thing."""
        if not (folder / FILE).is_file():
            raise _without(folder, FILE)
        session = SavedSession.read(folder)
        if session.is_older:
            if not (folder / OLDER_MASKS_FILE).is_file():
                raise _without(folder, OLDER_MASKS_FILE)
            return cls(session, None, ())
        if TRACKING not in session.content:
            raise _without(folder, "masks")
        with damage_named(folder):
            tracking, end = session.content[TRACKING], session.description.num_frames
            open_frames = tuple(_range_from(each, end) for each in tracking["open"])
            task = TrackingTask(_range_from(tracking["frames"], end), Direction(tracking["direction"]))
            return cls(session, task if open_frames else None, open_frames, tracking.get("kept", True) is not False)

    @classmethod
    def is_unfinished(cls, folder: Path) -> bool:
        """Whether a folder holds a job of which something is left to be done."""
        with suppress(DamagedSessionError):
            return cls.read(folder).task is not None
        return False

    def is_at(self, folder: Path) -> bool:
        """Whether it was read from this folder, by whichever path."""
        return os.path.realpath(self.session.folder) == os.path.realpath(folder)

    def forget(self, saved_in: Path) -> None:
        """Remove its folder, now that it was continued and is saved in another one.

        It stays if it was to be kept, is that very folder, or somebody else continues it.
        """
        if not self.is_kept and not self.is_at(saved_in):
            with suppress(InvalidInputError), session_folder(self.session.folder) as folder:
                folder.discard()

    def fill(self, recorded: RecordedMasks, frame_count: int) -> None:
        """Put the masks into `recorded`; DamagedSessionError if they are not what was saved with the session."""
        folder = self.session.folder
        with damage_named(folder):
            if not self.session.is_older:
                part = Part.from_json(self.session.content[TRACKING]["masks"])
                recorded.load_lines(checked_lines(folder, part), frame_count)
                return
            recorded.load(folder / OLDER_MASKS_FILE, frame_count)
            tracked = {frame for each in self.session.description.objects for frame, _ in each.tracked}
            if missing := sorted(tracked.difference(recorded)):  # it was written in two steps
                raise InvalidInputError(
                    f"its masks are older than its memories, which know frame {missing[0]}, too; the run that saved it "
                    "was killed meanwhile. Track the video anew."
                )


def _first_free(default: Path) -> FolderWriter:
    """Return a writer of the first folder that is no session and that nobody is writing: NAME, NAME_2, NAME_3, ..."""
    for number in count(1):
        folder = default if number == 1 else default.with_name(f"{default.name}_{number}")
        if not (folder / FILE).exists():
            with suppress(InvalidInputError):  # somebody else's
                writer = session_folder(folder)
                if not (folder / FILE).exists():
                    return writer
                writer.close()
    raise AssertionError


def _without(folder: Path, what: str) -> DamagedSessionError:
    return DamagedSessionError(f"{folder} holds no {what}, so that no tracking was saved there.")


def _in_json(frames: range) -> list[int]:
    return [frames.start, frames.stop]


def _range_from(value: object, end: int) -> range:
    if not isinstance(value, list) or len(value) != 2:
        raise InvalidInputError(f"Frames are [first, end]; got {shown(value)}.")
    first = whole_number(value[0], "The first frame")
    return range(first, whole_number(value[1], "The end of the frames", least=first + 1, most=end))
