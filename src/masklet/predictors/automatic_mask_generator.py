"""Everything in an image, without a prompt."""

import os
from dataclasses import fields
from typing import Any, Self, overload

import numpy as np
from torch import Tensor

from masklet.arrays import number_tensor
from masklet.automask.generator import Generation, Progress
from masklet.automask.masks import AutomaticMasks
from masklet.automask.settings import AutomaticMaskSettings
from masklet.configuration.loading_arguments import with_location
from masklet.errors import InvalidInputError
from masklet.masks.segmentation import Segmentation
from masklet.predictors.image_segmenter import EncodedImage, ImageSegmenter
from masklet.processing.image_tensors import image_list
from masklet.processing.pixels import original_pixels
from masklet.processing.processor import Sam2Processor
from masklet.processing.saved_settings import automatic_mask_options
from masklet.runtimes.opening import for_inference
from masklet.runtimes.protocol import ImageRuntime


class AutomaticMaskGenerator:
    """A model (or another runtime) and its processor: masks of everything in an image.

    It is Meta's generator step by step, with two differences. Images are resized in bytes, as everywhere in masklet,
    where Meta resizes floats: logits differ by up to 1 %, areas by a few pixels, and a mask close to a threshold may be
    on its other side; an image that is given as floats is resized in floats. And `min_mask_region_area` cleans masks up
    at the end, which Meta's code for SAM 2 no longer does.

    Args:
        model: the network.
        processor: prepares images for it.
        preset: "default", "thorough", "bundled" or "fast", see `masklet.automask.settings.PRESETS`; None: the options
            of the checkpoint, `automatic_masks` of its processor.
        **options: fields of `AutomaticMaskSettings`, which change the preset.

    Attributes:
        settings: the `AutomaticMaskSettings`.

    Raises:
        InvalidInputError: for unknown presets and options, and values that are none.

    Example:
        >>> from masklet import AutomaticMaskGenerator
        >>> generator = AutomaticMaskGenerator.from_pretrained(points_per_side=8)
        >>> found = generator.generate("assets/truck.jpg")
        >>> len(found) > 5, found.run_lengths[0]["size"]
        (True, [683, 1024])
    """

    def __init__(
        self, model: ImageRuntime, processor: Sam2Processor, preset: str | None = None, **options: Any
    ) -> None:
        self.settings = AutomaticMaskSettings.of_preset(preset, processor.automatic_masks, **options)
        self.runtime = for_inference(model)
        self.processor = processor

    @property
    def model(self) -> Any:
        """The runtime, for example the `Sam2Model` that was loaded."""
        return self.runtime

    @classmethod
    def from_pretrained(
        cls, source: str | os.PathLike[str] | None = None, preset: str | None = None, **options: Any
    ) -> Self:
        """Load model and processor from a folder, a weight file, a hub id or (None) the package.

        Without a preset the checkpoint's own options count, where its folder has an `automatic_masks.json`, as that of
        the bundled model does. `options` that are fields of `AutomaticMaskSettings` change them; others (device, dtype,
        image_size, ...) go to `Sam2Model.from_pretrained`.
        """
        names = {field.name for field in fields(AutomaticMaskSettings)}
        loading = {name: value for name, value in options.items() if name not in names}
        options = {name: value for name, value in options.items() if name in names}
        place, location, _ = with_location(source, loading)
        own = automatic_mask_options(place, **location)
        AutomaticMaskSettings.of_preset(preset, own, **options)  # refused before a model is loaded
        segmenter = ImageSegmenter.from_pretrained(source, **loading)
        return cls(segmenter.runtime, segmenter.processor, preset, **options)

    @overload
    def generate(
        self, image: list[Any] | tuple[Any, ...], *, known: None = None, progress: Progress | None = None
    ) -> list[AutomaticMasks]: ...

    @overload
    def generate(
        self, image: Any, *, known: Segmentation | None = None, progress: Progress | None = None
    ) -> AutomaticMasks: ...

    def generate(
        self, image: Any, *, known: Segmentation | None = None, progress: Progress | None = None
    ) -> AutomaticMasks | list[AutomaticMasks]:
        """Return the masks of everything in an image, the highest predicted IoU first; none where nothing is found.

        With crops, masks of smaller crops come first.

        Args:
            image: a PIL image, a file path, or an array or tensor of pixels, bytes or floats in 0..1; a list of images
                gives a list.
            known: masks of the image that are known: points in them, or nearer than half a cell of the network's grid,
                are left out.
            progress: called after each batch with the number of points that are decoded, and of all.

        Raises:
            InvalidInputError: for what is no image, floats above 1, images in memory with an alpha channel, and known
                masks of another size or of several images.
            UnreadableImageError: for files that cannot be read.
        """
        if not isinstance(image, list | tuple):
            return self._generated(image, known, progress)
        if known is not None:
            raise InvalidInputError("Known masks are those of one image; call generate for each image of the list.")
        return [self._generated(each, None, progress) for each in image]

    def generate_encoded(self, encoded: EncodedImage, *, known: Segmentation | None = None) -> AutomaticMasks:
        """Return the masks of everything in an image that `ImageSegmenter.encode` or a video encoded.

        Args:
            encoded: the image.
            known: as of `generate`.

        Raises:
            InvalidInputError: for known masks of another size, and if the settings ask for crops, which are encoded on
                their own.
        """
        if self.settings.crop_n_layers:
            raise InvalidInputError(
                "Crops need the image's pixels: use generate(image), or crop_n_layers=0 "
                f"instead of {self.settings.crop_n_layers}."
            )
        size = (encoded.height, encoded.width)
        _check_known(known, size)
        return Generation(self.runtime, self.settings, size, known).of_features(encoded.embeddings)

    def _generated(self, image: Any, known: Segmentation | None, progress: Progress | None) -> AutomaticMasks:
        options = self.processor.image_processor
        images = image_list(image)
        if len(images) != 1:
            raise InvalidInputError(f"Several images are given as a list; got a batch of {len(images)}.")
        _check_pixels(images[0])
        pixels_chw = original_pixels(images[0], options)
        size = (int(pixels_chw.shape[1]), int(pixels_chw.shape[2]))
        _check_known(known, size)
        return Generation(self.runtime, self.settings, size, known, progress).of_pixels(pixels_chw, options)


def _check_pixels(image: Any) -> None:
    """Raise InvalidInputError for images in memory that hold something else than they seem to.

    Programs that were written for Meta's generator take floats up to 255 for 0..1, and alpha for a colour.
    """
    has_alpha, most = "A" in getattr(image, "getbands", tuple)(), 0.0  # the former of a Pillow image
    if isinstance(image, np.ndarray | Tensor):
        has_alpha = image.ndim == 3 and 4 in (image.shape[0], image.shape[-1]) and 3 not in image.shape
        is_float = image.is_floating_point() if isinstance(image, Tensor) else image.dtype.kind == "f"
        most = float(number_tensor(image, "An image").max()) if is_float and 0 not in image.shape else 0.0
    if has_alpha:
        raise InvalidInputError('The image has an alpha channel; give it without, such as image.convert("RGB").')
    if most > 1:
        raise InvalidInputError(f"Floats are pixels in 0..1; got up to {most:g}. Give bytes instead.")


def _check_known(known: Any, size: tuple[int, int]) -> None:
    if known is not None and not isinstance(known, Segmentation):
        raise InvalidInputError(f"Known masks are a Segmentation; got a {type(known).__name__}.")
    if known is not None and known.size != size:
        raise InvalidInputError(f"Known masks are those of an image of {known.size} pixels; this one has {size}.")
