"""The launcher, really started, in copies of it whose path holds a space and an accent.

The copies ask for tiny packages made here, so that each installation takes a few seconds.
"""

import ast
import functools
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import venv
import zipfile
from pathlib import Path

import pip
import psutil
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
POSIX, LINUX = os.name != "nt", sys.platform == "linux"
SHOW = """import json, os, sys
print(json.dumps({"argv": sys.argv[1:], "cwd": os.getcwd(), "prefix": sys.prefix,
                  "path": os.environ["PATH"], "pid": os.getpid()}))
"""
BACKEND = """import socket, shutil
from pathlib import Path

def build_wheel(folder, config_settings=None, metadata_directory=None):
    port = Path("port")
    if port.exists():  # tell the test that the installation got this far, then wait for the end
        with socket.create_connection(("127.0.0.1", int(port.read_text()))) as line:
            line.recv(1)
    return Path(shutil.copy(next(Path(".").glob("*.whl")), folder)).name
"""


def make_wheel(folder, name, version, files):
    """Write a small but complete wheel, as a package index would serve it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            wheel.writestr(file, text)
    return path


class Course:
    """A copy of the launcher with small requirement files."""

    def __init__(self, folder):
        self.folder = folder / "une leçon à part"
        self.reset()

    def reset(self):
        """Write everything anew, but leave the environment as it is."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("course.py", "pyproject.toml"):
            shutil.copy(ROOT / name, self.folder / name)
        settings = "binder/settings"
        shutil.copytree(ROOT / settings, self.folder / settings, dirs_exist_ok=True)
        self.write("requirements.txt", "torch>=2.10,<2.14  # why\njupyterlab\n")
        self.write("constraints.txt", "jupyterlab==4.9\nprobe==1.0\ntorch==2.13.0\n")
        self.write("tests/requirements.txt", "probe\n")
        self.write("classroom/requirements.txt", "probe\n")
        self.write("tests/run.py", SHOW)
        wheels = self.folder / "index"
        make_wheel(wheels, "torch", "2.13.0", {"torch.py": "version = '2.13.0'\n"})
        make_wheel(wheels, "probe", "1.0", {"probe.py": ""})
        make_wheel(wheels, "jupyterlab", "4.9", {"jupyterlab.py": SHOW})
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "JUPYTER"))}
        self.env |= {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": wheels.as_uri()}
        self.env |= {"PIP_NO_INDEX": "1", "PYTHONUTF8": "1"}

    @property
    def venv(self):
        return self.folder / ".venv"

    @property
    def python(self):
        return self.venv / ("bin/python" if POSIX else "Scripts/python.exe")

    def write(self, name, text):
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text, encoding="utf-8")

    def popen(self, *words, launcher=("course.py",), **options):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
        options = {"cwd": self.folder, "env": self.env, **pipes, **options}
        return subprocess.Popen([sys.executable, *launcher, *words], **options)

    def run(self, *words, **options):
        process = self.popen(*words, **options)
        out, err = process.communicate()
        assert "Traceback" not in out + err, out + err
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def pip(self, *words):
        command = [self.python, "-m", "pip", "--quiet", *words]
        subprocess.run(command, check=True, env=self.env, stderr=subprocess.DEVNULL)

    def unstamp(self):
        for path in self.venv.glob("*.stamp"):
            path.unlink()

    def torch(self):
        code = "import importlib.metadata as m; print(m.version('torch'))"
        return subprocess.check_output([self.python, "-c", code], text=True).strip()

    def hold(self):
        """Make the next installation stop in the middle, and return the socket that hears of it."""
        slow = self.folder / "slow"
        make_wheel(slow, "slow", "1.0", {"slow.py": ""})
        self.write("slow/backend.py", BACKEND)
        system = 'requires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        self.write("slow/pyproject.toml", "[build-system]\n" + system)
        self.write("requirements.txt", "torch>=2.10,<2.14\njupyterlab\n./slow\n")
        listener = socket.create_server(("127.0.0.1", 0))
        self.write("slow/port", str(listener.getsockname()[1]))
        return listener

    def let_go(self):
        (self.folder / "slow/port").unlink()


