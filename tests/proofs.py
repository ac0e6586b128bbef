"""What a page asks of the kernel, and what tests of a proof share."""

import re
import threading
import time


def rest(explorer, seconds=10):
    """Ask, as a page at rest does, for a proof of the present state; return its conclusion."""
    explorer.page.proof = {}
    ask(explorer)
    end = time.monotonic() + seconds
    while explorer.page.proof.get("of") != explorer.state or explorer.page.proof["kind"] == "runs":
        assert time.monotonic() < end, explorer.page.proof
        time.sleep(0.002)
    return explorer.page.proof


def ask(explorer):
    """Send what a page at rest sends, and wait for nothing."""
    explorer.hear(explorer.page, {"prove": explorer.state})


def move(explorer, **values):
    """Move controls as a hand in the page does: nothing runs yet."""
    for name, value in values.items():
        explorer.controls[name].value = value


def value_of(code, **names):
    """Run the cell of a state beside a notebook's names; return the value of its last line."""
    body, last = code.rsplit("\n", 1)
    space = dict(names)
    exec(compile(body, "cell", "exec"), space)
    made = set(space) - set(names) - {"__builtins__"}
    assert len(made) == 1, made
    assert all(space[name] is value for name, value in names.items())
    return eval(last, space)


def numbers_in(sentence):
    """Return the numbers of a sentence; words such as w1 or "2.1 million" are not."""
    text = sentence.replace("\u2212", "-").replace(",", "")
    found = re.findall(r"(?<![\w.\u2080-\u2089])-?\d+(?:\.\d+)?", text)
    return [float(number) for number in found]


class Sleeper:
    """A learner's function that sleeps until it is ended; knows how it ended."""

    def __init__(self):
        self.began, self.ended = threading.Event(), threading.Event()

    def __call__(self, *_args, **_named):
        self.began.set()
        try:
            while True:
                time.sleep(0.005)
        finally:
            self.ended.set()
