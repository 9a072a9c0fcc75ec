"""The real kubectl, doing what people do with it every day."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from tests import judges
from tests.cluster import Cluster
from tests.conformance.kube_api.objects import configmap, core
from tests.kubernetes.eventually import eventually
from tests.kubernetes.http import Http

pytestmark = pytest.mark.needs("kubectl")

CERTIFICATE = """\
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: web}
spec:
  secretName: web-tls
  dnsNames: [example.com]
  issuerRef: {name: ca, kind: Issuer}
"""
READY = {"type": "Ready", "status": "True", "reason": "Ready", "message": "up to date"}


@pytest.fixture(autouse=True)
async def _definitions(cluster: Cluster) -> None:
    await cluster.install_crds()


@pytest.fixture
def kubectl(cluster: Cluster) -> Kubectl:
    return Kubectl(cluster)


class Kubectl:
    """Runs kubectl away from the event loop."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def run(self, *args: str, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        """The finished process."""
        return await asyncio.to_thread(self._cluster.kubectl, *args, stdin=stdin, environment=environment)

    async def __call__(self, *args: str, stdin: str | None = None, **environment: str) -> str:
        """What it prints; it must succeed."""
        done = await self.run(*args, stdin=stdin, **environment)
        assert done.returncode == 0, done.stderr or done.stdout
        return done.stdout

    async def fails(self, *args: str, stdin: str | None = None) -> str:
        """What it says against it; it must fail."""
        done = await self.run(*args, stdin=stdin)
        assert done.returncode != 0, done.stdout
        return done.stderr


async def test_get_shows_the_columns(kubectl: Kubectl, http: Http, ns: str) -> None:
    await kubectl("apply", "-f", "-", stdin=CERTIFICATE)
    await kubectl("patch", "certificate", "web", "--subresource=status", "--type=merge", "-p", _status())

    plain = await kubectl("get", "certificates")
    wide = await kubectl("get", "cert", "-o", "wide")
    of_names = await kubectl("get", "cert", "-o", "name")
    one_field = await kubectl("get", "cert/web", "-o", "jsonpath={.spec.dnsNames[0]}")

    assert [line.split()[:3] for line in plain.splitlines()] == [
        ["NAME", "READY", "SECRET"],
        ["web", "True", "web-tls"],
    ]
    assert wide.splitlines()[0].split()[3] == "ISSUER"
    assert (of_names, one_field) == ("certificate.cert-manager.io/web\n", "example.com")


def _status() -> str:
    return json.dumps({"status": {"conditions": [{**READY, "lastTransitionTime": "2026-01-01T00:00:00Z"}]}})


async def test_get_of_several_kinds(kubectl: Kubectl, http: Http, ns: str) -> None:
    await http.post(core(ns, "configmaps"), configmap("one", {"k": "v"}))

    shown = await kubectl("get", "configmaps,secrets,certificates")
    everything = await kubectl("get", "all", "--ignore-not-found")
    none = await kubectl.run("get", "secret", "none")

    assert "configmap/one" in shown
    assert everything == ""
    assert none.stderr == 'Error from server (NotFound): secrets "none" not found\n'


async def test_get_watches(cluster: Cluster, http: Http, ns: str) -> None:
    command = [str(judges.require("kubectl")), f"--kubeconfig={cluster.kubeconfig}", f"--namespace={ns}"]
    await http.post(core(ns, "configmaps"), configmap("a", {"k": "v"}))
    watch = await asyncio.create_subprocess_exec(
        *command, "get", "configmaps", "-w", "--field-selector=metadata.name=a", stdout=asyncio.subprocess.PIPE
    )
    assert watch.stdout is not None
    try:
        async with asyncio.timeout(20):
            first = [await watch.stdout.readline(), await watch.stdout.readline()]
            await http.patch(core(ns, "configmaps", "a"), {"data": {"l": "w"}})
            second = await watch.stdout.readline()
    finally:
        watch.kill()
        await watch.communicate()

    assert [line.split()[:2] for line in (*first, second)] == [[b"NAME", b"DATA"], [b"a", b"1"], [b"a", b"2"]]


async def test_apply_on_the_clients_side(kubectl: Kubectl, http: Http, ns: str) -> None:
    created = await kubectl("apply", "-f", "-", stdin=CERTIFICATE)
    unchanged = await kubectl("apply", "-f", "-", stdin=CERTIFICATE)
    changed = await kubectl("apply", "-f", "-", stdin=CERTIFICATE.replace("example.com", "example.org"))
    invalid = await kubectl.fails("apply", "-f", "-", stdin=CERTIFICATE.replace("web-tls", "No_Name"))
    unknown = await kubectl.fails("apply", "-f", "-", stdin=CERTIFICATE.replace("secretName", "secretNam"))

    said = [text.strip().rpartition(" ")[2] for text in (created, unchanged, changed)]
    assert said == ["created", "unchanged", "configured"]
    assert "spec.secretName: Invalid value:" in invalid
    assert 'unknown field "spec.secretNam"' in unknown


async def test_apply_goes_over_to_the_servers_side(kubectl: Kubectl, http: Http, ns: str) -> None:
    await kubectl("apply", "-f", "-", stdin=CERTIFICATE)
    changed = CERTIFICATE.replace("example.com", "example.org")

    applied = await kubectl("apply", "--server-side", "-f", "-", stdin=changed)
    stranger = await kubectl.fails("apply", "--server-side", "--field-manager=other", "-f", "-", stdin=CERTIFICATE)
    forced = await kubectl(
        "apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", "-", stdin=CERTIFICATE
    )

    assert applied == forced == "certificate.cert-manager.io/web serverside-applied\n"
    assert "conflict" in stranger
    assert ".spec.dnsNames" in stranger


async def test_diff_and_dry_run_change_nothing(kubectl: Kubectl, http: Http, ns: str) -> None:
    await kubectl("apply", "-f", "-", stdin=CERTIFICATE)
    changed = CERTIFICATE.replace("example.com", "example.org")

    dry = await kubectl("apply", "--dry-run=server", "-f", "-", stdin=changed)
    difference = await kubectl.run("diff", "-f", "-", stdin=changed)
    same = await kubectl.run("diff", "-f", "-", stdin=CERTIFICATE)

    assert dry == "certificate.cert-manager.io/web configured (server dry run)\n"
    assert (difference.returncode, same.returncode) == (1, 0)
    assert re.search(r"^\+ +- example\.org$", difference.stdout, re.MULTILINE)


async def test_describe_shows_the_object_and_its_events(kubectl: Kubectl, http: Http, ns: str) -> None:
    await kubectl("apply", "-f", "-", stdin=CERTIFICATE)
    uid = await kubectl("get", "cert", "web", "-o", "jsonpath={.metadata.uid}")
    about = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "name": "web", "namespace": ns, "uid": uid}
    event = {
        "metadata": {"name": "web.1"},
        "involvedObject": about,
        "reason": "Issuing",
        "message": "a certificate is made",
        "type": "Normal",
        "source": {"component": "conformance"},
        "count": 2,
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:01:00Z",
    }
    (await http.post(core(ns, "events"), event)).ok  # noqa: B018 asserts success

    shown = await kubectl("describe", "certificate", "web")

    assert re.search(r"^Kind: +Certificate$", shown, re.MULTILINE)
    assert re.search(r"^  Dns Names:\n    example\.com$", shown, re.MULTILINE)
    assert re.search(r"Normal +Issuing +.*conformance +a certificate is made$", shown, re.MULTILINE)


async def test_explain_reads_the_schema(kubectl: Kubectl, ns: str) -> None:
    one = await kubectl("explain", "certificates.spec.issuerRef.name")
    tree = await kubectl("explain", "cert", "--recursive")
    built_in = await kubectl("explain", "secret.type")

    assert re.search(r"FIELD: name <string>", one)
    assert "issuerRef\t<Object> -required-" in tree
    assert re.search(r"FIELD: type <string>", built_in)


async def test_wait_returns_when_the_condition_is_met(kubectl: Kubectl, http: Http, ns: str) -> None:
    await kubectl("apply", "-f", "-", stdin=CERTIFICATE)
    waiting = asyncio.create_task(kubectl("wait", "--for=condition=Ready", "cert/web", "--timeout=20s"))

    await kubectl("patch", "cert", "web", "--subresource=status", "--type=merge", "-p", _status())

    assert await waiting == "certificate.cert-manager.io/web condition met\n"


async def test_api_resources(kubectl: Kubectl, ns: str) -> None:
    listed = await kubectl("api-resources", "--api-group=cert-manager.io", "--no-headers")
    versions = await kubectl("api-versions")

    rows = sorted(line.split() for line in listed.splitlines())
    assert rows == [
        ["certificaterequests", "cr,crs", "cert-manager.io/v1", "true", "CertificateRequest"],
        ["certificates", "cert,certs", "cert-manager.io/v1", "true", "Certificate"],
        ["clusterissuers", "ciss", "cert-manager.io/v1", "false", "ClusterIssuer"],
        ["issuers", "iss", "cert-manager.io/v1", "true", "Issuer"],
    ]
    assert {"v1", "apps/v1", "cert-manager.io/v1", "acme.cert-manager.io/v1"} <= set(versions.split())


async def test_label_annotate_patch_and_replace(kubectl: Kubectl, http: Http, ns: str) -> None:
    await http.post(core(ns, "configmaps"), configmap("a", {"k": "v"}))

    await kubectl("label", "configmap", "a", "tier=front")
    await kubectl("annotate", "configmap", "a", "note=seen")
    await kubectl("patch", "configmap", "a", "-p", '{"data":{"l":"w"}}')
    await kubectl("patch", "configmap", "a", "--type=json", "-p", '[{"op":"remove","path":"/data/k"}]')
    selected = await kubectl("get", "configmap", "-l", "tier=front", "-o", "json")
    await kubectl("replace", "-f", "-", stdin=json.dumps(configmap("a", {"new": "1"})))
    replaced = await kubectl("get", "configmap", "a", "-o", "jsonpath={.data}")

    [found] = json.loads(selected)["items"]
    assert (found["data"], found["metadata"]["annotations"]) == ({"l": "w"}, {"note": "seen"})
    assert json.loads(replaced) == {"new": "1"}


async def test_edit_opens_an_editor(kubectl: Kubectl, http: Http, ns: str, tmp_path: Path) -> None:
    await http.post(core(ns, "configmaps"), configmap("a", {"k": "before"}))
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/before/after/' \"$1\"\n")
    editor.chmod(0o700)

    said = await kubectl("edit", "configmap", "a", KUBE_EDITOR=str(editor))

    assert said == "configmap/a edited\n"
    assert await kubectl("get", "configmap", "a", "-o", "jsonpath={.data.k}") == "after"


async def test_delete_with_its_cascades(kubectl: Kubectl, http: Http, ns: str) -> None:
    for policy in ("background", "foreground", "orphan"):
        owner = (await http.post(core(ns, "configmaps"), configmap(policy))).ok
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": policy, "uid": owner["metadata"]["uid"]}
        child = configmap(f"of-{policy}", ownerReferences=[{**reference, "blockOwnerDeletion": True}])
        (await http.post(core(ns, "configmaps"), child)).ok  # noqa: B018 asserts success

    for policy in ("background", "foreground", "orphan"):
        await kubectl("delete", "configmap", policy, f"--cascade={policy}", "--timeout=20s")

    async def only_the_orphan() -> bool:
        names = (await kubectl("get", "configmap", "-o", "name")).split()
        return [name for name in names if "of-" in name] == ["configmap/of-orphan"]

    await eventually(only_the_orphan)
    absent = await kubectl.fails("delete", "configmap", "background")
    assert 'configmaps "background" not found' in absent


async def test_typed_clients_send_protobuf(kubectl: Kubectl, http: Http, ns: str) -> None:
    await kubectl("create", "secret", "generic", "s", "--from-literal=key=value")
    await kubectl("create", "configmap", "c", "--from-literal=key=value")
    await kubectl("create", "serviceaccount", "robot")
    await kubectl("create", "role", "reader", "--verb=get,list", "--resource=certificates.cert-manager.io")
    await kubectl("create", "rolebinding", "readers", "--role=reader", f"--serviceaccount={ns}:robot")
    await kubectl("create", "deployment", "web", "--image=web:1", "--replicas=2", "--port=80")
    await kubectl("create", "job", "once", "--image=once:1", "--", "true")
    await kubectl("create", "ingress", "web", "--rule=example.com/*=web:80,tls=web-tls", "--class=nginx")
    await kubectl("create", "service", "clusterip", "web", "--tcp=80:8080")
    await kubectl("create", "quota", "few", "--hard=pods=1")
    await kubectl("run", "one", "--image=one:1")
    await kubectl("scale", "deployment", "web", "--replicas=3")
    whole = await kubectl("get", "secret/s", "deploy/web", "ingress/web", "service/web", "role/reader", "-o", "yaml")

    secret, deployment, ingress, service, role = yaml.safe_load(whole)["items"]
    assert (secret["data"], secret["type"]) == ({"key": "dmFsdWU="}, "Opaque")
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert (deployment["spec"]["replicas"], container["ports"]) == (3, [{"containerPort": 80, "protocol": "TCP"}])
    assert ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"] == {
        "name": "web",
        "port": {"number": 80},
    }
    assert service["spec"]["ports"] == [{"name": "80-8080", "port": 80, "protocol": "TCP", "targetPort": 8080}]
    assert role["rules"] == [
        {"apiGroups": ["cert-manager.io"], "resources": ["certificates"], "verbs": ["get", "list"]}
    ]


async def test_auth(kubectl: Kubectl, ns: str) -> None:
    await kubectl("create", "serviceaccount", "robot")
    await kubectl("create", "role", "reader", "--verb=get", "--resource=certificates.cert-manager.io")
    await kubectl("create", "rolebinding", "readers", "--role=reader", f"--serviceaccount={ns}:robot")
    robot = f"--as=system:serviceaccount:{ns}:robot"

    me = await kubectl("auth", "can-i", "create", "certificates")
    reads = await kubectl.run("auth", "can-i", "get", "certificates", robot)
    writes = await kubectl.run("auth", "can-i", "create", "certificates", robot)
    refused = await kubectl.fails("get", "secrets", robot)
    token = await kubectl("create", "token", "robot", "--duration=15m")
    who = await kubectl("auth", "whoami", "-o", "json", robot)

    assert (me, reads.stdout, writes.stdout, writes.returncode) == ("yes\n", "yes\n", "no\n", 1)
    assert f'cannot list resource "secrets" in API group "" in the namespace "{ns}"' in refused
    assert token.count(".") == 2
    assert json.loads(who)["status"]["userInfo"]["username"] == f"system:serviceaccount:{ns}:robot"


async def test_a_namespace_comes_and_goes(kubectl: Kubectl, ns: str) -> None:
    name = f"{ns}-more"
    created = await kubectl("create", "namespace", name)
    await kubectl("--namespace", name, "create", "configmap", "c")

    deleted = await kubectl("delete", "namespace", name, "--timeout=30s")

    assert created == f"namespace/{name} created\n"
    assert f'namespace "{name}" deleted' in deleted
    assert "NotFound" in await kubectl.fails("get", "namespace", name)


async def test_version_and_health(kubectl: Kubectl, ns: str) -> None:
    versions = json.loads(await kubectl("version", "-o", "json"))

    assert versions["serverVersion"]["major"] == "1"
    assert await kubectl("get", "--raw", "/readyz") == "ok"
