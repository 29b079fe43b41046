"""What tracking returns for a frame."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.masks.views import View, enlarged
from masklet.modeling.outputs import ModelOutput


class Sam2VideoSegmentationOutput(ModelOutput):
    """The masks of all objects on one frame.

    `object_ids`, in the order of the rows; `pred_masks` [objects, 1, S/4, S/4] logits; `object_score_logits`
    [objects, 1], above 0 where the object is there; `iou_scores` [objects, 1], predicted; `frame_idx`. Where a session
    zooms in on small objects, `views` are the parts of the frame that the logits show.
    """

    object_ids: list[int]
    pred_masks: Tensor
    object_score_logits: Tensor
    iou_scores: Tensor
    frame_idx: int

    def __init__(
        self,
        *entries: Any,
        video_size: tuple[int, int] | None = None,
        views: Sequence[View | None] = (),
        **fields: Any,
    ) -> None:
        super().__init__(*entries, **fields)
        self._video_size, self._views = video_size, views

    @property
    def views(self) -> Sequence[View | None]:
        """What the logits of each object show of the frame; None: all of it."""
        return self._views or [None] * len(self.object_ids)

    @property
    def video_res_masks(self) -> Tensor:
        """Logits [objects, 1, height, width] in the video's own pixels, enlarged when asked for."""
        if self._video_size is None:
            return self.pred_masks
        if not self._views:
            return F.interpolate(self.pred_masks.float(), size=self._video_size, mode="bilinear")
        shown = zip(self.pred_masks[:, 0], self._views, strict=True)
        return torch.stack([enlarged(logits_hw, self._video_size, view) for logits_hw, view in shown]).unsqueeze(1)
