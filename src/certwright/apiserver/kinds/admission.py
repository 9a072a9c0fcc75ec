"""Webhook configurations, and policies of admission with their bindings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from certwright.apiserver.admission.policies.faults import expression_faults
from certwright.apiserver.definition import Column, Hooks
from certwright.apiserver.kinds.build import Kind, columns
from certwright.apiserver.kinds.dsl import (
    anything,
    conditions,
    described,
    fields,
    items,
    keyed,
    label_selector,
    number,
    root,
    text,
    whole,
)
from certwright.apiserver.objects import child, children, ensure, texts
from certwright.apiserver.objects import text as text_of
from certwright.apiserver.schema.causes import Cause, duplicate, invalid, not_supported, required
from certwright.apiserver.schema.names import dns_subdomain
from certwright.kube.wire.json import JSON, JSONObject
from certwright.kube.wire.resources import Resource

GROUP = "admissionregistration.k8s.io"
_DNS_PARTS = 3
_LONGEST_TIMEOUT = 30
_MUTATED = ("*", "CONNECT", "CREATE", "UPDATE")
_SIDE_EFFECTS = ("None", "NoneOnDryRun")


def _default_webhooks(configuration: JSONObject) -> None:
    mutates = text_of(configuration, "kind").startswith("Mutating")
    for webhook in children(configuration, "webhooks"):
        filled: dict[str, JSON] = {
            "failurePolicy": "Fail",
            "matchPolicy": "Equivalent",
            "namespaceSelector": {},
            "objectSelector": {},
            "timeoutSeconds": 10,
            **({"reinvocationPolicy": "Never"} if mutates else {}),
        }
        for name, value in filled.items():
            webhook.setdefault(name, value)
        for rule in children(webhook, "rules"):
            rule.setdefault("scope", "*")
        service = child(child(webhook, "clientConfig"), "service")
        if service:
            service.setdefault("port", 443)


def _webhook_faults(configuration: JSONObject, _old: JSONObject | None) -> list[Cause]:
    found: list[Cause] = []
    names: set[str] = set()
    for index, webhook in enumerate(children(configuration, "webhooks")):
        path, name = f"webhooks[{index}]", text_of(webhook, "name")
        found += _name_faults(name, f"{path}.name")
        if name in names:
            found.append(duplicate(f"{path}.name", name))
        names.add(name)
        found += _client_faults(child(webhook, "clientConfig"), f"{path}.clientConfig")
        found += _call_faults(webhook, path)
    return found


def _name_faults(name: str, path: str) -> list[Cause]:
    if not name:
        return [required(path)]
    found = [invalid(path, name, fault) for fault in dns_subdomain(name)]
    if not found and len(name.split(".")) < _DNS_PARTS:
        found.append(invalid(path, name, "should be a domain with at least three segments separated by dots"))
    return found


def _client_faults(client: JSONObject, path: str) -> list[Cause]:
    url, service = text_of(client, "url"), client.get("service")
    if bool(url) == isinstance(service, dict):
        return [required(path, "exactly one of url or service is required")]
    if url and not url.startswith("https://"):
        shown = "'https' is the only allowed URL scheme; desired format: https://host[/path]"
        return [invalid(f"{path}.url", url, shown)]
    if isinstance(service, dict):
        return [
            required(f"{path}.service.{name}", f"service {name} is required")
            for name in ("name", "namespace")
            if not text_of(service, name)
        ]
    return []


def _call_faults(webhook: JSONObject, path: str) -> list[Cause]:
    found: list[Cause] = []
    effects, seconds = text_of(webhook, "sideEffects"), webhook.get("timeoutSeconds")
    if not effects:
        found.append(required(f"{path}.sideEffects", f"must specify one of {', '.join(_SIDE_EFFECTS)}"))
    elif effects not in _SIDE_EFFECTS:
        found.append(not_supported(f"{path}.sideEffects", effects, _SIDE_EFFECTS))
    versions = texts(webhook, "admissionReviewVersions")
    if not versions:
        rule = "must specify one of v1, v1beta1"
        found.append(required(f"{path}.admissionReviewVersions", rule))
    elif not {"v1", "v1beta1"} & set(versions):
        rule = "must include at least one of v1, v1beta1"
        found.append(invalid(f"{path}.admissionReviewVersions", webhook.get("admissionReviewVersions"), rule))
    if isinstance(seconds, int) and not 1 <= seconds <= _LONGEST_TIMEOUT:
        rule = "the timeout value must be between 1 and 30 seconds"
        found.append(invalid(f"{path}.timeoutSeconds", seconds, rule))
    for index, rule_of in enumerate(children(webhook, "rules")):
        place = f"{path}.rules[{index}]"
        found += [
            required(f"{place}.{name}")
            for name in ("operations", "apiGroups", "apiVersions", "resources")
            if not texts(rule_of, name)
        ]
    return found


_OPERATIONS = fields(
    "Which requests.",
    operations=items(text(), "CREATE, UPDATE, DELETE, CONNECT or *."),
    apiGroups=items(text(), "API groups, or *."),
    apiVersions=items(text(), "API versions, or *."),
    resources=items(text(), "Resources, as pods or pods/status, or *."),
    scope=text("Cluster, Namespaced or *."),
)
_CLIENT = fields(
    "How the webhook is reached.",
    url=text("Its URL."),
    service=fields(
        "Its service.",
        needs=("namespace", "name"),
        namespace=text("Its namespace."),
        name=text("Its name."),
        path=text("The path."),
        port=number("The port."),
    ),
    caBundle=text("Certificates that its certificate must chain to, in base64.", form="byte"),
)
_CONDITION = fields(
    "A condition of CEL.", needs=("name", "expression"), name=text("Its name."), expression=text("The expression.")
)


def _webhook_kind(plural: str, kind: str) -> Kind:
    webhook = fields(
        "One webhook.",
        needs=("name", "clientConfig", "sideEffects", "admissionReviewVersions"),
        name=text("Its name, a domain."),
        clientConfig=_CLIENT,
        rules=items(_OPERATIONS, "The requests that it is asked about."),
        failurePolicy=text("Ignore or Fail, where it does not answer."),
        matchPolicy=text("Exact or Equivalent."),
        namespaceSelector=label_selector("The namespaces that it is asked about."),
        objectSelector=label_selector("The objects that it is asked about."),
        sideEffects=text("None or NoneOnDryRun."),
        timeoutSeconds=number("Seconds that an answer may take."),
        admissionReviewVersions=items(text(), "Versions of AdmissionReview that it knows."),
        matchConditions=keyed(_CONDITION, "name", description="Further conditions."),
        reinvocationPolicy=text("Never or IfNeeded."),
    )
    return Kind(
        resource=Resource(GROUP, "v1", plural, kind, False),
        schema=root("Webhooks that are asked about requests.", webhooks=keyed(webhook, "name", description="They.")),
        categories=("api-extensions",),
        columns=columns(Column("Webhooks", "integer", cell=_webhook_count)),
        counts_generations=True,
        hooks=Hooks(default=_default_webhooks, faults=_webhook_faults),
    )


def _webhook_count(configuration: JSONObject, _now: datetime) -> int:
    return len(children(configuration, "webhooks"))


def _default_policy(policy: JSONObject) -> None:
    spec = ensure(policy, "spec")
    spec.setdefault("failurePolicy", "Fail")
    matching = child(spec, "matchConstraints")
    if matching:
        _default_match(matching)


def _default_match(matching: JSONObject) -> None:
    matching.setdefault("matchPolicy", "Equivalent")
    matching.setdefault("namespaceSelector", {})
    matching.setdefault("objectSelector", {})
    for name in ("resourceRules", "excludeResourceRules"):
        for rule in children(matching, name):
            rule.setdefault("scope", "*")


def _default_binding(binding: JSONObject) -> None:
    matching = child(child(binding, "spec"), "matchResources")
    if matching:
        _default_match(matching)


def _policy_faults(policy: JSONObject, _old: JSONObject | None) -> list[Cause]:
    spec = child(policy, "spec")
    found = [] if child(spec, "matchConstraints") else [required("spec.matchConstraints")]
    if text_of(policy, "kind").startswith("Validating"):
        if not children(spec, "validations") and not children(spec, "auditAnnotations"):
            rule = "validations or auditAnnotations must be non-empty"
            found += [required("spec.validations", rule), required("spec.auditAnnotations", rule)]
    else:
        found += _mutating_faults(spec)
    for index, entry in enumerate(children(spec, "validations")):
        if not text_of(entry, "expression").strip():
            found.append(required(f"spec.validations[{index}].expression", "expression is not specified"))
    return [*found, *expression_faults(spec)]


def _mutating_faults(spec: JSONObject) -> Iterator[Cause]:
    if not children(spec, "mutations"):
        yield required("spec.mutations", "mutations must contain at least one item")
    for rule in children(child(spec, "matchConstraints"), "resourceRules"):
        for operation in texts(rule, "operations"):
            if operation not in _MUTATED:
                yield not_supported("spec.matchConstraints.resourceRules.operations", operation, _MUTATED)


def _binding_faults(binding: JSONObject, _old: JSONObject | None) -> list[Cause]:
    spec = child(binding, "spec")
    found = [] if text_of(spec, "policyName") else [required("spec.policyName")]
    if text_of(binding, "kind").startswith("Validating") and not texts(spec, "validationActions"):
        found.append(required("spec.validationActions", "at least one validation action is required"))
    return found


_NAMED_RULE = whole(
    fields("Which requests, and which names.", open_ended=True, resourceNames=items(text(), "Names of objects."))
)
_MATCH = whole(
    fields(
        "Which requests.",
        namespaceSelector=label_selector("The namespaces."),
        objectSelector=label_selector("The objects."),
        resourceRules=items(_NAMED_RULE, "The resources."),
        excludeResourceRules=items(_NAMED_RULE, "Resources that are left out."),
        matchPolicy=text("Exact or Equivalent."),
    )
)
_PARAM_KIND = whole(fields("The kind of parameters.", apiVersion=text("Its API version."), kind=text("Its kind.")))
_VARIABLE = whole(
    fields("A named expression.", needs=("name", "expression"), name=text("Its name."), expression=text("It."))
)
_VALIDATION = fields(
    "A rule.",
    needs=("expression",),
    expression=text("The rule, in CEL."),
    message=text("What is said where it is broken."),
    messageExpression=text("What is said, in CEL."),
    reason=text("One word for the refusal."),
)
_MUTATION = fields(
    "A change.",
    needs=("patchType",),
    patchType=text("ApplyConfiguration or JSONPatch."),
    applyConfiguration=fields("What is applied.", expression=text("It, in CEL.")),
    jsonPatch=fields("A JSON patch.", expression=text("It, in CEL.")),
)
_POLICY_SHARED: dict[str, JSONObject] = {
    "paramKind": _PARAM_KIND,
    "matchConstraints": _MATCH,
    "failurePolicy": text("Ignore or Fail, where an expression fails."),
    "matchConditions": keyed(_CONDITION, "name", description="Further conditions."),
    "variables": keyed(_VARIABLE, "name", description="Expressions with a name."),
}


def _policy_kind(plural: str, kind: str, own: dict[str, JSONObject]) -> Kind:
    return Kind(
        resource=Resource(GROUP, "v1", plural, kind, False),
        schema=root(
            "Rules in CEL about requests.",
            spec=described("The rules.", {**_POLICY_SHARED, **own}),
            status=fields(
                "What is known of the rules.",
                observedGeneration=number("The generation that was looked at.", form="int64"),
                typeChecking=anything("Warnings of the type check."),
                conditions=conditions(),
            ),
        ),
        categories=("api-extensions",),
        subresources=("status",),
        columns=columns(
            Column("Validations", "integer", cell=lambda obj, _: len(children(child(obj, "spec"), "validations")))
            if "validations" in own
            else Column("Mutations", "integer", cell=lambda obj, _: len(children(child(obj, "spec"), "mutations"))),
            Column("ParamKind", cell=_param_kind),
        ),
        counts_generations=True,
        hooks=Hooks(default=_default_policy, faults=_policy_faults),
    )


def _param_kind(policy: JSONObject, _now: datetime) -> str:
    kind = child(child(policy, "spec"), "paramKind")
    return f"{text_of(kind, 'apiVersion')}/{text_of(kind, 'kind')}" if kind else "<unset>"


def _binding_kind(plural: str, kind: str, own: dict[str, JSONObject]) -> Kind:
    reference = fields(
        "Objects with parameters.",
        name=text("The object."),
        namespace=text("Its namespace."),
        selector=label_selector(),
        parameterNotFoundAction=text("Allow or Deny, where there is none."),
    )
    shared = {"policyName": text("The policy."), "paramRef": whole(reference), "matchResources": _MATCH}
    return Kind(
        resource=Resource(GROUP, "v1", plural, kind, False),
        schema=root(
            "Puts a policy into force.",
            spec=described("Which policy, and for what.", {**shared, **own}),
        ),
        categories=("api-extensions",),
        columns=columns(
            Column("PolicyName", path=".spec.policyName"),
            Column("ParamRef", cell=lambda obj, _: text_of(child(child(obj, "spec"), "paramRef"), "name") or "<unset>"),
        ),
        counts_generations=True,
        hooks=Hooks(default=_default_binding, faults=_binding_faults),
    )


_AUDIT = fields("A note.", needs=("key", "valueExpression"), key=text("Its key."), valueExpression=text("It, in CEL."))
KINDS = (
    _webhook_kind("validatingwebhookconfigurations", "ValidatingWebhookConfiguration"),
    _webhook_kind("mutatingwebhookconfigurations", "MutatingWebhookConfiguration"),
    _policy_kind(
        "validatingadmissionpolicies",
        "ValidatingAdmissionPolicy",
        {
            "validations": items(_VALIDATION, "The rules."),
            "auditAnnotations": items(_AUDIT, "Notes for the audit log."),
        },
    ),
    _binding_kind(
        "validatingadmissionpolicybindings",
        "ValidatingAdmissionPolicyBinding",
        {"validationActions": {**items(text(), "Deny, Warn, Audit."), "x-kubernetes-list-type": "set"}},
    ),
    _policy_kind(
        "mutatingadmissionpolicies",
        "MutatingAdmissionPolicy",
        {
            "mutations": items(_MUTATION, "The changes."),
            "reinvocationPolicy": text("Never or IfNeeded."),
        },
    ),
    _binding_kind("mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", {}),
)
