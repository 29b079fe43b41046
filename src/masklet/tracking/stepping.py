"""One frame: prompts are answered, objects without prompts there are tracked."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.modeling.object_memory import stacked_memory
from masklet.runtimes.object_masks import ObjectMask, is_ambiguous, is_binarized, select_mask, use_mask_as_output
from masklet.runtimes.protocol import ImageFeatures, Runtime
from masklet.tracking.frame_prompt import FramePrompt
from masklet.tracking.memory_bank import FrameMask, FrameMemory, MemoryBank
from masklet.tracking.selection import attended_frames
from masklet.tracking.session import Sam2VideoInferenceSession
from masklet.tracking.tracked_object import TrackedObject

# Logits fed back to the decoder are kept within the range it was trained with; Meta's predictor does the same.
LARGEST_LOGIT = 32.0
# What a stored mask without logits counts as: a mask prompt, which the network scales to this.
LOGIT_OF_A_MASK = 10.0


@dataclass(frozen=True)
class Recalled:
    """The memories of one object that a frame attends to, in order."""

    features: tuple[Tensor, ...]
    slots: tuple[int, ...]
    pointers: tuple[Tensor, ...]
    distances: tuple[int, ...]
    pointer_span: int


def track(
    runtime: Runtime,
    session: Sam2VideoInferenceSession,
    targets: Sequence[TrackedObject],
    frame: int,
    *,
    reverse: bool,
) -> None:
    """Track objects onto a frame; those that attend to equally many memories go through the network as one batch."""
    groups: dict[tuple[int, int], list[tuple[TrackedObject, Recalled]]] = defaultdict(list)
    for target in targets:
        recalled = recall(runtime, session, target.bank, frame, target.bank.conditioning, reverse=reverse)
        groups[len(recalled.features), len(recalled.pointers)].append((target, recalled))
    for group in groups.values():
        _track_together(runtime, session, group, frame, reverse=reverse)


def answer_all(runtime: Runtime, session: Sam2VideoInferenceSession) -> None:
    """Answer what the network has not seen; prompts that need no memories go before corrections, which do."""
    pending = [
        (each.is_tracked(frame), each, frame)
        for each in session.objects()
        for frame in each.pending_frames()
        if frame in session.frames
    ]
    for _, target, frame in sorted(pending, key=lambda entry: entry[0]):
        answer(runtime, session, target, frame)


def answer(runtime: Runtime, session: Sam2VideoInferenceSession, target: TrackedObject, frame: int) -> None:
    """Show the network what was said about one object on a frame, and remember its answer.

    Prompts on a frame that had been tracked correct it: the network also sees the memories of other frames and the mask
    that was there. The first prompts of any other frame go by the picture alone.
    """
    features = session.frames.features(runtime, frame)
    prompt, earlier = target.prompts[frame], earlier_logits(runtime, target, frame)
    reverse = target.bank.direction(frame)
    outcome = None
    if prompt.mask is not None and not target.is_refinement(frame):
        outcome = use_mask_as_output(runtime, features, prompt.mask[None].to(runtime.device))
        earlier = outcome.logits[0]
    if len(prompt.labels):
        others = target.bank.conditioning.keys() - {frame} if reverse is not None else ()
        recalled = recall(runtime, session, target.bank, frame, others, reverse=bool(reverse))
        outcome = _click(runtime, features, prompt, earlier, recalled)
    assert outcome is not None  # no prompt is empty
    binarize = torch.tensor([is_binarized(runtime.config, has_points=len(prompt.labels) > 0)], device=runtime.device)
    memory = runtime.encode_memory(features.stride16, outcome.logits, outcome.object_score, binarize)
    target.answer(frame, _memories(session, outcome, memory, reverse)[0])


def earlier_logits(runtime: Runtime, target: TrackedObject, frame: int) -> Tensor | None:
    """The mask [S/4, S/4] of a frame that new prompts refine: of earlier prompts that they go on from, or tracked."""
    if frame in target.answered and not target.is_refinement(frame):
        return None
    known = known_mask(runtime, target, frame)
    return None if known is None else known.logits.to(runtime.device, runtime.dtype)


def known_mask(runtime: Runtime, target: TrackedObject, frame: int) -> FrameMask | None:
    """What is known of an object on a frame; where only the compact mask is kept, as certain as a mask prompt."""
    memory, result = target.bank.recall(frame), target.bank.results.get(frame)
    if memory is not None or result is None:
        return memory
    inside = F.interpolate(
        torch.from_numpy(result.mask).float()[None, None],
        size=runtime.config.prompt_encoder_config.mask_input_size,
        mode="bilinear",
        antialias=True,
    )
    logits = inside[0, 0] * 2 * LOGIT_OF_A_MASK - LOGIT_OF_A_MASK
    values = (logits, torch.tensor(result.iou), torch.tensor(result.object_score))
    return FrameMask(*(value.to(runtime.device, runtime.dtype) for value in values))


def recall(
    runtime: Runtime,
    session: Sam2VideoInferenceSession,
    bank: MemoryBank,
    frame: int,
    conditioning: Collection[int],
    *,
    reverse: bool,
) -> Recalled:
    """The memories that `frame` attends to, `conditioning` being the prompted frames among them."""
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
        (memory.features.to(runtime.device), slot)
        for other, slot in attended.spatial
        if (memory := bank.recall(other)) is not None and memory.features is not None
    ]
    pointers = [
        (pointer.to(runtime.device), distance)
        for other, distance in attended.pointers
        if (pointer := bank.pointer(other)) is not None
    ]
    return Recalled(
        tuple(features for features, _ in spatial),
        tuple(slot for _, slot in spatial),
        tuple(pointer for pointer, _ in pointers),
        tuple(distance for _, distance in pointers),
        attended.pointer_span,
    )


def _track_together(
    runtime: Runtime,
    session: Sam2VideoInferenceSession,
    group: Sequence[tuple[TrackedObject, Recalled]],
    frame: int,
    *,
    reverse: bool,
) -> None:
    features = session.frames.features(runtime, frame)
    conditioned = _condition(runtime, features.stride16, [recalled for _, recalled in group])
    outputs = runtime.decode(features.conditioned(conditioned))
    binarize = torch.zeros(len(group), dtype=torch.bool, device=runtime.device)
    is_multimask = torch.full((len(group),), is_ambiguous(runtime.config, 0, is_first=False), device=runtime.device)
    outcome = select_mask(outputs, is_multimask, runtime.config)
    memory = runtime.encode_memory(features.stride16, outcome.logits, outcome.object_score, binarize)
    memories = _memories(session, outcome, memory, reverse)
    for (target, _), of_object in zip(group, memories, strict=True):
        target.bank.remember_tracked(frame, of_object)


def _condition(runtime: Runtime, features: Tensor, group: Sequence[Recalled]) -> Tensor:
    """The deepest level [objects, channels, h, w] after attending to the memories of each object."""

    def each(numbers: Sequence[Sequence[int]]) -> Sequence[Tensor]:
        """For each memory the objects' numbers; one transfer to the device for all of them."""
        return torch.tensor(numbers, dtype=torch.int64, device=runtime.device).unbind(1)

    first = group[0]
    memory = stacked_memory(
        runtime.config,
        [torch.stack([recalled.features[place] for recalled in group]) for place in range(len(first.features))],
        each([recalled.slots for recalled in group]),
        [torch.stack([recalled.pointers[place] for recalled in group]) for place in range(len(first.pointers))],
        each([recalled.distances for recalled in group]),
        first.pointer_span,
        device=runtime.device,
    )
    return runtime.condition(features, memory)


