"""Folders on disk: what masklet saves transformers reads, and the other way, with the same masks."""

import copy
from collections.abc import Callable
from pathlib import Path

import torch
from tests.parity.agreement import assert_agrees, assert_all_agree
from tests.parity.conftest import Trio
from tests.parity.prompts import KINDS, for_meta

from masklet import Sam2Model


def test_transformers_reads_a_masklet_folder(small: Trio, tmp_path: Path) -> None:
    from transformers.models.sam2.modeling_sam2 import Sam2Model as TransformersSam2Model

    small.masklet.save_pretrained(tmp_path)
    loaded, report = TransformersSam2Model.from_pretrained(tmp_path, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    prompts = KINDS["box and clicks"](small.image_size)
    ours = small.masklet(small.pixels, **prompts)
    assert_agrees(ours.pred_masks, loaded.eval()(small.pixels, **prompts).pred_masks)


def test_transformers_reads_a_network_that_draws_boxes_and_draws_none(small: Trio, tmp_path: Path) -> None:
    from transformers.models.sam2.modeling_sam2 import Sam2Model as TransformersSam2Model

    size = small.image_size
    drawing = copy.deepcopy(small.masklet)
    drawing.config.prompt_encoder_config.draws_boxes = True
    drawing.save_pretrained(tmp_path)
    assert Sam2Model.from_pretrained(tmp_path).config.prompt_encoder_config.draws_boxes
    loaded = TransformersSam2Model.from_pretrained(tmp_path).eval()
    clicks, box = (KINDS[kind](size) for kind in ("positive and negative clicks", "box and clicks"))
    assert_agrees(drawing(small.pixels, **clicks).pred_masks, loaded(small.pixels, **clicks).pred_masks)
    not_drawn = loaded(small.pixels, **box).pred_masks
    assert_agrees(small.masklet(small.pixels, **box).pred_masks, not_drawn)
    assert (drawing(small.pixels, **box).pred_masks - not_drawn).abs().max() > 0.01 * not_drawn.abs().max()


def test_masklet_reads_a_transformers_folder(small: Trio, tmp_path: Path) -> None:
    small.transformers.save_pretrained(tmp_path)
    loaded = Sam2Model.from_pretrained(tmp_path)
    prompts = KINDS["mask and clicks"](small.image_size)
    assert not loaded.training
    assert_agrees(loaded(small.pixels, **prompts).pred_masks, small.transformers(small.pixels, **prompts).pred_masks)


def test_a_network_that_transformers_just_drew(small: Trio, tmp_path: Path) -> None:
    """Its two tables of positions are drawn apart, unlike those of any trained checkpoint."""
    new = type(small.transformers)(small.transformers.config).eval()
    new.save_pretrained(tmp_path)
    tables = [name for name in new.state_dict() if name.endswith("positional_embedding")]
    assert not torch.equal(*(new.state_dict()[name] for name in tables))
    prompts = KINDS["box and clicks"](small.image_size)
    ours = Sam2Model.from_pretrained(tmp_path)(small.pixels, **prompts)
    assert_agrees(ours.pred_masks, new(small.pixels, **prompts).pred_masks)


def test_masklet_reads_a_video_model_folder(small: Trio, tmp_path: Path) -> None:
    """The hub's SAM 2 folders hold video models; their image part loads as `Sam2Model`."""
    from transformers.models.sam2_video.configuration_sam2_video import Sam2VideoConfig
    from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoModel

    width = small.configuration["vision_config"]["fpn_hidden_size"]
    video = Sam2VideoModel(
        Sam2VideoConfig.from_dict(
            small.configuration
            | {
                "model_type": "sam2_video",
                "image_size": small.image_size,
                "memory_attention_hidden_size": width,
                "memory_attention_rope_feat_sizes": [small.image_size // 16] * 2,
                "memory_encoder_hidden_size": width,
                "mask_downsampler_embed_dim": width,
                "memory_fuser_embed_dim": width,
            }
        )
    )
    video.load_state_dict(small.transformers.state_dict(), strict=False)
    video.save_pretrained(tmp_path)
    loaded = Sam2Model.from_pretrained(tmp_path)
    prompts = KINDS["one click"](small.image_size)
    assert_agrees(loaded(small.pixels, **prompts).pred_masks, small.transformers(small.pixels, **prompts).pred_masks)


def test_an_image_size_given_at_load_time(small: Trio, trio_of: Callable[[str, int], Trio], tmp_path: Path) -> None:
    """The weights know no size: a model saved at 128 and loaded at 256 is the reference built at 256."""
    small.masklet.save_pretrained(tmp_path)
    loaded = Sam2Model.from_pretrained(tmp_path, image_size=256)
    larger = trio_of("small", 256)
    prompts = KINDS["box and clicks"](256)
    outputs = loaded(larger.pixels[:1], **{name: value[:1] for name, value in prompts.items()})
    expected = larger.meta.encode(larger.pixels[:1])
    assert_all_agree(outputs.image_embeddings, expected, "embeddings")
    logits, iou_scores, _ = larger.meta.segment(expected, **for_meta(prompts, 0))
    assert_agrees(outputs.pred_masks[0], logits, "mask logits")
    assert_agrees(outputs.iou_scores[0], iou_scores, "IoU scores")
