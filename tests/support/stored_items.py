"""Items of a project with masks of two objects, without a model."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from masklet.server.acts import act
from masklet.server.item_records import ItemRecords, add_object, keep_masks, new_run
from masklet.server.media_files import Readers
from masklet.server.open_items import OpenItem
from masklet.server.packets import PackedMask, State
from masklet.server.projects import Project
from masklet.server.rows import StoredMask

SIZE = (8, 12)
RING, BLOCK = np.zeros((2, *SIZE), dtype=bool)
RING[1:6, 1:6] = BLOCK[4:8, 4:9] = True
RING[3, 3] = False
SHOWN = {(1, 0): RING, (2, 0): BLOCK, (2, 1): BLOCK, (1, 2): RING}
"""The masks of a video of four frames by object and frame; frame 3 has none."""


def bare_item(project: Project, media: Path, kind: Any) -> OpenItem:
    """An item of media, without objects."""
    count = 1 if media.is_file() else len(list(media.iterdir()))
    item_id = project.add_item(kind, f"{media.stem}.x", str(media), 0)
    project.change_item(item_id, status="ready", width=SIZE[1], height=SIZE[0], frames=count, fps=24.0)
    records = project.records(item_id)
    assert isinstance(records, ItemRecords)
    return OpenItem(project, records, None, Readers(4), lambda owner, size: None)  # type: ignore[arg-type]


def with_masks(item: OpenItem, masks: Mapping[tuple[int, int], np.ndarray]) -> OpenItem:
    """The item with masks by object and frame, of two objects, of which the first has a class."""
    records = item.records
    with act(records.database, records.key, "prompt") as now:
        for class_name in ("ring", None):
            add_object(now, None, class_name, most=10)
        run = new_run(now.connection, records.key, "answer")
        kept = [
            StoredMask(number, frame, run, State.ANSWERED, 0.75, 1.0, now.revision, PackedMask.of(mask))
            for (number, frame), mask in masks.items()
        ]
        keep_masks(now.connection, records.key, kept)
    return item


def written_frames(folder: Path) -> Path:
    """A folder of four frames, in their own."""
    folder.mkdir()
    for number in range(4):
        Image.new("RGB", SIZE[::-1], (number, 20, 30)).save(folder / f"{number:05}.png")
    return folder


def job_of(project: Project) -> Any:
    """What work is given to run."""
    return SimpleNamespace(project=project, is_cancelled=False, notes=[], advance=lambda done, total: None)
