"""Sessions that were saved, masks that were recorded, and what `masklet track --resume` makes of both."""

from pathlib import Path
from random import Random

from tests.fuzz import materials
from tests.fuzz.attempt import Entry
from tests.fuzz.commands import run_command
from tests.fuzz.spoiling import spoil_folder, spoil_json_file

from masklet.media.recorded_masks import RecordedMasks


def _session() -> Path:
    """A session over half of a video, as `masklet track --save-session` keeps it."""
    path = materials.folder() / "session"
    if not path.exists():
        _track("--box", "15,10,40,30", "--point", "8,8@1:2", "--range", "0:3", "--save-session", str(path))
    return path


def _track(*options: str) -> None:
    video, model = str(materials.video()), str(materials.model())
    run_command("track", video, "--model", model, "--write", "label-maps", "-o", "out", *options)


def _make(folder: Path) -> Path:
    return materials.copied(_session(), folder / "session")


def _spoil(rng: Random, folder: Path) -> tuple[str, Path]:
    return spoil_folder(rng, folder, rng.choice(("*.json", "*"))), folder


def _resume(folder: Path) -> None:
    video = materials.tracker().resume(folder, materials.video())
    for _ in video.track():
        pass
    video.save(folder.parent / "again")


def _resume_command(folder: Path) -> None:
    _track("--resume", str(folder))


def _recorded(folder: Path) -> Path:
    with RecordedMasks(materials.HEIGHT, materials.WIDTH) as recorded:
        segmentation = materials.segmenter().segment(materials.encoded(), boxes=[[15, 10, 40, 30], [0, 0, 20, 20]])
        for frame in range(2):
            recorded.record(frame, segmentation)
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


ENTRIES = {
    "session": Entry(_make, _spoil, _resume),
    "resumed-command": Entry(_make, _spoil, _resume_command),
    "recorded-masks": Entry(_recorded, _spoil_masks, _load_masks),
}