@pytest.fixture
def course(tmp_path):
    return Course(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return Course(tmp_path_factory.mktemp("shared"))


@pytest.fixture
def installed(shared):
    """A copy whose environment is in order: made once for all tests, and repaired if need be."""
    shared.reset()
    result = shared.run("lab")
    assert result.returncode == 0, result.stderr
    return shared


def one_sentence(result):
    """Assert that a run ended with exit code 1 and one short text, and return that text."""
    assert result.returncode == 1, result
    text = result.stderr.strip()
    assert "\n" not in text
    assert 20 < len(text) < 400
    assert text[0].isupper()
    assert text.endswith(".")
    return text


def launcher_module(folder):
    spec = importlib.util.spec_from_file_location("course", folder / "course.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# What it says about itself


def test_it_is_short_and_needs_nothing_but_python():
    text = (ROOT / "course.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 250
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import)]
    names = {alias.name.split(".")[0] for node in nodes for alias in node.names}
    assert len(names) > 5
    assert names <= set(sys.stdlib_module_names)
    assert not any(isinstance(node, ast.ImportFrom) for node in ast.walk(ast.parse(text)))


def test_old_pythons_can_read_it_and_hear_that_they_are_too_old(course):
    text = (ROOT / "course.py").read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 6))
    code = "import runpy, sys; sys.version_info = (3, 6, 9, 'final', 0); "
    code += "runpy.run_path('course.py', run_name='__main__')"
    text = one_sentence(course.run("-c", code, launcher=()))
    assert "3.11 or newer" in text
    assert "3.6" in text


def test_python_2_stops_at_a_line_that_says_what_is_needed():
    """Its error shows the line it cannot read: the first with an f-string."""
    lines = (ROOT / "course.py").read_text(encoding="utf-8").splitlines()
    number = next(n for n, line in enumerate(lines) if 'f"' in line)
    assert "The course needs Python 3.11 or newer" in lines[number]
    code = [line.split("  #")[0] for line in lines[:number] if line[:1] not in '#"']
    assert code == ["import sys", "if sys.version_info < (3, 11):"]


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_has_one_line_for_each_command(course, words):
    result = course.run(*words)
    assert result.returncode == 0
    lines = result.stdout.splitlines()[2:]
    commands = launcher_module(ROOT).COMMANDS
    assert [line.split()[0] for line in lines] == list(commands)
    assert all(commands[line.split()[0]][0] in line for line in lines)
    assert not course.venv.exists()


@pytest.mark.parametrize("words", [["lba"], ["lab", "--no-browser"], ["lab", "test"]])
def test_unknown_words_are_named(course, words):
    text = one_sentence(course.run(*words))
    assert " ".join(words) in text
    assert "lab, test, doctor" in text
    assert not course.venv.exists()


def test_every_command_has_its_script_and_its_requirements():
    for name, (sentence, extra, command) in launcher_module(ROOT).COMMANDS.items():
        assert sentence, name
        assert all((ROOT / file).is_file() for file in extra), name
        if command[0] == "-m":
            assert importlib.util.find_spec(command[1]), name
        else:
            assert (ROOT / command[0]).is_file(), name


def test_the_doctor_names_the_fix_when_there_is_no_environment(course):
    text = one_sentence(course.run("doctor"))
    assert "python3 course.py lab" in text
    assert not course.venv.exists()


# Installing


