"""What programs that make masks of everything in an image call on the image processor, step by step.

`AutomaticMaskGenerator` does all of it in one call, and faster. The methods here have the names, arguments and results
of Hugging Face's mask generation pipeline, which runs on them.
"""

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
import torch
from torch import Tensor

from masklet.arrays import number_tensor
from masklet.devices import as_device
from masklet.errors import InvalidInputError, InvalidMaskError
from masklet.json_files import is_finite_number, shown
from masklet.masks.counts import box_of, counts_of_mask
from masklet.masks.crop_layers import crop_views, is_cut_off, point_grid
from masklet.masks.geometry import Box
from masklet.masks.run_length import decode_run_length
from masklet.masks.suppression import box_suppression
from masklet.masks.views import View
from masklet.processing.image_options import ImageOptions
from masklet.processing.image_tensors import image_list
from masklet.processing.pixels import original_pixels
from masklet.processing.sizes import height_and_width
from masklet.whole_numbers import as_whole_number


class UncompressedRunLength(TypedDict):
    """A mask in COCO's uncompressed form: `size` is [height, width], `counts` a list."""

    size: list[int]
    counts: list[int]


class MaskGeneration(ImageOptions):
    """The steps of automatic mask generation as methods of an image processor."""

    def generate_crop_boxes(
        self,
        image: Any,
        target_size: int,
        crop_n_layers: int = 0,
        overlap_ratio: float = 512 / 1500,
        points_per_crop: int = 32,
        crop_n_points_downscale_factor: float = 1,
        device: torch.device | str | None = None,
    ) -> tuple[Tensor, Tensor, list[Tensor], Tensor]:
        """Return the crops of an image that are searched, and a grid of points for each.

        The whole image is the first crop; 4, 16, ... smaller ones follow, layer by layer. Points are in pixels of the
        network's input, to which every crop is stretched, so that they cover crops of all shapes. Where crops of
        smaller layers have fewer points, their first ones are repeated.

        Args:
            image: one image, as `preprocess` takes them.
            target_size: side of the network's square input, in pixels.
            crop_n_layers: how many layers of crops there are beside the whole image.
            overlap_ratio: by how much crops of the first layer overlap, as a share of the image's shorter side.
            points_per_crop: points along a side of the image.
            crop_n_points_downscale_factor: in each layer, points along a side are divided by it once more.
            device: of the tensors returned, the crops excepted; None: the processor.

        Returns:
            Crop boxes (x1, y1, x2, y2) float32 [C, 4] in pixels of the image; points float32 [1, N, C, 2]; the pixels
            of the C crops, each [channels, height, width]; labels int64 [1, N, C], all 1.

        Raises:
            InvalidInputError: if the image, an option or the device cannot be used, or a layer would have no point.
            UnreadableImageError: if a path cannot be read.
        """
        images = image_list(image)
        if len(images) != 1:
            raise InvalidInputError(f"Crops are made of one image; got {len(images)}.")
        side = as_whole_number(target_size, "target_size", least=1)
        layers = as_whole_number(crop_n_layers, "crop_n_layers", least=0, most=6)
        if not is_finite_number(overlap_ratio) or not 0 <= overlap_ratio <= 1:
            raise InvalidInputError(f"overlap_ratio must be a number from 0 to 1; got {shown(overlap_ratio)}.")
        place = as_device(device)
        grids = _grids(points_per_crop, crop_n_points_downscale_factor, layers)
        pixels_chw = original_pixels(images[0], self)
        if pixels_chw.is_floating_point():
            pixels_chw = pixels_chw / 255
        views = crop_views((int(pixels_chw.shape[1]), int(pixels_chw.shape[2])), layers, overlap_ratio)
        boxes = torch.tensor([[view.left, view.top, view.right, view.bottom] for view, _ in views], dtype=torch.float32)
        points = torch.stack([grids[layer] * side for _, layer in views], dim=1)[None]
        labels = torch.ones(points.shape[:3], dtype=torch.int64)
        return boxes.to(place), points.to(place), [view.of(pixels_chw) for view, _ in views], labels.to(place)

    def filter_masks(
        self,
        masks: Any,
        iou_scores: Any,
        original_size: Any,
        cropped_box_image: Any,
        pred_iou_thresh: float = 0.88,
        stability_score_thresh: float = 0.95,
        mask_threshold: float = 0,
        stability_score_offset: float = 1,
    ) -> tuple[list[UncompressedRunLength], Tensor, Tensor]:
        """Return the masks of a crop that are good, stable and not cut off by it.

        Args:
            masks: logits [P, M, h, w] of M masks of each of P points, of the crop's size.
            iou_scores: predicted IoU [P, M].
            original_size: (height, width) of the image.
            cropped_box_image: (x1, y1, x2, y2) of the crop in the image.
            pred_iou_thresh: masks stay whose predicted IoU is above it; 0 keeps all.
            stability_score_thresh: masks stay whose stability is above it; 0 keeps all. Stability is how many pixels
                have a logit above `mask_threshold` + `stability_score_offset`, per pixel above `mask_threshold` -
                `stability_score_offset`.
            mask_threshold: the logit above which a pixel belongs to a mask.
            stability_score_offset: in logits.

        Returns:
            Uncompressed run lengths of the n masks left, of the image's size; their predicted IoU [n]; their boxes
            (x1, y1, x2, y2) int64 [n, 4] in pixels of the image, up to and with the last column and row.

        Raises:
            InvalidMaskError: if the masks are of another kind or shape, or a limit is no number.
            InvalidInputError: if the crop is no part of the image.
        """
        thresholds = [pred_iou_thresh, stability_score_thresh, mask_threshold, stability_score_offset]
        if not all(map(is_finite_number, thresholds)):
            raise InvalidMaskError(f"The thresholds and the offset must be finite numbers; got {shown(thresholds)}.")
        height, width = height_and_width(original_size, "original_size").values()
        size, view = (height, width), _view(cropped_box_image, height, width)
        logits_nhw, scores_n = _candidates(masks, iou_scores, view.size)
        found: list[tuple[UncompressedRunLength, Box, int]] = []
        is_good = scores_n > pred_iou_thresh if pred_iou_thresh > 0 else torch.ones_like(scores_n, dtype=torch.bool)
        for place in is_good.nonzero()[:, 0].tolist():
            logits_hw = logits_nhw[place]
            stability = _stability(logits_hw, mask_threshold, stability_score_offset)
            if stability_score_thresh > 0 and not stability > stability_score_thresh:
                continue
            run_length, box = _in_image(logits_hw > mask_threshold, view, size)
            if not is_cut_off(box, view, size):
                found.append((run_length, box, place))
        boxes = torch.tensor([box for _, box, _ in found], dtype=torch.int64, device=logits_nhw.device).view(-1, 4)
        return [run_length for run_length, _, _ in found], scores_n[[place for _, _, place in found]], boxes

    def post_process_for_mask_generation(
        self, all_masks: Sequence[Any], all_scores: Any, all_boxes: Any, crops_nms_thresh: float
    ) -> tuple[list[Tensor], Tensor, list[Any], Tensor]:
        """Return what is left of all masks of an image when the better ones suppress those with much the same box.

        Args:
            all_masks: run lengths of N masks, as `filter_masks` returns them.
            all_scores: their predicted IoU [N].
            all_boxes: their boxes (x1, y1, x2, y2) [N, 4].
            crops_nms_thresh: the largest IoU of two boxes that both stay, 0..1.

        Returns:
            The n masks left, best first, each bool [H, W]; their scores [n], run lengths, and boxes [n, 4].

        Raises:
            InvalidInputError: if these do not fit together, or the threshold is beyond 0..1.
        """
        if not isinstance(all_masks, Sequence):
            raise InvalidInputError(f"all_masks must be a list of run lengths; got {shown(all_masks)}.")
        scores, boxes = number_tensor(all_scores, "all_scores"), number_tensor(all_boxes, "all_boxes")
        if scores.shape != (len(all_masks),) or boxes.shape != (len(all_masks), 4):
            raise InvalidInputError(
                f"{len(all_masks)} masks need as many scores and boxes; got {list(scores.shape)}, {list(boxes.shape)}."
            )
        left = box_suppression(boxes.cpu().numpy(), scores.float().cpu().numpy(), crops_nms_thresh).tolist()
        run_lengths = [all_masks[place] for place in left]
        masks = [torch.from_numpy(np.ascontiguousarray(decode_run_length(each))) for each in run_lengths]
        return masks, scores[left], run_lengths, boxes[left]


