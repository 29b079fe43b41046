"""What a server is started with."""

from dataclasses import dataclass, field
from pathlib import Path

from masklet.server.fetching import AllowedAddress
from masklet.server.limits import Limits


@dataclass(frozen=True)
class ServerSettings:
    """How a server is started.

    Attributes:
        data: the folder that keeps everything.
        host: the address to listen at; that of this machine alone by default.
        port: 0 takes a free one.
        users: a file of names and tokens; None: one user, `local`, whose token is made at each start.
        allowed_hosts: further names that the server answers to.
        roots: folders below which items may be opened in place; only without users.
        addresses: places in http or https below which files may be fetched.
        proxies: addresses and networks of proxies; their X-Forwarded-For and X-Forwarded-Proto are believed.
        media: files and folders that are opened at the start, as items of one project; only without users.
        certificate, key: files in PEM for TLS; None: plain HTTP, on this machine or behind a proxy.
        is_read_only: refuse every change.
        has_page: serve the studio's page, too.
        preset: of tracking, for `info`.
        limits: see `Limits`.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 8765
    users: Path | None = None
    allowed_hosts: tuple[str, ...] = ()
    roots: tuple[Path, ...] = ()
    addresses: tuple[AllowedAddress, ...] = ()
    proxies: tuple[str, ...] = ()
    media: tuple[Path, ...] = ()
    certificate: Path | None = None
    key: Path | None = None
    is_read_only: bool = False
    has_page: bool = True
    preset: str = "exact"
    limits: Limits = field(default_factory=Limits)
