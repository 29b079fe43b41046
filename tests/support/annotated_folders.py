"""Small datasets in every layout: the same images and objects, in different files."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from masklet.masks.run_length import encode_run_length
from masklet.media.label_maps import write_label_map

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


WRITERS = {
    "COCO instances": write_coco,
    "SA-1B": write_sa1b,
    "images and masks": write_plain,
    "DAVIS": write_sequences,
    "YouTube-VOS": write_youtube_vos,
    "MOSE": write_mose,
    "SA-V": write_sav,
    "SA-V val and test": write_sav_split,
}
