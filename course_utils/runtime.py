"""How the kernel runs: one thread, errors that say which cell to run, and which versions."""

import os
import platform
from importlib import metadata

from course_utils import order


def use_one_thread() -> None:
    """Let PyTorch compute on one thread in this kernel.

    A line has two parameters. Splitting so little work over cores costs more than it saves, and
    in a classroom every learner's kernel would fight for all of them. From here on an error in this
    kernel also says which cell to run first, if cells above were left out.
    """
    import torch

    os.environ.setdefault("OMP_NUM_THREADS", "1")  # for processes started from here
    torch.set_num_threads(1)
    order.watch()


def load_ipython_extension(_shell: object) -> None:
    """Prepare a kernel before its first cell: one thread, and errors that say which cell to run.

    The course's environment asks for it (`binder/settings/etc/ipython`), so that a notebook need
    not. PyTorch, which is not imported for that, reads the number of threads later.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    order.watch()


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages the course stands on."""
    names = ("torch", "numpy", "matplotlib", "plotly", "ipywidgets", "anywidget", "jupyterlab")
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in names}
