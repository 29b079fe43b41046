"""The Sam2 configuration classes and the presets of the released models."""

from masklet.configuration.base import Config
from masklet.configuration.presets import preset
from masklet.configuration.sam2 import (
    Sam2Config,
    Sam2HieraDetConfig,
    Sam2MaskDecoderConfig,
    Sam2PromptEncoderConfig,
    Sam2VisionConfig,
)

__all__ = [
    "Config",
    "Sam2Config",
    "Sam2HieraDetConfig",
    "Sam2MaskDecoderConfig",
    "Sam2PromptEncoderConfig",
    "Sam2VisionConfig",
    "preset",
]
