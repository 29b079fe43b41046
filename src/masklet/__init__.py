"""masklet: run, train and use SAM 2. A point, box or mask in, an object mask out.

Names are imported when they are first used, so that `import masklet` stays quick and needs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from masklet.automask.masks import AutomaticMasks
    from masklet.automask.object_records import ObjectRecord
    from masklet.automask.policy import EverythingPolicy
    from masklet.automask.settings import AutomaticMaskSettings
    from masklet.checkpoints.pretrained import PretrainedModel
    from masklet.configuration import (
        Sam2Config,
        Sam2HieraDetConfig,
        Sam2MaskDecoderConfig,
        Sam2PromptEncoderConfig,
        Sam2VisionConfig,
    )
    from masklet.errors import (
        CheckpointError,
        DamagedSessionError,
        DivergedTrainingError,
        InvalidInputError,
        InvalidMaskError,
        OtherProgramWarning,
        UnreadableImageError,
        UnreadableVideoError,
    )
    from masklet.jobs.conversion import convert_dataset
    from masklet.masks.segmentation import Segmentation
    from masklet.media.images import read_image
    from masklet.media.live_frames import live_frames
    from masklet.media.mask_images import read_mask_image
    from masklet.media.overlays import draw_overlay
    from masklet.media.pixel_limit import set_max_image_pixels
    from masklet.media.video_reader import open_video
    from masklet.media.video_writer import write_video
    from masklet.modeling.hiera import Sam2HieraDetModel
    from masklet.modeling.image_model import Sam2Model
    from masklet.modeling.vision import Sam2VisionModel
    from masklet.predictors.automatic_mask_generator import AutomaticMaskGenerator
    from masklet.predictors.everything_in_video import EverythingInVideo
    from masklet.predictors.image_segmenter import EncodedImage, ImageSegmenter
    from masklet.predictors.tracked_video import TrackedVideo
    from masklet.predictors.video_tracker import VideoTracker
    from masklet.predictors.zooming_segmenter import ZoomingSegmenter
    from masklet.processing.image_processor import Sam2ImageProcessorFast
    from masklet.processing.processor import Sam2Processor
    from masklet.processing.video_processor import Sam2VideoProcessor
    from masklet.prompts.prompt import Prompt
    from masklet.tracking.retention import Spill
    from masklet.tracking.session import Sam2VideoInferenceSession
    from masklet.tracking.video_model import Sam2VideoModel
    from masklet.training.recipes import recipe_named
    from masklet.training.run.trainer import Trainer
    from masklet.training.settings.recipe import Recipe
    from masklet.training.settings.stages import ClipStage, Stage

__version__ = "0.1.0"

# Where each public name is defined. The same names stand above, for type checkers, and in `__all__`; a test compares.
_HOMES = {
    "AutomaticMasks": "automask.masks",
    "ObjectRecord": "automask.object_records",
    "EverythingPolicy": "automask.policy",
    "AutomaticMaskSettings": "automask.settings",
    "PretrainedModel": "checkpoints.pretrained",
    "Sam2Config": "configuration",
    "Sam2HieraDetConfig": "configuration",
    "Sam2MaskDecoderConfig": "configuration",
    "Sam2PromptEncoderConfig": "configuration",
    "Sam2VisionConfig": "configuration",
    "CheckpointError": "errors",
    "DamagedSessionError": "errors",
    "DivergedTrainingError": "errors",
    "InvalidInputError": "errors",
    "InvalidMaskError": "errors",
    "OtherProgramWarning": "errors",
    "UnreadableImageError": "errors",
    "UnreadableVideoError": "errors",
    "convert_dataset": "jobs.conversion",
    "Segmentation": "masks.segmentation",
    "set_max_image_pixels": "media.pixel_limit",
    "read_image": "media.images",
    "live_frames": "media.live_frames",
    "read_mask_image": "media.mask_images",
    "draw_overlay": "media.overlays",
    "open_video": "media.video_reader",
    "write_video": "media.video_writer",
    "Sam2HieraDetModel": "modeling.hiera",
    "Sam2Model": "modeling.image_model",
    "Sam2VisionModel": "modeling.vision",
    "AutomaticMaskGenerator": "predictors.automatic_mask_generator",
    "EverythingInVideo": "predictors.everything_in_video",
    "EncodedImage": "predictors.image_segmenter",
    "ImageSegmenter": "predictors.image_segmenter",
    "TrackedVideo": "predictors.tracked_video",
    "VideoTracker": "predictors.video_tracker",
    "ZoomingSegmenter": "predictors.zooming_segmenter",
    "Sam2ImageProcessorFast": "processing.image_processor",
    "Sam2Processor": "processing.processor",
    "Sam2VideoProcessor": "processing.video_processor",
    "Prompt": "prompts.prompt",
    "Spill": "tracking.retention",
    "Sam2VideoInferenceSession": "tracking.session",
    "Sam2VideoModel": "tracking.video_model",
    "recipe_named": "training.recipes",
    "Trainer": "training.run.trainer",
    "Recipe": "training.settings.recipe",
    "ClipStage": "training.settings.stages",
    "Stage": "training.settings.stages",
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
    "AutomaticMaskGenerator",
    "AutomaticMaskSettings",
    "AutomaticMasks",
    "CheckpointError",
    "ClipStage",
    "DamagedSessionError",
    "DivergedTrainingError",
    "EncodedImage",
    "EverythingInVideo",
    "EverythingPolicy",
    "ImageSegmenter",
    "InvalidInputError",
    "InvalidMaskError",
    "ObjectRecord",
    "OtherProgramWarning",
    "PretrainedModel",
    "Prompt",
    "Recipe",
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
    "Spill",
    "Stage",
    "TrackedVideo",
    "Trainer",
    "UnreadableImageError",
    "UnreadableVideoError",
    "VideoTracker",
    "ZoomingSegmenter",
    "convert_dataset",
    "draw_overlay",
    "live_frames",
    "open_video",
    "read_image",
    "read_mask_image",
    "recipe_named",
    "set_max_image_pixels",
    "write_video",
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
