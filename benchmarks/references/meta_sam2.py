"""The Meta reference: an image model assembled from `sam2.modeling` as its released configurations assemble it.

`SAM2Base` itself fixes the decoder's sizes and wants the video parts; `SAM2ImagePredictor` wants torchvision. What they
do to a single image is written in `MetaImageModel`.
"""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

# transformers name -> Meta name; the first pattern that matches applies, then the shared endings.
PREFIXES = (
    (r"^vision_encoder\.backbone\.patch_embed\.projection\.", "image_encoder.trunk.patch_embed.proj."),
    (r"^vision_encoder\.backbone\.", "image_encoder.trunk."),
    (r"^vision_encoder\.neck\.convs\.(\d+)\.", r"image_encoder.neck.convs.\1.conv."),
    (r"^prompt_encoder\.shared_embedding\.positional_embedding$",
     "sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"),
    (r"^prompt_encoder\.mask_embed\.conv1\.", "sam_prompt_encoder.mask_downscaling.0."),
    (r"^prompt_encoder\.mask_embed\.layer_norm1\.", "sam_prompt_encoder.mask_downscaling.1."),
    (r"^prompt_encoder\.mask_embed\.conv2\.", "sam_prompt_encoder.mask_downscaling.3."),
    (r"^prompt_encoder\.mask_embed\.layer_norm2\.", "sam_prompt_encoder.mask_downscaling.4."),
    (r"^prompt_encoder\.mask_embed\.conv3\.", "sam_prompt_encoder.mask_downscaling.6."),
    (r"^prompt_encoder\.", "sam_prompt_encoder."),
    (r"^mask_decoder\.upscale_conv1\.", "sam_mask_decoder.output_upscaling.0."),
    (r"^mask_decoder\.upscale_layer_norm\.", "sam_mask_decoder.output_upscaling.1."),
    (r"^mask_decoder\.upscale_conv2\.", "sam_mask_decoder.output_upscaling.3."),
    (r"^mask_decoder\.", "sam_mask_decoder."),
    (r"^no_memory_embedding$", "no_mem_embed"),
    (r"^no_memory_positional_encoding$", "no_mem_pos_enc"),
    (r"^memory_temporal_positional_encoding$", "maskmem_tpos_enc"),
    (r"^no_object_pointer$", "no_obj_ptr"),
    (r"^occlusion_spatial_embedding_parameter$", "no_obj_embed_spatial"),
    (r"^object_pointer_proj\.", "obj_ptr_proj."),
    (r"^temporal_positional_encoding_projection_layer\.", "obj_ptr_tpos_proj."),
    *((rf"^memory_encoder\.mask_downsampler\.layers\.{layer}\.conv\.",
       f"memory_encoder.mask_downsampler.encoder.{3 * layer}.") for layer in range(4)),
    *((rf"^memory_encoder\.mask_downsampler\.layers\.{layer}\.layer_norm\.",
       f"memory_encoder.mask_downsampler.encoder.{3 * layer + 1}.") for layer in range(4)),
    (r"^memory_encoder\.mask_downsampler\.final_conv\.", "memory_encoder.mask_downsampler.encoder.12."),
    (r"^memory_encoder\.feature_projection\.", "memory_encoder.pix_feat_proj."),
    (r"^memory_encoder\.projection\.", "memory_encoder.out_proj."),
    (r"^memory_encoder\.memory_fuser\.", "memory_encoder.fuser."),
)  # fmt: skip
THREE_LAYER_HEADS = ("hypernetworks", "head", "obj_ptr_proj")
ENDINGS = (
    ("layer_norm_final_attn", "norm_final_attn"),
    ("layer_norm", "norm"),
    ("o_proj", "out_proj"),
    (".mlp.proj_in", ".mlp.layers.0"),
    (".mlp.proj_out", ".mlp.layers.1"),
    ("depthwise_conv", "dwconv"),
    ("pointwise_conv", "pwconv"),
    (".scale", ".gamma"),
)


