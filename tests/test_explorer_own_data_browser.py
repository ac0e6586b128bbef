"""OwnDataExplorer in a browser: mouse, keys and text edit the same points."""

import pytest
import torch
from lab import chromium  # noqa: F401  a fixture
from pages import page_of

from course_utils.explorers.own_data import OwnDataExplorer

X = torch.arange(0, 1, 0.1).unsqueeze(1)
y = 0.8 * X + 0.2 + 4.9 * (X > 0.87)
PLACE = """([x, y, k]) => {
  const { panels } = document.querySelector("[data-explorer]").stage;
  const { left, top } = panels[k].node.getBoundingClientRect();
  return [left + panels[k].x(x), top + panels[k].y(y)];
}"""


class Page:
    def __init__(self, page):
        self.page, self.mouse, self.keys = page, page.mouse, page.keyboard

    def at(self, x, y, panel=0):
        return self.page.evaluate(PLACE, [x, y, panel])

    @property
    def lines(self):
        self.page.wait_for_timeout(60)  # some frames
        return self.page.evaluate(
            "document.querySelector('[data-explorer]').stage.settings.points"
        ).split("\n")

    @property
    def hand(self):
        self.page.wait_for_timeout(60)
        return self.page.locator(".handle").get_attribute("aria-valuetext")

    def press(self, *keys):
        for key in keys:
            self.keys.press(key)

    def button(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()
        self.page.wait_for_timeout(600)


@pytest.fixture
def shown(chromium):  # noqa: F811
    page, errors = chromium.new_page(), []
    page.on("pageerror", lambda error: errors.append(error))
    explorer = OwnDataExplorer(lambda X, y, loss_fn: (1.0, 0.0), X, y, y_range=(-1, 7))
    page.set_content(page_of(explorer))
    page.wait_for_selector("body[data-ready]")
    page.wait_for_timeout(200)
    yield Page(page)
    page.close()
    assert not errors


def test_the_mouse_drags_adds_and_removes(shown):
    before = shown.lines
    shown.mouse.move(*shown.at(0.9, 5.82))
    shown.mouse.down()
    shown.mouse.move(*shown.at(0.8, 3), steps=3)
    shown.mouse.move(*shown.at(0.85, 0.5), steps=3)
    shown.mouse.up()
    assert shown.lines[:-1] == before[:-1]
    assert [float(word) for word in shown.lines[-1].split(",")] == pytest.approx(
        [0.85, 0.5], abs=0.03
    )
    shown.mouse.click(*shown.at(0.25, 4))
    assert len(shown.lines) == 11
    assert [float(word) for word in shown.lines[-1].split(",")] == pytest.approx(
        [0.25, 4], abs=0.03
    )
    shown.mouse.dblclick(*shown.at(0.3, 0.44))
    assert shown.lines[:3] == before[:3]
    assert len(shown.lines) == 10
    shown.mouse.dblclick(*shown.at(0.6, 5))  # of no point: its first click has added one
    assert len(shown.lines) == 11
    shown.mouse.click(*shown.at(0.5, 0.1, 1))  # a bar of the pulls chooses its point
    assert shown.hand == "x 0.5, y 0.6"


def test_keys_choose_move_add_and_remove(shown):
    shown.page.locator(".handle").focus()
    assert shown.hand == "x 0.9, y 5.82"
    shown.press("PageUp", ",")
    assert shown.hand == "x 0.7, y 0.76"
    shown.press("Home", "ArrowUp", "ArrowUp", "Shift+ArrowRight")
    assert shown.lines[0] == "0.108, 0.36"
    shown.press("End", "Enter")
    assert len(shown.lines) == 11
    shown.press("Delete")
    assert len(shown.lines) == 10
    shown.press(*["Delete"] * 12)
    assert shown.lines == [""]
    assert shown.page.locator(".handle").evaluate("node => node === document.activeElement")
    shown.press("Enter", "Enter")
    assert len(shown.lines) == 2


def test_text_and_buttons(shown):
    before = shown.lines
    shown.page.get_by_role("button", name="Edit as text").click()
    field = shown.page.get_by_role("textbox")
    assert field.input_value() == "\n".join(before)
    field.fill("0.1, 0.2\nsecond\n\n0.5, 1.2\n0.9, 2")
    assert shown.page.locator(".said").inner_text().startswith("Line 2 is not a point")
    shown.page.locator(".handle").focus()
    shown.press("End", "ArrowDown")
    assert shown.lines == ["0.1, 0.2", "second", "", "0.5, 1.2", "0.9, 1.92"]
    assert field.input_value().endswith("0.9, 1.92")
    shown.press("Delete")
    assert shown.lines == ["0.1, 0.2", "second", "", "0.5, 1.2"]
    shown.button("10 points again")
    assert shown.lines == before
    shown.button("Put it back")
    assert shown.lines == [*before[:-1], "0.9, 0.92"]
    shown.button("Throw one out")
    assert shown.lines == before
    shown.button("Add outlier")
    assert len(shown.lines) == 11
    shown.button("Put one back")
    shown.button("Reset")
    assert shown.lines == before
    shown.button("Clear")
    assert shown.lines == [""]
    assert shown.page.get_by_role("button", name="Throw one out").is_disabled()
