"""The page that is committed: complete, within its budgets, and fit for the server's content security policy."""

import gzip
import re
from pathlib import Path

import masklet

STATIC = Path(masklet.__file__).parent / "server" / "static"
PAGE = (STATIC / "index.html").read_text(encoding="utf-8")
FILES = [path for path in STATIC.rglob("*") if path.is_file()]
KILOBYTE = 1000


def compressed(ending: str) -> int:
    return sum(len(gzip.compress(path.read_bytes())) for path in FILES if path.suffix == ending)


def test_the_page_names_files_that_are_there_and_no_others_are() -> None:
    named = set(re.findall(r'(?:src|href)="\./([^"]+)"', PAGE))
    assert {"icon.svg"} < named
    assert [name for name in named if not (STATIC / name).is_file()] == []
    scripts = "".join(path.read_text(encoding="utf-8") for path in FILES if path.suffix in {".js", ".css", ".html"})
    assert [path.name for path in FILES if path.name != "index.html" and path.name not in scripts] == []


def test_the_page_has_no_inline_scripts_or_styles() -> None:
    assert re.findall(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", PAGE) == []


def test_the_page_asks_no_other_server() -> None:
    scripts = "".join(path.read_text(encoding="utf-8") for path in FILES if path.suffix in {".js", ".css", ".html"})
    addresses = set(re.findall(r"https?://[\w./-]+", scripts))
    assert {each for each in addresses if not each.startswith(("http://www.w3.org/", "https://svelte.dev/e/"))} == set()


def test_the_first_load_keeps_its_budgets() -> None:
    assert compressed(".js") <= 120 * KILOBYTE
    assert compressed(".css") <= 20 * KILOBYTE
    assert sum(path.stat().st_size for path in FILES) <= 420 * KILOBYTE
