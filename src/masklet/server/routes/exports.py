"""Exports and imports: jobs that write a zip, or read one, and the zip itself."""

import re
from collections.abc import Iterable

from fastapi import APIRouter
from fastapi.responses import FileResponse

from masklet.server.exporting import EXPORTS, ExportWork
from masklet.server.mask_imports import ImportWork
from masklet.server.messages import JobMessage, NewExport, NewImport
from masklet.server.open_items import OpenItem
from masklet.server.problems import conflict, not_found, unusable
from masklet.server.projects import Project
from masklet.server.routes.caller import Caller, CallerOf

router = APIRouter(tags=["exports"])
_ID = re.compile("exp_[A-Za-z0-9_-]{22}")


@router.post("/projects/{project}/exports", status_code=202)
def begin_export(project: str, body: NewExport, caller: Caller) -> JobMessage:
    """Begin to write items in a format; the job's result names the export."""
    service = caller.service
    found = service.projects.find(caller.user, project)
    items = _items(found, body.items, caller)
    work = ExportWork(items, body, service.model_info)
    return service.jobs.start(caller.user, found, "export", work, None, lambda job: None).message()


@router.post("/projects/{project}/imports", status_code=202)
def begin_import(project: str, body: NewImport, caller: Caller) -> JobMessage:
    """Begin to add the masks of an upload to items; the job's result says to which, and what was left out."""
    service = caller.service
    found, upload = service.projects.find(caller.user, project), service.uploads.find(caller.user, body.upload)
    if upload.project != found.id or upload.kind != "masks":
        raise unusable("The upload is none of masks for this project.", "upload")
    if upload.offset < upload.size:
        raise conflict(f"The upload goes on at byte {upload.offset}.")
    ids = (
        [row.id for row in found.items() if row.status == "ready" and not row.is_live]
        if body.items is None
        else body.items
    )
    items = _items(found, ids, caller)
    if not items:
        raise unusable("The project has no item to import masks into.", "items")
    work = ImportWork(items, upload, service.uploads, body.as_, service.settings.limits)
    return service.jobs.start(caller.user, found, "import", work, None, lambda job: None).message()


def _items(project: Project, ids: Iterable[str], caller: CallerOf) -> list[OpenItem]:
    items = [caller.service.item(caller.user, item) for item in dict.fromkeys(ids)]
    for item in items:
        item.check_frame(0)
        if item.project is not project:
            raise not_found()
    return items


@router.get("/exports/{export}", response_class=FileResponse, responses={200: {"content": {"application/zip": {}}}})
def show_export(export: str, caller: Caller) -> FileResponse:
    """Return an export; byte ranges are served."""
    if _ID.fullmatch(export):
        for project in caller.service.projects.of(caller.user):
            file = project.folder / EXPORTS / f"{export}.zip"
            if file.is_file():
                headers = {"Content-Security-Policy": "sandbox", "Cache-Control": "private, no-store"}
                return FileResponse(file, media_type="application/zip", filename=f"{export}.zip", headers=headers)
    raise not_found()
