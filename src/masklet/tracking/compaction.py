"""From memories that no frame attends to any more to compact results."""

from collections.abc import Callable, Sequence
from functools import partial

import torch

from masklet.masks.run_length import encode_run_length
from masklet.masks.views import enlarged
from masklet.tracking.memory_bank import FrameMemory, FrameResult
from masklet.transfers import Reading, has_queue


def compacted(memories: Sequence[FrameMemory], size: tuple[int, int] | None) -> list[Callable[[], FrameResult]]:
    """Return, for each memory, a function that returns its result.

    A device with a queue copies all of them to the processor meanwhile, and the first call waits for that. Others
    would compute no sooner: there one mask after the other is encoded now, so that no two are there at full size.

    Args:
        memories: of any objects and frames.
        size: (height, width) of the masks of results; None: that of the logits.
    """
    if any(has_queue(each.logits.device) for each in memories):
        reading = _reading(memories, size)
        return [partial(_result, each, reading, place) for place, each in enumerate(memories)]
    results = [_result(each, _reading([each], size), 0) for each in memories]
    return [lambda result=result: result for result in results]  # type: ignore[misc]


def _reading(memories: Sequence[FrameMemory], size: tuple[int, int] | None) -> Reading:
    """Read the mask of each memory, and its predicted IoU and object score [2]."""
    masks = [(each.logits if size is None else enlarged(each.logits, size, each.view)) > 0 for each in memories]
    return Reading([*masks, *(torch.stack([each.iou, each.object_score]) for each in memories)])


def _result(memory: FrameMemory, reading: Reading, place: int) -> FrameResult:
    read = reading.result()
    mask, (iou, object_score) = read[place], read[place + len(read) // 2].tolist()
    return FrameResult(encode_run_length(mask.numpy()), iou, object_score, bool(memory.reverse), memory.view)
