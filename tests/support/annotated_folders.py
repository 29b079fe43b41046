"""Small datasets in every layout: the same images and objects, in different files."""

import base64
import json
from pathlib import Path

import numpy as np
from PIL import Image

from masklet.formats.label_studio_code import brush_code
from masklet.masks.counts import counts_of_mask
from masklet.masks.run_length import encode_run_length
from masklet.masks.segmentation import Segmentation
from masklet.media.label_maps import write_label_map
from masklet.media.mask_files import encoded_mask
from masklet.media.recorded_masks import RecordedMasks

HEIGHT, WIDTH = 8, 12

LEFT = np.zeros((HEIGHT, WIDTH), dtype=bool)
LEFT[1:5, 1:4] = True
RIGHT = np.zeros((HEIGHT, WIDTH), dtype=bool)
RIGHT[2:7, 6:11] = True
OBJECTS = (LEFT, RIGHT)
LABELS = (LEFT + 2 * RIGHT).astype(np.uint8)
NOTHING = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)


def write_image(path: Path, red: int = 10, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (red, 20, 30)).save(path)


def write_mask(path: Path, mask: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask.astype(np.uint8) * 255).save(path)


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def write_coco(root: Path) -> None:
    write_image(root / "images/a.png")
    write_image(root / "images/b.png")
    images = [{"id": n, "file_name": f"{name}.png", "height": HEIGHT, "width": WIDTH} for n, name in enumerate("ab")]
    annotations = [{"id": n, "image_id": n % 2, "segmentation": encode_run_length(OBJECTS[n // 2])} for n in range(4)]
    write_json(root / "annotations.json", {"images": images, "annotations": annotations})


def write_sa1b(root: Path, images: str = ".", annotations: str = ".") -> None:
    encoded = [{"id": n, "area": 9, "segmentation": encode_run_length(mask)} for n, mask in enumerate(OBJECTS)]
    for name in ("sa_1", "sa_2"):
        write_image(root / images / f"{name}.jpg")
        image = {"image_id": 1, "file_name": f"{name}.jpg", "height": HEIGHT, "width": WIDTH}
        write_json(root / annotations / f"{name}.json", {"image": image, "annotations": encoded})


def write_plain(root: Path) -> None:
    for name in "ab":
        write_image(root / f"images/{name}.jpg")
        write_label_map(root / f"masks/{name}.png", LABELS)


def write_sequences(
    root: Path,
    annotated_every: int = 1,
    frames: int = 6,
    resolution: str = "",
    names: tuple[str, ...] = ("bike", "swan"),
) -> None:
    """DAVIS' two folders with the sequences `names`."""
    for sequence in names:
        for frame in range(frames):
            write_image(root / "JPEGImages" / resolution / sequence / f"{frame:05}.jpg", red=10 * frame)
            if frame % annotated_every == 0:
                write_label_map(root / "Annotations" / resolution / sequence / f"{frame:05}.png", LABELS)


def write_youtube_vos(root: Path) -> None:
    write_sequences(root, annotated_every=5)
    videos = {name: {"objects": {"1": {"frames": ["00000"]}, "2": {}}} for name in ("bike", "swan")}
    write_json(root / "meta.json", {"videos": videos})


def write_mose(root: Path) -> None:
    write_sequences(root)
    write_json(root / "meta_train.json", {})


def masklets(frame_count: int = 9, **changes: object) -> dict[str, object]:
    """What a JSON file of SA-V says; its first object vanishes at the second annotated frame."""
    frames = [[encode_run_length(LEFT & (place != 1)), encode_run_length(RIGHT | LEFT)] for place in range(3)]
    sizes = {"video_height": float(HEIGHT), "video_width": float(WIDTH), "video_frame_count": float(frame_count)}
    return {"video_id": "sav_1", "masklet_id": [0, 1], "masklet": frames, **sizes, **changes}


def write_sav(root: Path) -> None:
    write_json(root / "sav_1_manual.json", masklets())
    for frame in range(9):
        write_image(root / f"sav_1/{frame:05}.jpg", red=10 * frame)


def write_sav_split(root: Path) -> None:
    for frame in range(9):
        write_image(root / f"JPEGImages_24fps/sav_7/{frame:05}.jpg", red=10 * frame)
    for frame in (0, 4, 8):
        write_mask(root / f"Annotations_6fps/sav_7/000/{frame:05}.png", LEFT & (frame != 4))
        write_mask(root / f"Annotations_6fps/sav_7/003/{frame:05}.png", LEFT | RIGHT)


def write_labelme(root: Path) -> None:
    """Outlines of LEFT and RIGHT, and of the second image a mask of LEFT's pixels."""
    outlines = ([[1, 1], [4, 1], [4, 5], [1, 5]], [[6, 2], [11, 2], [11, 7], [6, 7]])
    shapes = [{"label": "block", "points": each, "group_id": None, "shape_type": "polygon"} for each in outlines]
    crop = base64.b64encode(encoded_mask(LEFT[1:5, 1:4])).decode()
    mask = {"label": "block", "points": [[1, 1], [3, 4]], "group_id": 7, "shape_type": "mask", "mask": crop}
    for name, drawn in (("a", shapes), ("b", [mask, shapes[1]])):
        write_image(root / f"{name}.jpg")
        size = {"imageHeight": HEIGHT, "imageWidth": WIDTH}
        content = {"version": "5.5.0", "flags": {}, "shapes": drawn, "imagePath": f"{name}.jpg", "imageData": None}
        write_json(root / f"{name}.json", content | size)


def write_labelme_video(root: Path, frames: int = 4) -> None:
    """Objects by their groups; the first is not seen on the second frame, and the third frame has no file."""
    for frame in range(frames):
        write_image(root / f"walk/{frame:05}.jpg", red=10 * frame)
        shown = [(2, LEFT)] * (frame != 1) + [(5, RIGHT)]
        shapes = [
            {"label": "block", "group_id": group, "shape_type": "mask", **_mask_shape(mask)} for group, mask in shown
        ]
        about = {"imagePath": f"{frame:05}.jpg", "imageHeight": HEIGHT, "imageWidth": WIDTH, "shapes": shapes}
        if frame != 2:
            write_json(root / f"walk/{frame:05}.json", about)


def _mask_shape(mask: np.ndarray) -> dict[str, object]:
    (top, left), (bottom, right) = np.argwhere(mask).min(axis=0), np.argwhere(mask).max(axis=0)
    crop = encoded_mask(mask[top : bottom + 1, left : right + 1])
    points = [[int(left), int(top)], [int(right), int(bottom)]]
    return {"points": points, "mask": base64.b64encode(crop).decode()}


def write_yolo(root: Path) -> None:
    for name in "ab":
        write_image(root / f"images/train/{name}.jpg")
    (root / "labels/train").mkdir(parents=True)
    left = [1 / 12, 1 / 8, 4 / 12, 1 / 8, 4 / 12, 5 / 8, 1 / 12, 5 / 8]
    right = [6 / 12, 2 / 8, 11 / 12, 2 / 8, 11 / 12, 7 / 8, 6 / 12, 7 / 8]
    lines = [f"{place} {' '.join(map(str, each))}" for place, each in enumerate((left, right))]
    for name in "ab":
        (root / f"labels/train/{name}.txt").write_text("\n".join(lines), encoding="ascii")
    (root / "data.yaml").write_text("train: images/train\nnames:\n  0: left\n  1: right\n", encoding="utf-8")


def write_cvat_images(root: Path) -> None:
    head = "<annotations><version>1.1</version><meta></meta>"
    left = '<mask label="left" source="manual" rle="0, 12" left="1" top="1" width="3" height="4" z_order="0"/>'
    right = '<polygon label="right" points="6.00,2.00;11.00,2.00;11.00,7.00;6.00,7.00" z_order="0"/>'
    images = [
        f'<image id="{number}" name="{name}.jpg" width="{WIDTH}" height="{HEIGHT}">{left}{right}</image>'
        for number, name in enumerate("ab")
    ]
    for name in "ab":
        write_image(root / f"images/{name}.jpg")
    (root / "annotations.xml").write_text(f"{head}{''.join(images)}</annotations>", encoding="utf-8")


def write_cvat_video(root: Path, frames: int = 4) -> None:
    """Two tracks, of which the first is outside on the second frame."""
    size = f"<original_size><width>{WIDTH}</width><height>{HEIGHT}</height></original_size>"
    head = f"<annotations><version>1.1</version><meta><task><size>{frames}</size>{size}</task></meta>"
    outlines = ("1,1;4,1;4,5;1,5", "6,2;11,2;11,7;6,7")
    tracks = [
        f'<track id="{track}" label="block">'
        + "".join(
            f'<polygon frame="{frame}" keyframe="1" outside="{int(not track and frame == 1)}" points="{points}"/>'
            for frame in range(frames)
        )
        + "</track>"
        for track, points in enumerate(outlines)
    ]
    for frame in range(frames):
        write_image(root / f"images/frame_{frame:06}.jpg", red=10 * frame)
    (root / "annotations.xml").write_text(f"{head}{''.join(tracks)}</annotations>", encoding="utf-8")


def write_label_studio(root: Path) -> None:
    brush = {"format": "rle", "rle": brush_code(counts_of_mask(LEFT), HEIGHT, WIDTH), "brushlabels": ["left"]}
    corners = [[100 * x / WIDTH, 100 * y / HEIGHT] for x, y in ((6, 2), (11, 2), (11, 7), (6, 7))]
    polygon = {"points": corners, "polygonlabels": ["right"]}
    size = {"original_width": WIDTH, "original_height": HEIGHT}
    result = [
        {"id": "x", "type": "brushlabels", "value": brush, **size},
        {"id": "y", "type": "polygonlabels", "value": polygon, **size},
    ]
    tasks = [
        {"id": number, "data": {"image": f"/data/upload/1/{name}.jpg"}, "annotations": [{"result": result}]}
        for number, name in enumerate("ab")
    ]
    for name in "ab":
        write_image(root / f"images/{name}.jpg")
    write_json(root / "tasks.json", tasks)


def write_youtube_vis(root: Path, frames: int = 4) -> None:
    """Two objects, of which the first is not seen on the second frame."""
    encoded = [
        [None if not n and frame == 1 else encode_run_length(each) for frame in range(frames)]
        for n, each in enumerate(OBJECTS)
    ]
    names = [f"walk/{frame:05}.jpg" for frame in range(frames)]
    for frame, name in enumerate(names):
        write_image(root / "JPEGImages" / name, red=10 * frame)
    video = {"id": 1, "height": HEIGHT, "width": WIDTH, "length": frames, "file_names": names}
    annotations = [
        {"id": number, "video_id": 1, "category_id": 2, "iscrowd": 0, "segmentations": each}
        for number, each in enumerate(encoded, start=1)
    ]
    categories = [{"id": 2, "name": "block"}]
    write_json(root / "instances.json", {"videos": [video], "categories": categories, "annotations": annotations})


def write_batch_of_images(root: Path) -> None:
    """What a batch makes of two images, which lie in a folder with other names."""
    encoded = [{"id": n, "area": 9, "segmentation": encode_run_length(mask)} for n, mask in enumerate(OBJECTS)]
    for name in ("cat", "dog"):
        write_image(root / f"{name}s/image.png")
        image = {"file_name": "image.png", "height": HEIGHT, "width": WIDTH}
        write_json(root / name / "image.json", {"image": image, "annotations": encoded})
        write_json(root / name / "job.jsonl", {"id": name, "image": f"{name}s/image.png"})
    write_json(root / ".batch/batch.json", {"jobs": 2, "media": "."})


def write_batch_of_videos(root: Path) -> None:
    """What a batch makes of a video, which has another name than its job."""
    write_masklet(root / "media")
    (root / "result").mkdir()
    (root / "media/walk.json").rename(root / "result/walk.json")
    write_json(root / "result/job.jsonl", {"id": "result", "video": "walk"})
    write_json(root / ".batch/batch.json", {"jobs": 1, "media": "media"})


def write_masklet(root: Path, frames: int = 4) -> None:
    """The file of `masklet track`, with three of the frames; the first object is not seen on the second of them."""
    for frame in range(frames):
        write_image(root / f"walk/{frame:05}.jpg", red=10 * frame)
    about = {"file_name": "walk", "height": HEIGHT, "width": WIDTH, "frame_rate": 24.0, "frame_count": frames}
    with RecordedMasks(HEIGHT, WIDTH) as recorded:
        for frame in (0, 1, 3):
            masks = np.stack([LEFT & (frame != 1), RIGHT])
            recorded.record(frame, Segmentation(masks, np.array([0.25, 0.75], dtype=np.float32), [2, 5]))
        recorded.save(root / "walk.json", about)


WRITERS = {
    "batch of images": write_batch_of_images,
    "batch of videos": write_batch_of_videos,
    "masklet": write_masklet,
    "COCO instances": write_coco,
    "SA-1B": write_sa1b,
    "images and masks": write_plain,
    "DAVIS": write_sequences,
    "YouTube-VOS": write_youtube_vos,
    "MOSE": write_mose,
    "SA-V": write_sav,
    "SA-V val and test": write_sav_split,
    "labelme": write_labelme,
    "labelme videos": write_labelme_video,
    "YOLO segmentation": write_yolo,
    "CVAT for images": write_cvat_images,
    "CVAT for video": write_cvat_video,
    "Label Studio": write_label_studio,
    "YouTube-VIS": write_youtube_vis,
}
