"""A frame of streams, as the network takes it, and perhaps already encoded."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.processing.image_tensors import image_list
from masklet.processing.pixels import original_pixels, scaled_pixels, stretched_pixels
from masklet.processing.processor import Sam2Processor
from masklet.runtimes.protocol import ImageFeatures
from masklet.transfers import sent


@dataclass(frozen=True, eq=False)
class EncodedFrame:
    """A frame that is pushed to several streams, and encoded once; `VideoTracker.encode` returns it.

    Attributes:
        image: as it was given.
        pixels: as the network takes them, [3, S, S].
        size: (height, width) of the image in pixels.
        features: of all of it; None: it is encoded by the stream that it is pushed to.
    """

    image: Any
    pixels: Tensor
    size: tuple[int, int]
    features: ImageFeatures | None = None


def prepared_frame(processor: Sam2Processor, image: Any, device: torch.device) -> EncodedFrame:
    """Return an image that is not encoded yet, or an `EncodedFrame` as it is; InvalidInputError if it is several.

    It is normalised on the device: as bytes it is a quarter to send.
    """
    if isinstance(image, EncodedFrame):
        return image
    images, options = image_list(image), processor.image_processor
    if len(images) != 1:
        raise InvalidInputError(f"The frames of a stream are pushed one by one; got {len(images)} images at once.")
    pixels_chw = original_pixels(images[0], options)
    height, width = (int(side) for side in pixels_chw.shape[1:])
    stretched = sent(stretched_pixels(pixels_chw, options), device)
    return EncodedFrame(image, scaled_pixels(stretched, options), (height, width))
