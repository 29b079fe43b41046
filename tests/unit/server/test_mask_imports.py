"""Masks of files become objects of items: whatever is exported comes back as it was."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.support.stored_items import BLOCK, RING, SHOWN, SIZE, bare_item, job_of, with_masks, written_frames

from masklet.errors import InvalidInputError
from masklet.server.acts import undo
from masklet.server.exporting import OWN, ExportWork
from masklet.server.limits import Limits
from masklet.server.mask_imports import ImportWork
from masklet.server.messages import ModelInfo, NewExport, NewUpload
from masklet.server.open_items import OpenItem
from masklet.server.packets import State
from masklet.server.projects import Project, Projects
from masklet.server.uploads import Part, Uploads

MODEL = ModelInfo(name="bundled", image_size=384, device="cpu", dtype="float32", preset="exact")
LIMITS = replace(Limits(), least_free_disk=0)
Masks = dict[tuple[int, int], np.ndarray]


@pytest.fixture
def video(project: Project, tmp_path: Path) -> OpenItem:
    return bare_item(project, written_frames(tmp_path / "walk"), "images")


def exported(item: OpenItem, **asked: Any) -> bytes:
    """The zip of an export."""
    job = job_of(item.project)
    ExportWork([item], NewExport(items=[item.id], **asked), MODEL).run(job)
    return (item.project.folder / f"exports/{job.result['export']}.zip").read_bytes()


def imported(projects: Projects, items: list[OpenItem], data: bytes, name: str = "m.zip", as_: Any = "masks") -> Any:
    """What the job says of an import of these bytes."""
    uploads, project = Uploads(projects, LIMITS), items[0].project
    upload = uploads.begin(project, NewUpload(name=name, size=len(data), kind="masks"))
    uploads.append(upload, Part(0, len(data) - 1, len(data)), data)
    job = job_of(project)
    try:
        ImportWork(items, upload, uploads, as_, LIMITS).run(job)
    finally:
        assert not upload.folder.exists()
    return job.result


def masks_of(item: OpenItem) -> Masks:
    return {(each.object, each.frame): each.mask.mask(*SIZE) for each in item.records.masks()}


def same(found: Masks, expected: Masks) -> bool:
    return found.keys() == expected.keys() and all(np.array_equal(found[key], expected[key]) for key in found)


LOSSLESS = ["coco", "cvat-images", "label-studio", "labelme", "youtube-vis", "sa-v"]


@pytest.mark.parametrize("to", [OWN, *LOSSLESS])
def test_what_was_exported_comes_back(projects: Projects, video: OpenItem, project: Project, to: str) -> None:
    copy = bare_item(project, Path(video.row().media), "images")
    imported(projects, [copy], exported(with_masks(video, SHOWN), format=to))
    assert same(masks_of(copy), SHOWN)


def test_coco_keeps_classes_and_scores(projects: Projects, video: OpenItem, project: Project) -> None:
    copy = bare_item(project, Path(video.row().media), "images")
    result = imported(projects, [copy], exported(with_masks(video, SHOWN), format="coco"))
    assert result == {"items": [{"item": copy.id, "objects": [1, 2], "masks": 4}], "left_out": {}}
    assert [each.class_name for each in copy.records.objects()] == ["ring", None]
    stored = copy.records.masks()
    assert {each.score for each in stored} == {0.75}
    assert [(each.object, each.frame) for each in stored if each.state is State.EDITED] == [(1, 0), (2, 0)]
    assert [(each.object, each.frame) for each in copy.records.prompts()] == [(1, 0), (2, 0)], (
        "so that it can be tracked"
    )
    undo(copy.records.database, copy.records.key)
    assert (copy.records.objects(), copy.records.prompts(), masks_of(copy)) == ([], [], {})


def test_every_mask_becomes_a_prompt_on_request(projects: Projects, video: OpenItem, project: Project) -> None:
    copy = bare_item(project, Path(video.row().media), "images")
    imported(projects, [copy], exported(with_masks(video, SHOWN), format="masklet"), as_="prompts")
    prompts = {(each.object, each.frame): each.prompt.mask for each in copy.records.prompts()}
    assert prompts.keys() == SHOWN.keys()
    assert np.array_equal(prompts[1, 2], RING)


def test_items_are_found_by_their_names(projects: Projects, video: OpenItem, project: Project, tmp_path: Path) -> None:
    for name in ("photo.png", "photo-1.png"):
        Image.new("RGB", SIZE[::-1]).save(tmp_path / name)
    photo, numbered = (bare_item(project, tmp_path / name, "image") for name in ("photo.png", "photo-1.png"))
    data = exported(with_masks(numbered, {(1, 0): BLOCK}), format="coco")
    undo(numbered.records.database, numbered.records.key)
    result = imported(projects, [video, photo, numbered], data)
    assert [each["item"] for each in result["items"]] == [numbered.id], "and it is not frame 1 of a video"
    data = exported(with_masks(video, SHOWN), format="coco", frames=(2, 2))
    assert imported(projects, [photo, video], data)["items"] == [{"item": video.id, "objects": [3], "masks": 1}]
    with pytest.raises(InvalidInputError, match="walk/00002: no item of this name"):
        imported(projects, [photo, numbered], data)


def test_own_masks_alone_and_of_another_size(projects: Projects, video: OpenItem, tmp_path: Path) -> None:
    (tmp_path / "m.zip").write_bytes(exported(with_masks(video, SHOWN), format=OWN))
    with zipfile.ZipFile(tmp_path / "m.zip") as archive:
        content = json.loads(archive.read("walk.json"))
    assert imported(projects, [video], json.dumps(content).encode(), "any name.json")["items"][0]["objects"] == [3, 4]
    content["video"]["height"] = 10_000_000
    with pytest.raises(InvalidInputError, match="another size"):
        imported(projects, [video], json.dumps(content).encode(), "any.json")


@pytest.mark.parametrize("name", ["../escaped.json", "/escaped.json"])
def test_zips_that_lead_elsewhere(projects: Projects, video: OpenItem, tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr(name, "{}")
    with pytest.raises(InvalidInputError, match="leads elsewhere"):
        imported(projects, [video], (tmp_path / "m.zip").read_bytes())
    assert not list(tmp_path.rglob("escaped.json"))
    with pytest.raises(InvalidInputError, match="must be a zip"):
        imported(projects, [video], b"no zip at all")
