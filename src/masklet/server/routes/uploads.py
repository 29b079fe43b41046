"""Uploads in parts."""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.concurrency import run_in_threadpool

from masklet.server.messages import NewUpload, Offset, Uploaded, UploadMessage
from masklet.server.problems import Problem
from masklet.server.routes.caller import Caller, CallerOf
from masklet.server.uploads import Part, check_kind

router = APIRouter(tags=["uploads"])


@router.post("/projects/{project}/uploads", status_code=201)
def begin_upload(project: str, body: NewUpload, caller: Caller) -> UploadMessage:
    """Begin an upload; its parts follow by PUT."""
    check_kind(body.kind)
    found = caller.service.projects.find(caller.user, project)
    upload = caller.service.uploads.begin(found, body)
    return UploadMessage(upload=upload.id, offset=0, part_size=caller.service.settings.limits.part)


@router.head("/uploads/{upload}", response_class=Response)
def show_upload(upload: str, caller: Caller) -> Response:
    """Say where an upload goes on, in the header `Upload-Offset`."""
    found = caller.service.uploads.find(caller.user, upload)
    return Response(headers={"Upload-Offset": str(found.offset), "Cache-Control": "no-store"})


@router.put(
    "/uploads/{upload}",
    responses={201: {"model": Uploaded}},
    openapi_extra={
        "requestBody": {
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
            "required": True,
        }
    },
)
async def put_part(
    upload: str,
    request: Request,
    response: Response,
    caller: Caller,
    content_range: Annotated[str | None, Header(max_length=100)] = None,
) -> Offset | Uploaded:
    """Add the next part; with the last one the upload becomes an item, unless it is of masks."""
    content = await request.body()
    found = await run_in_threadpool(_put, caller, upload, content_range, content)
    response.status_code = 201 if isinstance(found, Uploaded) else 200
    return found


def _put(caller: CallerOf, upload_id: str, content_range: str | None, content: bytes) -> Offset | Uploaded:
    service = caller.service
    upload = service.uploads.find(caller.user, upload_id)
    service.uploads.check_room(caller.user, len(content))
    offset = service.uploads.append(upload, Part.of(content_range), content)
    if offset < upload.size or upload.kind == "masks":
        return Offset(offset=offset)
    project = service.projects.find(caller.user, upload.project)
    item = service.importing.take_upload(project, upload)
    if item.status == "failed":
        raise Problem(422, "unusable", item.error or "The file cannot be used.", item=item.id)
    return Uploaded(item=item.message(project.id))
