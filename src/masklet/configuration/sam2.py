"""The five configuration classes of SAM 2. Field names and defaults are those of the published checkpoints."""

from pathlib import Path
from typing import Any, ClassVar

from masklet.configuration.base import Config
from masklet.configuration.field_values import field_value
from masklet.errors import CheckpointError, InvalidInputError
from masklet.json_files import shown
from masklet.whole_numbers import is_whole_number

# Eight times the side that released models were trained at: 64 times the tokens, which take gigabytes.
LARGEST_IMAGE_SIZE = 8192


_PAIRS = (
    "image_size",
    "patch_kernel_size",
    "patch_stride",
    "patch_padding",
    "query_stride",
    "window_positional_embedding_background_size",
)


class Sam2HieraDetConfig(Config):
    """The Hiera image backbone (SAM 2 paper, section 4 and appendix D; Hiera with absolute window positions).

    `embed_dim_per_stage` and `num_attention_heads_per_stage` default to doubling from `hidden_size` and
    `num_attention_heads`. Sizes in pixels are [height, width]; windows are in tokens, one side of a square.
    """

    model_type: ClassVar[str] = "sam2_hiera_det_model"
    path_in_composite: ClassVar[tuple[str, ...]] = ("vision_config", "backbone_config")

    hidden_size: int = 96
    num_attention_heads: int = 1
    num_channels: int = 3
    image_size: int | list[int] = [1024, 1024]  # noqa: RUF012 (copied for each instance)
    patch_kernel_size: list[int] = [7, 7]  # noqa: RUF012
    patch_stride: list[int] = [4, 4]  # noqa: RUF012
    patch_padding: list[int] = [3, 3]  # noqa: RUF012
    query_stride: list[int] = [2, 2]  # noqa: RUF012
    window_positional_embedding_background_size: list[int] = [7, 7]  # noqa: RUF012
    num_query_pool_stages: int = 3
    blocks_per_stage: list[int] = [1, 2, 7, 2]  # noqa: RUF012
    embed_dim_per_stage: list[int] = []  # noqa: RUF012
    num_attention_heads_per_stage: list[int] = []  # noqa: RUF012
    window_size_per_stage: list[int] = [8, 4, 14, 7]  # noqa: RUF012
    global_attention_blocks: list[int] = [5, 7, 9]  # noqa: RUF012
    mlp_ratio: float = 4.0
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-6
    initializer_range: float = 0.02

    def check(self) -> None:
        """Fill in the per-stage lists and check that they agree."""
        stages = range(len(self.blocks_per_stage))
        self.embed_dim_per_stage = self.embed_dim_per_stage or [self.hidden_size * 2**stage for stage in stages]
        self.num_attention_heads_per_stage = self.num_attention_heads_per_stage or [
            self.num_attention_heads * 2**stage for stage in stages
        ]
        for name in ("embed_dim_per_stage", "num_attention_heads_per_stage", "window_size_per_stage"):
            if len(getattr(self, name)) != len(stages):
                raise InvalidInputError(f"{name} is {getattr(self, name)}; it needs {len(stages)} values, one a stage.")
        for width, heads in zip(self.embed_dim_per_stage, self.num_attention_heads_per_stage, strict=True):
            if width % heads:
                raise InvalidInputError(
                    f"embed_dim_per_stage holds {width}, which {heads} attention heads do not divide."
                )
        if not 0 <= self.num_query_pool_stages < len(stages):
            raise InvalidInputError(
                f"num_query_pool_stages={self.num_query_pool_stages}; allowed: 0 to {len(stages) - 1}."
            )
        self._check_pairs()
        if (rate := getattr(self, "drop_path_rate", None)) is not None:
            field_value(rate, "drop_path_rate", float)

    def _check_pairs(self) -> None:
        """Check what counts rows and columns."""
        for name in _PAIRS:
            sides = getattr(self, name)
            if not isinstance(sides, int) and len(sides) != 2:
                raise InvalidInputError(f"{name} is {sides}; it needs two values, for rows and columns.")
        if self.query_stride != [2, 2]:
            raise InvalidInputError(
                f"query_stride={self.query_stride} is not supported; every released SAM 2 uses [2, 2]."
            )

    @property
    def depth(self) -> int:
        """Number of blocks of all stages."""
        return sum(self.blocks_per_stage)

    @property
    def stages(self) -> list[int]:
        """The seed-era name of `blocks_per_stage`."""
        return self.blocks_per_stage

    @property
    def window_spec(self) -> list[int]:
        """The seed-era name of `window_size_per_stage`."""
        return self.window_size_per_stage

    @property
    def dim_mul(self) -> float:
        """The seed-era factor by which channels grow from the first stage to the second."""
        return self.embed_dim_per_stage[1] / self.embed_dim_per_stage[0]

    @property
    def head_mul(self) -> float:
        """The seed-era factor by which attention heads grow from the first stage to the second."""
        return self.num_attention_heads_per_stage[1] / self.num_attention_heads_per_stage[0]


