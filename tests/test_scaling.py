"""The scripts of notebook 12, run by torchrun: same weights, nothing lost, nothing left behind."""

import importlib.util
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import threading

import nbformat
import psutil
import pytest
import torch
import torch.distributed as dist
from refresh import NOTEBOOKS, ROOT
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from course_utils import datasets

sys.path += [str(ROOT / "classroom" / "soak"), str(ROOT / "benchmarks")]
import restarts

(PATH,) = NOTEBOOKS.glob("12_*.ipynb")
SCRIPT = NOTEBOOKS / "scripts/train_ddp.py"
CELLS = nbformat.read(PATH, as_version=4).cells
CELLS_OF_NAMES = ["import os\nimport runpy", "folder = ", "def run", "def step_time"]


def cell(first_line):
    """Return the one code cell of the notebook that begins so."""
    kinds = [c.source for c in CELLS if c.cell_type == "code"]
    (source,) = [source for source in kinds if source.startswith(first_line)]
    return source


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Give a copy of the script a folder with a space in its name; go there."""
    folder = tmp_path_factory.mktemp("a learner's") / "notes and books"
    shutil.copytree(SCRIPT.parent, folder / "scripts")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def names(place):
    """Run the cells that define what a learner calls; their files go to `place`."""
    names = {"__name__": "__main__"}
    for first_line in CELLS_OF_NAMES:
        exec(cell(first_line), names)
    names["folder"].cleanup()
    names["here"] = place
    return names


def start(command, names):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    return subprocess.Popen(command, env=names["environment"], start_new_session=True, **pipes)


def finished(commands, names):
    """Run commands at the same time; return what each printed."""
    processes = [start(command, names) for command in commands]
    said = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * len(commands), said
    return [printed for printed, _ in said]


def loaded(place, name):
    return torch.load(place / f"{name}.pth", weights_only=True)


def torchrun(names, name, *words):
    """Return the notebook's command for two processes that train."""
    return [*names["torchrun"](name, *words), *names["script"](name)]


def alone(epochs):
    """Return the state of a line trained in this process, with all rows in the sampler's order."""
    torch.manual_seed(420)
    model, loss_fn = torch.nn.Linear(1, 1), torch.nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    dataset = TensorDataset(*datasets.make_line())
    sampler = DistributedSampler(dataset, 1, 0, seed=420)
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        for X_batch, y_batch in DataLoader(dataset, batch_size=16, sampler=sampler):
            optimizer.zero_grad()
            loss_fn(model(X_batch), y_batch).backward()
            optimizer.step()
    return dict(model.state_dict())


@pytest.fixture(scope="module")
def straight_and_killed(names):
    """Run both at the same time, as two learners on one machine."""
    straight = [*torchrun(names, "straight"), "--check", "--epochs=10"]
    killed = [*torchrun(names, "killed", "--max-restarts=1"), "--die-in=7", "--epochs=10"]
    return finished([straight, killed], names)


def test_two_processes_end_where_one_does(straight_and_killed, place):
    printed, _ = straight_and_killed
    assert printed == f"processes 2 on cpu, epochs done 0\n{printed.splitlines()[-1]}\n"
    saved = loaded(place, "straight")
    torch.testing.assert_close(saved["model"], alone(10))
    assert saved["epoch"] == 10
    assert (saved["model"]["weight"] - alone(0)["weight"]).abs() > 1, "and it moved"


def test_a_killed_process_is_restarted_and_nothing_is_lost(straight_and_killed, place):
    _, printed = straight_and_killed
    first, again, _weight = printed.splitlines()
    assert first == "processes 2 on cpu, epochs done 0"
    assert again == "processes 2 on cpu, epochs done 7"
    straight, killed = loaded(place, "straight"), loaded(place, "killed")
    assert killed["epoch"] == straight["epoch"]
    for name, value in straight["model"].items():
        assert torch.equal(value, killed["model"][name])
    for index, state in straight["optimizer"]["state"].items():
        assert torch.equal(
            state["momentum_buffer"], killed["optimizer"]["state"][index]["momentum_buffer"]
        )
    assert not list(place.glob("*.tmp"))


