"""Pictures to model inputs, and mask logits back to masks of the pictures' sizes."""

import json
import os
import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from masklet.atomic_files import written_whole
from masklet.errors import InvalidInputError
from masklet.processing import pixels as pixel_steps
from masklet.processing import post_processing
from masklet.processing.batch import BatchFeature
from masklet.processing.image_options import ImageOptions
from masklet.processing.pictures import label_maps, picture_list, picture_pixels
from masklet.processing.saved_settings import IMAGE_PROCESSOR_FILE, image_processor_settings, read_json

_OPTION_NAMES = tuple(option.name for option in fields(ImageOptions))


class Sam2ImageProcessorFast(ImageOptions):
    """Turns pictures into the network's input and the network's mask logits into masks.

    Every option of `ImageOptions` can be set here, changed as an attribute, or overridden in a single call. Settings
    with other names are kept as attributes and saved, as files of other versions contain them.
    """

    model_input_names: ClassVar[list[str]] = ["pixel_values"]

    def __init__(self, **options: Any) -> None:
        options = {name: value for name, value in options.items() if value is not None or name not in _OPTION_NAMES}
        super().__init__(**{name: options.pop(name) for name in _OPTION_NAMES if name in options})
        for name, value in options.items():
            setattr(self, name, value)

    def __call__(self, images: Any, segmentation_maps: Any = None, **options: Any) -> BatchFeature:
        """Return pictures as model inputs; see `preprocess`."""
        return self.preprocess(images, segmentation_maps, **options)

    def preprocess(self, images: Any, segmentation_maps: Any = None, **options: Any) -> BatchFeature:
        """Return pictures, and optionally their maps of class numbers, as model inputs.

        Args:
            images: a Pillow image, a path, an array [H, W, C] or [H, W], a tensor [C, H, W], a list of these, or a 4-D
                batch. Values are 0 to 255, floats too (for 0 to 1 pass do_rescale=False).
            segmentation_maps: one 2-D map of whole numbers per picture, in the same containers.
            **options: any attribute of `ImageOptions`, for this call.

        Returns:
            pixel_values float32 [B, 3, height, width]; original_sizes and reshaped_input_sizes int64 [B, 2] as (height,
            width) before and after; with maps, labels int64 [B, mask height, mask width]. Without return_tensors each
            is a list with one entry per picture.

        Raises:
            InvalidInputError: if an option, a picture or a map cannot be used.
            UnreadableImageError: if a path cannot be read.
        """
        settings = self._with(options)
        originals = [_pixels(picture, settings) for picture in picture_list(images)]
        prepared = [_prepared(pixels_chw, settings) for pixels_chw in originals]
        data: dict[str, Any] = {
            "pixel_values": prepared
            if settings.data_format == "channels_first"
            else [pixels_chw.permute(1, 2, 0) for pixels_chw in prepared],
            "original_sizes": [tuple(pixels_chw.shape[1:]) for pixels_chw in originals],
            "reshaped_input_sizes": [tuple(pixels_chw.shape[1:]) for pixels_chw in prepared],
        }
        if segmentation_maps is not None:
            maps = label_maps(segmentation_maps)
            if len(maps) != len(originals):
                raise InvalidInputError(f"Got {len(originals)} pictures but {len(maps)} segmentation_maps.")
            data["labels"] = [_prepared_labels(map_hw, settings) for map_hw in maps]
        return BatchFeature(data, settings.return_tensors)

    def post_process_masks(self, masks: Any, original_sizes: Any, *positional: Any, **options: Any) -> list[Tensor]:
        """Return masks at the sizes of their pictures: `post_processing.post_process_masks`, which see.

        Both signatures of the public API are understood: (masks, original_sizes, reshaped_input_sizes, mask_threshold,
        binarize, max_hole_area, max_sprinkle_area), where reshaped_input_sizes has no effect, and (masks,
        original_sizes, mask_threshold, binarize, max_hole_area, max_sprinkle_area, apply_non_overlapping_constraints).
        """
        by_name = post_processing.options_by_name(positional, options)
        return post_processing.post_process_masks(masks, original_sizes, **by_name)

    def to_dict(self) -> dict[str, Any]:
        """Return all settings as plain values, with the class name under `image_processor_type`."""
        settings = {name: value for name, value in vars(self).items() if name != "device"}
        return {**json.loads(json.dumps(settings, default=str)), "image_processor_type": "Sam2ImageProcessorFast"}

    def to_json_string(self) -> str:
        """Return the settings as JSON text."""
        return json.dumps(self.to_dict(), indent=2, sort_keys=True) + "\n"

    def to_json_file(self, path: str | os.PathLike[str]) -> None:
        """Write the settings to a JSON file, which appears only once it is complete."""
        with written_whole(path) as unfinished:
            unfinished.write_text(self.to_json_string(), encoding="utf-8")

    def save_pretrained(self, folder: str | os.PathLike[str]) -> list[str]:
        """Write `preprocessor_config.json` into a folder, made if missing; return the paths written."""
        path = Path(folder) / IMAGE_PROCESSOR_FILE
        self.to_json_file(path)
        return [str(path)]

    @classmethod
    def from_dict(cls, settings: dict[str, Any], **overrides: Any) -> Self:
        """Return a processor with these settings; `overrides` win."""
        return cls(
            **{**{name: value for name, value in settings.items() if name != "image_processor_type"}, **overrides}
        )

    @classmethod
    def from_json_file(cls, path: str | os.PathLike[str]) -> Self:
        """Return a processor with the settings of a JSON file; CheckpointError if it is not one."""
        return cls.from_dict(read_json(path))

    @classmethod
    def from_pretrained(
        cls,
        source: str | os.PathLike[str] | None = None,
        *,
        subfolder: str = "",
        revision: str | None = None,
        **overrides: Any,
    ) -> Self:
        """Return the image processor of a checkpoint.

        Args:
            source: a folder, a hub id, a Meta `.pt` file (they all use the default settings), or None for the bundled
                model. Both `preprocessor_config.json` and the nested `processor_config.json` are understood.
            subfolder: folder inside the source.
            revision: branch, tag or commit of a hub repository.
            **overrides: settings that replace the saved ones.

        Raises:
            CheckpointError: if there are no such settings.
        """
        return cls.from_dict(image_processor_settings(source, subfolder=subfolder, revision=revision), **overrides)

    def _with(self, overrides: dict[str, Any]) -> ImageOptions:
        if unknown := [name for name in overrides if name not in _OPTION_NAMES]:
            raise InvalidInputError(f"Unknown options {unknown}; the image processor knows {list(_OPTION_NAMES)}.")
        given = {name: value for name, value in overrides.items() if value is not None}
        return ImageOptions(**{name: given.get(name, getattr(self, name)) for name in _OPTION_NAMES})


