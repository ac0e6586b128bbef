"""The values for Kubernetes: the chart's schema, JupyterHub's own options, and the image's paths.

The chart's values.schema.json is in no package that pip or npm installs, so the part of it that a
class needs is written down here, as its version 4 has it: a key that is not listed is refused, as
the chart refuses one that it does not know. What goes through to JupyterHub is given to the real
classes. Helm checks the values against the chart's own schema before it changes anything.
"""

import copy
import ipaddress
import re
import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml
from jupyterhub.app import JupyterHub
from jupyterhub.auth import Authenticator
from jupyterhub.authenticators.shared import SharedPasswordAuthenticator
from jupyterhub.spawner import Spawner
from traitlets.config import Config

ROOT = Path(__file__).resolve().parent.parent
VALUES = yaml.safe_load((ROOT / "classroom/kubernetes.yaml").read_text("utf-8"))
README = (ROOT / "classroom/README.md").read_text("utf-8")
OF_ONE_CLASS = yaml.safe_load(re.search(r"```yaml\n(.*?)```", README, re.DOTALL)[1])
HOME = Path("/home/jovyan")  # where repo2docker puts the repository


def one_of(*kinds):
    return {"type": list(kinds)}


def closed(**properties):
    return {"type": "object", "properties": properties, "additionalProperties": False}


TEXT, TEXT_OR_NONE, SWITCH = one_of("string"), one_of("string", "null"), one_of("boolean")
SWITCH_OR_NONE, WHOLE_OR_NONE = one_of("boolean", "null"), one_of("integer", "null")
LIST, ANYTHING = one_of("array"), one_of("object")
TEXTS = {"type": "object", "additionalProperties": TEXT}
NUMBER_OR_NONE = one_of("number", "null")
IMAGE = closed(
    name=TEXT,
    tag=TEXT,
    pullPolicy={"enum": [None, "", "IfNotPresent", "Always", "Never"]},
    pullSecrets=LIST,
)
NETWORK_POLICY = closed(
    enabled=SWITCH,
    ingress=LIST,
    egress=LIST,
    egressAllowRules=closed(
        cloudMetadataServer=SWITCH,
        dnsPortsCloudMetadataServer=SWITCH,
        dnsPortsKubeSystemNamespace=SWITCH,
        dnsPortsPrivateIPs=SWITCH,
        nonPrivateIPs=SWITCH,
        privateIPs=SWITCH,
    ),
    interNamespaceAccessLabels={"enum": ["accept", "ignore"]},
    allowedIngressPorts=LIST,
)
HUB = closed(
    activeServerLimit=WHOLE_OR_NONE,
    allowNamedServers=SWITCH_OR_NONE,
    concurrentSpawnLimit=WHOLE_OR_NONE,
    config={**ANYTHING, "patternProperties": {"^[A-Z]": ANYTHING}, "additionalProperties": False},
    existingSecret=TEXT_OR_NONE,
    extraConfig=ANYTHING,
    extraEnv=one_of("object", "array"),
    networkPolicy=NETWORK_POLICY,
    resources=ANYTHING,
    shutdownOnLogout=SWITCH_OR_NONE,
)
PROXY = closed(
    https=closed(
        enabled=SWITCH_OR_NONE,
        type={"enum": [None, "", "letsencrypt", "manual", "offload", "secret"]},
        letsencrypt=closed(contactEmail=TEXT_OR_NONE, acmeServer=TEXT_OR_NONE),
        hosts=LIST,
    ),
    chp=closed(networkPolicy=NETWORK_POLICY, resources=ANYTHING),
    secretToken=TEXT_OR_NONE,
)
STORAGE = closed(
    type={"enum": ["dynamic", "static", "none"]},
    capacity=TEXT_OR_NONE,
    homeMountPath=TEXT,
    dynamic=closed(
        pvcNameTemplate=TEXT_OR_NONE,
        storageAccessModes={"type": "array", "items": TEXT_OR_NONE},
        storageClass=TEXT_OR_NONE,
        subPath=TEXT_OR_NONE,
        volumeNameTemplate=TEXT_OR_NONE,
    ),
    static=closed(pvcName=TEXT_OR_NONE, subPath=TEXT_OR_NONE),
    extraLabels=TEXTS,
    extraVolumes=one_of("object", "array", "null"),
    extraVolumeMounts=one_of("object", "array", "null"),
)
SINGLEUSER = closed(
    allowPrivilegeEscalation=SWITCH_OR_NONE,
    cmd=one_of("array", "string", "null"),
    cpu=closed(limit=NUMBER_OR_NONE, guarantee=NUMBER_OR_NONE),
    defaultUrl=TEXT_OR_NONE,
    extraEnv=one_of("object", "array"),
    fsGid=WHOLE_OR_NONE,
    image=IMAGE,
    memory=closed(
        limit=one_of("number", "string", "null"), guarantee=one_of("number", "string", "null")
    ),
    networkPolicy=NETWORK_POLICY,
    startTimeout=WHOLE_OR_NONE,
    storage=STORAGE,
    uid=WHOLE_OR_NONE,
)
CULL = closed(
    enabled=SWITCH,
    users=SWITCH_OR_NONE,
    adminUsers=SWITCH_OR_NONE,
    removeNamedServers=SWITCH_OR_NONE,
    timeout=WHOLE_OR_NONE,
    every=WHOLE_OR_NONE,
    concurrency=WHOLE_OR_NONE,
    maxAge=WHOLE_OR_NONE,
)
PULLER = closed(
    hook=closed(
        enabled=SWITCH, pullOnlyOnChanges=SWITCH, podSchedulingWaitDuration=one_of("integer")
    ),
    continuous=closed(enabled=SWITCH),
)
CHART = closed(
    hub=HUB,
    proxy=PROXY,
    singleuser=SINGLEUSER,
    cull=CULL,
    prePuller=PULLER,
    debug=closed(enabled=SWITCH),
)
CLASSES = {
    "JupyterHub": JupyterHub,
    "Authenticator": Authenticator,
    "SharedPasswordAuthenticator": SharedPasswordAuthenticator,
    "Spawner": Spawner,
}
SLIPS = {  # what one easily writes, and the chart refuses
    "singleuser.memory.limits": "2G",
    "singleuser.cpu.limit": "1",
    "singleuser.networkPolicy.egressAllowRules.internet": False,
    "singleuser.storage.type": "local",
    "singleuser.image.tag": 0.1,
    "singleuser.default_url": "/lab",
    "cull.timeout": "1h",
    "proxy.networkPolicy": {"enabled": True},
    "hub.config.authenticator_class": "shared-password",
    "jupyterhub": {},
}


