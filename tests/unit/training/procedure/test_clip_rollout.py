"""Clips are followed in training exactly as the tracker follows them, prompt by prompt."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.support.clips import clip_of
from tests.support.small_models import randomised
from tests.support.small_recipes import small_video_config
from torch import Tensor

from masklet import Sam2VideoInferenceSession, Sam2VideoModel
from masklet.prompts.simulated_annotator import SimulatedAnnotator
from masklet.runtimes.object_masks import ObjectMask
from masklet.tracking.frame_prompt import prompt_of_points, whole_mask
from masklet.training.procedure.clip_rollout import ClipPlan, ClipRollout, SupervisedOutput
from masklet.training.settings.procedure import ClipTracking
from masklet.training.supply.clip_batches import ClipBatch, ClipSample, sample_clip
from masklet.training.supply.prompting import PromptKind

CLICK, BOX, MASK = PromptKind.CLICK, PromptKind.BOX, PromptKind.MASK


@pytest.fixture(scope="module")
def model() -> Sam2VideoModel:
    torch.manual_seed(0)
    network = randomised(Sam2VideoModel(small_video_config()), 3)
    network.resize(64)
    with torch.no_grad():  # about half of the objects are taken for absent
        network.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(0.0)
    return network


def sample(frames: int, *sides: int) -> ClipSample:
    """The squares leave to the right: from the fifth frame on they are not to be seen."""
    clip = sample_clip(clip_of(*sides, frames=frames), len(sides), np.random.default_rng(0))
    noise = torch.randint(0, 60, clip.pixel_values.shape, generator=torch.Generator().manual_seed(1))
    return replace(clip, pixel_values=(clip.pixel_values // 2 + noise).byte())


def followed(
    model: Sam2VideoModel, clips: list[ClipSample], plan: ClipPlan, tracking: ClipTracking | None = None
) -> ClipRollout:
    annotator = SimulatedAnnotator(np.random.default_rng(5), center_share=0.3)
    rollout = ClipRollout(model, ClipBatch(clips), plan, tracking or ClipTracking(corrections=3), annotator)
    with torch.no_grad():
        rollout.run()
    return rollout


def tracked(
    model: Sam2VideoModel,
    clip: ClipSample,
    plan: ClipPlan,
    supervised_outputs: list[SupervisedOutput],
    objects: slice,
    padding: int = 0,
) -> list[tuple[Tensor, Tensor]]:
    """What the tracker makes of the same prompts, answer by answer: masks and IoUs of these objects.

    `padding` more frames make the video longer than the clip.
    """
    session = Sam2VideoInferenceSession(torch.cat([clip.normalized(), torch.zeros(padding, 3, 64, 64)]))
    answers = []

    def answer(frame: int) -> None:
        output = model(session, frame_idx=frame)
        answers.append((output.pred_masks[:, 0], output.iou_scores.flatten()))

    for frame in plan.order():
        if plan.prompts.get(frame) is MASK:
            for number, mask in enumerate(clip.masks[frame]):
                session.add_prompt(number, frame, whole_mask(mask))
            answer(frame)
        for output in supervised_outputs:
            if output.frame == frame:
                if output.prompts is not None:
                    said = output.prompts.points[objects, 0], output.prompts.labels[objects, 0]
                    for number, (points, labels) in enumerate(zip(*said, strict=True)):
                        session.add_prompt(number, frame, prompt_of_points(points, labels))
                answer(frame)
    return answers


def shown(rollout: ClipRollout) -> list[ObjectMask]:
    """All answers in order; masks that were given are taken as they are, without a output."""
    answers: list[ObjectMask] = []
    for frame in rollout.plan.order():
        learnt = [output.mask for output in rollout.supervised_outputs if output.frame == frame]
        answers += learnt or [rollout.final_masks[frame]]
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


def assert_equal(answers: list[ObjectMask], expected: list[tuple[Tensor, Tensor]], objects: slice) -> None:
    assert len(answers) == len(expected)
    for outcome, (masks, iou) in zip(answers, expected, strict=True):
        torch.testing.assert_close(outcome.logits[objects], masks, atol=1e-4, rtol=0)
        torch.testing.assert_close(outcome.iou[objects], iou, atol=1e-4, rtol=0)


@pytest.mark.parametrize("is_sure", [True, False])
@pytest.mark.parametrize("name", PLANS)
def test_a_clip_is_followed_as_the_tracker_does(
    model: Sam2VideoModel, name: str, is_sure: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model.config, "binarize_mask_from_pts_for_mem_enc", is_sure)
    plan = PLANS[name]
    clip = sample(plan.frames, 12, 20)
    rollout = followed(model, [clip], plan)
    answers = shown(rollout)
    assert len(answers) == plan.frames + 3 * len(plan.corrected)
    assert_equal(answers, tracked(model, clip, plan, rollout.supervised_outputs, slice(None)), slice(None))
    assert max(outcome.logits.std() for outcome in answers) > 0.1  # not just absent everywhere


def test_objects_of_several_clips_are_one_batch_and_have_nothing_to_do_with_each_other(model: Sam2VideoModel) -> None:
    plan, clips = ClipPlan(4, {0: BOX, 2: CLICK}, frozenset({0, 2})), [sample(4, 12, 20), sample(4, 16)]
    rollout = followed(model, clips, plan)
    for clip, objects in zip(clips, (slice(0, 2), slice(2, 3)), strict=True):
        assert_equal(shown(rollout), tracked(model, clip, plan, rollout.supervised_outputs, objects), objects)


def test_an_excerpt_is_followed_as_the_beginning_of_a_long_video(model: Sam2VideoModel) -> None:
    plan, clip = ClipPlan(3, {0: CLICK}, frozenset()), sample(3, 12)
    rollout = followed(model, [clip], plan, ClipTracking(as_excerpt=True))
    everything = slice(None)
    assert_equal(
        shown(rollout), tracked(model, clip, plan, rollout.supervised_outputs, everything, padding=20), everything
    )
    with pytest.raises(AssertionError, match="not close"):
        assert_equal(shown(rollout), tracked(model, clip, plan, rollout.supervised_outputs, everything), everything)


def test_what_is_absent_is_followed_as_well(model: Sam2VideoModel) -> None:
    """The squares are gone on the second prompted frame: there, clicks say where they are not."""
    plan, clip = ClipPlan(6, {0: CLICK, 5: BOX}, frozenset({0, 5})), sample(6, 12, 20)
    assert not clip.masks[5].any()
    rollout = followed(model, [clip], plan)
    scores = torch.stack([outcome.object_score for outcome in shown(rollout)])
    assert (scores > 0).any()
    assert (scores <= 0).any()
    assert_equal(shown(rollout), tracked(model, clip, plan, rollout.supervised_outputs, slice(None)), slice(None))


def test_prompts_grow_by_a_click_and_only_one_click_is_ambiguous(model: Sam2VideoModel) -> None:
    rollout = followed(model, [sample(4, 12)], ClipPlan(4, {0: CLICK, 1: BOX}, frozenset({0, 1, 3})))
    said = {
        frame: [
            (0 if output.prompts is None else output.prompts.labels.shape[-1], output.is_ambiguous)
            for output in rollout.supervised_outputs
            if output.frame == frame
        ]
        for frame in range(4)
    }
    assert said == {
        0: [(1, True), (2, False), (3, False), (4, False)],
        1: [(2, False), (3, False), (4, False), (5, False)],
        2: [(0, True)],
        3: [(0, True), (1, True), (2, False), (3, False)],
    }
    assert rollout.conditioning == [0, 1, 3]


def test_in_training_prompted_frames_are_remembered_as_unsure_as_they_are(model: Sam2VideoModel) -> None:
    plan, clip = ClipPlan(2, {0: CLICK}, frozenset()), sample(2, 20)
    sure = followed(model, [clip], plan).memories[0]
    model.train()
    try:
        unsure = followed(model, [clip], plan).memories[0]
    finally:
        model.eval()
    assert not torch.allclose(sure, unsure, atol=1e-3)
