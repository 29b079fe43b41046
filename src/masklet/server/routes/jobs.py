"""Jobs, and what the server did."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from masklet.server.job import ENDED, Job
from masklet.server.messages import JobMessage, Jobs, JobState, Metrics
from masklet.server.routes.caller import MOST_LISTED, Caller, Limit

router = APIRouter(tags=["jobs"])
_POLL_SECONDS = 0.05


@router.get("/jobs")
def list_jobs(
    caller: Caller, state: JobState | None = None, after: str | None = None, limit: Limit = MOST_LISTED
) -> Jobs:
    """List the caller's jobs, newest first."""
    found = caller.service.jobs.of(caller.user, state, after, limit + 1)
    return Jobs(jobs=found[:limit], next=found[limit - 1].id if len(found) > limit else None)


@router.get("/jobs/{job}")
async def show_job(job: str, caller: Caller, wait: Annotated[float, Query(ge=0, le=60)] = 0) -> JobMessage:
    """Show a job; with `wait` once it changes, or so many seconds have passed."""
    found = await run_in_threadpool(caller.service.jobs.find, caller.user, job)
    if not isinstance(found, Job):
        return found
    version, until = found.version, asyncio.get_running_loop().time() + wait
    while found.version == version and found.state not in ENDED and asyncio.get_running_loop().time() < until:
        await asyncio.sleep(_POLL_SECONDS)
    return found.message()


@router.delete("/jobs/{job}", status_code=202, response_class=Response)
def cancel_job(job: str, caller: Caller) -> Response:
    """Stop a job after the step at hand; what was made stays."""
    found = caller.service.jobs.find(caller.user, job)
    if isinstance(found, Job):
        caller.service.jobs.cancel(found)
    return Response(status_code=202)


@router.get("/metrics", response_model=Metrics, responses={200: {"content": {"text/plain": {}}}})
def show_metrics(caller: Caller, request: Request) -> Metrics | Response:
    """Show what the server did and holds, as JSON or in Prometheus' text form."""
    found = caller.service.metrics(caller.user)
    if "text/plain" not in request.headers.get("accept", ""):
        return found
    lines = [f'masklet_model_units{{kind="{kind}"}} {count}' for kind, count in found.model_units.items()]
    lines += [f'masklet_queue{{kind="{kind}"}} {count}' for kind, count in found.queue.items()]
    lines += [f'masklet_cache{{kind="{kind}"}} {count}' for kind, count in found.caches.items()]
    lines += [f"masklet_rss_bytes {found.rss}", f"masklet_device_share {found.share['device']}"]
    return Response("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")