def _click(
    runtime: Runtime, features: ImageFeatures, prompt: FramePrompt, earlier: Tensor | None, recalled: Recalled
) -> ObjectMask:
    """What the network makes of clicks and boxes, of the mask that they refine and of memories."""
    conditioned = _condition(runtime, features.stride16, [recalled])
    outputs = runtime.decode(
        features.conditioned(conditioned),
        prompt.points[None].to(runtime.device),
        prompt.labels[None].to(runtime.device),
        None if earlier is None else earlier[None].clamp(-LARGEST_LOGIT, LARGEST_LOGIT),
    )
    is_multimask = is_ambiguous(runtime.config, len(prompt.labels), is_first=not recalled.features)
    return select_mask(outputs, torch.full((1,), is_multimask, device=runtime.device), runtime.config)


def _memories(
    session: Sam2VideoInferenceSession, outcome: ObjectMask, features: Tensor, reverse: bool | None
) -> list[FrameMemory]:
    """One memory for each object; copies, so that none keeps the whole batch alive."""
    place = session.inference_state_device
    return [
        FrameMemory(
            logits=outcome.logits[index].to(place, copy=True),
            iou=outcome.iou[index].to(place, copy=True),
            object_score=outcome.object_score[index].to(place, copy=True),
            pointer=outcome.pointer[index].to(place, copy=True),
            features=features[index].to(place, session.dtype, copy=True),
            reverse=reverse,
        )
        for index in range(len(features))
    ]
