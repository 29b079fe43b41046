"""`masklet studio`: click, track, correct and export in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from masklet.cli.model_options import DeviceOption, ModelOption, PresetOption
from masklet.cli.serving_options import (
    DATA,
    AllowHostOption,
    AllowUrlOption,
    CertificateOption,
    DataOption,
    ExportProjectOption,
    HostOption,
    ImportProjectOption,
    KeyOption,
    PortOption,
    ProxyOption,
    ReadOnlyOption,
    RootOption,
    move_project,
    run_server,
)
from masklet.configuration.presets import SpeedPreset


def studio(
    media: Annotated[list[Path] | None, typer.Argument(metavar="[MEDIA]...", help="Files and folders to open.")] = None,
    data: DataOption = DATA,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8765,
    model: ModelOption = None,
    device: DeviceOption = None,
    preset: PresetOption = SpeedPreset.EXACT,
    root: RootOption = None,
    users: Annotated[Path | None, typer.Option("--users", help="JSON file of user names and tokens.")] = None,
    allow_host: AllowHostOption = None,
    allow_url: AllowUrlOption = None,
    proxy: ProxyOption = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the browser.")] = False,
    read_only: ReadOnlyOption = False,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    export_project: ExportProjectOption = None,
    import_project: ImportProjectOption = None,
) -> None:
    """Start the studio and open it in the browser; the line it prints is the way in."""
    if export_project is not None or import_project is not None:
        move_project(data, export_project, import_project)
        return
    run_server(
        data=data,
        host=host,
        port=port,
        users=users,
        roots=root,
        allowed_hosts=allow_host,
        allowed_urls=allow_url,
        proxies=proxy,
        is_read_only=read_only,
        has_page=True,
        media=media,
        model=model,
        device=device,
        preset=preset,
        certificate=certificate,
        key=key,
        opens_browser=not no_browser,
    )
