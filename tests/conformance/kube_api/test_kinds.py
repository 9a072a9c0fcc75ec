"""Every built-in kind that is served: stored as it was sent, with its defaults, or refused."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tests.conformance.kube_api.objects import causes, core, grouped
from tests.kubernetes.http import Http

POD = {"containers": [{"name": "c", "image": "i"}]}
LABELS = {"app": "a"}
BACKEND = {"service": {"name": "s", "port": {"number": 80}}}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": POD}
WEBHOOK = {
    "name": "hook.conformance.certwright.io",
    "clientConfig": {"url": "https://127.0.0.1:9/none"},
    "rules": [{"apiGroups": ["none.example.com"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["x"]}],
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
}
MATCH = {
    "resourceRules": [
        {"apiGroups": ["none.example.com"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["x"]}
    ]
}
POLICY_GROUP = "admissionregistration.k8s.io/v1"
ADDITION = '[JSONPatch{op: "add", path: "/a", value: "b"}]'
MUTATION = {"patchType": "JSONPatch", "jsonPatch": {"expression": ADDITION}}
SUBJECT = {"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"}

# Group and version, plural, kind, what it is, and defaults that the server fills in at dotted paths.
NAMESPACED: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = [
    ("v1", "configmaps", "ConfigMap", {"data": {"k": "v"}}, {}),
    ("v1", "secrets", "Secret", {"data": {"k": "dg=="}}, {"type": "Opaque"}),
    ("v1", "serviceaccounts", "ServiceAccount", {}, {}),
    ("v1", "resourcequotas", "ResourceQuota", {"spec": {"hard": {"services": "50"}}}, {"spec.hard.services": "50"}),
    (
        "v1",
        "limitranges",
        "LimitRange",
        {"spec": {"limits": [{"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}]}},
        {"spec.limits.0.max.storage": "1Gi"},
    ),
    (
        "v1",
        "services",
        "Service",
        {"spec": {"ports": [{"port": 80}]}},
        {
            "spec.type": "ClusterIP",
            "spec.ports.0.protocol": "TCP",
            "spec.ports.0.targetPort": 80,
            "spec.sessionAffinity": "None",
        },
    ),
    ("v1", "endpoints", "Endpoints", {"subsets": [{"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 80}]}]}, {}),
    (
        "v1",
        "pods",
        "Pod",
        {"spec": POD},
        {
            "spec.restartPolicy": "Always",
            "spec.dnsPolicy": "ClusterFirst",
            "spec.containers.0.terminationMessagePath": "/dev/termination-log",
            "status.phase": "Pending",
        },
    ),
    (
        "apps/v1",
        "deployments",
        "Deployment",
        {"spec": {"selector": {"matchLabels": LABELS}, "template": TEMPLATE}},
        {"spec.replicas": 1, "spec.strategy.type": "RollingUpdate", "spec.revisionHistoryLimit": 10},
    ),
    (
        "batch/v1",
        "jobs",
        "Job",
        {"spec": {"template": {"spec": {**POD, "restartPolicy": "Never"}}}},
        {"spec.completions": 1, "spec.backoffLimit": 6},
    ),
    (
        "policy/v1",
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        {"spec": {"minAvailable": 1, "selector": {"matchLabels": LABELS}}},
        {},
    ),
    (
        "networking.k8s.io/v1",
        "ingresses",
        "Ingress",
        {"spec": {"tls": [{"hosts": ["a.example.com"], "secretName": "s"}], "defaultBackend": BACKEND}},
        {},
    ),
    (
        "networking.k8s.io/v1",
        "networkpolicies",
        "NetworkPolicy",
        {"spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}},
        {"spec.policyTypes": ["Ingress"], "spec.ingress.0.ports.0.protocol": "TCP"},
    ),
    (
        "discovery.k8s.io/v1",
        "endpointslices",
        "EndpointSlice",
        {"addressType": "IPv4", "endpoints": [{"addresses": ["192.0.2.1"]}], "ports": [{"port": 80}]},
        {"ports.0.protocol": "TCP", "ports.0.name": ""},
    ),
    ("coordination.k8s.io/v1", "leases", "Lease", {"spec": {"holderIdentity": "me", "leaseDurationSeconds": 15}}, {}),
    (
        "rbac.authorization.k8s.io/v1",
        "roles",
        "Role",
        {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
        {},
    ),
    (
        "rbac.authorization.k8s.io/v1",
        "rolebindings",
        "RoleBinding",
        {"roleRef": {"kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"}, "subjects": [SUBJECT]},
        {},
    ),
]
CLUSTER_WIDE: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = [
    (
        "rbac.authorization.k8s.io/v1",
        "clusterroles",
        "ClusterRole",
        {"rules": [{"nonResourceURLs": ["/none"], "verbs": ["get"]}]},
        {},
    ),
    (
        "rbac.authorization.k8s.io/v1",
        "clusterrolebindings",
        "ClusterRoleBinding",
        {"roleRef": {"kind": "ClusterRole", "name": "none", "apiGroup": "rbac.authorization.k8s.io"}},
        {},
    ),
    ("networking.k8s.io/v1", "ingressclasses", "IngressClass", {"spec": {"controller": "example.com/c"}}, {}),
    (
        "scheduling.k8s.io/v1",
        "priorityclasses",
        "PriorityClass",
        {"value": 5},
        {"preemptionPolicy": "PreemptLowerPriority"},
    ),
    (
        POLICY_GROUP,
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        {"webhooks": [WEBHOOK]},
        {"webhooks.0.failurePolicy": "Fail", "webhooks.0.timeoutSeconds": 10, "webhooks.0.matchPolicy": "Equivalent"},
    ),
    (
        POLICY_GROUP,
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        {"webhooks": [WEBHOOK]},
        {"webhooks.0.reinvocationPolicy": "Never", "webhooks.0.rules.0.scope": "*"},
    ),
    (
        POLICY_GROUP,
        "validatingadmissionpolicies",
        "ValidatingAdmissionPolicy",
        {"spec": {"matchConstraints": MATCH, "validations": [{"expression": "true"}]}},
        {"spec.failurePolicy": "Fail", "spec.matchConstraints.matchPolicy": "Equivalent"},
    ),
    (
        POLICY_GROUP,
        "validatingadmissionpolicybindings",
        "ValidatingAdmissionPolicyBinding",
        {"spec": {"policyName": "none", "validationActions": ["Audit"]}},
        {},
    ),
    (
        POLICY_GROUP,
        "mutatingadmissionpolicies",
        "MutatingAdmissionPolicy",
        {"spec": {"matchConstraints": MATCH, "mutations": [MUTATION], "reinvocationPolicy": "Never"}},
        {"spec.failurePolicy": "Fail"},
    ),
    (
        POLICY_GROUP,
        "mutatingadmissionpolicybindings",
        "MutatingAdmissionPolicyBinding",
        {"spec": {"policyName": "none"}},
        {},
    ),
]


def at(obj: Any, path: str) -> Any:
    """What stands at a dotted path."""
    for part in path.split("."):
        obj = obj[int(part)] if part.isdigit() else obj[part]
    return obj


def holds(obj: Any, sent: Any) -> bool:
    """Whether all that was sent is there."""
    if isinstance(sent, dict):
        return isinstance(obj, dict) and all(key in obj and holds(obj[key], value) for key, value in sent.items())
    if isinstance(sent, list):
        return isinstance(obj, list) and len(obj) == len(sent) and all(map(holds, obj, sent))
    return bool(obj == sent)


@pytest.mark.parametrize(("group_version", "plural", "kind", "content", "defaults"), [*NAMESPACED, *CLUSTER_WIDE])
async def test_a_life(
    http: Http, ns: str, group_version: str, plural: str, kind: str, content: dict[str, Any], defaults: dict[str, Any]
) -> None:
    namespace = ns if (group_version, plural, kind, content, defaults) in NAMESPACED else ""
    collection = core(ns, plural) if group_version == "v1" else grouped(group_version, namespace, plural)
    body = {"apiVersion": group_version, "kind": kind, "metadata": {"name": f"a-{ns}"}, **content}

    created = await http.post(collection, body, fieldValidation="Strict")
    labelled = await http.patch(f"{collection}/a-{ns}", {"metadata": {"labels": {"l": "1"}}})
    applied = await http.apply(f"{collection}/a-{ns}", {**body, **content}, force="true")
    listed = await http.get(collection, labelSelector="l=1")
    deleted = await http.delete(f"{collection}/a-{ns}", {"gracePeriodSeconds": 0})

    assert created.code == 201, created.body
    assert holds(created.ok, content)
    assert {path: at(created.ok, path) for path in defaults} == defaults
    assert labelled.ok["metadata"]["labels"]["l"] == "1"
    assert applied.ok["metadata"]["uid"] == created.ok["metadata"]["uid"]
    assert listed.ok["kind"] == f"{kind}List"
    assert [item["metadata"]["name"] for item in listed.ok["items"]] == [f"a-{ns}"]
    assert deleted.code == 200


async def test_a_signing_request_is_approved_and_signed(http: Http, ns: str) -> None:
    path = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
    spec = {"request": csr(), "signerName": "example.com/signer", "usages": ["client auth"]}
    created = (await http.post(path, {"metadata": {"name": f"r-{ns}"}, "spec": spec})).ok
    approved = {"type": "Approved", "status": "True", "reason": "Test", "message": "by the suite"}

    by_status = await http.patch(f"{path}/r-{ns}/status", {"status": {"conditions": [approved]}})
    answer = await http.get(f"{path}/r-{ns}")
    whole = {**answer.ok, "status": {"conditions": [approved]}}
    by_approval = await http.put(f"{path}/r-{ns}/approval", whole)
    changed = await http.patch(f"{path}/r-{ns}", {"spec": {"signerName": "example.com/other"}})
    await http.delete(f"{path}/r-{ns}")

    assert created["spec"]["username"] == "admin"
    assert "system:masters" in created["spec"]["groups"]
    assert causes(by_status.body) == [
        (
            "FieldValueForbidden",
            "status.conditions",
            'Forbidden: updates may not add a condition of type "Approved"',
        )
    ]
    assert by_approval.ok["status"]["conditions"][0]["type"] == "Approved"
    assert changed.ok["spec"]["signerName"] == "example.com/signer"


def csr() -> str:
    """A certificate signing request, in base64."""

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "conformance")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return base64.b64encode(request.public_bytes(Encoding.PEM)).decode()


SELECTS_OTHERS = {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
LOOPBACK = {"addressType": "IPv4", "endpoints": [{"addresses": ["127.0.0.1"]}]}
# Group and version, plural, content, and the fields that are wrong.
REFUSED: list[tuple[str, str, dict[str, Any], list[str]]] = [
    ("v1", "secrets", {"data": {"bad key": "dg=="}}, ["data[bad key]"]),
    ("v1", "secrets", {"type": "kubernetes.io/tls", "data": {}}, ["data[tls.crt]", "data[tls.key]"]),
    ("v1", "services", {"spec": {"ports": [{"port": 0}]}}, ["spec.ports[0].port", "spec.ports[0].targetPort"]),
    ("apps/v1", "deployments", {"spec": SELECTS_OTHERS}, ["spec.template.metadata.labels"]),
    ("networking.k8s.io/v1", "ingresses", {"spec": {}}, ["spec"]),
    ("coordination.k8s.io/v1", "leases", {"spec": {"leaseDurationSeconds": -1}}, ["spec.leaseDurationSeconds"]),
    ("policy/v1", "poddisruptionbudgets", {"spec": {"minAvailable": 1, "maxUnavailable": 1}}, ["spec"]),
    ("discovery.k8s.io/v1", "endpointslices", LOOPBACK, ["endpoints[0].addresses[0]"]),
]


@pytest.mark.parametrize(("group_version", "plural", "content", "expected"), REFUSED)
async def test_what_is_refused(
    http: Http, ns: str, group_version: str, plural: str, content: dict[str, Any], expected: list[str]
) -> None:
    collection = core(ns, plural) if group_version == "v1" else grouped(group_version, ns, plural)

    answer = await http.post(collection, {"metadata": {"name": "a"}, **content})

    assert answer.code == 422, answer.body
    assert [field for _, field, _ in causes(answer.body)] == expected


async def test_an_immutable_secret_stays(http: Http, ns: str) -> None:
    await http.post(core(ns, "secrets"), {"metadata": {"name": "a"}, "data": {"k": "dg=="}, "immutable": True})

    answer = await http.patch(core(ns, "secrets", "a"), {"data": {"k": "dw=="}})

    assert causes(answer.body) == [
        ("FieldValueForbidden", "data", "Forbidden: field is immutable when `immutable` is set")
    ]


async def test_events_have_two_spellings(http: Http, ns: str) -> None:
    event = {
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": ns},
        "reason": "Tested",
        "message": "all is well",
        "source": {"component": "conformance"},
        "count": 3,
    }
    (await http.post(core(ns, "events"), event)).ok  # noqa: B018 asserts success

    new = (await http.get(grouped("events.k8s.io/v1", ns, "events", "e"))).ok
    of_pods = (await http.get(core(ns, "events"), fieldSelector="involvedObject.kind=Pod,reason=Tested")).ok
    of_nodes = (await http.get(core(ns, "events"), fieldSelector="involvedObject.kind=Node")).ok

    assert (new["note"], new["regarding"]["name"], new["deprecatedCount"]) == ("all is well", "p", 3)
    assert new["deprecatedSource"] == {"component": "conformance"}
    assert (len(of_pods["items"]), of_nodes["items"]) == (1, [])
