"""From an image to the masks of everything in it: the steps of Meta's automatic mask generator.

Each crop, the whole image being the first, is encoded and prompted on a grid of points; the network's candidates pass
filters of predicted IoU and stability, those cut off by a crop are dropped, and of masks with much the same box the
best one stays: first within crops, then between them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from masklet.automask.filtering import Candidate, FilterCounts, is_cut_off, stable_candidates
from masklet.automask.masks import AutomaticMasks
from masklet.automask.point_grid import Points, crop_views, layer_grid
from masklet.automask.settings import AutomaticMaskSettings
from masklet.masks.logits import fed_back
from masklet.masks.run_length import run_length_of
from masklet.masks.segmentation import Segmentation
from masklet.masks.suppression import box_suppression
from masklet.masks.views import View
from masklet.processing.image_options import ImageOptions
from masklet.processing.preparation import prepared_pixels
from masklet.prompts.point_labels import POSITIVE
from masklet.runtimes.object_masks import select_output
from masklet.runtimes.protocol import ImageFeatures, ImageRuntime

Progress = Callable[[int, int], None]
Size = tuple[int, int]


@dataclass(frozen=True)
class _InCrop:
    """What was found in a crop."""

    view: View
    candidates: Sequence[Candidate]


class Generation:
    """The automatic masks of one image in the making.

    Args:
        runtime: the network.
        settings: how.
        size: (height, width) of the image.
        progress: called with how many points are decoded and how many there are.
    """

    def __init__(
        self, runtime: ImageRuntime, settings: AutomaticMaskSettings, size: Size, progress: Progress | None = None
    ) -> None:
        self._runtime = runtime
        self._settings = settings
        self._size = size
        self._progress = progress
        self._counts = FilterCounts()
        self._points_in_all = 0

    @torch.inference_mode()
    def of_pixels(self, pixels_chw: Tensor, options: ImageOptions) -> AutomaticMasks:
        """Return the masks of an image with pixels [C, H, W], which `options` prepare."""
        settings = self._settings
        views = crop_views(self._size, settings.crop_n_layers, settings.crop_overlap_ratio)
        grids = [layer_grid(settings, layer) for layer in range(settings.crop_n_layers + 1)]
        self._points_in_all = sum(len(grids[layer]) for _, layer in views)
        found = []
        for view, layer in views:
            prepared = prepared_pixels(view.of(pixels_chw), options)[None]
            features = self._runtime.encode_image(prepared.to(self._runtime.device, self._runtime.dtype))
            found.append(self._in_crop(self._runtime.without_memory(features), grids[layer], view))
        return self._masks(found)

    @torch.inference_mode()
    def of_features(self, features: ImageFeatures) -> AutomaticMasks:
        """Return the masks of an image that is encoded, marked as one without memory; crops are not looked at."""
        grid = layer_grid(self._settings, 0)
        self._points_in_all = len(grid)
        return self._masks([self._in_crop(features, grid, View(0, 0, *self._size[::-1]))])

    def _in_crop(self, features: ImageFeatures, grid: Points, view: View) -> _InCrop:
        kept = []
        for start in range(0, len(grid), self._settings.points_per_batch):
            batch = grid[start : start + self._settings.points_per_batch]
            kept += [
                each for each in self._in_batch(features, batch, view) if not is_cut_off(each.box, view, self._size)
            ]
            self._count(points=len(batch))
            if self._progress is not None:
                self._progress(self._counts.points, self._points_in_all)
        self._count(edge=len(kept))
        scores = np.array([each.score for each in kept])
        kept = [kept[place] for place in box_suppression(_boxes(kept), scores, self._settings.box_nms_thresh)]
        self._count(nms=len(kept))
        return _InCrop(view, kept)

    def _in_batch(self, features: ImageFeatures, grid: Points, view: View) -> Iterator[Candidate]:
        """Yield the masks that some points [n, 2], in 0..1 of the view, lead to and that pass the filters."""
        settings = self._settings
        logits_nhw, scores_n, points_n2 = self._decoded(features, grid)
        self._count(candidates=len(scores_n))
        if settings.pred_iou_thresh > 0:
            is_good = scores_n > settings.pred_iou_thresh
            logits_nhw, scores_n, points_n2 = logits_nhw[is_good], scores_n[is_good], points_n2[is_good.cpu().numpy()]
        self._count(iou=len(scores_n))
        places = points_n2 * view.size[::-1] + (view.left, view.top)
        for candidate in stable_candidates(logits_nhw, scores_n, places, view, self._size, settings):
            self._count(stability=1)
            yield candidate

    def _decoded(self, features: ImageFeatures, grid: Points) -> tuple[Tensor, Tensor, Points]:
        """Return logits [n, h, w], predicted IoU [n] and points [n, 2] of all candidates, point by point."""
        logits_nkhw, scores_nk = self._decoded_points(features, grid, None, self._settings.multimask_output)
        points_n2 = grid.repeat(scores_nk.shape[1], axis=0)
        logits_nhw, scores_n = logits_nkhw.flatten(0, 1), scores_nk.flatten()
        if not self._settings.use_m2m:
            return logits_nhw, scores_n, points_n2
        refined = []
        for start in range(0, len(points_n2), self._settings.points_per_batch):
            batch = slice(start, start + self._settings.points_per_batch)
            refined.append(self._decoded_points(features, points_n2[batch], fed_back(logits_nhw[batch]), False))
        return torch.cat([each[0] for each in refined])[:, 0], torch.cat([each[1] for each in refined])[:, 0], points_n2

    def _decoded_points(
        self, features: ImageFeatures, grid: Points, mask_logits: Tensor | None, multimask: bool
    ) -> tuple[Tensor, Tensor]:
        """Return logits [n, 1 or 3, h, w] and predicted IoU [n, 1 or 3] of points [n, 2] in 0..1 of the view."""
        runtime = self._runtime
        points = torch.from_numpy(grid * runtime.config.image_size).to(runtime.device, torch.float32)[:, None]
        labels = torch.full(points.shape[:2], POSITIVE, device=runtime.device)
        outputs = runtime.decode(features, points, labels, mask_logits)
        if multimask:
            return outputs.logits[:, 1:], outputs.iou[:, 1:].float()
        logits, iou = select_output(outputs, torch.zeros_like(labels[:, 0], dtype=torch.bool), runtime.config)
        return logits[:, None], iou[:, None].float()

    def _masks(self, found: Sequence[_InCrop]) -> AutomaticMasks:
        """Return what stays of the masks of all crops."""
        pairs = [(each, crop.view) for crop in found for each in crop.candidates]
        if len(found) > 1:
            sizes = np.array([1 / (view.size[0] * view.size[1]) for _, view in pairs])
            boxes = _boxes([each for each, _ in pairs])
            pairs = [pairs[place] for place in box_suppression(boxes, sizes, self._settings.crop_nms_thresh)]
        self._count(crop_nms=len(pairs))
        segmentation = Segmentation.from_run_lengths(
            (run_length_of(each.counts, *self._size) for each, _ in pairs),
            self._size,
            scores=np.array([each.score for each, _ in pairs], dtype=np.float32),
            object_ids=range(1, len(pairs) + 1),
        )
        return AutomaticMasks.of(
            segmentation,
            stability_scores=[each.stability for each, _ in pairs],
            points=[each.point for each, _ in pairs],
            crop_boxes=[(view.left, view.top, view.right, view.bottom) for _, view in pairs],
            counts=self._counts,
            output_mode=self._settings.output_mode,
        )

    def _count(self, **more: int) -> None:
        self._counts = replace(self._counts, **{name: getattr(self._counts, name) + n for name, n in more.items()})


def _boxes(candidates: Sequence[Candidate]) -> npt.NDArray[np.float32]:
    return np.array([each.box for each in candidates], dtype=np.float32).reshape(-1, 4)
