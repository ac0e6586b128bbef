"""What the base class promises in a real kernel: storms of messages as a page sends them.

The kernel is asked through shell replies, which are never dropped, and what it publishes is read
all the while: a publisher whose listener falls a thousand messages behind drops the rest.
"""

import ast
import os

import pytest
import zmq
from jupyter_client.manager import KernelManager

ANSWER_MS = 120_000  # a kernel that has not died answers in this time
SETUP = """
import resource
import sys
import threading

import numpy as np
import torch

from course_utils import datasets
from course_utils.explorers.noise import NoiseExplorer
from course_utils.explorers.training import TrainingExplorer
from course_utils.history import History

gate, reached = threading.Event(), threading.Event()
leave = [True]
made = []  # the settings of every picture that was begun


def make(**settings):
    made.append(settings)
    gate.wait(60)
    return datasets.make_line(**settings)


class Watched(NoiseExplorer):
    # Remembers the settings of every picture, the threads that drew, and pictures that are wrong.

    def __init__(self, make):
        self.drawn, self.threads, self.pictures_wrong = [], set(), []
        super().__init__(make)

    def compute(self, settings):
        self.asked = settings
        return super().compute(settings)

    def draw(self, result):
        super().draw(result)
        self.drawn.append(self.asked)
        self.threads.add(threading.current_thread().name)
        if not self.is_right(self.asked):
            self.pictures_wrong.append(self.asked)
        if self.asked["weight"] == 2.5:
            reached.set()

    def is_right(self, settings):
        X, y = datasets.make_line(**settings)
        marks = {mark.labels[0]: mark for mark in self.widget.children[1].children[0].marks}
        points, truth, line = (marks[name] for name in ("data", "truth", "least squares"))
        weight, bias = np.polyfit(points.x, points.y, 1)
        return (
            np.array_equal(points.x, X[:, 0])
            and np.array_equal(points.y, y[:, 0])
            and np.allclose(truth.y, settings["weight"] * truth.x + settings["bias"])
            and np.allclose(line.y, weight * line.x + bias, atol=1e-4)
        )


def wrong(explorer):
    return explorer.pictures_wrong[:5]


def controls(explorer):
    return {control.description: control for control in explorer.widget.children[0].children}


def observe(control):
    # Tells the names of the threads that handle its messages.
    names = set()
    control.observe(lambda change: names.add(threading.current_thread().name), names="value")
    return names


def make_and_leave(**settings):
    return sys.exit(3) if leave else datasets.make_line(**settings)


def train_and_leave(*arguments):
    return sys.exit(3) if leave else train(*arguments)


def train(model, optimizer, loss_fn, loader, epochs):
    history = History()
    for _ in range(epochs):
        for X_batch, y_batch in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(X_batch), y_batch)
            history.record(loss=loss.item(), weight=model.weight.item(), bias=model.bias.item())
            loss.backward()
            optimizer.step()
    return history


gate.set()
explorer = Watched(make)
optimizers = [torch.optim.SGD, torch.optim.Adam]
training = TrainingExplorer(train, optimizers)
training.settle()
"""
RESET = """
gate.set()
explorer.reset()
explorer.settle()
reached.clear()
leave[:] = [True]
for kept in (made, explorer.drawn, explorer.pictures_wrong, explorer.threads):
    kept.clear()
"""
PEAK = "resource.getrusage(resource.RUSAGE_SELF).ru_maxrss"  # kB
# Another thread moves the slider as soon as a cell has set it.
HAND = """
control = controls(explorer)["weight"]

def hand(change):
    control.unobserve(hand, names="value")
    threading.Thread(target=setattr, args=(control, "value", -1.0)).start()
    while control.value == change["new"]:
        pass

control.observe(hand, names="value")
"""
LEAVERS = {
    "make": "NoiseExplorer(make_and_leave)",
    "train": "TrainingExplorer(train_and_leave, optimizers)",
}
# Two explorers, each moved by three threads at once; two of them keep bias = -weight.
REDRAWS = """
explorers = [Watched(datasets.make_line) for _ in range(2)]
PICTURES = 500

def mirror(explorer, seed):
    generator = np.random.default_rng(seed)
    while len(explorer.drawn) < PICTURES:
        weight = round(float(generator.integers(-30, 31)) / 10, 1)
        explorer.set(weight=weight, bias=-weight)
        explorer.settle()

def shake(explorer):
    noise = controls(explorer)["noise"]
    while len(explorer.drawn) < PICTURES:
        noise.value = (noise.value + 0.05) % 3
        explorer.settle()

threads = []
for explorer_ in explorers:
    explorer_.set(bias=-explorer_.settings["weight"])
    explorer_.settle()
    explorer_.drawn.clear()
    explorer_.pictures_wrong.clear()
    for seed in (1, 2):
        threads.append(threading.Thread(target=mirror, args=(explorer_, seed)))
    threads.append(threading.Thread(target=shake, args=(explorer_,)))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for explorer_ in explorers:
    explorer_.settle()
"""


