"""Objects, masks and numbers of an item."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from masklet.server.messages import Frame, RunLengthMessage, Span
from masklet.server.object_messages import (
    FrameMasks,
    MaskMessage,
    Masks,
    ObjectMessage,
    Objects,
    ObjectStats,
    PromptMessage,
    Review,
    ReviewStop,
    StateSpan,
    Stats,
)
from masklet.server.open_items import OpenItem
from masklet.server.overlaps import overlapped
from masklet.server.packets import Entry, Kind, Packet, State, joined
from masklet.server.problems import unusable
from masklet.server.review import stops_of
from masklet.server.routes.caller import Caller
from masklet.server.rows import ObjectRow, PromptRow, StoredMask

router = APIRouter(tags=["masks"])
PACKETS = "application/vnd.masklet.masks"
Chosen = Annotated[str | None, Query(max_length=20000, pattern=r"^\d{1,10}(,\d{1,10})*$")]
Stretch = Annotated[str | None, Query(pattern=r"^\d{1,10}(-\d{1,10})?$")]


def wants_packets(request: Request) -> bool:
    """Return whether the caller asks for packets rather than JSON."""
    return PACKETS in request.headers.get("accept", "")


@router.get("/items/{item}/objects")
def show_objects(item: str, caller: Caller) -> Objects:
    """List the objects with their prompts and states."""
    found = caller.service.item(caller.user, item)
    revision, records = found.row().revision, found.records
    prompts, states = records.prompts(), records.states()
    return Objects(
        objects=[
            _object(
                each,
                [prompt for prompt in prompts if prompt.object == each.object],
                records.spans("range", each.object),
                states.get(each.object, ()),
            )
            for each in records.objects()
        ],
        revision=revision,
    )


@router.get("/items/{item}/masks", response_model=Masks, responses={200: {"content": {PACKETS: {}}}})
def show_masks(
    item: str, caller: Caller, request: Request, objects: Chosen = None, frames: Stretch = None
) -> Masks | Response:
    """Return the masks of some objects on some frames, as JSON or packets."""
    found = caller.service.item(caller.user, item)
    first, last = _stretch(frames, found)
    stored = found.records.masks(_chosen(objects), first, last)
    return _masks(request, found, Kind.TRACK, [(each.frame, each.entry()) for each in stored])


@router.get("/items/{item}/proposals", response_model=Masks, responses={200: {"content": {PACKETS: {}}}})
def show_proposals(item: str, caller: Caller, request: Request, frame: Frame | None = None) -> Masks | Response:
    """Return the proposals of everything mode that are neither accepted nor rejected, as JSON or packets."""
    found = caller.service.item(caller.user, item)
    proposals = found.records.proposals(frame)
    return _masks(request, found, Kind.EVERYTHING, [(each.frame, each.entry) for each in proposals])


@router.get("/items/{item}/stats")
def show_stats(item: str, caller: Caller, objects: Chosen = None) -> Stats:
    """Return the numbers of all masks of some objects."""
    found = caller.service.item(caller.user, item)
    chosen, records = _chosen(objects), found.records
    states = records.states(chosen)
    by_object: dict[int, list[StoredMask]] = {
        each.object: [] for each in records.objects() if chosen is None or each.object in chosen
    }
    for mask in records.stats(chosen):
        by_object[mask.object].append(mask)
    return Stats(
        objects=[
            ObjectStats(
                object=number,
                states=_spans(states.get(number, ())),
                frames=[each.frame for each in own],
                score=[each.score for each in own],
                presence=[each.presence for each in own],
                area=[each.mask.area for each in own],
                run=[each.run for each in own],
            )
            for number, own in by_object.items()
        ]
    )


@router.get("/items/{item}/review")
def show_review(item: str, caller: Caller) -> Review:
    """Return the places that are worth a look, worst first."""
    found = caller.service.item(caller.user, item)
    row, records = found.ready(), found.records
    marks = records.marks()
    prompts = {(each.object, each.frame) for each in records.prompts()}
    size = row.height or 0, row.width or 0
    shown = records.stats()
    stops = stops_of(shown, prompts, marks, size, overlapped(records, shown))
    listed = [
        ReviewStop(
            rank=rank,
            object=each.object,
            frame=each.frame,
            score=round(each.weight, 4),
            reasons=list(each.reasons),
            verdict=each.verdict,
        )
        for rank, each in enumerate(stops)
    ]
    return Review(stops=listed, looked_at=sum(each.verdict is not None for each in listed))


def frame_masks(entries: Iterable[Entry], height: int, width: int) -> list[MaskMessage]:
    """Return the masks of a frame with COCO's run lengths."""
    return [
        MaskMessage(
            object=each.object,
            state=int(each.state),
            score=each.score,
            presence=each.presence,
            revision=each.revision,
            run=each.run,
            candidate=each.candidate,
            area=each.mask.area,
            box=(each.mask.x, each.mask.y, each.mask.width, each.mask.height),
            rle=RunLengthMessage(size=(height, width), counts=each.mask.run_length(height, width)["counts"]),
        )
        for each in entries
    ]


def _spans(states: Sequence[tuple[State, Span]]) -> list[StateSpan]:
    return [StateSpan(state=int(state), frames=frames) for state, frames in states]


def _masks(request: Request, item: OpenItem, kind: Kind, entries: Iterable[tuple[int, Entry]]) -> Masks | Response:
    """Return masks by frame, as JSON or packets."""
    height, width = item.size()
    ordered = sorted(entries, key=lambda each: each[0])
    by_frame = [(frame, [each for _, each in group]) for frame, group in groupby(ordered, lambda each: each[0])]
    if wants_packets(request):
        packets = [Packet(kind, frame, width, height, tuple(found)) for frame, found in by_frame]
        return Response(joined(packets), media_type=PACKETS)
    return Masks(frames=[FrameMasks(frame=frame, masks=frame_masks(found, height, width)) for frame, found in by_frame])


def _object(
    row: ObjectRow, prompts: Sequence[PromptRow], ranges: Sequence[Span], states: Sequence[tuple[State, Span]]
) -> ObjectMessage:
    return ObjectMessage(
        id=row.object,
        name=row.name,
        class_name=row.class_name,
        colour=row.colour,
        hidden=row.hidden,
        locked=row.locked,
        order=row.place,
        prompts=[_prompt(each) for each in prompts],
        ranges=list(ranges),
        states=_spans(states),
    )


def _prompt(row: PromptRow) -> PromptMessage:
    given = row.prompt.to_json()
    mask, box = given.get("mask"), given.get("box")
    return PromptMessage(
        frame=row.frame,
        points=[tuple(each) for each in given.get("points", [])],
        box=None if box is None else tuple(box),
        mask=None if mask is None else RunLengthMessage(**mask),
    )


def _chosen(objects: str | None) -> list[int] | None:
    return None if objects is None else [int(each) for each in objects.split(",")]


def _stretch(frames: str | None, item: OpenItem) -> tuple[int, int]:
    if frames is None:
        return 0, (item.row().frames or 1) - 1
    first, _, last = frames.partition("-")
    found = int(first), int(last or first)
    if found[0] > found[1]:
        raise unusable(f"Frames are FIRST-LAST; got {frames}.", "frames")
    return found
