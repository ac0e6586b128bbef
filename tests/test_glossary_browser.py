"""Links to the glossary in real JupyterLab, clicked as a learner does."""

from playwright.sync_api import expect
from refresh import GLOSSARY

pytest_plugins = ["lab"]

PAGE = ".jp-MarkdownViewer .jp-RenderedMarkdown"
AT_THE_TOP = f"""anchor => {{
    const page = document.querySelector('{PAGE}');
    const heading = page?.querySelector(`h3[data-jupyter-id="${{anchor}}"]`);
    if (!heading) return false;
    const top = heading.getBoundingClientRect().top - page.getBoundingClientRect().top;
    return 0 <= top && top < 100;
}}"""


def test_links_open_the_glossary_at_their_term_and_lead_back(open_notebook):
    """The first click opens the page, the second finds it open; a third one is on the page."""
    lesson = open_notebook("03_models")
    page = lesson.page
    for anchor in ("state-dict", "class"):
        page.locator(f".jp-Notebook a[href$='#{anchor}'][href*='{GLOSSARY.name}']").click()
        expect(page.locator(".lm-TabBar-tab.jp-mod-current")).to_have_text(GLOSSARY.name)
        page.wait_for_function(AT_THE_TOP, arg=anchor)
        page.get_by_role("tab", name="03_models.ipynb").click()
        expect(page.locator(".jp-Notebook")).to_be_visible()
    page.get_by_role("tab", name=GLOSSARY.name).click()
    page.locator(PAGE).get_by_role("link", name="node", exact=True).first.click()
    page.wait_for_function(AT_THE_TOP, arg="node")
    expect(page.locator(f"{PAGE} mjx-container").first).to_be_visible()
    expect(page.locator(f"{PAGE} mjx-merror")).to_have_count(0)
    page.locator(PAGE).get_by_role("link", name="Let an optimizer take it").first.click()
    opened = page.locator(".lm-TabBar-tab.jp-mod-current")
    expect(opened).to_have_text("04_loss_and_gradients.ipynb")
    assert lesson.popups() == []
    assert lesson.hosts == {"127.0.0.1"}
    assert lesson.complaints == []
