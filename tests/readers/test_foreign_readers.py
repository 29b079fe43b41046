"""What masklet writes, read by programs that nobody here wrote, in environments of their own: `make test-readers`."""

import json
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from tests.readers.environments import ROOT, read_by
from tests.readers.programs.answer import fingerprint
from tests.support.source_data import write_images, write_video

from masklet import ImageSegmenter, Segmentation
from masklet.formats.cvat_points import mask_of_points, points_of_mask
from masklet.formats.writing.label_studio import label_config
from masklet.jobs.conversion import convert_dataset
from masklet.server.adapters.label_studio import predict

pytestmark = pytest.mark.readers
SIZE = (48, 64)


def drawn(*parts: tuple[int, int, int, int]) -> np.ndarray:
    """A mask of blocks (top, left, bottom, right), of which those that lie in others are holes."""
    mask = np.zeros(SIZE, dtype=bool)
    for top, left, bottom, right in parts:
        mask[top:bottom, left:right] ^= True
    return mask


def disc(row: float, column: float, radius: float) -> np.ndarray:
    rows, columns = np.ogrid[: SIZE[0], : SIZE[1]]
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2


WITH_HOLE = drawn((4, 4, 30, 30), (10, 10, 20, 16))
TWO_PIECES = drawn((2, 40, 12, 60), (30, 36, 44, 50))
FULL, DOT = drawn((0, 0, *SIZE)), drawn((47, 63, 48, 64))
IMAGES = {
    "one.png": [("cat", WITH_HOLE), ("dog", TWO_PIECES)],
    "two.png": [("dog", disc(20, 30, 15.3)), ("a & b", DOT)],
}
WHOLE = {"one.png": [("cat", TWO_PIECES), ("dog", FULL)], "two.png": [("dog", disc(20, 30, 15.3)), ("b", DOT)]}
"""Without holes."""


def expected(images: dict[str, list[tuple[str, np.ndarray]]]) -> dict[str, list[list[object]]]:
    return {
        Path(name).stem: sorted([each, *fingerprint(mask)] for each, mask in masks) for name, masks in images.items()
    }


def converted(folder: Path, images: dict[str, list[tuple[str, np.ndarray]]], to: str, **options: bool) -> Path:
    convert_dataset(write_images(folder / "in", images, SIZE), folder / "out", to, **options)
    return folder / "out"


@pytest.mark.parametrize(("images", "polygons"), [(IMAGES, False), (WHOLE, True)], ids=["run-lengths", "polygons"])
def test_coco_by_pycocotools(tmp_path, images, polygons):
    out = converted(tmp_path, images, "coco", polygons=polygons)
    assert json.loads(read_by("datumaro", "pycocotools_coco", out)) == expected(images)


@pytest.mark.parametrize(("to", "name"), [("coco", "coco_instances"), ("cvat-images", "cvat")])
def test_images_by_datumaro(tmp_path, to, name):
    out = converted(tmp_path, IMAGES, to)
    assert json.loads(read_by("datumaro", "datumaro_masks", out, name)) == expected(IMAGES)


def test_cvat_tracks_by_datumaro(tmp_path):
    """A disc that moves, leaves and comes back, and a block that comes late."""
    discs = [disc(20, 20 + 3 * frame, 8.5) if frame != 2 else drawn() for frame in range(4)]
    blocks = [drawn((30, 5, 40, 20 + frame)) if frame > 1 else drawn() for frame in range(4)]
    source = write_video(tmp_path / "in", np.array([discs, blocks]), ["ball", "box"])
    convert_dataset(source, tmp_path / "out", "cvat-video")
    found = json.loads(read_by("datumaro", "datumaro_masks", tmp_path / "out/walk", "cvat"))
    for frame in range(4):
        shown = [("ball", discs[frame]), ("box", blocks[frame])]
        masks = sorted([each, *fingerprint(mask)] for each, mask in shown if mask.any())
        assert found.get(f"frame_{frame:06}", []) == masks


def test_yolo_by_supervision(tmp_path):
    """It rounds coordinates, which adds up to a pixel on the right and below; a bridge is a line of pixels."""
    out = converted(tmp_path, WHOLE, "yolo")
    found = json.loads(read_by("supervision", "supervision_yolo", out))
    for name, masks in WHOLE.items():
        shown = {label: area for label, _, _, area, _ in found[Path(name).stem]}
        assert shown.keys() == {label for label, _ in masks}
        for label, mask in masks:
            grown = mask | np.roll(mask, 1, axis=0) | np.roll(mask, 1, axis=1) | np.roll(mask, (1, 1), axis=(0, 1))
            bridge = 40 if mask is TWO_PIECES else 0
            assert mask.sum() <= shown[label] <= grown.sum() + bridge


