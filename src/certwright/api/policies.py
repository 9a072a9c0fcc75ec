"""Policies of admission: what cert-manager's webhook does beyond the rules of the CRDs, said in CEL.

The API server itself evaluates them, so that no process of ours is asked at a write. What needs more than CEL (the
signing request, its usages) the controller refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from certwright.api import cel_policies as cel
from certwright.api.meta import JSON, ApiStruct, JSONObject, ObjectMeta
from certwright.api.resource import Resource, kind_of
from certwright.api.wellknown import CERT_MANAGER_GROUP, LEGACY_GROUP, Label

REQUESTER: Final = "certwright-requester"
REQUESTS: Final = "certwright-requests"
APPROVAL: Final = "certwright-approval"
EXTERNAL_APPROVAL: Final = "certwright-external-approval"
"""The policy, and its binding, whose annotations name the kinds of external issuers: it is its own parameter.

So there is always a parameter where there is a binding. With a parameter that may be missing there would be no good
answer to its absence, which the API server looks at before any condition: to allow would let anybody approve for
external issuers, to deny would stop approvals for ours too.
"""
ACCESS: Final = "certwright-access"
"""What the controller may do: the first file, so that the controller is not refused while the others are applied."""

_GROUP = "admissionregistration.k8s.io"
_RBAC = "rbac.authorization.k8s.io"
_REQUESTS = "certificaterequests"
_BINDINGS = "validatingadmissionpolicybindings"
# Where cert-manager's chart puts the controller.
_CONTROLLER: JSONObject = {"kind": "ServiceAccount", "name": "cert-manager", "namespace": "cert-manager"}
_WHO_ASKS = "spec.username, uid, groups and extra say who asks"


class PolicyBinding(ApiStruct, frozen=True, kw_only=True):
    """What is read of a ValidatingAdmissionPolicyBinding."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)


POLICY_BINDING = kind_of(
    Resource(_GROUP, "v1", _BINDINGS, "ValidatingAdmissionPolicyBinding", namespaced=False), PolicyBinding
)


def admission_objects() -> Mapping[str, tuple[JSONObject, ...]]:
    """The objects of each file: policies with their bindings, and what the controller may do under them."""
    own_parameter: JSONObject = {"name": EXTERNAL_APPROVAL, "parameterNotFoundAction": "Deny"}
    return {
        ACCESS: (*_granted("certwright-approver", _approve()), *_granted("certwright-issuer-kinds", _tell_kinds())),
        REQUESTER: (_policy("Mutating", REQUESTER, _requester()), _binding("Mutating", REQUESTER)),
        REQUESTS: (_policy("Validating", REQUESTS, _requests()), _binding("Validating", REQUESTS)),
        APPROVAL: (_policy("Validating", APPROVAL, _approval()), _binding("Validating", APPROVAL)),
        EXTERNAL_APPROVAL: (
            _policy("Validating", EXTERNAL_APPROVAL, _external_approval()),
            _binding("Validating", EXTERNAL_APPROVAL, own_parameter),
        ),
    }


def _granted(name: str, rule: JSONObject) -> tuple[JSONObject, ...]:
    role: JSONObject = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": name}
    return (
        _object(f"{_RBAC}/v1", "ClusterRole", name, rules=[rule]),
        _object(f"{_RBAC}/v1", "ClusterRoleBinding", name, roleRef=role, subjects=[dict(_CONTROLLER)]),
    )


def _approve() -> JSONObject:
    names: list[JSON] = [
        f"{plural}.{group}/*"
        for group in (CERT_MANAGER_GROUP, LEGACY_GROUP)
        for plural in ("issuers", "clusterissuers")
    ]
    return {"apiGroups": [CERT_MANAGER_GROUP], "resources": ["signers"], "verbs": ["approve"], "resourceNames": names}


def _tell_kinds() -> JSONObject:
    return {
        "apiGroups": [_GROUP],
        "resources": [_BINDINGS],
        "verbs": ["get", "patch"],
        "resourceNames": [EXTERNAL_APPROVAL],
    }


