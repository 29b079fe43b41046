"""Where a prompt for a small object is placed in a video that zooms in: in a view of the frame about the object."""

from collections.abc import Callable, Sequence

from masklet.errors import InvalidInputError
from masklet.masks.geometry import Box, bounding_box
from masklet.masks.views import View, following_views
from masklet.prompts.extent import prompted_extent
from masklet.prompts.prompt import Prompt
from masklet.tracking.following import Size, mask_box
from masklet.tracking.memory_bank import FrameMemory, FrameResult
from masklet.tracking.tracked_object import TrackedObject


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
    found = None if known is None else mask_box(known, size)
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
