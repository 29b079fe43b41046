"""From an image to the masks of everything in it: the steps of Meta's automatic mask generator.

Each crop, the whole image being the first, is encoded and prompted on a grid of points; the network's candidates pass
filters of predicted IoU and stability, those cut off by a crop are dropped, and of masks with much the same box the
best one stays: first within crops, then between them.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from masklet.automask.coarse_to_fine import first_round, masks_of_points, second_round
from masklet.automask.decoding import PointDecoder
from masklet.automask.filter_counts import FilterCounts
from masklet.automask.filtering import Bounds, Candidate, StabilityFilter
from masklet.automask.held_masks import ChosenMasks, HeldMasks
from masklet.automask.masks import AutomaticMasks
from masklet.automask.point_grid import Points, layer_grid, outside
from masklet.automask.selection import selected
from masklet.automask.settings import AutomaticMaskSettings
from masklet.masks.crop_layers import crop_views, is_cut_off
from masklet.masks.segmentation import Segmentation
from masklet.masks.suppression import Places, box_suppression, mask_suppression
from masklet.masks.views import View
from masklet.processing.image_options import ImageOptions
from masklet.processing.pixels import prepared_pixels
from masklet.runtimes.protocol import ImageFeatures, ImageRuntime

Progress = Callable[[int, int], None]
Size = tuple[int, int]


@dataclass(frozen=True)
class _Crop:
    """A part of the image, its grid in 0..1 of it [n, 2], which points count [n], and how it is encoded."""

    view: View
    grid: Points
    is_open: npt.NDArray[np.bool_]
    encoded: Callable[[], ImageFeatures]


class Generation:
    """The automatic masks of one image in the making.

    Args:
        runtime: the network.
        settings: how.
        size: (height, width) of the image.
        known: masks of the image that are known: points in them are left out.
        progress: called with how many points are done and how many there are.
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
        self._held = HeldMasks(size)
        self._points_skipped = self._points_in_all = 0

    @torch.inference_mode()
    def of_pixels(self, pixels_chw: Tensor, options: ImageOptions) -> AutomaticMasks:
        """Return the masks of an image with pixels [C, H, W], which `options` prepare."""
        settings, runtime = self._settings, self._runtime

        def encoded(view: View) -> ImageFeatures:
            prepared = prepared_pixels(view.of(pixels_chw), options)[None]
            return runtime.without_memory(runtime.encode_image(prepared.to(runtime.device, runtime.dtype)))

        views = crop_views(self._size, settings.crop_n_layers, settings.crop_overlap_ratio)
        return self._masks([self._crop(view, layer, partial(encoded, view)) for view, layer in views])

    @torch.inference_mode()
    def of_features(self, features: ImageFeatures) -> AutomaticMasks:
        """Return the masks of an image that is encoded, marked as one without memory; crops are not looked at."""
        return self._masks([self._crop(View(0, 0, *self._size[::-1]), 0, lambda: features)])

    def _crop(self, view: View, layer: int, encoded: Callable[[], ImageFeatures]) -> _Crop:
        grid = layer_grid(self._settings, layer)
        if self._known is None:
            return _Crop(view, grid, np.ones(len(grid), dtype=bool), encoded)
        cells = self._runtime.config.image_size / 16
        is_open = outside(self._known, _in_image(grid, view), reach=max(self._size) / cells / 2)
        return _Crop(view, grid, is_open, encoded)

    def _masks(self, crops: Sequence[_Crop]) -> AutomaticMasks:
        """Return what stays of the masks of all crops."""
        with self._held:
            return self._selected(crops)

    def _selected(self, crops: Sequence[_Crop]) -> AutomaticMasks:
        self._points_in_all = sum(int(crop.is_open.sum()) for crop in crops)
        found = [(each, crop) for crop in crops if crop.is_open.any() for each in self._in_crop(crop)]
        if len(crops) > 1:
            scores = [1 / (crop.view.size[0] * crop.view.size[1]) for _, crop in found]
            places = self._suppressed([each for each, _ in found], scores, self._settings.crop_nms_thresh)
            found = [found[place] for place in places]
            self._count(crop_nms=len(found))
        segmentation = Segmentation.from_run_lengths(
            (self._held[each.mask] for each, _ in found),
            self._size,
            scores=np.array([each.score for each, _ in found], dtype=np.float32),
            object_ids=range(1, len(found) + 1),
        )
        views = [crop.view for _, crop in found]
        return selected(
            AutomaticMasks.of(
                segmentation,
                stability_scores=[each.stability for each, _ in found],
                points=[_in_image(crop.grid[each.place], crop.view) for each, crop in found],
                crop_boxes=[(view.left, view.top, view.right, view.bottom) for view in views],
                counts=self._counts,
                settings=self._settings,
            ),
            [None if each.bounds is None else Bounds(*(self._held[mask] for mask in each.bounds)) for each, _ in found],
        )

    def _in_crop(self, crop: _Crop) -> list[Candidate]:
        """Return the masks of a crop that stay."""
        decoder = PointDecoder(self._runtime, crop.encoded(), self._settings)
        if self._settings.point_search == "full":
            found = self._found(decoder, crop, np.flatnonzero(crop.is_open))
        else:
            found = self._found_coarse_to_fine(decoder, crop)
        kept = [found[place] for place in self._best(found)]
        self._count(nms=len(kept))
        return kept

    def _found_coarse_to_fine(self, decoder: PointDecoder, crop: _Crop) -> list[Candidate]:
        """Return the masks of every second point of a crop, and of others whose neighbours disagree, as `_found`."""
        side = math.isqrt(len(crop.grid))
        is_open = crop.is_open.reshape(side, side)
        is_decoded = first_round(is_open)
        found = self._found(decoder, crop, np.flatnonzero(is_decoded))
        points, threshold = [each.place for each in found], self._settings.box_nms_thresh
        leads_to = masks_of_points(_boxes(found), points, self._best(found), threshold)
        places = np.flatnonzero(second_round(is_open, is_decoded, leads_to))
        found += self._found(decoder, crop, places)
        self._points_skipped += int(is_open.sum() - is_decoded.sum()) - len(places)
        self._report()
        return found

    def _found(self, decoder: PointDecoder, crop: _Crop, places: Places) -> list[Candidate]:
        """Return the masks that points of a crop lead to and that pass the filters that look at each alone."""
        found: list[Candidate] = []
        for start in range(0, len(places), self._settings.points_per_batch):
            batch = places[start : start + self._settings.points_per_batch]
            found += [each for each in self._stable(decoder, crop, batch) if self._fits(each, crop.view)]
            self._count(points=len(batch))
            self._report()
        return found

    def _report(self) -> None:
        if self._progress is not None:
            self._progress(self._counts.points + self._points_skipped, self._points_in_all)

    def _stable(self, decoder: PointDecoder, crop: _Crop, places: Places) -> Iterator[Candidate]:
        """Yield the masks of points of a crop that are good and stable."""
        side = self._runtime.config.image_size // 4
        is_stable = StabilityFilter(self._settings, (side, side), crop.view, self._size, self._held)
        self._count(candidates=len(places) * decoder.masks_per_point, iou=0, stability=0)
        for found in decoder.decoded(crop.grid[places]):
            self._count(iou=len(found.iou))
            of_each = places[found.prompts.cpu().numpy()].tolist()
            logits = found.logits.float().cpu().numpy()
            for logits_hw, score, place in zip(logits, found.iou.tolist(), of_each, strict=True):
                candidate = is_stable.passed(logits_hw, score, place)
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
            return mask_suppression(ChosenMasks(self._held, [each.mask for each in candidates]), scores, threshold)
        return box_suppression(_boxes(candidates), scores, threshold)

    def _best(self, candidates: Sequence[Candidate]) -> Places:
        """Return the places of those of a crop that stay, by descending predicted IoU."""
        return self._suppressed(candidates, [each.score for each in candidates], self._settings.box_nms_thresh)

    def _count(self, **more: int) -> None:
        self._counts = self._counts.plus(**more)


def _boxes(candidates: Sequence[Candidate]) -> npt.NDArray[np.float32]:
    return np.array([each.box for each in candidates], dtype=np.float32).reshape(-1, 4)


def _in_image(points: Points, view: View) -> npt.NDArray[np.float64]:
    """Return points [..., 2] in 0..1 of a view in pixels of its image."""
    return points * view.size[::-1] + (view.left, view.top)