def test_first_and_second_start(course):
    here = Path(pip.__file__).parent
    files = {f"pip/{path.relative_to(here)}": path.read_bytes() for path in here.rglob("*.*")}
    make_wheel(course.folder / "index", "pip", "99.0", files)
    course.write("constraints.txt", "jupyterlab==4.9\npip==99.0\ntorch==2.13.0\n")
    first = course.run("lab", "--", "--no-browser", "--port=9999")
    assert first.returncode == 0, first.stderr
    assert list(course.venv.rglob("pip-99.0.dist-info")), "the pip that Python brings is old"
    *stages, answer = first.stdout.splitlines()
    assert sum("MB to download" in line for line in stages) == 2
    answer = json.loads(answer)
    assert Path(answer["prefix"]) == course.venv.resolve()
    assert Path(answer["cwd"]) == course.folder.resolve()
    assert answer["argv"][-2:] == ["--no-browser", "--port=9999"]
    assert "--ServerApp.ip=127.0.0.1" in answer["argv"]
    assert answer["path"].split(os.pathsep)[0] == str(course.python.parent)
    settings = [file for file in (ROOT / "binder/settings").rglob("*") if file.is_file()]
    veil = {"package.json", "remoteEntry.js", "veil.css"}
    assert {f.name for f in settings} == {"overrides.json", "ipython_kernel_config.py", *veil}
    for file in settings:
        copy = course.venv / file.relative_to(ROOT / "binder/settings")
        assert copy.read_bytes() == file.read_bytes()

    (course.venv / "install.log").unlink()
    (stamp,) = course.venv.glob("*.stamp")
    before = stamp.stat().st_mtime_ns
    second = course.run("lab", "--", "--no-browser", "--port=9999")
    assert "nstall" not in second.stdout
    assert not (course.venv / "install.log").exists()
    assert stamp.stat().st_mtime_ns == before
    assert json.loads(second.stdout.splitlines()[-1])["argv"] == answer["argv"]


def test_a_changed_requirement_is_installed_into_the_same_environment(installed):
    (installed.venv / "mine").touch()
    make_wheel(installed.folder / "index", "extra", "1.0", {"extra.py": ""})
    installed.write("requirements.txt", "torch>=2.10,<2.14\njupyterlab\nextra\n")
    result = installed.run("lab")
    assert "Keeping the torch" in result.stdout
    assert "Making" not in result.stdout
    assert (installed.venv / "mine").exists()
    subprocess.run([installed.python, "-c", "import extra"], check=True)


def test_the_tests_have_requirements_of_their_own(installed):
    code = [installed.python, "-c", "import probe"]
    assert subprocess.run(code, stderr=subprocess.DEVNULL).returncode == 1
    result = installed.run("test", "--", "-k", "descent")
    *stages, answer = result.stdout.splitlines()
    assert len(stages) == 2  # the tests, and the hub that they start
    assert json.loads(answer)["argv"] == ["-k", "descent"]
    subprocess.run(code, check=True)
    assert "nstall" not in installed.run("lab").stdout
    assert "nstall" not in installed.run("test").stdout


def test_one_command_installing_leaves_the_others_ready(installed):
    installed.write("benchmarks/requirements.txt", "probe\n")
    installed.write("benchmarks/run.py", SHOW)
    installed.unstamp()
    for name in ("test", "bench"):
        assert "nstalling what" in installed.run(name).stdout
    for name in ("test", "bench", "lab"):
        assert "nstall" not in installed.run(name).stdout, name


def test_the_folder_of_a_class_is_taken_from_where_one_stands(installed, tmp_path):
    (tmp_path / "Klasse ä").mkdir()
    installed.write("classroom/progress.py", SHOW)
    launcher = (str(installed.folder / "course.py"),)
    result = installed.run("progress", "Klasse ä", cwd=tmp_path, launcher=launcher)
    answer = json.loads(result.stdout.splitlines()[-1])
    assert answer["argv"] == [str(tmp_path / "Klasse ä")]


@pytest.mark.parametrize(("there", "after"), [("2.11.5", "2.11.5"), ("2.9.0", "2.13.0")])
def test_a_torch_in_the_range_is_kept_and_another_is_replaced(installed, there, after):
    wheel = make_wheel(installed.folder / "other", "torch", there, {"torch.py": ""})
    installed.pip("install", wheel)
    assert installed.torch() == there
    installed.unstamp()
    result = installed.run("lab")
    assert result.returncode == 0, result.stderr
    assert installed.torch() == after
    assert ("Keeping the torch" in result.stdout) == (there == after)
    assert "again: it was moved" not in result.stdout


