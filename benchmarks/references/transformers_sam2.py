"""The transformers reference: its modelling files only, which import without torchvision."""

from typing import Any

from torch import nn


def build_transformers_model(configuration: dict[str, Any]) -> nn.Module:
    """A transformers `Sam2Model` in evaluation mode; the weights are its own initialisation, see `random_weights`."""
    from transformers.models.sam2.configuration_sam2 import Sam2Config
    from transformers.models.sam2.modeling_sam2 import Sam2Model

    model: nn.Module = Sam2Model(Sam2Config.from_dict(configuration)).eval()
    return model


def build_transformers_video_model(configuration: dict[str, Any]) -> nn.Module:
    """A transformers `Sam2VideoModel`, likewise."""
    from transformers.models.sam2_video.configuration_sam2_video import Sam2VideoConfig
    from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoModel

    model: nn.Module = Sam2VideoModel(Sam2VideoConfig.from_dict(configuration)).eval()
    return model
