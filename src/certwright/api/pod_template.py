"""The part of a Pod that an HTTP-01 solver may be given: fields in the order of the Kubernetes types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from certwright.api.meta import ApiStruct, Int32, Int64, LabelSelector, always, doc

Quantities = Mapping[str, int | str]


class SELinuxOptions(ApiStruct, frozen=True, kw_only=True):
    """SELinux context."""

    user: Annotated[str, doc("SELinux user.")] = ""
    role: Annotated[str, doc("SELinux role.")] = ""
    type: Annotated[str, doc("SELinux type.")] = ""
    level: Annotated[str, doc("SELinux level.")] = ""


class Sysctl(ApiStruct, frozen=True, kw_only=True):
    """A kernel parameter."""

    name: Annotated[str, doc("Name of the kernel parameter.")]
    value: Annotated[str, doc("Value of the kernel parameter.")]


class SeccompProfile(ApiStruct, frozen=True, kw_only=True):
    """A filter of system calls."""

    type: Annotated[str, doc("RuntimeDefault, Localhost or Unconfined.")]
    localhost_profile: Annotated[str | None, doc("File of the profile on the node; with Localhost only.")] = None


class PodSecurityContext(ApiStruct, frozen=True, kw_only=True):
    """Security settings of the solver Pod."""

    se_linux_options: Annotated[SELinuxOptions | None, doc("SELinux context of the containers.")] = None
    run_as_user: Annotated[Int64 | None, doc("User id of the process.")] = None
    run_as_group: Annotated[Int64 | None, doc("Group id of the process.")] = None
    run_as_non_root: Annotated[bool | None, doc("Refuse to start as root.")] = None
    supplemental_groups: Annotated[tuple[Int64, ...], doc("More group ids of the process.")] = ()
    fs_group: Annotated[Int64 | None, doc("Group that owns the volumes.")] = None
    sysctls: Annotated[tuple[Sysctl, ...], doc("Namespaced kernel parameters.")] = ()
    fs_group_change_policy: Annotated[str | None, doc("When to change volume ownership: Always, OnRootMismatch.")] = (
        None
    )
    seccomp_profile: Annotated[SeccompProfile | None, doc("Filter of system calls.")] = None


class NodeSelectorRequirement(ApiStruct, frozen=True, kw_only=True):
    """One condition on a node."""

    key: Annotated[str, doc("Label key or field of the node.")]
    operator: Annotated[str, doc("In, NotIn, Exists, DoesNotExist, Gt or Lt.")]
    values: Annotated[tuple[str, ...], doc("Values to compare with; none for Exists and DoesNotExist.")] = ()


_NodeRequirements = tuple[NodeSelectorRequirement, ...]


class NodeSelectorTerm(ApiStruct, frozen=True, kw_only=True):
    """Conditions on a node; all must hold."""

    match_expressions: Annotated[_NodeRequirements, doc("Conditions on node labels.")] = ()
    match_fields: Annotated[_NodeRequirements, doc("Conditions on node fields.")] = ()


_AtomicTerm = Annotated[NodeSelectorTerm, msgspec.Meta(extra_json_schema={"x-kubernetes-map-type": "atomic"})]
_AtomicSelector = Annotated[LabelSelector, msgspec.Meta(extra_json_schema={"x-kubernetes-map-type": "atomic"})]


class NodeSelector(ApiStruct, frozen=True, kw_only=True):
    """Which nodes will do."""

    node_selector_terms: Annotated[tuple[_AtomicTerm, ...], doc("A node fits if one of these holds.")]


_AtomicNodes = Annotated[NodeSelector, msgspec.Meta(extra_json_schema={"x-kubernetes-map-type": "atomic"})]


class PreferredSchedulingTerm(ApiStruct, frozen=True, kw_only=True):
    """A wish about nodes."""

    weight: Annotated[Int32, doc("How much it counts, 1 to 100.")]
    preference: Annotated[_AtomicTerm, doc("The nodes preferred.")]


class NodeAffinity(ApiStruct, frozen=True, kw_only=True):
    """Which nodes to take."""

    required_during_scheduling_ignored_during_execution: Annotated[
        _AtomicNodes | None, doc("Nodes that will do at all.")
    ] = None
    preferred_during_scheduling_ignored_during_execution: Annotated[
        tuple[PreferredSchedulingTerm, ...], doc("Nodes preferred among those.")
    ] = ()


class PodAffinityTerm(ApiStruct, frozen=True, kw_only=True):
    """Pods to be near to or far from."""

    label_selector: Annotated[_AtomicSelector | None, doc("The Pods meant, by label.")] = None
    namespaces: Annotated[tuple[str, ...], doc("Namespaces of those Pods; this one if empty.")] = ()
    topology_key: Annotated[str, doc("Node label that says what counts as one place.")]
    namespace_selector: Annotated[_AtomicSelector | None, doc("More namespaces, by label.")] = None
    match_label_keys: Annotated[tuple[str, ...], doc("Labels whose values must equal this Pod's.")] = ()
    mismatch_label_keys: Annotated[tuple[str, ...], doc("Labels whose values must differ from this Pod's.")] = ()


class WeightedPodAffinityTerm(ApiStruct, frozen=True, kw_only=True):
    """A wish about other Pods."""

    weight: Annotated[Int32, doc("How much it counts, 1 to 100.")]
    pod_affinity_term: Annotated[PodAffinityTerm, doc("The Pods meant.")]


class PodAffinity(ApiStruct, frozen=True, kw_only=True):
    """Other Pods to be placed with, or apart from."""

    required_during_scheduling_ignored_during_execution: Annotated[
        tuple[PodAffinityTerm, ...], doc("Terms that must hold.")
    ] = ()
    preferred_during_scheduling_ignored_during_execution: Annotated[
        tuple[WeightedPodAffinityTerm, ...], doc("Terms that are wished for.")
    ] = ()


class Affinity(ApiStruct, frozen=True, kw_only=True):
    """Where the scheduler may put the Pod."""

    node_affinity: Annotated[NodeAffinity | None, doc("Which nodes to take.")] = None
    pod_affinity: Annotated[PodAffinity | None, doc("Pods to be placed with.")] = None
    pod_anti_affinity: Annotated[PodAffinity | None, doc("Pods to be placed apart from.")] = None


class Toleration(ApiStruct, frozen=True, kw_only=True):
    """A taint that the Pod puts up with."""

    key: Annotated[str, doc("Key of the taint; empty means every key.")] = ""
    operator: Annotated[str, doc("Equal (default) or Exists.")] = ""
    value: Annotated[str, doc("Value of the taint, with Equal.")] = ""
    effect: Annotated[str, doc("Effect of the taint; empty means every effect.")] = ""
    toleration_seconds: Annotated[Int64 | None, doc("How long to stay, with NoExecute; unset means always.")] = None


class ImagePullSecret(ApiStruct, frozen=True, kw_only=True):
    """Names a Secret with registry credentials."""

    name: Annotated[str, doc("Name of the Secret.", default="")] = ""


_AtomicSecret = Annotated[ImagePullSecret, msgspec.Meta(extra_json_schema={"x-kubernetes-map-type": "atomic"})]


class ResourceRequirements(ApiStruct, frozen=True, kw_only=True):
    """CPU and memory of the solver container."""

    limits: Annotated[Quantities, doc("The most it may use.")] = msgspec.field(default_factory=dict)
    requests: Annotated[Quantities, doc("What is set aside for it.")] = msgspec.field(default_factory=dict)


class SolverPodSpec(ApiStruct, frozen=True, kw_only=True):
    """The fields of a PodSpec that may be set."""

    node_selector: Annotated[Mapping[str, str], doc("Labels that the node must have.")] = msgspec.field(
        default_factory=dict
    )
    affinity: Annotated[Affinity | None, doc("Where the scheduler may put the Pod.")] = None
    tolerations: Annotated[tuple[Toleration, ...], doc("Taints that the Pod puts up with.")] = ()
    priority_class_name: Annotated[str, doc("Priority class of the Pod.")] = ""
    service_account_name: Annotated[str, doc("Service account of the Pod.")] = ""
    image_pull_secrets: Annotated[
        tuple[_AtomicSecret, ...],
        doc(
            "Secrets for pulling the solver image.",
            **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
    ] = ()
    security_context: Annotated[PodSecurityContext | None, doc("Security settings of the Pod.")] = None
    resources: Annotated[ResourceRequirements | None, doc("CPU and memory; over the defaults of the flags.")] = None


class TemplateMeta(ApiStruct, frozen=True, kw_only=True):
    """Annotations and labels to add."""

    annotations: Annotated[Mapping[str, str], doc("Annotations to add.")] = msgspec.field(default_factory=dict)
    labels: Annotated[Mapping[str, str], doc("Labels to add.")] = msgspec.field(default_factory=dict)


class PodTemplate(ApiStruct, frozen=True, kw_only=True):
    """Changes to the solver Pod."""

    metadata: Annotated[TemplateMeta, doc("Annotations and labels of the Pod.")] = always(TemplateMeta())
    spec: Annotated[SolverPodSpec, doc("Fields of the Pod that are laid over the defaults.")] = always(SolverPodSpec())


class IngressTemplate(ApiStruct, frozen=True, kw_only=True):
    """Changes to the solver Ingress."""

    metadata: Annotated[TemplateMeta, doc("Annotations and labels of the Ingress.")] = always(TemplateMeta())
