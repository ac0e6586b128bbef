"""A notebook as the parts of a page, in their order."""

import base64
import html
import json
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
from markup import FOLDED, Links, anchor, clean, code_block, line, markdown, plain
from nbconvert.filters import ansi2html

from course_utils.checks.judging import EXERCISES
from course_utils.explorers.still import LIVE
from course_utils.predict import asked, questions, solution

ASKED = re.compile(r'^predict\("(.*)"\)$', re.M)
CHECKED = re.compile(r'^check\("(.*?)"', re.M)
TIME = re.compile(r"\*\*Time\*\*: about \d+ minutes\.\s*")
ABLE = re.compile(r"\*\*You will be able to\*\*\s*((?:^- .*\n?)+)", re.M)
CLICKS = re.compile(r" ?[^.\n]*`Shift\+Enter`[^.]*\.")  # what one does in JupyterLab alone
MARKDOWN = {"text/markdown"}
IMPORTS = re.compile(r"import |from |use_one_thread")


def as_script(text: str) -> str:
    """Return JSON as it may stand in a script element."""
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028")


class Lesson:
    """A notebook as a page: its parts in order, and what lists say of it.

    Parameters
    ----------
    path : Path
        The stored notebook.
    able, minutes : str, int
        What one can do after it, and how long it takes, as README says.
    links : Links
        Where its links lead.
    keep : callable (str) -> str
        Writes a picture, given in base64, beside the pages; returns its address.

    Attributes
    ----------
    parts : list of dict
        Each of a kind: "text", "code", "exercise" or "question". `veil` names the question that
        a part answers.
    index : list of tuple
        What the search finds: page, heading, address and text.
    """

    def __init__(
        self, path: Path, able: str, minutes: int, links: Links, keep: Callable[[str], str]
    ):
        self.stem, self.number = path.stem, path.stem.partition("_")[0]
        self.able, self.minutes, self.links, self._keep = able, minutes, links, keep
        self.sections: list[tuple[str, str]] = []
        self.counts = {"explorer": 0, "exercise": 0, "question": 0}
        self.index: list[tuple[str, str, str, str]] = []
        self.parts: list[dict] = []
        cells = nbformat.read(path, as_version=4).cells
        self.title = re.match(r"# (.*)", cells[0].source)[1]
        able_to = ABLE.search(cells[0].source)
        goals = re.findall(r"^- (.*)", able_to[1], re.M) if able_to else []
        self.goals = [line(goal, links) for goal in goals]
        self._heading, self._place = self.title, ""
        self._seen: dict[str, int] = {}
        veil = None
        for cell in cells:
            if "elsewhere" in cell.metadata.get("tags", []):
                continue  # for notebooks only
            is_text = cell.cell_type == "markdown"
            if is_text and cell.source.startswith("## "):
                veil = None
            part = self._text(cell.source, veil) if is_text else self._code(cell)
            if part:
                self.parts.append(part | {"veil": veil})
                if part["kind"] == "question":
                    veil = part["id"]

    @property
    def explorers(self) -> list[dict]:
        """The explorers of all parts."""
        return [one for part in self.parts for one in part.get("explorers", [])]

    def _text(self, source: str, veil: str | None) -> dict | None:
        text = re.sub(r"^# .*\n", "", source)
        text = CLICKS.sub("", TIME.sub("", ABLE.sub("", text))).strip()
        if not text:
            return None
        titles = re.findall(r"^## (.*)$", text, re.M)
        self.sections += [(plain(title), anchor(title)) for title in titles]
        if not veil:  # or the search would tell what is veiled
            self._note(text)
        return {"kind": "text", "html": markdown(text, self.links)}

    def _note(self, text: str) -> None:
        for piece in re.split(r"^(?=#{2,3} )", FOLDED.sub("", text), flags=re.M):
            if title := re.match(r"#{2,3} (.*)", piece):
                self._heading, self._place = plain(title[1]), "#" + anchor(title[1])
            if words := plain(re.sub(r"^#+ .*", "", piece)):
                page, address = f"{self.number} {self.title}", f"{self.stem}.html{self._place}"
                self.index.append((page, self._heading, address, words))

    def _code(self, cell: nbformat.NotebookNode) -> dict:
        if name := ASKED.search(cell.source):
            return self._question(name[1])
        part = {"kind": "code", "code": code_block(cell.source), "outputs": [], "explorers": []}
        outputs = list(cell.outputs)
        if number := CHECKED.search(cell.source):
            self.counts["exercise"] += 1
            hints = [line(hint, self.links) for hint in EXERCISES[number[1]].hints]
            part |= {"kind": "exercise", "number": number[1], "hints": hints}
            outputs.pop()  # the verdict on a stub
        lines = [text for text in cell.source.splitlines() if text.strip()]
        part["imports"] = all(IMPORTS.match(text) for text in lines)
        while outputs:
            output = outputs.pop(0)
            data = output.get("data", {})
            if LIVE in data:
                part["explorers"].append(self._explorer(data[LIVE], outputs))
            elif "image/png" in data:
                part["outputs"].append(self._figure(output, outputs))
            elif shown := as_html(output):
                part["outputs"].append(shown)
        return part

    def _figure(self, output: nbformat.NotebookNode, following: list) -> str:
        """Return a picture with the caption that the output after it holds."""
        said = ""
        if following and {"text/html", "text/plain"} == {*following[0].get("data", {})} - MARKDOWN:
            said = f"<figcaption>{html.escape(following.pop(0).data['text/plain'])}</figcaption>"
        look = output.metadata.get("image/png", {})
        alt = html.escape(look.get("alt") or output.data.get("text/plain", ""))
        size = f'alt="{alt}" width="{look.get("width", 640)}" loading="lazy"'
        return f'<figure><img src="{self._keep(output.data["image/png"])}" {size}>{said}</figure>'

    def _explorer(self, state: str, following: list) -> dict:
        """Return an explorer: what brings it to life, and its still picture."""
        self.counts["explorer"] += 1
        script = json.loads(state)["explorer"]
        times = self._seen[script] = self._seen.get(script, 0) + 1
        still = self._figure(following.pop(0), following)
        name = script if times == 1 else f"{script}-{times}"
        return {"id": name, "script": script, "state": as_script(state), "still": still}

    def _question(self, name: str) -> dict:
        """Return a question, and what its answers are told, which is not to be read at a glance."""
        self.counts["question"] += 1
        known = questions()[name]
        told = {key: known[key] for key in known if key not in ("ask", "unit")}
        secret = json.dumps(told | {"solution": solution(known)})
        return {
            "kind": "question",
            "id": f"{self.number}-{anchor(name)}",
            "number": self.counts["question"],
            "ask": line(known["ask"], self.links),
            "items": [line(item, self.links) for item in asked(known)["items"]],
            "shown": as_script(json.dumps(asked(known))),
            "told": base64.b64encode(secret.encode()).decode(),
        }


def as_html(output: nbformat.NotebookNode) -> str:
    """Return what an output without a picture shows, or nothing."""
    data = output.get("data", {})
    if output.output_type == "stream":
        kind = "stderr" if output.name == "stderr" else "stdout"
        return f'<pre class="{kind}" tabindex="0">{ansi2html(output.text)}</pre>'
    if output.output_type == "error":
        trace = ansi2html("\n".join(output.traceback))
        return f'<pre class="stderr" tabindex="0">{trace}</pre>'
    if "text/html" in data and not data["text/html"].startswith("<!--"):
        return f'<div class="table" tabindex="0">{clean(data["text/html"])}</div>'
    return f'<pre tabindex="0">{html.escape(data.get("text/plain", ""))}</pre>'