# Repairing

SIGNALS = ["SIGINT", "SIGTERM", "SIGKILL"] if POSIX else ["SIGTERM"]


@pytest.mark.parametrize("name", SIGNALS)
def test_an_installation_that_was_interrupted_is_repaired(installed, name):
    with installed.hold() as listener:
        process = installed.popen("lab")
        connection, _ = listener.accept()
        family = psutil.Process(process.pid).children(recursive=True)
        assert family
        process.send_signal(getattr(signal, name))
        if name == "SIGKILL" or not POSIX:
            for child in family:
                child.kill()
        out, err = process.communicate()
        _, alive = psutil.wait_procs(family, timeout=60)
        connection.close()
    assert not alive
    assert process.returncode != 0
    assert "Traceback" not in out + err
    if name in ("SIGINT", "SIGTERM") and POSIX:
        assert process.returncode == 1
        assert "repeat the command" in err.strip().splitlines()[-1]
    assert not list(installed.venv.glob("*.stamp"))
    installed.let_go()
    result = installed.run("lab")
    assert result.returncode == 0, result.stderr
    assert "prefix" in json.loads(result.stdout.splitlines()[-1])
    subprocess.run([installed.python, "-c", "import slow, torch, jupyterlab"], check=True)


def break_half_installed(course):
    """Leave what pip leaves if it is killed while it copies a package."""
    (info,) = course.venv.rglob("torch-2.13.0.dist-info")
    (info / "INSTALLER").unlink()
    (info.parent / "torch.py").unlink()
    shutil.copy(info / "RECORD", info / "all")
    kept = [line for line in (info / "all").read_text().splitlines() if "INSTALLER" not in line]
    (info / "RECORD").write_text("\n".join(kept))
    course.unstamp()


def break_interpreter(course):
    course.python.unlink()
    if POSIX:
        course.python.symlink_to(course.folder / "gone/python3")


def break_base(course):
    config = course.venv / "pyvenv.cfg"
    config.write_text(re.sub("home = .*", "home = /gone", config.read_text("utf-8")), "utf-8")


def break_place(course):
    course.folder = course.folder.rename(course.folder.with_name("ailleurs, après"))


def break_pip(course):
    (info,) = course.venv.rglob("pip-*.dist-info")
    shutil.rmtree(info.parent / "pip")
    course.unstamp()


def test_packages_that_went_missing_come_back(installed):
    """Also after uv, whose .venv has no pip, and whose sync takes away what it did not install."""
    (installed.venv / "mine").touch()
    installed.pip("uninstall", "-y", "jupyterlab", "pip")
    result = installed.run("lab")
    assert result.returncode == 0, result.stderr
    assert "Making" not in result.stdout
    assert (installed.venv / "mine").exists()
    assert "nstall" not in installed.run("lab").stdout


def test_settings_of_pip_and_python_cannot_misdirect_an_installation(installed, tmp_path):
    """One start with all of them; only from the file does pip learn where the packages are."""
    installed.pip("uninstall", "-y", "torch")
    path = make_wheel(tmp_path, "torch", "2.12.0", {"torch.py": ""})
    with zipfile.ZipFile(path) as wheel:
        wheel.extractall(tmp_path / "foreign")
    (tmp_path / "bound").write_text("torch<2.13\n")
    where = installed.env.pop("PIP_FIND_LINKS")
    settings = f"[global]\ntarget = {tmp_path / 'target'}\n[install]\nfind-links = {where}\n"
    (tmp_path / "pip.conf").write_text(settings, "utf-8")
    paths = {"PREFIX": "prefix", "ROOT": "root", "CONSTRAINT": "bound", "CONFIG_FILE": "pip.conf"}
    words = {"NO_DEPS": "1", "DRY_RUN": "1", "REQUIRE_HASHES": "1", "NO_BINARY": ":all:"}
    installed.env |= {f"PIP_{name}": str(tmp_path / file) for name, file in paths.items()}
    installed.env |= {f"PIP_{name}": word for name, word in words.items()}
    installed.env |= {"PYTHONWARNINGS": "error", "PYTHONPATH": str(tmp_path / "foreign")}
    result = installed.run("lab")
    assert result.returncode == 0, result.stderr
    assert list(installed.venv.rglob("torch-2.13.0.dist-info"))
    assert not {"prefix", "root", "target"} & {path.name for path in tmp_path.iterdir()}


