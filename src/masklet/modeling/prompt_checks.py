"""Which shapes of prompts, and of embeddings of images, go together, and which masks can be computed with."""

from collections.abc import Sequence

from torch import Tensor

from masklet.configuration import Sam2PromptEncoderConfig
from masklet.errors import InvalidInputError
from masklet.masks.logits import check_logits
from masklet.modeling.plain_calls import is_recorded


def check_prompts(
    batch: int, points: Tensor | None, labels: Tensor | None, boxes: Tensor | None, masks: Tensor | None
) -> None:
    """Raise `InvalidInputError` for prompts of `batch` images that do not fit each other, as `Sam2Model` takes them."""
    if points is not None and (points.ndim != 4 or points.shape[-1] != 2):
        raise InvalidInputError(
            f"input_points has shape {list(points.shape)}; it must be [batch, objects, points, 2] (4 dimensions)."
        )
    if boxes is not None and (boxes.ndim != 3 or boxes.shape[-1] != 4):
        raise InvalidInputError(
            f"input_boxes has shape {list(boxes.shape)}; it must be [batch, objects, 4] (3 dimensions)."
        )
    if points is not None and labels is not None and labels.shape != points.shape[:-1]:
        raise InvalidInputError(
            f"input_labels has shape {list(labels.shape)}; one label a point makes it {list(points.shape[:-1])}."
        )
    if points is not None and boxes is not None and points.shape[1] != boxes.shape[1]:
        raise InvalidInputError(
            f"input_points has {points.shape[1]} objects, input_boxes {boxes.shape[1]}; given together, both are of "
            "the same objects."
        )
    objects = next(prompt.shape[1] for prompt in (points, boxes) if prompt is not None)
    if masks is not None and (masks.ndim != 4 or masks.shape[1] not in (1, objects)):
        raise InvalidInputError(
            f"input_masks has shape {list(masks.shape)}; it must be [batch, 1, h, w] or [batch, {objects}, h, w]."
        )
    for name, prompt in (("input_points", points), ("input_boxes", boxes), ("input_masks", masks)):
        if prompt is not None and prompt.shape[0] != batch:
            raise InvalidInputError(f"{name} is for {prompt.shape[0]} images, but {batch} images were given.")


def check_mask_logits(masks: Tensor | None) -> None:
    """Raise `InvalidInputError` for mask prompts that would make NaN; a recorded graph asks for no values."""
    if masks is not None and masks.is_floating_point() and masks.numel() and not is_recorded():
        check_logits(masks)


def check_embeddings(image_embeddings: Sequence[Tensor], config: Sam2PromptEncoderConfig) -> None:
    """Raise InvalidInputError unless these are the three levels of images, high to low resolution."""
    given = [list(level.shape[1:]) for level in image_embeddings]
    side, width = config.image_embedding_size[0], config.hidden_size
    expected = [[width // 8, 4 * side, 4 * side], [width // 4, 2 * side, 2 * side], [width, side, side]]
    if given != expected:
        raise InvalidInputError(f"image_embeddings have levels of {given}; the levels of an image are {expected}.")
