"""The browser's tables: from a move of a control to the painted picture."""

from collections.abc import Mapping

import large
from report import NOT_MEASURED, Table, goal, p50, p95, say, short, times
from views import CELL, DELAY, EXPLORERS, FLOOR, RIVALS, Browser, Case, View, browser

PLAYED = next(view for view in EXPLORERS if view.script == "network")
FIRST = EXPLORERS[0]
WIDTHS = {CELL: 560, 800: 600}  # of the page, and how high an explorer may be there, in px


def tables(quick: bool, views: list[View] | None = None) -> list[Table]:
    """Measure the rivals and the views, by default all of them; `quick` takes few moves."""
    rounds, moves, storms = (1, 3, 1) if quick else (5, 10, 3)
    views = views or (EXPLORERS[-2:] if quick else EXPLORERS)
    with browser() as opened:
        rivals = [opened.case(view) for view in (RIVALS[:1] if quick else RIVALS)]
        here = [*rivals, *(opened.case(view, linked=True) for view in views)]
        far = [opened.case(view, linked=True) for view in (FLOOR, *views)]
        alone = [opened.alone(case) for case in here if case.view.script]
        for number in range(rounds):
            say(f"moves, round {number + 1} of {rounds}")
            _move(here, moves)
            opened.link.delay = DELAY
            _move(far, moves)
            opened.link.delay = 0
            _move(alone, moves)
        for number in range(storms):
            say(f"storms, round {number + 1} of {storms}")
            for case in here:
                case.measure(lambda case=case: case.storm(worst(case)[0]))
        found = [latency(here), distance(here, far, alone), playing(opened, storms, quick=quick)]
        return [*found, growth(opened, quick=quick), beginning(opened, storms), size(alone)]


def _move(cases: list[Case], count: int) -> None:
    for case in cases:
        case.measure(lambda case=case: case.move(count))


def worst(case: Case) -> tuple[str, float]:
    """Return the control with the greatest p95, and that p95."""
    return max(((name, p95(t)) for name, t in case.times.items()), key=lambda pair: pair[1])


def slowest(case: Case) -> tuple[str, float]:
    """Return the control with the greatest p50, and that p50."""
    return max(((name, p50(t)) for name, t in case.times.items()), key=lambda pair: pair[1])


def sound(cases: list[Case]) -> tuple[dict[View, Case], list[str]]:
    """Return the cases that could be measured by their views, and why others could not."""
    problems = [f"{NOT_MEASURED} {c.view.name}: {c.problem}" for c in cases if c.problem]
    return {case.view: case for case in cases if not case.problem}, problems


def limit(text: str, most: float, values: Mapping[str, float], unit: str = " ms") -> str:
    """Say whether the greatest of some values is within its goal, and which it is."""
    name = max(values, key=values.get)
    return goal(text, f"{short(values[name])}{unit} ({name})", values[name] <= most)