def test_what_a_mirror_or_a_proxy_needs_reaches_pip(installed, tmp_path, monkeypatch):
    conf = "[global]\nindex-url = mirror\nproxy = first\nprefix = /\n"
    (tmp_path / "pip.conf").write_text(conf + "[install]\ntrusted-host = a\n  b\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_PROXY", "second")
    monkeypatch.setenv("PIP_CERT", "c")
    monkeypatch.setenv("PIP_TARGET", "/")
    told = launcher_module(installed.folder).settings()
    wanted = {"INDEX_URL": "mirror", "PROXY": "second", "CERT": "c", "TRUSTED_HOST": "a\nb"}
    assert wanted.items() <= {name[4:]: told[name] for name in told if name[:4] == "PIP_"}.items()
    assert told["PIP_CONFIG_FILE"] == os.devnull
    assert not {"PIP_TARGET", "PIP_PREFIX"} & told.keys()


BREAKS = [break_half_installed, break_interpreter, break_base, break_place, break_pip]


@pytest.mark.parametrize("damage", BREAKS, ids=lambda damage: damage.__name__)
def test_a_damaged_environment_is_made_again(installed, damage):
    (installed.venv / "mine").touch()
    damage(installed)
    installed.reset()
    result = installed.run("lab")
    assert result.returncode == 0, result.stderr
    assert "again: it was moved" in result.stdout
    assert not (installed.venv / "mine").exists()
    answer = json.loads(result.stdout.splitlines()[-1])
    assert Path(answer["prefix"]) == installed.venv.resolve()
    subprocess.run([installed.python, "-c", "import torch; torch.version"], check=True)
    assert len(installed.run("lab").stdout.splitlines()) <= 2


# One clear sentence each


def test_no_network(installed):
    installed.pip("uninstall", "-y", "torch")
    installed.unstamp()
    with socket.socket() as unused:  # bound but not listening: connections are refused
        unused.bind(("127.0.0.1", 0))
        del installed.env["PIP_NO_INDEX"], installed.env["PIP_FIND_LINKS"]
        installed.env["PIP_PROXY"] = f"http://127.0.0.1:{unused.getsockname()[1]}"
        installed.env |= {"PIP_RETRIES": "1", "PIP_NO_CACHE_DIR": "1"}
        result = installed.run("lab")
    assert "check the network" in one_sentence(result)


def test_no_disk(course, tmp_path):
    """A file system of 40 MB where that is allowed, else a limit on the size of files."""
    zeros = {"bulk.bin": bytes(60_000_000)}
    make_wheel(course.folder / "index", "bulk", "1.0", zeros)
    course.write("requirements.txt", "torch>=2.10,<2.14\nbulk\n")
    course.venv.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(course.venv)]
    if (
        POSIX
        and shutil.which("mount")
        and subprocess.run(mount, capture_output=True).returncode == 0
    ):
        try:
            text = one_sentence(course.run("lab"))
        finally:
            subprocess.run(["umount", str(course.venv)], check=True)
    elif POSIX:
        import resource

        limit = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (20 << 20, 20 << 20))
        text = one_sentence(course.run("lab", preexec_fn=limit))
    else:
        text = launcher_module(course.folder).explain("[Errno 28] No space left on device")
    assert "disk is full" in text
    assert "free some space" in text