def _object(api_version: str, kind: str, name: str, **body: JSON) -> JSONObject:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **body}


def _policy(sort: str, name: str, spec: JSONObject) -> JSONObject:
    return _object(f"{_GROUP}/v1", f"{sort}AdmissionPolicy", name, spec={"failurePolicy": "Fail", **spec})


def _binding(sort: str, name: str, parameter: JSONObject | None = None) -> JSONObject:
    spec: JSONObject = {"policyName": name}
    if sort == "Validating":
        spec["validationActions"] = ["Deny"]
    if parameter is not None:
        spec["paramRef"] = parameter
    return _object(f"{_GROUP}/v1", f"{sort}AdmissionPolicyBinding", name, spec=spec)


def _matching(resource: str, *operations: str) -> JSONObject:
    rule: JSONObject = {
        "apiGroups": [CERT_MANAGER_GROUP],
        "apiVersions": ["v1"],
        "operations": list(operations),
        "resources": [resource],
    }
    return {"resourceRules": [rule]}


def _validated(resource: str, *operations: str) -> JSONObject:
    """Not where the namespace is excepted, as with cert-manager's validating webhook; its mutating one excepts none."""
    excepted: JSONObject = {"key": Label.DISABLE_VALIDATION, "operator": "NotIn", "values": ["true"]}
    return {**_matching(resource, *operations), "namespaceSelector": {"matchExpressions": [excepted]}}


def _expressions(**named: str) -> list[JSON]:
    return [{"name": name, "expression": text} for name, text in named.items()]


def _forbids(expression: str, message: str) -> JSONObject:
    return {"expression": expression, "message": message, "reason": "Forbidden"}


def _requester() -> JSONObject:
    return {
        "matchConstraints": _matching(_REQUESTS, "CREATE"),
        "matchConditions": _expressions(complete=cel.HAS_SPEC),
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": cel.SET_REQUESTER}}],
        "reinvocationPolicy": "IfNeeded",
    }


def _requests() -> JSONObject:
    return {
        "matchConstraints": _validated(_REQUESTS, "CREATE", "UPDATE"),
        "matchConditions": _expressions(complete=cel.HAS_SPEC),
        "variables": _expressions(now=cel.ANNOTATIONS, was=cel.OLD_ANNOTATIONS),
        "validations": [
            _forbids(cel.CLAIMS_TRULY, f"{_WHO_ASKS}: leave them out, they are filled in"),
            _forbids(cel.KEEPS_REQUESTER, f"{_WHO_ASKS} and cannot change: make a new CertificateRequest"),
            _forbids(
                cel.KEEPS_ANNOTATIONS,
                "annotations that begin with cert-manager.io or acme.cert-manager.io cannot change: "
                "make a new CertificateRequest",
            ),
        ],
    }


def _judgement(condition: str, **variables: str) -> JSONObject:
    """Whoever adds Approved or Denied needs the permission; `variables` say `signers` (plural.group) and `scope`."""
    return {
        "matchConstraints": _validated(f"{_REQUESTS}/status", "UPDATE"),
        "matchConditions": _expressions(judged=cel.IS_JUDGED, issuer=condition),
        "variables": _expressions(group=cel.GROUP, kind=cel.KIND, **variables, issuer=cel.ISSUER),
        "validations": [{"expression": cel.MAY_JUDGE, "messageExpression": cel.WHY_NOT, "reason": "Forbidden"}],
    }


def _approval() -> JSONObject:
    return _judgement(cel.IS_OURS, scope=cel.OUR_SCOPE, signers=cel.OUR_SIGNERS)


def _external_approval() -> JSONObject:
    parameter: JSONObject = {
        "apiVersion": POLICY_BINDING.resource.api_version,
        "kind": POLICY_BINDING.resource.kind,
    }
    judgement = _judgement(
        cel.IS_EXTERNAL,
        known=cel.KNOWN_KINDS,
        told=cel.TOLD_KIND,
        found=cel.FOUND_KIND,
        scope=cel.EXTERNAL_SCOPE,
        signers=cel.EXTERNAL_SIGNERS,
    )
    return {"paramKind": parameter, **judgement}
