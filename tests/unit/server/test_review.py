"""Stops by stored numbers."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from masklet.server.packets import PackedMask, State
from masklet.server.review import WEIGHTS, stops_of
from masklet.server.rows import StoredMask

SIZE = (100, 200)


def steady(count: int) -> list[StoredMask]:
    """An object that moves by two pixels a frame and stays as it is."""
    return [
        StoredMask(1, frame, 1, State.TRACKED, 0.9, 5.0, 1, PackedMask(20 + 2 * frame, 40, 10, 10, b"", 100))
        for frame in range(count)
    ]


def reasons(stats: list[StoredMask], *, prompts: set[tuple[int, int]] = frozenset(), marks: dict = {}) -> dict:  # noqa: B006
    return {each.frame: each.reasons for each in stops_of(stats, prompts, marks, SIZE)}


def changed(frame: int, **fields: object) -> list[StoredMask]:
    stats = steady(40)
    stats[frame] = replace(stats[frame], **fields)
    return stats


def test_nothing_happens() -> None:
    assert reasons(steady(40)) == {}


def test_what_is_worth_a_look() -> None:
    assert "score drop" in reasons(changed(20, score=0.6))[20]
    assert "low score" in reasons(changed(20, score=0.4))[20]
    assert "lost" in reasons(changed(20, presence=-1.0))[20]
    assert "area" in reasons(changed(20, mask=PackedMask(60, 40, 10, 10, b"", 60)))[20]
    assert "jump" in reasons(changed(20, mask=PackedMask(100, 40, 10, 10, b"", 100)))[20]
    assert reasons(changed(20, mask=PackedMask(0, 40, 10, 10, b"", 100)))[20][0] == "border"


def test_masks_that_fall_apart() -> None:
    stats = [replace(each, pieces=1 if each.frame < 20 else 2) for each in steady(40)]
    assert reasons(stats) == {20: ("pieces",)}
    unknown = [replace(each, pieces=0 if each.frame < 20 else 2) for each in steady(40)]
    assert reasons(unknown) == {}, "masks of earlier versions have no count"


def test_a_stop_is_where_an_overlap_begins() -> None:
    overlapped = {(1, frame) for frame in (5, *range(20, 40))}
    stops = stops_of(steady(40), {(1, 5)}, {}, SIZE, overlapped)
    assert [(each.frame, each.reasons) for each in stops] == [(20, ("overlap",))]


def test_seams_of_a_partial_track() -> None:
    stats = steady(40)
    stats[20:] = [replace(each, run=2) for each in stats[20:]]
    assert reasons(stats) == {20: ("seam",)}


def test_prompts_are_no_stops_unless_flagged() -> None:
    stats = changed(20, score=0.4)
    assert 20 not in reasons(stats, prompts={(1, 20)})
    assert reasons(stats, prompts={(1, 20)}, marks={(1, 20): (1, "flag")})[20] == ("flagged",)


def test_a_verdict_holds_while_the_mask_is_unchanged() -> None:
    (stop,) = stops_of(changed(20, score=0.4), set(), {(1, 20): (1, "ok")}, SIZE)
    assert stop.verdict == "ok"
    (stop,) = stops_of(changed(20, score=0.4, run=2), set(), {(1, 20): (1, "ok")}, SIZE)[:1]
    assert stop.verdict is None


def test_stops_are_apart_ranked_and_few() -> None:
    stats = [replace(each, score=0.4 - 0.001 * each.frame) for each in steady(1000)]
    stops = stops_of(stats, set(), {}, SIZE)
    frames = sorted(each.frame for each in stops)
    assert len(stops) == 20
    assert min(after - before for before, after in pairwise(frames)) > 10
    assert [each.weight for each in stops] == sorted((each.weight for each in stops), reverse=True)


def test_the_page_has_words_for_every_reason() -> None:
    words = Path("studio/src/text.ts").read_text()
    start = words.index("\n", words.index("reasons: {"))
    of_reviews = words[start : words.index("} as Record", start)]
    assert set(re.findall(r"^ +'?([a-z ]+?)'?:", of_reviews, re.M)) == WEIGHTS.keys()