def meta_name(name: str) -> str:
    """The name in Meta's checkpoints of a tensor of a transformers image model."""
    for pattern, replacement in PREFIXES:
        if re.search(pattern, name):
            name = re.sub(pattern, replacement, name)
            break
    for part, replacement in ENDINGS:
        name = name.replace(part, replacement)
    if any(head in name for head in THREE_LAYER_HEADS):
        name = name.replace("layers.0", "layers.1").replace("proj_in", "layers.0").replace("proj_out", "layers.2")
    return name


def meta_state_dict(transformers_state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same weights under Meta's names: one table for each point label, the Gaussian matrix only once."""
    state = {}
    for name, value in transformers_state.items():
        if name == "shared_image_embedding.positional_embedding":
            continue
        if name == "prompt_encoder.point_embed.weight":
            for label, row in enumerate(value):
                state[f"sam_prompt_encoder.point_embeddings.{label}.weight"] = row[None]
        else:
            state[meta_name(name)] = value
    return state


class MetaImageModel(nn.Module):
    """Trunk, neck, prompt encoder and mask decoder under the attribute names of `SAM2Base`, for single images."""

    def __init__(
        self, image_encoder: nn.Module, prompt_encoder: nn.Module, mask_decoder: nn.Module, width: int
    ) -> None:
        super().__init__()
        self.image_encoder = image_encoder
        self.sam_prompt_encoder = prompt_encoder
        self.sam_mask_decoder = mask_decoder
        self.no_mem_embed = nn.Parameter(torch.zeros(1, 1, width))

    def encode(self, pixels: Tensor) -> list[Tensor]:
        """Pixels (B, 3, S, S) to the three levels that the decoder reads, high resolution first."""
        levels = self.image_encoder(pixels)["backbone_fpn"]
        return [
            self.sam_mask_decoder.conv_s0(levels[0]),
            self.sam_mask_decoder.conv_s1(levels[1]),
            levels[2] + self.no_mem_embed.view(1, -1, 1, 1),
        ]

    def segment(
        self,
        image_embeddings: list[Tensor],
        *,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        boxes: Tensor | None = None,
        masks: Tensor | None = None,
        multimask_output: bool = True,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One image, P objects: mask logits (P, M, h, w), IoU scores (P, M), object scores (P, 1).

        `points` (P, N, 2) and `labels` (P, N) in model pixels; `boxes` (P, 4) become two leading points with labels 2
        and 3, as in Meta's predictor; `masks` (1, 1, h, w) logits at the decoder's resolution, shared by the objects.
        Without points and boxes one "not a point" is used, as in `SAM2Base`.
        """
        points, labels = self._sparse_prompts(points, labels, boxes)
        sparse, dense = self.sam_prompt_encoder(points=(points, labels), boxes=None, masks=masks)
        logits, iou_scores, _, object_scores = self.sam_mask_decoder(
            image_embeddings=image_embeddings[2],
            image_pe=self.sam_prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=multimask_output,
            repeat_image=True,
            high_res_features=image_embeddings[:2],
        )
        return logits, iou_scores, object_scores

    @staticmethod
    def _sparse_prompts(points: Tensor | None, labels: Tensor | None, boxes: Tensor | None) -> tuple[Tensor, Tensor]:
        if boxes is not None:
            corners = boxes.reshape(-1, 2, 2)
            corner_labels = torch.tensor([2, 3]).expand(len(boxes), 2)
            points = corners if points is None else torch.cat([corners, points], dim=1)
            labels = corner_labels if labels is None else torch.cat([corner_labels, labels], dim=1)
        if points is None or labels is None:
            return torch.zeros(1, 1, 2), -torch.ones(1, 1, dtype=torch.int32)
        return points, labels


def build_meta_model(configuration: dict[str, Any], state: Mapping[str, Tensor]) -> MetaImageModel:
    """Meta's image model for a configuration of `configurations` and weights under Meta's names, in evaluation mode."""
    vision = configuration["vision_config"]
    model = MetaImageModel(
        build_image_encoder(vision),
        build_prompt_encoder(configuration["prompt_encoder_config"]),
        build_mask_decoder(configuration["mask_decoder_config"]),
        vision["fpn_hidden_size"],
    )
    model.load_state_dict(state)
    return model.eval()


def build_image_encoder(vision: dict[str, Any]) -> nn.Module:
    """Trunk and neck of a vision configuration."""
    from sam2.modeling.backbones.hieradet import Hiera
    from sam2.modeling.backbones.image_encoder import FpnNeck, ImageEncoder
    from sam2.modeling.position_encoding import PositionEmbeddingSine

    backbone = vision["backbone_config"]
    trunk = Hiera(
        embed_dim=backbone["hidden_size"],
        num_heads=backbone["num_attention_heads"],
        stages=tuple(backbone["blocks_per_stage"]),
        window_spec=tuple(backbone["window_size_per_stage"]),
        window_pos_embed_bkg_spatial_size=tuple(backbone["window_positional_embedding_background_size"]),
        global_att_blocks=tuple(backbone["global_attention_blocks"]),
    )
    _fit_blocks(trunk, vision)
    neck = FpnNeck(
        position_encoding=PositionEmbeddingSine(num_pos_feats=vision["fpn_hidden_size"]),
        d_model=vision["fpn_hidden_size"],
        backbone_channel_list=vision["backbone_channel_list"],
        fpn_top_down_levels=[2, 3],
        fpn_interp_model="nearest",
    )
    encoder: nn.Module = ImageEncoder(trunk=trunk, neck=neck, scalp=1)
    return encoder


def _fit_blocks(trunk: Any, vision: dict[str, Any]) -> None:
    """Replace blocks that Meta's own builder cannot make: stages of other widths, and a pooling block that is global.

    A block that pools and attends to everything divides by its window of 0; one window of the whole grid is the same
    function.
    """
    from sam2.modeling.backbones.hieradet import MultiScaleBlock

    backbone = vision["backbone_config"]
    widths, heads = backbone["embed_dim_per_stage"], backbone["num_attention_heads_per_stage"]
    stages = [stage for stage, count in enumerate(backbone["blocks_per_stage"]) for _ in range(count)]
    for place, stage in enumerate(stages):
        before, block = stages[max(place - 1, 0)], trunk.blocks[place]
        window = block.window_size
        if block.q_stride and not window:
            window = vision["backbone_feature_sizes"][0][0] // 2**before
        if (block.dim, block.dim_out, window) != (widths[before], widths[stage], block.window_size):
            trunk.blocks[place] = MultiScaleBlock(
                widths[before], widths[stage], heads[stage], q_stride=block.q_stride, window_size=window
            )
    trunk.channel_list = widths[::-1]


def build_prompt_encoder(configuration: dict[str, Any]) -> nn.Module:
    """Meta's prompt encoder in the sizes of a prompt encoder configuration."""
    from sam2.modeling.sam.prompt_encoder import PromptEncoder

    size = configuration["image_size"]
    encoder: nn.Module = PromptEncoder(
        embed_dim=configuration["hidden_size"],
        image_embedding_size=(size // 16, size // 16),
        input_image_size=(size, size),
        mask_in_chans=configuration["mask_input_channels"],
    )
    return encoder


def build_mask_decoder(configuration: dict[str, Any]) -> nn.Module:
    """Meta's mask decoder in the sizes of a mask decoder configuration, with the released models' options."""
    from sam2.modeling.sam.mask_decoder import MaskDecoder
    from sam2.modeling.sam.transformer import TwoWayTransformer

    transformer = TwoWayTransformer(
        depth=2,
        embedding_dim=configuration["hidden_size"],
        num_heads=configuration["num_attention_heads"],
        mlp_dim=configuration["mlp_dim"],
    )
    decoder: nn.Module = MaskDecoder(
        transformer_dim=configuration["hidden_size"],
        transformer=transformer,
        iou_head_hidden_dim=configuration["iou_head_hidden_dim"],
        use_high_res_features=True,
        iou_prediction_use_sigmoid=True,
        pred_obj_scores=True,
        pred_obj_scores_mlp=True,
        use_multimask_token_for_obj_ptr=True,
        dynamic_multimask_via_stability=True,
        dynamic_multimask_stability_delta=0.05,
        dynamic_multimask_stability_thresh=0.98,
    )
    return decoder
