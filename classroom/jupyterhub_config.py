"""The hub of a class. What differs from class to class is a variable: README.md lists them all.

`python3 course.py hub` starts it with what is missing: a fresh password, the proxy, free ports.
"""

import os
import secrets
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from door import RULE, in_url, public_url, read_names, wrong_setting  # noqa: E402
from leftovers import MARK  # noqa: E402
from trial import ClassAuthenticator, TrialSpawner, slow  # noqa: E402

c = get_config()  # noqa: F821  JupyterHub defines it
setting = os.environ.get
state = Path(os.environ["COURSE_HUB"])
marked = {MARK: str(state)}  # so that what a kill leaves behind can be found
spawner = setting("COURSE_SPAWNER", "trial")
address = setting("COURSE_ADDRESS", "127.0.0.1")
key, certificate = setting("COURSE_TLS_KEY", ""), setting("COURSE_TLS_CERT", "")
names = read_names(Path(setting("COURSE_NAMES"))) if "COURSE_NAMES" in os.environ else []

if problem := wrong_setting(os.environ):
    sys.exit(problem)

# Where it listens. Hub, proxy's door for the hub, and servers: on loopback, whatever the address.
c.JupyterHub.bind_url = (
    f"http{'s' * bool(key)}://{in_url(address)}:{setting('COURSE_PORT', '8000')}/"
)
c.JupyterHub.ssl_key, c.JupyterHub.ssl_cert = key, certificate
if "COURSE_SUBDOMAIN" in os.environ:  # each learner's pages are a site of their own
    c.JupyterHub.subdomain_host = public_url(os.environ)
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{setting('COURSE_HUB_PORT', '8081')}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{setting('COURSE_PROXY_PORT', '8001')}"
c.ConfigurableHTTPProxy.command = os.environ["COURSE_PROXY"].split("\n")
c.ConfigurableHTTPProxy.pid_file = str(state / "proxy.pid")

# It keeps nothing between two starts: an old cookie, token or name opens nothing. Stopping it stops
# the proxy and all servers.
c.JupyterHub.db_url = "sqlite:///:memory:"
c.JupyterHub.cookie_secret = secrets.token_bytes(32)

# Who gets in. Nobody is an administrator: the teacher has the machine.
c.Authenticator.allowed_users = set(names)
c.Authenticator.allow_all = "COURSE_NAMES" not in os.environ
c.Authenticator.allow_existing_users = False  # the list of names alone counts
c.JupyterHub.template_vars = {"announcement_login": RULE}

# The server of a learner: learner.py copies the course and becomes it.
c.Spawner.cmd = [sys.executable, str(HERE / "learner.py")]
c.Spawner.default_url = "/lab/tree/notebooks/00_start_here.ipynb"
c.Spawner.environment = {"OMP_NUM_THREADS": "1"}  # thirty kernels share the cores
c.Spawner.environment |= {name: setting(name) for name in ["COURSE_SOCKETS"] if setting(name)}
c.Spawner.environment |= marked
c.Spawner.disable_user_config = True  # a learner's settings open no page of their server to others
c.Spawner.start_timeout = c.Spawner.http_timeout = 300  # thirty start at once, on two cores
c.Spawner.mem_limit = setting("COURSE_MEMORY", "2G")
c.Spawner.cpu_limit = float(setting("COURSE_CPU", "1"))

if spawner == "trial":  # one system account for all: limits are not enforced, and no terminals
    c.JupyterHub.authenticator_class = slow(ClassAuthenticator)
    c.SharedPasswordAuthenticator.user_password = os.environ["COURSE_PASSWORD"]
    c.ClassAuthenticator.own_passwords = bool(names)
    c.JupyterHub.spawner_class = TrialSpawner
    c.TrialSpawner.homes = str(state / "learners")
    c.Spawner.args = ["--ServerApp.terminals_enabled=False"]
else:  # accounts of the system; the hub runs as root
    from jupyterhub.auth import PAMAuthenticator

    c.JupyterHub.authenticator_class = slow(PAMAuthenticator)
    c.PAMAuthenticator.executor_threads = 64  # each wrong password takes one for seconds
    c.Authenticator.blocked_users = {"root"}
    c.JupyterHub.spawner_class = {
        "system": "jupyterhub.spawner.LocalProcessSpawner",  # limits are not enforced
        "systemd": "systemdspawner.SystemdSpawner",  # they are
    }[spawner]
    c.SystemdSpawner.isolate_tmp = c.SystemdSpawner.isolate_devices = True
    c.SystemdSpawner.disable_user_sudo = True

# Servers nobody uses are stopped. What was saved stays; the next login starts a new one.
idle = int(setting("COURSE_IDLE", "3600"))
culler = [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={idle}"]
c.JupyterHub.services = [{"name": "idle-culler", "command": culler, "environment": marked}]
scopes = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
c.JupyterHub.load_roles = [{"name": "idle-culler", "scopes": scopes, "services": ["idle-culler"]}]
