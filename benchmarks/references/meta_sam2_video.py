"""The Meta video reference: its own predictor, assembled as the released configurations assemble it."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from benchmarks.references.meta_sam2 import build_image_encoder, build_mask_decoder, build_prompt_encoder


def build_meta_video_model(
    configuration: dict[str, Any], state: Mapping[str, Tensor], *, is_compiled: bool = False
) -> Any:
    """A `SAM2VideoPredictor` for a video configuration and weights under Meta's names, in evaluation mode.

    Holes are not filled (that needs Meta's CUDA extension). `is_compiled`: the one for GPUs, with all parts compiled.
    """
    from sam2.sam2_video_predictor import SAM2VideoPredictor, SAM2VideoPredictorVOS

    predictor_class = SAM2VideoPredictorVOS if is_compiled else SAM2VideoPredictor
    has_2_1_parts = configuration["enable_occlusion_spatial_embedding"]
    predictor = predictor_class(
        compile_image_encoder=is_compiled,
        image_encoder=build_image_encoder(configuration["vision_config"]),
        memory_attention=_memory_attention(configuration),
        memory_encoder=_memory_encoder(configuration),
        image_size=configuration["image_size"],
        num_maskmem=7,
        sigmoid_scale_for_mem_enc=20.0,
        sigmoid_bias_for_mem_enc=-10.0,
        binarize_mask_from_pts_for_mem_enc=True,
        use_mask_input_as_output_without_sam=True,
        directly_add_no_mem_embed=True,
        no_obj_embed_spatial=has_2_1_parts,
        use_high_res_features_in_sam=True,
        multimask_output_in_sam=True,
        iou_prediction_use_sigmoid=True,
        use_obj_ptrs_in_encoder=True,
        add_tpos_enc_to_obj_ptrs=has_2_1_parts,
        proj_tpos_enc_in_obj_ptrs=has_2_1_parts,
        use_signed_tpos_enc_to_obj_ptrs=has_2_1_parts,
        only_obj_ptrs_in_the_past_for_eval=True,
        pred_obj_scores=True,
        pred_obj_scores_mlp=True,
        fixed_no_obj_ptr=True,
        multimask_output_for_tracking=True,
        use_multimask_token_for_obj_ptr=True,
        multimask_min_pt_num=0,
        multimask_max_pt_num=1,
        use_mlp_for_obj_ptr_proj=True,
    )
    # The predictor fixes the sizes of these two.
    predictor.sam_prompt_encoder = build_prompt_encoder(configuration["prompt_encoder_config"])
    predictor.sam_mask_decoder = build_mask_decoder(configuration["mask_decoder_config"])
    if is_compiled:
        predictor._compile_all_components()
    predictor.load_state_dict(state)
    return predictor.eval()


def _memory_attention(configuration: dict[str, Any]) -> nn.Module:
    from sam2.modeling.memory_attention import MemoryAttention, MemoryAttentionLayer
    from sam2.modeling.sam.transformer import RoPEAttention

    width = configuration["memory_attention_hidden_size"]
    rotary = {
        "rope_theta": 10000.0,
        "feat_sizes": configuration["memory_attention_rope_feat_sizes"],
        "embedding_dim": width,
        "num_heads": 1,
        "downsample_rate": 1,
        "dropout": 0.1,
    }
    layer = MemoryAttentionLayer(
        activation="relu",
        dim_feedforward=configuration.get("memory_attention_feed_forward_hidden_size", 2048),
        dropout=0.1,
        pos_enc_at_attn=False,
        self_attention=RoPEAttention(**rotary),
        d_model=width,
        pos_enc_at_cross_attn_keys=True,
        pos_enc_at_cross_attn_queries=False,
        cross_attention=RoPEAttention(**rotary, rope_k_repeat=True, kv_in_dim=64),
    )
    layers = configuration.get("memory_attention_num_layers", 4)
    attention: nn.Module = MemoryAttention(d_model=width, pos_enc_at_input=True, layer=layer, num_layers=layers)
    return attention


def _memory_encoder(configuration: dict[str, Any]) -> nn.Module:
    from sam2.modeling.memory_encoder import CXBlock, Fuser, MaskDownSampler, MemoryEncoder
    from sam2.modeling.position_encoding import PositionEmbeddingSine

    width = configuration["memory_encoder_hidden_size"]
    encoder: nn.Module = MemoryEncoder(
        out_dim=64,
        mask_downsampler=MaskDownSampler(embed_dim=width, kernel_size=3, stride=2, padding=1),
        fuser=Fuser(CXBlock(dim=width), num_layers=2),
        position_encoding=PositionEmbeddingSine(num_pos_feats=64),
        in_dim=width,
    )
    return encoder
