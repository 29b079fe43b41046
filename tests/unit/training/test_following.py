"""Clips are followed in training exactly as the tracker follows them, prompt by prompt."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.unit.modeling.small_models import randomised
from tests.unit.training.small_recipes import small_video_config
from tests.unit.training.test_clip_batches import clip_of
from torch import Tensor

from masklet import Sam2VideoInferenceSession, Sam2VideoModel
from masklet.modeling.video_network import ObjectOutcome
from masklet.prompts.simulated_annotator import SimulatedAnnotator
from masklet.tracking.frame_prompt import FramePrompt, whole_mask
from masklet.training.clip_batches import ClipBatch, ClipSample, sample_clip
from masklet.training.clip_plan import ClipPlan, PromptKind
from masklet.training.following import Follower, Lesson
from masklet.training.recipe import ClipTracking

CLICK, BOX, MASK = PromptKind.CLICK, PromptKind.BOX, PromptKind.MASK


@pytest.fixture(scope="module")
def model() -> Sam2VideoModel:
    torch.manual_seed(0)
    network = randomised(Sam2VideoModel(small_video_config()), 3)
    network.resize(64)
    with torch.no_grad():  # some objects are absent, most are not
        network.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(0.3)
    return network


def sample(frames: int, *sides: int) -> ClipSample:
    """The squares leave to the right: from the fifth frame on they are not to be seen."""
    clip = sample_clip(clip_of(*sides, frames=frames), len(sides), np.random.default_rng(0))
    noise = torch.randint(0, 60, clip.pixel_values.shape, generator=torch.Generator().manual_seed(1))
    return replace(clip, pixel_values=(clip.pixel_values // 2 + noise).byte())


def followed(
    model: Sam2VideoModel, clips: list[ClipSample], plan: ClipPlan, tracking: ClipTracking | None = None
) -> Follower:
    annotator = SimulatedAnnotator(np.random.default_rng(5), deepest_share=0.3)
    follower = Follower(model, ClipBatch(clips), plan, tracking or ClipTracking(corrections=3), annotator)
    with torch.no_grad():
        follower.follow()
    return follower


def tracked(
    model: Sam2VideoModel, clip: ClipSample, plan: ClipPlan, lessons: list[Lesson], objects: slice, padding: int = 0
) -> list[tuple[Tensor, Tensor, Tensor]]:
    """What the tracker makes of the same prompts, answer by answer: masks, IoUs and object scores."""
    pixels = torch.cat([clip.normalized(), torch.zeros(padding, 3, 64, 64)])
    session = Sam2VideoInferenceSession(pixels)
    answers = []

    def answer(frame: int) -> None:
        output = model(session, frame_idx=frame)
        answers.append(tuple(each.flatten(0, 1) for each in (output.pred_masks, output.iou_scores)))

    for frame in plan.order():
        said = [lesson.prompts for lesson in lessons if lesson.frame == frame]
        if plan.prompts.get(frame) is MASK:
            for number, mask in enumerate(clip.masks[frame]):
                session.add_prompt(number, frame, whole_mask(mask))
            answer(frame)
        for prompts in said:
            if prompts is not None:
                points, labels = prompts.points[objects, 0], prompts.labels[objects, 0]
                for number in range(len(points)):
                    session.add_prompt(number, frame, FramePrompt(points[number], labels[number]))
            answer(frame)
    return answers


def shown(follower: Follower) -> list[ObjectOutcome]:
    """All answers in order; masks that were given are taken as they are, without a lesson."""
    answers: list[ObjectOutcome] = []
    for frame in follower.plan.order():
        answers += [lesson.outcome for lesson in follower.lessons if lesson.frame == frame] or [
            follower.outcomes[frame]
        ]
    return answers


PLANS = {
    "a click": ClipPlan(3, {0: CLICK}, frozenset()),
    "a box": ClipPlan(3, {0: BOX}, frozenset()),
    "a mask": ClipPlan(3, {0: MASK}, frozenset()),
    "corrected at once": ClipPlan(3, {0: CLICK}, frozenset({0})),
    "corrected later": ClipPlan(4, {0: CLICK}, frozenset({0, 2})),
    "two masks": ClipPlan(6, {0: MASK, 4: MASK}, frozenset()),
    "two frames of clicks and boxes, corrected": ClipPlan(5, {0: BOX, 3: CLICK}, frozenset({0, 3})),
}


@pytest.mark.parametrize("name", PLANS)
def test_a_clip_is_followed_as_the_tracker_does(model: Sam2VideoModel, name: str) -> None:
    plan = PLANS[name]
    clip = sample(plan.frames, 12, 20)
    follower = followed(model, [clip], plan)
    answers = shown(follower)
    expected = tracked(model, clip, plan, follower.lessons, slice(None))
    assert len(answers) == len(expected) == plan.frames + 3 * len(plan.corrected)
    for outcome, (masks, iou) in zip(answers, expected, strict=True):
        torch.testing.assert_close(outcome.logits, masks, atol=1e-4, rtol=0)
        torch.testing.assert_close(outcome.iou, iou, atol=1e-4, rtol=0)
    assert len({bool((outcome.object_score > 0).all()) for outcome in answers}) >= 1
    assert max(outcome.logits.std() for outcome in answers) > 0.1
