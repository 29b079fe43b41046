"""A frame of streams, as the network takes it, and perhaps already encoded."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.processing.processor import Sam2Processor
from masklet.runtimes.protocol import ImageFeatures


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


def prepared_frame(processor: Sam2Processor, image: Any) -> EncodedFrame:
    """Return an image that is not encoded yet; InvalidInputError if it is several."""
    inputs = processor(images=image, return_tensors="pt")
    if (count := len(inputs["pixel_values"])) != 1:
        raise InvalidInputError(f"The frames of a stream are pushed one by one; got {count} images at once.")
    height, width = inputs["original_sizes"][0].tolist()
    return EncodedFrame(image, inputs["pixel_values"][0], (height, width))
