"""Images to model inputs, and mask logits back to masks of the images' sizes."""

from typing import Any, ClassVar

from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.processing import pixels as pixel_steps
from masklet.processing.batch import BatchFeature
from masklet.processing.image_options import ImageOptions
from masklet.processing.image_tensors import image_list, label_maps
from masklet.processing.mask_generation import MaskGeneration
from masklet.processing.pixels import original_pixels, prepared_pixels
from masklet.processing.saved_options import SavedOptions
from masklet.processing.saved_settings import IMAGE_PROCESSOR_FILE, image_processor_settings


class Sam2ImageProcessorFast(MaskGeneration, SavedOptions):
    """Turns images into the network's input and the network's mask logits into masks.

    Every option of `ImageOptions` can be set here, changed as an attribute, or overridden in a single call. Settings
    with other names are kept as attributes and saved, as files of other versions contain them.

    Example:
        >>> from masklet import Sam2ImageProcessorFast
        >>> Sam2ImageProcessorFast()("assets/truck.jpg", return_tensors="pt").pixel_values.shape
        torch.Size([1, 3, 1024, 1024])
    """

    model_input_names: ClassVar[list[str]] = ["pixel_values"]
    settings_file: ClassVar[str] = IMAGE_PROCESSOR_FILE
    type_key: ClassVar[str] = "image_processor_type"
    read_settings = staticmethod(image_processor_settings)

    def __call__(self, images: Any, segmentation_maps: Any = None, **options: Any) -> BatchFeature:
        """Return images as model inputs; see `preprocess`."""
        return self.preprocess(images, segmentation_maps, **options)

    def preprocess(self, images: Any, segmentation_maps: Any = None, **options: Any) -> BatchFeature:
        """Return images, and optionally their maps of class numbers, as model inputs.

        Args:
            images: a Pillow image, a path, an array [H, W, C] or [H, W], a tensor [C, H, W], a list of these, or a 4-D
                batch. Values are 0 to 255, floats 0 to 1 or 0 to 255, which their maximum shows; 16-bit integers are
                scaled by what they hold.
            segmentation_maps: one 2-D map of whole numbers per image, in the same containers.
            **options: any attribute of `ImageOptions`, for this call.

        Returns:
            pixel_values float32 [B, 3, height, width]; original_sizes and reshaped_input_sizes int64 [B, 2] as (height,
            width) before and after; with maps, labels int64 [B, mask height, mask width]. Without return_tensors each
            is a list with one entry per image.

        Raises:
            InvalidInputError: if an option, an image or a map cannot be used.
            UnreadableImageError: if a path cannot be read.
        """
        settings = self._with(options)
        originals = [original_pixels(image, settings) for image in image_list(images)]
        prepared = [prepared_pixels(pixels_chw, settings) for pixels_chw in originals]
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
                raise InvalidInputError(f"Got {len(originals)} images but {len(maps)} segmentation_maps.")
            data["labels"] = [_prepared_labels(map_hw, settings) for map_hw in maps]
        return BatchFeature(data, settings.return_tensors)


def _prepared_labels(map_hw: Tensor, settings: ImageOptions) -> Tensor:
    if settings.do_resize:
        map_hw = pixel_steps.label_map(map_hw, settings.mask_size)
    if settings.do_pad and settings.mask_pad_size is not None:
        map_hw = pixel_steps.padded(map_hw[None], settings.mask_pad_size)[0]
    return map_hw.long()
