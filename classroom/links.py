"""Print the link that brings the course into a hub which somebody else runs, by nbgitpuller.

    python3 classroom/links.py https://hub.example.org

Standard library only. The repository's address stands in pyproject.toml and nowhere else.
"""

import sys
import tomllib
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
FIRST = "notebooks/00_start_here.ipynb"


def repository() -> str:
    """Return the address that git clones."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"]


def pull_link(hub: str, address: str, branch: str = "main") -> str:
    """Return the link a learner of a hub follows: it copies the course, or merges what is new.

    Parameters
    ----------
    hub : str
        Address of the hub, such as https://hub.example.org.
    address : str
        Address of the repository.
    branch : str
        What is copied.
    """
    name = address.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git")
    wanted = {"repo": address, "branch": branch, "urlpath": f"lab/tree/{name}/{FIRST}"}
    return f"{hub.rstrip('/')}/hub/user-redirect/git-pull?{urlencode(wanted)}"


def main(words: list[str]) -> None:
    """Print the link for one hub."""
    if len(words) != 1 or not words[0].startswith(("https://", "http://")):
        sys.exit("Give the hub's address: python3 classroom/links.py https://hub.example.org")
    print(pull_link(words[0], repository()))


if __name__ == "__main__":
    main(sys.argv[1:])
