"""One object of a session: what was said about it, and what is remembered of it."""

from masklet.errors import InvalidInputError
from masklet.tracking.frame_prompt import FramePrompt
from masklet.tracking.memory_bank import FrameMemory, MemoryBank


class TrackedObject:
    """The prompts and memories of one object.

    `prompts` are those of each frame as they stand, `answered` those of which the bank's conditioning memory is the
    answer. Where the two differ, the network has not seen the prompt yet.
    """

    def __init__(self, object_id: int, bank: MemoryBank) -> None:
        self.object_id = object_id
        self.bank = bank
        self.prompts: dict[int, FramePrompt] = {}
        self.answered: dict[int, FramePrompt] = {}

    def pending_frames(self) -> list[int]:
        """The frames with prompts that the network has not seen, in the order in which they were said."""
        return [frame for frame, prompt in self.prompts.items() if self.answered.get(frame) is not prompt]

    def say(self, frame: int, prompt: FramePrompt, *, keep_earlier: bool) -> None:
        """Add a prompt to what was said of a frame, or put it in its place.

        What was said already and is said again changes nothing.
        """
        earlier = self.prompts.get(frame)
        if earlier is not None and keep_earlier:
            if prompt.has_box() and len(earlier.points):
                raise InvalidInputError(
                    "cannot add box without clearing old points, since box prompt must be provided before any point "
                    "prompt (please use clear_old_points=True instead)"
                )
            prompt = earlier.extended(prompt)
        is_said = earlier is not None and prompt.extends(earlier) and earlier.extends(prompt)
        if not is_said:
            self.prompts.pop(frame, None)
            self.prompts[frame] = prompt

    def unsay(self, frame: int) -> None:
        """Forget the prompts of a frame and what came of them there; with the last ones, all that was tracked, too."""
        del self.prompts[frame]
        if self.answered.pop(frame, None) is not None:
            self.bank.forget(frame)
        if not self.prompts:
            self.bank.clear()

    def answer(self, frame: int, memory: FrameMemory) -> None:
        """Remember what the network made of a frame's prompts."""
        self.bank.remember_prompted(frame, memory)
        self.answered[frame] = self.prompts[frame]

    def is_tracked(self, frame: int) -> bool:
        """Whether the object was tracked onto a frame."""
        return self.bank.direction(frame) is not None

    def is_refinement(self, frame: int) -> bool:
        """Whether the prompts of a frame go on from the ones that were answered."""
        answered = self.answered.get(frame)
        return answered is not None and self.prompts[frame].extends(answered)