class Sam2VisionConfig(Config):
    """Backbone plus feature pyramid neck; channel lists run from the deepest level to the shallowest."""

    model_type: ClassVar[str] = "sam2_vision_model"
    path_in_composite: ClassVar[tuple[str, ...]] = ("vision_config",)
    sub_configs: ClassVar[dict[str, type[Config]]] = {"backbone_config": Sam2HieraDetConfig}

    backbone_config: Sam2HieraDetConfig = None  # type: ignore[assignment]  # built from None or a dict
    backbone_channel_list: list[int] = [768, 384, 192, 96]  # noqa: RUF012
    backbone_feature_sizes: list[list[int]] = [[256, 256], [128, 128], [64, 64]]  # noqa: RUF012
    fpn_hidden_size: int = 256
    fpn_kernel_size: int = 1
    fpn_stride: int = 1
    fpn_padding: int = 0
    fpn_top_down_levels: list[int] = [2, 3]  # noqa: RUF012
    num_feature_levels: int = 3
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-6
    initializer_range: float = 0.02

    def check(self) -> None:
        """Check that the neck takes the widths that the backbone gives."""
        widths = self.backbone_config.embed_dim_per_stage[::-1]
        if self.backbone_channel_list != widths:
            raise InvalidInputError(
                f"backbone_channel_list is {self.backbone_channel_list}; the backbone gives {widths}."
            )
        if (self.fpn_kernel_size, self.fpn_stride, self.fpn_padding) != (1, 1, 0):
            raise InvalidInputError(
                f"fpn_kernel_size={self.fpn_kernel_size}, fpn_stride={self.fpn_stride}, fpn_padding={self.fpn_padding} "
                "are not supported; every released SAM 2 uses 1, 1 and 0."
            )
        if self.num_feature_levels > len(widths):
            raise InvalidInputError(f"num_feature_levels={self.num_feature_levels}; there are {len(widths)} stages.")


