"""Read the progress files of a class: which exercise fails most, as a table and a picture.

Run by `python3 course.py progress FOLDER`. It reads every .jsonl file in the folder, however deep,
one file a learner, changes none, and writes progress.png into the folder, and progress.csv, which
Canvas and Moodle import. A file whose events all stand in another one, as after `progress.merge`,
is not a learner of its own.
"""

import csv
import io
import os
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path

from matplotlib.figure import Figure

from course_utils import progress
from course_utils.board import LOOKS, in_order
from course_utils.checks.feedback import EXERCISES
from course_utils.inputs import InputError

PICTURE, SHEET = "progress.png", "progress.csv"
OURS = re.compile(r"notebooks|course|progress( ?\(\d+\))?|before")  # names that tell of no learner
CANVAS = re.compile(r"([^_]+)_(?:LATE_)?(\d+)_\d+_.+")  # how it calls what learners hand in


def collected(folder: Path) -> tuple[dict[Path, list[dict]], list[str]]:
    """Return the events of each learner's file, and a sentence for each file that is not ours."""
    learners, ids, refused = {}, {}, []
    for file in sorted(folder.rglob("*.jsonl")):
        try:
            if not file.exists():
                raise InputError("this link leads nowhere.")
            learners[file] = progress.read(file)
            ids[file] = {event["id"] for event in learners[file]}
        except (InputError, OSError) as error:
            refused.append(printable(f"{file.relative_to(folder)}: {error}"))
    for file, other in held(ids).items():
        named = file.relative_to(folder), other.relative_to(folder)
        refused.append(printable("{}: {} holds all of it.".format(*named)))
        del learners[file]
    return learners, refused


def held(ids: dict[Path, set[str]]) -> dict[Path, Path]:
    """Return each file whose events all stand in another one, and that one."""
    holders: dict[str, dict[Path, None]] = defaultdict(dict)
    for file, own in ids.items():
        for event in own:
            holders[event][file] = None
    found = {}
    for file, own in ids.items():
        fewest = min((holders[event] for event in own), key=len, default=())  # most often it alone
        others = (other for other in fewest if other != file and own <= ids[other])
        if other := next(others, None):
            found[file] = other
            for event in own:
                del holders[event][file]
    return found


def printable(text: str) -> str:
    """Return a text with a backslash code for all that a terminal could take for more than text."""
    codes = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return "".join(codes)


def counted(learners: dict[Path, list[dict]]) -> dict[str, Counter]:
    """Return for each exercise how many learners passed or tried it, and wrong tries and hints."""
    counts: dict[str, Counter] = defaultdict(Counter)
    for events in learners.values():
        passed = progress.passed(events)
        for name in {event["exercise"] for event in events} & EXERCISES.keys():
            counts[name]["passed" if name in passed else "tried"] += 1
        for event in events:
            counts[event["exercise"]][event["outcome"]] += 1
    return {name: count for name, count in counts.items() if name in EXERCISES}


def hardest_first(counts: dict[str, Counter]) -> list[str]:
    """Return the exercises, those most learners are stuck in first, then by wrong tries."""
    return sorted(counts, key=lambda n: (-counts[n]["tried"], -counts[n]["wrong"], n))


def table(counts: dict[str, Counter]) -> str:
    """Return the counts as lines of text."""
    lines = [f"{'exercise':44}{'stuck':>6}{'passed':>8}{'wrong tries':>13}{'hints':>7}"]
    for name in hardest_first(counts):
        title, count = f"{name} {EXERCISES[name].title}", counts[name]
        row = f"{count['tried']:6}{count['passed']:8}{count['wrong']:13}{count['hint']:7}"
        lines.append(f"{title[:43]:44}{row}")
    return "\n".join(lines)


def drawn(counts: dict[str, Counter]) -> Figure:
    """Draw one bar an exercise, in the course's order: learners who passed, and who are stuck."""
    names = in_order(counts)[::-1]
    figure = Figure(figsize=(8, 1.2 + 0.3 * len(names)), layout="constrained")
    axes = figure.add_subplot(xlabel="learners")
    left = [0] * len(names)
    for state, hatch in (("passed", ""), ("tried", "//")):
        _, said, color = LOOKS[state]
        width = [counts[name][state] for name in names]
        axes.barh(names, width, left=left, label=said, color=color, hatch=hatch, edgecolor="white")
        left = [a + b for a, b in zip(left, width, strict=True)]
    axes.set_yticks(names, [f"{name} {EXERCISES[name].title}" for name in names])
    axes.margins(y=0.01)
    axes.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def learner(file: Path) -> tuple[str, str]:
    """Return the name of whoever a file is from, by its name or its folder, and Canvas's number."""
    names = [*file.parent.parts, file.stem]
    name = next((name for name in reversed(names) if not OURS.fullmatch(name)), file.stem)
    parts = CANVAS.fullmatch(name)
    return (parts[1], parts[2]) if parts else (name, "")


def harmless(cell: object) -> str:
    """Return what a spreadsheet takes for text, whatever a learner called a file."""
    text = printable(str(cell))  # which has no tab and no line end
    begin = unicodedata.normalize("NFKC", text).lstrip()[:1]
    return f"'{text}" if begin and begin in "=+-@" else text


def sheet(learners: dict[Path, list[dict]]) -> str:
    """Return how many exercises of each notebook each learner passed, as Canvas imports it.

    Moodle asks which column names the learner: SIS Login ID is the name on the hub.
    """
    passed: dict[tuple[str, str], set[str]] = defaultdict(set)
    for file, events in learners.items():
        passed[learner(file.absolute())] |= progress.passed(events) & EXERCISES.keys()
    parts = sorted({name.split(".")[0] for name in EXERCISES})
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\r\n")
    rows.writerow(["Student", "ID", "SIS Login ID", "Section", *(f"PyTorch {n}" for n in parts)])
    for (name, number), names in sorted(passed.items()):
        counts = Counter(each.split(".")[0] for each in names)
        login = "" if number else name
        rows.writerow(map(harmless, [name, number, login, "", *(counts[n] for n in parts)]))
    return table.getvalue()


def main(words: list[str]) -> str | None:
    """Print the table and write the picture; return a sentence if there is nothing to read."""
    if len(words) != 1 or not Path(words[0]).is_dir():
        return "Say where the progress files are: python3 course.py progress FOLDER."
    folder = Path(words[0])
    learners, refused = collected(folder)
    for sentence in refused:
        print(f"Left out {sentence}")
    counts = counted(learners)
    if not counts:
        return f"There is no progress in {folder}: put the learners' progress.jsonl files there."
    print(f"{len(learners)} learners, {len(counts)} of {len(EXERCISES)} exercises tried\n")
    print(table(counts))
    picture = io.BytesIO()
    drawn(counts).savefig(picture, format="png", dpi=100)
    made = {SHEET: sheet(learners).encode(), PICTURE: picture.getvalue()}
    for name, data in made.items():
        try:
            store(data, folder / name)
        except OSError as error:
            return (
                f"{folder / name} cannot be written ({error.strerror}): copy the folder elsewhere."
            )
    print(f"\nThe same as a picture: {folder / PICTURE}")
    print(f"What each learner passed, for Canvas or Moodle: {folder / SHEET}")
    return None


def store(data: bytes, path: Path) -> None:
    """Replace a file: where a link of its name lies, the link, and not what it leads to."""
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        with open(partial, "xb") as file:
            file.write(data)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
