"""Programs on images as users of transformers write them: another import, the same numbers."""

import copy
import json
import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.support.both_imports import Program, assert_runs_alike, image
from torch import Tensor

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")

CLICK = [[[[30, 20]]]]
IOU, STABILITY, NMS = 0.00025, 0.2, 0.9
"""Thresholds that some masks of random weights pass."""


def opened(sam2: Any) -> tuple[Any, Any]:
    return sam2.Sam2Model.from_pretrained(sam2.CHECKPOINT), sam2.Sam2Processor.from_pretrained(sam2.CHECKPOINT)


def segmented(sam2: Any, images: Any, multimask_output: bool = True, **prompts: Any) -> tuple[Any, ...]:
    """What every page shows: processor, model, masks of the images' sizes."""
    model, processor = opened(sam2)
    inputs = processor(images=images, return_tensors="pt", **prompts).to(model.device)
    with torch.no_grad():
        outputs = model(**inputs, multimask_output=multimask_output)
    masks = processor.post_process_masks(outputs.pred_masks.cpu(), inputs["original_sizes"])
    return masks, outputs.iou_scores, outputs.object_score_logits, outputs.pred_masks


def one_click(sam2: Any) -> Any:
    return segmented(sam2, image(), input_points=CLICK, input_labels=[[[1]]])


def a_click_without_a_label(sam2: Any) -> Any:
    return segmented(sam2, image(), input_points=CLICK)


def clicks_on_and_off_the_object(sam2: Any) -> Any:
    points, labels = [[[[30, 20], [10, 40], [50, 5]]]], [[[1, 0, 1]]]
    return segmented(sam2, image(), input_points=points, input_labels=labels, multimask_output=False)


def a_box(sam2: Any) -> Any:
    return segmented(sam2, image(), input_boxes=[[[10, 5, 50, 40]]], multimask_output=False)


def a_box_and_a_click_off_the_object(sam2: Any) -> Any:
    prompts = {"input_points": CLICK, "input_labels": [[[0]]], "input_boxes": [[[10, 5, 50, 40]]]}
    return segmented(sam2, image(), multimask_output=False, **prompts)


def several_objects(sam2: Any) -> Any:
    points = [[[[30, 20]], [[10, 40]], [[55, 44]]]]
    return segmented(sam2, image(), input_points=points, input_labels=[[[1], [1], [1]]], multimask_output=False)


def no_prompt(sam2: Any) -> Any:
    return segmented(sam2, image())


def a_batch_of_images(sam2: Any) -> Any:
    images = [image(), image(40, 70, seed=1)]
    return segmented(sam2, images, input_points=[[[[30, 20]]], [[[20, 60]]]], input_labels=[[[1]], [[1]]])


def a_batch_of_several_objects(sam2: Any) -> Any:
    points = [[[[30, 20]], [[10, 40]]], [[[20, 60]], [[5, 5]]]]
    return segmented(sam2, [image(), image(40, 70, seed=1)], input_points=points, input_labels=[[[1], [1]]] * 2)


def a_ragged_batch(sam2: Any) -> Any:
    points = [[[[30, 20]], [[10, 40], [12, 30]]], [[[20, 60], [3, 4], [39, 69]]]]
    labels = [[[1], [1, 0]], [[1, 1, 0]]]
    masks, *others = segmented(sam2, [image(), image(40, 70, seed=1)], input_points=points, input_labels=labels)
    return [others[0][0], others[0][1, 0], masks[0], masks[1][0]]  # without the object that is padding


def a_batch_of_boxes(sam2: Any) -> Any:
    boxes = [[[10, 5, 50, 40], [0, 0, 20, 20]], [[2, 3, 30, 60], [10, 10, 39, 69]]]
    return segmented(sam2, [image(), image(40, 70, seed=1)], input_boxes=boxes, multimask_output=False)


