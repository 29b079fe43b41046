"""One frame: prompts are applied, objects without prompts there are tracked.

Dimensions as in `masklet.runtimes.protocol`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.masks.logits import certain_logits, fed_back
from masklet.masks.views import View, seen_from
from masklet.modeling.object_memory import ObjectMemory, stacked_memory
from masklet.runtimes.object_masks import ObjectMask, is_ambiguous, is_binarized, select_mask, use_mask_as_output
from masklet.runtimes.protocol import Runtime
from masklet.tracking.frame_prompt import points_of_prompt
from masklet.tracking.memory_bank import FrameMask, FrameMemory, FrameResult, MemoryBank
from masklet.tracking.object_views import views_on
from masklet.tracking.selection import attended_frames
from masklet.tracking.session_state import SessionState
from masklet.tracking.tracked_object import TrackedObject
from masklet.transfers import moved, sent


@dataclass(frozen=True)
class Recalled:
    """The memories of one object that a frame attends to, in order."""

    features: tuple[Tensor, ...]
    temporal_positions: tuple[int, ...]
    pointers: tuple[Tensor, ...]
    distances: tuple[int, ...]
    pointer_span: int

    @property
    def counts(self) -> tuple[int, int]:
        """How many frames and pointers there are."""
        return len(self.features), len(self.pointers)


@dataclass(frozen=True)
class PendingPrompt:
    """A prompt that the network has not seen, and what it sees beside it.

    Attributes:
        target: its object.
        frame: its frame.
        points: [k, 2], the corners of the box and the clicks.
        labels: [k].
        output: bool [S, S], the mask that is the object's as it is, until there are clicks; or None.
        earlier: logits [4h, 4w] of the mask that it refines, or None.
        view: the part of the frame that it is placed in; None: all of it.
        recalled: the memories that it attends to; none where a frame was not tracked.
        reverse: in which direction the frame was tracked; None: it was not.
    """

    target: TrackedObject
    frame: int
    points: Tensor
    labels: Tensor
    output: Tensor | None
    earlier: Tensor | None
    view: View | None
    recalled: Recalled
    reverse: bool | None

    @property
    def shape(self) -> tuple[object, ...]:
        """Prompts of one shape are decoded as one batch: none is padded, so that each is decoded as if alone."""
        kinds = len(self.labels), self.output is None, self.earlier is None
        return self.frame, self.view, *kinds, self.recalled.counts


def track(runtime: Runtime, session: SessionState, targets: Sequence[TrackedObject], frame: int, reverse: bool) -> None:
    """Track objects onto a frame; those of one view with equally many memories go through the network as one batch."""
    groups: dict[View | None, dict[tuple[int, int], list[tuple[TrackedObject, Recalled]]]]
    groups = defaultdict(lambda: defaultdict(list))  # view by view, so that each is encoded once
    for target, view in zip(targets, views_on(session, targets, frame, reverse=reverse), strict=True):
        recalled = recall(runtime, session, target.bank, frame, target.bank.conditioning, reverse=reverse)
        groups[view][recalled.counts].append((target, recalled))
    for view, of_view in groups.items():
        for group in of_view.values():
            _track_together(runtime, session, group, frame, view, reverse=reverse)


def apply_prompts(runtime: Runtime, session: SessionState, targets: Sequence[TrackedObject]) -> None:
    """Apply the prompts that the network has not seen: those of several objects on one frame as batches.

    Prompts on a frame that had been tracked correct it: the network also sees the memories of other frames and the mask
    that was there. The first prompts of any other frame go by the image alone; they are applied first.
    """
    for turn in _turns(session, targets):
        groups: dict[tuple[object, ...], list[PendingPrompt]] = defaultdict(list)
        for target, frame in turn:
            pending = _pending(runtime, session, target, frame)
            groups[pending.shape].append(pending)
        for group in groups.values():
            _apply_together(runtime, session, group)


def known_mask(runtime: Runtime, target: TrackedObject, frame: int) -> FrameMask | None:
    """Return what is known of an object on a frame; where only its compact mask is kept, that as a mask prompt."""
    known = target.bank.known(frame)
    if not isinstance(known, FrameResult):
        return known
    mask = known.mask if known.view is None else known.view.of(known.mask)
    inside = F.interpolate(
        torch.from_numpy(mask).float()[None, None],
        size=runtime.config.prompt_encoder_config.mask_input_size,
        mode="bilinear",
        antialias=True,
    )
    values = (certain_logits(inside[0, 0]), torch.tensor(known.iou), torch.tensor(known.object_score))
    return FrameMask(*(value.to(runtime.device, runtime.dtype) for value in values), view=known.view)


def recall(
    runtime: Runtime,
    session: SessionState,
    bank: MemoryBank,
    frame: int,
    conditioning: Collection[int],
    *,
    reverse: bool,
) -> Recalled:
    """Return the memories that `frame` attends to, `conditioning` being the conditioning frames among them."""
    config = runtime.config
    attended = attended_frames(
        frame,
        conditioning,
        bank if conditioning else (),
        num_maskmem=config.num_maskmem,
        max_pointers=config.max_object_pointers_in_encoder,
        max_conditioning=config.max_cond_frame_num,
        num_frames=None if session.is_stream else session.num_frames,
        reverse=reverse,
    )
    spatial = [
        (sent(memory.features, runtime.device), position)
        for other, position in attended.spatial
        if (memory := bank.recall(other)) is not None and memory.features is not None
    ]
    pointers = [
        (sent(pointer, runtime.device), distance)
        for other, distance in attended.pointers
        if (pointer := bank.pointer(other)) is not None
    ]
    return Recalled(
        tuple(features for features, _ in spatial),
        tuple(position for _, position in spatial),
        tuple(pointer for pointer, _ in pointers),
        tuple(distance for _, distance in pointers),
        attended.pointer_span,
    )


def _turns(session: SessionState, targets: Sequence[TrackedObject]) -> Iterator[list[tuple[TrackedObject, int]]]:
    """Yield one pending frame of each object at a time: what a correction attends to may come of one before."""
    pending = [
        sorted((frame for frame in each.pending_frames() if frame in session.frames), key=each.is_tracked)
        for each in targets
    ]
    for frames in zip_longest(*pending):
        yield [(target, frame) for target, frame in zip(targets, frames, strict=True) if frame is not None]


def _pending(runtime: Runtime, session: SessionState, target: TrackedObject, frame: int) -> PendingPrompt:
    prompt, reverse = target.prompts[frame], target.bank.direction(frame)
    points, labels = points_of_prompt(prompt)
    others = target.bank.conditioning.keys() - {frame} if reverse is not None and len(labels) else ()
    is_output = prompt.mask is not None and not target.is_refinement(frame)
    return PendingPrompt(
        target,
        frame,
        points,
        labels,
        output=torch.tensor(prompt.mask) if is_output else None,
        earlier=_earlier_logits(runtime, session, target, frame),
        view=target.views.get(frame),
        recalled=recall(runtime, session, target.bank, frame, others, reverse=bool(reverse)),
        reverse=reverse,
    )


def _earlier_logits(runtime: Runtime, session: SessionState, target: TrackedObject, frame: int) -> Tensor | None:
    """Return the mask [4h, 4w] that new prompts refine: of earlier prompts that they extend, or tracked."""
    if frame in target.applied and not target.is_refinement(frame):
        return None
    known = known_mask(runtime, target, frame)
    if known is None:
        return None
    logits, view, size = known.logits.to(runtime.device, runtime.dtype), target.views.get(frame), session.video_size
    if known.view == view or size is None:
        return logits
    whole = View.whole(*size)
    return seen_from(logits[None], known.view or whole, view or whole)[0]


def _apply_together(runtime: Runtime, session: SessionState, group: Sequence[PendingPrompt]) -> None:
    """Apply prompts of one shape, of different objects on one frame."""
    first, device = group[0], runtime.device
    features = session.frames.features(runtime, first.frame, first.view)
    earlier = [each.earlier for each in group if each.earlier is not None]
    mask_logits = torch.stack(earlier) if earlier else None
    mask = None
    given = [each.output for each in group if each.output is not None]
    if given:
        mask = use_mask_as_output(runtime, features, sent(torch.stack(given), device))
        mask_logits = mask.logits
    if clicks := len(first.labels):
        conditioned = runtime.condition(features.stride16, _memory(runtime, [each.recalled for each in group]))
        outputs = runtime.decode(
            features.conditioned(conditioned),
            sent(torch.stack([each.points for each in group]), device),
            sent(torch.stack([each.labels for each in group]), device),
            None if mask_logits is None else fed_back(mask_logits),
        )
        is_multimask = is_ambiguous(runtime.config, clicks, is_first=not first.recalled.features)
        mask = select_mask(outputs, _for_each(group, is_multimask, device), runtime.config)
    assert mask is not None  # no prompt is empty
    binarize = _for_each(group, is_binarized(runtime.config, has_points=clicks > 0), device)
    encoded = runtime.encode_memory(features.stride16, mask.logits, mask.object_score, binarize)
    memories = _frame_memories(session, mask, encoded, [each.reverse for each in group], first.view)
    for each, memory in zip(group, memories, strict=True):
        each.target.keep_output(each.frame, memory)


def _track_together(
    runtime: Runtime,
    session: SessionState,
    group: Sequence[tuple[TrackedObject, Recalled]],
    frame: int,
    view: View | None,
    *,
    reverse: bool,
) -> None:
    features = session.frames.features(runtime, frame, view)
    conditioned = runtime.condition(features.stride16, _memory(runtime, [recalled for _, recalled in group]))
    outputs = runtime.decode(features.conditioned(conditioned))
    is_multimask = is_ambiguous(runtime.config, 0, is_first=False)
    mask = select_mask(outputs, _for_each(group, is_multimask, runtime.device), runtime.config)
    binarize = _for_each(group, False, runtime.device)
    encoded = runtime.encode_memory(features.stride16, mask.logits, mask.object_score, binarize)
    memories = _frame_memories(session, mask, encoded, [reverse] * len(group), view)
    for (target, _), memory in zip(group, memories, strict=True):
        target.bank.keep_tracked(frame, memory)


def _memory(runtime: Runtime, group: Sequence[Recalled]) -> ObjectMemory:
    """Stack the memories of objects that have equally many."""

    def each(numbers: Sequence[Sequence[int]]) -> Sequence[Tensor]:
        """For each memory the objects' numbers; one transfer to the device for all of them."""
        return sent(torch.tensor(numbers, dtype=torch.int64), runtime.device).unbind(1)

    first = group[0]
    return stacked_memory(
        runtime.config,
        [torch.stack([recalled.features[place] for recalled in group]) for place in range(len(first.features))],
        each([recalled.temporal_positions for recalled in group]),
        [torch.stack([recalled.pointers[place] for recalled in group]) for place in range(len(first.pointers))],
        each([recalled.distances for recalled in group]),
        first.pointer_span,
        device=runtime.device,
    )


def _for_each(group: Sequence[object], value: bool, device: torch.device) -> Tensor:
    return torch.full((len(group),), value, device=device)


def _frame_memories(
    session: SessionState, mask: ObjectMask, features: Tensor, reverse: Sequence[bool | None], view: View | None
) -> Iterator[FrameMemory]:
    """Yield the memory of each object; copies of what is large, so that it does not keep the whole batch alive."""
    batch = (mask.logits, mask.iou, mask.object_score, mask.pointer, features.to(session.dtype))
    rows = zip(*moved(batch, session.inference_state_device), reverse, strict=True)
    for logits, iou, object_score, pointer, of_frame, direction in rows:
        yield FrameMemory(logits.clone(), iou, object_score, pointer, of_frame.clone(), direction, view=view)
