"""Validating policies: evaluated for what they match, with what they are given, and refused where they are none."""

from __future__ import annotations

import pytest
from tests.cluster import Cluster
from tests.conformance.kube_api.objects import configmap, core
from tests.conformance.kube_api.policies import GROUP, Install, matching, rule
from tests.kubernetes.eventually import eventually
from tests.kubernetes.http import Http


async def test_a_broken_rule_refuses_in_words(http: Http, ns: str, install: Install) -> None:
    wanted = [
        rule("object == null || !has(object.data) || object.data.k != 'plain'"),
        rule("object == null || !has(object.data) || object.data.k != 'told'", "told why"),
        rule(
            "object == null || !has(object.data) || object.data.k != 'dynamic'",
            "not this",
            messageExpression="'it is ' + object.metadata.name",
            reason="Forbidden",
        ),
        rule(
            "object == null || !has(object.data) || object.data.k != 'fallback'",
            "said otherwise",
            messageExpression="string(object.data.none)",
        ),
    ]
    await install("Validating", {"validations": wanted})

    answers = {
        word: await http.post(core(ns, "configmaps"), configmap(word, data={"k": word}))
        for word in ("plain", "told", "dynamic", "fallback", "allowed")
    }

    start = f"ValidatingAdmissionPolicy '{ns}' with binding '{ns}' denied request: "
    told = {
        "plain": (422, "Invalid", f"failed expression: {wanted[0]['expression']}"),
        "told": (422, "Invalid", "told why"),
        "dynamic": (403, "Forbidden", "it is dynamic"),
        "fallback": (422, "Invalid", "said otherwise"),
    }
    assert answers.pop("allowed").code == 201
    for word, answer in answers.items():
        code, reason, message = told[word]
        assert (answer.code, answer.body["reason"]) == (code, reason)
        assert answer.body["message"] == f'configmaps "{word}" is forbidden: {start}{message}'
        assert answer.body["details"] == {
            "name": word,
            "kind": "configmaps",
            "causes": [{"message": start + message}],
        }


async def test_old_and_new_objects_of_every_operation(http: Http, ns: str, install: Install) -> None:
    await http.post(core(ns, "configmaps"), configmap("a", data={"k": "1"}))
    wanted = [
        rule("request.operation != 'UPDATE' || object.data.k == oldObject.data.k", "k is fixed"),
        rule("request.operation != 'DELETE' || object != null || oldObject.metadata.name != 'a'", "a stays"),
        rule("request.operation != 'CREATE' || oldObject == null", "nothing was"),
    ]
    await install("Validating", {"validations": wanted})

    made = await http.post(core(ns, "configmaps"), configmap("b", data={"k": "1"}))
    changed = await http.patch(core(ns, "configmaps", "a"), {"data": {"k": "2"}})
    labelled = await http.patch(core(ns, "configmaps", "a"), {"metadata": {"labels": {"x": "y"}}})
    deleted = [await http.delete(core(ns, "configmaps", name)) for name in ("a", "b")]

    assert (made.code, labelled.code, deleted[1].code) == (201, 200, 200)
    assert (changed.code, changed.body["message"].rpartition(": ")[2]) == (422, "k is fixed")
    assert (deleted[0].code, deleted[0].body["message"].rpartition(": ")[2]) == (422, "a stays")


async def test_the_request_and_its_namespace(cluster: Cluster, http: Http, ns: str, install: Install) -> None:
    await http.patch(f"/api/v1/namespaces/{ns}", {"metadata": {"labels": {"tier": "gold"}}})
    parts = (
        "request.userInfo.username",
        "string('system:masters' in request.userInfo.groups)",
        "request.name",
        "request.namespace",
        "request.operation",
        "request.resource.resource",
        "request.kind.kind",
        "request.options.fieldManager",
        "string(request.dryRun)",
        "string(has(request.subResource))",
        "namespaceObject.metadata.labels.tier",
    )
    told = " + ' ' + ".join(parts)
    await install("Validating", {"validations": [rule("object.metadata.name != 'a'", messageExpression=told)]})

    answer = await http.post(core(ns, "configmaps"), configmap("a"), fieldManager="me", dryRun="All")

    said = answer.body["message"].partition("denied request: ")[2]
    assert said == f"admin true a {ns} CREATE configmaps ConfigMap me true false gold"


async def test_conditions_and_variables(http: Http, ns: str, install: Install) -> None:
    spec = {
        "matchConditions": [
            {"name": "not-free", "expression": "!has(object.metadata.labels) || !('free' in object.metadata.labels)"},
            {"name": "not-null", "expression": "object != null"},
        ],
        "variables": [
            {"name": "data", "expression": "has(object.data) ? object.data : {}"},
            {"name": "size", "expression": "size(variables.data)"},
            {"name": "broken", "expression": "object.data.none"},
        ],
        "validations": [
            rule("variables.size < 2", messageExpression="'there are ' + string(variables.size)"),
            rule("object.metadata.name != 'asks' || variables.broken == 'x'", "never said"),
        ],
    }
    await install("Validating", spec)
    two = {"a": "1", "b": "2"}

    many = await http.post(core(ns, "configmaps"), configmap("many", data=two))
    free = await http.post(core(ns, "configmaps"), configmap("free", data=two, labels={"free": "1"}))
    few = await http.post(core(ns, "configmaps"), configmap("few"))
    asks = await http.post(core(ns, "configmaps"), configmap("asks"))

    assert (many.code, many.body["message"].rpartition(": ")[2]) == (422, "there are 2")
    assert (free.code, few.code, asks.code) == (201, 201, 422)
    fault = 'resulted in error: composited variable "broken" fails to evaluate: no such key: data'
    assert asks.body["message"].endswith(f"expression '{spec['validations'][1]['expression']}' {fault}")


