"""Read the progress files of a class: which exercise fails most, as a table and a picture.

Run by `python3 course.py progress FOLDER`. It reads every .jsonl file in the folder, however deep,
one file a learner, changes none, and writes progress.png into the folder. A file whose events all
stand in another one, as after `progress.merge`, is not a learner of its own.
"""

import io
import os
import sys
from collections import Counter, defaultdict
from pathlib import Path

from matplotlib.figure import Figure

from course_utils import progress
from course_utils.board import LOOKS, in_order
from course_utils.checks.feedback import EXERCISES
from course_utils.inputs import InputError

PICTURE = "progress.png"


def collected(folder: Path) -> tuple[list[list[dict]], list[str]]:
    """Return the events of each learner, and a sentence for each file that is not ours."""
    learners, ids, refused = {}, {}, []
    for file in sorted(folder.rglob("*.jsonl")):
        try:
            if not file.exists():
                raise InputError("this link leads nowhere.")
            learners[file] = progress.read(file)
            ids[file] = {event["id"] for event in learners[file]}
        except (InputError, OSError) as error:
            refused.append(printable(f"{file.relative_to(folder)}: {error}"))
    for file in list(learners):
        held = (other for other in learners if other != file and ids[file] <= ids[other])
        if ids[file] and (other := next(held, None)):
            named = file.relative_to(folder), other.relative_to(folder)
            refused.append(printable("{}: {} holds all of it.".format(*named)))
            del learners[file]
    return list(learners.values()), refused


def printable(text: str) -> str:
    """Return a text with a backslash code for all that a terminal could take for more than text."""
    codes = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return "".join(codes)


def counted(learners: list[list[dict]]) -> dict[str, Counter]:
    """Return for each exercise how many learners passed or tried it, and wrong tries and hints."""
    counts: dict[str, Counter] = defaultdict(Counter)
    for events in learners:
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
    try:
        store(drawn(counts), folder / PICTURE)
    except OSError as error:
        return (
            f"{folder / PICTURE} cannot be written ({error.strerror}): copy the folder elsewhere."
        )
    print(f"\nThe same as a picture: {folder / PICTURE}")
    return None


def store(figure: Figure, path: Path) -> None:
    """Replace the picture: where a link of its name lies, the link, and not what it leads to."""
    picture, partial = io.BytesIO(), path.with_suffix(f".{os.getpid()}.tmp")
    figure.savefig(picture, format="png", dpi=100)
    with open(partial, "xb") as file:
        file.write(picture.getvalue())
    os.replace(partial, path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
