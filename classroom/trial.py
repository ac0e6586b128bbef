"""What JupyterHub lacks for a trial: its class password, and a home folder for each name."""

import hmac
from pathlib import Path

from door import SHORTEST, folder_name, is_name, normalized, own_password
from jupyterhub.auth import Authenticator
from jupyterhub.spawner import SimpleLocalProcessSpawner
from leftovers import Forgetful
from traitlets import Bool, Unicode, default, validate


class ClassAuthenticator(Authenticator):
    """Lets in whoever knows the class password or, with a list of names, each their own one."""

    password = Unicode(config=True, help="The class password; nobody gets in without.")
    own_passwords = Bool(False, config=True, help="Whether each name has a password of its own.")

    @validate("password")
    def _long_enough(self, proposal):
        if len(proposal.value) < SHORTEST:
            raise ValueError(f"The class password is shorter than {SHORTEST} letters.")
        return proposal.value

    def normalize_username(self, username):
        """Return the one way in which a name is written."""
        return normalized(username)

    def validate_username(self, username):
        """Tell whether a name may be used; JupyterHub's own rules count too."""
        return is_name(username) and super().validate_username(username)

    async def authenticate(self, handler, data):
        """Return the name if the password is right, else None."""
        name = self.normalize_username(data["username"])
        right = own_password(self.password, name) if self.own_passwords else self.password
        given = data["password"].encode("utf-8", "replace")
        return name if self.password and hmac.compare_digest(given, right.encode()) else None


class TrialSpawner(Forgetful, SimpleLocalProcessSpawner):
    """Runs every server as the account of the hub, each in a home folder of its own."""

    homes = Unicode(config=True, help="The folder that holds the home folders.")

    @default("home_dir")
    def _own_folder(self):
        return str(Path(self.homes, folder_name(self.user.name)))
