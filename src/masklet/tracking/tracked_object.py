"""One object of a session: its prompts and its memories."""

from masklet.errors import InvalidInputError
from masklet.masks.views import View
from masklet.prompts.prompt import Prompt
from masklet.tracking.memory_bank import FrameMemory, MemoryBank


class TrackedObject:
    """The prompts and memories of one object.

    `prompts` are those of each frame as they stand, `applied` those that the bank's conditioning memory came of. Where
    the two differ, the network has not seen the prompt yet. `views` are the parts of frames that prompts are placed in;
    a frame without one is all there is to see.
    """

    def __init__(self, object_id: int, bank: MemoryBank) -> None:
        self.object_id = object_id
        self.bank = bank
        self.prompts: dict[int, Prompt] = {}
        self.applied: dict[int, Prompt] = {}
        self.views: dict[int, View] = {}

    def pending_frames(self) -> list[int]:
        """Return the frames with prompts that the network has not seen, in the order in which they were added."""
        return [frame for frame, prompt in self.prompts.items() if self.applied.get(frame) is not prompt]

    def add(self, frame: int, prompt: Prompt, *, keep_earlier: bool, view: View | None = None) -> None:
        """Add a prompt to those of a frame, or put it in their place; one that is there already changes nothing.

        It is placed in `view`, which has to be that of the earlier one if that is kept.

        A mask always takes their place, since it is all of the object; clicks that are added later refine it.
        """
        earlier = self.prompts.get(frame)
        if earlier is not None and keep_earlier and prompt.mask is None:
            if prompt.box is not None and (earlier.box is not None or len(earlier.points)):
                raise InvalidInputError(
                    f"Frame {frame} has clicks on the object already, and a box comes before clicks; replace them by "
                    "giving the box and the clicks at once."
                )
            prompt = earlier.extended(prompt)
        if prompt != earlier or view != self.views.get(frame):
            self.prompts.pop(frame, None)
            self.prompts[frame] = prompt
            self.views.pop(frame, None)
            if view is not None:
                self.views[frame] = view

    def remove(self, frame: int) -> None:
        """Remove the prompts of a frame and what came of them there; with the last ones, all that was tracked, too."""
        del self.prompts[frame]
        self.views.pop(frame, None)
        if self.applied.pop(frame, None) is not None:
            self.bank.remove(frame)
        if not self.prompts:
            self.bank.clear()

    def keep_output(self, frame: int, memory: FrameMemory) -> None:
        """Keep what the network made of a frame's prompts."""
        self.bank.keep_prompted(frame, memory)
        self.applied[frame] = self.prompts[frame]

    def is_tracked(self, frame: int) -> bool:
        """Whether the object was tracked onto a frame."""
        return self.bank.direction(frame) is not None

    def is_refinement(self, frame: int) -> bool:
        """Whether the prompts of a frame extend the ones that were applied."""
        applied = self.applied.get(frame)
        return applied is not None and self.prompts[frame].extends(applied)
