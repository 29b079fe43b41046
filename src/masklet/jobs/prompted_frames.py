"""The prompts of objects on frames of a video: read with their masks, held, and added to the video."""

from collections.abc import Iterator, Mapping
from typing import Any

from masklet.media.prompt_entries import Place, PromptEntry, empty_mask_error
from masklet.predictors.tracked_video import TrackedVideo
from masklet.prompts.prompt import Prompt


class HeldPrompts(Mapping[Place, Prompt]):
    """Prompts by frame and object, with masks as run lengths: those of a large label map are gigabytes in pixels."""

    def __init__(self) -> None:
        self._written: dict[Place, dict[str, Any]] = {}

    def hold(self, place: Place, prompt: Prompt) -> None:
        """Add the prompt of an object on a frame."""
        self._written[place] = prompt.to_json()

    def __getitem__(self, place: Place) -> Prompt:
        return Prompt.from_json(self._written[place])

    def __iter__(self) -> Iterator[Place]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)


def read_prompts(
    entries: Mapping[Place, PromptEntry], height: int, width: int, *, is_resumed: bool
) -> tuple[HeldPrompts, list[str]]:
    """Return the prompts of all places with their masks, and a warning for each mask that marks an object as absent.

    A mask without any pixel, and without clicks beside it, marks its object as absent from the frame.

    Args:
        entries: by frame and object.
        height: of the video, in pixels.
        width: likewise.
        is_resumed: whether a saved session is resumed, which may know objects that `entries` does not.

    Raises:
        InvalidInputError: for prompts outside the video, masks of another size, and empty ones of objects of which
            nothing else is known.
        UnreadableImageError: for masks that cannot be read.
    """
    prompts, absent = HeldPrompts(), []
    for place, entry in entries.items():
        prompt = entry.prompt(height, width, "the video")
        prompts.hold(place, prompt)
        if _is_absence(prompt):
            absent.append(place)
    known = {object_id for frame, object_id in prompts if (frame, object_id) not in absent}
    sentences = []
    for frame, object_id in absent:
        file = entries[frame, object_id].mask_file
        if not is_resumed and object_id not in known:
            raise empty_mask_error(file)
        sentences.append(f"The mask {file} is empty: object {object_id} is taken to be absent from frame {frame}.")
    return prompts, sentences


def add_prompts(tracked: TrackedVideo, prompts: Mapping[Place, Prompt]) -> None:
    """Add prompts to a video: clicks correct what was given there before, boxes and masks replace it."""
    for (frame, object_id), prompt in prompts.items():
        is_correction = prompt.mask is None and prompt.box is None
        tracked.add(object_id, frame, prompt, keep_earlier=is_correction)


def _is_absence(prompt: Prompt) -> bool:
    return prompt.mask is not None and not prompt.mask.any() and not len(prompt.points)