@pytest.mark.parametrize("values", [VALUES, OF_ONE_CLASS], ids=["the course's", "of one class"])
def test_the_schema_accepts_the_values(values):
    jsonschema.validate(values, CHART, jsonschema.Draft7Validator)


@pytest.mark.parametrize("path", SLIPS)
def test_the_schema_refuses_a_slip(path):
    values = copy.deepcopy(VALUES)
    *folders, name = path.split(".")
    place = values
    for folder in folders:
        place = place[folder]
    place[name] = SLIPS[path]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, CHART, jsonschema.Draft7Validator)


def test_jupyterhub_knows_every_option_of_its_own():
    for name, options in VALUES["hub"]["config"].items():
        assert options.keys() <= CLASSES[name].class_traits(config=True).keys()
    chosen = VALUES["hub"]["config"]["JupyterHub"]["authenticator_class"]
    hub = JupyterHub(config=Config(VALUES["hub"]["config"]))
    assert hub.authenticator_class is SharedPasswordAuthenticator, chosen
    assert Authenticator(config=hub.config).allow_all is True
    assert Spawner(config=hub.config).disable_user_config is True
    assert (hub.cookie_max_age_days, hub.token_expires_in_max_seconds) == (1, 86400)


def test_the_limits_are_a_learners():
    memory, cpu = VALUES["singleuser"]["memory"], VALUES["singleuser"]["cpu"]
    spawner = Spawner(
        mem_limit=memory["limit"],
        mem_guarantee=memory["guarantee"],
        cpu_limit=cpu["limit"],
        cpu_guarantee=cpu["guarantee"],
        start_timeout=VALUES["singleuser"]["startTimeout"],
    )
    assert 635e6 < spawner.mem_guarantee < spawner.mem_limit  # a server and the largest kernel
    assert f"{spawner.mem_guarantee / 1e6:.0f} MB for sure" in README
    assert f"{spawner.mem_limit / 1e9:.1f} GB at most" in README
    hub = VALUES["hub"]["resources"]["requests"]
    assert hub == {"cpu": "200m", "memory": "256Mi"}
    asked = 30 * spawner.mem_guarantee + 256 * 2**20, 30 * spawner.cpu_guarantee + 0.2
    words = f"ask for {asked[0] / 1e9:.1f} GB of memory and {asked[1]:.1f} cores"
    assert words in README.replace("\n", " ")
    assert asked[1] < 2 < 30 * spawner.cpu_limit


def test_the_command_lies_in_the_image_and_the_volume_does_not_hide_it():
    python, script = VALUES["singleuser"]["cmd"]
    volume = Path(VALUES["singleuser"]["storage"]["homeMountPath"])
    assert python == "python3"
    assert (ROOT / Path(script).relative_to(HOME)).is_file()
    assert not Path(script).is_relative_to(volume)
    assert Path(VALUES["singleuser"]["extraEnv"]["COURSE_FOLDER"]).is_relative_to(volume)
    first = Path(VALUES["singleuser"]["defaultUrl"]).relative_to("/lab/tree")
    assert (ROOT / first).is_file()


def test_the_tag_is_the_version_of_the_course():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert VALUES["singleuser"]["image"]["tag"] == project["version"]


def test_no_door_is_open():
    policies = [VALUES["hub"], VALUES["proxy"]["chp"], VALUES["singleuser"]]
    assert all(part["networkPolicy"]["enabled"] for part in policies)
    learner = VALUES["singleuser"]["networkPolicy"]
    assert learner["ingress"] == []
    assert not any(learner["egressAllowRules"].values())
    [rule] = learner["egress"]
    assert {port["port"] for port in rule["ports"]} == {53}
    [where] = rule["to"]
    near = ipaddress.ip_network(where["ipBlock"]["cidr"])
    assert near.is_link_local  # a machine of the cluster, nothing beyond it
    assert where["ipBlock"]["except"] == ["169.254.169.254/32"]  # the cloud's own secrets
    assert VALUES["proxy"]["https"]["enabled"]
    assert VALUES["cull"]["enabled"]


def test_nobody_gets_in_before_the_teacher_has_chosen_a_password():
    given = OF_ONE_CLASS["hub"]["config"]["SharedPasswordAuthenticator"]
    assert SharedPasswordAuthenticator(**given).user_password is None
    assert OF_ONE_CLASS["proxy"]["https"]["hosts"]
    assert OF_ONE_CLASS["hub"]["activeServerLimit"] >= 30


def test_no_secret_stands_in_the_file():
    def keys(value):
        for name, inner in value.items():
            yield name.lower()
            if isinstance(inner, dict):
                yield from keys(inner)

    secret = ("password", "secret", "token", "cookie", "apikey")
    times = {"cookie_max_age_days", "token_expires_in_max_seconds"}
    assert not [name for name in {*keys(VALUES)} - times if any(word in name for word in secret)]
