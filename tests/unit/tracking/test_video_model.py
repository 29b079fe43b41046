"""What users may count on when they say, track and correct; the numbers themselves are compared in tests/parity."""

from unittest.mock import patch

import pytest
import torch
from tests.support.small_sessions import FRAMES, HEIGHT, SIZE, WIDTH, model, new_session, same, tracked, video

from masklet import Sam2VideoInferenceSession, Sam2VideoModel
from masklet.errors import InvalidInputError
from masklet.tracking.memory_bank import MemoryBank

CLICK, OTHER_CLICK, NOT_HERE = ([[20, 30]], [1]), ([[44, 50]], [1]), ([[40, 12]], [0])
SQUARE = torch.zeros(SIZE, SIZE, dtype=torch.bool)
SQUARE[8:40, 20:52] = True


def test_what_is_tracked_varies() -> None:
    """Else nothing here would show anything."""
    session = new_session()
    session.add_points(1, 0, *CLICK)
    session.add_mask(2, 0, SQUARE)
    outputs = list(model().propagate_in_video_iterator(session))
    scores = torch.cat([output.object_score_logits for output in outputs])
    assert 0.2 < (scores > 0).float().mean() < 0.95
    assert len(scores.unique()) == len(scores)


def test_the_output() -> None:
    session = new_session()
    session.add_points(4, 1, *CLICK)
    session.add_mask(2, 1, SQUARE)
    output = model()(session, frame_idx=1)
    assert output.object_ids == [4, 2]
    assert output.frame_idx == 1
    assert output.pred_masks.shape == (2, 1, SIZE // 4, SIZE // 4)
    assert output.object_score_logits.shape == output.iou_scores.shape == (2, 1)
    assert output.video_res_masks.shape == (2, 1, HEIGHT, WIDTH)
    assert not output.pred_masks.requires_grad
    assert output["iou_scores"][1] == 1


def test_prompts_wait_for_their_frames() -> None:
    """Queued all at once, or looked at one by one: the same."""
    queued, looked_at = new_session(), new_session()
    for frame, object_id, prompt in ((0, 1, CLICK), (4, 1, OTHER_CLICK), (2, 2, OTHER_CLICK)):
        queued.add_points(object_id, frame, *prompt)
        looked_at.add_points(object_id, frame, *prompt)
        model()(looked_at, frame_idx=frame)
    assert same(tracked(queued), tracked(looked_at))


def test_objects_step_as_one_batch_equal_to_alone() -> None:
    prompts = {1: (0, CLICK), 2: (0, OTHER_CLICK), 3: (2, CLICK), 4: (5, OTHER_CLICK)}
    together = new_session()
    for object_id, (frame, prompt) in prompts.items():
        together.add_points(object_id, frame, *prompt)
    with patch.object(Sam2VideoModel, "condition", autospec=True, side_effect=Sam2VideoModel.condition) as condition:
        seen = tracked(together)
        calls_of_last_frame = condition.call_args_list[-1]
        assert len(calls_of_last_frame.args[2].features) == len(prompts)
    for row, (object_id, (frame, prompt)) in enumerate(prompts.items()):
        alone = new_session()
        alone.add_points(object_id, frame, *prompt)
        assert same({f: logits[row] for f, logits in seen.items()}, {
            f: logits[0] for f, logits in tracked(alone, 0).items()
        }, 1e-4)  # fmt: skip


def test_a_late_object_leaves_the_others_as_they_are() -> None:
    session, alone = new_session(), new_session()
    for each in (session, alone):
        each.add_points(1, 0, *CLICK)
    before = tracked(session)
    session.add_points(2, 12, *OTHER_CLICK)
    shown = model()(session, frame_idx=12)
    assert torch.equal(shown.pred_masks[0, 0], before[12][0])
    assert same({f: each[:1] for f, each in tracked(session, 0).items()}, tracked(alone), 1e-4)


@pytest.mark.parametrize("retention", ["window", "spill"])
def test_a_late_object_on_an_old_frame(retention: str) -> None:
    """What had been tracked there stays, as the stored mask where nothing else is kept."""
    session = new_session(retention=retention)
    session.add_points(1, 0, *CLICK)
    before = tracked(session)[6][0]
    stored = session.output(1, 6)
    assert 6 not in session.objects()[0].bank.tracked
    session.add_points(2, 6, *OTHER_CLICK)
    shown = model()(session, frame_idx=6).pred_masks[0, 0]
    assert torch.equal(shown, before) == (retention == "spill")
    assert ((shown > 0) == (before > 0)).float().mean() > 0.8
    assert session.output(1, 6) == stored


@pytest.mark.parametrize("retention", ["window", "spill"])
def test_looking_back_changes_nothing(retention: str) -> None:
    """An old frame shows what was tracked there, and tracking goes on with all the memories that it needs."""
    looking, plain = new_session(retention=retention), new_session(retention=retention)
    for each in (looking, plain):
        each.add_points(1, 0, *CLICK)
    there = tracked(looking, 0, max_frame_num_to_track=10)
    stored = looking.output(1, 6)
    shown = model().look(looking, 6).pred_masks
    assert torch.equal(shown > 0, there[6][None] > 0)
    assert torch.equal(model().look(looking, 10).pred_masks, there[10][None])
    assert looking.output(1, 6) == stored
    assert same(tracked(looking, 11), {f: each for f, each in tracked(plain).items() if f > 10})


def test_corrections_hold() -> None:
    session = new_session()
    session.add_points(1, 0, *CLICK)
    before = tracked(session)
    session.add_points(1, 3, *OTHER_CLICK)
    corrected = model()(session, frame_idx=3).pred_masks[:, 0]
    after = tracked(session)
    assert not torch.equal(corrected, before[3])
    assert torch.equal(after[3], corrected)
    assert same({f: after[f] for f in range(3)}, {f: before[f] for f in range(3)}) is False  # seen from before, too
    assert not torch.equal(after[4], before[4])
    assert list(session.objects()[0].bank.conditioning) == [0, 3]


def test_clicks_go_on_from_the_mask_that_was_there() -> None:
    """Given as the old clicks and one more, or as one more: the answered mask is fed back. Other clicks start anew."""
    masks = []
    for clicks, clear_old in (((*CLICK[0], *NOT_HERE[0]), True), (tuple(NOT_HERE[0]), False)):
        session = new_session()
        session.add_points(1, 0, *CLICK)
        model()(session, frame_idx=0)
        session.add_points(1, 0, clicks, [1, 0][-len(clicks) :], clear_old=clear_old)
        with patch.object(Sam2VideoModel, "decode", autospec=True, side_effect=Sam2VideoModel.decode) as decode:
            masks.append(model()(session, frame_idx=0).pred_masks)
            assert decode.call_args.args[4].abs().max() <= 32
    assert torch.equal(masks[0], masks[1])
    replaced, fresh = new_session(), new_session()
    replaced.add_points(1, 0, *CLICK)
    model()(replaced, frame_idx=0)
    for each in (replaced, fresh):
        each.add_points(1, 0, *OTHER_CLICK)
    assert torch.equal(model()(replaced, frame_idx=0).pred_masks, model()(fresh, frame_idx=0).pred_masks)


@pytest.mark.parametrize("is_binarized", [True, False])
def test_masks_of_clicks_are_binarized_by_config_and_given_ones_always(is_binarized: bool) -> None:
    network, session = model(), new_session()
    session.add_points(1, 0, *CLICK)
    session.add_mask(2, 0, SQUARE)
    with (
        patch.object(network.config, "binarize_mask_from_pts_for_mem_enc", is_binarized),
        patch.object(network, "encode_memory", wraps=network.encode_memory) as encode_memory,
    ):
        network(session, frame_idx=0)
        network(session, frame_idx=1)
    binarized = [call.args[3].tolist() for call in encode_memory.call_args_list]
    assert binarized == [[is_binarized], [True], [False, False]]  # clicked, given, tracked


def test_clicks_on_top_of_a_mask() -> None:
    at_once, looked_at, only_clicks = new_session(), new_session(), new_session()
    at_once.add_mask(1, 0, SQUARE)
    looked_at.add_mask(1, 0, SQUARE)
    as_given = model()(looked_at, frame_idx=0).pred_masks
    assert torch.equal(as_given[0, 0] > 0, SQUARE[::4, ::4])
    for each in (at_once, looked_at, only_clicks):
        each.add_points(1, 0, *NOT_HERE, clear_old=False)
    refined = model()(at_once, frame_idx=0).pred_masks
    assert torch.equal(refined, model()(looked_at, frame_idx=0).pred_masks)
    assert not torch.equal(refined, as_given)
    assert not torch.equal(refined, model()(only_clicks, frame_idx=0).pred_masks)


def test_padding_does_not_make_a_click_less_ambiguous() -> None:
    padded, plain = new_session(), new_session()
    padded.add_points(1, 0, [[20, 30], [-10, -10]], [1, -10])
    plain.add_points(1, 0, *CLICK)
    assert torch.equal(model()(padded, frame_idx=0).pred_masks, model()(plain, frame_idx=0).pred_masks)


def test_an_object_that_is_absent_at_first() -> None:
    session = new_session()
    session.add_mask(1, 0, torch.zeros(SIZE, SIZE))
    outputs = list(model().propagate_in_video_iterator(session))
    assert outputs[0].object_score_logits < 0
    assert (outputs[0].pred_masks < 0).all()
    result = session.output(1, 0)
    assert result is not None
    assert not result.mask.any()
    assert len(outputs) == FRAMES


def test_cleared_prompts_never_were() -> None:
    session, plain = new_session(), new_session()
    for each in (session, plain):
        each.add_points(1, 0, *CLICK)
    session.add_points(1, 6, *OTHER_CLICK)
    tracked(session)
    session.clear_prompts(1, 6)
    assert same(tracked(session), tracked(plain))


@pytest.mark.parametrize("retention", ["window", "spill"])
def test_an_object_without_prompts_begins_anew(retention: str) -> None:
    """Nothing that was tracked from cleared prompts counts as seen: neither its masks nor its memories."""
    session, fresh = new_session(retention=retention), new_session()
    session.add_points(1, 0, *CLICK)
    tracked(session)
    session.clear_prompts(1, 0)
    assert session.output(1, 7) is None
    for each in (session, fresh):
        each.add_points(1, 7, *OTHER_CLICK)
    assert same(tracked(session), tracked(fresh))


def test_removed_objects_and_reset_sessions() -> None:
    session, plain = new_session(), new_session()
    session.add_points(2, 0, *OTHER_CLICK)
    for each in (session, plain):
        each.add_points(1, 0, *CLICK)
    tracked(session)
    session.remove_object(2)
    expected = tracked(plain)
    assert same(tracked(session), expected, 1e-4)
    session.reset()
    with pytest.raises(InvalidInputError, match="There is no object"):
        model()(session, frame_idx=0)
    session.add_points(1, 0, *CLICK)
    assert same(tracked(session), expected)


@pytest.mark.parametrize("retention", ["window", "spill"])
def test_bounded_memory_gives_the_same_masks(retention: str) -> None:
    """Forward, then in reverse from the prompted frame: both look at the frames around it."""
    bounded, unbounded = new_session(retention=retention), new_session()
    results = []
    for session in (bounded, unbounded):
        session.add_points(1, 3, *CLICK)
        session.add_mask(2, 3, SQUARE)
        with patch.object(MemoryBank, "evict") if session is unbounded else patch.object(MemoryBank, "limit_results"):
            results.append((tracked(session), tracked(session, 3, reverse=True)))
    assert same(results[0][0], results[1][0])
    assert same(results[0][1], results[1][1])
    banks = [target.bank for target in bounded.objects()]
    assert all(len(bank.tracked) <= 4 * 3 for bank in banks)
    assert all(sum(each.features is not None for each in bank.tracked.values()) <= 4 * 2 for bank in banks)


def test_spilled_memory_makes_old_corrections_exact() -> None:
    spilled, unbounded, window = new_session(retention="spill"), new_session(), new_session()
    results = []
    for session in (spilled, unbounded, window):
        session.add_points(1, 0, *CLICK)
        with patch.object(MemoryBank, "evict") if session is unbounded else patch.object(MemoryBank, "limit_results"):
            tracked(session)
            session.add_points(1, 7, *NOT_HERE)
            results.append(tracked(session, 7))
    assert same(results[0], results[1])
    assert not same(results[2], results[1])  # and goes by the stored mask and the prompted frame instead
    assert list(results[2]) == list(range(7, FRAMES))


def stream(frames: int, **options: int) -> Sam2VideoInferenceSession:
    session = Sam2VideoInferenceSession(video_height=HEIGHT, video_width=WIDTH, **options)
    session.add_points(1, 0, *CLICK)
    for frame in range(frames):
        model()(session, frame=video()[frame])
    return session


def test_a_stream_gives_what_the_file_gives() -> None:
    file, live = new_session(), Sam2VideoInferenceSession(video_height=HEIGHT, video_width=WIDTH)
    file.add_points(1, 0, *CLICK)
    live.add_points(1, 0, *CLICK)  # before the frame comes
    assert live.num_frames == 0
    outputs = model().propagate_in_video_iterator(file)
    for frame in range(FRAMES):
        if frame == 6:
            for session in (file, live):
                session.add_points(2, 5, *OTHER_CLICK)
                session.add_points(1, 4, *NOT_HERE)
        seen = model()(live, frame=video()[frame][None])
        assert seen.frame_idx == frame
        assert torch.equal(seen.pred_masks, next(outputs).pred_masks)


def test_a_stream_needs_no_more_memory_with_time() -> None:
    session = stream(FRAMES, max_results=3, max_stream_frames=2)
    bank = session.objects()[0].bank
    assert sorted(bank.tracked) == [1, 2, 3, 10, 11, 12, 13]  # around the prompt, and the last ones
    assert sorted(bank.results) == [7, 8, 9]
    assert [frame for frame in range(FRAMES) if frame in session.frames] == [12, 13]
    with pytest.raises(InvalidInputError, match="Frame 11 of the stream was dropped"):
        session.add_points(1, 11, *CLICK)
    assert session.obj_with_new_inputs == []
    with pytest.raises(InvalidInputError, match="Frame 11 of the stream was dropped"):
        model()(session, frame_idx=11)


def test_the_oldest_frame_of_a_stream_can_be_prompted() -> None:
    """The next frame drops it, so that its prompts are answered before."""
    session = stream(3, max_stream_frames=2)
    session.add_points(2, 1, *OTHER_CLICK)
    model()(session, frame=video()[3])
    assert session.obj_with_new_inputs == []
    assert list(session.objects()[1].bank.conditioning) == [1]
    assert model()(session, frame=video()[4]).object_ids == [1, 2]


def test_prompts_for_the_frame_to_come() -> None:
    session = stream(3)
    with pytest.raises(InvalidInputError, match=r"Frame 4 of the stream has yet to come; .* on the next one, 3"):
        session.add_points(2, 4, *OTHER_CLICK)
    assert session.obj_ids == [1]
    session.add_points(2, 3, *OTHER_CLICK)
    absent = model()(session, frame_idx=2)
    assert absent.pred_masks[1].max() == -1024
    assert absent.object_score_logits[1] < 0
    assert session.obj_with_new_inputs == [2]
    model()(session, frame=video()[3])
    assert session.obj_with_new_inputs == []
    session.add_points(2, 4, *CLICK)
    session.add_new_frame(video()[5], 6)  # the frame is left out
    with pytest.raises(InvalidInputError, match="Object 2 has new prompts on frame 4, which is not there"):
        model()(session, frame=video()[6])
    assert session.num_frames == 7


def test_calls_that_say_too_little() -> None:
    live = Sam2VideoInferenceSession()
    with pytest.raises(InvalidInputError, match="There is no object to track"):
        model()(live, frame=video()[0])
    assert live.num_frames == 0
    session = new_session()
    session.add_points(1, 0, *CLICK)
    with pytest.raises(InvalidInputError, match="Give frame_idx"):
        model()(session)
    with pytest.raises(InvalidInputError, match="There is no frame 99"):
        model()(session, frame_idx=99)
    assert session.obj_with_new_inputs == [1]
