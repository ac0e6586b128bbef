"""Binder: the real Dockerfile, a real installation by postBuild, and the real start."""

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from course_utils.doctor import read_requirements

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A copy of the project without anything that was made in it."""
    folder = tmp_path_factory.mktemp("binder") / "course"
    made = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "*.egg-info", "build")
    shutil.copytree(ROOT, folder, ignore=made)
    return folder


def test_repo2docker_makes_a_dockerfile_of_it(clone):
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug"]
    command += ["--user-id", "1000", "--user-name", "jovyan", "."]
    made = subprocess.run(
        command, cwd=clone, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert made.returncode == 0, made.stdout
    version = (ROOT / "binder/runtime.txt").read_text().strip().removeprefix("python-")
    lock = "environment.py-" + version + "-linux"
    assert lock.replace("-", "-2d").replace(".", "-2e") in made.stdout
    lines = made.stdout.splitlines()
    assert "RUN ./binder/postBuild" in lines
    assert 'ENV R2D_ENTRYPOINT="${REPO_DIR}/binder/start"' in lines
    copied = lines.index("COPY --chown=1000:1000 src/ ${REPO_DIR}/")
    assert copied < lines.index("RUN ./binder/postBuild")
    assert not [line for line in lines[copied:] if "pip install" in line]  # postBuild does it all


if sys.platform == "linux":  # what Binder runs; elsewhere these scripts have no meaning

    @pytest.fixture(scope="module")
    def built(clone):
        """A fresh environment filled by postBuild, as Binder's image is."""
        folder = clone.parent / "environment"
        venv.create(folder, with_pip=True)
        env = os.environ | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
        env |= {"PIP_NO_CACHE_DIR": "", "VIRTUAL_ENV": str(folder)}
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        run = subprocess.run([clone / "binder/postBuild"], cwd=clone, env=env, **pipe)
        assert run.returncode == 0, run.stdout
        return folder

    @pytest.mark.weekly
    def test_post_build_installs_every_direct_dependency(clone, built):
        wanted = read_requirements((clone / "requirements.txt").read_text("utf-8"))
        names = [requirement.name for requirement in wanted]
        assert len(names) > 8
        code = f"import course_utils, {', '.join(names)}\nprint(course_utils.__file__)\n"
        code += "assert torch.version.cuda is None, 'not the build for CPUs'"
        run = [built / "bin/python", "-c", code]
        file = subprocess.check_output(run, cwd=built, text=True).strip()
        assert Path(file).parent == clone / "course_utils"
        subprocess.run([built / "bin/python", "-m", "pip", "check"], check=True)

    @pytest.mark.weekly
    def test_post_build_installs_the_versions_of_the_lock(clone, built):
        list_all = [built / "bin/python", "-m", "pip", "list", "--format=freeze"]
        lines = subprocess.check_output(list_all, text=True).splitlines()
        installed = dict(line.split("==") for line in lines if "==" in line)
        lock = {r.name: r for r in read_requirements((clone / "constraints.txt").read_text())}
        both = {name.replace("_", "-").lower(): version for name, version in installed.items()}
        both = {name: version for name, version in both.items() if name in lock}
        assert len(both) > 60
        bad = {n: v for n, v in both.items() if not lock[n].specifier.contains(v)}
        assert not {name for name in bad if name != "setuptools"}  # this one came with venv

    @pytest.mark.weekly
    def test_post_build_copies_the_settings(clone, built):
        files = [file for file in (clone / "binder/settings").rglob("*") if file.is_file()]
        assert files
        for file in files:
            copy = built / file.relative_to(clone / "binder/settings")
            assert copy.read_bytes() == file.read_bytes()

    def test_start_becomes_the_program_it_is_given():
        code = "import os, sys; print(os.getpid(), os.environ['OMP_NUM_THREADS'], sys.argv[1:])"
        words = [sys.executable, "-c", code, "une leçon", "*", "--ip=0.0.0.0"]
        process = subprocess.Popen([ROOT / "binder/start", *words], stdout=subprocess.PIPE)
        said, _ = process.communicate()
        assert process.returncode == 0
        expected = f"{process.pid} 1 ['une leçon', '*', '--ip=0.0.0.0']"
        assert said.decode().strip() == expected


def test_the_scripts_can_be_run():
    for name in ("postBuild", "start"):
        text = (ROOT / "binder" / name).read_text("utf-8")
        assert re.match(r"#!/usr/bin/env bash\n", text)
        assert "\r" not in text
        assert os.name == "nt" or os.access(ROOT / "binder" / name, os.X_OK)
