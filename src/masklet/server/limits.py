"""What one server, one user and one request may take; all of it is shown by `info`."""

from dataclasses import dataclass

KIB, MIB, GIB = 2**10, 2**20, 2**30


@dataclass(frozen=True)
class Limits:
    """Numbers above which a request is refused or slowed down; bytes where the name does not say otherwise."""

    sockets_per_user: int = 8
    running_jobs_per_user: int = 2
    queued_jobs: int = 64
    waiting_commands: int = 1000
    sessions: int = 16
    feature_cache: int = 512 * MIB
    objects_per_item: int = 4096
    points_per_prompt: int = 256
    json_body: int = 256 * KIB
    adapter_body: int = 64 * MIB
    binary_message: int = 8 * MIB
    part: int = 8 * MIB
    file: int = 16 * GIB
    image_pixels: int = 100_000_000
    frames: int = 10_000_000
    quota: int = 50 * GIB
    least_free_disk: int = 2 * GIB
    unsent: int = 16 * MIB
    header_seconds: float = 10.0
    idle_body_seconds: float = 30.0
    previews_per_second: int = 20
    failed_logins_per_minute: int = 10
