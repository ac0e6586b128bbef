"""How the explorers look on a page without a kernel: what fits, what lies across what, numbers.

The explorers are found, not listed. Each lives on one page that changes its size in place, and
goes through its controls' ends, some pairs of them, its presets and its buttons (tests/looks.js).
"""

import inspect

import pytest
from pages import HERE, kinds, made, page_of

from course_utils import datasets

pytest_plugins = ["lab"]

# Width and height of the window, and which states are looked at there.
WINDOWS = [
    (1245, 900, "pairs"), (800, 900, "ends"), (390, 844, "ends"),
    (1440, 900, "start"), (1280, 800, "start"), (900, 800, "start"),
]  # fmt: skip
ZOOMED = {
    "viewport": {"width": 640, "height": 400},
    "device_scale_factor": 2,
}  # 1280 x 800 at 200 %
LABELS = {"xlabel": "flipper length in mm", "ylabel": "body mass in g"}
STAGE = "document.querySelector('[data-explorer]').stage"


def opened(browser, explorer, theme="light", **options):
    """Return a page with the explorer in it, and what it complains about."""
    # Without motion a picture stands at once as it would come to rest.
    page, complaints = browser.new_page(reduced_motion="reduce", **options), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_content(page_of(explorer, theme=theme))
    page.wait_for_selector("body[data-ready]")
    page.add_script_tag(path=HERE / "looks.js")
    return page, complaints


def look(page, states):
    """Return what is wrong with the looks, each with the state in which it was seen."""
    return page.evaluate(f"states => looks({STAGE}, states)", states)


@pytest.fixture(scope="module")
def browser(chromium):
    return chromium.browser


@pytest.mark.parametrize("name", kinds())
def test_all_fits_and_no_word_lies_across_another(browser, name):
    page, complaints = opened(browser, made(kinds()[name]))
    wrong = {}
    for width, height, states in WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        wrong[width] = look(page, states)
    page.close()
    assert {width: found for width, found in wrong.items() if found} == {}
    assert complaints == []


def test_no_two_explorers_of_a_page_share_an_id(browser):
    """Else one is clipped by the frame of another, or by none once that has scrolled away."""
    page = browser.new_page()
    page.set_content(page_of(*(made(kind) for kind in kinds().values())))
    page.wait_for_selector("body[data-ready]")
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(({ id }) => id)")
    page.close()
    assert len(ids) > 2 * len(kinds())
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", kinds())
def test_it_is_one_column_with_its_controls_in_sight_at_200_percent(browser, name, theme):
    page, complaints = opened(browser, made(kinds()[name]), theme, **ZOOMED)
    assert look(page, "start") == []
    page.close()
    assert complaints == []


def penguins(kind):
    """Return what an explorer of one's own data takes: large numbers, and long labels."""
    X, y = datasets.load_penguins()
    named = inspect.signature(kind).parameters
    return {"X": X[::4], "y": y[::4]} | {
        name: text for name, text in LABELS.items() if name in named
    }


OWN = [
    name for name, kind in kinds().items() if {"X", "y"} <= set(inspect.signature(kind).parameters)
]


@pytest.mark.parametrize("name", OWN)
def test_data_of_ones_own_fit_too(browser, name):
    kind = kinds()[name]
    page, complaints = opened(browser, made(kind, **penguins(kind)))
    for width in (1245, 800, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert look(page, "ends" if width == 1245 else "start") == []
    page.close()
    assert complaints == []


@pytest.mark.parametrize("name", kinds())
def test_rare_controls_are_folded_on_a_phone_alone(browser, name):
    page, _ = opened(browser, made(kinds()[name]), viewport={"width": 390, "height": 844})
    more, rare = page.locator(".more"), page.locator(".rare:visible")
    if more.count():
        assert (more.get_attribute("aria-expanded"), rare.count()) == ("false", 0)
        closed = page.locator(".strip").bounding_box()["height"]
        more.click()
        assert (more.get_attribute("aria-expanded"), more.text_content()) == ("true", "Less")
        assert page.locator(".strip").bounding_box()["height"] >= closed
        page.set_viewport_size({"width": 800, "height": 844})
        assert not more.is_visible()
    assert rare.count() == page.locator(".rare").count()
    page.close()


def zone_of(page):
    """Return how wide the red zone is."""
    return page.locator("rect[fill*=zone]").evaluate("node => Number(node.getAttribute('width'))")


def test_a_run_that_diverges_is_seen(browser):
    """A red zone beyond the limit, arrows where marks leave, and the word."""
    page, _ = opened(browser, made(kinds()["training"]))
    badge = page.locator(".result b")
    assert zone_of(page) == 0, "where the limit lies is for the learner to find"
    assert badge.text_content() != "diverges"
    page.evaluate(f"{STAGE}.controls.lr.place = {STAGE}.controls.lr.places")
    page.evaluate(f"{STAGE}.frame()")
    assert badge.text_content() == "diverges"
    assert zone_of(page) > 20
    words = page.locator(".panels text:visible").all_text_contents()
    assert words.count("diverges") == 2
    assert [word for word in words if word.startswith("\u2191")] == [
        "\u2191 the line leaves the picture"
    ]
    page.evaluate(f"{STAGE}.set({{optimizer: 'Adam'}}, {{glide: false}}); {STAGE}.frame()")
    assert zone_of(page) == 0
    page.close()
