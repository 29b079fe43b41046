"""Items: what they are, their frames, their objects, and commands about them."""

from concurrent.futures import CancelledError
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response, WebSocket

from masklet.media.scrubbing_copy import scrubbing_size
from masklet.server.commands import Command
from masklet.server.dispatch import answered
from masklet.server.media_files import encoded_image, filmstrip
from masklet.server.messages import Frame, ItemChange, ItemMessage
from masklet.server.packets import joined
from masklet.server.problems import Problem
from masklet.server.replies import Reply
from masklet.server.routes.caller import Caller, HungUp
from masklet.server.routes.masks import PACKETS, frame_masks, wants_packets
from masklet.server.routes.projects import revision_in
from masklet.server.service import Service
from masklet.server.sockets import Session

router = APIRouter(tags=["items"])
SUBPROTOCOL = "masklet.v1"
FOREVER = "private, immutable, max-age=31536000"
_IMAGES: dict[int | str, dict[str, Any]] = {
    200: {"content": {f"image/{kind}": {} for kind in ("jpeg", "webp", "png")}},
    304: {"model": None},
}


@router.get("/items/{item}")
def show_item(item: str, caller: Caller, response: Response) -> ItemMessage:
    """Show an item."""
    message = caller.service.item(caller.user, item).message()
    response.headers["ETag"] = f'"{message.revision}"'
    return message


@router.patch("/items/{item}")
def change_item(
    item: str,
    body: ItemChange,
    caller: Caller,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=100)] = None,
) -> ItemMessage:
    """Rename an item."""
    found = caller.service.item(caller.user, item)
    expected = revision_in(if_match)
    if expected not in (None, found.row().revision):
        raise Problem(409, "conflict", f"The item is at revision {found.row().revision}, not {expected}.")
    found.project.change_item(item, name=body.name)
    return show_item(item, caller, response)


@router.delete("/items/{item}", status_code=202, response_class=Response)
def remove_item(item: str, caller: Caller) -> Response:
    """Remove an item with all that was done to it."""
    found = caller.service.item(caller.user, item)
    caller.service.jobs.stop(found.project, item)
    caller.service.projects.remove_item(found.project, item)
    found.publish_deleted()
    caller.service.forget_item(found.project, item)
    return Response(status_code=202)


@router.get("/items/{item}/frames/{frame}", response_class=Response, responses=_IMAGES)
def show_frame(
    item: str,
    frame: Frame,
    caller: Caller,
    hung_up: HungUp,
    width: Annotated[int | None, Query(ge=1, le=65535)] = None,
    type: Literal["jpeg", "webp", "png"] = "jpeg",
    draft: bool = False,
    if_none_match: Annotated[str | None, Header(max_length=300)] = None,
) -> Response:
    """Show the pixels of a frame, upright, just as the model sees them; png is lossless.

    A draft has at most 960 pixels a side, and comes sooner: from the copy for scrubbing, where there is one.
    """
    found = caller.service.item(caller.user, item)
    row = found.ready()
    if frame >= (row.frames or 0):
        raise Problem(404, "no_frame", f"There is no frame {frame}; there are {row.frames}.", "frame")
    copy = caller.service.copies.reader(row, found.project.folder) if draft else None
    if draft:
        widest = scrubbing_size(*found.size())[1]
        width = min(width or widest, widest)
    tag = f'"{row.sha256 or row.id}-{frame}-{width or 0}-{type}{"" if copy is None else "-copy"}"'
    headers = {"ETag": tag, "Cache-Control": FOREVER}
    if if_none_match == tag:
        return Response(status_code=304, headers=headers)
    try:
        pixels = (found.reader() if copy is None else copy).read(frame, hung_up)
    except CancelledError:
        return Response(status_code=204)  # to nobody
    content = encoded_image(pixels, type, width)
    return Response(content, media_type=f"image/{type}", headers=headers)


@router.get("/items/{item}/filmstrip", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
def show_filmstrip(
    item: str,
    caller: Caller,
    count: Annotated[int, Query(ge=1, le=200)] = 40,
    height: Annotated[int, Query(ge=8, le=256)] = 48,
) -> Response:
    """Show frames at about equal distances side by side."""
    found = caller.service.item(caller.user, item)
    copy = caller.service.copies.reader(found.ready(), found.project.folder)
    content = filmstrip(found.reader() if copy is None else copy, count, height)
    return Response(content, media_type="image/jpeg", headers={"Cache-Control": FOREVER})


@router.post(
    "/items/{item}/commands",
    response_model=Reply,
    responses={200: {"content": {PACKETS: {}}}},
)
def command(item: str, body: Command, caller: Caller, request: Request) -> Reply | Response:
    """Give a command; its masks come inline, or as packets with the reply in the header `Masklet-Reply`."""
    handling = caller.service.handling(caller.service.item(caller.user, item), caller.user, body.n)
    reply = answered(handling, body)
    if wants_packets(request):
        headers = {"Masklet-Reply": reply.model_dump_json(by_alias=True)}
        return Response(joined(handling.packets), media_type=PACKETS, headers=headers)
    if not handling.packets:
        return reply
    last = handling.packets[-1]
    return reply.model_copy(update={"masks": frame_masks(last.entries, last.height, last.width), "frame": last.frame})


@router.websocket("/items/{item}/ws")
async def socket(websocket: WebSocket, item: str) -> None:
    """Serve commands and news of an item."""
    service: Service = websocket.app.state.service
    user: str = websocket.state.user
    try:
        found = service.item(user, item)
        service.open_socket(user)
    except Problem as problem:
        if problem.status_code == 429:
            await websocket.send_denial_response(Response(str(problem.detail), 429, {"Retry-After": "5"}))
            return
        await websocket.accept(_subprotocol(websocket))
        await websocket.close(4404, "no such item")
        return
    try:
        await websocket.accept(_subprotocol(websocket))
        await Session(service, found, user, websocket).serve()
    finally:
        service.close_socket(user)


def _subprotocol(websocket: WebSocket) -> str | None:
    return SUBPROTOCOL if SUBPROTOCOL in websocket.scope.get("subprotocols", []) else None
