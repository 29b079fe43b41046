"""A frame of streams, as it is sent to the network, and encoded once for several of them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.processing.image_options import ImageOptions
from masklet.processing.image_tensors import image_list
from masklet.processing.pixels import original_pixels, scaled_pixels, stretched_pixels
from masklet.processing.processor import Sam2Processor
from masklet.runtimes.protocol import ImageFeatures
from masklet.transfers import sent


@dataclass(frozen=True, eq=False)
class StreamFrame:
    """A frame of a stream, normalised where it is needed: as bytes it is a quarter to send.

    Attributes:
        image: as it was given.
        stretched: its pixels at the size of the network's input, [3, S, S] in the image's number type, where it was.
        size: (height, width) of the image in pixels.
        options: how images become inputs.
    """

    image: Any
    stretched: Tensor
    size: tuple[int, int]
    options: ImageOptions

    @cached_property
    def _pixels(self) -> Tensor:
        return scaled_pixels(self.stretched, self.options)

    def pixels(self, device: torch.device) -> Tensor:
        """Return the pixels as the network takes them, float32 [3, S, S]; those where the image was are shared."""
        if device == self.stretched.device:
            return self._pixels
        return scaled_pixels(sent(self.stretched, device), self.options)


@dataclass(frozen=True, eq=False)
class EncodedFrame:
    """A frame that is pushed to several streams, and encoded once; `VideoTracker.encode` returns it.

    Attributes:
        frame: what was encoded.
        features: of all of it.
    """

    frame: StreamFrame
    features: ImageFeatures

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the image in pixels."""
        return self.frame.size


def prepared_frame(processor: Sam2Processor, image: Any) -> StreamFrame:
    """Return an image as a frame, which may share the caller's pixels; InvalidInputError if it is several, or none."""
    images, options = image_list(image), processor.image_processor
    if len(images) != 1:
        raise InvalidInputError(f"The frames of a stream are pushed one by one; got {len(images)} images at once.")
    pixels_chw = original_pixels(images[0], options)
    height, width = (int(side) for side in pixels_chw.shape[1:])
    return StreamFrame(image, stretched_pixels(pixels_chw, options), (height, width), options)
