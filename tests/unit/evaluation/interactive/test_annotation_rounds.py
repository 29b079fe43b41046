import numpy as np
import pytest

from masklet.errors import InvalidInputError
from masklet.evaluation.interactive.annotation_rounds import AnnotationRounds, Effort, Interaction
from masklet.masks.run_length import encode_run_length

FRAMES = 12


def truth_of(frame):
    """A bar that is 20 pixels long, and absent from the first two frames."""
    mask = np.zeros((16, 30), dtype=bool)
    mask[4:10, 3:23] = frame >= 2
    return mask


class Fading:
    """Follows a bar that it knows less of with every frame since the last one clicked on, of which it knows all.

    The mask is right after three clicks on a frame, and before that lacks 4 and 2 of its 20 columns.
    """

    def __init__(self, fade):
        self.fade, self.clicks, self.passes = fade, {}, []

    def click(self, frame, click):
        self.clicks.setdefault(frame, []).append(click)
        return self.mask(frame)

    def track(self, first):
        self.passes.append(first)
        return ((frame, self.mask(frame)) for frame in range(first, FRAMES))

    def mask(self, frame):
        clicked = max((each for each in self.clicks if each <= frame), default=frame)
        missing = self.fade(frame - clicked) + 2 * (3 - len(self.clicks.get(clicked, ())))
        mask = truth_of(frame)
        mask[:, max(3, 23 - missing) :] = False
        return mask


def annotated(video, interaction, **effort):
    truths = {frame: encode_run_length(truth_of(frame)) for frame in range(FRAMES)}
    rounds = AnnotationRounds(video, truths, interaction, Effort(**effort))
    return rounds, [[each.j for each in scores] for scores in rounds.run()]


def test_the_first_frame_that_shows_the_object_comes_first_with_three_clicks():
    video = Fading(lambda distance: 0)
    _, rounds = annotated(video, Interaction.OFFLINE, frames=3)
    assert list(video.clicks) == [2]
    assert [click.label for click in video.clicks[2]] == [1, 1, 1]
    assert video.clicks[2][1].x > 18  # the second click is in what the first one missed
    assert rounds == [[1.0] * FRAMES] * 3
    assert video.passes == [2]  # nothing is left to correct


def test_offline_annotates_the_worst_frame_and_tracks_all_again():
    video = Fading(lambda distance: distance)
    rounds, overlaps = annotated(video, Interaction.OFFLINE, frames=3)
    assert rounds.annotated == [2, 11, 10]
    assert video.passes == [2, 2, 2]
    assert overlaps[0][2:] == pytest.approx([1 - distance / 20 for distance in range(10)])
    assert overlaps[1][2:] == pytest.approx([1 - distance / 20 for distance in range(9)] + [1])
    np.testing.assert_array_equal(rounds.predicted(9), video.mask(9))


def test_online_pauses_below_the_threshold_and_leaves_what_was_before():
    video = Fading(lambda distance: 2 * distance)
    rounds, overlaps = annotated(video, Interaction.ONLINE, frames=4)
    assert rounds.annotated == [2, 5, 8, 11]  # after three frames 0.7 is left, which is below 0.75
    assert video.passes == rounds.annotated
    assert overlaps[3][2:] == pytest.approx([1, 0.9, 0.8] * 3 + [1])
    for number, after in zip(rounds.annotated[1:], overlaps[1:], strict=True):
        assert after[:number] == overlaps[0][:number] if number == 5 else True


def test_online_does_not_pause_where_the_overlap_is_good_enough():
    video = Fading(lambda distance: 2 * distance)
    rounds, overlaps = annotated(video, Interaction.ONLINE, frames=4, threshold=0.55)
    assert rounds.annotated == [2, 7]
    assert overlaps[1] == overlaps[2] == overlaps[3]


def test_the_number_of_clicks_is_limited():
    video = Fading(lambda distance: 0)
    annotated(video, Interaction.ONLINE, frames=1, clicks=2)
    assert len(video.clicks[2]) == 2


@pytest.mark.parametrize(
    ("effort", "message"),
    [
        ({"frames": 0}, "At least 1 of frames is needed; got 0"),
        ({"clicks": -1}, "At least 1 of clicks is needed; got -1"),
        ({"threshold": 0}, "above 0 and at most 1; got 0"),
        ({"threshold": 1.5}, "above 0 and at most 1; got 1.5"),
        ({"threshold": float("nan")}, "above 0 and at most 1; got nan"),
    ],
)
def test_no_effort_is_refused(effort, message):
    with pytest.raises(InvalidInputError, match=message):
        Effort(**effort)
