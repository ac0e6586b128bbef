"""Markdown of the notebooks as HTML in which nothing can run."""

import html
import re
from pathlib import Path

import bleach
import mistune
from latex2mathml.converter import convert as mathml
from nbconvert.filters import Highlight2HTML

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
TAGS = {
    *["a", "abbr", "b", "blockquote", "br", "button", "code", "dd", "del", "details", "div", "dl"],
    *["dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre"],
    *["s", "span", "strong", "sub", "summary", "sup"],
    *["table", "tbody", "td", "th", "thead", "tr", "ul"],
    *["math", "mrow", "mi", "mo", "mn", "mtext", "mspace", "msub", "msup", "msubsup", "mfrac"],
    *["msqrt", "mroot", "mover", "munder", "munderover", "mtable", "mtr", "mtd", "mstyle"],
}
ATTRIBUTES = {
    "*": ["class", "id", "role", "title", "lang"],
    "a": ["href", "aria-describedby", "aria-label"],
    "button": ["type"],
    "p": ["tabindex"],
    "pre": ["tabindex"],
    "img": ["src", "alt", "width", "height", "loading"],
    "math": ["display", "xmlns"],
    "mo": ["stretchy", "fence", "form", "separator", "movablelimits"],
    "mi": ["mathvariant"],
    "mover": ["accent"],
    "mspace": ["width"],
    "mstyle": ["displaystyle"],
    "td": ["colspan"],
    "th": ["scope", "colspan"],
}
DROPPED = re.compile(r"<(script|style)\b.*?</\1\s*>", re.S | re.I)
FOLDED = re.compile(r"<details>.*?</details>", re.S)
highlight = Highlight2HTML(pygments_lexer="ipython3")


def clean(markup: str) -> str:
    """Return HTML of which nothing is left that could run."""
    made = bleach.clean(DROPPED.sub("", markup), TAGS, ATTRIBUTES, strip_comments=True)
    return re.sub(r"<th([^>]*)>\s*</th>", r"<td\1></td>", made)  # a corner is not a heading


def anchor(text: str) -> str:
    """Return the id of a heading, as JupyterLab writes it into links."""
    return re.sub(r"<[^>]*>", "", html.unescape(text)).strip().replace(" ", "-")


def plain(text: str) -> str:
    """Return Markdown as plain text."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\$(.*?)\$", lambda math: math[1].replace("\\", "").strip(), text)
    return re.sub(r"[`*]|<[^>]*>", "", text).strip()


def code_block(source: str) -> str:
    """Return highlighted Python with a button that copies it."""
    lines = highlight(source).replace("<pre>", '<pre tabindex="0">', 1)
    return f'<div class="src">{lines}<button class="copy" type="button">Copy</button></div>'


class Renderer(mistune.HTMLRenderer):
    """Markdown as the notebooks use it: mathematics, code, links from notebook to notebook."""

    def __init__(self, links: "Links"):
        super().__init__(escape=False)
        self.links = links

    def heading(self, text: str, level: int, **_more: object) -> str:
        """Return a heading one can link to."""
        name = html.escape(anchor(text))
        return f'<h{level} id="{name}">{text}</h{level}>\n'

    def block_code(self, code: str, info: str | None = None) -> str:
        """Return code, colored if it is Python."""
        if info and info.startswith("python"):
            return code_block(code.rstrip("\n"))
        return f'<pre tabindex="0"><code>{html.escape(code)}</code></pre>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Return a link; one to the glossary brings the entry along."""
        return self.links.link(text, url)

    def inline_math(self, text: str) -> str:
        """Return MathML."""
        return mathml(text)

    def block_math(self, text: str) -> str:
        """Return MathML on a line of its own."""
        return f'<p class="formula" tabindex="0">{mathml(text, display="block")}</p>\n'


class Links:
    """Where links lead: from page to page here, to the repository for other files."""

    def __init__(self, source: str, entries: dict[str, str]):
        self.source, self.entries, self.used = source, entries, 0

    def link(self, text: str, url: str) -> str:
        """Return a link as HTML."""
        target = self.target(url)
        page, _, place = url.partition("#")
        entry = self.entries.get(place) if page == "glossary.md" else None
        if entry is None:
            return f'<a href="{html.escape(target)}">{text}</a>'
        self.used += 1
        name = f"word-{self.used}"
        label = f' aria-label="{place}"' if text.startswith("<math") else ""  # which has no name
        opened = f'<a href="{html.escape(target)}" aria-describedby="{name}"{label}>'
        tip = f'<span class="entry" role="tooltip" id="{name}">{html.escape(entry)}</span>'
        return f'<span class="word">{opened}{text}</a>{tip}</span>'

    def target(self, url: str) -> str:
        """Return where a link of a notebook leads on the web."""
        if re.match(r"[a-z]+:|#", url):
            return url if url.startswith(("http:", "https:", "mailto:", "#")) else "#"
        page, mark, place = url.partition("#")
        name = Path(page).name
        if (NOTEBOOKS / page).parent == NOTEBOOKS and name.endswith((".ipynb", ".md")):
            return f"{Path(name).stem}.html{mark}{place}"
        path = (NOTEBOOKS / page).resolve().relative_to(ROOT)
        return f"{self.source}/blob/HEAD/{path.as_posix()}{mark}{place}"


def markdown(text: str, links: Links) -> str:
    """Return Markdown as HTML in which nothing can run."""
    plugins = ["table", "strikethrough", "math"]
    return clean(mistune.create_markdown(renderer=Renderer(links), plugins=plugins)(text))


def line(text: str, links: Links) -> str:
    """Return one line of Markdown as HTML, without a paragraph around it."""
    return re.sub(r"^<p>|</p>$", "", markdown(text, links).strip())
