"""Where objects are prompted and tracked: small ones in enlarged views that follow them, others in the whole frame.

An object in a view that follows it is what a camera sees that follows it, so its memories stay as they are when the
view moves: moved with it they led to worse masks than left alone.
"""

from collections.abc import Callable, Sequence

from masklet.errors import InvalidInputError
from masklet.masks.counts import box_of
from masklet.masks.geometry import Box, Mask, bounding_box
from masklet.masks.run_length import counts_of
from masklet.masks.views import View, following_views
from masklet.prompts.extent import prompted_extent
from masklet.prompts.prompt import Prompt
from masklet.tracking.memory_bank import FrameMemory, FrameResult, MemoryBank
from masklet.tracking.session_state import SessionState
from masklet.tracking.tracked_object import TrackedObject
from masklet.transfers import Reading

Size = tuple[int, int]


def views_on(
    session: SessionState, targets: Sequence[TrackedObject], frame: int, *, reverse: bool
) -> Sequence[View | None]:
    """Return the view in which each object is to be tracked onto a frame; None: the whole frame."""
    size = session.video_size
    if not session.zoom or size is None:
        return [None] * len(targets)
    seen = [_last_known(each.bank, frame + 1 if reverse else frame - 1) for each in targets]
    return following_views(mask_boxes(seen, size), [each.view for each in seen], *size)


def mask_boxes(known: Sequence[FrameMemory | FrameResult], size: Size) -> list[Box | None]:
    """Return the boxes (x1, y1, x2, y2) of masks in pixels of a video of `size` (height, width); None of empty ones.

    Masks on a device are read together.
    """
    in_full = [each for each in known if isinstance(each, FrameMemory)]
    masks = iter(Reading([each.logits > 0 for each in in_full]).result())
    return [
        box_of(counts_of(each.run_length, *size), size[0])
        if isinstance(each, FrameResult)
        else _box_in_view(next(masks).numpy(), each.view or View.whole(*size))
        for each in known
    ]


def _box_in_view(mask: Mask, view: View) -> Box | None:
    """Return the box of a mask of a view in pixels of the video."""
    box = bounding_box(mask)
    if box is None:
        return None
    across, down = view.size[1] / mask.shape[1], view.size[0] / mask.shape[0]
    x1, y1, x2, y2 = box
    return view.left + x1 * across, view.top + y1 * down, view.left + x2 * across, view.top + y2 * down


def _last_known(bank: MemoryBank, before: int) -> FrameMemory | FrameResult:
    """Return what is known of the frame before, or else of the nearest prompted one."""
    known = bank.known(before)
    return known or bank.conditioning[min(bank.conditioning, key=lambda frame: abs(frame - before))]


def prompt_view(
    prompt: Prompt,
    known: FrameMemory | FrameResult | None,
    others: Sequence[View],
    size: Size,
    find: Callable[[], Box | None],
) -> View | None:
    """Return the view that a prompt is placed in; None: the whole frame.

    Args:
        prompt: in pixels of the video.
        known: the mask of the object that is known on the frame.
        others: views of other prompts on the frame.
        size: (height, width) of the video.
        find: returns the box of what the clicks alone show in the whole frame, which takes the network.
    """
    (found,) = (None,) if known is None else mask_boxes([known], size)
    if prompt.mask is not None:
        found = bounding_box(prompt.mask >= 0.5) if prompt.mask.shape == size else None
    elif found is None and prompt.box is None and len(prompt.positive_points):
        found = find()
    extent = prompted_extent(prompt, found, *size)
    (view,) = following_views([extent], [None if known is None or extent is None else known.view], *size, others)
    return None if view is None or prompt.moved_to(view).is_empty else view


def earlier_view(target: TrackedObject, frame: int, later: Prompt) -> View | None:
    """Return the view of an earlier prompt, in which a later one is placed, too; None: the whole frame.

    InvalidInputError if the later one is about what lies outside of it.
    """
    view = target.views.get(frame)
    if view is not None and (not view.shows(later.positive_points).all() or later.moved_to(view).is_empty):
        raise InvalidInputError(
            f"The clicks on frame {frame} are far from the earlier prompt of object {target.object_id}, which "
            f"is looked at from ({view.left}, {view.top}) to ({view.right}, {view.bottom}); give all at once, without "
            "keep_earlier."
        )
    return view
