"""One picture, encoded once; then any prompts, as often as wanted. The shortest way from a click to a mask."""

import os
from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from masklet.configuration.loading_arguments import with_location
from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.masks.segmentation import Segmentation, as_object_ids
from masklet.modeling.image_model import Sam2Model
from masklet.modeling.mask_selection import multimask_outputs, single_output
from masklet.modeling.outputs import DecodedMasks
from masklet.processing.arrays import number_tensor
from masklet.processing.pictures import picture_list
from masklet.processing.preparation import original_pixels, prepared_pixels
from masklet.processing.processor import Sam2Processor
from masklet.processing.results import segmentation_of
from masklet.prompts.point_labels import NEGATIVE, PADDING, POSITIVE

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class EncodedImage:
    """What the network keeps of a picture: three feature levels, and the picture's size in pixels."""

    embeddings: tuple[Tensor, ...]
    height: int
    width: int


class ImageSegmenter:
    """A model and its processor: `encode` a picture once, then `segment` it by clicks, boxes or masks.

    Where the checkpoint asks for it (`max_hole_share` in its configuration), small holes of masks are filled, but for
    those with a negative click in them; low-resolution logits keep theirs.
    """

    def __init__(self, model: Sam2Model, processor: Sam2Processor) -> None:
        self.model = model.eval()
        self.processor = processor

    @classmethod
    def from_pretrained(cls, source: str | os.PathLike[str] | None = None, **options: Any) -> Self:
        """Load model and processor from a folder, a weight file, a hub id or (None) the package.

        `options` (device, dtype, image_size, ...) go to `Sam2Model.from_pretrained`.
        """
        model = Sam2Model.from_pretrained(source, **options)
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
        points: Sequence[Any] | None = None,
        labels: Sequence[Any] | None = None,
        boxes: Any = None,
        masks: Floats | None = None,
        multimask: bool | None = None,
        object_ids: Sequence[int] | None = None,
    ) -> Segmentation:
        """Return one mask for each of N objects; none if the prompts are of none, say `boxes=[]` of a detector.

        Args:
            encoded: the picture.
            points: for each object its clicks, [n, 2] (x, y) in pixels of the picture; n may differ, and be 0.
            labels: for each object its clicks' labels, 1 on the object, 0 off it; None: all 1.
            boxes: [N, 4] (x1, y1, x2, y2) in pixels.
            masks: float [N, h, w] logits or bool [N, H, W]: what is known of the masks, such as
                `Segmentation.low_resolution_logits` of the prompts before. Masks have the size or the proportions of
                the image, logits may be any square.
            multimask: take the best of three masks by predicted IoU. None: do so for objects with nothing but one
                click, which may mean a part or the whole.
            object_ids: names of the objects, integers above 0; None: 1 to N.

        Raises `InvalidInputError` for prompts that do not fit together or lie outside the picture.
        """
        _check_encoded(encoded)
        prompts = _listed_by_object({"points": points, "labels": labels, "boxes": boxes, "masks": masks})
        if _are_of_no_object(prompts):
            side = self.model.config.image_size // 4
            return self._segmentation(encoded, torch.zeros(0, 1, side, side), torch.zeros(0, 1), object_ids, [])
        return self._answer(encoded, prompts, multimask, object_ids)

    def candidates(self, encoded: EncodedImage, **prompts: Any) -> list[Segmentation]:
        """Return for each object all three masks of an ambiguous prompt, best first; the prompts are as for `segment`.

        The masks of one object are numbered 1 to 3.
        """
        _check_encoded(encoded)
        prompts = _listed_by_object(prompts)
        if _are_of_no_object(prompts):
            return []
        decoded, _ = self._decode(encoded, **prompts)
        results = []
        of_objects = zip(*(outputs[0] for outputs in multimask_outputs(decoded)), strict=True)
        for number, (logits, iou) in enumerate(of_objects):
            order = iou.argsort(descending=True)
            kept_open = [negative_clicks(prompts, number)] * len(order)
            results.append(
                self._segmentation(encoded, logits[order].unsqueeze(1), iou[order].unsqueeze(1), None, kept_open)
            )
        return results

    def _answer(
        self,
        encoded: EncodedImage,
        prompts: Mapping[str, Any],
        multimask: bool | None,
        object_ids: Sequence[int] | None,
    ) -> Segmentation:
        """What `segment` returns for its arguments."""
        logits, iou = self._best(encoded, multimask, **prompts)
        kept_open = [negative_clicks(prompts, number) for number in range(len(logits))]
        return self._segmentation(encoded, logits, iou, object_ids, kept_open)

    def _pixels(self, image: Any) -> Tensor:
        """The pixels [3, H, W] of one picture, which may be the caller's own."""
        pictures = picture_list(image)
        if len(pictures) != 1:
            raise InvalidInputError(f"One picture is encoded at a time; got {len(pictures)}.")
        return original_pixels(pictures[0], self.processor.image_processor)

    @torch.inference_mode()
    def _encoded(self, pixels: Tensor) -> EncodedImage:
        """What the network keeps of pixels [3, H, W]."""
        prepared = prepared_pixels(pixels, self.processor.image_processor)[None]
        embeddings = self.model.get_image_embeddings(prepared.to(self.model.device, self.model.dtype))
        return EncodedImage(tuple(embeddings), *pixels.shape[1:])

    def _best(self, encoded: EncodedImage, multimask: bool | None, **prompts: Any) -> tuple[Tensor, Tensor]:
        """The logits [N, 1, h, w] and the score [N, 1] of the mask that `segment` answers with."""
        decoded, is_one_click = self._decode(encoded, **prompts)
        logits, iou = single_output(decoded, self.model.config.mask_decoder_config, training=False)
        candidates, candidate_iou = multimask_outputs(decoded)
        best_iou, best = candidate_iou.max(dim=2, keepdim=True)
        best_logits = candidates.take_along_dim(best[..., None, None], dim=2)
        takes_best = is_one_click if multimask is None else torch.full_like(is_one_click, bool(multimask))
        logits = torch.where(takes_best[..., None, None, None], best_logits, logits)
        return logits[0], torch.where(takes_best[..., None], best_iou, iou)[0]

    @torch.inference_mode()
    def _decode(
        self,
        encoded: EncodedImage,
        points: Sequence[Any] | None = None,
        labels: Sequence[Any] | None = None,
        boxes: Any = None,
        masks: Floats | None = None,
    ) -> tuple[DecodedMasks, Tensor]:
        """All outputs [1, N, ...], and [1, N] whether nothing but one positive click was given."""
        if points is None and boxes is None and masks is None:
            raise InvalidInputError("Nothing to segment by: give points, boxes or masks.")
        inputs = self.processor(
            original_sizes=[[encoded.height, encoded.width]],
            input_points=None if points is None else [[_rows(each, 2, "points") for each in points]],
            input_labels=None if labels is None else [labels],
            input_boxes=None if boxes is None else [_rows(boxes, 4, "boxes")],
            input_masks=None if masks is None else [masks],
            return_tensors="pt",
        ).to(self.model.device)
        prompts = {name: inputs[name] for name in ("input_points", "input_labels", "input_boxes") if name in inputs}
        if masks is not None:
            prompts["input_masks"] = inputs["input_masks"].to(self.model.dtype)
        decoded = self.model.decode(encoded.embeddings, **prompts)
        is_one_click = torch.zeros(decoded.iou.shape[:2], dtype=torch.bool, device=decoded.iou.device)
        if points is not None and boxes is None and masks is None:
            given = inputs.get("input_labels", torch.full_like(inputs["input_points"][..., 0], POSITIVE))
            is_one_click = (given == POSITIVE).sum(-1).eq(1) & (given != PADDING).sum(-1).eq(1)
        return decoded, is_one_click

    def _segmentation(
        self,
        encoded: EncodedImage,
        logits: Tensor,
        iou: Tensor,
        object_ids: Sequence[int] | None,
        kept_open: Sequence[Floats],
    ) -> Segmentation:
        """Logits [N, 1, h, w] and scores [N, 1] as a result in the picture's pixels."""
        names = as_object_ids(range(1, len(logits) + 1) if object_ids is None else object_ids)
        size = (encoded.height, encoded.width)
        return segmentation_of(logits[:, 0], iou[:, 0], names, size, self.model.config.max_hole_share, kept_open)


