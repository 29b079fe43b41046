"""The options that `masklet studio` and `masklet serve` share, and the server they stand for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from masklet.cli.model_options import load_tracker
from masklet.configuration.presets import SpeedPreset

LOOPBACK = ("127.0.0.1", "::1", "localhost")
DATA = Path.home() / ".local" / "share" / "masklet"

DataOption = Annotated[Path, typer.Option("--data", help="Folder that keeps projects, masks and media.")]
HostOption = Annotated[str, typer.Option("--host", help="Address to listen at; default: this machine alone.")]
PortOption = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen at; 0 takes a free one.")]
RootOption = Annotated[
    list[Path] | None, typer.Option("--root", help="Folder below which media may be opened in place.")
]
AllowHostOption = Annotated[
    list[str] | None, typer.Option("--allow-host", help="Further name that the server answers to.")
]
AllowUrlOption = Annotated[
    list[str] | None, typer.Option("--allow-url", help="Address (http, https) below which files may be fetched.")
]
ProxyOption = Annotated[
    list[str] | None,
    typer.Option("--proxy", help="Address or network of a proxy, which is believed who calls, and by TLS or not."),
]
CertificateOption = Annotated[Path | None, typer.Option("--certificate", help="Certificate in PEM, for TLS.")]
KeyOption = Annotated[Path | None, typer.Option("--key", help="Key of the certificate.")]
ReadOnlyOption = Annotated[bool, typer.Option("--read-only", help="Refuse every change.")]
ExportProjectOption = Annotated[
    tuple[str, Path] | None,
    typer.Option("--export-project", metavar="PROJECT FILE", help="Write a project (id or name) into a zip, and end."),
]
ImportProjectOption = Annotated[
    Path | None, typer.Option("--import-project", help="Add a project of such a zip to your own, and end.")
]


def move_project(data: Path, exported: tuple[str, Path] | None, imported: Path | None) -> None:
    """Export or import a project; errors as `masklet.server.project_files` raises them."""
    from masklet.file_locks import alone_in
    from masklet.server.project_files import export_project, import_project
    from masklet.server.tokens import LOCAL

    if exported is not None:
        export_project(data, *exported)
    if imported is not None:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with alone_in(data, "masklet server"):
            print(import_project(data, LOCAL, imported))


def run_server(
    *,
    data: Path,
    host: str,
    port: int,
    users: Path | None,
    roots: list[Path] | None,
    allowed_hosts: list[str] | None,
    allowed_urls: list[str] | None,
    proxies: list[str] | None,
    is_read_only: bool,
    has_page: bool,
    model: str | None,
    device: str | None,
    preset: SpeedPreset,
    certificate: Path | None,
    key: Path | None,
    media: list[Path] | None = None,
    opens_browser: bool = False,
) -> None:
    """Serve until Ctrl-C; errors as `masklet.server.serving.serve` raises them."""
    from masklet.errors import InvalidInputError

    try:
        from masklet.server.fetching import AllowedAddress
        from masklet.server.serving import serve
        from masklet.server.settings import ServerSettings
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "masklet":
            raise
        raise InvalidInputError(f"The server needs {error.name}: pip install 'masklet[studio]'.") from error
    settings = ServerSettings(
        data=data,
        host=host,
        port=port,
        users=users,
        roots=tuple(roots or ()),
        allowed_hosts=tuple(allowed_hosts or ()),
        addresses=tuple(AllowedAddress.of(each) for each in allowed_urls or ()),
        proxies=tuple(proxies or ()),
        is_read_only=is_read_only,
        has_page=has_page,
        preset=preset.value,
        media=tuple(media or ()),
        certificate=certificate,
        key=key,
    )
    if users is None and host not in LOOPBACK:
        print(f"Anybody who reaches {host} and has the token can work here; see --users.", file=sys.stderr)

    def on_ready(address: str) -> None:
        print(address, flush=True)
        if opens_browser:
            import webbrowser

            webbrowser.open(address)

    serve(settings, lambda: load_tracker(model, device, preset=preset), model or "bundled", on_ready)
