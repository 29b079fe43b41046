"""From an image to the masks of everything in it: the steps of Meta's automatic mask generator.

Each crop, the whole image being the first, is encoded and prompted on a grid of points; the network's candidates pass
filters of predicted IoU and stability, those cut off by a crop are dropped, and of masks with much the same box the
best one stays: first within crops, then between them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from masklet.automask.decoding import PointDecoder
from masklet.automask.filter_counts import FilterCounts
from masklet.automask.filtering import Candidate, StabilityFilter, is_cut_off
from masklet.automask.masks import AutomaticMasks
from masklet.automask.point_grid import Points, crop_views, layer_grid, outside
from masklet.automask.selection import selected
from masklet.automask.settings import AutomaticMaskSettings
from masklet.masks.run_length import RunLength, run_length_of
from masklet.masks.segmentation import Segmentation
from masklet.masks.suppression import Places, box_suppression, mask_suppression
from masklet.masks.views import View
from masklet.processing.image_options import ImageOptions
from masklet.processing.preparation import prepared_pixels
from masklet.runtimes.protocol import ImageFeatures, ImageRuntime

Progress = Callable[[int, int], None]
Size = tuple[int, int]


@dataclass(frozen=True)
class _Crop:
    """A part of the image, its points in 0..1 of it [n, 2], and how it is encoded."""

    view: View
    points: Points
    encoded: Callable[[], ImageFeatures]


class Generation:
    """The automatic masks of one image in the making.

    Args:
        runtime: the network.
        settings: how.
        size: (height, width) of the image.
        known: masks of the image that are known: points in them are left out.
        progress: called with how many points are decoded and how many there are.
    """

    def __init__(
        self,
        runtime: ImageRuntime,
        settings: AutomaticMaskSettings,
        size: Size,
        known: Segmentation | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._runtime = runtime
        self._settings = settings
        self._size = size
        self._known = known
        self._progress = progress
        self._counts = FilterCounts()

    @torch.inference_mode()
    def of_pixels(self, pixels_chw: Tensor, options: ImageOptions) -> AutomaticMasks:
        """Return the masks of an image with pixels [C, H, W], which `options` prepare."""
        settings, runtime = self._settings, self._runtime

        def encoded(view: View) -> ImageFeatures:
            prepared = prepared_pixels(view.of(pixels_chw), options)[None]
            return runtime.without_memory(runtime.encode_image(prepared.to(runtime.device, runtime.dtype)))

        views = crop_views(self._size, settings.crop_n_layers, settings.crop_overlap_ratio)
        return self._masks([_Crop(view, self._points(view, at), partial(encoded, view)) for view, at in views])

    @torch.inference_mode()
    def of_features(self, features: ImageFeatures) -> AutomaticMasks:
        """Return the masks of an image that is encoded, marked as one without memory; crops are not looked at."""
        view = View(0, 0, *self._size[::-1])
        return self._masks([_Crop(view, self._points(view, 0), lambda: features)])

    def _points(self, view: View, layer: int) -> Points:
        grid = layer_grid(self._settings, layer)
        if self._known is None:
            return grid
        cells = self._runtime.config.image_size / 16
        return grid[outside(self._known, _in_image(grid, view), reach=max(self._size) / cells / 2)]

    def _masks(self, crops: Sequence[_Crop]) -> AutomaticMasks:
        """Return what stays of the masks of all crops."""
        points = sum(len(crop.points) for crop in crops)
        found = [(each, crop.view) for crop in crops if len(crop.points) for each in self._in_crop(crop, points)]
        candidates = [each for each, _ in found]
        if len(crops) > 1:
            scores = [1 / (view.size[0] * view.size[1]) for _, view in found]
            found = [found[place] for place in self._suppressed(candidates, scores, self._settings.crop_nms_thresh)]
            self._count(crop_nms=len(found))
        segmentation = Segmentation.from_run_lengths(
            (self._run_length(each) for each, _ in found),
            self._size,
            scores=np.array([each.score for each, _ in found], dtype=np.float32),
            object_ids=range(1, len(found) + 1),
        )
        return selected(
            AutomaticMasks.of(
                segmentation,
                stability_scores=[each.stability for each, _ in found],
                points=[each.point for each, _ in found],
                crop_boxes=[(view.left, view.top, view.right, view.bottom) for _, view in found],
                counts=self._counts,
                settings=self._settings,
            )
        )

    def _in_crop(self, crop: _Crop, points_in_all: int) -> list[Candidate]:
        """Return the masks of a crop that stay."""
        settings, kept = self._settings, list[Candidate]()
        decoder = PointDecoder(self._runtime, crop.encoded(), settings)
        for start in range(0, len(crop.points), settings.points_per_batch):
            batch = crop.points[start : start + settings.points_per_batch]
            kept += [each for each in self._stable(decoder, batch, crop.view) if self._fits(each, crop.view)]
            self._count(points=len(batch))
            if self._progress is not None:
                self._progress(self._counts.points, points_in_all)
        kept = [kept[place] for place in self._suppressed(kept, [each.score for each in kept], settings.box_nms_thresh)]
        self._count(nms=len(kept))
        return kept

    def _stable(self, decoder: PointDecoder, points: Points, view: View) -> Iterator[Candidate]:
        """Yield the masks of points [n, 2], in 0..1 of the view, that are good and stable."""
        side = self._runtime.config.image_size // 4
        is_stable = StabilityFilter(self._settings, (side, side), view, self._size)
        self._count(candidates=len(points) * decoder.masks_per_point, iou=0, stability=0)
        for found, of_each in decoder.decoded(points):
            self._count(iou=len(of_each))
            logits, places = found.logits.float().cpu().numpy(), _in_image(of_each, view).tolist()
            for logits_hw, score, (x, y) in zip(logits, found.iou.tolist(), places, strict=True):
                candidate = is_stable.passed(logits_hw, score, (x, y))
                if candidate is not None:
                    self._count(stability=1)
                    yield candidate

    def _fits(self, candidate: Candidate, view: View) -> bool:
        """Whether a mask is neither cut off by its crop nor too large."""
        settings, is_cut = self._settings, is_cut_off(candidate.box, view, self._size)
        is_small = candidate.area <= settings.max_area * self._size[0] * self._size[1]
        if settings.crop_n_layers:
            self._count(edge=not is_cut)
        if settings.max_area < 1:
            self._count(max_area=is_small and not is_cut)
        return is_small and not is_cut

    def _suppressed(self, candidates: Sequence[Candidate], scores: Sequence[float], threshold: float) -> Places:
        """Return the places of the candidates that no better one suppresses."""
        if self._settings.duplicates == "mask":
            return mask_suppression([self._run_length(each) for each in candidates], scores, threshold)
        boxes = np.array([each.box for each in candidates], dtype=np.float32).reshape(-1, 4)
        return box_suppression(boxes, scores, threshold)

    def _run_length(self, candidate: Candidate) -> RunLength:
        return run_length_of(candidate.counts.astype(np.int64), *self._size)

    def _count(self, **more: int) -> None:
        self._counts = self._counts.plus(**more)


def _in_image(points: Points, view: View) -> npt.NDArray[np.float64]:
    """Return points [n, 2] in 0..1 of a view in pixels of its image."""
    return points * view.size[::-1] + (view.left, view.top)
