"""Programs written for the public API run: the video example of the SAM2 document, and what later versions write."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.support.documented_programs import changed
from tests.support.small_video_models import HEIGHT, SIZE, WIDTH, small_clip, small_video_model

from masklet import Sam2Model, Sam2Processor, Sam2VideoModel, Sam2VideoProcessor

# From Hugging Face's documentation of SAM2 (docs/source/en/model_doc/sam2.md), Apache License 2.0.
EXAMPLE = """
from transformers import (
    Sam2Config,
    Sam2ImageProcessorFast,
    Sam2Model,
    Sam2VideoModel,
    Sam2Processor,
    Sam2VideoProcessor,
)

image_processor = Sam2ImageProcessorFast()
video_processor = Sam2VideoProcessor()
processor = Sam2Processor(image_processor=image_processor, video_processor=video_processor)

sam2model = Sam2VideoModel.from_pretrained("danelcsb/sam2.1_hiera_tiny").to("cuda")

# Use your custom video path
video_dir = "./videos/bedroom"

# scan all the JPEG frame names in this directory
frame_names = [
    p for p in os.listdir(video_dir)
    if os.path.splitext(p)[-1] in [".jpg", ".jpeg", ".JPG", ".JPEG"]
]
frame_names.sort(key=lambda p: int(os.path.splitext(p)[0]))

videos = []
for frame_name in frame_names:
    videos.append(Image.open(os.path.join(video_dir, frame_name)))
inference_session = processor.init_video_session(video=videos, inference_device="cuda")

ann_frame_idx = 0  # the frame index we interact with
ann_obj_id = [1]  # give a unique id to each object we interact with (it can be any integers)
points = np.array([[[[210, 350]]]], dtype=np.float32)
# for labels, `1` means positive click and `0` means negative click
labels = np.array([[[1]]], np.int32)

# Let's add a positive click at (x, y) = (210, 350) to get started
processor.process_new_points_or_boxes_for_video_frame(
    inference_session=inference_session,
    frame_idx=ann_frame_idx,
    obj_ids=ann_obj_id,
    input_points=points,
    input_labels=labels
)

Sam2VideoSegmentationOutput = sam2model(
    inference_session=inference_session,
    frame_idx=ann_frame_idx,
)
"""
MISSING_IMPORTS = "import os\nimport numpy as np\nfrom PIL import Image\n"


def test_the_video_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = tmp_path / "checkpoint"
    small_video_model(image_size=1024, memory_attention_num_layers=1).save_pretrained(checkpoint)
    folder = tmp_path / "videos" / "bedroom"
    folder.mkdir(parents=True)
    for number in (0, 1, 2, 10):
        noise = np.random.default_rng(number).integers(0, 256, (400, 300, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{number:05d}.jpg")
    code = changed(EXAMPLE, "from transformers import", "from masklet import")
    code = changed(code, '"danelcsb/sam2.1_hiera_tiny"', repr(str(checkpoint)))
    code = code if torch.cuda.is_available() else changed(code, '"cuda"', '"cpu"')
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(MISSING_IMPORTS + code, names)

    output, session = names["Sam2VideoSegmentationOutput"], names["inference_session"]
    assert (output.frame_idx, output.object_ids, names["ann_obj_id"]) == (0, [1], [1])
    assert output.pred_masks.shape == (1, 1, 256, 256)
    assert output.video_res_masks.shape == (1, 1, 400, 300)
    assert (session.num_frames, session.video_height, session.video_width) == (4, 400, 300)
    masks = names["processor"].post_process_masks([output.pred_masks], original_sizes=[[400, 300]])
    assert torch.equal(masks[0], output.video_res_masks > 0)
    inputs = names["processor"](folder / "00000.jpg", return_tensors="pt")
    assert inputs["pixel_values"].equal(session.get_frame(0)[None])
    assert names["videos"][3].size == (300, 400)
    for image in names["videos"]:  # which the example leaves open
        image.close()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("video") / "checkpoint"
    small_video_model().save_pretrained(folder)
    Sam2Processor(size=SIZE).save_pretrained(folder)
    return folder


def click_and_propagate(processor: Any, model: Sam2VideoModel, clip: Any) -> list[torch.Tensor]:
    """What current versions of the public API have users write: `obj_ids` and nested lists, masks on demand."""
    session = processor.init_video_session(video=clip, inference_device="cpu", dtype=model.dtype)
    processor.add_inputs_to_inference_session(
        inference_session=session, frame_idx=0, obj_ids=1, input_points=[[[[21, 35]]]], input_labels=[[[1]]]
    )
    model(inference_session=session, frame_idx=0)
    return [
        processor.post_process_masks(
            [output.pred_masks], original_sizes=[[session.video_height, session.video_width]], binarize=False
        )[0]
        for output in model.propagate_in_video_iterator(session)
    ]


def test_later_versions_need_only_the_video_processor(checkpoint: Path) -> None:
    model, clip = Sam2VideoModel.from_pretrained(checkpoint), small_clip()
    masks = click_and_propagate(Sam2VideoProcessor.from_pretrained(checkpoint), model, list(clip))
    assert [mask.shape for mask in masks] == [(1, 1, HEIGHT, WIDTH)] * len(clip)
    others = click_and_propagate(Sam2Processor.from_pretrained(checkpoint), model, list(clip))
    assert all(torch.equal(mask, other) for mask, other in zip(masks, others, strict=True))


def test_half_precision_stays_half(checkpoint: Path) -> None:
    model = Sam2VideoModel.from_pretrained(checkpoint).to(torch.bfloat16)
    masks = click_and_propagate(Sam2VideoProcessor.from_pretrained(checkpoint), model, small_clip())
    assert {mask.dtype for mask in masks} == {torch.bfloat16}


@pytest.mark.parametrize("kind", [Sam2Processor, Sam2VideoProcessor])
def test_streaming_gives_what_the_whole_video_gives(checkpoint: Path, kind: Any) -> None:
    model, processor = Sam2VideoModel.from_pretrained(checkpoint), kind.from_pretrained(checkpoint)
    clip = small_clip(frames=16)  # from 16 frames on, streams and videos look equally far back for pointers
    expected = click_and_propagate(processor, model, clip)
    session = processor.init_video_session()
    for number, frame in enumerate(clip):
        inputs = processor(images=frame, device="cpu", return_tensors="pt")
        if number == 0:
            processor.add_inputs_to_inference_session(
                inference_session=session,
                frame_idx=0,
                obj_ids=1,
                input_points=[[[[21, 35]]]],
                input_labels=[[[1]]],
                original_size=inputs.original_sizes[0],
            )
        output = model(inference_session=session, frame=inputs.pixel_values[0])
        masks = processor.post_process_masks([output.pred_masks], original_sizes=inputs.original_sizes, binarize=False)
        assert output.frame_idx == number
        assert (masks[0] - expected[number]).abs().max() < 1e-4


def test_one_checkpoint_serves_images_and_videos(checkpoint: Path) -> None:
    image = small_clip(frames=1)[0]
    inputs = Sam2Processor.from_pretrained(checkpoint)(image, input_points=[[[[21, 35]]]], return_tensors="pt")
    output = Sam2Model.from_pretrained(checkpoint)(**inputs)
    assert output.pred_masks.shape == (1, 1, 3, SIZE // 4, SIZE // 4)
