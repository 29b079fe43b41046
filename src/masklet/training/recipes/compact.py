"""Compact models from random weights: the bundled one, on procedural scenes and freely licensed images, and others."""

from dataclasses import replace

from masklet.configuration import (
    Sam2Config,
    Sam2HieraDetConfig,
    Sam2MaskDecoderConfig,
    Sam2PromptEncoderConfig,
    Sam2VisionConfig,
)
from masklet.datasets.scenes import SceneMixture
from masklet.training.recipes.ingredients import Ingredients
from masklet.training.settings.procedure import AnnotatorShares, ClipTracking, LossWeights, PromptShares
from masklet.training.settings.recipe import Recipe
from masklet.training.settings.stages import ClipStage, Stage

WIDTH = 128  # of the pyramid, the prompts and the decoder


def compact_model(image_size: int = 384) -> Sam2Config:
    """Configure a SAM 2 of about 6 million parameters: narrow, with windows that tile image sizes divisible by 128."""
    backbone = Sam2HieraDetConfig(
        hidden_size=48,
        blocks_per_stage=[2, 2, 7, 1],
        embed_dim_per_stage=[48, 96, 192, 320],
        num_attention_heads_per_stage=[1, 2, 4, 5],
        window_size_per_stage=[8, 4, 8, 4],
        global_attention_blocks=[6, 8, 10, 11],
    )
    return Sam2Config(
        vision_config=Sam2VisionConfig(
            backbone_config=backbone, backbone_channel_list=[320, 192, 96, 48], fpn_hidden_size=WIDTH
        ),
        prompt_encoder_config=Sam2PromptEncoderConfig(hidden_size=WIDTH, mask_input_channels=16, draws_boxes=True),
        # Its logits are soft, so nearly every mask would count as unstable and be replaced by one learnt from clicks.
        mask_decoder_config=Sam2MaskDecoderConfig(
            hidden_size=WIDTH, mlp_dim=512, iou_head_hidden_dim=WIDTH, dynamic_multimask_via_stability=False
        ),
        image_size=image_size,
        num_maskmem=4,
        # As in training, where nothing can be learnt through a threshold.
        binarize_mask_from_pts_for_mem_enc=False,
        max_cond_frame_num=3,  # as many as clips have in training: the first, and two corrected ones
        memory_attention_hidden_size=WIDTH,
        memory_attention_num_layers=2,
        memory_attention_feed_forward_hidden_size=512,
        # Every step shows clips never seen before: there is nothing to forget.
        memory_attention_dropout=0.0,
        memory_attention_rope_dropout=0.0,
        memory_encoder_hidden_size=WIDTH,
        mask_downsampler_embed_dim=WIDTH,
        memory_fuser_embed_dim=WIDTH,
        memory_fuser_intermediate_dim=512,
        max_hole_share=0.1,
    )


IMAGES = Stage(image_size=256, steps=5400, scenes_per_step=8, objects_per_scene=12)
CLIPS = ClipStage(
    image_size=256,
    steps=1600,
    scenes_per_step=8,
    objects_per_scene=12,
    clip_length=8,
    clips_per_step=2,
    objects_per_clip=4,
    images_every=2.5,
)
LARGE_CLIPS = replace(CLIPS, image_size=384, steps=3300, images_every=2)


def compact(given: Ingredients) -> Recipe:
    """Make the recipe of the bundled model in one training run (its log lists the runs that it really took).

    One of the folders of images, named coco_train_cc, has COCO panoptic labels.
    """
    return Recipe(
        name="compact",
        model=compact_model(),
        stages=(IMAGES, CLIPS, LARGE_CLIPS),
        image_folders=given.images,
        panoptic_folder=next((folder / "coco_train_cc" for folder in given.images), None),
        data=given.data,
        initial_weights=given.initial_weights,
        prompts=PromptShares(click=0.36, box=0.6, mask=0.04),
        mixture=SceneMixture(copy_paste=0.3, parts_and_wholes=0.18, micrograph=0.07),
        mosaic=0.25,
        object_crops=0.45,
        # At the papers' weights its masks filled too little of the objects.
        losses=LossWeights(focal_alpha=0.5, dice=4.0, iou=2.0, cropped=0.5),
        annotator=AnnotatorShares(center_click=0.6, from_ground_truth=0.0, loose_box=0.4),
        tracking=ClipTracking(
            prompts=PromptShares(click=0.22, box=0.38, mask=0.4),
            prompted_frames=1,
            corrected_frames=3,
            corrections=3,
            detach_masks=True,
            as_excerpt=True,
        ),
    )


def compact_clips(given: Ingredients) -> Recipe:
    """Make the stages of `compact` on clips alone, which teach a compact image model (`--from`) to track."""
    return replace(compact(given), name="compact_clips", stages=(CLIPS, LARGE_CLIPS), learning_rate=4e-4)


def smoke(given: Ingredients) -> Recipe:
    """Make a few steps of a tiny model on scenes from any folder of images, which show that training works."""
    return Recipe(
        name="smoke",
        model=compact_model(),
        stages=(Stage(image_size=128, steps=4, scenes_per_step=2, objects_per_scene=2), Stage(256, 2, 1, 2)),
        image_folders=given.images,
        data=given.data,
        initial_weights=given.initial_weights,
        loader_workers=0,
        warmup_steps=2,
        save_every=2,
    )


def scratch(given: Ingredients) -> Recipe:
    """Train like the bundled model; annotated data takes the place of labelled images.

    Images come first, then clips if there is anything that moves: videos, or images for the procedural world.
    """
    moves = given.holds_videos or given.images or not given.annotated
    return replace(
        compact(given),
        name="scratch",
        stages=(IMAGES, CLIPS) if moves else (IMAGES,),
        panoptic_folder=None,
    )
