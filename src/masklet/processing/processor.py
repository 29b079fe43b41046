"""Images and prompts together to model inputs."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from torch import Tensor

from masklet.atomic_files import written_whole
from masklet.configuration.loading_arguments import with_location, without_loading_arguments
from masklet.errors import InvalidInputError
from masklet.hub_uploads import HubUploads, check_hub_options
from masklet.processing.batch import BatchFeature
from masklet.processing.image_inputs import image_inputs
from masklet.processing.image_options import OPTION_NAMES
from masklet.processing.image_processor import Sam2ImageProcessorFast
from masklet.processing.prompt_scale import (
    PROMPT_SCALE,
    checked_point_pad_value,
    checked_target_size,
    loaded_prompt_scale,
)
from masklet.processing.saved_settings import (
    AUTOMATIC_MASKS_FILE,
    PROCESSOR_FILE,
    automatic_mask_options,
    own_video_settings,
)
from masklet.processing.video_frames import PreparedFrames
from masklet.processing.video_processor import Sam2VideoProcessor
from masklet.processing.video_sessions import VideoSessions
from masklet.sources import Source


class Sam2Processor(VideoSessions, HubUploads):
    """Prepares images with an image processor and prompts to match, opens videos, and turns mask logits into masks.

    Args:
        image_processor: prepares the images; None makes one from `kwargs`.
        video_processor: prepares the frames of videos; None prepares them as images are.
        target_size: side of the network's square input, to which prompts are scaled; None takes the image processor's
            height.
        point_pad_value: coordinate of the points that fill up ragged batches, and of prompts padded by the caller. What
            the network goes by is the same for every value: padding is labelled -10, padded boxes are four times -10.
        automatic_masks: options of `AutomaticMaskGenerator` that suit the checkpoint, by name.
        **kwargs: options of the image processor, where none is given.

    Example:
        >>> from masklet import Sam2Processor
        >>> inputs = Sam2Processor()("assets/truck.jpg", input_boxes=[[[72, 158, 974, 488]]], return_tensors="pt")
        >>> inputs.input_boxes.shape
        torch.Size([1, 1, 4])
    """

    def __init__(
        self,
        image_processor: Sam2ImageProcessorFast | None = None,
        video_processor: Sam2VideoProcessor | None = None,
        target_size: int | None = None,
        point_pad_value: int = -10,
        *,
        automatic_masks: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if image_processor is not None and kwargs:
            raise InvalidInputError(f"Set the options {list(kwargs)} on the image_processor that you pass.")
        self.image_processor = Sam2ImageProcessorFast(**kwargs) if image_processor is None else image_processor
        self.video_processor = video_processor
        side = self.image_processor.size["height"] if target_size is None else target_size
        self.target_size = checked_target_size(side)
        self.point_pad_value = checked_point_pad_value(point_pad_value)
        self.automatic_masks = dict(automatic_masks or {})

    @property
    def model_input_names(self) -> list[str]:
        """Names of the inputs that every call with images returns."""
        return [*self.image_processor.model_input_names, "original_sizes", "reshaped_input_sizes"]

    def __call__(
        self,
        images: Any = None,
        segmentation_maps: Any = None,
        input_points: Any = None,
        input_labels: Any = None,
        input_boxes: Any = None,
        original_sizes: Any = None,
        return_tensors: str | None = None,
        *,
        input_masks: Any = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Return images and prompts as model inputs.

        Prompts are in pixels of their images, nested as lists, tuples, arrays or tensors, ragged where they like.

        Args:
            images: images, as `Sam2ImageProcessorFast.preprocess` takes them; None to prepare prompts only.
            segmentation_maps: maps of class numbers, likewise.
            input_points: [image][object][point][x, y].
            input_labels: [image][object][point]: 1 inside the object, 0 outside; all inside if left out.
            input_boxes: [image][box][x1, y1, x2, y2].
            original_sizes: (height, width) per image, or one for all, in which the prompts count their pixels; needed
                without images, else the images' own sizes.
            return_tensors: "pt", "np" or None (prompts are tensors then, too).
            input_masks: a mask or one mask per object for each image: logits of an earlier prediction, or bool; see
                `mask_tensor`.
            **kwargs: options of the image processor for this call.

        Returns:
            What the image processor returns, plus for the prompts given: input_points float32 [B, P, N, 2],
            input_labels int64 [B, P, N], input_boxes float32 [B, P, 4], input_masks float [B, 1 or P, h, w].

        Raises:
            InvalidInputError: if the images or prompts cannot be used or do not fit together.
        """
        return image_inputs(
            self.image_processor,
            self.target_size,
            self.point_pad_value,
            images,
            segmentation_maps,
            input_points,
            input_labels,
            input_boxes,
            original_sizes,
            return_tensors,
            input_masks=input_masks,
            **kwargs,
        )

    def post_process_masks(self, masks: Any, original_sizes: Any, *positional: Any, **options: Any) -> list[Tensor]:
        """Return masks at the sizes of their images; see `Sam2ImageProcessorFast.post_process_masks`."""
        return self.image_processor.post_process_masks(masks, original_sizes, *positional, **options)

    @property
    def _network_side(self) -> int:
        return self.target_size

    def _prepared_frames(self, video: Any, device: Any) -> PreparedFrames:
        processor = self.video_processor or Sam2VideoProcessor(**self.image_processor.settings)
        return processor._prepared_frames(video, device)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings of the processor and, nested, of its parts, as they are saved."""
        settings: dict[str, Any] = {
            "image_processor": self.image_processor.to_dict(),
            "point_pad_value": self.point_pad_value,
            "processor_class": type(self).__name__,
            "target_size": self.target_size,
        }
        if self.video_processor is not None:
            settings["video_processor"] = self.video_processor.frame_settings()
        return settings

    def to_json_string(self) -> str:
        """Return the settings as JSON text."""
        return json.dumps(self.to_dict(), indent=2, sort_keys=True) + "\n"

    def save_pretrained(
        self, folder: str | os.PathLike[str], push_to_hub: bool = False, **hub_options: Any
    ) -> list[str]:
        """Write `processor_config.json` into a folder, made if missing; return the paths written.

        `automatic_masks` go into a file of their own, where there are any.

        `push_to_hub` also uploads it: `hub_options` are those of the method `push_to_hub`, `repo_id` is by default the
        folder's name.
        """
        check_hub_options(hub_options)
        texts = {PROCESSOR_FILE: self.to_json_string()}
        if self.automatic_masks:
            texts[AUTOMATIC_MASKS_FILE] = json.dumps(self.automatic_masks, indent=2, sort_keys=True) + "\n"
        for name, text in texts.items():
            with written_whole(Path(folder) / name) as unfinished:
                unfinished.write_text(text, encoding="utf-8")
        if push_to_hub:
            self._push_saved(folder, **hub_options)
        return [str(Path(folder) / name) for name in texts]

    @classmethod
    def from_pretrained(
        cls,
        source: Source = None,
        *,
        image_processor: Sam2ImageProcessorFast | None = None,
        video_processor: Sam2VideoProcessor | None = None,
        return_unused_kwargs: bool = False,
        **keywords: Any,
    ) -> Self:
        """Return the processor of a checkpoint.

        Args:
            source: a folder, a hub id, a Meta `.pt` file (they all use the default settings), or None for the bundled
                model.
            image_processor: used instead of the saved one.
            video_processor: likewise.
            return_unused_kwargs: return the processor and a dictionary of the keywords that are no options, instead of
                refusing them.
            **keywords: those of `masklet.sources.Location`; `target_size`, `point_pad_value` and options of both
                processors, instead of the saved ones. Other loading arguments change nothing.

        Raises:
            CheckpointError: if the source has no settings of an image processor.
            InvalidInputError: for other keywords.
        """
        source, location, keywords = with_location(source, keywords)
        overrides, unused = without_loading_arguments(keywords), {}
        if return_unused_kwargs:
            unused = {name: overrides.pop(name) for name in overrides.keys() - {*OPTION_NAMES, *PROMPT_SCALE}}
        has_another_size = image_processor is not None or "size" in overrides
        scale = loaded_prompt_scale(source, location, overrides, has_another_size=has_another_size)
        if image_processor is None:
            image_processor = Sam2ImageProcessorFast.from_pretrained(source, **location, **overrides)
        if video_processor is None and own_video_settings(source, **location) is not None:
            video_processor = Sam2VideoProcessor.from_pretrained(source, **location, **overrides)
        masks = automatic_mask_options(source, **location)
        processor = cls(image_processor, video_processor, automatic_masks=masks, **scale)
        return (processor, unused) if return_unused_kwargs else processor  # type: ignore[return-value]
