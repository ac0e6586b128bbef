"""Table 5: the web edition on a slow line and a slow machine."""

import functools
import gzip
import http.server
import runpy
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page
from report import Table, goal, p50, p95, say, short

ROOT = Path(__file__).resolve().parent.parent
PAGES = ["00_start_here", "06_settings", "09_neural_networks"]
SHARED = ["site.css", "early.js", "site.js", "explorers.js", "predict.js"]
SLOW = {"offline": False, "latency": 40, "downloadThroughput": 1.25e6, "uploadThroughput": 1.25e6}
MOVES = 100
# The time from a move to the end of the frame that shows it.
MOVE = """async (id) => {
    const {stage} = document.getElementById(id).querySelector('.explorer').parentNode;
    const [control] = Object.values(stage.controls), times = [], {dataset} = stage.root;
    const painted = () => new Promise((done) => {
        const channel = new MessageChannel();
        channel.port1.onmessage = done;
        channel.port2.postMessage(0);
    });
    for (let k = 0; k < %d; k += 1) {
        await new Promise(requestAnimationFrame);
        await painted();
        const began = performance.now(), before = dataset.frames;
        stage.touch();
        control.place = (control.place + 1 + (k %% 7)) %% control.places;
        do await new Promise(requestAnimationFrame); while (dataset.frames === before);
        await painted();
        times.push(performance.now() - began);
    }
    return times;
}"""
FIRST_TEXT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves compressed, as the hosts of static pages do."""

    def send_head(self):
        """Send what compresses well compressed."""
        path = Path(self.translate_path(self.path))
        if path.suffix not in (".html", ".js", ".css"):
            return super().send_head()
        body = gzip.compress(path.read_bytes())
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None

    def log_message(self, *words):
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback; yield its address."""
    handler = functools.partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def first_seconds(browser: Browser, url: str, place: str) -> tuple[float, float]:
    """Return the seconds until the first text and the first slider that moves, cold and slowed."""
    page = browser.new_context().new_page()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", SLOW)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    began = time.perf_counter()
    page.goto(f"{url}#{place}:", wait_until="commit")
    page.wait_for_selector(f"#{place}[data-alive] .explorer[data-frames]")
    alive = time.perf_counter() - began
    page.wait_for_function(FIRST_TEXT)
    text = page.evaluate(FIRST_TEXT) / 1000
    page.context.close()
    return text, alive


def foreign(page: Page, address: str) -> list[str]:
    """Note requests to other origins, and what a page complains of."""
    noted: list[str] = []
    own = urlsplit(address).netloc
    page.on("request", lambda r: urlsplit(r.url).netloc == own or noted.append(r.url))
    page.on("pageerror", lambda error: noted.append(str(error)))
    page.on("console", lambda m: m.type in ("error", "warning") and noted.append(m.text))
    return noted


def packed(path: Path) -> float:
    """Return the compressed size of a file in kB."""
    return len(gzip.compress(path.read_bytes())) / 1000


def tables(quick: bool) -> list[Table]:
    """Build the site, open three pages several times, move their explorers."""
    from playwright.sync_api import sync_playwright

    rounds = 1 if quick else 5
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Path(folder) / "site"
        say("building the site")
        began = time.perf_counter()
        subprocess.run([sys.executable, ROOT / "site/build.py", site], check=True, cwd=ROOT)
        built = time.perf_counter() - began
        path = runpy.run_path(str(ROOT / "tests/run.py"))["find_chromium"]()
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        rows, texts, sliders, moves, noted = [], [], [], [], []
        with served(site) as address:
            for name in PAGES:
                say(name)
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                complaints = foreign(page, address)
                page.goto(f"{address}{name}.html")
                place = page.locator(".live").first.get_attribute("id")
                page.goto(f"{address}{name}.html#{place}:")
                page.wait_for_selector(f"#{place}[data-alive]")
                took = page.evaluate(MOVE % (MOVES // 10 if quick else MOVES), place)
                page.close()
                url = f"{address}{name}.html"
                times = [first_seconds(browser, url, place) for _ in range(rounds)]
                text, slider = (p50([one[k] for one in times]) for k in (0, 1))
                size = packed(site / f"{name}.html")
                cells = [f"{text:.2f}", f"{slider:.2f}", f"{p50(took):.0f} / {p95(took):.0f}"]
                rows.append([name, *cells, short(size)])
                texts.append(text)
                sliders.append(slider)
                moves.append((p50(took), p95(took)))
                noted += complaints
        browser.close()
        shared = sum(packed(site / name) for name in SHARED)
        largest = max(packed(path) for path in site.glob("*.html"))
    worst = [max(values) for values in zip(*moves, strict=True)]
    goals = [
        goal("First text within 1.0 s", f"{max(texts):.2f} s", max(texts) <= 1),
        goal("First slider that moves within 2.0 s", f"{max(sliders):.2f} s", max(sliders) <= 2),
        goal("Shared scripts and styles within 450 kB", f"{shared:.0f} kB", shared <= 450),
        goal("A page without its figures within 150 kB", f"{largest:.0f} kB", largest <= 150),
        goal("A move painted within 10 / 20 ms", f"{worst[0]:.0f} / {worst[1]:.0f} ms",
             worst[0] <= 10 and worst[1] <= 20),
        goal("The whole site built within 90 s", f"{built:.0f} s", built <= 90),
        goal("Requests to elsewhere and errors: none", str(len(noted)), not noted),
    ]  # fmt: skip
    text = (
        "Chromium with an empty cache, 10 Mbit/s and 40 ms, its processor slowed 4 times: seconds "
        f"to the first text and to the first explorer that moves, p50 of {rounds}. Not slowed: "
        "ms from a move to its painted picture, p50 / p95. Sizes are compressed."
    )
    head = ["page", "first text, s", "first slider, s", "move to painted, ms", "page, kB"]
    return [Table("The web edition", text, head, rows, goals)]