def _pixels(picture: Any, settings: ImageOptions) -> Tensor:
    pixels_chw = picture_pixels(
        picture,
        channels=settings.channels,
        convert=settings.do_convert_rgb,
        input_data_format=settings.input_data_format,
    )
    if settings.do_rescale and pixels_chw.is_floating_point() and 0 < pixels_chw.max() <= 1:
        warnings.warn(
            "A float picture has no value above 1, yet do_rescale=True divides it by 255 once more; "
            "pass do_rescale=False if its range is 0 to 1.",
            stacklevel=4,
        )
    return pixels_chw if settings.device is None else pixels_chw.to(settings.device)


def _prepared(pixels_chw: Tensor, settings: ImageOptions) -> Tensor:
    if settings.do_resize:
        pixels_chw = pixel_steps.resized(pixels_chw, settings.size, settings.resample)
    if settings.do_center_crop:
        pixels_chw = pixel_steps.center_cropped(pixels_chw, settings.crop_size)
    factor = settings.rescale_factor if settings.do_rescale else None
    if settings.do_normalize:
        pixels_chw = pixel_steps.normalised(pixels_chw, factor, settings.image_mean, settings.image_std)
    else:
        pixels_chw = pixels_chw.to(torch.float32) * (1.0 if factor is None else factor)
    return pixel_steps.padded(pixels_chw, settings.pad_size) if settings.do_pad else pixels_chw


def _prepared_labels(map_hw: Tensor, settings: ImageOptions) -> Tensor:
    if settings.do_resize:
        map_hw = pixel_steps.label_map(map_hw, settings.mask_size)
    if settings.do_pad and settings.mask_pad_size is not None:
        map_hw = pixel_steps.padded(map_hw[None], settings.mask_pad_size)[0]
    return map_hw.long()
