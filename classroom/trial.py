"""What JupyterHub lacks: slow answers to guesses, and a trial's names, passwords and folders."""

import asyncio
import hmac
import shutil
from pathlib import Path
from weakref import WeakValueDictionary

from door import folder_name, is_name, normalized, own_password
from jupyterhub.authenticators.shared import SharedPasswordAuthenticator
from jupyterhub.spawner import SimpleLocalProcessSpawner, SpawnException
from jupyterhub.utils import maybe_future
from traitlets import Bool, Unicode, default

WAIT = 1  # seconds before a wrong password is answered
ROOM = 50 * 2**20  # bytes: the course, a log and some work


def slow(authenticator: type) -> type:
    """Return an authenticator that lets guesses at a name wait for each other, and nobody else."""
    turns = WeakValueDictionary()

    class Slow(authenticator):
        async def authenticate(self, handler, data):
            """Return what the authenticator says, one after the other for a name and address."""
            who = self.normalize_username(data["username"]), handler.request.remote_ip
            turn = turns.setdefault(who, asyncio.Lock())
            async with turn:
                found = await maybe_future(super().authenticate(handler, data))
                await asyncio.sleep(0 if found else WAIT)
            return found

    return Slow


class ClassAuthenticator(SharedPasswordAuthenticator):
    """Takes names of any script, and with a list of names each has a password of its own."""

    own_passwords = Bool(False, config=True, help="Whether each name has a password of its own.")

    def normalize_username(self, username):
        """Return the one way in which a name is written."""
        return normalized(username)

    def validate_username(self, username):
        """Tell whether a name may be used; JupyterHub's own rules count too."""
        return is_name(username) and super().validate_username(username)

    async def authenticate(self, handler, data):
        """Return the name if the password is right, else None."""
        name, secret = self.normalize_username(data["username"]), self.user_password
        right = own_password(secret, name) if secret and self.own_passwords else secret
        given = data["password"].encode("utf-8", "replace")  # JupyterHub's fails beyond ASCII
        return name if secret and hmac.compare_digest(given, right.encode()) else None


class TrialSpawner(SimpleLocalProcessSpawner):
    """Runs every server as the account of the hub, each in a home folder of its own."""

    homes = Unicode(config=True, help="The folder that holds the home folders.")

    @default("home_dir")
    def _own_folder(self):
        return str(Path(self.homes, folder_name(self.user.name)))

    async def start(self):
        """Start the server, but for a disk on which it could not even begin."""
        if shutil.disk_usage(self.homes).free < ROOM:
            raise SpawnException("The disk of this hub is full: ask for room.", reason="disk")
        return await super().start()
