"""Sessions as folders, without their frames: all that is written counts at once, when `session.json` is renamed.

`session.json` describes the session (`session_description`) and names the files beside it: the tensors of prompts and
of memories in reach, written anew by every save, and the history of what is out of reach (`session_history`), to which
a save adds what is new.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from safetensors.torch import load_file

from masklet.committed_folder import FolderWriter, Part, checked_file, checked_lines, read_index
from masklet.errors import DamagedSessionError, InvalidInputError
from masklet.json_files import shown
from masklet.runtimes.protocol import Runtime
from masklet.tracking.frames import Frames, looks_alike
from masklet.tracking.retention import RetentionChoice
from masklet.tracking.saved_tensors import TensorReader, Tensors, below, stored, stored_view, write_tensors
from masklet.tracking.session_description import ObjectDescription, SessionDescription, direction, frames_of
from masklet.tracking.session_format_1 import existing_file, read_format_1
from masklet.tracking.session_history import ARCHIVED, RESULTS, History, HistoryWriter, read_history, result_from
from masklet.tracking.session_history import FILE as HISTORY_FILE
from masklet.tracking.session_state import SessionState
from masklet.tracking.tracked_object import TrackedObject

FILE, FORMAT, OLDER_FORMAT = "session.json", 2, 1
WORK = "tracking that keeps its session"
TENSORS_FILE = "memories.safetensors"

SessionInJson = dict[str, Any]
Session = TypeVar("Session", bound=SessionState)


class SessionWriter:
    """Writes a session into a folder, again and again: only what changes, or is new, is written.

    Args:
        folder: where to; whoever commits it puts what `write` returns under "session" in `session.json`.
        session: what is written.
        fingerprint: of the runtime that it was made with.
    """

    def __init__(self, folder: FolderWriter, session: SessionState, fingerprint: str) -> None:
        self._folder, self._session, self._fingerprint = folder, session, fingerprint
        self._history = HistoryWriter(folder)
        self._tensors: Part | None = None

    def write(self) -> SessionInJson:
        """Write the session as it is now; return its description, to be committed."""
        session, tensors = self._session, Tensors()
        objects = tuple(_described(target, str(index), tensors) for index, target in enumerate(session.objects()))
        description = SessionDescription(
            model=self._fingerprint,
            is_stream=session.is_stream,
            num_frames=session.num_frames,
            dtype=str(session.dtype).removeprefix("torch."),
            retention=session.retention if isinstance(session.retention, str) else "spill",
            video_height=session.video_height,
            video_width=session.video_width,
            max_results=session.max_results,
            zoom=session.zoom,
            objects=objects,
            first_look=session.frames.first_look,
        )
        self._history.append(session.objects())
        if self._tensors is not None:
            self._folder.supersede(self._tensors)
        self._tensors = self._folder.put(TENSORS_FILE, lambda path: write_tensors(tensors, path))
        history = self._folder.part(HISTORY_FILE)
        return {**asdict(description), "tensors": self._tensors.to_json(), "history": history.to_json()}


def save_session(session: SessionState, folder: str | os.PathLike[str], fingerprint: str) -> None:
    """Write all of a session but its frames. What was saved there before is replaced once all is written.

    Args:
        session: what is written.
        folder: where to.
        fingerprint: of the runtime that it was made with.

    Raises:
        InvalidInputError: if somebody else is saving into the folder.
        OSError: if it cannot be written.
    """
    with session_folder(folder) as writer:
        commit_session(writer, SessionWriter(writer, session, fingerprint).write())


def session_folder(folder: str | os.PathLike[str], *, is_durable: bool = True) -> FolderWriter:
    """Return a writer of a folder that holds a session; arguments and errors as `FolderWriter`."""
    return FolderWriter(folder, FILE, WORK, is_durable=is_durable)


def commit_session(writer: FolderWriter, session: SessionInJson, **others: Any) -> None:
    """Make what a `SessionWriter` wrote count, with `others` beside it in `session.json`, all at once."""
    writer.commit({"format": FORMAT, "session": session, **others})


@dataclass(frozen=True)
class SavedSession:
    """The description of a saved session, before its tensors are read.

    Attributes:
        folder: where it is.
        content: all of `session.json`; whoever saved the session may have put something of their own beside it.
        description: the session.
        is_checked: whether checksums spoke for all of it; not in format 1.
    """

    folder: Path
    content: Mapping[str, Any]
    description: SessionDescription
    is_checked: bool

    @property
    def is_older(self) -> bool:
        """Whether it is of format 1."""
        return self.content["format"] == OLDER_FORMAT

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> Self:
        """Read `session.json`; DamagedSessionError if the folder holds none that this version can read."""
        path = Path(folder) / FILE
        with damage_named(folder):
            content, is_checked = read_index(path)
            version = content.get("format")
            if version not in (OLDER_FORMAT, FORMAT) or (version == FORMAT and not is_checked):
                known = f"{OLDER_FORMAT} and {FORMAT}"
                raise DamagedSessionError(f"{path} has format {shown(version)}; this version reads formats {known}.")
            described = content if version == OLDER_FORMAT else content.get("session")
            return cls(Path(folder), content, SessionDescription.from_json(described), is_checked)


def load_session(
    folder: str | os.PathLike[str] | SavedSession,
    video: Frames | None,
    runtime: Runtime,
    retention: RetentionChoice | None = None,
    *,
    kind: type[Session],
    **options: Any,
) -> Session:
    """Return a saved session, ready to continue in the same video (None: the stream continues), with the same model.

    Args:
        folder: where it was saved, or what was read there.
        video: its frames.
        runtime: the model.
        retention: default as it was; a `Spill(folder)` continues in a temporary folder.
        kind: the class of the session.
        options: those of the session about devices and caches.

    Raises:
        DamagedSessionError: for a folder without a session, or whose files are not what was saved.
        InvalidInputError: for another model or another video.
    """
    saved = folder if isinstance(folder, SavedSession) else SavedSession.read(folder)
    _check(saved, video, runtime)
    description = saved.description
    session = kind(
        video,
        dtype=description.dtype,
        retention=retention or description.retention,
        video_height=description.video_height,
        video_width=description.video_width,
        max_results=description.max_results,
        zoom=description.zoom,
        **{"inference_device": runtime.device, **options},
    )
    if not looks_alike(description.first_look, session.frames.first_look):
        raise InvalidInputError(f"The session in {saved.folder} is of another video: its first frame looks different.")
    session.frames.go_on_from(description.num_frames)
    with damage_named(saved.folder):
        for target in _restored(saved, session, runtime):
            session.keep(target)
    return session


@contextmanager
def damage_named(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Whatever reading a damaged session ends by becomes a `DamagedSessionError` that names its folder."""
    try:
        yield
    except DamagedSessionError:
        raise
    except Exception as error:
        raise DamagedSessionError(f"{os.fspath(folder)} holds no readable session: {error}") from error


