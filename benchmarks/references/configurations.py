"""Model configurations as plain dictionaries in the layout of transformers 5.x: the input of every builder."""

from typing import Any


def small(image_size: int = 128) -> dict[str, Any]:
    """A network with every part of the released ones, small enough for a unit test.

    No two widths are equal by accident and none is the released model's, so that a hard-coded width cannot pass.
    """
    return image_model(
        image_size,
        embed_dim=16,
        num_heads=1,
        blocks_per_stage=[1, 2, 7, 2],
        global_attention_blocks=[5, 7, 9],
        background_size=[7, 7],
        fpn_hidden_size=64,
        mask_input_channels=8,
        mlp_dim=96,
        decoder_heads=4,
        iou_head_hidden_dim=48,
    )


def small_video(image_size: int = 128, version: str = "2.1") -> dict[str, Any]:
    """A video model with every part of the released ones; wide enough that an object pointer is two memory tokens."""
    image = image_model(
        image_size,
        embed_dim=16,
        num_heads=1,
        blocks_per_stage=[1, 2, 7, 2],
        global_attention_blocks=[5, 7, 9],
        background_size=[7, 7],
        fpn_hidden_size=128,
        mask_input_channels=8,
        mlp_dim=96,
        decoder_heads=4,
        iou_head_hidden_dim=48,
    )
    return video_model(image, version, memory_attention_num_layers=2, memory_attention_feed_forward_hidden_size=160)


def tiny_video(image_size: int = 1024, version: str = "2.1") -> dict[str, Any]:
    """SAM 2 Hiera-tiny with its memory."""
    return video_model(tiny(image_size), version)


def video_model(image: dict[str, Any], version: str = "2.1", **fields: Any) -> dict[str, Any]:
    """The `Sam2VideoConfig` dictionary around an image model's; version 2.0 lacks three tensors."""
    size, width = image["prompt_encoder_config"]["image_size"], image["vision_config"]["fpn_hidden_size"]
    widths = {
        "memory_attention_hidden_size": width,
        "memory_encoder_hidden_size": width,
        "mask_downsampler_embed_dim": width,
        "memory_fuser_embed_dim": width,
        "memory_fuser_intermediate_dim": 4 * width,
    }
    return {
        **image,
        "model_type": "sam2_video",
        "image_size": size,
        "memory_attention_rope_feat_sizes": [size // 16] * 2,
        "enable_occlusion_spatial_embedding": version == "2.1",
        "enable_temporal_pos_encoding_for_object_pointers": version == "2.1",
        **widths,
        **fields,
    }


def tiny(image_size: int = 1024) -> dict[str, Any]:
    """SAM 2.1 Hiera-tiny at any image size whose token grid is a multiple of 8."""
    return image_model(
        image_size,
        embed_dim=96,
        num_heads=1,
        blocks_per_stage=[1, 2, 7, 2],
        global_attention_blocks=[5, 7, 9],
        background_size=[7, 7],
    )


def base_plus(image_size: int = 1024) -> dict[str, Any]:
    """SAM 2.1 Hiera-base-plus: another width, head count and positional background than tiny."""
    return image_model(
        image_size,
        embed_dim=112,
        num_heads=2,
        blocks_per_stage=[2, 3, 16, 3],
        global_attention_blocks=[12, 16, 20],
        background_size=[14, 14],
    )


def image_model(
    image_size: int,
    *,
    embed_dim: int,
    num_heads: int,
    blocks_per_stage: list[int],
    global_attention_blocks: list[int],
    background_size: list[int],
    fpn_hidden_size: int = 256,
    mask_input_channels: int = 16,
    mlp_dim: int = 2048,
    decoder_heads: int = 8,
    iou_head_hidden_dim: int = 256,
) -> dict[str, Any]:
    """The `Sam2Config` dictionary of a Hiera whose width and head count double at each of its four stages."""
    embed_dim_per_stage = [embed_dim * 2**stage for stage in range(4)]
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": embed_dim,
        "num_attention_heads": num_heads,
        "image_size": [image_size, image_size],
        "blocks_per_stage": blocks_per_stage,
        "embed_dim_per_stage": embed_dim_per_stage,
        "num_attention_heads_per_stage": [num_heads * 2**stage for stage in range(4)],
        "window_size_per_stage": [8, 4, 14, 7],
        "window_positional_embedding_background_size": background_size,
        "global_attention_blocks": global_attention_blocks,
    }
    vision = {
        "model_type": "sam2_vision_model",
        "backbone_config": backbone,
        "backbone_channel_list": embed_dim_per_stage[::-1],
        "backbone_feature_sizes": [[image_size // stride] * 2 for stride in (4, 8, 16)],
        "fpn_hidden_size": fpn_hidden_size,
    }
    prompt_encoder = {
        "hidden_size": fpn_hidden_size,
        "image_size": image_size,
        "mask_input_channels": mask_input_channels,
    }
    mask_decoder = {
        "hidden_size": fpn_hidden_size,
        "mlp_dim": mlp_dim,
        "num_attention_heads": decoder_heads,
        "iou_head_hidden_dim": iou_head_hidden_dim,
    }
    return {
        "model_type": "sam2",
        "vision_config": vision,
        "prompt_encoder_config": prompt_encoder,
        "mask_decoder_config": mask_decoder,
    }
