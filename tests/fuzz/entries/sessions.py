"""Sessions that were saved, masks that were recorded, and what `masklet track --resume` makes of both."""

import json
import zlib
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz import materials
from tests.fuzz.attempt import Entry
from tests.fuzz.commands import run_command
from tests.fuzz.spoiling import spoil_file, spoil_folder, spoil_json_file, spoiled_json
from tests.support.saved_sessions import index_of, rewrite_as_format_1, write_index

from masklet.media.recorded_masks import RecordedMasks

INDEX = "session.json"


def _session(name: str = "session", *options: str) -> Path:
    """A session over half of a video, as `masklet track --save-session` keeps it."""
    path = materials.folder() / name
    if not path.exists():
        _track("--box", "15,10,40,30", "--point", "8,8@1:2", "--range", "0:3", "--save-session", str(path), *options)
    return path


def _track(*options: str) -> None:
    video, model = str(materials.video()), str(materials.model())
    run_command("track", video, "--model", model, "--write", "label-maps", "-o", "out", *options)


def _make(folder: Path) -> Path:
    return materials.copied(_session(), folder / "session")


def _make_on_disk(folder: Path) -> Path:
    """With memories that are put on disk."""
    path = materials.folder() / "spilled"
    if not path.exists():
        video = materials.tracker().open(materials.video(), retention="spill")
        video.add(1, 0, box=(15, 10, 40, 30))
        for _ in video.track(frames=range(3)):
            pass
        video.save(path)
    return materials.copied(path, folder / "session")


def _make_older(folder: Path) -> Path:
    """As the first version wrote it: without checksums."""
    path = _make(folder)
    session = materials.tracker().resume(path, materials.video()).session
    _record().save(path / "masks.json", {"height": materials.HEIGHT, "width": materials.WIDTH})
    rewrite_as_format_1(path, session)
    return path


def _spoil(rng: Random, folder: Path) -> tuple[str, Path]:
    return spoil_folder(rng, folder, rng.choice(("*.json", "*"))), folder


def _spoil_content(rng: Random, folder: Path) -> tuple[str, Path]:
    """What was saved is wrong, and no checksum tells."""
    data = sorted(path for path in folder.iterdir() if path.suffix in (".jsonl", ".safetensors"))
    if data and rng.random() < 0.5:
        path = rng.choice(data)
        name = spoil_file(rng, path)
        content = _with_part(index_of(folder), path)
    else:
        name, content = spoiled_json(rng, index_of(folder))
    if isinstance(content, dict):
        write_index(folder, content)
    else:
        (folder / INDEX).write_text(json.dumps(content))
    return name, folder


def _with_part(content: Any, path: Path) -> Any:
    """The content of an index in which the size and the checksum of a data file are those that it has."""
    if isinstance(content, dict):
        return {name: _with_part(value, path) for name, value in content.items()}
    if isinstance(content, list) and content[:1] == [path.name]:
        data = path.read_bytes()
        return [path.name, len(data), zlib.crc32(data)]
    return [_with_part(each, path) for each in content] if isinstance(content, list) else content


def _resume(folder: Path) -> None:
    video = materials.tracker().resume(folder, materials.video())
    for _ in video.track():
        pass
    video.drawn_prompts()
    video.save(folder.parent / "again")


def _resume_command(folder: Path) -> None:
    _track("--resume", str(folder))


def _record() -> RecordedMasks:
    recorded = RecordedMasks(materials.HEIGHT, materials.WIDTH)
    segmentation = materials.segmenter().segment(materials.encoded(), boxes=[[15, 10, 40, 30], [0, 0, 20, 20]])
    for frame in range(3):
        recorded.record(frame, segmentation)
    return recorded


def _recorded(folder: Path) -> Path:
    with _record() as recorded:
        recorded.save(folder / "masks.json", {"height": materials.HEIGHT, "width": materials.WIDTH})
    return folder / "masks.json"


def _spoil_masks(rng: Random, path: Path) -> tuple[str, Path]:
    return spoil_json_file(rng, path), path


def _load_masks(path: Path) -> None:
    with RecordedMasks(materials.HEIGHT, materials.WIDTH) as recorded:
        recorded.load(path)
        recorded.object_ids()
        for frame in recorded:
            recorded[frame]
        recorded.save(path.with_name("again.json"), {})


ENTRIES = {
    "session": Entry(_make, _spoil, _resume),
    "session-content": Entry(_make, _spoil_content, _resume),
    "session-on-disk": Entry(_make_on_disk, _spoil_content, _resume),
    "older-session": Entry(_make_older, _spoil, _resume_command),
    "resumed-command": Entry(_make, _spoil, _resume_command),
    "resumed-content": Entry(_make, _spoil_content, _resume_command),
    "recorded-masks": Entry(_recorded, _spoil_masks, _load_masks),
}
