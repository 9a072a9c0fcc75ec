"""Who may do what: roles, reviews, impersonation and tokens of service accounts."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from tests.cluster import Cluster
from tests.conformance.kube_api.objects import causes, core, grouped
from tests.kubernetes.eventually import eventually
from tests.kubernetes.http import Http

RBAC = "rbac.authorization.k8s.io/v1"
REVIEWS = "/apis/authorization.k8s.io/v1"


async def grant(http: Http, namespace: str, subject: dict[str, str], rules: list[dict[str, list[str]]]) -> None:
    """A role of the namespace for one subject, and return when it holds."""
    name = subject["name"].replace(":", "-")
    role = {"metadata": {"name": name}, "rules": rules}
    (await http.post(grouped(RBAC, namespace, "roles"), role)).ok  # noqa: B018 asserts success
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    group = {} if subject["kind"] == "ServiceAccount" else {"apiGroup": "rbac.authorization.k8s.io"}
    binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": [{**group, **subject}]}
    (await http.post(grouped(RBAC, namespace, "rolebindings"), binding)).ok  # noqa: B018 as above


READ_SECRETS: list[dict[str, list[str]]] = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}]


async def test_a_role_grants_in_its_namespace(cluster: Cluster, http: Http, ns: str) -> None:
    async with cluster.caller(f"reader-{ns}") as reader:
        before = await reader.get(core(ns, "secrets"))
        await grant(http, ns, {"kind": "User", "name": f"reader-{ns}"}, READ_SECRETS)

        async def may_read() -> bool:
            return (await reader.get(core(ns, "secrets"))).code == 200

        await eventually(may_read)
        written = await reader.post(core(ns, "secrets"), {"metadata": {"name": "a"}})
        elsewhere = await reader.get(core("default", "secrets"))

    assert (before.code, written.code, elsewhere.code) == (403, 403, 403)
    assert written.body["message"] == (
        f'secrets is forbidden: User "reader-{ns}" cannot create resource "secrets" in API group "" in the namespace '
        f'"{ns}"'
    )
    assert written.body["details"] == {"kind": "secrets"}


async def test_a_role_may_name_objects(cluster: Cluster, http: Http, ns: str) -> None:
    for name in "ab":
        await http.post(core(ns, "secrets"), {"metadata": {"name": name}})
    rules = [{**READ_SECRETS[0], "resourceNames": ["a"], "verbs": ["get", "delete"]}]
    await grant(http, ns, {"kind": "Group", "name": f"group-{ns}"}, rules)

    async with cluster.caller(f"member-{ns}", [f"group-{ns}"]) as member:

        async def may_read() -> bool:
            return (await member.get(core(ns, "secrets", "a"))).code == 200

        await eventually(may_read)
        other = await member.get(core(ns, "secrets", "b"))
        listed = await member.get(core(ns, "secrets"))

    assert (other.code, listed.code) == (403, 403)
    assert other.body["details"] == {"name": "b", "kind": "secrets"}


async def test_anonymous_callers_see_health_only(cluster: Cluster, ns: str) -> None:
    async with cluster.with_token("") as nobody:
        health = await nobody.get("/healthz")
        version = await nobody.get("/version")
        secrets = await nobody.get(core(ns, "secrets"))
        groups = await nobody.get("/apis")

    assert (health.code, version.code) == (200, 200)
    assert (secrets.code, groups.code) == (403, 403)
    assert 'User "system:anonymous" cannot list resource "secrets"' in secrets.body["message"]
    assert groups.body["message"] == 'forbidden: User "system:anonymous" cannot get path "/apis"'


async def test_a_wrong_token_is_unauthorized(cluster: Cluster, ns: str) -> None:
    async with cluster.with_token("nonsense") as stranger:
        answer = await stranger.get(core(ns, "secrets"))

    assert (answer.code, answer.body["reason"], answer.body["message"]) == (401, "Unauthorized", "Unauthorized")


async def token_of(http: Http, namespace: str, account: str, spec: dict[str, Any] | None = None) -> Any:
    """The answered TokenRequest."""
    await http.post(core(namespace, "serviceaccounts"), {"metadata": {"name": account}})
    path = core(namespace, "serviceaccounts", account, "token")
    return (await http.post(path, {"spec": spec or {}})).ok


async def test_a_service_account_acts_with_its_token(cluster: Cluster, http: Http, ns: str) -> None:
    answered = await token_of(http, ns, "robot", {"expirationSeconds": 900})
    await grant(http, ns, {"kind": "ServiceAccount", "name": "robot", "namespace": ns}, READ_SECRETS)

    async with cluster.with_token(answered["status"]["token"]) as robot:

        async def may_read() -> bool:
            return (await robot.get(core(ns, "secrets"))).code == 200

        await eventually(may_read)
        me = (await robot.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {})).ok
        await http.delete(core(ns, "serviceaccounts", "robot"))

        async def is_void() -> bool:
            return (await robot.get(core(ns, "secrets"))).code == 401

        await eventually(is_void)

    user = me["status"]["userInfo"]
    assert user["username"] == f"system:serviceaccount:{ns}:robot"
    assert set(user["groups"]) == {"system:serviceaccounts", f"system:serviceaccounts:{ns}", "system:authenticated"}
    assert answered["spec"]["expirationSeconds"] == 900
    assert answered["kind"] == "TokenRequest"


async def test_a_token_says_for_whom_and_how_long(http: Http, ns: str) -> None:
    await http.post(core(ns, "secrets"), {"metadata": {"name": "s"}})
    bound = {"apiVersion": "v1", "kind": "Secret", "name": "s"}

    answered = await token_of(http, ns, "robot", {"audiences": ["vault"], "boundObjectRef": bound})

    payload = answered["status"]["token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["aud"] == ["vault"]
    assert claims["sub"] == f"system:serviceaccount:{ns}:robot"
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["kubernetes.io"]["namespace"] == ns
    assert claims["kubernetes.io"]["secret"]["name"] == "s"


@pytest.mark.parametrize(
    ("spec", "code", "message"),
    [
        ({"expirationSeconds": 60}, 422, "may not specify a duration less than 10 minutes"),
        ({"boundObjectRef": {"apiVersion": "v1", "kind": "Secret", "name": "none"}}, 404, 'secrets "none" not found'),
    ],
)
async def test_token_requests_that_are_refused(http: Http, ns: str, spec: object, code: int, message: str) -> None:
    await http.post(core(ns, "serviceaccounts"), {"metadata": {"name": "robot"}})

    answer = await http.post(core(ns, "serviceaccounts", "robot", "token"), {"spec": spec})
    absent = await http.post(core(ns, "serviceaccounts", "none", "token"), {"spec": {}})

    assert (answer.code, absent.code) == (code, 404)
    assert message in answer.body["message"]


async def test_a_token_is_reviewed(http: Http, ns: str) -> None:
    token = (await token_of(http, ns, "robot", {"audiences": ["vault"]}))["status"]["token"]
    path = "/apis/authentication.k8s.io/v1/tokenreviews"

    right = (await http.post(path, {"spec": {"token": token, "audiences": ["vault", "other"]}})).ok["status"]
    elsewhere = (await http.post(path, {"spec": {"token": token, "audiences": ["other"]}})).ok["status"]
    nonsense = (await http.post(path, {"spec": {"token": "nonsense"}})).ok["status"]

    assert (right["authenticated"], right["audiences"]) == (True, ["vault"])
    assert right["user"]["username"] == f"system:serviceaccount:{ns}:robot"
    assert not elsewhere.get("authenticated")
    assert not nonsense.get("authenticated")


async def test_access_is_reviewed(cluster: Cluster, http: Http, ns: str) -> None:
    user = f"reader-{ns}"
    await grant(http, ns, {"kind": "User", "name": user}, READ_SECRETS)
    wanted = {"namespace": ns, "verb": "list", "resource": "secrets"}

    async def holds() -> bool:
        spec = {"user": user, "resourceAttributes": wanted}
        return bool((await http.post(f"{REVIEWS}/subjectaccessreviews", {"spec": spec})).ok["status"]["allowed"])

    await eventually(holds)
    other = {"user": user, "resourceAttributes": {**wanted, "verb": "delete"}}
    refused = (await http.post(f"{REVIEWS}/subjectaccessreviews", {"spec": other})).ok
    local = await http.post(
        f"{REVIEWS}/namespaces/{ns}/localsubjectaccessreviews", {"spec": {"user": user, "resourceAttributes": wanted}}
    )
    health = {"path": "/healthz", "verb": "get"}
    path = {"user": user, "groups": ["system:authenticated"], "nonResourceAttributes": health}
    paths = (await http.post(f"{REVIEWS}/subjectaccessreviews", {"spec": path})).ok
    async with cluster.caller(user) as reader:
        mine = (await reader.post(f"{REVIEWS}/selfsubjectaccessreviews", {"spec": {"resourceAttributes": wanted}})).ok
        rules = (await reader.post(f"{REVIEWS}/selfsubjectrulesreviews", {"spec": {"namespace": ns}})).ok

    assert refused["status"]["allowed"] is False
    assert refused["kind"] == "SubjectAccessReview"
    assert local.ok["status"]["allowed"] is True
    assert paths["status"]["allowed"] is True
    assert mine["status"]["allowed"] is True
    assert {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["secrets"]} in rules["status"]["resourceRules"]


async def test_reviews_that_ask_nothing(http: Http, ns: str) -> None:
    nobody = await http.post(
        f"{REVIEWS}/subjectaccessreviews", {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
    )
    nothing = await http.post(f"{REVIEWS}/selfsubjectaccessreviews", {"spec": {}})

    assert (nobody.code, nothing.code) == (422, 422)
    assert causes(nobody.body)[0][1] == "spec.user"
    assert causes(nothing.body)[0][1] == "spec.resourceAttributes"


async def test_a_caller_may_act_as_another_where_allowed(cluster: Cluster, http: Http, ns: str) -> None:
    as_jane = {"Impersonate-User": "jane", "Impersonate-Group": "developers"}

    me = await http.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", json={}, headers=as_jane)
    jane = await http.call("GET", core(ns, "secrets"), headers=as_jane)
    async with cluster.caller("john") as john:
        refused = await john.call("GET", core(ns, "secrets"), headers=as_jane)

    assert me.ok["status"]["userInfo"]["username"] == "jane"
    assert me.ok["status"]["userInfo"]["groups"] == ["developers", "system:authenticated"]
    assert (jane.code, refused.code) == (403, 403)
    assert 'User "jane" cannot list resource "secrets"' in jane.body["message"]
    # kube-apiserver 1.36 names the finer permission that it looked for last.
    assert 'User "john" cannot impersonate' in refused.body["message"]


@pytest.mark.parametrize(
    "role", ["cluster-admin", "admin", "edit", "view", "system:auth-delegator", "system:discovery"]
)
async def test_default_roles_exist(http: Http, role: str) -> None:
    assert (await http.get(f"/apis/{RBAC}/clusterroles/{role}")).code == 200


async def test_roles_gather_the_rules_of_others(http: Http, ns: str) -> None:
    label = {f"aggregate-to-{ns}": "true"}
    rule = {"apiGroups": ["example.com"], "resources": ["things"], "verbs": ["get"]}
    selectors = {"clusterRoleSelectors": [{"matchLabels": label}]}
    await http.post(f"/apis/{RBAC}/clusterroles", {"metadata": {"name": f"all-{ns}"}, "aggregationRule": selectors})
    await http.post(
        f"/apis/{RBAC}/clusterroles", {"metadata": {"name": f"part-{ns}", "labels": label}, "rules": [rule]}
    )

    gathered = (await http.get(f"/apis/{RBAC}/clusterroles/all-{ns}")).ok

    # The rig's control plane runs no aggregation controller, so a real server only keeps what was asked for.
    assert gathered["aggregationRule"] == selectors
    assert gathered.get("rules") in (None, [rule])
