"""Exports as jobs: masks of items in a format of another tool, or masklet's own, as a zip."""

import json
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import masklet
from masklet.atomic_files import made_folder, written_whole
from masklet.errors import InvalidInputError
from masklet.folders import matching, unchanged_for
from masklet.formats.registry import WRITERS, writer_named
from masklet.formats.writing.format import WritingOptions
from masklet.jobs.format_job import REPORT, write_format
from masklet.masks.segmentation import Segmentation
from masklet.media.mask_files import write_mask_json
from masklet.media.mask_sequences import write_overlay_video
from masklet.media.recorded_masks import RecordedMasks
from masklet.server.job import Job
from masklet.server.messages import ModelInfo, NewExport
from masklet.server.open_items import OpenItem
from masklet.server.projects import Project, new_id
from masklet.server.stored_items import StoredItem, file_names

EXPORTS = "exports"
KEPT_SECONDS = 7 * 24 * 3600
OWN, OVERLAY = "masklet", "overlay"


def format_names() -> list[str]:
    """Return the formats that can be exported: those that people open."""
    return [OWN, OVERLAY, *(name for name, each in WRITERS.items() if not each.IS_FOR_PIPELINES)]


def remove_old_exports(project: Project) -> None:
    """Delete the exports of a project that are older than seven days."""
    for path in unchanged_for(project.folder / EXPORTS, "*.zip", KEPT_SECONDS):
        path.unlink(missing_ok=True)


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
        self._asked, self._model = asked, model
        named = zip(items, file_names(items), strict=True)
        self._items = [StoredItem(*pair, asked.objects, asked.frames) for pair in named]

    def run(self, job: Job) -> None:
        """Write everything; InvalidInputError if the format cannot hold it."""
        if self._asked.options.dry_run:
            job.result = {"losses": self._write(Path(), job)}
        else:
            self._export(job)
        if not job.is_cancelled:
            job.advance(len(self._items), len(self._items))

    def _export(self, job: Job) -> None:
        export_id, exports = new_id("exp"), job.project.folder / EXPORTS
        made_folder(exports)
        with tempfile.TemporaryDirectory(dir=exports, prefix=".") as place:
            folder = Path(place)
            losses = self._write(folder, job)
            if job.is_cancelled:
                return
            self._report(folder, losses)
            with written_whole(exports / f"{export_id}.zip") as unfinished:
                _zip(folder, unfinished)
        job.result = {"export": export_id, "losses": losses}

    def _write(self, folder: Path, job: Job) -> dict[str, int]:
        """Write the files, as `masklet formats convert` does, and return what was lost."""
        asked = self._asked.options
        if self._asked.format in (OWN, OVERLAY):
            for done, each in enumerate(() if asked.dry_run else self._items):
                job.advance(done, len(self._items))
                if not job.is_cancelled:
                    self._write_own(each, folder)
            return {}
        conversion = write_format(
            [each.source() for each in self._items],
            folder,
            self._asked.format,
            WritingOptions(asked.polygons, asked.images),
            {},
            strict=asked.strict,
            dry_run=asked.dry_run,
            on_item=job.advance,
            should_stop=lambda: job.is_cancelled,
        )
        return dict(sorted(conversion.losses.items()))

    def _write_own(self, stored: StoredItem, folder: Path) -> None:
        item, name = stored.item, stored.name
        with _recorded(stored) as recorded:
            row = item.row()
            if self._asked.format == OWN and item.is_image:
                classes = {each.object: each.class_name for each in item.records.objects() if each.class_name}
                found = (
                    recorded[0] if len(recorded) else Segmentation.from_run_lengths([], item.size(), np.zeros(0), [])
                )
                write_mask_json(folder / f"{name}.json", found, row.name, classes)
                return
            if self._asked.format == OWN:
                about = {"name": row.name, "frames": row.frames, "fps": row.fps, "width": row.width}
                recorded.save(folder / f"{name}.json", about | {"height": row.height, "objects": _objects(item)})
                return
            if not len(recorded):
                raise InvalidInputError(f"{name} has no masks to draw.")
            write_overlay_video(folder / f"{name}.mp4", item.reader(), recorded, list(recorded), {})

    def _report(self, folder: Path, losses: dict[str, int]) -> None:
        rows = [(each.item, each.item.row()) for each in self._items]
        items = [
            {"name": row.name, "frames": row.frames, "fps": row.fps, "sha256": row.sha256, "objects": _objects(item)}
            for item, row in rows
        ]
        report = {
            "version": masklet.__version__,
            "model": self._model.model_dump(),
            "format": self._asked.format,
            "options": self._asked.options.model_dump(),
            "items": items,
            "losses": losses,
        }
        (folder / REPORT).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _objects(item: OpenItem) -> list[dict[str, Any]]:
    return [{"id": each.object, "name": each.name, "class": each.class_name} for each in item.records.objects()]


def _recorded(stored: StoredItem) -> RecordedMasks:
    """Return the masks as jobs record them."""
    size = stored.item.size()
    recorded = RecordedMasks(*size)
    for frame in stored.numbers():
        found = stored.masks(frame)
        run_lengths = [each.mask.run_length(*size) for each in found]
        scores = np.array([each.score for each in found], dtype=np.float32)
        recorded.record(
            frame, Segmentation.from_run_lengths(run_lengths, size, scores, [each.object for each in found])
        )
    return recorded


def _zip(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in matching(folder, "**/*"):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
