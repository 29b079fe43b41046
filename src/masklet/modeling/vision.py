"""Backbone and feature pyramid neck: the image encoder of SAM 2."""

import torch.nn.functional as F
from torch import Tensor, nn

from masklet.checkpoints.pretrained import PretrainedModel
from masklet.configuration import Sam2VisionConfig
from masklet.configuration.agreement import check_vision
from masklet.modeling.hiera import Sam2HieraDetModel
from masklet.modeling.layers import initialize, pointwise
from masklet.modeling.outputs import Sam2HieraDetOutput, Sam2VisionEncoderOutput
from masklet.modeling.positions import OnceAShape, sine_positions


class FeaturePyramidNeck(nn.Module):
    """1x1 lateral convolutions, and top-down addition on the levels that `fpn_top_down_levels` names.

    Levels are numbered from the shallowest, 0; `convs` are stored from the deepest, as in the checkpoints.
    """

    def __init__(self, config: Sam2VisionConfig):
        super().__init__()
        self.config = config
        self.convs = nn.ModuleList(
            nn.Conv2d(width, config.fpn_hidden_size, config.fpn_kernel_size, config.fpn_stride, config.fpn_padding)
            for width in config.backbone_channel_list
        )

    def forward(self, stages: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the levels [batch, channels, h, w] above the backbone's `stages`, from high to low resolution."""
        levels = range(self.config.num_feature_levels)
        return tuple(self.level(stages, level).permute(0, 3, 1, 2) for level in levels)

    def lateral(self, level: int) -> nn.Conv2d:
        """Return the convolution of a level."""
        return self.convs[len(self.convs) - 1 - level]  # type: ignore[return-value]  # or what a program put there

    def level(self, stages: tuple[Tensor, ...], level: int) -> Tensor:
        """One level [batch, h, w, channels] of the pyramid above the backbone's `stages`."""
        out = pointwise(self.lateral(level), stages[level])
        deeper = level + 1
        if deeper >= len(stages) or level not in self.config.fpn_top_down_levels:
            return out
        above = self.level(stages, deeper).permute(0, 3, 1, 2)
        return out + F.interpolate(above.float(), scale_factor=2.0, mode="nearest").to(out.dtype).permute(0, 2, 3, 1)


class Sam2VisionModel(PretrainedModel):
    """The image encoder: pixels to the levels of the feature pyramid.

    Example:
        >>> import torch
        >>> from masklet import Sam2VisionModel
        >>> encoder = Sam2VisionModel.from_pretrained()
        >>> len(encoder(torch.zeros(1, 3, 384, 384)).fpn_hidden_states)
        3
    """

    config_class = Sam2VisionConfig
    config: Sam2VisionConfig
    base_model_prefix = "vision_encoder"

    def __init__(self, config: Sam2VisionConfig):
        super().__init__(config)
        check_vision(config)
        self.backbone = Sam2HieraDetModel(config.backbone_config)
        self.neck = FeaturePyramidNeck(config)
        self._sines = [OnceAShape() for _ in range(config.num_feature_levels)]
        self.neck.apply(initialize(config.initializer_range))

    def get_input_embeddings(self) -> nn.Module:
        """Return the patch embedding."""
        return self.backbone.get_input_embeddings()

    def encode(
        self, pixel_values: Tensor | None, output_hidden_states: bool = False, output_attentions: bool = False
    ) -> Sam2HieraDetOutput:
        """Return the backbone's stages, before the neck."""
        output: Sam2HieraDetOutput = self.backbone(pixel_values, output_hidden_states, output_attentions, True)
        return output

    def forward(
        self,
        pixel_values: Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
        **ignored: object,
    ) -> Sam2VisionEncoderOutput | tuple[object, ...]:
        """Encode [batch, 3, height, width] (sides multiples of 32) into `num_feature_levels` levels.

        Raises `ValueError` if `pixel_values` is None.
        """
        stages = self.encode(
            pixel_values,
            self.config.output_hidden_states if output_hidden_states is None else output_hidden_states,
            self.config.output_attentions if output_attentions is None else output_attentions,
        )
        levels = self.neck(stages.intermediate_hidden_states)
        output = Sam2VisionEncoderOutput(
            last_hidden_state=stages.last_hidden_state,
            fpn_hidden_states=levels,
            fpn_position_encoding=tuple(
                self.position_encoding(level.permute(0, 2, 3, 1), number) for number, level in enumerate(levels)
            ),
            hidden_states=stages.hidden_states,
            attentions=stages.attentions,
        )
        return output if (self.config.return_dict if return_dict is None else return_dict) else output.to_tuple()

    def position_encoding(self, level_bhwc: Tensor, number: int) -> Tensor:
        """Sine positions [batch, channels, h, w] of a level."""
        batch, height, width, channels = level_bhwc.shape
        device, dtype = level_bhwc.device, level_bhwc.dtype
        shape = (height, width, channels, device, dtype)
        table = self._sines[number].get(
            lambda: sine_positions(height, width, channels, device=device, dtype=dtype), shape
        )
        return table.expand(batch, -1, -1, -1)
