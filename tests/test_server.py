"""The server's settings do what they say in a real JupyterLab."""

import ctypes
import json
import os
import socket
import sys
import urllib.request

import psutil
import pytest
import websocket

pytest_plugins = ["lab"]
PIDFD_GETFD = 438  # the same number on every machine


def sockets_of(pid, peer):
    """Return copies of the process's sockets whose other end has this port."""
    process = os.pidfd_open(pid)
    for connection in psutil.Process(pid).net_connections("tcp"):
        if connection.raddr and connection.raddr.port == peer:
            copy = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, process, connection.fd, 0)
            assert copy >= 0, os.strerror(ctypes.get_errno())
            yield socket.socket(fileno=copy)
    os.close(process)


@pytest.mark.skipif(sys.platform != "linux", reason="another system hides the server's sockets")
def test_what_a_kernel_says_leaves_the_server_at_once(lab):
    from lab import TOKEN

    headers = {"Authorization": f"token {TOKEN}"}
    request = urllib.request.Request(f"{lab.url}api/kernels", b"{}", headers)
    with urllib.request.urlopen(request) as answer:
        kernel = json.load(answer)["id"]
    address = f"{lab.url.replace('http', 'ws')}api/kernels/{kernel}/channels"
    channel = websocket.create_connection(address, header=headers)
    assert json.loads(channel.recv())["msg_type"]  # the kernel speaks: it is connected
    (end,) = sockets_of(lab.process.pid, channel.sock.getsockname()[1])
    with end:
        assert end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    channel.close()
    urllib.request.urlopen(urllib.request.Request(
        f"{lab.url}api/kernels/{kernel}", headers=headers, method="DELETE")).close()  # fmt: skip