def the_boxes_of_a_detector(sam2: Any) -> Any:
    """Arrays, as detectors return them, for images that are arrays."""
    boxes = np.array([[10.5, 5.25, 50, 40], [0, 0, 20, 20]], dtype=np.float32)
    masks, scores, *_ = segmented(sam2, np.asarray(image()), input_boxes=boxes[None].tolist(), multimask_output=False)
    areas = masks[0][:, 0].flatten(1).sum(1)
    return scores, [int(area) // 20 for area in areas]


def image_embeddings_used_again(sam2: Any) -> Any:
    model, processor = opened(sam2)
    pixels = processor(images=image(), return_tensors="pt")
    embeddings = model.get_image_embeddings(pixels["pixel_values"])
    outputs = []
    for point in ([30, 20], [5, 40]):
        prompts = processor(
            input_points=[[[point]]],
            input_labels=[[[1]]],
            original_sizes=pixels["original_sizes"],
            return_tensors="pt",
        )
        prompts.pop("original_sizes")
        with torch.no_grad():
            outputs.append(model(**prompts, image_embeddings=embeddings).pred_masks)
    return embeddings, outputs, model.get_image_wide_positional_embeddings()


def image_features(sam2: Any) -> Any:
    model, processor = opened(sam2)
    pixels = processor(images=image(), return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        features = model.get_image_features(pixels)
    return list(features.fpn_hidden_states), features.last_hidden_state


def the_previous_mask_as_a_prompt(sam2: Any) -> Any:
    model, processor = opened(sam2)
    inputs = processor(images=image(), input_points=CLICK, input_labels=[[[1]]], return_tensors="pt")
    with torch.no_grad():
        first = model(**inputs)
        best = first.iou_scores.squeeze().argmax()
        inputs["input_points"] = torch.cat([inputs["input_points"], torch.tensor([[[[10.0, 50]]]])], dim=2)
        inputs["input_labels"] = torch.tensor([[[1, 0]]])
        second = model(
            **inputs,
            input_masks=first.pred_masks[:, :, best],
            image_embeddings=None,
            multimask_output=False,
        )
    return int(best), second.pred_masks, second.iou_scores


def options_of_post_processing(sam2: Any) -> Any:
    model, processor = opened(sam2)
    points = [[[[30, 20]], [[10, 40]]]]
    inputs = processor(images=image(), input_points=points, input_labels=[[[1], [1]]], return_tensors="pt")
    with torch.no_grad():
        masks = model(**inputs, multimask_output=False).pred_masks
    sizes = inputs["original_sizes"]
    return (
        processor.post_process_masks(masks, sizes, binarize=False),
        processor.post_process_masks(masks, sizes, mask_threshold=0.5),
        processor.image_processor.post_process_masks(masks, sizes.tolist(), mask_threshold=-0.3),
        processor.post_process_masks([*masks], sizes),
    )


def a_drawing(sam2: Any) -> Any:
    masks, scores, *_ = segmented(sam2, image(), input_points=CLICK, input_labels=[[[1]]])
    best = masks[0].squeeze(0)[scores.squeeze().argmax()].numpy()
    coloured = np.asarray(image()).copy()
    coloured[best] = coloured[best] // 2 + np.array([0, 0, 127], dtype=np.uint8)
    return torch.from_numpy(coloured).float().mean((0, 1))


def half_precision(sam2: Any) -> Any:
    model = sam2.Sam2Model.from_pretrained(sam2.CHECKPOINT, dtype=torch.bfloat16)
    _, processor = opened(sam2)
    inputs = processor(images=image(), input_points=CLICK, return_tensors="pt")
    with torch.no_grad():
        outputs = model(**inputs)
    named = str(model.config.dtype).removeprefix("torch.")
    return model.dtype, named, outputs.pred_masks.dtype, outputs.pred_masks.shape, model.config.torch_dtype is not None


def the_configuration_is_read(sam2: Any) -> Any:
    config = sam2.Sam2Model.from_pretrained(sam2.CHECKPOINT).config
    backbone, decoder = config.vision_config.backbone_config, config.mask_decoder_config
    copied = sam2.Sam2Config.from_dict(config.to_dict())
    return (
        [
            backbone.blocks_per_stage,
            backbone.hidden_size,
            backbone.global_attention_blocks,
            backbone.window_size_per_stage,
        ],
        [config.vision_config.fpn_hidden_size, config.prompt_encoder_config.image_size, decoder.num_multimask_outputs],
        copied.to_dict() == config.to_dict(),
        json.loads(copied.to_json_string(use_diff=False))["vision_config"]["fpn_hidden_size"],
        [len(copied.id2label), copied.num_labels, copied.use_return_dict, config.model_type, config.output_attentions],
    )


def a_configuration_is_changed_and_saved(sam2: Any) -> Any:
    config = sam2.Sam2Config.from_pretrained(sam2.CHECKPOINT)
    config.update({"initializer_range": 0.01})
    config.mask_decoder_config.dynamic_multimask_via_stability = False
    with tempfile.TemporaryDirectory() as folder:
        config.save_pretrained(folder, push_to_hub=False)
        again, unused = sam2.Sam2Config.from_pretrained(folder, return_unused_kwargs=True, unknown=3)
        dictionary, _ = sam2.Sam2Config.get_config_dict(folder)
    decoder = again.mask_decoder_config
    return again.initializer_range, decoder.dynamic_multimask_via_stability, unused, dictionary["initializer_range"]


def a_model_is_saved_and_loaded(sam2: Any) -> Any:
    model, processor = opened(sam2)
    inputs = processor(images=image(), input_points=CLICK, return_tensors="pt")
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        model.save_pretrained(folder, max_shard_size="50KB")
        shards = len(list(Path(folder).glob("*.safetensors")))
        again, info = sam2.Sam2Model.from_pretrained(folder, output_loading_info=True, token=None, cache_dir=None)
        outputs = again(**inputs)
    return shards > 1, sorted(info["missing_keys"]), sorted(info["unexpected_keys"]), outputs.pred_masks


def a_model_is_copied_pickled_and_moved(sam2: Any) -> Any:
    model, processor = opened(sam2)
    inputs = processor(images=image(), input_points=CLICK, return_tensors="pt")
    copies = [copy.deepcopy(model), pickle.loads(pickle.dumps(model)), model.to("cpu").float(), model.double()]
    inputs = pickle.loads(pickle.dumps(inputs))
    with torch.no_grad():
        pixels = inputs.pop("pixel_values")
        outputs = [each.eval()(pixels.to(each.dtype), **inputs).pred_masks.float() for each in copies[:3]]
    return outputs, model.get_memory_footprint(), model.num_parameters(), model.num_parameters(only_trainable=True)


def weights_by_name(sam2: Any) -> Any:
    model, _ = opened(sam2)
    for name, parameter in model.named_parameters():
        if name.startswith(("vision_encoder", "prompt_encoder")):
            parameter.requires_grad_(False)
    names = {name: list(tensor.shape) for name, tensor in model.state_dict().items()}
    model.load_state_dict(model.state_dict())
    left = sorted(name for name, parameter in model.named_parameters() if parameter.requires_grad)
    return sorted(names.items()), left, model.num_parameters(only_trainable=True)


def methods_of_a_model(sam2: Any) -> Any:
    model, _ = opened(sam2)
    model.enable_input_require_grads()
    model.disable_input_require_grads()
    model.tie_weights()
    return (
        model.base_model is model,
        model.main_input_name,
        model.base_model_prefix,
        str(model.device),
        model.dtype,
        list(model.get_parameter_or_buffer("no_memory_embedding").shape),
        type(model.get_input_embeddings()).__name__ != "",
        model.name_or_path == str(sam2.CHECKPOINT),
    )


def inputs_as_a_container(sam2: Any) -> Any:
    _, processor = opened(sam2)
    inputs = processor(images=image(), input_points=CLICK, input_labels=[[[1]]], return_tensors="pt")
    assert inputs.data["input_points"] is inputs.input_points
    moved = inputs.to("cpu", dtype=torch.bfloat16)
    arrays = processor(images=image(), return_tensors="np")
    return (
        inputs["input_points"],
        inputs.input_labels,
        inputs["original_sizes"],
        moved["pixel_values"].dtype,
        isinstance(arrays["pixel_values"], np.ndarray),
        processor.image_processor.size["height"],
        [processor.target_size, processor.point_pad_value],
    )


def outputs_as_a_container(sam2: Any) -> Any:
    from accelerate.utils import convert_to_fp32, send_to_device
    from torch.utils._pytree import tree_flatten, tree_map

    model, processor = opened(sam2)
    with torch.no_grad():
        outputs = model(**processor(images=image(), input_points=CLICK, return_tensors="pt"))
        as_tuple = model(**processor(images=image(), input_points=CLICK, return_tensors="pt"), return_dict=False)
    doubled = tree_map(lambda x: 2 * x, outputs)
    half = type(outputs)({key: value.half() for key, value in outputs.items() if isinstance(value, Tensor)})
    outputs["mine"] = 3
    return (
        list(outputs),
        len(tree_flatten(outputs)[0]),
        doubled.pred_masks,
        as_tuple[1],
        outputs[0],
        convert_to_fp32(half)["pred_masks"].dtype,
        send_to_device(outputs, "cpu").iou_scores,
        outputs.to_tuple()[2],
    )


def parts_as_models(sam2: Any) -> Any:
    """The image encoder and its backbone alone, from the checkpoint of the whole."""
    _, processor = opened(sam2)
    model = sam2.Sam2Model.from_pretrained(sam2.CHECKPOINT)
    pixels = processor(images=image(), return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        encoded = model.vision_encoder(pixels)
        stages = model.vision_encoder.backbone(pixels).intermediate_hidden_states
        alone = sam2.Sam2VisionModel(model.config.vision_config).eval()
        alone.load_state_dict(model.vision_encoder.state_dict())
        fewer = alone(pixel_values=pixels, return_dict=False)[0]
    return list(encoded.fpn_hidden_states), list(stages), fewer


def names_of_today(sam2: Any) -> Any:
    names = "Sam2Config Sam2HieraDetConfig Sam2VisionConfig Sam2PromptEncoderConfig Sam2MaskDecoderConfig Sam2Model "
    names += "Sam2HieraDetModel Sam2VisionModel Sam2PreTrainedModel Sam2Processor Sam2VideoConfig Sam2VideoModel "
    names += "Sam2VideoPromptEncoderConfig Sam2VideoMaskDecoderConfig Sam2VideoPreTrainedModel Sam2VideoProcessor "
    names += "Sam2VideoInferenceSession"
    found = [getattr(sam2, name) for name in names.split()]
    return len(found), isinstance(opened(sam2)[0], sam2.Sam2PreTrainedModel)


def a_network_that_was_just_made(sam2: Any) -> Any:
    """Random weights, saved and read by either side."""
    model = sam2.Sam2Model(sam2.Sam2Config.from_pretrained(sam2.CHECKPOINT))
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        again = sam2.Sam2Model.from_pretrained(folder)
    with torch.no_grad():
        pixels = torch.zeros(1, 3, 64, 64)
        return bool(torch.allclose(model.eval()(pixels).pred_masks, again(pixels).pred_masks, atol=1e-6))


def the_mask_generation_pipeline(sam2: Any) -> Any:
    """transformers' pipeline on either model; on square images, because its grid covers no others."""
    from transformers import pipeline

    model, processor = opened(sam2)
    generator = pipeline("mask-generation", model=model, image_processor=processor.image_processor)
    thresholds = {"pred_iou_thresh": IOU, "stability_score_thresh": STABILITY, "crops_nms_thresh": NMS}
    found = generator(image(64, 64), points_per_crop=4, points_per_batch=7, output_bboxes_mask=True, **thresholds)
    nothing = generator(image(64, 64), points_per_crop=2, pred_iou_thresh=0.999999)
    return len(found["masks"]) > 2, dict(found), nothing["masks"], nothing["scores"]


def the_steps_of_mask_generation(sam2: Any) -> Any:
    """What the pipeline does, written out, with crops."""
    model, processor = opened(sam2)
    steps = processor.image_processor
    boxes, points, crops, labels = steps.generate_crop_boxes(image(64, 64), steps.size["height"], 1, points_per_crop=3)
    inputs = steps(images=crops, return_tensors="pt")
    kept: tuple[list[Any], list[Any], list[Any]] = [], [], []
    for place, pixels in enumerate(inputs["pixel_values"]):
        prompts = {"input_points": points[:, :, place, None], "input_labels": labels[:, :, place, None]}
        with torch.no_grad():
            outputs = model(image_embeddings=model.get_image_embeddings(pixels[None]), **prompts)
        sizes = inputs["original_sizes"][place : place + 1]
        masks = steps.post_process_masks(outputs.pred_masks, sizes, binarize=False)
        masks, scores, found = steps.filter_masks(
            masks[0], outputs.iou_scores[0], (64, 64), boxes[place], IOU, STABILITY
        )
        kept[0].extend(masks)
        kept[1].append(scores)
        kept[2].append(found.long())  # of none they are floats there
    return len(kept[0]) > 2, steps.post_process_for_mask_generation(
        kept[0], torch.cat(kept[1]), torch.cat(kept[2]), 0.7
    )


PROGRAMS: list[Program] = [
    one_click,
    a_click_without_a_label,
    clicks_on_and_off_the_object,
    a_box,
    a_box_and_a_click_off_the_object,
    several_objects,
    no_prompt,
    a_batch_of_images,
    a_batch_of_several_objects,
    a_ragged_batch,
    a_batch_of_boxes,
    the_boxes_of_a_detector,
    image_embeddings_used_again,
    image_features,
    the_previous_mask_as_a_prompt,
    options_of_post_processing,
    a_drawing,
    half_precision,
    the_configuration_is_read,
    a_configuration_is_changed_and_saved,
    a_model_is_saved_and_loaded,
    a_model_is_copied_pickled_and_moved,
    weights_by_name,
    methods_of_a_model,
    inputs_as_a_container,
    outputs_as_a_container,
    parts_as_models,
    names_of_today,
    a_network_that_was_just_made,
    the_mask_generation_pipeline,
    the_steps_of_mask_generation,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_another_import(program: Program, hub_folder: Path) -> None:
    assert_runs_alike(program, hub_folder)
