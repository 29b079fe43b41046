"""Exports are what `masklet formats convert` writes: the same files, the same report of what is lost."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.support.stored_items import BLOCK, RING, SHOWN, SIZE, bare_item, job_of, with_masks, written_frames

from masklet.errors import InvalidInputError
from masklet.formats.reading.labelme_videos_folder import LabelmeVideosFolder
from masklet.formats.reading.opening import layout_of, open_dataset
from masklet.formats.registry import READERS, WRITERS
from masklet.server.exporting import ExportWork, format_names
from masklet.server.messages import ModelInfo, NewExport
from masklet.server.open_items import OpenItem
from masklet.server.projects import Project

MODEL = ModelInfo(name="bundled", image_size=384, device="cpu", dtype="float32", preset="exact")


@pytest.fixture
def video(project: Project, tmp_path: Path) -> OpenItem:
    return with_masks(bare_item(project, written_frames(tmp_path / "walk"), "images"), SHOWN)


@pytest.fixture
def image(project: Project, tmp_path: Path) -> OpenItem:
    Image.new("RGB", SIZE[::-1], (1, 20, 30)).save(tmp_path / "photo.jpg", quality=50)
    return with_masks(bare_item(project, tmp_path / "photo.jpg", "image"), {(1, 0): RING, (2, 0): BLOCK})


def exported(items: list[OpenItem], folder: Path, **asked: Any) -> tuple[Path, dict[str, int]]:
    """The unpacked export, and the losses that the page shows."""
    job = job_of(items[0].project)
    ExportWork(items, NewExport(items=[each.id for each in items], **asked), MODEL).run(job)
    with zipfile.ZipFile(job.project.folder / f"exports/{job.result['export']}.zip") as archive:
        archive.extractall(folder)
    return folder, job.result["losses"]


@pytest.mark.parametrize("to", [name for name in format_names() if name in WRITERS])
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
    assert layout_of(out) is (LabelmeVideosFolder if to == "labelme" else reader)  # which reads a video as one
    found: Any = open_dataset(out)
    if holds.videos and holds.pieces:
        masks = [found["walk"].masks(frame) for frame in (0, 1, 2)]
        assert [set(each) for each in masks] == [{1, 2}, {2}, {1}]
        assert np.array_equal(masks[2][1], RING)


@pytest.mark.parametrize("to", format_names())
def test_losses_are_counted_before(video: OpenItem, tmp_path: Path, to: str) -> None:
    job = job_of(video.project)
    ExportWork([video], NewExport(items=[video.id], format=to, options={"dry_run": True}), MODEL).run(job)
    assert not (video.project.folder / "exports").exists()
    _, losses = exported([video], tmp_path / "out", format=to)
    assert job.result == {"losses": losses}


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


@pytest.mark.parametrize("to", ["yolo", "masks", "coco"])
def test_an_image_that_is_named_as_a_frame_of_a_video_is_another(
    project: Project, video: OpenItem, tmp_path: Path, to: str
) -> None:
    Image.new("RGB", SIZE[::-1]).save(tmp_path / "walk-00000.jpg")
    image = with_masks(bare_item(project, tmp_path / "walk-00000.jpg", "image"), {(1, 0): RING})
    out, _ = exported([video, image], tmp_path / "out", format=to)
    assert len(open_dataset(out)) == 4  # three frames, and the image
    assert sum(len(each.objects) for each in open_dataset(out)) == 5


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
