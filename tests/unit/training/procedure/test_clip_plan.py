"""Plans of clips: the paper's shares, and what no plan may be."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from masklet.training.procedure.clip_rollout import ClipPlan, draw_plan
from masklet.training.settings.procedure import ClipTracking, PromptShares
from masklet.training.supply.prompting import PromptKind

PAPER = ClipTracking()
CLICK, BOX, MASK = PromptKind.CLICK, PromptKind.BOX, PromptKind.MASK


def plans(frames: int = 8, tracking: ClipTracking = PAPER, count: int = 2000) -> list[ClipPlan]:
    return [draw_plan(frames, tracking, np.random.default_rng(seed)) for seed in range(count)]


def shares(values: list[object]) -> dict[object, float]:
    return {value: number / len(values) for value, number in Counter(values).items()}


def test_by_default_prompts_and_corrections_are_the_papers() -> None:
    drawn = plans()
    first = shares([plan.prompts[0] for plan in drawn])
    assert first == {MASK: pytest.approx(0.5, abs=0.04), CLICK: pytest.approx(0.25, abs=0.04),
                     BOX: pytest.approx(0.25, abs=0.04)}  # fmt: skip
    assert shares([len(plan.prompts) for plan in drawn]) == {n: pytest.approx(0.5, abs=0.04) for n in (1, 2)}
    assert all(next(iter(plan.prompts)) == 0 for plan in drawn)
    others = shares([list(plan.prompts)[1] for plan in drawn if len(plan.prompts) == 2])
    assert others == {frame: pytest.approx(1 / 7, abs=0.04) for frame in range(1, 8)}
    assert PAPER.corrections == 7


def test_clips_prompted_by_masks_hold_masks_alone_and_are_not_corrected() -> None:
    for plan in plans():
        is_masked = [kind is MASK for kind in plan.prompts.values()]
        assert all(is_masked) or not any(is_masked)
        if all(is_masked):
            assert not plan.corrected


def test_all_prompted_frames_are_corrected_and_at_most_one_more() -> None:
    drawn = [plan for plan in plans() if plan.prompts[0] is not MASK]
    assert all(plan.corrected >= set(plan.prompts) for plan in drawn)
    of_one = [len(plan.corrected) for plan in drawn if len(plan.prompts) == 1]
    assert shares(of_one) == {1: pytest.approx(0.5, abs=0.06), 2: pytest.approx(0.5, abs=0.06)}
    assert {len(plan.corrected) for plan in drawn if len(plan.prompts) == 2} == {2}


def test_prompted_frames_are_visited_first() -> None:
    assert ClipPlan(5, {0: CLICK, 3: BOX}, frozenset()).order() == [0, 3, 1, 2, 4]


@pytest.mark.parametrize("frames", [1, 2])
def test_short_clips_leave_something_to_learn(frames: int) -> None:
    for plan in plans(frames, count=100):
        assert len(plan.prompts) == 1
        assert max(plan.corrected, default=0) < frames
        assert frames > 1 or plan.prompts[0] is not MASK


def test_without_corrections_no_frame_is_corrected() -> None:
    assert not any(plan.corrected for plan in plans(tracking=replace(PAPER, corrections=0), count=50))
    one = replace(PAPER, prompted_frames=1, corrected_frames=1, prompts=PromptShares(1, 0, 0))
    assert {plan.corrected for plan in plans(tracking=one, count=50)} == {frozenset({0})}


def test_equal_chance_gives_equal_plans() -> None:
    assert plans(count=20) == plans(count=20)
