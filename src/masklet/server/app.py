"""The application: its routes, its errors and its description as OpenAPI."""

import logging
import os
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException

import masklet
from masklet.errors import InvalidInputError, UnreadableImageError, UnreadableVideoError
from masklet.server.access import ADAPTERS, PREFIX
from masklet.server.commands import COMMANDS
from masklet.server.messages import ProblemMessage
from masklet.server.problems import MEDIA_TYPE, Problem, answer_to, of_full_disk, of_validation, unusable
from masklet.server.repeats import Repeats
from masklet.server.replies import Event, Reply
from masklet.server.routes import access, adapters, exports, items, jobs, masks, projects, uploads
from masklet.server.service import Service

STATIC = Path(__file__).parent / "static"
NO_PAGE = "<!doctype html><title>masklet</title><p>The studio's page is not part of this installation.</p>"
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemMessage, "content": {MEDIA_TYPE: {}}}
    for status in (400, 401, 403, 404, 409, 413, 415, 416, 421, 422, 423, 429, 503, 507)
}


def application(service: Service) -> FastAPI:
    """Return the application that answers for a service; the access gate stands before it."""
    app = FastAPI(
        title="masklet",
        version=masklet.__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        responses=PROBLEMS,
    )
    app.state.service = service
    app.add_middleware(Repeats, kept=service.kept_answers)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    for kind in (InvalidInputError, UnreadableImageError, UnreadableVideoError):
        app.add_exception_handler(kind, _on_unusable)
    app.add_exception_handler(Exception, _on_fault)

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    for routes in (access, projects, uploads, items, masks, jobs, exports):
        app.include_router(routes.router, prefix=PREFIX)
    app.include_router(adapters.router, prefix=ADAPTERS)

    @app.get(f"{PREFIX}/openapi.json", include_in_schema=False)
    async def openapi() -> dict[str, Any]:
        return described(app)

    if service.settings.has_page:
        _serve_page(app)
    return app


def _serve_page(app: FastAPI) -> None:
    if (STATIC / "index.html").is_file():
        app.mount("/", StaticFiles(directory=STATIC, html=True))
        return

    @app.get("/", include_in_schema=False)
    async def page() -> HTMLResponse:
        return HTMLResponse(NO_PAGE)


def described(app: FastAPI) -> dict[str, Any]:
    """Return the application as OpenAPI 3.1, with the messages of the socket as `Command`, `Reply` and `Event`."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
        components = schema.setdefault("components", {}).setdefault("schemas", {})
        for name, adapter in (("Command", COMMANDS), ("Reply", TypeAdapter(Reply)), ("Event", TypeAdapter(Event))):
            found = adapter.json_schema(ref_template="#/components/schemas/{model}", by_alias=True)
            components |= found.pop("$defs", {})
            components[name] = found
        app.openapi_schema = schema
    return app.openapi_schema


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, Problem):
        return answer_to(error)
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "wrong_method"}.get(error.status_code, "malformed")
    return answer_to(Problem(error.status_code, code, str(error.detail), headers=error.headers))


async def _on_invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return answer_to(of_validation(error.errors()))


async def _on_unusable(request: Request, error: Exception) -> JSONResponse:
    folder = request.app.state.service.settings.data
    return answer_to(unusable(str(error).replace(f"{folder}{os.sep}", "")))


async def _on_fault(request: Request, error: Exception) -> JSONResponse:
    if (problem := of_full_disk(error)) is not None:
        return answer_to(problem)
    logging.getLogger("masklet.server").error("a fault in masklet", exc_info=error)
    return answer_to(Problem(500, "fault", "This is a fault in masklet; the server's log says more."))
