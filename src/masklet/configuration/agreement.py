"""Agreement of the parts of a configuration, checked when a network is built.

Not when a configuration is made: programs set its parts one after another.
"""

from masklet.configuration.sam2 import Sam2Config, Sam2HieraDetConfig, Sam2VisionConfig
from masklet.errors import InvalidInputError

STRIDE = 16  # pixels of the image to a token of the deepest level that is used


def check_backbone(config: Sam2HieraDetConfig) -> None:
    """Raise InvalidInputError if the blocks do not take each other's tokens."""
    width = config.embed_dim_per_stage[0]
    _require(
        config.hidden_size == width,
        f"hidden_size={config.hidden_size} and the first of embed_dim_per_stage, {width}, must be equal",
    )
    first = 0
    for stage, blocks in enumerate(config.blocks_per_stage[:-1]):
        first, window = first + blocks, config.window_size_per_stage[stage]
        pools = stage < config.num_query_pool_stages and first not in config.global_attention_blocks
        _require(
            not pools or window % 2 == 0,
            f"window_size_per_stage holds {window}, which the next stage cannot pool by 2; it must be even",
        )
    hidden = int(min(config.embed_dim_per_stage) * config.mlp_ratio)
    _require(hidden > 0, f"mlp_ratio={config.mlp_ratio} leaves no channels")


def check_vision(config: Sam2VisionConfig) -> None:
    """Raise InvalidInputError if the neck adds levels whose sizes are not 1 to 2."""
    stages, pooled = len(config.backbone_channel_list), config.backbone_config.num_query_pool_stages
    added = [level for level in config.fpn_top_down_levels if pooled <= level < stages - 1]
    _require(not added, f"fpn_top_down_levels={added} need num_query_pool_stages above {pooled}")


def check_image_network(config: Sam2Config) -> None:
    """Raise InvalidInputError if image encoder, prompt encoder and mask decoder do not fit together."""
    vision, backbone, decoder = config.vision_config, config.vision_config.backbone_config, config.mask_decoder_config
    _require_equal(
        {
            "vision_config.fpn_hidden_size": vision.fpn_hidden_size,
            "prompt_encoder_config.hidden_size": config.prompt_encoder_config.hidden_size,
            "mask_decoder_config.hidden_size": decoder.hidden_size,
        }
    )
    inner, heads = decoder.hidden_size // decoder.attention_downsample_rate, decoder.num_attention_heads
    _require(decoder.hidden_size % 8 == 0, f"hidden_size={decoder.hidden_size} must be a multiple of 8")
    _require(
        inner > 0 and inner % heads == 0 and decoder.hidden_size % heads == 0,
        f"mask_decoder_config has {decoder.hidden_size} channels, {inner} within attention, which its "
        f"{heads} attention heads do not divide",
    )
    _require(
        vision.num_feature_levels == 3 and backbone.num_query_pool_stages >= 2,
        f"num_feature_levels={vision.num_feature_levels} and num_query_pool_stages={backbone.num_query_pool_stages}; "
        "it takes 3 levels, and at least 2 stages that pool",
    )
    patches = zip(backbone.patch_kernel_size, backbone.patch_stride, backbone.patch_padding, strict=True)
    _require(
        all(stride == 4 and _shrinks_exactly(kernel, stride, padding) for kernel, stride, padding in patches),
        f"patch_kernel_size={backbone.patch_kernel_size}, patch_stride={backbone.patch_stride} and "
        f"patch_padding={backbone.patch_padding} do not make a quarter of the image's rows and columns",
    )
    patch = config.prompt_encoder_config.patch_size
    _require(patch == STRIDE, f"prompt_encoder_config.patch_size={patch} must be {STRIDE}")


def check_video_network(config: Sam2Config) -> None:
    """Raise InvalidInputError if memory attention and memory encoder do not fit the rest."""
    width, remembered = config.memory_attention_hidden_size, config.memory_encoder_output_channels
    _require_equal(
        {
            "vision_config.fpn_hidden_size": config.vision_config.fpn_hidden_size,
            "memory_attention_hidden_size": width,
            "memory_encoder_hidden_size": config.memory_encoder_hidden_size,
            "memory_fuser_embed_dim": config.memory_fuser_embed_dim,
            "mask_downsampler_embed_dim": config.mask_downsampler_embed_dim,
        }
    )
    inner = width // config.memory_attention_downsample_rate
    heads = config.memory_attention_num_attention_heads
    _require(
        inner > 0 and inner % (4 * heads) == 0,
        f"memory attention has {inner} channels, which its {heads} attention heads do not divide by multiples of 4",
    )
    _require(
        remembered % 4 == 0 and width % remembered == 0,
        f"memory_encoder_output_channels={remembered} must be a multiple of 4 that divides {width}",
    )
    kernel, stride, padding = (
        getattr(config, f"mask_downsampler_{name}") for name in ("kernel_size", "stride", "padding")
    )
    reached = [stride**layers for layers in range(1, STRIDE.bit_length())] if stride > 1 else []
    _require(
        config.mask_downsampler_total_stride == STRIDE
        and STRIDE in reached
        and _shrinks_exactly(kernel, stride, padding),
        f"mask_downsampler_kernel_size={kernel}, mask_downsampler_stride={stride}, mask_downsampler_padding={padding} "
        f"and mask_downsampler_total_stride={config.mask_downsampler_total_stride} do not make a {STRIDE}th of the "
        "mask's rows and columns",
    )
    kernel, padding = config.memory_fuser_kernel_size, config.memory_fuser_padding
    _require(
        kernel == 2 * padding + 1,
        f"memory_fuser_kernel_size={kernel} and memory_fuser_padding={padding} do not keep the number of tokens",
    )


def _shrinks_exactly(kernel: int, stride: int, padding: int) -> bool:
    """Return whether a convolution makes n / stride rows of n, for every n that `stride` divides."""
    return 0 < kernel - 2 * padding <= stride


def _require_equal(widths: dict[str, int]) -> None:
    listed = ", ".join(f"{name}={width}" for name, width in widths.items())
    _require(len(set(widths.values())) == 1, f"{listed} must be equal")


def _require(is_met: bool, reason: str) -> None:
    if not is_met:
        raise InvalidInputError(f"The parts of a configuration do not fit together: {reason}.")
