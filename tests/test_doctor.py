"""The doctor: each question alone, and the whole examination with a real kernel."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils import doctor

ROOT = Path(__file__).resolve().parent.parent


def wanted(text):
    (requirement,) = doctor.read_requirements(text)
    return requirement


def test_requirement_files_are_read_without_options_comments_and_other_systems():
    text = "# why\n\ntorch>=2.10,<2.14  # the subject\n-e .\nfoo==1 ; sys_platform == 'nowhere'\n"
    assert [found.name for found in doctor.read_requirements(text)] == ["torch"]
    ours = doctor.read_requirements((ROOT / "requirements.txt").read_text("utf-8"))
    assert {"torch", "jupyterlab", "ipywidgets", "anywidget"} <= {found.name for found in ours}


@pytest.mark.parametrize(
    ("version", "state"),
    [("2.13.0+cpu", "ok"), ("2.10", "ok"), ("2.14.0", "FIX"), ("2.9.1", "FIX"), (None, "FIX")],
)
def test_versions_are_compared_with_the_range(version, state):
    installed = {"torch": version} if version else {}
    found = doctor.check_version(wanted("torch>=2.10,<2.14"), installed)
    assert found.state == state
    assert (version or "missing") in found.found
    assert bool(found.fix) == (state == "FIX")
    if version and found.fix:
        assert found.fix == doctor.shell(*doctor.PIP, "torch<2.14,>=2.10")


def test_names_are_compared_as_registries_do():
    assert (
        doctor.check_version(wanted("jupyter_server>=2"), {"jupyter-server": "2.1"}).state == "ok"
    )


def test_mismatched_halves_of_the_sliders_are_found():
    for name, range_ in doctor.SLIDERS.items():
        found = doctor.check_version(wanted(name + range_), {doctor.plain(name): "1.1.11"})
        assert found.state == "FIX"
        assert f"{name}{range_}" in found.fix


def test_other_versions_than_the_tested_ones_are_only_noted():
    locked = doctor.read_requirements("".join(f"p{n}==1.0\n" for n in range(5)))
    assert doctor.check_lock(locked, {"p1": "1.0"}).state == "ok"
    found = doctor.check_lock(locked, {f"p{n}": "2.0" for n in range(5)})
    assert found.state == "note"
    assert "p0 2.0 (tested ==1.0)" in found.found
    assert found.found.endswith("and 2 more")


def test_a_widget_without_its_half_for_the_browser_is_found(tmp_path):
    for name in doctor.EXTENSIONS:
        assert name in doctor.check_extensions([tmp_path / "none", tmp_path]).found
        (tmp_path / name).mkdir(parents=True)
    assert doctor.check_extensions([tmp_path / "none", tmp_path]).state == "ok"


def test_a_widget_that_was_disabled_is_found():
    assert doctor.check_enabled(["another", "anywidgets"]).state == "ok"
    found = doctor.check_enabled(["another", "@jupyter-widgets/jupyterlab-manager:plugin"], "user")
    assert found.state == "FIX"
    assert found.fix.endswith("enable --level=user @jupyter-widgets/jupyterlab-manager:plugin")


def test_what_hides_a_module_is_found_and_the_fix_can_be_pasted(tmp_path):
    root = tmp_path / "l'été & after"
    files = ["torch.py", "random.py", "test.py", "mine.py", "course_utils/__init__.py"]
    for file in [root / "course_utils/__init__.py", *(root / "notebooks" / name for name in files)]:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    found = list(doctor.check_hidden({"torch", "course_utils"}, str(root), root))
    assert {one.found.rpartition(" ")[2] for one in found} == {"torch", "random", "course_utils"}
    for one in found:
        subprocess.run(one.fix, shell=True, check=True)
    assert not list(doctor.check_hidden({"torch", "course_utils"}, "", root))
    (found,) = doctor.check_hidden({"torch", "my_torch"}, str(root / "notebooks"), tmp_path)
    assert (found.what, found.fix) == ("PYTHONPATH", doctor.UNSET)


def test_a_foreign_torch_is_named_before_it_is_imported(tmp_path):
    (tmp_path / "torch.py").write_text("raise RuntimeError")
    found = subprocess.run(
        [sys.executable, "-m", "course_utils.doctor"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert found.stdout.splitlines()[-1] == f"To fix PYTHONPATH: {doctor.UNSET}", found.stderr
    assert str(tmp_path / "torch.py") in found.stdout


def test_what_is_broken_in_the_launchers_environment_is_made_again(monkeypatch):
    """Starting the lab again would repair nothing: all packages are there."""
    monkeypatch.setattr(sys, "prefix", str(ROOT / ".venv"))
    there = runpy.run_path(doctor.__file__)
    assert there["MISSING"] == f"{doctor.PYTHON} course.py lab"
    assert f"-m venv --clear {doctor.shell(ROOT / '.venv')} && " in there["BROKEN"]


@pytest.mark.parametrize(
    ("cuda", "usable", "state"),
    [(None, False, "ok"), ("12.8", True, "ok"), ("12.8", False, "note")],
)
def test_the_build_of_torch_is_named(cuda, usable, state):
    found = doctor.check_torch("2.13.0", cuda, usable)
    assert found.state == state
    assert ("2.7 GB" in found.found) == (state == "note")


def test_missing_settings_are_noted():
    assert doctor.check_settings([b"{}"], [b"{}"]).state == "ok"
    assert doctor.check_settings([b"{}"], [False]).state == "note"


def test_too_little_room_needs_fixing():
    assert doctor.check_room("disk", 3e8, 2e8).state == "ok"
    found = doctor.check_room("disk", 1e8, 2e8)
    assert (found.state, found.what, found.found) == ("FIX", "free disk", "0.1 GB")
    assert found.fix == "delete files until 0.2 GB are free"
    assert "close programs" in doctor.check_room("memory", 1e8, 2e8).fix


def test_a_kernels_answer_is_read(tmp_path):
    package = str(tmp_path / "course_utils/__init__.py")
    answer = {"prefix": str(tmp_path), "package": package, "total": 3.0000001}

    def check(text, spec="share/jupyter/kernels/python3"):
        return list(doctor.check_answer(text, tmp_path / spec, tmp_path, tmp_path))

    def states(**changes):
        return [found.state for found in check(json.dumps(answer | changes))]

    assert states() == ["ok", "ok", "ok"]
    assert states(prefix="/usr") == ["FIX", "ok", "ok"]
    assert states(package="/elsewhere/course_utils/__init__.py") == ["ok", "FIX", "ok"]
    assert states(package=None) == ["ok", "FIX", "ok"]
    assert states(total=2.0) == ["ok", "ok", "FIX"]
    for text in ("", "it does not start: no such file", "ModuleNotFoundError: No module 'torch'"):
        (found,) = check(text)
        assert found.state == "FIX"
        assert text in found.found
        assert found.fix == doctor.BROKEN
        (found,) = check(text, "../another/python3")
        assert f"another{os.sep}python3" in found.found
        assert f"another{os.sep}python3-other" in found.fix


def test_the_report_lines_up_and_ends_with_what_to_do():
    findings = [doctor.judge(True, "Python", "3.11"), doctor.judge(False, "free disk", "0", "more")]
    assert doctor.report(findings).splitlines() == [
        "ok   Python     3.11",
        "FIX  free disk  0",
        "",
        "To fix free disk: more",
    ]
    assert doctor.report(findings[:1]).endswith("Nothing needs fixing.")


def test_this_environment_is_sound():
    found = subprocess.run(
        [sys.executable, "-m", "course_utils.doctor"], cwd=ROOT, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert "torch adds up to 3" in found.stdout
    assert found.stdout.rstrip().endswith("Nothing needs fixing.")
    assert "Traceback" not in found.stderr


def test_a_foreign_kernel_and_a_disabled_widget_are_reported(tmp_path):
    spec = {"argv": [sys.executable, "-c", "raise SystemExit('broken on purpose')"]}
    folder = tmp_path / "kernels/python3"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(spec | {"display_name": "x", "language": "x"}))
    (tmp_path / "labconfig").mkdir()
    page = json.dumps({"disabledExtensions": {"anywidget": True}})
    (tmp_path / "labconfig/page_config.json").write_text(page)
    found = subprocess.run(
        [sys.executable, "-m", "course_utils.doctor"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"JUPYTER_PATH": str(tmp_path), "JUPYTER_CONFIG_DIR": str(tmp_path)},
    )
    assert found.returncode == 1, found.stdout + found.stderr
    assert "it does not start: broken on purpose" in found.stdout
    assert f"{folder}-other" in found.stdout.partition("To fix a kernel:")[2]
    assert "anywidget" in found.stdout.partition("To fix extensions:")[2]
