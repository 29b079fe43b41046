"""The losses: values computed by hand, who learns what."""

import math

import pytest
import torch
from torch import Tensor

from masklet.modeling.mask_decoder import DecodedMasks
from masklet.training.losses import dice_loss, focal_loss, measured_iou, round_loss
from masklet.training.recipe import LossWeights

WEIGHTS = LossWeights()


def test_focal_loss_by_hand() -> None:
    # Probabilities 0.5 and 0.75 where the target is 1 and 0.
    logits = torch.tensor([[0.0, math.log(3)]])
    targets = torch.tensor([[1.0, 0.0]])
    inside = 0.25 * 0.5**2 * -math.log(0.5)
    outside = 0.75 * 0.75**2 * -math.log(0.25)
    torch.testing.assert_close(focal_loss(logits, targets), torch.tensor((inside + outside) / 2))


def test_focal_loss_of_a_soft_target_is_least_at_the_target() -> None:
    probabilities = torch.linspace(0.05, 0.95, 19)
    losses = [focal_loss(p.logit().view(1, 1), torch.tensor([[0.3]])) for p in probabilities]
    assert probabilities[int(torch.stack(losses).argmin())].item() == pytest.approx(0.3)


def test_dice_loss_by_hand() -> None:
    logits, targets = torch.tensor([[0.0, 0.0, 50.0]]), torch.tensor([[1.0, 0.0, 1.0]])
    torch.testing.assert_close(dice_loss(logits, targets), torch.tensor(1 - (2 * 1.5 + 1) / (2 + 2 + 1)))
    assert dice_loss(torch.full((1, 3), -50.0), torch.zeros(1, 3)).item() == pytest.approx(0.0, abs=1e-6)


def test_measured_iou_by_hand() -> None:
    logits = torch.tensor([[1.0, 1.0, -1.0, -1.0]])
    assert measured_iou(logits, torch.tensor([[0.9, 0.2, 0.7, 0.1]])).item() == pytest.approx(1 / 3)
    assert measured_iou(-logits.abs(), torch.zeros(1, 4)).item() == 1
    assert measured_iou(logits, torch.zeros(1, 4)).item() == 0


TARGET = torch.zeros(1, 1, 4, 4)
TARGET[..., :2] = 1


def decoded(best: int, iou: list[float] | None = None) -> DecodedMasks:
    """One object: output `best` is nearly right, output 0 a little, the others wrong."""
    masks = torch.stack([(TARGET - 0.5) * (8.0 if i == best else 1.0 if i == 0 else -8.0) for i in range(4)], dim=2)
    masks = masks[0].expand(1, 1, 4, 4, 4).clone().requires_grad_()
    scores = torch.tensor([[iou or [0.5, 0.5, 0.5, 0.5]]]).requires_grad_()
    return DecodedMasks(masks, scores, torch.zeros(1), torch.zeros(1, 1, 1, requires_grad=True), [])


def learns(gradient: Tensor | None) -> list[bool]:
    assert gradient is not None
    return gradient.flatten(3).any(-1)[0, 0].tolist()


@pytest.mark.parametrize("best", [1, 2, 3])
def test_of_an_ambiguous_prompt_the_best_output_learns_and_all_three_learn_their_iou(best: int) -> None:
    output = decoded(best)
    loss = round_loss(output, TARGET, torch.tensor([[True]]), torch.tensor([[True]]), WEIGHTS)
    loss.total.backward()
    assert learns(output.masks.grad) == [index == best for index in range(4)]
    assert output.iou.grad[0, 0].ne(0).tolist() == [False, True, True, True]
    torch.testing.assert_close(loss.parts["iou"], torch.tensor((0.5 + 0.5 + 0.5) / 3))


def test_of_a_clear_prompt_output_0_learns_alone() -> None:
    output = decoded(best=2)
    loss = round_loss(output, TARGET, torch.tensor([[False]]), torch.tensor([[True]]), WEIGHTS)
    loss.total.backward()
    assert learns(output.masks.grad) == [True, False, False, False]
    assert output.iou.grad[0, 0].ne(0).tolist() == [True, False, False, False]
    torch.testing.assert_close(loss.chosen_logits, output.masks[:, :, 0].detach())


def test_what_is_shown_is_chosen_by_predicted_iou_not_by_the_truth() -> None:
    output = decoded(best=1, iou=[0.99, 0.2, 0.1, 0.7])
    loss = round_loss(output, TARGET, torch.tensor([[True]]), torch.tensor([[True]]), WEIGHTS)
    assert torch.equal(loss.chosen_logits, output.masks[:, :, 3].detach())
    assert not loss.chosen_logits.requires_grad
    assert loss.parts["measured_iou"].item() == 0


def test_total_is_the_weighted_sum() -> None:
    weights = LossWeights(focal=2.0, dice=3.0, iou=5.0, object_score=7.0)
    parts = round_loss(decoded(1), TARGET, torch.tensor([[True]]), torch.tensor([[True]]), weights)
    by_hand = sum(getattr(weights, name) * parts.parts[name] for name in ("focal", "dice", "iou", "object_score"))
    torch.testing.assert_close(parts.total, by_hand)
    torch.testing.assert_close(parts.parts["object_score"], torch.tensor(math.log(2)))


def test_objects_that_are_not_valid_have_no_say() -> None:
    two = DecodedMasks(
        torch.randn(1, 2, 4, 4, 4, requires_grad=True),
        torch.rand(1, 2, 4).requires_grad_(),
        torch.zeros(1),
        torch.zeros(1, 2, 1, requires_grad=True),
        [],
    )
    one = DecodedMasks(two.masks[:, :1], two.iou[:, :1], two.tokens, two.object_score[:, :1], [])
    targets, ambiguous = TARGET.expand(1, 2, 4, 4), torch.tensor([[True, False]])
    loss = round_loss(two, targets, ambiguous, torch.tensor([[True, False]]), WEIGHTS)
    alone = round_loss(one, targets[:, :1], ambiguous[:, :1], torch.tensor([[True]]), WEIGHTS)
    torch.testing.assert_close(loss.total, alone.total)
    loss.total.backward()
    for field in (two.masks, two.iou, two.object_score):
        assert not field.grad[:, 1].any()
        assert field.grad[:, 0].any()


def test_nothing_valid_is_no_loss() -> None:
    loss = round_loss(decoded(1), TARGET, torch.tensor([[True]]), torch.tensor([[False]]), WEIGHTS)
    assert loss.total.item() == 0
