"""Fields and defaults of the published configurations."""

from masklet.configuration import (
    Sam2Config,
    Sam2HieraDetConfig,
    Sam2MaskDecoderConfig,
    Sam2PromptEncoderConfig,
    Sam2VisionConfig,
)

GENERIC = {
    "return_dict": True,
    "output_hidden_states": False,
    "output_attentions": False,
    "dtype": None,
    "architectures": None,
}

HIERA = GENERIC | {
    "model_type": "sam2_hiera_det_model",
    "hidden_size": 96,
    "num_attention_heads": 1,
    "num_channels": 3,
    "image_size": [1024, 1024],
    "patch_kernel_size": [7, 7],
    "patch_stride": [4, 4],
    "patch_padding": [3, 3],
    "query_stride": [2, 2],
    "window_positional_embedding_background_size": [7, 7],
    "num_query_pool_stages": 3,
    "blocks_per_stage": [1, 2, 7, 2],
    "embed_dim_per_stage": [96, 192, 384, 768],
    "num_attention_heads_per_stage": [1, 2, 4, 8],
    "window_size_per_stage": [8, 4, 14, 7],
    "global_attention_blocks": [5, 7, 9],
    "mlp_ratio": 4.0,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-6,
    "initializer_range": 0.02,
}

VISION = GENERIC | {
    "model_type": "sam2_vision_model",
    "backbone_config": HIERA,
    "backbone_channel_list": [768, 384, 192, 96],
    "backbone_feature_sizes": [[256, 256], [128, 128], [64, 64]],
    "fpn_hidden_size": 256,
    "fpn_kernel_size": 1,
    "fpn_stride": 1,
    "fpn_padding": 0,
    "fpn_top_down_levels": [2, 3],
    "num_feature_levels": 3,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-6,
    "initializer_range": 0.02,
}

PROMPT_ENCODER = GENERIC | {
    "draws_boxes": False,  # masklet's own
    "model_type": "",
    "hidden_size": 256,
    "image_size": 1024,
    "patch_size": 16,
    "mask_input_channels": 16,
    "num_point_embeddings": 4,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-6,
    "scale": 1,
}

MASK_DECODER = GENERIC | {
    "model_type": "",
    "hidden_size": 256,
    "hidden_act": "gelu",
    "mlp_dim": 2048,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "attention_downsample_rate": 2,
    "num_multimask_outputs": 3,
    "iou_head_depth": 3,
    "iou_head_hidden_dim": 256,
    "dynamic_multimask_via_stability": True,
    "dynamic_multimask_stability_delta": 0.05,
    "dynamic_multimask_stability_thresh": 0.98,
}

COMPOSITE = GENERIC | {
    "model_type": "sam2_video",
    "vision_config": VISION,
    "prompt_encoder_config": PROMPT_ENCODER,
    "mask_decoder_config": MASK_DECODER,
    "initializer_range": 0.02,
    "image_size": 1024,
    "num_maskmem": 7,
    "sigmoid_scale_for_mem_enc": 20.0,
    "sigmoid_bias_for_mem_enc": -10.0,
    "binarize_mask_from_pts_for_mem_enc": True,  # Meta's
    "enable_occlusion_spatial_embedding": True,
    "multimask_output_in_sam": True,
    "multimask_min_pt_num": 0,
    "multimask_max_pt_num": 1,
    "multimask_output_for_tracking": True,
    "max_object_pointers_in_encoder": 16,
    "max_cond_frame_num": -1,
    "enable_temporal_pos_encoding_for_object_pointers": True,
    "memory_attention_hidden_size": 256,
    "memory_attention_num_layers": 4,
    "memory_attention_num_attention_heads": 1,
    "memory_attention_downsample_rate": 1,
    "memory_attention_feed_forward_hidden_size": 2048,
    "memory_attention_feed_forward_hidden_act": "relu",
    "memory_attention_dropout": 0.1,
    "memory_attention_rope_theta": 10000,
    "memory_attention_rope_feat_sizes": [64, 64],
    "memory_attention_rope_dropout": 0.1,
    "memory_encoder_hidden_size": 256,
    "memory_encoder_output_channels": 64,
    "mask_downsampler_embed_dim": 256,
    "mask_downsampler_kernel_size": 3,
    "mask_downsampler_stride": 2,
    "mask_downsampler_padding": 1,
    "mask_downsampler_total_stride": 16,
    "mask_downsampler_hidden_act": "gelu",
    "memory_fuser_num_layers": 2,
    "memory_fuser_embed_dim": 256,
    "memory_fuser_intermediate_dim": 1024,
    "memory_fuser_kernel_size": 7,
    "memory_fuser_padding": 3,
    "memory_fuser_layer_scale_init_value": 1e-6,
    "memory_fuser_hidden_act": "gelu",
    "max_hole_share": 0.0,  # masklet's own; no released checkpoint fills holes
}


def test_backbone() -> None:
    assert Sam2HieraDetConfig().to_dict() == HIERA


def test_vision() -> None:
    assert Sam2VisionConfig().to_dict() == VISION


def test_prompt_encoder() -> None:
    config = Sam2PromptEncoderConfig()
    assert config.to_dict() == PROMPT_ENCODER
    assert (config.image_embedding_size, config.mask_input_size) == ((64, 64), (256, 256))


def test_mask_decoder() -> None:
    assert Sam2MaskDecoderConfig().to_dict() == MASK_DECODER


def test_composite() -> None:
    assert Sam2Config().to_dict() == COMPOSITE


def test_defaults_are_not_shared_between_configurations() -> None:
    Sam2HieraDetConfig().blocks_per_stage.append(9)
    Sam2Config().vision_config.backbone_channel_list.clear()
    assert Sam2Config().to_dict() == COMPOSITE


def test_dictionary_is_a_copy() -> None:
    config = Sam2Config()
    config.to_dict()["vision_config"]["backbone_channel_list"].clear()
    assert config.to_dict() == COMPOSITE