def test_two_machines_need_another_command_and_nothing_else(straight_and_killed, names, place):
    """Two torchrun with one process each, as on two machines, that meet in one file."""
    command = [*torchrun(names, "apart", "--nnodes=2"), "--epochs=10"]
    command[command.index("--nproc-per-node=2")] = "--nproc-per-node=1"
    printed = finished([command, command], names)
    assert sorted(printed)[0] == ""
    assert sorted(printed)[1].startswith("processes 2 on cpu, epochs done 0\n")
    assert torch.equal(
        loaded(place, "apart")["model"]["weight"], loaded(place, "straight")["model"]["weight"]
    )


@pytest.fixture(scope="module")
def calm():
    return restarts.calm()


@pytest.mark.parametrize("kind", restarts.KINDS)
def test_a_restart_over_tcp_needs_no_second_one(kind, calm):
    """The commands that the notebook prints; the soak's line `restarts` does this 20 times."""
    assert restarts.KINDS[kind](calm) == ""


def test_three_processes_are_refused_before_they_meet(names, place):
    command = [*torchrun(names, "three"), "--epochs=1"]
    command[command.index("--nproc-per-node=2")] = "--nproc-per-node=3"
    process = start(command, names)
    printed, errors = process.communicate()
    assert process.returncode
    assert printed == ""
    ours = set(re.findall(r"train_ddp: .*?\.(?=train_ddp|\n)", errors))  # two may share a line
    assert ours == {"train_ddp: 3 processes do not divide a batch of 16 rows."}
    assert 'train_ddp.py", line' not in errors, "torchrun's own report is long enough"
    assert not list(place.glob("three.workers*"))
    assert not (place / "three.pth").exists()


def test_the_check_of_gradients_can_fail(names, place):
    """Leave the averaging out: each process follows its own half, and the first step says so."""
    source = SCRIPT.read_text(encoding="utf-8")
    wrap = "ddp_model = DistributedDataParallel(model)"
    assert source.count(wrap) == 1
    broken = place / "scripts/broken.py"
    broken.write_text(source.replace(wrap, "ddp_model = model"), encoding="utf-8")
    command = [*torchrun(names, "unaveraged"), "--check", "--epochs=1"]
    command[command.index("scripts/train_ddp.py")] = "scripts/broken.py"
    process = start(command, names)
    _, errors = process.communicate()
    assert process.returncode != 0
    assert "AssertionError: " in errors
    assert not (place / "unaveraged.pth").exists()


def test_the_wrapper_names_its_tensors_with_module(names, place):
    """What the notebook says of DistributedDataParallel: save it, and look at the names."""
    source = SCRIPT.read_text(encoding="utf-8")
    kept = "save(options.checkpoint, model, optimizer, epoch + 1)"
    assert source.count(kept) == 1
    wrapped = source.replace(kept, kept.replace("model", "ddp_model"))
    (place / "scripts/wrapped.py").write_text(wrapped, encoding="utf-8")
    command = [*torchrun(names, "wrapped"), "--epochs=1"]
    command[command.index("scripts/train_ddp.py")] = "scripts/wrapped.py"
    finished([command], names)
    assert list(loaded(place, "wrapped")["model"]) == ["module.weight", "module.bias"]


def test_two_processes_slow_the_line_down(names, place):
    command = [sys.executable, "scripts/time_ddp.py", str(place / "timing.workers")]
    (printed,) = finished([command], names)
    assert printed == "two processes train the line faster than one: False\n"


def test_without_a_compiler_one_sentence_is_said_and_nothing_is_faster(place, tmp_path):
    environment = os.environ | {"CXX": "no-such-compiler", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "scripts/time_compile.py"]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True).stdout
    said, faster = json.loads(printed)
    assert said == "torch.compile needs a C++ compiler and found none, so nothing was compiled."
    assert faster == [1.0, 1.0]


class Interrupted(subprocess.Popen):
    """A process whose worker is killed during epoch 10 or later, and that is interrupted then."""

    def communicate(self, *args, **kwargs):
        type(self).seen, type(self).listening = [], set()
        self.read_until("epoch 10:")
        self.look()
        (last,) = [p for p in self.workers if p.environ()["RANK"] == "1"]
        last.kill()
        type(self).resumed = int(self.read_until("epochs done ").split()[-1])
        self.read_until("epoch ")
        self.look()
        raise KeyboardInterrupt

    def read_until(self, text):
        for line in self.stdout:
            if text in line and line != "processes 2 on cpu, epochs done 0\n":
                return line
        raise AssertionError(self.stderr.read())

    def look(self):
        """Note all processes, and where they listen."""
        self.workers = psutil.Process(self.pid).children(recursive=True)
        assert len(self.workers) == 2
        for process in (psutil.Process(self.pid), *self.workers):
            type(self).seen.append(process)
            sockets = process.net_connections(kind="inet")
            self.listening.update(s.laddr.ip for s in sockets if s.status == "LISTEN")


