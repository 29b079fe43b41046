"""Pixels to features: Hiera, the neck, the position encodings and the three levels that the decoder reads."""

from collections.abc import Callable

import pytest
from tests.parity.agreement import assert_agrees, assert_all_agree
from tests.parity.conftest import Trio


def test_stages_of_hiera(small: Trio) -> None:
    ours = small.masklet.vision_encoder.backbone(small.pixels)
    theirs = small.transformers.vision_encoder.backbone(small.pixels)
    assert_agrees(ours.last_hidden_state, theirs.last_hidden_state, "last hidden state")
    assert_all_agree(ours.intermediate_hidden_states, theirs.intermediate_hidden_states, "stages (transformers)")
    meta = [stage.permute(0, 2, 3, 1) for stage in small.meta.image_encoder.trunk(small.pixels)]
    assert_all_agree(ours.intermediate_hidden_states, meta, "stages (Meta)")


def test_levels_and_position_encodings_of_the_neck(small: Trio) -> None:
    ours = small.masklet.vision_encoder(small.pixels)
    theirs = small.transformers.vision_encoder(small.pixels)
    meta = small.meta.image_encoder(small.pixels)
    assert_agrees(ours.last_hidden_state, theirs.last_hidden_state, "last hidden state")
    for name, expected in (
        ("transformers", (theirs.fpn_hidden_states, theirs.fpn_position_encoding)),
        ("Meta", (meta["backbone_fpn"], meta["vision_pos_enc"])),
    ):
        assert_all_agree(ours.fpn_hidden_states, expected[0], f"levels ({name})")
        # One position table serves every image of a batch, whether it is repeated or broadcast.
        positions = [
            ours_level.expand_as(level)
            for ours_level, level in zip(ours.fpn_position_encoding, expected[1], strict=True)
        ]
        assert_all_agree(positions, expected[1], f"positions ({name})")


def test_image_embeddings(small: Trio) -> None:
    ours = small.masklet.get_image_embeddings(small.pixels)
    assert isinstance(ours, list)
    assert_all_agree(ours, small.transformers.get_image_embeddings(small.pixels), "embeddings (transformers)")
    assert_all_agree(ours, small.meta.encode(small.pixels), "embeddings (Meta)")


def test_dense_positional_embeddings(small: Trio) -> None:
    ours = small.masklet.get_image_wide_positional_embeddings()
    assert_agrees(ours, small.transformers.get_image_wide_positional_embeddings(), "transformers")
    assert_agrees(ours, small.meta.sam_prompt_encoder.get_dense_pe(), "Meta")


@pytest.mark.parametrize("image_size", [192, 256])
def test_grids_that_the_windows_do_not_divide(trio_of: Callable[[str, int], Trio], image_size: int) -> None:
    trio = trio_of("small", image_size)
    assert_all_agree(
        trio.masklet.get_image_embeddings(trio.pixels), trio.meta.encode(trio.pixels), f"embeddings at {image_size}"
    )


def test_hidden_states_and_attentions(small: Trio) -> None:
    flags = {"output_hidden_states": True, "output_attentions": True}
    ours = small.masklet(small.pixels, **flags)
    theirs = small.transformers(small.pixels, **flags)
    assert_all_agree(ours.vision_hidden_states, theirs.vision_hidden_states, "hidden states")
    assert_all_agree(ours.vision_attentions, theirs.vision_attentions, "attentions")
    assert len(ours.mask_decoder_attentions) == len(theirs.mask_decoder_attentions) == 2
    for mine, reference in zip(ours.mask_decoder_attentions, theirs.mask_decoder_attentions, strict=True):
        assert_agrees(mine, reference, "mask decoder attention")