@pytest.mark.parametrize(("policy", "code"), [("Fail", 422), ("Ignore", 201)])
async def test_an_expression_that_fails(http: Http, ns: str, install: Install, policy: str, code: int) -> None:
    wanted = [rule("object.metadata.name == 'free' || object.data.none == 'x'")]
    await install("Validating", {"validations": wanted, "failurePolicy": policy})

    failing = await http.post(core(ns, "configmaps"), configmap("a"))
    other = await http.post(core(ns, "configmaps"), configmap("free"))

    assert (failing.code, other.code) == (code, 201)
    if code == 422:
        assert failing.body["message"].endswith(f"'{wanted[0]['expression']}' resulted in error: no such key: data")


async def test_a_condition_that_fails_counts_unless_another_does_not_hold(
    http: Http, ns: str, install: Install
) -> None:
    conditions = [
        {"name": "fails", "expression": "object.metadata.name == 'marker' || object.data.none == 'x'"},
        {"name": "never", "expression": "object.metadata.name != 'free'"},
    ]
    await install("Validating", {"validations": [rule("true")], "matchConditions": conditions})

    failing = await http.post(core(ns, "configmaps"), configmap("a"))
    free = await http.post(core(ns, "configmaps"), configmap("free"))

    assert (failing.code, free.code) == (422, 201)
    assert "resulted in error: no such key: data" in failing.body["message"]


async def test_a_binding_may_only_warn(http: Http, ns: str, install: Install) -> None:
    warns = {"validationActions": ["Warn", "Audit"]}
    await install("Validating", {"validations": [rule("object.metadata.name != 'a'", "mind the gap")]}, warns)

    answer = await http.post(core(ns, "configmaps"), configmap("a"))

    named = f"Validation failed for ValidatingAdmissionPolicy '{ns}' with binding '{ns}'"
    assert answer.code == 201
    assert answer.warnings == (f'299 - "{named}: mind the gap"',)


async def test_what_a_policy_and_its_binding_match(http: Http, ns: str, install: Install) -> None:
    excluded = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["*"]}
    constraints = matching(ns, "CREATE", excludeResourceRules=[{**excluded, "resourceNames": ["excluded"]}])
    bound = {"matchResources": {"objectSelector": {"matchExpressions": [{"key": "free", "operator": "DoesNotExist"}]}}}
    await install("Validating", {"validations": [rule("false")], "matchConstraints": constraints}, bound)

    refused = await http.post(core(ns, "configmaps"), configmap("a"))
    unselected = await http.post(core(ns, "configmaps"), configmap("free", labels={"free": "1"}))
    left_out = await http.post(core(ns, "configmaps"), configmap("excluded"))
    secret = await http.post(core(ns, "secrets"), {"metadata": {"name": "a"}})
    changed = await http.patch(core(ns, "configmaps", "excluded"), {"data": {"k": "v"}})

    assert [each.code for each in (refused, unselected, left_out, secret, changed)] == [422, 201, 201, 201, 200]


@pytest.mark.parametrize(("action", "missing"), [("Deny", 422), ("Allow", 201)])
async def test_parameters(http: Http, ns: str, install: Install, action: str, missing: int) -> None:
    limits = {"metadata": {"name": "limits", "labels": {"limits": "yes"}}, "data": {"forbidden": "bad"}}
    (await http.post(core(ns, "configmaps"), limits)).ok  # noqa: B018 asserts success
    spec = {
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "validations": [rule("object == null || object.metadata.name != params.data.forbidden", "bad name")],
    }
    reference = {"name": "limits", "namespace": ns, "parameterNotFoundAction": action}
    await install("Validating", spec, {"paramRef": reference})

    async def refused() -> bool:
        """A real server sees a new parameter after a moment."""
        answer = await http.post(core(ns, "configmaps"), configmap("bad"), dryRun="All")
        return answer.code == 422 and answer.body["message"].endswith("denied request: bad name")

    await eventually(refused)
    good = await http.post(core(ns, "configmaps"), configmap("good"), dryRun="All")
    await http.delete(core(ns, "configmaps", "limits"))

    async def gone() -> bool:
        answer = await http.post(core(ns, "configmaps"), configmap("good"), dryRun="All")
        unbound = "no params found for policy binding with `Deny` parameterNotFoundAction"
        return answer.code == missing and (missing == 201 or answer.body["message"].endswith(unbound))

    assert good.code == 201
    await eventually(gone)


