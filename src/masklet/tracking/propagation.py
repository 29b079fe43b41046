"""Many frames: which, in which order."""

from masklet.errors import InvalidInputError
from masklet.tracking.session import Sam2VideoInferenceSession


def frames_to_track(session: Sam2VideoInferenceSession, start: int | None, most: int | None, *, reverse: bool) -> range:
    """The frames from `start` on, itself and at most `most` more; backwards from frame 0 there are none.

    start: default the first frame with prompts. most: default all there are.
    """
    if start is None:
        prompted = [frame for each in session.objects() for frame in each.prompts]
        if not prompted:
            raise InvalidInputError(
                "Cannot determine the starting frame index; please specify it manually, "
                "or run inference on a frame with inputs first."
            )
        start = min(prompted)
    session.frames.check(start)
    most = session.num_frames if most is None else most
    if most < 0:
        raise InvalidInputError(f"max_frame_num_to_track is {most}; it must not be negative.")
    if not reverse:
        return range(start, min(start + most, session.num_frames - 1) + 1)
    return range(start, max(start - most, 0) - 1, -1) if start > 0 else range(0)
