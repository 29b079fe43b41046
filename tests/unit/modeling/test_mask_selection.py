"""Which of the decoder's masks are returned."""

import pytest
import torch
from torch import Tensor

from masklet.configuration import Sam2MaskDecoderConfig
from masklet.modeling.mask_selection import multimask_outputs, single_output, stability
from masklet.modeling.outputs import DecodedMasks

CONFIG = Sam2MaskDecoderConfig()


def mask_with(above: int, between: int) -> Tensor:
    """100 pixels, `above` of them surely inside, `between` undecided, the others surely outside."""
    logits = torch.full((100,), -5.0)
    logits[:above] = 5.0
    logits[above : above + between] = 0.0
    return logits.view(10, 10)


def decoded(first: Tensor, best: int = 2) -> DecodedMasks:
    """One object whose mask 0 is `first` and whose output `best` has the highest IoU of the others."""
    others = [torch.full((10, 10), float(index)) for index in (1, 2, 3)]
    iou = torch.tensor([0.99, 0.1, 0.2, 0.3])
    iou[best] = 0.8
    nothing = torch.zeros(1, 1, 1)
    return DecodedMasks(torch.stack([first, *others])[None, None], iou[None, None], nothing, nothing, [])


@pytest.mark.parametrize(
    ("above", "between", "expected"),
    [(50, 0, 1.0), (98, 2, 0.98), (49, 1, 0.98), (48, 2, 0.96), (0, 10, 0.0), (0, 0, 1.0)],
)
def test_stability(above: int, between: int, expected: float) -> None:
    torch.testing.assert_close(stability(mask_with(above, between), 0.05), torch.tensor(expected))


def test_stability_counts_strictly_beyond_the_margin() -> None:
    logits = torch.tensor([[0.05, 0.06, -0.05, -0.04]])
    torch.testing.assert_close(stability(logits, 0.05), torch.tensor(1 / 3))


@pytest.mark.parametrize(
    ("above", "between", "falls_back"), [(49, 1, False), (48, 2, True), (0, 0, False), (0, 10, True)]
)
@pytest.mark.parametrize("best", [1, 2, 3])
def test_an_unstable_mask_gives_way_to_the_best_of_the_others(
    above: int, between: int, falls_back: bool, best: int
) -> None:
    first = mask_with(above, between)
    masks, iou = single_output(decoded(first, best), CONFIG, training=False)
    assert masks.shape == (1, 1, 1, 10, 10)
    assert torch.equal(masks[0, 0, 0], torch.full((10, 10), float(best)) if falls_back else first)
    torch.testing.assert_close(iou, torch.tensor([[[0.8 if falls_back else 0.99]]]))


@pytest.mark.parametrize(
    ("config", "training"), [(CONFIG, True), (Sam2MaskDecoderConfig(dynamic_multimask_via_stability=False), False)]
)
def test_no_fallback_in_training_or_without_the_option(config: Sam2MaskDecoderConfig, training: bool) -> None:
    first = mask_with(10, 50)
    masks, iou = single_output(decoded(first), config, training)
    assert torch.equal(masks[0, 0, 0], first)
    assert iou.item() == pytest.approx(0.99)


def test_each_object_falls_back_alone() -> None:
    stable, unstable = decoded(mask_with(50, 0)), decoded(mask_with(10, 50), best=3)
    both = DecodedMasks(
        torch.cat([stable.masks, unstable.masks], dim=1),
        torch.cat([stable.iou, unstable.iou], dim=1),
        stable.tokens,
        stable.object_score,
        [],
    )
    masks, _ = single_output(both, CONFIG, training=False)
    assert torch.equal(masks[0, 0, 0], mask_with(50, 0))
    assert torch.equal(masks[0, 1, 0], torch.full((10, 10), 3.0))


def test_multimask_outputs_leave_the_first_out() -> None:
    masks, iou = multimask_outputs(decoded(mask_with(50, 0)))
    assert masks[0, 0, :, 0, 0].tolist() == [1, 2, 3]
    torch.testing.assert_close(iou[0, 0], torch.tensor([0.1, 0.8, 0.3]))
