"""The archive for a class without network: really made, unpacked and installed from, offline.

The installation is one of tiny packages made here; that the list of real ones is whole is asked of
pip, which answers from what is installed.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from test_launcher import Course, make_wheel, one_sentence

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("jupyterlab", "probe", "torch")
CLOSED = "http://127.0.0.1:9"  # a port where nobody answers
PROXIES = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), CLOSED)


@pytest.fixture(scope="module")
def bundle():
    spec = importlib.util.spec_from_file_location("bundle", ROOT / "classroom/bundle.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A small course with an environment, and an index of packages that it can be cut off from."""
    course = Course(tmp_path_factory.mktemp("bundle"))
    course.write("pyproject.toml", '[build-system]\nrequires = ["probe>=1"]\n')
    course.write(".gitignore", ".venv/\nindex/\nprogress*.jsonl\nnotebooks/run_*/\n")
    course.write("notebooks/a café.ipynb", "{}")
    course.write("notebooks/run_1/old.txt", "ignored")
    course.write("notebooks/progress.jsonl", "ignored")
    shutil.copy(ROOT / "classroom/bundle.py", course.folder / "classroom")
    assert course.run("lab").returncode == 0
    return course


def archive(course):
    (path,) = course.folder.glob("*.zip")
    return path


def offline():
    """Return how a command is started without network: in a network of its own, where allowed."""
    unshare = ["unshare", "--net", "--map-root-user"]
    if shutil.which("unshare") and not subprocess.run([*unshare, "true"]).returncode:
        return unshare
    return []  # then the proxies alone keep pip in


def test_an_archive_installs_without_network(course, tmp_path):
    made = course.run("bundle")
    assert made.returncode == 0, made.stderr
    assert archive(course).name in made.stdout
    first = archive(course).stat().st_mtime_ns
    assert course.run("bundle").returncode == 0, "a second run replaces it"
    assert archive(course).stat().st_mtime_ns > first
    with zipfile.ZipFile(archive(course)) as packed:
        names = {name.partition("/")[2] for name in packed.namelist()}
        packed.extractall(tmp_path / "une clé")
    assert {"course.py", "requirements.txt", "notebooks/a café.ipynb"} <= names
    wheels = {name for name in names if name.startswith("wheels/")}
    assert {name.split("-")[0] for name in wheels} == {f"wheels/{name}" for name in PACKAGES}
    assert not [
        name for name in names - wheels if re.search(r"\.venv|index|run_|progress|zip", name)
    ]

    (folder,) = (tmp_path / "une clé").iterdir()
    env = {name: value for name, value in course.env.items() if not name.startswith("PIP_")}
    env |= PROXIES | {"PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0"}
    command = [*offline(), sys.executable, "course.py", "lab"]
    ended = subprocess.run(command, cwd=folder, env=env, capture_output=True, encoding="utf-8")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "to download" not in ended.stdout
    answer = json.loads(ended.stdout.splitlines()[-1])
    assert Path(answer["prefix"]) == folder.resolve() / ".venv"


def test_without_network_it_refuses_and_keeps_what_there_is(course, tmp_path):
    assert course.run("bundle").returncode == 0
    before = archive(course).read_bytes()
    env = course.env | PROXIES | {"PIP_FIND_LINKS": "", "PIP_NO_INDEX": "0", "PIP_RETRIES": "1"}
    text = one_sentence(course.run("bundle", env=env))
    assert "network" in text
    assert archive(course).read_bytes() == before
    assert not [*course.folder.glob("*.part"), *course.venv.glob("bundle-*")]


def test_a_missing_package_is_named(course):
    wheel = next((course.folder / "index").glob("probe-*"))
    hidden = wheel.rename(wheel.with_suffix(".away"))
    try:
        text = one_sentence(course.run("bundle"))
    finally:
        hidden.rename(wheel)
    assert "probe" in text


