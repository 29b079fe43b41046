"""masklet: run, train and use SAM 2. A point, box or mask in, an object mask out.

Names are imported when they are first used, so that `import masklet` stays quick and needs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from masklet.configuration import (
        Sam2Config,
        Sam2HieraDetConfig,
        Sam2MaskDecoderConfig,
        Sam2PromptEncoderConfig,
        Sam2VisionConfig,
    )
    from masklet.masks.segmentation import Segmentation
    from masklet.media.images import read_image
    from masklet.media.pixel_limit import set_max_image_pixels
    from masklet.modeling.hiera import Sam2HieraDetModel
    from masklet.modeling.image_model import Sam2Model
    from masklet.modeling.vision import Sam2VisionModel
    from masklet.predictors.image_segmenter import ImageSegmenter
    from masklet.predictors.video_tracker import TrackedVideo, VideoTracker
    from masklet.predictors.zooming_segmenter import ZoomingSegmenter
    from masklet.processing.image_processor import Sam2ImageProcessorFast
    from masklet.processing.processor import Sam2Processor
    from masklet.processing.video_processor import Sam2VideoProcessor
    from masklet.tracking.session import Sam2VideoInferenceSession
    from masklet.tracking.video_model import Sam2VideoModel

__version__ = "0.1.0"

_HOMES = {
    "Sam2Config": "configuration",
    "Sam2HieraDetConfig": "configuration",
    "Sam2MaskDecoderConfig": "configuration",
    "Sam2PromptEncoderConfig": "configuration",
    "Sam2VisionConfig": "configuration",
    "Segmentation": "masks.segmentation",
    "Sam2HieraDetModel": "modeling.hiera",
    "Sam2VisionModel": "modeling.vision",
    "Sam2Model": "modeling.image_model",
    "PretrainedModel": "checkpoints.pretrained",
    "Sam2VideoInferenceSession": "tracking.session",
    "Sam2VideoModel": "tracking.video_model",
    "Sam2ImageProcessorFast": "processing.image_processor",
    "Sam2Processor": "processing.processor",
    "Sam2VideoProcessor": "processing.video_processor",
    "ImageSegmenter": "predictors.image_segmenter",
    "TrackedVideo": "predictors.video_tracker",
    "VideoTracker": "predictors.video_tracker",
    "ZoomingSegmenter": "predictors.zooming_segmenter",
    "read_image": "media.images",
    "set_max_image_pixels": "media.pixel_limit",
}

# Names that later versions of transformers gave to the same classes: one configuration serves images and videos.
_OTHER_NAMES = {
    "Sam2ImageProcessor": "Sam2ImageProcessorFast",
    "Sam2PreTrainedModel": "PretrainedModel",
    "Sam2VideoConfig": "Sam2Config",
    "Sam2VideoMaskDecoderConfig": "Sam2MaskDecoderConfig",
    "Sam2VideoPreTrainedModel": "PretrainedModel",
    "Sam2VideoPromptEncoderConfig": "Sam2PromptEncoderConfig",
    "Sam2VideoVideoProcessor": "Sam2VideoProcessor",
}

__all__ = [
    "ImageSegmenter",
    "Sam2Config",
    "Sam2HieraDetConfig",
    "Sam2HieraDetModel",
    "Sam2ImageProcessorFast",
    "Sam2MaskDecoderConfig",
    "Sam2Model",
    "Sam2Processor",
    "Sam2PromptEncoderConfig",
    "Sam2VideoInferenceSession",
    "Sam2VideoModel",
    "Sam2VideoProcessor",
    "Sam2VisionConfig",
    "Sam2VisionModel",
    "Segmentation",
    "TrackedVideo",
    "VideoTracker",
    "ZoomingSegmenter",
    "read_image",
    "set_max_image_pixels",
]


def __getattr__(name: str) -> Any:
    here = _OTHER_NAMES.get(name, name)
    if here not in _HOMES:
        raise AttributeError(f"module 'masklet' has no attribute {name!r}")
    value = getattr(import_module(f"masklet.{_HOMES[here]}"), here)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