def negative_clicks(prompts: Mapping[str, Any], number: int) -> Floats:
    """The clicks off an object, [n, 2] (x, y), among the arguments of `segment` once these were accepted."""
    points, labels = prompts.get("points"), prompts.get("labels")
    if points is None or labels is None:
        return np.empty((0, 2), np.float32)
    points_n2 = np.array(_rows(points[number], 2, "points"), np.float32).reshape(-1, 2)
    return points_n2[np.asarray(labels[number]).reshape(-1) == NEGATIVE]


def _check_encoded(encoded: object) -> None:
    if not isinstance(encoded, EncodedImage):
        raise InvalidInputError(f"Pictures are given to encode(...) first, got {type(encoded).__name__}.")


def _listed_by_object(prompts: Mapping[str, Any]) -> dict[str, Any]:
    """Prompts with one entry for each object where clicks may be ragged."""
    ragged = {name: _listed(prompts[name], name) for name in ("points", "labels") if prompts.get(name) is not None}
    return {**prompts, **ragged}


def _are_of_no_object(prompts: Mapping[str, Any]) -> bool:
    """Whether prompts are given, and all of them are empty lists or arrays [0, ...]."""
    given = {name: each for name, each in prompts.items() if each is not None}
    return bool(given) and all(_is_empty(each) and not _is_one_mask(name, each) for name, each in given.items())


def _is_empty(prompt: object) -> bool:
    if isinstance(prompt, np.ndarray | Tensor):
        return prompt.ndim > 0 and len(prompt) == 0
    return isinstance(prompt, Sized) and not isinstance(prompt, str) and len(prompt) == 0


def _is_one_mask(name: str, prompt: object) -> bool:
    """Whether a prompt is a mask [h, w], which without rows is wrong, and not masks [N, h, w] of no object."""
    return name == "masks" and isinstance(prompt, np.ndarray | Tensor) and prompt.ndim == 2


def _listed(values: Any, name: str) -> list[Any]:
    """One entry for each object."""
    if isinstance(values, np.ndarray | Tensor) and values.ndim:
        return list(number_tensor(values, name))
    if isinstance(values, np.ndarray | Tensor | str) or not isinstance(values, Iterable):
        raise InvalidInputError(f"{name} must be a list with one list for each object; got {shown(values)}.")
    return list(values)


def _rows(numbers: Any, width: int, name: str) -> list[Any]:
    """Numbers [n, width], or one row of them, as nested lists."""
    try:
        rows = number_tensor(numbers, name).detach().to("cpu", torch.float32).numpy()
    except InvalidInputError as error:
        raise InvalidInputError(f"{name} must be numbers [n, {width}]; got {shown(numbers)}.") from error
    if rows.size and (rows.ndim > 2 or rows.shape[-1:] != (width,)):
        raise InvalidInputError(f"{name} must have the shape [n, {width}]; got {list(rows.shape)}.")
    rows = rows.reshape(-1, width)
    if (rows == PADDING).all(-1).any():  # which the network would skip
        raise InvalidInputError(f"{name} hold {[PADDING] * width}, which is outside every picture.")
    return rows.tolist()
