"""The losses: values computed by hand, who learns what."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.modeling.values import MaskOutputs
from masklet.training.procedure.losses import dice_loss, focal_loss, measured_iou, round_loss
from masklet.training.settings.procedure import LossWeights
from masklet.training.targets import CropTargets

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


def decoded(best: int, iou: list[float] | None = None) -> MaskOutputs:
    """One object: output `best` is nearly right, output 0 a little, the others wrong."""
    masks = torch.stack([(TARGET - 0.5) * (8.0 if i == best else 1.0 if i == 0 else -8.0) for i in range(4)], dim=2)
    masks = masks[0].expand(1, 1, 4, 4, 4).clone().requires_grad_()
    scores = torch.tensor([[iou or [0.5, 0.5, 0.5, 0.5]]]).requires_grad_()
    return MaskOutputs(masks, scores, torch.zeros(1, 1, requires_grad=True), torch.zeros(1))


def learns(gradient: Tensor | None) -> list[bool]:
    assert gradient is not None
    return gradient.flatten(3).any(-1)[0, 0].tolist()


@pytest.mark.parametrize("best", [1, 2, 3])
def test_of_an_ambiguous_prompt_the_best_output_learns_and_all_three_learn_their_iou(best: int) -> None:
    output = decoded(best)
    loss = round_loss(output, TARGET, torch.tensor([[True]]), torch.tensor([[True]]), WEIGHTS)
    loss.total.backward()
    assert learns(output.logits.grad) == [index == best for index in range(4)]
    assert output.iou.grad[0, 0].ne(0).tolist() == [False, True, True, True]
    torch.testing.assert_close(loss.parts["iou"], torch.tensor((0.5 + 0.5 + 0.5) / 3))


def test_all_three_outputs_learn_by_their_share() -> None:
    output = answer([VAGUE, HALF, SURE, WRONG], [0.9, 0.4, 0.7, 0.3], score=0.0)
    weights = LossWeights(shared=0.3)
    loss = round_loss(output, ONE_CELL.view(1, 1, 2, 2), torch.tensor([[True]]), torch.ones(1, 1), weights)
    loss.total.backward()
    assert learns(output.logits.grad) == [False, True, True, True]
    for part, of in (("focal", FOCAL), ("dice", DICE)):
        expected = 0.7 * of["sure"] + 0.1 * (of["sure"] + of["half"] + of["wrong"])
        assert loss.parts[part].item() == pytest.approx(expected, rel=1e-5)
    output = decoded(best=2)
    round_loss(output, TARGET, torch.tensor([[False]]), torch.tensor([[True]]), weights).total.backward()
    assert learns(output.logits.grad) == [True, False, False, False]


def test_of_a_clear_prompt_output_0_learns_alone() -> None:
    output = decoded(best=2)
    loss = round_loss(output, TARGET, torch.tensor([[False]]), torch.tensor([[True]]), WEIGHTS)
    loss.total.backward()
    assert learns(output.logits.grad) == [True, False, False, False]
    assert output.iou.grad[0, 0].ne(0).tolist() == [True, False, False, False]
    torch.testing.assert_close(loss.chosen_logits, output.logits[:, :, 0].detach())


def test_what_is_shown_is_chosen_by_predicted_iou_not_by_the_truth() -> None:
    output = decoded(best=1, iou=[0.99, 0.2, 0.1, 0.7])
    loss = round_loss(output, TARGET, torch.tensor([[True]]), torch.tensor([[True]]), WEIGHTS)
    assert torch.equal(loss.chosen_logits, output.logits[:, :, 3].detach())
    assert not loss.chosen_logits.requires_grad
    assert loss.parts["measured_iou"].item() == 0


# An image of 2 x 2 cells, of which the object has the upper left one. The network says for each of its four outputs
# how sure it is of the cells; probabilities of 0.5, 0.8 and 0.2 have logits of 0 and +-log 4.
LOG4 = math.log(4)
SURE = [[LOG4, -LOG4], [-LOG4, -LOG4]]
VAGUE = [[0.0, 0.0], [0.0, 0.0]]
WRONG = [[-LOG4, LOG4], [LOG4, LOG4]]
HALF = [[LOG4, LOG4], [-LOG4, -LOG4]]
# Worked out on paper. Focal loss of a cell: alpha (1 - p)^2 -log p on the object, (1 - alpha) p^2 -log (1 - p) off it.
FOCAL = {
    # 0.25 * 0.04 * 0.22314 + 3 * 0.75 * 0.04 * 0.22314, over 4 cells
    "sure": 0.00557859,
    # (0.25 + 3 * 0.75) * 0.25 * 0.69315, over 4
    "vague": 0.10830424,
    # 0.25 * 0.64 * 1.60944 + 3 * 0.75 * 0.64 * 1.60944, over 4
    "wrong": 0.64377517,
    # 0.25 * 0.04 * 0.22314 + 0.75 * 0.64 * 1.60944 + 2 * 0.75 * 0.04 * 0.22314, over 4
    "half": 0.19703756,
}
DICE = {
    "sure": 1 - (2 * 0.8 + 1) / (1.4 + 1 + 1),  # 0.2352941
    "vague": 1 - (2 * 0.5 + 1) / (2.0 + 1 + 1),  # 0.5
    "wrong": 1 - (2 * 0.2 + 1) / (2.6 + 1 + 1),  # 0.6956522
    "half": 1 - (2 * 0.8 + 1) / (2.0 + 1 + 1),  # 0.35
}
IOU = {"sure": 1.0, "vague": 0.0, "wrong": 0.0, "half": 0.5}
ONE_CELL = torch.tensor([[1.0, 0.0], [0.0, 0.0]])


def answer(outputs: list[list[list[float]]], iou: list[float], score: float) -> MaskOutputs:
    masks = torch.tensor(outputs).view(1, 1, 4, 2, 2).requires_grad_()
    scores = torch.tensor(iou).view(1, 1, 4).requires_grad_()
    return MaskOutputs(masks, scores, torch.tensor([[score]]).requires_grad_(), torch.zeros(1))


@pytest.mark.parametrize(
    ("is_ambiguous", "learnt", "iou_error"),
    [
        (True, "sure", (abs(0.4 - 0.5) + abs(0.7 - 1.0) + abs(0.3 - 0.0)) / 3),  # all of three, not output 0
        (False, "vague", abs(0.9 - 0.0)),  # output 0 alone
    ],
)
def test_the_loss_of_an_answer_on_paper(is_ambiguous: bool, learnt: str, iou_error: float) -> None:
    output = answer([VAGUE, HALF, SURE, WRONG], [0.9, 0.4, 0.7, 0.3], score=math.log(3))  # present at 0.75
    loss = round_loss(output, ONE_CELL.view(1, 1, 2, 2), torch.tensor([[is_ambiguous]]), torch.ones(1, 1), WEIGHTS)
    parts = {name: value.item() for name, value in loss.parts.items()}
    assert parts["focal"] == pytest.approx(FOCAL[learnt], rel=1e-5)
    assert parts["dice"] == pytest.approx(DICE[learnt], rel=1e-5)
    assert parts["iou"] == pytest.approx(iou_error, rel=1e-5)
    assert parts["object_score"] == pytest.approx(0.28768207, rel=1e-5)  # -log 0.75
    expected = 20 * FOCAL[learnt] + DICE[learnt] + iou_error + 0.28768207
    assert loss.total.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["sure", "vague", "wrong", "half"])
def test_losses_and_iou_of_one_mask_on_paper(name: str) -> None:
    logits = torch.tensor({"sure": SURE, "vague": VAGUE, "wrong": WRONG, "half": HALF}[name])
    assert focal_loss(logits, ONE_CELL).item() == pytest.approx(FOCAL[name], rel=1e-5)
    assert dice_loss(logits, ONE_CELL).item() == pytest.approx(DICE[name], rel=1e-5)
    assert measured_iou(logits, ONE_CELL).item() == IOU[name]


def test_the_best_mask_is_the_one_with_the_least_focal_and_dice_loss_together() -> None:
    """Dice alone would prefer `half` (0.35) to `vague` (0.5); with focal loss times 20 it is the other way round."""
    output = answer([WRONG, WRONG, HALF, VAGUE], [0.5] * 4, score=0.0)
    both = round_loss(output, ONE_CELL.view(1, 1, 2, 2), torch.tensor([[True]]), torch.ones(1, 1), WEIGHTS)
    assert both.parts["dice"].item() == pytest.approx(DICE["vague"])
    dice_alone = LossWeights(focal=0.0)
    other = round_loss(output, ONE_CELL.view(1, 1, 2, 2), torch.tensor([[True]]), torch.ones(1, 1), dice_alone)
    assert other.parts["dice"].item() == pytest.approx(DICE["half"])


def test_an_absent_object_counts_in_every_average_but_teaches_its_score_only() -> None:
    """Two objects: one there and answered well, one absent but taken for present at 0.75."""
    there, absent = (answer([VAGUE, HALF, SURE, WRONG], [0.5] * 4, score=math.log(3)) for _ in range(2))
    both = MaskOutputs(
        torch.cat([there.logits, absent.logits]),
        torch.cat([there.iou, absent.iou]),
        torch.cat([there.object_score, absent.object_score]),
        torch.zeros(1),
    )
    targets = torch.stack([ONE_CELL, torch.zeros(2, 2)]).unsqueeze(1)
    loss = round_loss(both, targets, torch.tensor([[True], [True]]), torch.full((2, 1), 0.5), WEIGHTS)
    assert loss.parts["focal"].item() == pytest.approx(FOCAL["sure"] / 2, rel=1e-5)
    assert loss.parts["dice"].item() == pytest.approx(DICE["sure"] / 2, rel=1e-5)
    assert loss.parts["iou"].item() == pytest.approx((0.0 + 0.5 + 0.5) / 3 / 2, rel=1e-5)
    assert loss.parts["object_score"].item() == pytest.approx((0.28768207 + 1.38629436) / 2, rel=1e-5)  # -log 0.25
    loss.total.backward()
    assert not absent.logits.grad.any()
    assert not absent.iou.grad.any()
    assert absent.object_score.grad.item() == pytest.approx(0.75 / 2)


def test_objects_count_as_much_as_is_said() -> None:
    good, bad = (answer([output] * 4, [0.5] * 4, score=0.0) for output in (SURE, WRONG))
    both = MaskOutputs(
        torch.cat([good.logits, bad.logits]),
        torch.cat([good.iou, bad.iou]),
        torch.cat([good.object_score, bad.object_score]),
        torch.zeros(1),
    )
    targets, clear = ONE_CELL.expand(2, 1, 2, 2), torch.tensor([[False], [False]])
    loss = round_loss(both, targets, clear, torch.tensor([[0.75], [0.25]]), WEIGHTS)
    assert loss.parts["dice"].item() == pytest.approx(0.75 * DICE["sure"] + 0.25 * DICE["wrong"])


def test_total_is_the_weighted_sum() -> None:
    weights = LossWeights(focal=2.0, dice=3.0, iou=5.0, object_score=7.0)
    parts = round_loss(decoded(1), TARGET, torch.tensor([[True]]), torch.tensor([[True]]), weights)
    by_hand = sum(getattr(weights, name) * parts.parts[name] for name in ("focal", "dice", "iou", "object_score"))
    torch.testing.assert_close(parts.total, by_hand)
    torch.testing.assert_close(parts.parts["object_score"], torch.tensor(math.log(2)))


def test_objects_that_are_not_valid_have_no_say() -> None:
    two = MaskOutputs(
        torch.randn(1, 2, 4, 4, 4, requires_grad=True),
        torch.rand(1, 2, 4).requires_grad_(),
        torch.zeros(1, 2, requires_grad=True),
        torch.zeros(1),
    )
    one = MaskOutputs(two.logits[:, :1], two.iou[:, :1], two.object_score[:, :1], two.pointers)
    targets, ambiguous = TARGET.expand(1, 2, 4, 4), torch.tensor([[True, False]])
    loss = round_loss(two, targets, ambiguous, torch.tensor([[True, False]]), WEIGHTS)
    alone = round_loss(one, targets[:, :1], ambiguous[:, :1], torch.tensor([[True]]), WEIGHTS)
    torch.testing.assert_close(loss.total, alone.total)
    loss.total.backward()
    for field in (two.logits, two.iou, two.object_score):
        assert not field.grad[:, 1].any()
        assert field.grad[:, 0].any()


def test_nothing_valid_is_no_loss() -> None:
    loss = round_loss(decoded(1), TARGET, torch.tensor([[True]]), torch.tensor([[False]]), WEIGHTS)
    assert loss.total.item() == 0


def test_a_share_in_close_ups_needs_them() -> None:
    with pytest.raises(AssertionError, match="must be given"):
        round_loss(decoded(1), TARGET, torch.tensor([[True]]), torch.tensor([[True]]), LossWeights(cropped=0.1))


# From near: images of 64 x 64 pixels and 2 x 2 cells, of which the object has a quarter, or one pixel.
def near_by(mask: Tensor) -> CropTargets:
    return CropTargets.of(mask.view(1, 1, 64, 64))


def quarter() -> Tensor:
    mask = torch.zeros(64, 64, dtype=torch.bool)
    mask[:32, :32] = True
    return mask


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_close_ups_take_their_share_of_the_mask_losses(share: float) -> None:
    crops, target = near_by(quarter()), ONE_CELL.view(1, 1, 2, 2)
    output = answer([VAGUE, HALF, SURE, WRONG], [0.5] * 4, score=0.0)
    clear, one = torch.tensor([[False]]), torch.ones(1, 1)
    loss = round_loss(output, target, clear, one, LossWeights(cropped=share), crops)
    # Of the window, 40 x 40 pixels, the object has 32 x 32; the answer is 0 everywhere.
    inside = crops.inside.float().mean().item()
    assert inside == pytest.approx(0.8**2, abs=0.02)
    near_focal = (0.25 * inside + 0.75 * (1 - inside)) * 0.25 * math.log(2)
    near_dice = 1 - (2 * 0.5 * inside * 4096 + 1) / (0.5 * 4096 + inside * 4096 + 1)
    assert loss.parts["focal"].item() == pytest.approx((1 - share) * FOCAL["vague"] + share * near_focal, rel=1e-5)
    assert loss.parts["dice"].item() == pytest.approx((1 - share) * DICE["vague"] + share * near_dice, rel=1e-5)


def test_from_near_the_iou_of_an_object_smaller_than_a_cell_is_that_of_its_pixels() -> None:
    """From afar a single cell is all there is of it, and the answer that finds it is wholly right."""
    mask = torch.zeros(64, 64, dtype=torch.bool)
    mask[21:24, 21:24] = True
    target = F.avg_pool2d(mask.view(1, 1, 64, 64).float(), 4)
    found = torch.full((16, 16), -4.0)
    found[5, 5] = 2.5
    nothing = torch.full((16, 16), -4.0)
    masks = torch.stack([nothing, found, nothing, nothing]).view(1, 1, 4, 16, 16)
    output = MaskOutputs(masks, torch.tensor([[[0.5, 0.9, 0.1, 0.1]]]), torch.zeros(1, 1), torch.zeros(1))
    weights = LossWeights(cropped=0.5)
    loss = round_loss(output, target, torch.tensor([[True]]), torch.ones(1, 1), weights, near_by(mask))
    shown = F.interpolate(found.view(1, 1, 16, 16), scale_factor=4.0, mode="bilinear")[0, 0] > 0
    by_pixels = (shown & mask).sum() / (shown | mask).sum()
    assert by_pixels < 0.9
    assert measured_iou(found, target[0, 0]) == 1
    assert loss.parts["measured_iou"].item() == pytest.approx(by_pixels.item(), abs=0.05)


def test_iou_from_near_counts_what_is_spilt_beyond_the_window() -> None:
    crops = near_by(quarter())  # the window ends at 40 of 64 pixels
    masks = torch.full((1, 1, 4, 16, 16), -4.0)
    masks[..., :8, :8] = 4.0
    masks[:, :, 1, :8, 12:] = 4.0  # 32 x 16 pixels beyond it
    output = MaskOutputs(masks, torch.tensor([[[0.0, 0.9, 0.1, 0.1]]]), torch.zeros(1, 1), torch.zeros(1))
    target = F.avg_pool2d(quarter().view(1, 1, 64, 64).float(), 4)
    loss = round_loss(output, target, torch.tensor([[True]]), torch.ones(1, 1), LossWeights(cropped=0.5), crops)
    assert loss.parts["measured_iou"].item() == pytest.approx(2 / 3, abs=0.03)