def latency(cases: list[Case]) -> Table:
    """Compare every explorer with the floor, by the worst of its controls."""
    found, goals = sound(cases)
    floor, rows = found[FLOOR].all_times, []
    measured: list[dict[str, float]] = [{} for _ in range(4)]
    for view, case in found.items():
        (slow, middle), (name, late) = slowest(case), worst(case)
        drawn, sent = (p50([storm[key] for storm in case.storms]) for key in ("drawn", "messages"))
        ratios = middle / p50(floor), late / p95(floor)
        row = [view.name, str(len(case.times)), name, short(middle), short(late)]
        end = max(map(p50, case.painted.values())), max(map(p95, case.painted.values()))
        rows.append([*row, *map(times, ratios), *map(short, (*end, drawn, sent / 100))])
        if view.script:
            values = (f"{view.name}: {slow}", middle), (f"{view.name}: {name}", late)
            values += (view.name, drawn), (view.name, sent)
            for kept, (key, value) in zip(measured, values, strict=True):
                kept[key] = value
    middles, lates, drawn, sent = measured
    least = min(drawn, key=drawn.get)
    goals += [
        limit("every control: p50 at most 10 ms", 10, middles),
        limit("every control: p95 at most 20 ms", 20, lates),
        limit("p50 at most half of (a)", 0.5, _shares(middles, p50(floor)), " x"),
        limit("p95 at most half of (a)", 0.5, _shares(lates, p95(floor)), " x"),
        goal("95 of 100 drawn", f"{short(drawn[least])} ({least})", drawn[least] >= 95),
        limit("no message while it lasts", 0, sent, ""),
    ]
    head = ["view", "controls", "worst control", "p50 ms", "p95 ms", "p50 / (a)", "p95 / (a)"]
    text = (
        f"JupyterLab in Chromium, {len(floor)} moves of every slider, choice, list, box and handle "
        "of each explorer, by keys and events, the views in turn. The clock runs in the page, from "
        "the event until the display's frame with the answer; the next frame comes after 8 ms on "
        "average. The columns at the right are until that frame is laid out and painted, too. The "
        "next move comes after it, at another phase of the display. A row shows the greatest p50 "
        "and the greatest p95 of the explorer's controls, and whose p95 it is. Of 100 moves of "
        "that control in 2 s: how many pictures are painted, and messages to and from the kernel a "
        "move (medians). (b) to (d) show three panels: data and line, losses, surface. (b) and (c) "
        "train with the loop of the lessons, 100 epochs, at every move. Each of (a) to (d) is "
        "alone in its notebook; the explorers stand among the cells of their lessons."
    )
    head += ["until painted: p50 ms", "p95 ms", "drawn of 100", "messages a move"]
    return Table("From a control to the painted picture", text, head, rows, goals)


def _shares(values: Mapping[str, float], of: float) -> dict[str, float]:
    return {name: value / of for name, value in values.items()}


def distance(here: list[Case], far: list[Case], alone: list[Case]) -> Table:
    """Compare the page near its kernel with one far from it and one that has none."""
    (near, goals), (distant, more), (without, none) = map(sound, (here, far, alone))
    rows = []
    for view, case in distant.items():
        if view not in near:
            continue
        row, base = [view.name], near[view].all_times
        for other in (near[view], case, without.get(view)):
            at = (p50, p95) if other else ()
            row += [short(q(other.all_times)) for q in at] or ["-", "-"]
            row += [times(q(other.all_times) / q(base)) for q in at] or ["-", "-"]
        rows.append(row)
    whole = [view for view in without if view in near and view in distant]
    for name, cases in (("over the link", distant), ("without a kernel", without)):
        for quantile in (p50, p95):
            before, after = (
                quantile([t for view in whole for t in found[view].all_times])
                for found in (near, cases)
            )
            text = f"{name}: {quantile.__name__} of all moves within 10 %"
            goals.append(goal(text, times(after / before), after <= 1.1 * before))
    places = ("near", "link", "no kernel")
    head = [
        f"{place}: {what}"
        for place in places
        for what in ("p50 ms", "p95 ms", "p50 / near", "p95 / near")
    ]
    text = (
        "All controls of an explorer together. The link is a proxy on the loopback that holds each "
        f"chunk back {DELAY * 1e3:.0f} ms each way, in front of the same notebooks; the pages "
        "without a kernel hold one explorer each, as it is in its notebook."
    )
    goals = [*goals, *more, *none]
    return Table("Over a slow link, and without a kernel", text, ["view", *head], rows, goals)


