"""What single explorers tell, and what they keep to themselves until it is found."""

import pytest
import torch
from lab import chromium  # noqa: F401  a fixture
from pages import page_of
from torch import nn
from torch.utils.data import TensorDataset

from course_utils import datasets
from course_utils.explorers.batch import BatchExplorer
from course_utils.explorers.line import LineExplorer
from course_utils.explorers.line_surface import LineSurfaceExplorer
from course_utils.explorers.training import TrainingExplorer

BALL = "the line as a ball on the loss surface"
OPTIMIZERS = [torch.optim.SGD, torch.optim.Adam]


@pytest.fixture
def shown(chromium):  # noqa: F811
    page, errors = chromium.new_page(), []
    page.on("pageerror", lambda error: errors.append(error))
    page.set_viewport_size({"width": 1245, "height": 700})
    page.clock.install()

    def show(explorer):
        page.set_content(page_of(explorer))
        page.wait_for_selector("body[data-ready]")
        return page, lambda: words(page)

    yield show
    page.close()
    assert not errors


def words(page):
    """Return all words that can be seen, once a picture is drawn."""
    page.clock.run_for(1000)
    return page.evaluate("""() => [...document.querySelectorAll(".explorer :is(text, p, b, small)")]
        .filter((node) => node.checkVisibility({ visibilityProperty: true }))
        .map((node) => node.textContent).join(" | ")""")


def test_the_lowest_loss_is_a_reward_among_numbers(shown):
    page, says = shown(LineSurfaceExplorer(weight=0.3, bias=4.0, show="numbers"))
    first = says()
    for secret in ("lowest", "best possible", "393"):
        assert secret not in first
    page.get_by_label(BALL).press("ArrowRight")
    assert "your best 0.246" in says()
    assert "lowest" not in says()
    for key in ["ArrowRight"] * 7 + ["ArrowUp"] * 8:
        page.get_by_label(BALL).press(key)
    assert "lowest possible 0.155 | " in says()
    assert "393 g" in says()
    for key in ["ArrowRight"] * 2:
        page.get_by_label(BALL).press(key)
    assert "your best = lowest possible 0.155" in says()
    page.get_by_role("button", name="Reset").click()
    assert "lowest" not in says()


def test_the_border_is_told_once_it_is_crossed(shown):
    start = {"lr": 0.9, "batch_size": 160, "weight": -1.0, "bias": 0.0}
    page, says = shown(TrainingExplorer(lambda *_: None, OPTIMIZERS, **start))
    rate = page.get_by_role("slider", name="learning rate", exact=True)
    assert "beyond" not in says()
    rate.press("ArrowLeft")
    assert "beyond" not in says()
    for _ in range(3):
        rate.press("ArrowRight")
    assert "diverges beyond 0.995" in says()
    for _ in range(4):
        rate.press("ArrowLeft")
    assert "diverges beyond 0.995" in says(), "what was seen stays"
    page.get_by_role("button", name="Reset").click()
    assert "beyond" not in says()


def test_another_batch_size_begins_with_batch_1(shown):
    page, says = shown(BatchExplorer(TensorDataset(*datasets.make_line(200, noise=0.5))))
    for _ in range(3):
        page.get_by_role("button", name="Next batch").click()
    assert "4 of 13" in says()
    page.get_by_role("slider", name="batch size").press("ArrowRight")
    assert "1 of 12" in says()


def test_squares_are_counted_and_every_stick_stays(shown):
    X, y = datasets.load_penguins()
    page, says = shown(LineExplorer(X / 10 - 20, y / 1000, nn.MSELoss()))
    sticks = """() => document.querySelector('.explorer path[stroke-opacity="0.35"]')
        .getAttribute("d").split("M").length - 1"""
    assert "342 squares" not in says()
    assert page.evaluate(sticks) == 342
    page.get_by_label("show squares").check()
    assert "20 of the 342 squares" in says()
    assert page.evaluate(sticks) == 342


def test_the_first_step_is_that_of_notebook_04(shown):
    page, says = shown(LineSurfaceExplorer(weight=0, bias=3.5))
    page.get_by_role("button", name="Step", exact=True).click()
    assert "loss now 0.612" in says()  # lr 0.1