class Kernel:
    """A kernel of its own, with a subshell, and what a page and a notebook say to it."""

    def __init__(self, folder):
        self.manager = KernelManager()
        self.manager.start_kernel(env=os.environ | {"IPYTHONDIR": str(folder)})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.sockets = [self.client.shell_channel.socket, self.client.iopub_channel.socket]
        self.poller = zmq.Poller()
        for socket in self.sockets:
            self.poller.register(socket, zmq.POLLIN)
        self.complaints = []  # what the kernel wrote to stderr, errors of callbacks among it
        request = self.client.session.msg("create_subshell_request")
        self.client.control_channel.send(request)
        reply = self.client.control_channel.get_msg(timeout=60)
        self.subshell = reply["content"]["subshell_id"]

    def send(self, kind, content, subshell=None):
        """Send a message on the shell channel and return its number."""
        message = self.client.session.msg(kind, content)
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def begin(self, code, value="None", subshell=None):
        """Start a cell that leaves no trace in the history."""
        content = {"code": code, "user_expressions": {"value": value}, "silent": True}
        more = {"store_history": False, "allow_stdin": False, "stop_on_error": False}
        return self.send("execute_request", content | more, subshell)

    def end(self, number):
        """Read all that the kernel says until the cell has answered; return its value."""
        while True:
            ready = dict(self.poller.poll(ANSWER_MS))
            assert ready, "the kernel says nothing any more"
            shell, iopub = self.sockets
            if iopub in ready:
                self._listen(iopub.recv_multipart())
            elif (reply := self._read(shell.recv_multipart()))["parent_header"]["msg_id"] == number:
                assert reply["content"]["status"] == "ok", reply["content"]
                value = reply["content"]["user_expressions"]["value"]
                assert value["status"] == "ok", value
                return ast.literal_eval(value["data"]["text/plain"])

    def run(self, code, value="None", subshell=None):
        """Run a cell and return the value of an expression."""
        return self.end(self.begin(code, value, subshell))

    def take_in(self):
        """Wait until both shells have handled the messages they were sent."""
        for subshell in (None, self.subshell):
            self.run("", subshell=subshell)

    def hold(self, control, shell, explorer="explorer"):
        """Take hold of a slider; return a function that moves it by messages in a shell.

        The kernel sends a control's messages to the shell in which the control spoke last, whatever
        shell they name: a first move brings it into this one.
        """
        subshell = self.subshell if shell == "subshell" else None
        control = f"controls({explorer})[{control!r}]"
        comm, value = self.run("", f"({control}.model_id, {control}.value)")

        def move(value):
            data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
            self.send("comm_msg", {"comm_id": comm, "data": data}, subshell)

        move(value)
        self.take_in()
        return move

    def _read(self, frames):
        _, frames = self.client.session.feed_identities(frames)
        return self.client.session.deserialize(frames)

    def _listen(self, frames):
        if b'"stream"' in frames[3] or b'"error"' in frames[3]:  # the header
            self.complaints.append(self._read(frames)["content"])

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    kernel = Kernel(tmp_path_factory.mktemp("ipython"))
    try:
        kernel.run(SETUP)
        yield kernel
    finally:
        kernel.close()


@pytest.fixture
def kernel(started):
    started.complaints.clear()
    started.run(RESET)
    return started


@pytest.mark.parametrize(
    ("thousands", "shells"),
    [(1, ["main"]), (1, ["subshell"]), (10, ["main", "subshell"])],
    ids=["1,000 main", "1,000 subshell", "10,000 both"],
)
def test_a_storm_waits_for_nothing_and_leaves_nothing(kernel, thousands, shells):
    """While one picture is held up thousands of moves arrive: one more is drawn, of the last.

    Cells answer all the while, and the kernel's memory does not grow by 1 kB a move.
    """
    moves = [kernel.hold(*pair) for pair in zip(("weight", "bias"), shells, strict=False)]
    kernel.run("heard = [observe(controls(explorer)[name]) for name in ('weight', 'bias')]")
    peaks = []
    kernel.run("gate.clear()")
    for thousand in range(thousands):
        for i in range(1_000):
            moves[thousand % len(moves)](float(i % 7 - 3))
        for move in moves:
            move(1.5)
        kernel.take_in()
        assert kernel.run("", "len(made), len(explorer.drawn)") == (1, 0)
        peaks.append(kernel.run("", PEAK))
    kernel.run("gate.set()\nexplorer.settle()")
    assert kernel.run("", "len(explorer.drawn)") == 2, "the one held up, and the last"
    last = kernel.run("", "explorer.drawn[-1]")
    assert (last["weight"], last["bias"]) == (1.5, 1.5)  # the bias starts there
    assert kernel.run("", "explorer.settings") == last
    assert kernel.run("", PEAK) < peaks[0] + 8_000, "kB"
    for shell, names in zip(shells, kernel.run("", "heard"), strict=False):
        assert [name.startswith("subshell") for name in names] == [shell == "subshell"]
    assert kernel.run("", "wrong(explorer)") == []
    assert kernel.complaints == []


