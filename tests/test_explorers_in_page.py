"""What a hand can do with an explorer, on a page without a kernel: mouse, touch, keys, and the ear.

The explorers are found, not listed. Each has one page, whose time stands still but where a test
lets some of it pass; tests/in_page.js asks the page.
"""

import contextlib
import datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from pages import HERE, kinds, made, page_of

pytest_plugins = ["lab"]

FRAME, REST, WALK = 17, 200, 2000  # ms: a picture, the kernel's turn, what buttons set in motion
ARROWS = ["ArrowUp", "ArrowRight", "ArrowDown", "ArrowLeft"]
RANGES = ".strip input[type=range]"
HANDLES = ".handle:not([pointer-events=none]), .grip, .strip [role=slider]"
CHOICES = ".strip select, .strip [type=checkbox], .strip [type=radio]"
BUTTONS = ".strip button, .column button"
AT_ONCE = ".strip button:not(.play, [aria-expanded])"
LIVE = ".explorer :is([role=status], [role=alert], [role=log], [aria-live], output)"
FOCUSABLE = (
    "button, select, input:not([type=radio]), textarea, [type=radio]:checked, [tabindex='0']"
)


class Shown:
    """An explorer on a page of its own."""

    def __init__(self, context, explorer):
        self.page, self.complaints = context.new_page(), []
        self.page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        self.page.on("console", self._on_console)
        self.page.on("request", self._on_request)
        self.page.clock.install()
        self.page.set_content(page_of(explorer))
        self.page.wait_for_selector("body[data-ready]")
        self.page.evaluate("document.body.style.paddingBottom = '2000px'")  # a finger could scroll
        self.hours = 0
        self.pause()
        self.cdp = context.new_cdp_session(self.page)
        self.page.add_script_tag(path=HERE / "in_page.js")
        self.wait(REST)
        self.first = self.ask("picture")

    def _on_console(self, message):
        if message.type in ("error", "warning"):
            self.complaints.append(f"console: {message.text}")

    def _on_request(self, request):
        if not request.url.startswith(("data:", "blob:", "about:")):
            self.complaints.append(f"request: {request.url}")

    def pause(self):
        """Let time stand still; it can only stand at a later hour than before."""
        self.hours += 1
        self.page.clock.pause_at(datetime.datetime.now() + datetime.timedelta(hours=self.hours))

    def wait(self, milliseconds=2 * FRAME):
        """Let time pass in the page."""
        self.page.clock.run_for(milliseconds)

    def ask(self, question, *given):
        """Ask in_page.js."""
        return self.page.evaluate("([name, given]) => ask[name](...given)", [question, given])

    def all(self, selector):
        """Return what there is to take, in the order of the page."""
        found = self.page.query_selector_all(f".explorer :is({selector})")
        return [node for node in found if node.evaluate("node => ask.seen(node)")]

    def name(self, node):
        """Return what an element is called."""
        return node.evaluate("node => ask.name(node)")

    def press(self, node, *keys):
        """Give an element the focus and press keys."""
        node.evaluate("node => node.focus()")
        for key in keys:
            self.page.keyboard.press(key)

    def settings(self):
        """Return the present settings as a text."""
        return self.page.evaluate("ask.stage.state")

    def reset(self):
        """Press Reset, and wait until the picture is there."""
        self.page.evaluate("ask.button('Reset').click()")
        self.wait(2 * REST)

    def middle(self, node):
        """Return where a mouse or a finger takes an element."""
        return node.evaluate("node => ask.middle(node)")

    def mouse(self, *places):
        """Drag from place to place; a picture is drawn at each."""
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place)
            self.wait()
        self.page.mouse.up()
        self.wait()

    def finger(self, *places):
        """Drag with a finger."""
        for kind, place in zip(["touchStart", *["touchMove"] * 9], places, strict=False):
            points = [dict(zip("xy", place, strict=True))]
            self.cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
            self.wait()
        self.cdp.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        self.wait()
        assert self.page.evaluate("scrollY") == 0, "a finger on a handle does not scroll the page"

    @contextlib.contextmanager
    def kernel(self):
        """Let there be a kernel that is sent messages, and answers none."""
        live = "live => { for (const model of Object.values(models)) model.comm_live = live; }"
        self.page.evaluate(live, True)
        yield
        self.page.evaluate(live, False)

    def memory(self):
        """Return the bytes that are in use once the page has cleaned up."""
        self.cdp.send("HeapProfiler.collectGarbage")
        return self.cdp.send("Runtime.getHeapUsage")["usedSize"]

    def theme(self, name):
        """Turn the page light or dark."""
        self.page.evaluate("name => { document.documentElement.dataset.theme = name; }", name)


