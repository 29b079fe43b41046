"""One image, encoded once; then any prompts, as often as wanted. The shortest way from a click to a mask."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from masklet.configuration.loading_arguments import with_location
from masklet.configuration.presets import SpeedPreset
from masklet.errors import InvalidInputError
from masklet.json_files import one_of
from masklet.masks.segmentation import Floats, Segmentation, as_object_ids
from masklet.processing.image_tensors import image_list
from masklet.processing.pixels import original_pixels, prepared_pixels
from masklet.processing.processor import Sam2Processor
from masklet.processing.prompt_tensors import decoder_inputs
from masklet.processing.results import begun_segmentation
from masklet.prompts.batches import PromptBatches
from masklet.prompts.point_labels import POSITIVE
from masklet.prompts.prompt import Prompt, check_in_image
from masklet.prompts.prompt_lists import prompts_of_lists
from masklet.runtimes.names import RuntimeName
from masklet.runtimes.object_masks import select_output
from masklet.runtimes.opening import for_inference, image_runtime
from masklet.runtimes.protocol import ImageFeatures, ImageRuntime, MaskOutputs


@dataclass(frozen=True, eq=False)
class EncodedImage:
    """What the network keeps of an image: its features, marked as without memory, and its size in pixels.

    Example:
        >>> from masklet import ImageSegmenter
        >>> encoded = ImageSegmenter.from_pretrained().encode("assets/truck.jpg")
        >>> encoded.width, encoded.height
        (1024, 683)
    """

    embeddings: ImageFeatures
    height: int
    width: int


class ImageSegmenter:
    """A model (or another runtime) and its processor: `encode` an image once, then `segment` it by any prompts.

    Where the checkpoint asks for it (`max_hole_share` in its configuration), small holes of masks are filled, but for
    those with a negative click in them; low-resolution logits keep theirs.

    Example:
        >>> from masklet import ImageSegmenter
        >>> segmenter = ImageSegmenter.from_pretrained()
        >>> encoded = segmenter.encode("assets/truck.jpg")
        >>> wheels = segmenter.segment(encoded, points=[[(320, 425)], [(866, 383)]])
        >>> wheels.masks.shape
        (2, 683, 1024)
    """

    def __init__(self, model: ImageRuntime, processor: Sam2Processor) -> None:
        self.runtime = for_inference(model)
        self.processor = processor

    @property
    def model(self) -> Any:
        """The runtime, for example the `Sam2Model` that was loaded."""
        return self.runtime

    @classmethod
    def from_pretrained(
        cls,
        source: str | os.PathLike[str] | None = None,
        *,
        preset: str = SpeedPreset.EXACT,
        runtime: str = RuntimeName.AUTO,
        **options: Any,
    ) -> Self:
        """Load model and processor from a folder, a weight file, a hub id or (None) the package.

        Args:
            source: where from; also a folder that `masklet export` wrote.
            preset: "exact", "balanced" or "fast", see `SpeedPreset`.
            runtime: how it is run, one of `masklet.runtimes.names.RuntimeName`; "auto" is the network itself, or what
                is installed of the runtimes of such a folder.
            options: device, dtype, image_size, ... of `Sam2Model.from_pretrained`; they override the preset.
        """
        model = image_runtime(source, preset, one_of(runtime, "runtime", RuntimeName), **options)
        size = {"height": model.config.image_size, "width": model.config.image_size}
        source, place, _ = with_location(source, options)
        processor = Sam2Processor.from_pretrained(source, size=size, **place)
        return cls(model, processor)

    def encode(self, image: Any) -> EncodedImage:
        """Encode a PIL image, a file path, or an array or tensor of pixels; errors as `Sam2Processor` raises them."""
        return self._encoded(self._pixels(image))

    def segment(
        self,
        encoded: EncodedImage,
        *,
        prompts: Sequence[Prompt] | None = None,
        points: Sequence[Any] | None = None,
        labels: Sequence[Any] | None = None,
        boxes: Any = None,
        masks: Floats | None = None,
        multimask: bool | None = None,
        object_ids: Sequence[int] | None = None,
    ) -> Segmentation:
        """Return one mask for each of N objects; none for empty prompts, such as `boxes=[]` of a detector.

        Prompts are given as `prompts`, or each kind of them in a list of its own.

        Args:
            encoded: the image.
            prompts: one for each object, of any kinds. None changes the mask of another.
            points: for each object its clicks, [n, 2] (x, y) in pixels of the image; n may differ, and be 0.
            labels: for each object its clicks' labels, 1 on the object, 0 off it; None: all 1.
            boxes: [N, 4] (x1, y1, x2, y2) in pixels.
            masks: float [N, h, w] logits or bool [N, H, W]: what is known of the masks, such as
                `Segmentation.low_resolution_logits` of the prompts before. Masks have the size or the proportions of
                the image, logits may be any square.
            multimask: take the best of three masks by predicted IoU. None: do so for objects with nothing but one
                click, which may mean a part or the whole.
            object_ids: names of the objects, integers above 0; None: 1 to N.

        Raises:
            InvalidInputError: for prompts that do not fit together or lie outside the image.
        """
        batches = _batches(encoded, prompts, points, labels, boxes, masks)
        names = as_object_ids(range(1, len(batches) + 1) if object_ids is None else object_ids)
        if not len(batches):
            side = self.runtime.config.image_size // 4
            return self._segmentation(encoded, torch.zeros(0, side, side), torch.zeros(0), names, [])
        return self._answer(encoded, batches, multimask, names)

    def candidates(
        self,
        encoded: EncodedImage,
        *,
        prompts: Sequence[Prompt] | None = None,
        points: Sequence[Any] | None = None,
        labels: Sequence[Any] | None = None,
        boxes: Any = None,
        masks: Floats | None = None,
    ) -> list[Segmentation]:
        """Return for each object all three masks of an ambiguous prompt, best first; the prompts are as for `segment`.

        The masks of one object are numbered 1 to 3.
        """
        batches = _batches(encoded, prompts, points, labels, boxes, masks)
        if not len(batches):
            return []
        decoded = [self._decode(encoded, batch) for batch in batches]
        logits_n3hw, iou_n3 = batches.joined([(each.logits[:, 1:], each.iou[:, 1:]) for each in decoded])
        results = []
        for prompt, logits_3hw, iou_3 in zip(batches.prompts, logits_n3hw, iou_n3, strict=True):
            order = iou_3.argsort(descending=True)
            kept_open = [prompt.negative_points] * len(order)
            numbers = range(1, len(order) + 1)
            results.append(self._segmentation(encoded, logits_3hw[order], iou_3[order], numbers, kept_open))
        return results

    def _answer(
        self, encoded: EncodedImage, batches: PromptBatches, multimask: bool | None, object_ids: Sequence[int]
    ) -> Segmentation:
        """Segment the objects of all batches."""
        logits_nhw, iou_n = self._best(encoded, batches, multimask)
        kept_open = [prompt.negative_points for prompt in batches.prompts]
        return self._segmentation(encoded, logits_nhw, iou_n, object_ids, kept_open)

    def _pixels(self, image: Any) -> Tensor:
        """Return the pixels [3, H, W] of one image, which may be the caller's own."""
        images = image_list(image)
        if len(images) != 1:
            raise InvalidInputError(f"One image is encoded at a time; got {len(images)}.")
        return original_pixels(images[0], self.processor.image_processor)

    @torch.inference_mode()
    def _encoded(self, pixels: Tensor) -> EncodedImage:
        """Encode pixels [3, H, W]."""
        prepared = prepared_pixels(pixels, self.processor.image_processor)[None]
        features = self.runtime.encode_image(prepared.to(self.runtime.device, self.runtime.dtype))
        return EncodedImage(self.runtime.without_memory(features), *pixels.shape[1:])

    def _best(self, encoded: EncodedImage, batches: PromptBatches, multimask: bool | None) -> tuple[Tensor, Tensor]:
        """Return the logits [N, h, w] and the score [N] of the mask that `segment` returns."""
        return batches.joined([self._best_of_batch(encoded, batch, multimask) for batch in batches])

    def _best_of_batch(
        self, encoded: EncodedImage, prompts: Sequence[Prompt], multimask: bool | None
    ) -> tuple[Tensor, Tensor]:
        choices = [_is_one_click(prompt) if multimask is None else bool(multimask) for prompt in prompts]
        is_multimask = torch.tensor(choices, device=self.runtime.device)
        return select_output(self._decode(encoded, prompts), is_multimask, self.runtime.config)

    @torch.inference_mode()
    def _decode(self, encoded: EncodedImage, prompts: Sequence[Prompt]) -> MaskOutputs:
        """Decode all outputs for the prompts of N objects."""
        size = (encoded.height, encoded.width)
        inputs = decoder_inputs(prompts, size, self.processor.target_size, self.runtime)
        return self.runtime.decode(encoded.embeddings, **inputs)

    def _segmentation(
        self,
        encoded: EncodedImage,
        logits_nhw: Tensor,
        scores_n: Tensor,
        object_ids: Sequence[int],
        kept_open: Sequence[Floats],
    ) -> Segmentation:
        """Turn logits [N, h, w] and scores [N] into a result in the image's pixels."""
        size = (encoded.height, encoded.width)
        return begun_segmentation(
            logits_nhw, scores_n, object_ids, size, self.runtime.config.max_hole_share, kept_open
        )()


def _batches(encoded: EncodedImage, prompts: Sequence[Prompt] | None, *lists: Any) -> PromptBatches:
    """Return the prompts of all objects in an image, from one argument or the others."""
    if not isinstance(encoded, EncodedImage):
        raise InvalidInputError(f"Images are given to encode(...) first, got {type(encoded).__name__}.")
    if prompts is not None and any(each is not None for each in lists):
        raise InvalidInputError("Give prompts, or points, labels, boxes and masks, not both.")
    batches = PromptBatches.together(prompts_of_lists(*lists)) if prompts is None else PromptBatches.by_shape(prompts)
    check_in_image(batches.prompts, encoded.height, encoded.width)
    return batches


def _is_one_click(prompt: Prompt) -> bool:
    """Whether there is nothing but one click on the object."""
    return prompt.box is None and prompt.mask is None and prompt.labels.tolist() == [POSITIVE]
