"""The soak's quick version, line by line; `python3 course.py soak` has the full one."""

import ast
import http.server
import json
import re
import subprocess
import sys
import threading

import pytest
from refresh import ROOT

FOLDER = ROOT / "classroom/soak"
sys.path.append(str(FOLDER))

import pins  # noqa: E402

TEXT = (FOLDER / "run.py").read_text(encoding="utf-8")
LINES = re.findall(r'"(\w+)"', re.search(r"^LINES = \[(.*?)^\]", TEXT, re.M | re.S)[1])
# What each of these does, other tests do once at every run, at least in part.
WEEKLY = ["kernels", "logins", "reruns", "orders", "confined", "places", "restarts"]


def soak(*words):
    command = [sys.executable, FOLDER / "run.py", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.weekly] * (n in WEEKLY)) for n in LINES]
)
def test_it_holds(name):
    """In a process of its own: some lines change the user, kill, or load a browser's plugin."""
    done = soak("--quick", name)
    assert done.returncode == 0, done.stdout + done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith(f"| `{name}` |"))
    _name, _title, _goal, figure, held, _seconds, _when = row.strip("| ").split(" | ")
    assert re.search(r"\d", figure), row
    assert held == "yes"


def test_every_line_is_a_module_that_says_its_goal():
    for name in LINES:
        body = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8")).body
        given = {ast.unparse(node.targets[0]): node for node in body if type(node) is ast.Assign}
        assert all(ast.literal_eval(given[key].value).strip() for key in ("TITLE", "GOAL")), name


def test_an_unknown_line_is_named():
    done = soak("--quick", "kill")
    assert done.returncode == 2
    assert "there is no line kill: choose of kernels" in done.stderr


class Advisories(http.server.BaseHTTPRequestHandler):
    """Knows one hole of PyPI and one of npm."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        bad = [("PyPI", "torch", "2.10.0"), ("npm", "@so-ric/colorspace", "1.1.6")]
        answers = []
        for one in asked:
            package = one["package"]["ecosystem"], one["package"]["name"], one["version"]
            answers.append({"vulns": [{"id": f"HOLE-{package[0]}"}]} if package in bad else {})
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"results": answers}).encode())

    def log_message(self, *words):
        pass


def test_pins_of_pip_and_of_npm_are_asked_about():
    packages, unhashed = pins.of_npm()
    assert len(packages) > 70
    assert unhashed == []
    with http.server.HTTPServer(("127.0.0.1", 0), Advisories) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        told = pins.known_holes([("PyPI", "torch", "2.10.0"), *packages], address)
        server.shutdown()
        thread.join()
    assert told == [
        "torch 2.10.0 has the hole HOLE-PyPI",
        "@so-ric/colorspace 1.1.6 has the hole HOLE-npm",
    ]
    assert pins.known_holes(packages, address) is None, "nobody answers there any more"


@pytest.mark.parametrize(
    ("package", "version"),
    [("jupyterlab", "4.6.3"), ("torch", "2.10.0"), ("jupyterhub", "6.0.1"), ("tornado", "6.5.9")],
)
def test_a_pin_below_a_known_fix_is_refused(package, version):
    good = set(pins.FLOORS.items())
    assert pins.floors(good) == []
    said = pins.floors({pin for pin in good if pin[0] != package} | {(package, version)})
    assert said == [f"{package} {version} is pinned, below {pins.FLOORS[package]}"]