def test_label_studio_by_its_sdk(tmp_path):
    out = converted(tmp_path, IMAGES, "label-studio")
    assert json.loads(read_by("annotators", "label_studio_tasks", out)) == expected(IMAGES)


def test_answers_to_label_studio_by_its_sdk(tmp_path):
    click = {
        "type": "keypointlabels",
        "original_width": SIZE[1],
        "original_height": SIZE[0],
        "value": {"x": 50.0, "y": 25.0, "width": 0.3, "keypointlabels": ["dog"]},
        "is_positive": 1,
    }
    (tmp_path / "config.xml").write_text(label_config(["dog"]))
    body = {"tasks": [{"id": 5, "data": {"image": "a.jpg"}}], "label_config": label_config(["dog"])}
    answer = predict(
        body | {"params": {"context": {"result": [click]}}},
        "masklet-0.1",
        lambda address, prompt: Segmentation(WITH_HOLE[None], np.array([0.9]), [1]),
    )
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    given = (tmp_path / "config.xml", tmp_path / "answer.json")
    assert json.loads(read_by("annotators", "label_studio_predictions", *given)) == [[]]


def test_points_of_masks_by_cvat_sdk(tmp_path):
    masks = np.stack([WITH_HOLE, TWO_PIECES, FULL, DOT])
    np.save(tmp_path / "masks.npy", masks)
    points = [points_of_mask(each) for each in masks]
    theirs, are_decoded = json.loads(read_by("annotators", "cvat_points", tmp_path / "masks.npy", json.dumps(points)))
    assert theirs == points
    assert are_decoded


def davis(folder: Path) -> Path:
    discs = [disc(20, 20 + 3 * frame, 8.5) for frame in range(4)]
    blocks = [drawn((32, 5, 40, 20 + frame)) for frame in range(4)]
    convert_dataset(write_video(folder / "in", np.array([discs, blocks])), folder / "out", "davis")
    return folder / "out"


def test_davis_by_vos_benchmark(tmp_path):
    out = davis(tmp_path)
    assert json.loads(read_by("vos_benchmark", "vos_benchmark_itself", out / "Annotations/480p")) == [100, 100, 100]


def test_davis_by_trackeval(tmp_path):
    out = davis(tmp_path)
    (tmp_path / "trackers").mkdir()
    (tmp_path / "trackers/itself").symlink_to(out / "Annotations/480p")
    given = (out / "Annotations/480p", tmp_path / "trackers", out / "ImageSets/2017/val.txt")
    assert json.loads(read_by("trackeval", "trackeval_davis", *given)) == {"J-Mean": 1, "F-Mean": 1}


def test_youtube_vis_by_trackeval(tmp_path):
    """Two tracks of two categories: one leaves and comes back, one comes late; both are found again as they are."""
    discs = [disc(20, 20 + 3 * frame, 8.5) if frame != 2 else drawn() for frame in range(4)]
    blocks = [drawn((30, 5, 40, 20 + frame)) if frame > 1 else drawn() for frame in range(4)]
    source = write_video(tmp_path / "in", np.array([discs, blocks]), ["ball", "box"])
    convert_dataset(source, tmp_path / "out", "youtube-vis")
    (tmp_path / "gt/youtube_vis_val").mkdir(parents=True)
    (tmp_path / "out/instances.json").rename(tmp_path / "gt/youtube_vis_val/instances.json")
    found = json.loads(read_by("trackeval", "trackeval_youtube_vis", tmp_path))
    assert {name: found[name] for name in ("ball", "box")} == pytest.approx({"ball": 1, "box": 1})


def test_functions_of_cvat_by_its_sdk():
    """A click on a wheel, and the same image as the next frame."""
    given = (sysconfig.get_paths()["purelib"], ROOT / "src", ROOT / "assets/truck.jpg")
    answer = json.loads(read_by("annotators", "cvat_functions", *given))
    segmenter = ImageSegmenter.from_pretrained()
    found = segmenter.segment(segmenter.encode(ROOT / "assets/truck.jpg"), points=[[(320, 425)]])
    clicked, followed = (mask_of_points(answer[name], 683, 1024) for name in ("points", "next"))
    assert iou(clicked, found.mask(0)) > 0.99
    assert float(answer["confidence"]) == pytest.approx(found.scores[0], abs=1e-3)
    assert iou(followed, clicked) > 0.9


def test_values_of_other_libraries():
    """Two objects and one without a pixel; then no object at all."""
    answer = json.loads(read_by("integrations", "integrations", sysconfig.get_paths()["purelib"], ROOT / "src"))
    assert answer == {
        "supervision": [[3, 300, 9], [12, 25, 0], 0],
        "fiftyone": [["object", 3, 0.75, 12], ["dog", 300, 0.5, 25]],
        "labels": True,
        "shapes": [True, [3, 300], 0, 0],
    }


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return (one & other).sum() / (one | other).sum()