def playing(opened: Browser, count: int, *, quick: bool) -> Table:
    """Say how often the picture of a network in training is painted."""
    title = "A network that trains while one looks"
    text = (
        "NetworkExplorer as it stands in its notebook, width 16, depth 3, pressed to play for "
        "5 s: pictures painted a second, epochs at its end, and how long after the press on Pause "
        "the last one is. The rows are repetitions."
    )
    head = ["pictures a second", "last picture after Pause, ms", "epochs"]
    case, found = opened.case(PLAYED, linked=True), []
    options = {"settings": {"width": 16, "depth": 3}, "milliseconds": 1000 if quick else 5000}
    for _ in range(count):
        case.measure(lambda: found.append(case.run("play", **options)))
    if case.problem:
        return Table(title, text, head, [], [f"{NOT_MEASURED} Play: {case.problem}"])
    rows = [[short(one[key]) for key in ("rate", "stopped", "epoch")] for one in found]
    rate, stopped = (p50([one[key] for one in found]) for key in ("rate", "stopped"))
    goals = [
        goal("55 pictures a second or more", f"{short(rate)} a second", rate >= 55),
        goal("the last 20 ms after Pause at most", f"{short(stopped)} ms", stopped <= 20),
    ]
    return Table(title, text, head, rows, goals)


def growth(opened: Browser, *, quick: bool) -> Table:
    """Say how long a move takes with as much data as an explorer holds."""
    cases, later, rows = [], {}, []
    for name, explorer in large.explorers().items():
        case = opened.without_kernel(View(name, "", explorer.script), explorer)
        say(name)
        case.measure(lambda case=case: case.move(3 if quick else 20))
        case.measure(lambda case=case: later.update({case.view.name: case.run("follows")}))
        case.page.close()
        cases.append(case)
    found, goals = sound(cases)
    lates, followed = {}, {}
    for view, case in found.items():
        (slow, middle), (name, late) = slowest(case), worst(case)
        last = max(later[view.name], key=later[view.name].get)
        after = later[view.name][last]
        rows.append([view.name, slow, short(middle), name, short(late), short(after)])
        lates[f"{view.name}: {name}"], followed[f"{view.name}: {last}"] = late, after
    goals += [
        limit("painted: p95 at most 34 ms", 34, lates),
        limit("the rest at most 150 ms later", 150, followed),
    ]
    text = (
        "On pages without a kernel: every control of the explorers with the most data they take. "
        "What needs longer than a frame, such as the losses of all learning rates, follows the "
        "first picture of a move; the last column says how much later."
    )
    head = ["view", "slowest control", "p50 ms", "latest control", "p95 ms", "all there after, ms"]
    return Table("Many points, many epochs", text, head, rows, goals)


def beginning(opened: Browser, count: int) -> Table:
    """Say how long the first explorer of the course takes in a new kernel."""
    case, found = opened.case(FIRST, linked=True), []
    for _ in range(count):
        case.measure(lambda: found.append(case.run("first", cell=case.restart())))
    title, head = "The first explorer", ["notebook", "ms to its first picture"]
    text = (
        "A new kernel, the cells above have run, the imports among them. From the moment the "
        "kernel starts the cell with the explorer until its first picture is painted."
    )
    if case.problem:
        return Table(title, text, head, [], [f"{NOT_MEASURED} {FIRST.notebook}: {case.problem}"])
    met = goal("at most 300 ms", f"{short(p50(found))} ms", p50(found) <= 300)
    return Table(title, text, head, [[FIRST.notebook, short(value)] for value in found], [met])


def size(cases: list[Case]) -> Table:
    """Say how high the explorers are."""
    heights: dict[int, dict[str, float]] = {width: {} for width in WIDTHS}
    for case in cases:
        for width, known in heights.items():
            case.page.set_viewport_size({"width": width, "height": 900})
            case.measure(lambda case=case: case.move(1))  # until it has drawn itself anew
            known[case.view.name] = case.run("height")
    rows = [
        [case.view.name, *(f"{known[case.view.name]:.0f}" for known in heights.values())]
        for case in cases
    ]
    goals = [
        limit(f"at most {most} px high in {width}", most, heights[width], " px")
        for width, most in WIDTHS.items()
    ]
    text = "Controls, pictures and sentence together, in px, on a page without a kernel."
    head = ["view", *(f"high in {width}" for width in WIDTHS)]
    return Table("How much room they take", text, head, rows, goals)