@pytest.mark.parametrize("name", ["venv", "ensurepip"])
def test_no_venv_module(course, name):
    code = f"import runpy, sys; sys.modules[{name!r}] = None; sys.argv = ['course.py', 'lab']; "
    code += "runpy.run_path('course.py', run_name='__main__')"
    text = one_sentence(course.run("-c", code, launcher=()))
    assert "apt install python3-venv" in text
    assert not course.venv.exists()


@pytest.mark.parametrize(("folder", "remedy"), [("index", "Binder"), ("wheels", "take the bundle")])
def test_no_package_for_this_machine(installed, folder, remedy):
    installed.pip("uninstall", "-y", "torch")
    (installed.folder / "index/torch-2.13.0-py3-none-any.whl").unlink()
    make_wheel(installed.folder / folder, "torch", "2.13.0", {}).rename(
        installed.folder / folder / "torch-2.13.0-cp27-cp27m-none.whl"
    )
    result = installed.run("lab")
    shutil.rmtree(installed.folder / folder)
    text = one_sentence(result)
    assert "torch" in text
    assert remedy in text
    assert ("Using the default index" in result.stdout) == (folder == "index" and LINUX)


def test_a_colon_in_the_path(course):
    course.folder = course.folder.rename(course.folder.with_name(f"une{os.pathsep}leçon"))
    text = one_sentence(course.run("lab"))
    assert f"une{os.pathsep}leçon" in text
    assert "rename" in text


def test_a_closed_output(course):
    code = "import runpy, sys; sys.stdout = None; sys.argv = ['course.py', 'lab']; "
    code += "runpy.run_path('course.py', run_name='__main__')"
    assert "output is closed" in one_sentence(course.run("-c", code, launcher=()))


def test_a_folder_that_cannot_be_written(course):
    course.write(".venv", "a file stands where the folder has to be")
    text = one_sentence(course.run("lab"))
    assert ".venv" in text


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
         "disk is full"),
        ("OSError: [WinError 112] There is not enough space on the disk", "disk is full"),
        ("OSError: [Errno 122] Disk quota exceeded", "disk is full"),
        ("[Errno 13] Permission denied: '/usr/share/course/.venv'", "cannot be written"),
        ("[Errno 30] Read-only file system: '/mnt/.venv'", "cannot be written"),
        ("HINT: This error might have occurred since this system does not have Windows Long Path "
         "support enabled.", "too long"),
        ("WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError(': "
         "Failed to establish a new connection: [Errno 111] Connection refused')'\n"
         "ERROR: No matching distribution found for torch==2.13.0", "check the network"),
        ("WARNING: Retrying after connection broken by 'SSLError(SSLCertVerificationError(1, "
         "'[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate in chain'", "PIP_CERT"),
        ("pip._vendor.urllib3.exceptions.ReadTimeoutError: Read timed out.", "check the network"),
        ("ERROR: Could not find a version that satisfies the requirement torch\n"
         "ERROR: No matching distribution found for torch==2.13.0", "found for torch==2.13.0"),
        ("ERROR: torch-2.13.0-cp27-none-any.whl is not a supported wheel on this platform.",
         "not a supported wheel"),
        ("ERROR: something nobody thought of", "something nobody thought of"),
    ],
)  # fmt: skip
def test_what_pip_says_becomes_a_sentence(theirs, ours):
    text = launcher_module(ROOT).explain(theirs)
    assert ours in text
    assert len(text) < 400
    assert "{" not in text


# The real JupyterLab


