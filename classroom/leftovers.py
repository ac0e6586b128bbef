"""What a hub that was killed leaves behind: processes, a number of one, a folder of sockets."""

import contextlib
import os
import shutil
from pathlib import Path

import psutil

MARK = "COURSE_HUB_FOLDER"  # in the environment of all that a hub starts, and of nothing else


def end(folder: Path) -> int:
    """End the proxy, culler, servers and kernels of a folder's last hub; return their number.

    Call it while no hub runs in that folder. A process is known by its environment, never by a
    number in a file: after a restart of the machine that number is somebody else's.
    """
    callers = {os.getpid(), *(process.pid for process in psutil.Process().parents())}
    left = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # ended meanwhile, or another account's
            if process.pid not in callers and process.environ().get(MARK) == str(folder):
                left.append(process)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    for process in psutil.wait_procs(left, timeout=10)[1]:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=10)
    if (link := folder / "sockets").is_symlink():
        shutil.rmtree(link.readlink(), ignore_errors=True)
        link.unlink()
    (folder / "proxy.pid").unlink(missing_ok=True)
    return len(left)