async def test_each_parameter_that_is_selected_must_allow(http: Http, ns: str, install: Install) -> None:
    for name in ("one", "two"):
        body = {"metadata": {"name": name, "labels": {"limits": "yes"}}, "data": {"forbidden": f"bad-{name}"}}
        (await http.post(core(ns, "configmaps"), body)).ok  # noqa: B018 asserts success
    spec = {
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "validations": [rule("object == null || object.metadata.name != params.data.forbidden", "bad name")],
    }
    reference = {"selector": {"matchLabels": {"limits": "yes"}}, "parameterNotFoundAction": "Deny"}
    await install("Validating", spec, {"paramRef": reference})

    async def code_of(name: str) -> int:
        return (await http.post(core(ns, "configmaps"), configmap(name), dryRun="All")).code

    async def all_told() -> bool:
        return [await code_of(name) for name in ("bad-one", "bad-two", "good")] == [422, 422, 201]

    await eventually(all_told)


async def test_the_authorizer_is_asked(cluster: Cluster, http: Http, ns: str, install: Install) -> None:
    path = core(ns, "configmaps")
    songs = "authorizer.group('x.example.com').resource('songs')"
    checks = {
        "own": "authorizer.requestResource.check('create').allowed()",
        "verb": "authorizer.requestResource.check('sing').allowed()",
        "named": f"{songs}.namespace('{{ns}}').name('a/*').check('sing').allowed()",
        "part": f"{songs}.subresource('refrain').check('sing').allowed()",
        "path": "authorizer.path('/healthz').check('get').allowed()",
        "account": "authorizer.serviceAccount('{ns}', 'default').group('').resource('secrets').check('get').allowed()",
    }
    start = "object == null || object.metadata.name != "
    wanted = [rule(f"{start}'{name}' || {check.format(ns=ns)}") for name, check in checks.items()]
    await install("Validating", {"validations": wanted})
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}"
    rules = [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]},
        {"apiGroups": ["x.example.com"], "resources": ["songs"], "resourceNames": ["a/*"], "verbs": ["sing"]},
    ]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "singer"}
    subject = {"kind": "User", "name": "singer", "apiGroup": "rbac.authorization.k8s.io"}
    await http.post(f"{rbac}/roles", {"metadata": {"name": "singer"}, "rules": rules})
    await http.post(f"{rbac}/rolebindings", {"metadata": {"name": "singer"}, "roleRef": role, "subjects": [subject]})

    async def allowed(who: Http) -> list[str]:
        codes = {name: (await who.post(path, configmap(name), dryRun="All")).code for name in checks}
        return [name for name, code in codes.items() if code == 201]

    async with cluster.caller("singer") as singer:

        async def granted() -> bool:
            return (await singer.post(path, configmap("free"), dryRun="All")).code == 201

        await eventually(granted)
        assert await allowed(singer) == ["own", "named", "path"]
    assert await allowed(http) == ["own", "verb", "named", "part", "path"]


async def test_policies_do_not_guard_policies(http: Http, ns: str, install: Install) -> None:
    everything = {"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "operations": ["CREATE"]}
    names = [ns, f"{ns}-other", "marker"]
    constraints = {"resourceRules": [{**everything, "resourceNames": names}]}
    await install("Validating", {"validations": [rule("false")], "matchConstraints": constraints})
    body = {"metadata": {"name": f"{ns}-other"}, "spec": {"policyName": "x", "validationActions": ["Deny"]}}

    namespace = await http.post("/api/v1/namespaces", {"metadata": {"name": f"{ns}-other"}}, dryRun="All")
    binding = await http.post(f"{GROUP}/validatingadmissionpolicybindings", body, dryRun="All")

    assert (namespace.code, binding.code) == (422, 201)


async def test_expressions_that_are_none_are_refused(http: Http, ns: str) -> None:
    spec = {
        "matchConstraints": matching(ns, "CREATE"),
        "variables": [{"name": "a", "expression": "object.metadata.name"}],
        "validations": [
            rule("1 +"),
            rule("'a'"),
            rule("nope == 1"),
            rule("variables.b == 1"),
            rule("variables.a == 'x'", messageExpression="1"),
            rule("object.data.k", messageExpression="object.data.k"),
            rule("true", messageExpression="string(authorizer.path('/').check('get').allowed())"),
        ],
    }

    answer = await http.post(f"{GROUP}/validatingadmissionpolicies", {"metadata": {"name": ns}, "spec": spec})

    assert answer.code == 422
    assert [cause["field"] for cause in answer.body["details"]["causes"]] == [
        "spec.validations[0].expression",
        "spec.validations[1].expression",
        "spec.validations[2].expression",
        "spec.validations[3].expression",
        "spec.validations[4].messageExpression",
        "spec.validations[5].expression",
        "spec.validations[5].messageExpression",
        "spec.validations[6].messageExpression",
    ]
    told = [cause["message"] for cause in answer.body["details"]["causes"]]
    assert told[1] == "Invalid value: \"'a'\": must evaluate to bool but got string"
    assert told[5] == 'Invalid value: "object.data.k": must evaluate to bool but got dyn'