def _described(target: TrackedObject, place: str, tensors: Tensors) -> ObjectDescription:
    """Describe an object; its tensors are added to `tensors`, below `place`."""
    bank = target.bank
    is_current = {frame: target.prompts.get(frame) is prompt for frame, prompt in target.applied.items()}
    earlier_prompts = {frame: target.applied[frame] for frame, is_same in is_current.items() if not is_same}
    for kind, entries in (
        ("prompts", target.prompts),
        ("answered", earlier_prompts),
        ("conditioning", bank.conditioning),
        ("tracked", bank.tracked),
    ):
        for frame, entry in entries.items():
            tensors |= stored(entry, f"{place}/{kind}/{frame}")
    for frame, view in target.views.items():
        tensors |= stored_view(view, f"{place}/prompts/{frame}")
    return ObjectDescription(
        object_id=target.object_id,
        prompts=tuple(target.prompts),
        answered=tuple(is_current.items()),
        conditioning=tuple((frame, memory.reverse) for frame, memory in bank.conditioning.items()),
        tracked=tuple((frame, memory.reverse) for frame, memory in bank.tracked.items()),
    )


def _restored(saved: SavedSession, session: SessionState, runtime: Runtime) -> Iterator[TrackedObject]:
    """Yield the objects of a saved session, made for `session`."""
    reader = TensorReader(runtime.config, session.dtype, session.inference_state_device, session.video_size)
    tensors, history = _files(saved)
    height, width = session.video_height, session.video_width
    size = runtime.config.prompt_encoder_config.mask_input_size if height is None or width is None else (height, width)
    for index, described in enumerate(saved.description.objects):
        target = session.new_object(described.object_id)
        _restore(target, described, below(tensors, str(index)), reader)
        results, archived = (
            [list(entry) for entry in history.get((target.object_id, kind), {}).items()] for kind in (RESULTS, ARCHIVED)
        )
        target.bank.results.update(
            frames_of(
                results, lambda value, _: result_from(value, size, is_checked=saved.is_checked), session.num_frames
            )
        )
        if target.bank.archive is not None:
            for frame, (reverse, file) in frames_of(archived, _archived, session.num_frames).items():
                path = _archived_path(saved, file)
                reader.memory(load_file(path), reverse)  # so that what is wrong with it is reported now
                target.bank.archive.take(frame, path, reverse)
        yield target


