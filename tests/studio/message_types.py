"""The types of the studio's messages, made of the server's: `python -m tests.studio.message_types` renews them."""

import json
import subprocess
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from masklet.server.app import application, described
from masklet.server.service import Service

STUDIO = Path(__file__).parents[2] / "studio"
TYPES = STUDIO / "src" / "api" / "schema.d.ts"


def messages() -> dict[str, Any]:
    """Return the description of the server without its routes, which the studio's client knows by heart."""
    service = cast(Service, SimpleNamespace(settings=SimpleNamespace(has_page=False), kept_answers=None))
    description = described(application(service))
    return cast(dict[str, Any], without_titles(description | {"paths": {}}))


def without_titles(value: Any) -> Any:
    """Return a schema without the titles that repeat the names of fields."""
    if isinstance(value, list):
        return [without_titles(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: without_titles(each) for key, each in value.items() if key != "title" or not isinstance(each, str)}


def written_types(file: Path) -> None:
    """Write the types with openapi-typescript; needs Node and the studio's packages."""
    with tempfile.TemporaryDirectory() as folder:
        schema = Path(folder) / "openapi.json"
        schema.write_text(json.dumps(messages()), encoding="utf-8")
        command = ["npm", "run", "--silent", "types", "--", str(schema), "-o", str(file.resolve())]
        subprocess.run(command, cwd=STUDIO, check=True, capture_output=True)


if __name__ == "__main__":
    written_types(TYPES)
