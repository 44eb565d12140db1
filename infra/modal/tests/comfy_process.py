"""A program that answers like ComfyUI 0.3.75 as far as a run needs it; started as `main.py --port N` by the tests.

Its files lie beside it. A graph that holds "hang" runs until it is interrupted, "stubborn" also after that, "die" ends the
process, "partial" is half wrong. One prompt runs at a time; what comes while another runs waits behind it.
"""

from __future__ import annotations

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

HERE = Path(__file__).resolve().parent
history: dict[str, Any] = {}
running: dict[str, Any] = {}
seen: list[str] = []


class Handler(BaseHTTPRequestHandler):
    def reply(self, body: Any, status: int = 200) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        path = urlsplit(self.path)
        if path.path == "/system_stats":
            self.reply({"system": {}})
        elif path.path == "/object_info":
            self.reply({"SaveImage": {}})
        elif path.path == "/queue":
            self.reply({"queue_running": [[0, key, {}, {}, []] for key in running], "queue_pending": []})
        elif path.path.startswith("/history/"):
            key = path.path.rpartition("/")[2]
            self.reply({key: history[key]} if key in history else {})
        elif path.path == "/view":
            name = parse_qs(path.query)["filename"][0]
            found = HERE / "output" / "ryla" / name
            self.reply(found.read_bytes() if found.exists() else b"", 200 if found.exists() else 404)
        elif path.path == "/seen":
            self.reply(seen)
        else:
            self.reply(b"", 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        seen.append(self.path)
        if self.path == "/ryla/device":
            told = HERE / "device"
            self.reply({"device": told.read_text()} if told.exists() else b"", 200 if told.exists() else 404)
            return
        if self.path == "/upload/image":
            self.reply({"name": "face (1).jpeg", "subfolder": "run", "type": "input"})
            return
        message = json.loads(body)
        if self.path == "/prompt":
            self.prompt(message)
            return
        key = message.get("prompt_id")
        if self.path == "/interrupt" and "hang" in running.get(key, ""):
            running.pop(key)
            status = {"status_str": "error", "completed": False, "messages": [["execution_interrupted", {}]]}
            history[key] = {"outputs": {}, "status": status}
        self.reply(b"")

    def prompt(self, message: dict[str, Any]) -> None:
        graph = json.dumps(message["prompt"])
        if "NoSuchNode" in graph:
            error = {"type": "invalid_prompt", "message": "Cannot execute because node NoSuchNode does not exist."}
            self.reply({"error": error, "node_errors": {}}, 400)
            return
        if "die" in graph:
            os._exit(3)
        key = message["prompt_id"]
        if running or "hang" in graph or "stubborn" in graph:
            running[key] = graph
        else:
            (HERE / "output" / "ryla").mkdir(parents=True, exist_ok=True)
            name = f"{key}_00001_.png"
            (HERE / "output" / "ryla" / name).write_bytes((HERE / "picture.jpeg").read_bytes())
            files = [{"filename": name, "subfolder": "ryla", "type": "output"}]
            files.append({"filename": "p.png", "subfolder": "", "type": "temp"})
            status = {"status_str": "success", "completed": True, "messages": []}
            history[key] = {"outputs": {"9": {"images": files}}, "status": status}
        errors = {"7": {"errors": [{"type": "value_not_in_list", "details": "x"}], "class_type": "K"}}
        self.reply({"prompt_id": key, "number": 0, "node_errors": errors if "partial" in graph else {}})

    def log_message(self, *args: object) -> None: ...


if __name__ == "__main__":
    with (HERE / "starts").open("a") as starts:
        starts.write(" ".join(sys.argv[1:]) + "\n")
    HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
