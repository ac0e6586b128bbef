"""The still picture of an explorer, for whoever reads the notebook where the explorer cannot live.

A live explorer hides it, and it hides what a front end writes where a widget is missing: by styles
that come with it, since nothing else of ours is there the next day. Where outputs lose their
styles, as on GitHub, no widget is shown and the picture stands.
"""

from course_utils import charts

NOTHING = "<!-- the still picture follows -->"  # for front ends that show no widget
LIVE = "text/x-explorer"  # stored with the notebook: what the web edition makes it alive from
_HINT = "This picture stands still: run the cell, and it moves."
# An output in JupyterLab and Notebook 7, in nbclassic, in VS Code. The widget's comes first, then
# the picture, then the caption, which brings the styles. Right after a run, the picture waits.
_STYLE = """<style>
{out}:not(:has(.explorer)):has(+ {out} + {out} .explorer-still),
{out}:has(.explorer):has(+ {out} + {out} .explorer-still) + {out},
{out}:has(.explorer) + {out} + {out}:has(.explorer-still) { display: none; }
{out}:has(+ {out} .explorer-still),
{out}:has(.explorer-still) { animation: explorer-still 0.7s step-end; }
@keyframes explorer-still { from { visibility: hidden; } }
</style>""".replace("{out}", ":is(.jp-OutputArea-child, .output_area, .output_container)")


def show_still(chart: charts.Chart) -> None:
    """Show a chart as the picture that stands in for an explorer."""
    from IPython.display import display

    chart.show_picture()
    caption = f'<p class="explorer-still"><em>{charts.as_html(chart.summary)}</em> {_HINT}</p>'
    display({"text/html": charts.STYLE + _STYLE + caption, "text/plain": chart.summary}, raw=True)