def _restore(target: TrackedObject, described: ObjectDescription, tensors: Tensors, reader: TensorReader) -> None:
    for frame in described.prompts:
        of_prompt = below(tensors, f"prompts/{frame}")
        target.prompts[frame] = reader.prompt(of_prompt)
        if (view := reader.view(of_prompt)) is not None:
            target.views[frame] = view
    for frame, is_current in described.answered:
        applied = target.prompts[frame] if is_current else reader.prompt(below(tensors, f"answered/{frame}"))
        target.applied[frame] = applied
    for frame, reverse in described.conditioning:
        target.bank.conditioning[frame] = reader.memory(below(tensors, f"conditioning/{frame}"), reverse)
    for frame, reverse in described.tracked:
        target.bank.tracked[frame] = reader.memory(below(tensors, f"tracked/{frame}"), reverse)


def _files(saved: SavedSession) -> tuple[Tensors, History]:
    """Read the tensors and the history that `session.json` names."""
    if saved.is_older:
        return read_format_1(saved.folder, saved.content, saved.description)
    session = saved.content["session"]
    tensors = load_file(checked_file(saved.folder, Part.from_json(session.get("tensors"))))
    return tensors, read_history(checked_lines(saved.folder, Part.from_json(session.get("history"))))


def _archived(value: Any, name: str) -> tuple[bool | None, Any]:
    """Return the direction and the file of a memory on disk."""
    reverse, file = value
    return direction(reverse, name), file


def _archived_path(saved: SavedSession, value: Any) -> Path:
    return existing_file(value) if isinstance(value, Path) else checked_file(saved.folder, Part.from_json(value))


def _check(saved: SavedSession, video: Frames | None, runtime: Runtime) -> None:
    place, description = f"The session in {os.fspath(saved.folder)}", saved.description
    if description.model != runtime.fingerprint:
        raise InvalidInputError(
            f"{place} was made with another model: other weights, settings, image size or number type, or "
            "graphs that another runtime rounds. Load the model that it was made with."
        )
    if description.is_stream != (video is None):
        raise InvalidInputError(
            f"{place} is of a {'stream' if description.is_stream else 'video'}; "
            f"{'give no video' if description.is_stream else 'give its video'}."
        )
    if video is None:
        return
    for name, found in (
        ("num_frames", len(video)),
        ("video_height", getattr(video, "height", None)),
        ("video_width", getattr(video, "width", None)),
    ):
        expected = getattr(description, name)
        if found is not None and expected is not None and found != expected:
            raise InvalidInputError(f"{place} is of another video: its {name} is {expected}, not {found}.")
