"""Images and prompts together as model inputs."""

from typing import Any

from masklet.errors import InvalidInputError
from masklet.processing.batch import BatchFeature
from masklet.processing.image_processor import Sam2ImageProcessorFast
from masklet.processing.mask_prompts import mask_tensor
from masklet.processing.nested_prompts import prompt_tensors
from masklet.processing.sizes import height_and_width, size_pairs


def image_inputs(
    image_processor: Sam2ImageProcessorFast,
    target_size: int,
    point_pad_value: int,
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

    Args:
        image_processor: prepares the images.
        target_size: side of the network's square input, to which prompts are scaled.
        point_pad_value: coordinate of the points that fill up ragged batches.
        images: like all that follow, as of `Sam2Processor`, as are result and errors.
        segmentation_maps: maps of class numbers.
        input_points: [image][object][point][x, y].
        input_labels: [image][object][point].
        input_boxes: [image][box][x1, y1, x2, y2].
        original_sizes: (height, width) per image, or one for all.
        return_tensors: "pt", "np" or None.
        input_masks: a mask or one mask per object for each image.
        **kwargs: options of the image processor.
    """
    data: dict[str, Any] = {}
    if images is not None:
        data = image_processor(images, segmentation_maps, **kwargs)
    elif original_sizes is None:
        raise InvalidInputError("Prompts alone need original_sizes, in whose pixels they are; or give images.")
    sizes = _image_sizes(data.get("original_sizes"), original_sizes)
    data["original_sizes"] = sizes
    if kwargs.get("size"):
        target_size = height_and_width(kwargs["size"])["height"]
    data |= prompt_tensors(
        input_points, input_labels, input_boxes, sizes=sizes, target_size=target_size, padding=point_pad_value
    )
    if input_masks is not None:
        data["input_masks"] = mask_tensor(input_masks, sizes, target_size)
    return BatchFeature(data, return_tensors)


def _image_sizes(of_images: list[tuple[int, int]] | None, given: Any) -> list[tuple[int, int]]:
    """Return the sizes in which prompts count their pixels: those given, else those of the images."""
    if given is None:
        assert of_images is not None
        return of_images
    sizes = size_pairs(given)
    if of_images is None or len(sizes) == len(of_images):
        return sizes
    if len(sizes) != 1:
        raise InvalidInputError(
            f"original_sizes has {len(sizes)} sizes for {len(of_images)} images; give one for each, or one for all."
        )
    return sizes * len(of_images)
