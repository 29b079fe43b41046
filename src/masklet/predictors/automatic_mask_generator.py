"""Everything in an image, without a prompt."""

import os
from collections.abc import Callable
from dataclasses import fields
from typing import Any, Self, overload

from masklet.automask.generator import Generation
from masklet.automask.masks import AutomaticMasks
from masklet.automask.settings import AutomaticMaskSettings
from masklet.errors import InvalidInputError
from masklet.predictors.image_segmenter import EncodedImage, ImageSegmenter
from masklet.processing.image_tensors import image_list
from masklet.processing.preparation import original_pixels
from masklet.processing.processor import Sam2Processor
from masklet.runtimes.opening import for_inference
from masklet.runtimes.protocol import ImageRuntime


class AutomaticMaskGenerator:
    """A model (or another runtime) and its processor: masks of everything in an image.

    Args:
        model: the network.
        processor: prepares images for it.
        preset: the name of settings, of `masklet.automask.settings.PRESETS`; None: "default".
        **options: fields of `AutomaticMaskSettings`, which change the preset.

    Attributes:
        settings: the `AutomaticMaskSettings`.

    Raises:
        InvalidInputError: for unknown presets and options, and values that are none.

    Example:
        >>> from masklet import AutomaticMaskGenerator
        >>> options = {"points_per_side": 8, "pred_iou_thresh": 0.5, "stability_score_thresh": 0.5}
        >>> generator = AutomaticMaskGenerator.from_pretrained(**options)
        >>> found = generator.generate("assets/truck.jpg")
        >>> len(found)
        9
    """

    def __init__(
        self, model: ImageRuntime, processor: Sam2Processor, preset: str | None = None, **options: Any
    ) -> None:
        self.settings = AutomaticMaskSettings.of_preset(preset, **options)
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

        `options` that are fields of `AutomaticMaskSettings` change the preset; others (device, dtype, image_size, ...)
        go to `Sam2Model.from_pretrained`.
        """
        names = {field.name for field in fields(AutomaticMaskSettings)}
        settings = {name: value for name, value in options.items() if name in names}
        AutomaticMaskSettings.of_preset(preset, **settings)  # refused before a model is loaded
        loading = {name: value for name, value in options.items() if name not in names}
        segmenter = ImageSegmenter.from_pretrained(source, **loading)
        return cls(segmenter.runtime, segmenter.processor, preset, **settings)

    @overload
    def generate(
        self, image: list[Any] | tuple[Any, ...], *, progress: Callable[[int, int], None] | None = None
    ) -> list[AutomaticMasks]: ...

    @overload
    def generate(self, image: Any, *, progress: Callable[[int, int], None] | None = None) -> AutomaticMasks: ...

    def generate(
        self, image: Any, *, progress: Callable[[int, int], None] | None = None
    ) -> AutomaticMasks | list[AutomaticMasks]:
        """Return the masks of everything in an image, the highest predicted IoU first; none where nothing is found.

        With crops, masks of smaller crops come first.

        Args:
            image: a PIL image, a file path, or an array or tensor of pixels; a list of them gives a list.
            progress: called after each batch with the number of points that are decoded, and of all.

        Raises:
            InvalidInputError: for what is no image.
            UnreadableImageError: for files that cannot be read.
        """
        if isinstance(image, list | tuple):
            return [self._generated(each, progress) for each in image]
        return self._generated(image, progress)

    def generate_encoded(self, encoded: EncodedImage) -> AutomaticMasks:
        """Return the masks of everything in an image that `ImageSegmenter.encode` or a video encoded.

        InvalidInputError if the settings ask for crops, which are encoded on their own.
        """
        if self.settings.crop_n_layers:
            raise InvalidInputError(
                f"Crops need the image's pixels: use generate(image), or crop_n_layers=0 "
                f"instead of {self.settings.crop_n_layers}."
            )
        size = (encoded.height, encoded.width)
        return Generation(self.runtime, self.settings, size).of_features(encoded.embeddings)

    def _generated(self, image: Any, progress: Callable[[int, int], None] | None) -> AutomaticMasks:
        options = self.processor.image_processor
        images = image_list(image)
        if len(images) != 1:
            raise InvalidInputError(f"Several images are given as a list; got a batch of {len(images)}.")
        pixels_chw = original_pixels(images[0], options)
        size = (int(pixels_chw.shape[1]), int(pixels_chw.shape[2]))
        return Generation(self.runtime, self.settings, size, progress).of_pixels(pixels_chw, options)
