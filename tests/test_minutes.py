"""How long a notebook takes: the formula, and what the pages make of it."""

from pathlib import Path

import nbformat
import pytest
from minutes import estimates, minutes_of, sections_of, with_guide, with_minutes, with_notebooks

text, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
STUB = '# Exercise 1\ndef double(x):\n    small = x < 0\n    return ...\n\ncheck("00.1", double)'
SOLUTION = """<details><summary>Solution 1</summary>

```python
# Exercise 1
def double(x):
    small = x &lt; 0
    twice = 2 * x
    print(small)
    return twice

check("00.1", double)
```

</details>"""


def notebook_of(*cells):
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [*cells]
    return notebook


@pytest.mark.parametrize(
    ("cells", "minutes"),
    [
        ([text("word " * 3000)], 20),
        ([code("x = 1\n\n" * 160)], 20),
        ([code('predict("a")')] * 20, 20),
        ([code("from a import FitExplorer\nexplorer = FitExplorer(fit)")] * 20, 65),
        ([text(f"<details>{'word ' * 4000}</details>")], 0),
        ([code(STUB)] * 20, 60),
        ([code(STUB)] * 20 + [text(SOLUTION)], 90),  # three lines more to write, in each
    ],
)
def test_minutes_follow_from_words_lines_questions_explorers_and_exercises(cells, minutes):
    assert sum(estimates(notebook_of(*cells)).values()) == pytest.approx(minutes)


def lesson(title, **sections):
    """Return a notebook whose sections take so many minutes."""
    first = text(f"# {title}")
    time = text("**You need** nothing.\n\n**Time**: about 1 minutes.")
    rest = [text(f"## {name}\n\n" + "word " * (150 * n - 2)) for name, n in sections.items()]
    return notebook_of(first, time, *rest, text("## In short\n\n- a"), text("## Next\n\nb"))


LESSONS = {
    Path("00_first.ipynb"): lesson("One", Look=3, Think=5, Rest=1),
    Path("01_second.ipynb"): lesson("Two", Play=8, Run=10),
}
README = """## Notebooks

Text.

| notebook | you will be able to | minutes | |
| --- | --- | --- | --- |
| [00 Old](notebooks/00_old.ipynb) | see | 7 | |

End.
"""
APPENDIX = "## Choose a notebook\n\n| notebook |\n| --- |\n"
GUIDE = """### 90 minutes: fast

| notebook | sections | minutes |
| --- | --- | --- |
| | Welcome | 5 |
| 00 | Look; Think | 0 |
| 01 | all but Play | 0 |
| | Talk | 0 |
| | total | 0 |

### Half a day: x

| |
| --- |
| | Talk | 0 |
| | total | 0 |

### A day: x

| |
| --- |
| | Talk | 0 |
| | total | 0 |

### Self-study: x

| |
| --- |
| 00, 01 | all | 0 |
| | total | 0 |

### 00 Old: 1 minutes
| |
| --- |

- mistake

### 01 Two: 20 minutes
| |
| --- |
"""


def test_sections_share_the_minutes_of_their_notebook():
    first, second = LESSONS.values()
    assert sections_of(first) == {"Opening": 1, "Look": 3, "Think": 4, "Rest": 1, "In short": 1}
    assert sum(sections_of(second).values()) == minutes_of(second) == 20
    assert "about 10 minutes." in with_minutes(first).cells[1].source


def test_the_tables_of_notebooks_keep_what_one_learns():
    readme, appendix = with_notebooks(README, APPENDIX, LESSONS)
    assert "\n| [00 One](notebooks/00_first.ipynb) | see | 10 | [Binder](https://" in readme
    assert readme.endswith("notebooks/01_second.ipynb) |\n\nEnd.\n")
    assert "\n| [00 One](00_first.ipynb) | see | 10 |\n" in appendix
    assert with_notebooks(readme, appendix, LESSONS) == (readme, appendix)


def test_the_guide_gets_its_minutes_and_what_is_left_of_a_route_is_for_talk():
    guide = with_guide(GUIDE, LESSONS)
    assert (
        "\n### 00 One: 10 minutes\n| section | minutes |\n| --- | --- |\n| Opening | 1 |\n" in guide
    )
    assert "| Welcome | 5 |\n| 00 | Look; Think | 8 |\n| 01 | all but Play | 12 |\n" in guide
    assert "| | Talk | 65 |\n| | total | 90 |\n" in guide
    assert "| 00, 01 | all | 30 |\n| | total | 30 |\n" in guide
    assert guide.count("\n- mistake\n") == 1
    assert with_guide(guide, LESSONS) == guide


def test_a_stale_section_and_a_missing_table_are_named():
    with pytest.raises(SystemExit, match=r"\{'Think'\}.*00.*'Look', 'Rest'"):
        with_guide(GUIDE, LESSONS | {Path("00_first.ipynb"): lesson("One", Look=3, Rest=1)})
    with pytest.raises(SystemExit, match="02"):
        with_guide(GUIDE, LESSONS | {Path("02_third.ipynb"): lesson("Three", Look=3, Rest=1)})