class Sam2PromptEncoderConfig(Config):
    """Points, boxes and masks to tokens (SAM paper, appendix A).

    `draws_boxes` is masklet's own: besides its two tokens, a box is drawn as a mask prompt where no mask is given. No
    released checkpoint was trained so; a small network learns from it in little time what lies inside.
    """

    path_in_composite: ClassVar[tuple[str, ...]] = ("prompt_encoder_config",)

    hidden_size: int = 256
    image_size: int = 1024
    patch_size: int = 16
    mask_input_channels: int = 16
    num_point_embeddings: int = 4
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-6
    scale: float = 1
    draws_boxes: bool = False

    @property
    def image_embedding_size(self) -> tuple[int, int]:
        """Height and width, in tokens, of the deepest feature level used."""
        return (self.image_size // self.patch_size,) * 2

    @property
    def mask_input_size(self) -> tuple[int, int]:
        """Height and width of a mask prompt and of the masks that come out."""
        return (4 * self.image_size // self.patch_size,) * 2


class Sam2MaskDecoderConfig(Config):
    """Two-way transformer and its heads (SAM 2 paper, appendix D)."""

    path_in_composite: ClassVar[tuple[str, ...]] = ("mask_decoder_config",)

    hidden_size: int = 256
    hidden_act: str = "gelu"
    mlp_dim: int = 2048
    num_hidden_layers: int = 2
    num_attention_heads: int = 8
    attention_downsample_rate: int = 2
    num_multimask_outputs: int = 3
    iou_head_depth: int = 3
    iou_head_hidden_dim: int = 256
    dynamic_multimask_via_stability: bool = True
    dynamic_multimask_stability_delta: float = 0.05
    dynamic_multimask_stability_thresh: float = 0.98


class Sam2Config(Config):
    """The whole of SAM 2, image and video: one configuration serves `Sam2Model` and `Sam2VideoModel`.

    Written in the layout of the published checkpoints (`model_type` "sam2_video"), read in that and the seed-era one.

    `binarize_mask_from_pts_for_mem_enc`, of Meta's predictor and the seed-era layout, decides whether masks of clicks
    and boxes are binarized before they are encoded as memories. All released checkpoints are used so; today's
    transformers always does.

    `max_hole_share` is masklet's own: `ImageSegmenter` fills holes of its masks up to this share of a mask's area (0 to
    1; `masklet.masks.components.enclosed_holes`). No released checkpoint sets it, and other programs ignore it.

    Example:
        >>> from masklet import Sam2Config
        >>> Sam2Config(image_size=512).vision_config.backbone_config.image_size
        [512, 512]
    """

    model_type: ClassVar[str] = "sam2_video"
    sub_configs: ClassVar[dict[str, type[Config]]] = {
        "vision_config": Sam2VisionConfig,
        "prompt_encoder_config": Sam2PromptEncoderConfig,
        "mask_decoder_config": Sam2MaskDecoderConfig,
    }

    vision_config: Sam2VisionConfig = None  # type: ignore[assignment]  # built from None or a dict
    prompt_encoder_config: Sam2PromptEncoderConfig = None  # type: ignore[assignment]
    mask_decoder_config: Sam2MaskDecoderConfig = None  # type: ignore[assignment]
    initializer_range: float = 0.02
    image_size: int = 1024
    num_maskmem: int = 7
    sigmoid_scale_for_mem_enc: float = 20.0
    sigmoid_bias_for_mem_enc: float = -10.0
    binarize_mask_from_pts_for_mem_enc: bool = True
    enable_occlusion_spatial_embedding: bool = True
    multimask_output_in_sam: bool = True
    multimask_min_pt_num: int = 0
    multimask_max_pt_num: int = 1
    multimask_output_for_tracking: bool = True
    max_object_pointers_in_encoder: int = 16
    max_cond_frame_num: int = -1
    enable_temporal_pos_encoding_for_object_pointers: bool = True
    memory_attention_hidden_size: int = 256
    memory_attention_num_layers: int = 4
    memory_attention_num_attention_heads: int = 1
    memory_attention_downsample_rate: int = 1
    memory_attention_feed_forward_hidden_size: int = 2048
    memory_attention_feed_forward_hidden_act: str = "relu"
    memory_attention_dropout: float = 0.1
    memory_attention_rope_theta: float = 10000
    memory_attention_rope_feat_sizes: list[int] = [64, 64]  # noqa: RUF012
    memory_attention_rope_dropout: float = 0.1
    memory_encoder_hidden_size: int = 256
    memory_encoder_output_channels: int = 64
    mask_downsampler_embed_dim: int = 256
    mask_downsampler_kernel_size: int = 3
    mask_downsampler_stride: int = 2
    mask_downsampler_padding: int = 1
    mask_downsampler_total_stride: int = 16
    mask_downsampler_hidden_act: str = "gelu"
    memory_fuser_num_layers: int = 2
    memory_fuser_embed_dim: int = 256
    memory_fuser_intermediate_dim: int = 1024
    memory_fuser_kernel_size: int = 7
    memory_fuser_padding: int = 3
    memory_fuser_layer_scale_init_value: float = 1e-6
    memory_fuser_hidden_act: str = "gelu"
    max_hole_share: float = 0.0

    def __init__(self, **given: Any) -> None:
        """Build from keyword arguments; a changed `image_size` reaches every part (see `set_image_size`)."""
        image_size = given.get("image_size")
        super().__init__(**given)
        part_size = self.prompt_encoder_config.image_size
        if image_size is None:
            self.image_size = part_size
        self.set_image_size(self.image_size)

    def set_image_size(self, image_size: int) -> None:
        """Set every field that follows from the side of the square network input, in pixels (a multiple of 32)."""
        stride = self.prompt_encoder_config.patch_size
        if not is_whole_number(image_size) or not 0 < image_size <= LARGEST_IMAGE_SIZE or image_size % 32:
            raise InvalidInputError(
                f"image_size={shown(image_size)}; it must be a multiple of 32 up to {LARGEST_IMAGE_SIZE}: each of the "
                "four stages needs whole tokens, and all of them memory."
            )
        image_size = int(image_size)
        self.image_size = self.prompt_encoder_config.image_size = image_size
        self.vision_config.backbone_config.image_size = [image_size, image_size]
        self.vision_config.backbone_feature_sizes = [[image_size // cell] * 2 for cell in (4, 8, 16)]
        self.memory_attention_rope_feat_sizes = [image_size // stride] * 2

    @classmethod
    def check_model_type(cls, found: object, path: Path) -> None:
        """Allow the image-only spelling, `sam2`, too."""
        if found not in ("", "sam2", cls.model_type):
            raise CheckpointError(
                f"{path} is the configuration of a {shown(found)} model; {cls.__name__} reads 'sam2' and 'sam2_video'."
            )
