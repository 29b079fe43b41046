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

from masklet.automask.decoding import PointDecoder
from masklet.automask.filtering import Candidate, FilterCounts, StabilityFilter, is_cut_off
from masklet.automask.masks import AutomaticMasks
from masklet.automask.point_grid import Points, crop_views, layer_grid
from masklet.automask.settings import AutomaticMaskSettings
from masklet.masks.run_length import run_length_of
from masklet.masks.segmentation import Segmentation
from masklet.masks.suppression import box_suppression
from masklet.masks.views import View
from masklet.processing.image_options import ImageOptions
from masklet.processing.preparation import prepared_pixels
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
        kept: list[Candidate] = []
        for start in range(0, len(grid), self._settings.points_per_batch):
            batch = grid[start : start + self._settings.points_per_batch]
            passed = self._passed(PointDecoder(self._runtime, features, self._settings), batch, view)
            kept += [each for each in passed if not is_cut_off(each.box, view, self._size)]
            self._count(points=len(batch))
            if self._progress is not None:
                self._progress(self._counts.points, self._points_in_all)
        self._count(edge=len(kept))
        scores = np.array([each.score for each in kept])
        kept = [kept[place] for place in box_suppression(_boxes(kept), scores, self._settings.box_nms_thresh)]
        self._count(nms=len(kept))
        return _InCrop(view, kept)

    def _passed(self, decoder: PointDecoder, grid: Points, view: View) -> Iterator[Candidate]:
        """Yield the masks of some points [n, 2], in 0..1 of the view, that are good and stable."""
        side = self._runtime.config.image_size // 4
        is_stable = StabilityFilter(self._settings, (side, side), view, self._size)
        self._count(candidates=len(grid) * decoder.masks_per_point)
        for found, points in decoder.decoded(grid):
            self._count(iou=len(points))
            places = points * view.size[::-1] + (view.left, view.top)
            logits = found.logits.float().cpu().numpy()
            for logits_hw, score, (x, y) in zip(logits, found.iou.tolist(), places.tolist(), strict=True):
                candidate = is_stable.passed(logits_hw, score, (x, y))
                if candidate is not None:
                    self._count(stability=1)
                    yield candidate

    def _masks(self, found: Sequence[_InCrop]) -> AutomaticMasks:
        """Return what stays of the masks of all crops."""
        pairs = [(each, crop.view) for crop in found for each in crop.candidates]
        if len(found) > 1:
            sizes = np.array([1 / (view.size[0] * view.size[1]) for _, view in pairs])
            boxes = _boxes([each for each, _ in pairs])
            pairs = [pairs[place] for place in box_suppression(boxes, sizes, self._settings.crop_nms_thresh)]
        self._count(crop_nms=len(pairs))
        segmentation = Segmentation.from_run_lengths(
            (run_length_of(each.counts.astype(np.int64), *self._size) for each, _ in pairs),
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
