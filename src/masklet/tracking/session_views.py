"""The session's state in the shape that programs written for transformers read: by the position of an object.

What programs may write goes through `add_point_inputs`, `add_mask_inputs` and their counterparts; what the network
makes of it can be read here, and only the network writes it. Nothing is copied or kept for it, so memory stays bounded:
of frames that nothing can attend to any more, the session itself has but compact masks (`output`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, NoReturn, TypeVar

import torch
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.prompts.prompt import Prompt
from masklet.tracking.frame_prompt import clicks_and_box, points_of_prompt, whole_mask
from masklet.tracking.frames import FrameSource
from masklet.tracking.memory_bank import FrameMemory
from masklet.tracking.tracked_object import TrackedObject

Key = TypeVar("Key")
Value = TypeVar("Value")
CONDITIONING, TRACKED = "cond_frame_outputs", "non_cond_frame_outputs"


class ReadOnlyView(Mapping[Key, Value], Generic[Key, Value]):
    """A mapping whose keys and values are looked up when they are asked for.

    Args:
        keys: returns the keys there are now.
        value: returns the value of one of them; None, or KeyError, if it is not there.
        instead: what to call in place of writing.
    """

    def __init__(self, keys: Callable[[], Iterable[Key]], value: Callable[[Key], Value | None], instead: str) -> None:
        self._keys, self._value, self._instead = keys, value, instead

    def __getitem__(self, key: Key) -> Value:
        value = self._value(key)
        if value is None:
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[Key]:
        return iter(list(self._keys()))

    def __len__(self) -> int:
        return len(list(self._keys()))

    def __repr__(self) -> str:
        return repr(dict(self))

    def _refuse(self, *ignored: object, **also_ignored: object) -> NoReturn:
        raise InvalidInputError(f"This part of a session can be read only; {self._instead}.")

    __setitem__ = __delitem__ = pop = popitem = clear = update = setdefault = _refuse


class SessionViews:
    """The methods and dictionaries of the session, for objects by their position in `obj_ids`."""

    frames: FrameSource

    def objects(self) -> Sequence[TrackedObject]:
        """Return the objects, in the order of `obj_ids`."""
        raise NotImplementedError

    def add_prompt(self, object_id: int, frame: int, prompt: Prompt, clear_old: bool = True) -> None:
        """Add a prompt of an object on a frame."""
        raise NotImplementedError

    def clear_prompts(self, object_id: int, frame: int) -> None:
        """Remove the prompts of an object on a frame."""
        raise NotImplementedError

    # -- prompts --------------------------------------------------------------------------------------------------

    def add_point_inputs(self, obj_idx: int, frame_idx: int, inputs: Mapping[str, Tensor]) -> None:
        """Replace the clicks of an object on a frame.

        Args:
            obj_idx: position of the object, as `obj_id_to_idx` returns it.
            frame_idx: number of the frame.
            inputs: `point_coords` [1, 1, N, 2] in pixels of the network's input and `point_labels` [1, 1, N]; the
                labels 2 and 3 are the corners of a box.
        """
        prompt = clicks_and_box(inputs["point_coords"], inputs["point_labels"], None)
        self.add_prompt(self._at(obj_idx).object_id, frame_idx, prompt)

    def remove_point_inputs(self, obj_idx: int, frame_idx: int) -> None:
        """Remove the clicks of an object on a frame, and what came of them; nothing happens if there are none."""
        if frame_idx in self.point_inputs_per_obj[obj_idx]:
            self.clear_prompts(self._at(obj_idx).object_id, frame_idx)

    def add_mask_inputs(self, obj_idx: int, frame_idx: int, inputs: Tensor) -> None:
        """Replace the prompts of an object on a frame by a mask [1, 1, S, S]."""
        self.add_prompt(self._at(obj_idx).object_id, frame_idx, whole_mask(inputs))

    def remove_mask_inputs(self, obj_idx: int, frame_idx: int) -> None:
        """Remove the mask prompt of an object on a frame, and what came of it; nothing happens if there is none."""
        if frame_idx in self.mask_inputs_per_obj[obj_idx]:
            self.clear_prompts(self._at(obj_idx).object_id, frame_idx)

    @property
    def point_inputs_per_obj(self) -> ReadOnlyView[int, ReadOnlyView[int, dict[str, Tensor]]]:
        """Clicks and boxes by position and frame, as `add_point_inputs` takes them."""
        return self._of_prompts(
            lambda prompt: len(prompt.points) > 0 or prompt.box is not None,
            _as_point_inputs,
            "call add_point_inputs or remove_point_inputs",
        )

    @property
    def mask_inputs_per_obj(self) -> ReadOnlyView[int, ReadOnlyView[int, Tensor]]:
        """Mask prompts bool [1, 1, S, S] by position and frame."""
        return self._of_prompts(
            lambda prompt: prompt.mask is not None,
            lambda prompt: torch.tensor(prompt.mask)[None, None],
            "call add_mask_inputs or remove_mask_inputs",
        )

    # -- results --------------------------------------------------------------------------------------------------

    @property
    def processed_frames(self) -> ReadOnlyView[int, Tensor] | None:
        """Pixels [3, S, S] of the frames that can be had, by number; None of a stream that has not begun."""
        if self.frames.is_stream and not len(self.frames):
            return None
        numbers = range(len(self.frames))
        return ReadOnlyView(
            lambda: (number for number in numbers if number in self.frames),
            lambda number: self.frames[number] if number in self.frames else None,  # noqa: SIM401  # no dictionary
            "call add_new_frame",
        )

    @property
    def output_dict_per_obj(self) -> ReadOnlyView[int, ReadOnlyView[str, ReadOnlyView[int, dict[str, Tensor]]]]:
        """What the memory bank keeps, by position, "cond_frame_outputs" or "non_cond_frame_outputs", and frame.

        `pred_masks` [1, 1, S/4, S/4] logits, `object_pointer` [1, channels], `object_score_logits` [1, 1], and
        `maskmem_features` [h * w, 1, memory channels] where other frames can attend to them.
        """
        instead = "the network writes it: call the model with the session and a frame"

        def of_kind(target: TrackedObject, kind: str) -> ReadOnlyView[int, dict[str, Tensor]]:
            kept = target.bank.conditioning if kind == CONDITIONING else target.bank.tracked
            return ReadOnlyView(kept.keys, lambda frame: _as_output(kept[frame]), instead)

        return self._by_position(
            lambda target: ReadOnlyView(
                lambda: (CONDITIONING, TRACKED),
                lambda kind: of_kind(target, kind) if kind in (CONDITIONING, TRACKED) else None,
                instead,
            ),
            instead,
        )

    @property
    def frames_tracked_per_obj(self) -> ReadOnlyView[int, ReadOnlyView[int, dict[str, bool]]]:
        """Frames that an object was tracked onto, by position and frame: {"reverse": the direction}."""
        instead = "the network writes it: call the model with the session and a frame"

        def frames(target: TrackedObject) -> list[int]:
            kept = {**target.bank.results, **target.bank.tracked, **target.bank.conditioning}
            return [frame for frame in sorted(kept) if target.is_tracked(frame)]

        return self._by_position(
            lambda target: ReadOnlyView(
                lambda: frames(target),
                lambda frame: {"reverse": bool(target.bank.direction(frame))} if target.is_tracked(frame) else None,
                instead,
            ),
            instead,
        )

    def get_output(
        self, obj_idx: int, frame_idx: int, output_key: str, is_conditioning_frame: bool = True
    ) -> Tensor | None:
        """Return one entry of `output_dict_per_obj`; None if it is not there (any more)."""
        kind = CONDITIONING if is_conditioning_frame else TRACKED
        return self.output_dict_per_obj[obj_idx][kind].get(frame_idx, {}).get(output_key)

    def store_output(self, *ignored: object, **also_ignored: object) -> NoReturn:
        """Refuse: the memory bank keeps of a frame what the network made of it."""
        raise InvalidInputError(
            "Outputs cannot be stored from outside: call the model with the session and a frame, or add_mask_inputs to "
            "give the mask."
        )

    # -- looking up -----------------------------------------------------------------------------------------------

    def _at(self, obj_idx: int) -> TrackedObject:
        objects = self.objects()
        if not 0 <= obj_idx < len(objects):
            raise InvalidInputError(
                f"There is no object at position {shown(obj_idx)}; there are {len(objects)} objects."
            )
        return objects[obj_idx]

    def _by_position(self, value: Callable[[TrackedObject], Value], instead: str) -> ReadOnlyView[int, Value]:
        def at(index: int) -> Value | None:
            objects = self.objects()
            return value(objects[index]) if 0 <= index < len(objects) else None

        return ReadOnlyView(lambda: range(len(self.objects())), at, instead)

    def _of_prompts(
        self, is_one: Callable[[Prompt], bool], value: Callable[[Prompt], Any], instead: str
    ) -> ReadOnlyView[int, ReadOnlyView[int, Any]]:
        return self._by_position(
            lambda target: ReadOnlyView(
                lambda: [frame for frame, prompt in target.prompts.items() if is_one(prompt)],
                lambda frame: value(target.prompts[frame]) if is_one(target.prompts[frame]) else None,
                instead,
            ),
            instead,
        )


def _as_point_inputs(prompt: Prompt) -> dict[str, Tensor]:
    points, labels = points_of_prompt(prompt)
    return {"point_coords": points[None, None], "point_labels": labels[None, None]}


def _as_output(memory: FrameMemory) -> dict[str, Tensor]:
    entries = {
        "pred_masks": memory.logits[None, None],
        "object_pointer": memory.pointer[None],
        "object_score_logits": memory.object_score.reshape(1, 1),
    }
    if memory.features is not None:
        entries["maskmem_features"] = memory.features[:, None]
    return entries