def _grids(points_per_crop: int, factor: float, layers: int) -> list[Tensor]:
    """Return the points (x, y) of each layer in 0..1 of a crop, float32 [n, 2], all as many as the first layer has."""
    count = as_whole_number(points_per_crop, "points_per_crop", least=1, most=1024)
    if not is_finite_number(factor) or factor < 1:
        raise InvalidInputError(f"crop_n_points_downscale_factor must be a number of at least 1; got {shown(factor)}.")
    sides = [int(count / factor**layer) for layer in range(layers + 1)]
    if not sides[-1]:
        raise InvalidInputError(
            f"Crops of layer {layers} would have no point: {count} points_per_crop divided by {factor} "
            f"(crop_n_points_downscale_factor) {layers} times."
        )
    grids = [point_grid(side) for side in sides]
    return [torch.from_numpy(np.resize(grid, grids[0].shape)).float() for grid in grids]


def _view(box: Any, height: int, width: int) -> View:
    """Return the crop (x1, y1, x2, y2) of an image of that size; InvalidInputError if there is none."""
    edges = number_tensor(box, "cropped_box_image").flatten().tolist()
    if len(edges) == 4 and all(map(is_finite_number, edges)):
        view = View(*map(int, edges))
        if 0 <= view.left < view.right <= width and 0 <= view.top < view.bottom <= height:
            return view
    raise InvalidInputError(
        f"cropped_box_image must be (x1, y1, x2, y2) within {width} x {height} pixels; got {shown(edges)}."
    )