@pytest.fixture(scope="module", params=kinds())
def shown(request, chromium):
    context = chromium.browser.new_context(viewport={"width": 1280, "height": 900}, has_touch=True)
    yield Shown(context, made(kinds()[request.param]))
    context.close()


@pytest.fixture(autouse=True)
def unharmed(shown):
    """Begin each test at the start; nothing may complain, and no request may leave the page."""
    shown.page.emulate_media(forced_colors="none", reduced_motion="no-preference")
    shown.theme("light")
    shown.reset()
    yield
    assert shown.complaints == []


def differences(one, other):
    """Say where two pictures differ: a few characters before and after."""
    found = []
    for part in one:
        a, b = str(one[part]), str(other[part])
        if a != b:
            pairs = enumerate(zip(a, b, strict=False))
            at = next((i for i, (p, q) in pairs if p != q), min(len(a), len(b)))
            found.append(f"{part}: {a[max(at - 90, 0) : at + 50]} / {b[max(at - 50, 0) : at + 50]}")
    return found


def moved_by(shown, nodes, act):
    """Let an act move each element; return what has never changed, and what was wrong.

    What has not is tried again with other sliders elsewhere, and after some buttons: some settings
    have no effect beside some others.
    """
    moved, wrong = {node: {"settings", "panels", "words"} for node in nodes}, []
    for node in nodes:
        if node.get_attribute("type") == "checkbox":  # it may change what comes, not what there is
            moved[node].discard("words")
    for away in ([], ["elsewhere"], ["elsewhere", "busy"]):
        for node in nodes:
            if not moved[node]:
                continue
            for question in away:
                node.evaluate("(node, question) => ask[question](node)", question)
                shown.wait(WALK)
            shown.ask("changes")
            for _ in act(node):
                shown.wait()
                found = shown.ask("changes")
                moved[node] -= set(found["moved"])
                wrong += found["problems"]
            shown.reset()
    return [f"{shown.name(node)}: no other {what}" for node, what in moved.items() if what] + wrong


def test_keys_move_settings_picture_and_words(shown):
    def by_keys(node):
        keys = ["End", "Home"]
        if node.evaluate("node => node.matches('.handle')"):
            keys = [*ARROWS, "Shift+ArrowUp", "Shift+ArrowRight"]
        if node.evaluate("node => node.matches('[type=checkbox]')"):
            keys = [" "]
        if node.evaluate("node => node.matches('select, [type=radio]')"):
            keys = ["ArrowDown", "ArrowUp"]
        for key in keys:
            shown.press(node, key)
            yield

    nodes = shown.all(f"{RANGES}, {CHOICES}, [role=slider]")
    assert moved_by(shown, nodes, by_keys) == []
    assert differences(shown.first, shown.ask("picture")) == [], "Reset brings all back"


def test_sliders_go_to_both_ends_by_keys_mouse_and_finger(shown):
    for node in shown.all(RANGES):
        box, name = node.bounding_box(), shown.name(node)
        y = box["y"] + box["height"] / 2
        left, right = [box["x"] + 1, y], [box["x"] + box["width"] - 1, y]
        most = int(node.get_attribute("max"))
        shown.press(node, "Home")
        shown.wait()
        lowest = shown.ask("picture")
        shown.press(node, "PageUp")
        page_up = int(node.input_value())
        assert page_up >= min(2, most) or most < 20, name
        shown.press(node, "End", "ArrowLeft")
        assert int(node.input_value()) == most - 1, name
        shown.press(node, "End")
        shown.wait()
        highest = shown.ask("picture")
        for hand in (shown.mouse, shown.finger):
            middle = [(left[0] + right[0]) / 2, y]
            hand(right, middle)
            assert abs(int(node.input_value()) - most / 2) <= 1 + most / 20, name
            hand(middle, left)
            assert settings_and_values(shown.ask("picture")) == settings_and_values(lowest), name
            hand(left, right)
            assert settings_and_values(shown.ask("picture")) == settings_and_values(highest), name
        shown.reset()