def test_a_kill_from_outside_an_interrupt_and_the_network(names, place):
    """Kill a worker by its id, interrupt the cell; look at the ports and for what is left."""
    subprocess_of_the_cell = type(subprocess)("subprocess")
    subprocess_of_the_cell.Popen, subprocess_of_the_cell.PIPE = Interrupted, subprocess.PIPE
    there = {**names, "subprocess": subprocess_of_the_cell}
    exec(cell("def run"), there)
    with pytest.raises(KeyboardInterrupt):
        there["run"]([*torchrun(there, "long", "--max-restarts=1"), "--epochs=1000000"])
    assert Interrupted.resumed >= 10
    assert len(Interrupted.seen) == 6, "torchrun twice, and four workers"
    if sys.platform != "win32":
        assert Interrupted.listening == {"127.0.0.1"}
        assert psutil.wait_procs(Interrupted.seen, timeout=60)[1] == []
    saved = loaded(place, "long")
    assert saved["epoch"] >= Interrupted.resumed
    torch.testing.assert_close(saved["model"], alone(saved["epoch"]))


@pytest.fixture
def module():
    """Import the script as one process without torchrun."""
    spec = importlib.util.spec_from_file_location("train_ddp", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def asked(store, ranks, processes=3):
    """Let processes of a start ask for its number, in threads; return it, and the threads."""
    numbers, threads = {}, []
    for rank in ranks:
        spec = importlib.util.spec_from_file_location("train_ddp", SCRIPT)
        one = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(one)
        one.RANK, one.PROCESSES = rank, processes

        def ask(one=one, rank=rank):
            numbers[rank] = one.number_of_start(store)

        threads.append(threading.Thread(target=ask, daemon=True))
        threads[-1].start()
    return numbers, threads


def test_each_start_gets_a_number_of_its_own_whoever_died_before():
    """Whole starts, one that died as a whole, and those in which some never came."""
    store = dist.HashStore()
    for number in (1, 2):
        numbers, threads = asked(store, (0, 1, 2))
        for thread in threads:
            thread.join(30)
        assert numbers == {0: number, 1: number, 2: number}
    store.add("tickets", 1)  # a process that died before it was answered
    store.add("starts", 1)  # a process 0 that died before anybody came
    store.set("start of ticket 5", "3")  # it had answered one
    numbers, threads = asked(store, (2, 0, 1))
    for thread in threads:
        thread.join(30)
    assert set(numbers.values()) == {4}
    assert sorted(numbers) == [0, 1, 2]


def test_nobody_starts_before_all_are_there():
    store = dist.HashStore()
    numbers, first = asked(store, (1, 0))
    first[0].join(1)
    assert 0 not in numbers, "process 0 waits for process 2"
    _, second = asked(store, (2,))
    for thread in (*first, *second):
        thread.join(30)
    assert numbers == {0: 1, 1: 1}


def sentence(call, *args):
    """Return the sentence the script ends with."""
    with pytest.raises(SystemExit) as ended:
        call(*args)
    assert re.fullmatch(r"train_ddp: [^\n]{20,90}\.", ended.value.code), ended.value.code
    return ended.value.code


@pytest.mark.parametrize("name", ["abacus", "cuda:99", "", "CPU"])
def test_a_device_that_is_not_there_gets_one_sentence(module, name):
    assert f"{name}: 0 devices, 2 needed" in sentence(module.choose_device, name, 2)


def with_accelerators(monkeypatch, kind, count):
    """Pretend that this machine has so many cards of a kind."""
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device(kind))
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: count)


@pytest.mark.parametrize("kind", ["cuda", "mps", "xpu"])
def test_two_processes_do_not_share_one_card(module, monkeypatch, kind):
    with_accelerators(monkeypatch, kind, 1)
    assert f"{kind}: 1 devices, 2 needed" in sentence(module.choose_device, kind, 2)
    assert module.choose_device("auto", 2) == torch.device("cpu")
    assert module.choose_device("auto", 1) == torch.device(kind, 0)
    with_accelerators(monkeypatch, kind, 2)
    module.LOCAL_RANK = 1
    assert module.choose_device("auto", 2) == torch.device(kind, 1)
    assert module.choose_device("cpu", 2) == torch.device("cpu")
    with_accelerators(monkeypatch, kind, 0)
    assert module.choose_device("auto", 1) == torch.device("cpu")


