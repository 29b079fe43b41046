"""Meta's program as its users build it: by one of its own configurations, with overrides, from a `.pt` file."""

from pathlib import Path
from typing import Any

from masklet import Sam2Config

TINY = "configs/sam2.1/sam2.1_hiera_t.yaml"
SMALL_2_0 = "configs/sam2/sam2_hiera_s.yaml"


def meta_predictor(checkpoint: Path, configuration: str, overrides: dict[str, Any]) -> Any:
    """The video predictor of one of Meta's configurations, with values in it changed, and a `.pt` file."""
    from sam2.build_sam import build_sam2_video_predictor

    changes = [f"++model.{name}={str(value).replace(' ', '')}" for name, value in overrides.items()]
    predictor = build_sam2_video_predictor(configuration, str(checkpoint), device="cpu", hydra_overrides_extra=changes)
    predictor.fill_hole_area = 0  # wants Meta's CUDA extension
    return predictor


def meta_image_model(predictor: Any) -> Any:
    """What Meta's image predictor does, without the torchvision that it wants."""
    from benchmarks.references.meta_sam2 import MetaImageModel

    parts = predictor.image_encoder, predictor.sam_prompt_encoder, predictor.sam_mask_decoder
    model = MetaImageModel(*parts, predictor.hidden_dim)
    model.no_mem_embed = predictor.no_mem_embed
    return model


def overrides_of(config: Sam2Config) -> dict[str, Any]:
    """Meta's configuration of a network, as far as Meta's program can be configured."""
    hiera = config.vision_config.backbone_config
    width, remembered = config.memory_attention_hidden_size, config.memory_encoder_output_channels
    trunk = {
        "embed_dim": hiera.embed_dim_per_stage[0],
        "num_heads": hiera.num_attention_heads_per_stage[0],
        "dim_mul": hiera.embed_dim_per_stage[1] / hiera.embed_dim_per_stage[0],
        "head_mul": hiera.num_attention_heads_per_stage[1] / hiera.num_attention_heads_per_stage[0],
        "stages": hiera.blocks_per_stage,
        "window_spec": hiera.window_size_per_stage,
        "global_att_blocks": hiera.global_attention_blocks,
    }
    neck = {
        "d_model": width,
        "position_encoding.num_pos_feats": width,
        "backbone_channel_list": hiera.embed_dim_per_stage[::-1],
    }
    memory = {
        "in_dim": width,
        "out_dim": remembered,
        "position_encoding.num_pos_feats": remembered,
        "mask_downsampler.embed_dim": width,
        "fuser.layer.dim": width,
    }
    attention = {"d_model": width, "num_layers": config.memory_attention_num_layers, "layer.d_model": width}
    attention |= {f"layer.{kind}_attention.embedding_dim": width for kind in ("self", "cross")}
    attention["layer.cross_attention.kv_in_dim"] = remembered
    places = {
        "image_encoder.trunk": trunk,
        "image_encoder.neck": neck,
        "memory_encoder": memory,
        "memory_attention": attention,
    }
    nested = {f"{place}.{name}": value for place, values in places.items() for name, value in values.items()}
    return {"image_size": config.image_size, **nested}
