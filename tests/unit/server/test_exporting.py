"""Exports are what `masklet formats convert` writes: the same files, the same report of what is lost."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from masklet.errors import InvalidInputError
from masklet.formats.reading.opening import layout_of, open_dataset
from masklet.formats.registry import READERS, WRITERS
from masklet.server.acts import act
from masklet.server.exporting import ExportWork
from masklet.server.item_records import ItemRecords, add_object, keep_masks, new_run
from masklet.server.media_files import Readers
from masklet.server.messages import ModelInfo, NewExport
from masklet.server.open_items import OpenItem
from masklet.server.packets import PackedMask, State
from masklet.server.projects import Project, Projects
from masklet.server.rows import StoredMask

SIZE = (8, 12)
RING, BLOCK = np.zeros((2, *SIZE), dtype=bool)
RING[1:6, 1:6] = BLOCK[4:8, 4:9] = True
RING[3, 3] = False
MODEL = ModelInfo(name="bundled", image_size=384, device="cpu", dtype="float32", preset="exact")
SHOWN = {(1, 0): RING, (2, 0): BLOCK, (2, 1): BLOCK, (1, 2): RING}
"""The masks by object and frame; frame 3 has none."""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    (tmp_path / "data").mkdir()
    projects = Projects(tmp_path / "data")
    yield projects.make("ann", "p", [])
    projects.close()


def item(project: Project, media: Path, kind: Any, masks: dict[tuple[int, int], np.ndarray]) -> OpenItem:
    """An item of media with masks of two objects, of which the first has a class."""
    count = 1 if media.is_file() else len(list(media.iterdir()))
    item_id = project.add_item(kind, f"{media.stem}.x", str(media), 0)
    project.change_item(item_id, status="ready", width=SIZE[1], height=SIZE[0], frames=count, fps=24.0)
    records = project.records(item_id)
    assert isinstance(records, ItemRecords)
    with act(records.database, records.key, "prompt") as now:
        for class_name in ("ring", None):
            number = add_object(now, most=10)
            query = "UPDATE object SET class=? WHERE item=? AND object=?"
            now.connection.execute(query, (class_name, records.key, number))
        run = new_run(now.connection, records.key, "answer")
        kept = [
            StoredMask(number, frame, run, State.ANSWERED, 0.75, 1.0, now.revision, PackedMask.of(mask))
            for (number, frame), mask in masks.items()
        ]
        keep_masks(now.connection, records.key, kept)
    return OpenItem(project, records, None, Readers(4), lambda owner, size: None)  # type: ignore[arg-type]


@pytest.fixture
def video(project: Project, tmp_path: Path) -> OpenItem:
    frames = tmp_path / "walk"
    frames.mkdir()
    for number in range(4):
        Image.new("RGB", SIZE[::-1], (number, 20, 30)).save(frames / f"{number:05}.png")
    return item(project, frames, "images", SHOWN)


@pytest.fixture
def image(project: Project, tmp_path: Path) -> OpenItem:
    Image.new("RGB", SIZE[::-1], (1, 20, 30)).save(tmp_path / "photo.jpg", quality=50)
    return item(project, tmp_path / "photo.jpg", "image", {(1, 0): RING, (2, 0): BLOCK})


def exported(items: list[OpenItem], folder: Path, **asked: Any) -> tuple[Path, dict[str, int]]:
    """The unpacked export, and the losses that the page shows."""
    job: Any = SimpleNamespace(project=items[0].project, is_cancelled=False, advance=lambda done, total: None)
    ExportWork(items, NewExport(items=[each.id for each in items], **asked), MODEL).run(job)
    with zipfile.ZipFile(job.project.folder / f"exports/{job.result['export']}.zip") as archive:
        archive.extractall(folder)
    return folder, job.result["losses"]


@pytest.mark.parametrize("to", WRITERS)
def test_every_format(video: OpenItem, tmp_path: Path, to: str) -> None:
    out, losses = exported([video], tmp_path / "out", format=to)
    report = json.loads((out / "export.json").read_text())
    assert (report["format"], report["losses"], report["items"][0]["frames"]) == (to, losses, 4)
    holds, lost = WRITERS[to].HOLDS, dict.fromkeys(losses, 0) | losses
    assert lost.get("objects lose their category", 0) == (0 if holds.categories else 2)
    assert lost.get("masks lose their score", 0) == (0 if holds.scores else 4)
    assert lost.get("frames without annotations are left out", 0) == (0 if holds.gaps else 1)
    assert not list(out.glob(".*"))
    if (reader := READERS[WRITERS[to]]) is None:
        return
    assert layout_of(out) is reader
    found: Any = open_dataset(out)
    if holds.videos and holds.pieces:
        masks = [found["walk"].masks(frame) for frame in (0, 1, 2)]
        assert [set(each) for each in masks] == [{1, 2}, {2}, {1}]
        assert np.array_equal(masks[2][1], RING)


def test_an_image_is_copied_as_it_is(image: OpenItem, tmp_path: Path) -> None:
    out, losses = exported([image], tmp_path / "out", format="coco")
    assert losses == {}
    assert (out / "images/default/photo.jpg").read_bytes() == (tmp_path / "photo.jpg").read_bytes()
    (found,) = open_dataset(out)
    assert np.array_equal(found.masks, [RING, BLOCK])
    out, _ = exported([image], tmp_path / "named", format="coco", options={"images": False, "polygons": True})
    assert not (out / "images").exists()
    content = json.loads((out / "annotations/instances_default.json").read_text())
    assert isinstance(content["annotations"][0]["segmentation"], list)


def test_masklets_own_files_are_read_again(video: OpenItem, image: OpenItem, tmp_path: Path) -> None:
    """Once they lie beside their media, which exports leave where they are."""
    out, _ = exported([video], tmp_path / "videos", format="masklet")
    (tmp_path / "walk").rename(out / "walk")
    (walk,) = open_dataset(out)
    assert (walk.annotated_frames, dict(walk.categories), walk.scores(1)) == ((0, 1, 2), {1: "ring"}, {2: 0.75})
    assert np.array_equal(walk.masks(2)[1], RING)
    out, _ = exported([image], tmp_path / "images", format="masklet")
    (tmp_path / "photo.jpg").rename(out / "photo.jpg")
    (photo,) = open_dataset(out)
    assert [(each.category, each.score) for each in photo.objects] == [("ring", 0.75), ("object", 0.75)]
    assert np.array_equal(photo.masks, [RING, BLOCK])


def test_what_would_be_lost_is_refused(video: OpenItem, image: OpenItem, tmp_path: Path) -> None:
    with pytest.raises(
        InvalidInputError, match=r"YOLO segmentation cannot hold all of walk.*: .*1 masks lose their hole"
    ):
        exported([video], tmp_path / "out", format="yolo", options={"strict": True})
    with pytest.raises(InvalidInputError, match="DAVIS 2017 holds videos; photo is a single image"):
        exported([image], tmp_path / "out", format="davis")


def test_some_objects_on_some_frames(video: OpenItem, image: OpenItem, tmp_path: Path) -> None:
    out, _ = exported([video, image], tmp_path / "out", format="coco", objects=[2], frames=(0, 0))
    content = json.loads((out / "annotations/instances_default.json").read_text())
    assert [each["file_name"] for each in content["images"]] == ["walk/00000.jpg", "photo.jpg"]
    assert len(content["annotations"]) == 2