def settings_and_values(picture):
    """Return what does not depend on the way there, as a record does."""
    return {part: picture[part] for part in ("settings", "values", "said")}


def test_mouse_and_finger_move_each_handle(shown):
    count = len(shown.all(HANDLES))  # of some there is another element at each picture
    for hand in (shown.mouse, shown.finger):
        for k in range(count):
            node = shown.all(HANDLES)[k]
            name = shown.name(node)
            for away, goal in enumerate(node.evaluate("node => ask.goals(node)")):
                start = shown.middle(shown.all(HANDLES)[k])
                shown.ask("changes")
                hand(start, [(a + b) / 2 for a, b in zip(start, goal, strict=True)], goal)
                found = shown.ask("changes")
                assert found["problems"] == []
                if {"settings", "panels"} <= set(found["moved"]):
                    break
                assert not away, f"{name} does not follow the {hand.__name__}"
            shown.reset()
        assert differences(shown.first, shown.ask("picture")) == []


def test_choices_by_mouse_are_those_by_keys(shown):
    for node in shown.all(".strip [type=checkbox], .strip [type=radio]"):
        shown.press(node, " ")
        shown.wait()
        by_keys = shown.ask("picture")
        shown.reset()
        shown.page.mouse.click(*shown.middle(node))
        shown.wait()
        assert differences(by_keys, shown.ask("picture")) == [], shown.name(node)
        shown.reset()


