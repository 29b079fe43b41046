"""Exports as jobs: masks of items in a format of another tool, or masklet's own, as a zip."""

import json
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import masklet
from masklet.atomic_files import made_folder, written_whole
from masklet.errors import InvalidInputError
from masklet.folders import matching
from masklet.formats.names import safe_names
from masklet.formats.registry import WRITERS, writer_named
from masklet.formats.writing.format import WritingOptions
from masklet.masks.segmentation import Segmentation
from masklet.media.mask_sequences import write_overlay_video
from masklet.media.recorded_masks import RecordedMasks
from masklet.server.jobs import Job
from masklet.server.messages import ModelInfo, NewExport
from masklet.server.open_items import OpenItem
from masklet.server.projects import Project, new_id
from masklet.server.rows import StoredMask
from masklet.server.stored_items import StoredItem, by_frame

EXPORTS = "exports"
KEPT_SECONDS = 7 * 24 * 3600
REPORT = "export.json"
OWN, OVERLAY = "masklet", "overlay"
Masks = Mapping[int, Sequence[StoredMask]]


def format_names() -> list[str]:
    """Return the formats that can be exported."""
    return [OWN, OVERLAY, *WRITERS]


def remove_old_exports(project: Project) -> None:
    """Delete the exports of a project that are older than seven days."""
    for path in matching(project.folder / EXPORTS, "*.zip"):
        if path.stat().st_mtime < time.time() - KEPT_SECONDS:
            path.unlink()


class ExportWork:
    """Writes items in a format; the zip appears when it is complete.

    Args:
        items: what is written.
        asked: as what. InvalidInputError for an unknown format.
        model: that made the masks.
    """

    def __init__(self, items: Sequence[OpenItem], asked: NewExport, model: ModelInfo) -> None:
        if asked.format not in (OWN, OVERLAY):
            writer_named(asked.format)
        self._items, self._asked, self._model = items, asked, model
        self._losses: Counter[str] = Counter()

    def run(self, job: Job) -> None:
        """Write everything; InvalidInputError if the format cannot hold it."""
        export_id, exports = new_id("exp"), job.project.folder / EXPORTS
        made_folder(exports)
        names = safe_names(Path(item.row().name).stem or item.id for item in self._items)
        first, last = self._asked.frames or (0, 2**32)
        with tempfile.TemporaryDirectory(dir=exports, prefix=".") as place:
            folder = Path(place)
            writer = self._writer(folder)
            for done, (item, name) in enumerate(zip(self._items, names, strict=True)):
                job.advance(done, len(self._items))
                masks = by_frame(item.records.masks(self._asked.objects, first, last))
                if not job.is_cancelled:
                    self._write(writer, item, name, masks, folder)
            if job.is_cancelled:
                return
            if writer is not None:
                writer.finish(lambda: self._fragments)
            self._report(folder)
            with written_whole(exports / f"{export_id}.zip") as unfinished:
                _zip(folder, unfinished)
        job.result = {"export": export_id}
        job.advance(len(self._items), len(self._items))

    def _writer(self, folder: Path) -> Any:
        self._fragments: list[Any] = []
        return (
            None if self._asked.format in (OWN, OVERLAY) else writer_named(self._asked.format)(folder, WritingOptions())
        )

    def _write(self, writer: Any, item: OpenItem, name: str, masks: Masks, folder: Path) -> None:
        if writer is not None:
            stored = StoredItem(item, name, masks, writer.holds, self._losses)
            for each in stored.items(is_flat=writer.IS_FLAT):
                self._fragments += writer.write(each)
            return
        with _recorded(item, masks) as recorded:
            if self._asked.format == OWN:
                row = item.row()
                about = {"name": row.name, "frames": row.frames, "fps": row.fps, "width": row.width}
                recorded.save(folder / f"{name}.json", about | {"height": row.height, "objects": _objects(item)})
                return
            if not masks:
                raise InvalidInputError(f"{name} has no masks to draw.")
            write_overlay_video(folder / f"{name}.mp4", item.reader(), recorded, list(recorded), {})

    def _report(self, folder: Path) -> None:
        rows = [item.row() for item in self._items]
        items = [
            {"name": row.name, "frames": row.frames, "fps": row.fps, "sha256": row.sha256, "objects": _objects(item)}
            for row, item in zip(rows, self._items, strict=True)
        ]
        report = {
            "version": masklet.__version__,
            "model": self._model.model_dump(),
            "format": self._asked.format,
            "items": items,
            "losses": dict(sorted(self._losses.items())),
        }
        (folder / REPORT).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _objects(item: OpenItem) -> list[dict[str, Any]]:
    return [{"id": each.object, "name": each.name, "class": each.class_name} for each in item.records.objects()]


def _recorded(item: OpenItem, masks: Masks) -> RecordedMasks:
    """Return the masks as jobs record them."""
    size = item.size()
    recorded = RecordedMasks(*size)
    for frame, found in masks.items():
        run_lengths = [each.mask.run_length(*size) for each in found]
        scores = np.array([each.score for each in found], dtype=np.float32)
        numbers = [each.object for each in found]
        recorded.record(frame, Segmentation.from_run_lengths(run_lengths, size, scores, numbers))
    return recorded


def _zip(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in matching(folder, "**/*"):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