@pytest.fixture
def real_lab(course):
    """A copy of the launcher whose .venv holds this environment's JupyterLab, ready to start."""
    builder = venv.EnvBuilder()
    builder.create(course.venv)
    (site,) = course.venv.rglob("site-packages")
    import jupyterlab

    (site / "outer.pth").write_text(str(Path(jupyterlab.__file__).parents[1]), "utf-8")
    shutil.copytree(Path(sys.prefix, "share/jupyter"), course.venv / "share/jupyter")
    module = launcher_module(course.folder)
    shutil.copytree(module.SETTINGS, course.venv, dirs_exist_ok=True)
    path, digest = module.stamp(module.BASE)
    path.write_text(digest)
    course.write("notebooks/00_start_here.ipynb", '{"cells": [], "metadata": {}, "nbformat": 4, '
                 '"nbformat_minor": 5}')  # fmt: skip
    course.env |= {"HOME": str(course.folder), "JUPYTER_PORT_RETRIES": "50"}
    return course


def answer(url):
    try:
        with urllib.request.urlopen(url) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def test_jupyterlab_opens_the_course_on_loopback_with_a_token(real_lab):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = ["--", "--no-browser", f"--port={port}", "--allow-root"]
        process = real_lab.popen("lab", *options, stderr=subprocess.STDOUT)
        said = []
        try:
            found = None
            while not found:
                said.append(process.stdout.readline())
                assert said[-1], "".join(said)
                found = re.search(r"http://127\.0\.0\.1:(\d+)/(\S+)\?token=(\w{20,})", said[-1])
            number, page, token = found.groups()
            server = psutil.Process(process.pid)
            if not POSIX:
                (server,) = server.children()
            heard = set()
            while not heard:  # the address is printed a moment before it is listened to
                assert process.poll() is None
                heard = {c.laddr.ip for c in server.net_connections("tcp") if c.status == "LISTEN"}
            base = f"http://127.0.0.1:{number}/"
            plugin = "lab/api/settings/@jupyterlab/apputils-extension"
            closed, _ = answer(base + "api/contents")
            opened, listing = answer(base + f"api/contents?token={token}")
            _, news = answer(base + f"{plugin}:notification?token={token}")
            _, comms = answer(base + f"{plugin}:kernels-settings?token={token}")
            lab, _ = answer(base + f"{page}?token={token}")
        finally:
            for one in [*psutil.Process(process.pid).children(recursive=True), process]:
                one.terminate()
            process.communicate()
    assert int(number) != port
    assert page == "lab/tree/notebooks/00_start_here.ipynb"
    assert heard == {"127.0.0.1"}
    assert (closed, opened, lab) == (403, 200, 200)
    assert "course.py" in {entry["name"] for entry in json.loads(listing)["content"]}
    news = json.loads(news)["schema"]["properties"]["fetchNews"]
    comms = json.loads(comms)["schema"]["properties"]["commsOverSubshells"]
    assert (news["default"], comms["default"]) == ("false", "disabled")
    if POSIX and os.geteuid() == 0:
        assert "Running as root" in said[0]


# Around it


def test_the_continuous_integration_runs_the_same_command():
    script = ROOT / ".ci/run"
    assert script.read_text().rstrip().endswith("exec python3 course.py test")
    assert not POSIX or os.access(script, os.X_OK)
    flow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text("utf-8"))
    assert flow["permissions"] == {"contents": "read"}
    job = flow["jobs"]["test"]
    assert "python course.py test" in [step.get("run") for step in job["steps"]]
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.14"]
    systems = {name.split("-")[0] for name in job["strategy"]["matrix"]["os"]}
    assert systems == {"ubuntu", "macos", "windows"}
    assert {"push", "pull_request", "schedule"} <= set(flow[True])
    (*_, newest) = flow["jobs"]["newest"]["steps"]
    assert "tests/run.py" in newest["run"]
    assert "constraints" not in newest["run"]


def test_the_citation_agrees_with_the_package():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert str(citation["version"]) == project["version"]
    assert citation["license"] == project["license"]
    assert citation["authors"][0]["name"] in (ROOT / "LICENSE").read_text().replace("the", "The", 1)
    assert all((ROOT / name).stat().st_size > 500 for name in project["license-files"])