def test_a_storm_on_both_shells_ends_on_the_last_values(kernel):
    """Pictures are drawn all the while; none is wrong, and none is left to draw but the last."""
    moves = [kernel.hold("weight", "main"), kernel.hold("bias", "subshell")]
    for i in range(1_000):
        moves[i % 2](float(i % 7 - 3))
    for move, value in zip(moves, (1.5, -0.5), strict=True):
        move(value)
    kernel.take_in()
    begun = kernel.run("", "len(made)")
    kernel.run("explorer.settle()")
    assert kernel.run("", "len(made)") <= begun + 1
    last = kernel.run("", "explorer.drawn[-1]")
    assert (last["weight"], last["bias"]) == (1.5, -0.5)
    assert kernel.run("", "explorer.settings") == last
    assert kernel.run("", "explorer.page.text == explorer.summary(explorer.result)") is True
    assert kernel.run("", "wrong(explorer)") == []
    assert kernel.complaints == []


def test_a_cell_moves_the_slider_that_a_hand_holds(kernel):
    """Once both rest, settings and picture agree; and the hand still moves the picture."""
    move = kernel.hold("weight", "subshell")
    cell = kernel.begin("for i in range(200):\n    explorer.set(weight=i % 5 / 2)")
    for i in range(200):
        move(float(i % 7 - 3))
    kernel.end(cell)
    kernel.take_in()
    kernel.run("explorer.settle()")
    assert kernel.run("", "explorer.settings == explorer.drawn[-1]") is True
    move(1.3)
    kernel.take_in()
    kernel.run("explorer.settle()")
    assert kernel.run("", "explorer.drawn[-1]['weight']") == 1.3
    assert kernel.run("", "wrong(explorer)") == []


def test_a_hand_is_faster_than_the_cell_that_sets_its_slider(kernel):
    """The cell is not told that the value it set cannot be, and the hand's value is drawn."""
    kernel.run(HAND + "explorer.set(weight=0.5)\nexplorer.settle()")
    assert kernel.run("", "explorer.settings['weight'], explorer.drawn[-1]['weight']") == (-1, -1)
    assert kernel.run("", "wrong(explorer)") == []
    assert kernel.complaints == []


def test_the_picture_follows_while_a_cell_runs(kernel):
    move = kernel.hold("weight", "subshell")
    cell = kernel.begin("seen = reached.wait(60)", "seen")
    move(2.5)
    assert kernel.end(cell) is True
    assert kernel.run("", "explorer.drawn[-1]['weight']") == 2.5


@pytest.mark.parametrize("name", ["make", "train"])
def test_a_function_that_ends_its_thread_is_named(kernel, name):
    """A worker that died would leave the explorer busy for good."""
    kernel.run(f"leaver = {LEAVERS[name]}\nleaver.settle()")
    assert kernel.run("", "leaver.page.state, leaver.page.text.splitlines()[0]") == (
        "error",
        "SystemExit: 3",
    )
    kernel.run("leave.clear()\nleaver.reset()\nleaver.settle()")
    assert kernel.run("", "leaver.page.state") in ("shown", "agrees")
    assert kernel.complaints == []


def test_none_of_a_thousand_concurrent_redraws_is_wrong(kernel):
    kernel.run(REDRAWS)
    assert kernel.run("", "min(len(explorer.drawn) for explorer in explorers)") >= 500
    assert kernel.run("", "[wrong(explorer) for explorer in explorers]") == [[], []]
    mixed = "[s for e in explorers for s in e.drawn if s['bias'] != -s['weight']]"
    assert kernel.run("", mixed) == [], "what is set together is drawn together"
    assert kernel.run("", "[e.settings == e.drawn[-1] for e in explorers]") == [True, True]
    threads = kernel.run("", "[len(explorer.threads) for explorer in explorers]")
    assert max(threads) < 50, "each thread that draws costs the kernel a socket"
    assert kernel.complaints == []


def test_the_learners_loop_has_the_last_word(kernel):
    moves = [
        kernel.hold("learning rate", "main", "training"),
        kernel.hold("epochs", "subshell", "training"),
    ]
    for i in range(200):
        moves[0]((0.01, 0.1, 0.2)[i % 3])
        moves[1]((5, 20, 60, 100)[i % 4])
    moves[0](0.3)
    moves[1](30)
    kernel.take_in()
    kernel.run("training.settle()")
    assert kernel.run("", "training.page.state") == "agrees"
    for settings in ("training.settings", "training.result.settings"):
        settings = kernel.run("", settings)
        assert (settings["lr"], settings["epochs"]) == (0.3, 30)
    assert kernel.complaints == []
