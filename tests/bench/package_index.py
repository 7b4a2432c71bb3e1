"""A package index: real HTTP on this machine, files on disk, as a mirror or an index of one's own serves them.

`simple/NAME/index.json` is served as PEP 691 says, `simple/NAME/index.html` as PEP 503 says, where the former is not
there. `simple/NAME/status` holds a number to answer with instead.
"""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

JSON = "application/vnd.pypi.simple.v1+json"


class _Handler(SimpleHTTPRequestHandler):
    password = ""

    def do_GET(self) -> None:
        if self.password and self.headers.get("Authorization") != f"Basic {self.password}":
            self.send_error(401)
            return
        folder = Path(self.translate_path(self.path))
        if (folder / "status").exists():
            self.send_error(int((folder / "status").read_text()))
        elif (folder / "index.json").exists():
            body = (folder / "index.json").read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", JSON)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        else:
            super().do_GET()

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


class Index:
    """The folder of an index that is being served, and its address."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address

    def lists(self, name: str, *files: dict[str, Any], status: str | None = None) -> None:
        """Let the index list files of a package, with dates (PEP 700), and a status of the project (PEP 792)."""
        place = self.folder / "simple" / name
        place.mkdir(parents=True, exist_ok=True)
        page: dict[str, Any] = {
            "meta": {"api-version": "1.1"},
            "name": name,
            "files": [{"hashes": {}, **file} for file in files],
        }
        if status is not None:
            page["project-status"] = {"status": status}
        (place / "index.json").write_text(json.dumps(page), encoding="utf-8")

    def lists_as_html(self, name: str, anchors: str) -> None:
        """Let the index list files of a package the old way, without dates (PEP 503)."""
        place = self.folder / "simple" / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "index.html").write_text(f"<!DOCTYPE html><html><body>{anchors}</body></html>", encoding="utf-8")

    def fails(self, name: str, status: int) -> None:
        """Let the index answer with a status instead."""
        place = self.folder / "simple" / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "status").write_text(str(status))


def file(name: str, day: str | None = None, **more: Any) -> dict[str, Any]:
    """One file of a package."""
    dated = {"upload-time": f"{day}T12:00:00.000000Z"} if day else {}
    return {"filename": name, "url": f"../../files/{name}", **dated, **more}


@contextmanager
def serve(folder: Path, user: str = "", password: str = "") -> Iterator[Index]:
    """Serve an index until the end of the block."""
    asked = base64.b64encode(f"{user}:{password}".encode()).decode() if user else ""
    handler = type("Handler", (_Handler,), {"password": asked})
    (folder / "simple").mkdir(parents=True, exist_ok=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield Index(folder, f"http://127.0.0.1:{server.server_address[1]}/simple")
        finally:
            server.shutdown()