def test_another_version_than_the_tested_one_is_refused(course):
    course.pip("install", make_wheel(course.folder / "other", "jupyterlab", "4.8", {}))
    try:
        text = one_sentence(course.run("bundle"))
    finally:
        course.pip("install", "jupyterlab==4.9")
    assert "jupyterlab" in text
    assert "4.8" in text


def test_a_torch_for_nvidia_cards_is_refused(bundle, tmp_path):
    path = tmp_path / "torch-2.13.0-py3-none-any.whl"
    for needed, marker, refused in (
        ("nvidia-nccl", "", True),
        ("nvidia-nccl", ' ; platform_system == "Plan 9"', False),
        ("sympy", "", False),
    ):
        with zipfile.ZipFile(path, "w") as wheel:
            text = f"Name: torch\nRequires-Dist: {needed}{marker}\n"
            wheel.writestr("torch-2.13.0.dist-info/METADATA", text)
        if refused:
            with pytest.raises(SystemExit, match="NVIDIA"):
                bundle.refuse_cuda(tmp_path)
        else:
            bundle.refuse_cuda(tmp_path)


def test_the_list_of_packages_is_the_one_that_pip_needs(bundle, tmp_path):
    """What pip calls satisfied, asked with nowhere to look, is all that an installation needs."""
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    (tmp_path / "wanted.txt").write_text("\n".join(li for li in lines if not li.startswith("-")))
    words = [
        "--dry-run",
        "--no-index",
        "-r",
        tmp_path / "wanted.txt",
        "-c",
        ROOT / "constraints.txt",
    ]
    ended = subprocess.run(
        [sys.executable, "-m", "pip", "install", *words], capture_output=True, text=True, check=True
    )
    needed = {
        bundle.plain(name)
        for name in re.findall(r"^Requirement already satisfied: ([\w.-]+)", ended.stdout, re.M)
    }
    pins = bundle.pins(ROOT)
    assert len(needed) > 100
    assert {pin.split("==")[0] for pin in pins} == needed | {"setuptools"}
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+", pin) for pin in pins)


def test_the_files_are_those_of_git_or_those_that_git_would_not_ignore(bundle, tmp_path):
    tracked = bundle.files(ROOT)
    assert {"course.py", "binder/start", "notebooks/data/penguins.csv"} <= set(tracked)
    course = tmp_path / "course"
    for name in tracked:
        (course / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, course / name)
    made = [".venv/x", "notebooks/run_1/x", "notebooks/progress-2.jsonl", "wheels/x.whl"]
    made += ["course_utils/__pycache__/x", "a.egg-info/x", f"{bundle.NAME}-x.zip", ".git/x"]
    for name in made:
        (course / name).parent.mkdir(parents=True, exist_ok=True)
        (course / name).touch()
    assert bundle.files(course) == tracked
    (course / "_site").mkdir(exist_ok=True)
    (course / "_site/one more.html").touch()
    assert set(bundle.files(course)) == {*tracked, "_site/one more.html"}, "the web edition"


@pytest.mark.parametrize("with_git", [True, False])
def test_no_link_is_followed_and_no_own_file_packed_where_git_tells(
    bundle, tmp_path, with_git, capsys
):
    course, secret = tmp_path / "course", tmp_path / "secret"
    for folder in (course / "notebooks", course / "_site", secret):
        folder.mkdir(parents=True)
    (secret / "file").write_text("private")
    for name in ("course.py", "notebooks/a.ipynb"):
        (course / name).write_text("ours")
    (course / "notebooks/link.txt").symlink_to(secret / "file")
    if with_git:
        for words in (["init", "-q"], ["add", "."]):
            subprocess.run(["git", *words], cwd=course, check=True)
    (course / "_site/link.html").symlink_to(secret / "file")
    (course / "folder").symlink_to(secret)
    (course / "notebooks/own.ipynb").write_text("mine")
    own = [] if with_git else ["notebooks/own.ipynb"]
    assert bundle.files(course) == ["course.py", "notebooks/a.ipynb", *own]
    assert ("your own files in this folder are packed too" in capsys.readouterr().out) != with_git
