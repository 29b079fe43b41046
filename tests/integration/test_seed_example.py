"""The image example of the SAM2 document runs with nothing changed but the import, the checkpoint and the image."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tests.support.both_imports import assert_same, names_of_transformers
from tests.support.documented_programs import changed

# From Hugging Face's documentation of SAM2 (docs/source/en/model_doc/sam2.md), Apache License 2.0.
EXAMPLE = """
import torch
from PIL import Image
import requests
from transformers import Sam2Model, Sam2Processor

device = "cuda" if torch.cuda.is_available() else "cpu"
model = Sam2Model.from_pretrained("danelcsb/sam2.1_hiera_tiny").to(device)
processor = Sam2Processor.from_pretrained("danelcsb/sam2.1_hiera_tiny")

img_url = "https://huggingface.co/ybelkada/segment-anything/resolve/main/assets/car.png"
raw_image = Image.open(requests.get(img_url, stream=True).raw).convert("RGB")
input_points = [[[[450, 600]]]]  # 2D location of a window in the image

inputs = processor(raw_image, input_points=input_points, return_tensors="pt").to(device)
with torch.no_grad():
    outputs = model(**inputs)

masks = processor.image_processor.post_process_masks(
    outputs.pred_masks.cpu(), inputs["original_sizes"].cpu(), inputs["reshaped_input_sizes"].cpu()
)
pred_masks = outputs.pred_masks
"""


def run(checkpoint: Path, tmp_path: Path) -> dict[str, Any]:
    """The names that the example leaves behind."""
    picture = tmp_path / "car.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (650, 700, 3), dtype=np.uint8)).save(picture)
    code = changed(EXAMPLE, "from transformers import", "from masklet import")
    code = changed(code, '"danelcsb/sam2.1_hiera_tiny"', repr(str(checkpoint)))
    code = changed(code, "import requests\n", "")
    code = changed(code, "Image.open(requests.get(img_url, stream=True).raw)", f"Image.open({str(picture)!r})")
    names: dict[str, Any] = {}
    exec(code, names)
    return names


def test_the_image_example(saved_model: Path, tmp_path: Path) -> None:
    names = run(saved_model, tmp_path)
    masks, logits = names["masks"], names["pred_masks"].cpu()
    assert [(mask.shape, mask.dtype) for mask in masks] == [((1, 3, 650, 700), torch.bool)]
    assert logits.shape == (1, 1, 3, 24, 24)
    enlarged = torch.nn.functional.interpolate(logits[0], (650, 700), mode="bilinear", align_corners=False)
    assert (masks[0] != (enlarged > 0)).float().mean() < 1e-4
    assert 0 < masks[0].float().mean() < 1
    assert names["outputs"].iou_scores.shape == (1, 1, 3)


def test_its_logits_are_those_of_transformers(hub_folder: Path, tmp_path: Path) -> None:
    """On its inputs: current transformers take the third argument of `post_process_masks` for a threshold."""
    names = run(hub_folder, tmp_path)
    model = names_of_transformers(hub_folder).Sam2Model.from_pretrained(hub_folder)
    inputs = {name: names["inputs"][name].cpu() for name in ("pixel_values", "input_points")}
    with torch.no_grad():
        expected = model(**inputs)
    assert_same(names["pred_masks"].cpu(), expected.pred_masks)
    assert_same(names["outputs"].iou_scores.cpu(), expected.iou_scores)
