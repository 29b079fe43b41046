"""Exports: jobs that write a zip, and the zip itself."""

import re

from fastapi import APIRouter
from fastapi.responses import FileResponse

from masklet.server.exporting import EXPORTS, ExportWork
from masklet.server.messages import JobMessage, NewExport
from masklet.server.problems import not_found
from masklet.server.routes.caller import Caller

router = APIRouter(tags=["exports"])
_ID = re.compile("exp_[A-Za-z0-9_-]{22}")


@router.post("/projects/{project}/exports", status_code=202)
def begin_export(project: str, body: NewExport, caller: Caller) -> JobMessage:
    """Begin to write items in a format; the job's result names the export."""
    service = caller.service
    found = service.projects.find(caller.user, project)
    items = [service.item(caller.user, item) for item in dict.fromkeys(body.items)]
    for item in items:
        item.check_frame(0)
        if item.project is not found:
            raise not_found()
    work = ExportWork(items, body, service.model_info)
    return service.jobs.start(caller.user, found, "export", work, None, lambda job: None).message()


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
