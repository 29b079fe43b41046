"""`masklet track --everything`: a video in, all objects that it shows out, found and followed without prompts."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from masklet.cli.everything_options import assigned
from masklet.errors import InvalidInputError

if TYPE_CHECKING:
    from masklet.automask.object_records import ObjectRecord
    from masklet.jobs.tracking_journal import SavedTracking
    from masklet.jobs.tracking_requests import EverythingRequest

MOST_SHOWN = 40


def everything_request(
    own: Mapping[str, Any], saved: SavedTracking | None, others: Mapping[str, Any], zoom: bool
) -> EverythingRequest:
    """Return what is asked for.

    Args:
        own: what --policy, --set and --lookback were given.
        saved: what is resumed.
        others: options that do not go with --everything, and what they were given.
        zoom: whether small objects are followed in enlarged views.

    Raises:
        InvalidInputError: for unknown policies, fields and values, and options that do not go together.
    """
    from masklet.automask.policy import EverythingPolicy
    from masklet.jobs.tracking_requests import EverythingRequest

    if given := [option for option, value in others.items() if value]:
        raise InvalidInputError(
            f"--everything goes forward through the whole video, without prompts; leave out {', '.join(given)}."
        )
    if saved is not None and (given := [option for option, value in own.items() if value]):
        raise InvalidInputError(f"A session that is resumed keeps its policy; leave out {', '.join(given)}.")
    changes = assigned(own["--set"] or [], EverythingPolicy)
    policy = EverythingPolicy.named(own["--policy"] or "default", **changes)
    return EverythingRequest(policy, own["--lookback"], saved, zoom)


def is_everything(saved: SavedTracking | None) -> bool:
    """Return whether a session that was saved is one of everything."""
    from masklet.predictors.everything_in_video import EVERYTHING

    return saved is not None and EVERYTHING in saved.session.content


def show_objects(records: Sequence[ObjectRecord], refused: int) -> None:
    """Print the table of the objects to stderr, and how many masks found the budget had no room for."""
    from rich.console import Console

    from masklet.cli.tables import drawn_table
    from masklet.evaluation.reporting.table import Row, Table

    headings = ("first", "last", "frames", "score", "area", "ended")
    rows = tuple(
        Row(
            str(each.object_id),
            (
                str(each.first_frame),
                str(each.last_frame),
                str(each.frames_present),
                f"{each.mean_score:.2f}",
                f"{each.mean_area:.0f}",
                each.ended if each.same_as is None else f"{each.ended} of {each.same_as}",
            ),
        )
        for each in records[:MOST_SHOWN]
    )
    title = "1 object" if len(records) == 1 else f"{len(records)} objects"
    Console(stderr=True).print(drawn_table(Table(title, headings, rows)))
    if len(records) > MOST_SHOWN:
        print(f"{len(records) - MOST_SHOWN} further objects are in the table of --write objects.", file=sys.stderr)
    if refused:
        print(f"{refused} masks found were left out: there were max_objects already.", file=sys.stderr)