def _candidates(masks: Any, iou_scores: Any, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return logits [n, h, w] and predicted IoU [n] of all masks of all points, checked."""
    logits_pmhw, scores_pm = number_tensor(masks, "masks"), number_tensor(iou_scores, "iou_scores")
    if logits_pmhw.ndim != 4 or logits_pmhw.shape[:2] != scores_pm.shape or logits_pmhw.shape[2:] != size:
        raise InvalidMaskError(
            f"Masks are logits [points, masks, {size[0]}, {size[1]}] of the crop's size, with scores [points, masks]; "
            f"got {list(logits_pmhw.shape)} and {list(scores_pm.shape)}."
        )
    return logits_pmhw.flatten(0, 1), scores_pm.flatten().to(logits_pmhw.device)


def _stability(logits_hw: Tensor, threshold: float, offset: float) -> float:
    """Return the pixels above threshold + offset per pixel above threshold - offset; NaN where there are none."""
    surely, perhaps = (int(torch.count_nonzero(logits_hw > threshold + each)) for each in (offset, -offset))
    return surely / perhaps if perhaps else float("nan")


def _in_image(mask_hw: Tensor, view: View, size: tuple[int, int]) -> tuple[UncompressedRunLength, Box]:
    """Return the run lengths of a crop's mask in the whole image, and the box of its first and last pixels there.

    An empty mask has the box of the crop's first pixel.
    """
    in_image = np.zeros(size, dtype=bool)
    view.of(in_image)[:] = mask_hw.cpu().numpy()
    counts = counts_of_mask(in_image)
    x1, y1, x2, y2 = box_of(counts, size[0]) or (view.left, view.top, view.left + 1, view.top + 1)
    return {"size": list(size), "counts": counts.tolist()}, (x1, y1, x2 - 1, y2 - 1)