@pytest.mark.parametrize(("kind", "backend"), [("cuda", "nccl"), ("cpu", "gloo"), ("xpu", "xccl")])
def test_a_process_is_bound_to_its_own_card(module, monkeypatch, kind, backend):
    """No card is needed: what the group is asked for is looked at."""
    asked = {}
    monkeypatch.setattr(module, "number_of_start", lambda store: 1)
    monkeypatch.setattr(module.dist, "FileStore", lambda meet: dist.HashStore())
    monkeypatch.setattr(
        module.dist, "init_process_group", lambda name, **options: asked.update(options, name=name)
    )
    module.RANK, module.PROCESSES = 1, 2
    device = torch.device(kind) if kind == "cpu" else torch.device(kind, 1)
    module.join(device, "a file")
    assert (asked["name"], asked["rank"], asked["world_size"]) == (backend, 1, 2)
    assert asked.get("device_id") == (None if kind == "cpu" else device)


def parts():
    model = torch.nn.Linear(1, 1)
    return model, torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)


def test_a_damaged_checkpoint_gets_one_sentence_and_stays(module, tmp_path):
    path = tmp_path / "line.pth"
    module.save(path, *parts(), 3)
    good = path.read_bytes()
    other = tmp_path / "other.pth"
    torch.save({"model": {"slope": torch.ones(1)}}, other)
    for data in (b"", b"text", good[:100], good[: len(good) // 2], other.read_bytes()):
        path.write_bytes(data)
        assert "line.pth is damaged" in sentence(module.restore, path, *parts(), "cpu")
        assert path.read_bytes() == data
    path.write_bytes(good)
    assert module.restore(path, *parts(), "cpu") == 3


def test_a_missing_checkpoint_is_a_first_start_and_a_missing_folder_is_named(module, tmp_path):
    assert module.restore(tmp_path / "line.pth", *parts(), "cpu") == 0
    nowhere = tmp_path / "nowhere" / "line.pth"
    assert "no folder nowhere" in sentence(module.restore, nowhere, *parts(), "cpu")


def test_saving_replaces_the_checkpoint_in_one_step(module, tmp_path, monkeypatch):
    """A save that fails half way leaves the old file."""
    path = tmp_path / "line.pth"
    module.save(path, *parts(), 3)

    def half(run, file):
        file.write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(OSError, match="no space"):
        module.save(path, *parts(), 4)
    assert torch.load(path, weights_only=True)["epoch"] == 3


def test_the_notebook_shows_the_script_as_it_is():
    """Each piece in the section on the script stands in the file, line by line, in this order."""
    lines = [line.strip() for line in SCRIPT.read_text(encoding="utf-8").splitlines()]
    texts = [c.source for c in CELLS if c.cell_type == "markdown"]
    section = "\n".join(texts).split("## Run two processes")[1].split("\n## ")[0]
    (shown,) = re.findall(r"```python\n(.*?)```", section, re.S)
    places = []
    for piece in shown.split("# ...\n"):
        wanted = [line.strip() for line in textwrap.dedent(piece).strip().splitlines()]
        found = [n for n in range(len(lines)) if lines[n : n + len(wanted)] == wanted]
        assert len(found) == 1, piece
        places += found
    assert len(places) >= 4
    assert places == sorted(places)


def test_the_script_is_short_and_writes_the_loop_out():
    text = SCRIPT.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    five = ["optimizer.zero_grad()", "y_pred = ddp_model(X_batch)",
            "loss = loss_fn(y_pred, y_batch)", "loss.backward()", "optimizer.step()"]  # fmt: skip
    assert [line.strip() for line in text.splitlines() if line.strip() in five] == five
    assert text.count("weights_only=True") == text.count("torch.load(") == 1


def test_the_group_is_destroyed_where_the_wrapped_model_is_gone(module):
    """Else the last reference goes with the interpreter's lock held, and a process may hang."""
    assert "destroy_process_group" not in inspect.getsource(module.main)
    assert SCRIPT.read_text(encoding="utf-8").rstrip().endswith("dist.destroy_process_group()")