def test_buttons_work_keep_the_focus_and_speak_once(shown):
    """From the start and from elsewhere, for a preset may be where one is."""
    effects, count = {}, len(shown.all(BUTTONS))
    for away in (False, True):
        for k in range(count):
            node = shown.all(BUTTONS)[k]
            name, seen = shown.name(node), effects.setdefault(k, set())
            if "panels" in seen:
                continue
            if away:
                shown.ask("elsewhere")
                shown.wait(REST)
            shown.ask("changes")
            shown.press(node, "Enter")
            found = []
            for _ in range(WALK // 200):
                shown.wait(200)
                found.append(shown.ask("changes"))
            moved = [set(one["moved"]) for one in found if one["moved"]]
            seen.update(*moved)
            spoken = sum(one["spoken"] for one in found)
            assert spoken <= 1, f"{name} spoke {spoken} times"
            assert shown.page.evaluate("ask.root.contains(document.activeElement)"), name
            if node.get_attribute("aria-expanded"):
                shown.press(node, "Enter")  # folds it again
            if shown.page.evaluate("ask.stage.playing"):
                assert (spoken, len(moved) > 1) == (0, True), name
                shown.press(node, "Enter")
                shown.wait(REST)
                assert shown.ask("told") == 1, name
    still = [shown.name(shown.all(BUTTONS)[k]) for k in effects if "panels" not in effects[k]]
    assert still == []
    shown.reset()
    assert differences(shown.first, shown.ask("picture")) == []


def test_marks_are_what_was_computed(shown):
    """A mark that stands for numbers at the start still does so after moves.

    Not after each: a path is cut where it diverges.
    """
    start, moved = shown.ask("drawn"), []
    for _ in range(3):
        shown.ask("elsewhere")
        shown.wait()
        moved.append(shown.ask("drawn"))
    for panel, marks in enumerate(start):
        lost = set(marks).difference(*(there[panel] for there in moved))
        assert lost == set(), shown.settings()
    shown.ask("busy")
    shown.wait(WALK)
    assert any(start) or any(shown.ask("drawn")), "no mark stands for computed numbers"


def test_one_voice_speaks_once_after_a_drag_and_nothing_is_sent_before(shown):
    assert len(shown.page.query_selector_all(LIVE)) == 1
    node = shown.all(f"{RANGES}, {HANDLES}")[0]
    start, (end, *_) = shown.middle(node), node.evaluate("node => ask.goals(node)")
    way = [[a + k * (b - a) / 25 for a, b in zip(start, end, strict=True)] for k in range(26)]
    shown.ask("told")
    sent, before = shown.ask("sent"), shown.settings()
    with shown.kernel():
        shown.mouse(*way)
        assert shown.settings() != before
        spoken, during = shown.ask("told"), shown.ask("sent")
        shown.wait(REST)
        assert spoken + shown.ask("told") == 1
        assert during - sent <= spoken  # a slider at its end rests, though the hand moves on
        assert shown.ask("sent") > sent


def test_tab_meets_every_control_and_shows_where_it_is(shown):
    reachable = {shown.name(node) for node in shown.all(FOCUSABLE)}
    assert shown.ask("small") == []
    for theme in ("light", "dark"):
        shown.theme(theme)
        shown.ask("begin")
        met = set()
        for _ in range(60):
            shown.page.keyboard.press("Tab")
            if not shown.page.evaluate("ask.root.contains(document.activeElement)"):
                break
            met.add(shown.page.evaluate("ask.name(document.activeElement)"))
            assert shown.ask("ring"), f"{theme}: {met}"
        assert reachable <= met


@pytest.mark.parametrize("forced", ["none", "active"])
def test_words_and_marks_stand_out_in_both_themes(shown, forced):
    for theme in ("light", "dark"):
        shown.page.emulate_media(forced_colors=forced, color_scheme=theme)
        shown.theme(theme)
        for change in (None, "elsewhere", "busy"):
            if change:
                shown.ask(change)
                shown.wait(WALK)
            assert shown.ask("faint") == [], (theme, change)
        shown.reset()


def test_axe_finds_nothing(shown):
    shown.page.clock.resume()
    found = []
    for theme in ("light", "dark"):
        shown.theme(theme)
        answer = Axe().run(shown.page, context=".explorer", options={"resultTypes": ["violations"]})
        found += [
            (theme, broken["id"], node["html"][:200])
            for broken in answer.response["violations"]
            for node in broken["nodes"]
        ]
    shown.pause()
    assert found == []


def test_nothing_glides_or_pulses_where_motion_is_reduced(shown):
    shown.page.emulate_media(reduced_motion="reduce")
    count = len(shown.all(AT_ONCE))
    for k in range(count):
        shown.ask("elsewhere")
        shown.wait()
        shown.all(AT_ONCE)[k].evaluate("node => node.click()")
        shown.wait()
        at_once = shown.ask("picture")
        shown.wait(WALK)
        assert differences(at_once, shown.ask("picture")) == []
    shown.page.evaluate("ask.button('Reset').click()")
    shown.wait()
    assert differences(shown.first, shown.ask("picture")) == []
    assert shown.page.evaluate("document.getAnimations().length") == 0


def test_focus_stays_when_stop_goes(shown):
    proof = "kind => models[ask.host.dataset.explorer].set('proof', {of: ask.stage.state, kind})"
    proves = "(proves) => models[ask.host.dataset.explorer].set('proves', proves)"
    before = shown.page.evaluate("models[ask.host.dataset.explorer].get('proves')")
    shown.page.evaluate(proves, True)
    with shown.kernel():
        shown.page.evaluate(proof, "runs")
        shown.wait()
        shown.page.evaluate("ask.button('Stop').focus()")
        shown.wait()
        assert shown.page.evaluate("document.activeElement === ask.button('Stop')")
        shown.page.evaluate(proof, "agrees")
        shown.wait()
    assert shown.page.evaluate("ask.root.contains(document.activeElement)")
    assert not shown.page.evaluate("ask.seen(ask.button('Stop'))")
    shown.page.evaluate(proves, before)


def test_a_storm_leaves_the_last_value_and_no_memory(shown):
    warm = shown.ask("storm", 0, 2000)
    shown.wait(REST)
    memory, sent = shown.memory(), shown.ask("sent")
    frames = shown.page.evaluate("Number(ask.root.dataset.frames)")
    with shown.kernel():
        for first in range(0, 10_000, 500):
            last = shown.ask("storm", first, 500)
            shown.wait(FRAME)
        assert shown.page.evaluate("Number(ask.root.dataset.frames)") - frames <= 30
        assert shown.ask("sent") == sent
        shown.wait(REST)
        assert last == warm or shown.ask("sent") > sent
    assert shown.ask("changes")["problems"] == []
    assert last == shown.page.evaluate("ask.shown()")
    shown.ask("redraw", 200)
    assert shown.memory() < 1.1 * memory
