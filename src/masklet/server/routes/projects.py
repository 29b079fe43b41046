"""Projects and the items in them."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from masklet.server.media_files import outside_file
from masklet.server.messages import ItemMessage, NewItem, NewProject, NewStream, ProjectChange, ProjectMessage, Projects
from masklet.server.problems import Problem, not_found, unusable
from masklet.server.routes.caller import Caller, Limit

router = APIRouter(tags=["projects"])
IfMatch = Annotated[str | None, Header(max_length=100)]


@router.get("/projects")
def list_projects(caller: Caller, after: str | None = None, limit: Limit = 100) -> Projects:
    """List the caller's projects, oldest first."""
    found = caller.service.projects.of(caller.user)
    ids = [each.id for each in found]
    if after is not None and after not in ids:
        raise not_found()
    begin = 0 if after is None else ids.index(after) + 1
    page = found[begin : begin + limit]
    following = page[-1].id if begin + limit < len(found) else None
    return Projects(projects=[each.message() for each in page], next=following)


@router.post("/projects", status_code=201)
def make_project(body: NewProject, caller: Caller) -> ProjectMessage:
    """Make a project."""
    return caller.service.projects.make(caller.user, body.name, body.classes).message()


@router.get("/projects/{project}")
def show_project(project: str, caller: Caller, response: Response) -> ProjectMessage:
    """Show a project and its items."""
    message = caller.service.projects.find(caller.user, project).message()
    response.headers["ETag"] = f'"{message.revision}"'
    return message


@router.patch("/projects/{project}")
def change_project(
    project: str, body: ProjectChange, caller: Caller, response: Response, if_match: IfMatch = None
) -> ProjectMessage:
    """Change the name or the classes of a project."""
    found = caller.service.projects.find(caller.user, project)
    found.change(body.name, body.classes, revision_in(if_match))
    return show_project(project, caller, response)


@router.delete("/projects/{project}", status_code=202, response_class=Response)
def remove_project(project: str, caller: Caller) -> Response:
    """Put a project into the trash, where it stays for seven days."""
    found = caller.service.projects.find(caller.user, project)
    caller.service.jobs.stop(found)
    for item in found.items():
        caller.service.forget_item(found, item.id)
    caller.service.projects.remove(found)
    return Response(status_code=202)


@router.post("/projects/{project}/items", status_code=201)
def add_item(project: str, body: NewItem, caller: Caller) -> ItemMessage:
    """Make an item of the server's own file or folder, of a file at an address, or of a camera of the caller's."""
    found = caller.service.projects.find(caller.user, project)
    settings = caller.service.settings
    if (live := body.live) is not None:
        _check_pixels(live, settings.limits.image_pixels)
        size = live.height, live.width
        made = caller.service.projects.add_stream(found, live.name, *size, is_recorded=live.record)
        return caller.service.item(caller.user, made).message()
    if body.url is not None:
        if not settings.addresses:
            raise unusable("Addresses are not allowed here; see --allow-url.", "url")
        return caller.service.importing.take_address(found, body.url, settings.addresses).message(found.id)
    if body.path is None:
        raise unusable("Give a path, an address or live; cameras of the server are not opened.", "path")
    if settings.users is not None or not settings.roots:
        raise unusable("Files of the server are not allowed here.", "path")
    path = outside_file(body.path, settings.roots)
    return caller.service.importing.take_file(found, path).message(found.id)


def _check_pixels(live: NewStream, most: int) -> None:
    if live.width * live.height > most:
        raise unusable(f"A frame has at most {most} pixels; got {live.width} x {live.height}.", "live")


def revision_in(if_match: str | None) -> int | None:
    """Return the revision that an ETag names; Problem for another one."""
    if if_match is None:
        return None
    text = if_match.strip().strip('"')
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise Problem(409, "conflict", "If-Match is not an ETag of this resource.")
    return int(text)
