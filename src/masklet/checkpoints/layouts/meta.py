"""The names in Meta's released .pt files; what they share with the seed-era names is in that table."""

from masklet.checkpoints.layouts.current import POSITIONAL_EMBEDDING
from masklet.checkpoints.layouts.seed import SEED
from masklet.checkpoints.renaming import Layout, Renamed

_IMAGE_ENCODER = (
    Renamed("image_encoder.trunk.patch_embed.proj", "vision_encoder.backbone.patch_embed.projection"),
    Renamed("image_encoder.trunk.blocks.#.norm#", "vision_encoder.backbone.blocks.#.layer_norm#"),
    Renamed("image_encoder.trunk.blocks.#.mlp.layers.0", "vision_encoder.backbone.blocks.#.mlp.proj_in"),
    Renamed("image_encoder.trunk.blocks.#.mlp.layers.1", "vision_encoder.backbone.blocks.#.mlp.proj_out"),
    Renamed("image_encoder.trunk", "vision_encoder.backbone"),
    Renamed("image_encoder.neck.convs.#.conv", "vision_encoder.neck.convs.#"),
)

_PROMPT_ENCODER = (
    Renamed("sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix", POSITIONAL_EMBEDDING.original),
    Renamed("sam_prompt_encoder.point_embeddings", "prompt_encoder.point_embed"),
    Renamed("sam_prompt_encoder.mask_downscaling.0", "prompt_encoder.mask_embed.conv1"),
    Renamed("sam_prompt_encoder.mask_downscaling.1", "prompt_encoder.mask_embed.layer_norm1"),
    Renamed("sam_prompt_encoder.mask_downscaling.3", "prompt_encoder.mask_embed.conv2"),
    Renamed("sam_prompt_encoder.mask_downscaling.4", "prompt_encoder.mask_embed.layer_norm2"),
    Renamed("sam_prompt_encoder.mask_downscaling.6", "prompt_encoder.mask_embed.conv3"),
    Renamed("sam_prompt_encoder", "prompt_encoder"),
)

_MASK_DECODER = (
    Renamed("sam_mask_decoder.transformer.layers.#.norm#", "mask_decoder.transformer.layers.#.layer_norm#"),
    Renamed("sam_mask_decoder.transformer.layers.#.mlp.layers.0", "mask_decoder.transformer.layers.#.mlp.proj_in"),
    Renamed("sam_mask_decoder.transformer.layers.#.mlp.layers.1", "mask_decoder.transformer.layers.#.mlp.proj_out"),
    Renamed("sam_mask_decoder.transformer.norm_final_attn", "mask_decoder.transformer.layer_norm_final_attn"),
    Renamed("sam_mask_decoder.transformer", "mask_decoder.transformer"),
    Renamed("sam_mask_decoder.output_upscaling.0", "mask_decoder.upscale_conv1"),
    Renamed("sam_mask_decoder.output_upscaling.1", "mask_decoder.upscale_layer_norm"),
    Renamed("sam_mask_decoder.output_upscaling.3", "mask_decoder.upscale_conv2"),
    Renamed(
        "sam_mask_decoder.output_hypernetworks_mlps.#.layers.0", "mask_decoder.output_hypernetworks_mlps.#.proj_in"
    ),
    Renamed(
        "sam_mask_decoder.output_hypernetworks_mlps.#.layers.1", "mask_decoder.output_hypernetworks_mlps.#.layers.0"
    ),
    Renamed(
        "sam_mask_decoder.output_hypernetworks_mlps.#.layers.2", "mask_decoder.output_hypernetworks_mlps.#.proj_out"
    ),
    Renamed("sam_mask_decoder.*.layers.0", "mask_decoder.*.proj_in"),
    Renamed("sam_mask_decoder.*.layers.1", "mask_decoder.*.layers.0"),
    Renamed("sam_mask_decoder.*.layers.2", "mask_decoder.*.proj_out"),
    Renamed("sam_mask_decoder", "mask_decoder"),
)

_MEMORY = (
    Renamed("memory_attention.layers.#.norm#", "memory_attention.layers.#.layer_norm#"),
    Renamed("memory_attention.norm", "memory_attention.layer_norm"),
    Renamed("memory_encoder.pix_feat_proj", "memory_encoder.feature_projection"),
    Renamed("memory_encoder.out_proj", "memory_encoder.projection"),
    Renamed("memory_encoder.fuser.layers.#.dwconv", "memory_encoder.memory_fuser.layers.#.depthwise_conv"),
    Renamed("memory_encoder.fuser.layers.#.pwconv#", "memory_encoder.memory_fuser.layers.#.pointwise_conv#"),
    Renamed("memory_encoder.fuser.layers.#.norm", "memory_encoder.memory_fuser.layers.#.layer_norm"),
    Renamed("memory_encoder.fuser.layers.#.gamma", "memory_encoder.memory_fuser.layers.#.scale"),
    Renamed("maskmem_tpos_enc", "memory_temporal_positional_encoding"),
    Renamed("no_mem_embed", "no_memory_embedding"),
    Renamed("no_mem_pos_enc", "no_memory_positional_encoding"),
    Renamed("no_obj_ptr", "no_object_pointer"),
    Renamed("no_obj_embed_spatial", "occlusion_spatial_embedding_parameter"),
    Renamed("obj_ptr_proj.layers.0", "object_pointer_proj.proj_in"),
    Renamed("obj_ptr_proj.layers.1", "object_pointer_proj.layers.0"),
    Renamed("obj_ptr_proj.layers.2", "object_pointer_proj.proj_out"),
    Renamed("obj_ptr_tpos_proj", "temporal_positional_encoding_projection_layer"),
)

META = Layout(
    name="meta",
    signs=(r"^image_encoder\.", r"^sam_prompt_encoder\.", r"^sam_mask_decoder\."),
    renamed=(*_IMAGE_ENCODER, *_PROMPT_ENCODER, *_MASK_DECODER, *_MEMORY),
    combined=(POSITIONAL_EMBEDDING,),
    nearer=SEED,
)
