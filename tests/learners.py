"""The real hub as a process, and learners who use it as a browser does: forms, cookies, sockets."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from urllib.parse import quote

import psutil
import requests
import websocket

ROOT = Path(__file__).resolve().parent.parent
LONG = 300  # seconds after which a server or a cell counts as hanging


def resolve(host, *more, ask=socket.getaddrinfo):
    """Find every name below localhost on this machine, as a browser does."""
    return ask("127.0.0.1" if str(host).endswith(".localhost") else host, *more)


socket.getaddrinfo = resolve


class Hub:
    """A hub of its own: `python3 course.py hub` without course.py, in a given folder."""

    def __init__(self, folder: Path, root: Path = ROOT, **settings: str):
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, str(root / "classroom/hub.py")],
            env=os.environ | {"COURSE_HUB": str(folder), "COURSE_PORT": "0"} | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self.said = []
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            if "Ctrl-C" in line:
                break
        text = "\n".join(self.said)
        address = re.search(r"http://\S+", text)
        if address is None:
            raise RuntimeError(f"The hub did not start: {text}\n{self.log()}")
        self.url = address[0]
        self.password = (re.findall(r"class password: (\S+)", text) or [None])[0]

    def at(self, path: str) -> str:
        """Return the address of a path, which may be at a learner's own host name."""
        owner = path.split("/")[1] if path.startswith("user/") else ""
        own = f"//{owner}." if owner and ".localhost" in self.url else "//"
        return self.url.replace("//", own) + path

    def log(self) -> str:
        """Return what the hub wrote into its log."""
        file = self.folder / "hub.log"
        return file.read_text("utf-8", "replace") if file.exists() else ""

    def processes(self) -> list[psutil.Process]:
        """Return the starter, hub, proxy, culler, servers and kernels."""
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]

    def commands(self) -> list[tuple[psutil.Process, str]]:
        """Return each process with its command, but for those that end meanwhile."""
        found = []
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                found.append((process, " ".join(process.cmdline())))
        return found

    def part(self, word: str) -> psutil.Process:
        """Return the one process whose command holds a word."""
        return self.part_of([process for process, _ in self.commands()], word)

    @staticmethod
    def part_of(processes: list[psutil.Process], word: str) -> psutil.Process:
        """Return the one of some processes whose command holds a word."""
        [found] = [process for process in processes if word in " ".join(process.cmdline())]
        return found

    def stop(self) -> None:
        """Do what Ctrl-C does, and wait until the hub is gone; one that stays is killed."""
        late = threading.Timer(LONG, self.process.kill)
        late.start()
        self.process.send_signal(signal.SIGINT)
        self.said += self.process.stdout.read().splitlines()
        self.process.wait()
        late.cancel()


class Learner:
    """One browser session at a hub."""

    def __init__(self, hub: Hub, name: str):
        self.hub, self.name = hub, name
        self.session = requests.Session()
        self.session.trust_env = False
        self.home = f"user/{quote(name)}/"

    def request(self, method: str, path: str, **more) -> requests.Response:
        """Ask the hub or a server; the answer may be a refusal."""
        more.setdefault("timeout", LONG)
        return self.session.request(method, self.hub.at(path), **more)

    def xsrf(self, path: str) -> str:
        """Return the token that belongs to a path, as the page's script reads it."""
        fitting = [
            cookie
            for cookie in self.session.cookies
            if cookie.name == "_xsrf" and f"/{path}".startswith(cookie.path)
        ]
        return max(fitting, key=lambda cookie: len(cookie.path)).value if fitting else ""

    def log_in(self, password: str) -> requests.Response:
        """Fill in the form. A right password answers 302, a wrong one 403."""
        page = self.request("GET", "hub/login")
        page.raise_for_status()
        token = re.search(r'name="_xsrf" value="([^"]+)"', page.text)[1]
        form = {"username": self.name, "password": password, "_xsrf": token}
        return self.request("POST", "hub/login", data=form, allow_redirects=False)

    def begin_server(self) -> None:
        """Ask for the own server, which then starts."""
        self.request("GET", "hub/spawn").raise_for_status()

    def start_server(self) -> requests.Response:
        """Wait until the own server runs, and open JupyterLab; return its page."""
        self.begin_server()
        path = f"hub/api/users/{quote(self.name)}/server/progress"
        events = self.request("GET", path, params={"_xsrf": self.xsrf("hub/")}, stream=True)
        events.raise_for_status()
        for line in events.iter_lines():
            event = json.loads(line.removeprefix(b"data:")) if line.startswith(b"data:") else {}
            if event.get("ready") or event.get("failed"):
                break
        page = self.request("GET", self.home + "lab")
        page.raise_for_status()
        return page

    def api(self, method: str, path: str, home: str | None = None, **more) -> requests.Response:
        """Ask the interface of a server, by default the learner's own."""
        home = home or self.home
        headers = {"X-XSRFToken": self.xsrf(home)}
        return self.request(method, f"{home}api/{path}", headers=headers, **more)

    def open_kernel(self, notebook: str) -> "Kernel":
        """Start a kernel for a notebook, as JupyterLab does when it opens one."""
        body = {"path": notebook, "name": notebook, "type": "notebook"}
        answer = self.api("POST", "sessions", json=body | {"kernel": {"name": "python3"}})
        answer.raise_for_status()
        return Kernel(self, answer.json()["kernel"]["id"])

    def run_notebook(self, notebook: str) -> int:
        """Run a notebook cell by cell; return the number of cells. An error of a cell is raised."""
        answer = self.api("GET", f"contents/{quote(notebook)}")
        answer.raise_for_status()
        cells = answer.json()["content"]["cells"]
        codes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        kernel = self.open_kernel(notebook)
        for code in codes:
            kernel.run(code)
        kernel.close()
        return len(codes)


class Kernel:
    """The websocket of one kernel."""

    def __init__(self, learner: Learner, ident: str):
        self.learner, self.ident = learner, ident
        path = f"{learner.home}api/kernels/{ident}/channels"
        address = f"{learner.hub.at(path).replace('http', 'ws', 1)}?session_id={uuid.uuid4().hex}"
        asked = requests.Request("GET", learner.hub.at(path))
        cookies = learner.session.prepare_request(asked).headers.get("Cookie", "")
        self.socket = websocket.create_connection(address, timeout=LONG, cookie=cookies)

    def run(self, code: str) -> str:
        """Run a cell and return what it printed; an error of the cell is raised."""
        ident, printed, error, missing = uuid.uuid4().hex, [], "", {"idle", "reply"}
        header = {"msg_id": ident, "msg_type": "execute_request", "version": "5.3"}
        header |= {"username": "", "session": "", "date": ""}
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self.socket.send(json.dumps(message | {"channel": "shell", "buffers": []}))
        while missing:
            answer = self.socket.recv()
            if not isinstance(answer, str):
                continue  # a message with buffers: the data of a widget
            answer = json.loads(answer)
            if answer["parent_header"].get("msg_id") != ident:
                continue
            kind, content = answer["msg_type"], answer["content"]
            if kind == "stream":
                printed.append(content["text"])
            elif kind == "execute_result":
                printed.append(content["data"]["text/plain"])
            elif kind == "error":
                error = f"{content['ename']}: {content['evalue']}"
            elif kind == "execute_reply":
                missing.discard("reply")
            elif kind == "status" and content["execution_state"] == "idle":
                missing.discard("idle")
        if error:
            raise RuntimeError(error)
        return "".join(printed)

    def close(self) -> None:
        """Leave the socket; the kernel goes on."""
        self.socket.close()
