"""Expressions of the policies of admission, over the variables that the API server gives them."""

from __future__ import annotations

from typing import Final

from certwright.api.wellknown import CERT_MANAGER_GROUP, LEGACY_GROUP

_IDENTITY = {"username": "''", "uid": "''", "groups": "[]", "extra": "{}"}
"""The fields that say who asks, and what an empty one is."""

HAS_SPEC: Final = "has(object.spec)"
GROUP: Final = (
    "(has(object.spec.issuerRef.group) && object.spec.issuerRef.group != ''"
    f" ? object.spec.issuerRef.group : '{CERT_MANAGER_GROUP}')"
)
KIND: Final = (
    "(has(object.spec.issuerRef.kind) && object.spec.issuerRef.kind != '' ? object.spec.issuerRef.kind : 'Issuer')"
)
IS_OURS: Final = f"{GROUP} in ['{CERT_MANAGER_GROUP}', '{LEGACY_GROUP}']"
IS_EXTERNAL: Final = f"!({IS_OURS})"
IS_JUDGED: Final = """\
has(object.status) && has(object.status.conditions) && object.status.conditions.exists(c,
  c.type in ['Approved', 'Denied'] && !(has(oldObject.status) && has(oldObject.status.conditions)
    && oldObject.status.conditions.exists(was, was.type == c.type)))"""
"""Approved or Denied is there and was not."""

# JSON patches, since an applied configuration would leave the keys of a forged `extra` where they are.
SET_REQUESTER: Final = """\
[
  JSONPatch{op: 'add', path: '/spec/username', value: request.userInfo.username},
  JSONPatch{op: 'add', path: '/spec/uid', value: has(request.userInfo.uid) ? request.userInfo.uid : ''}
] + (has(request.userInfo.groups)
  ? [JSONPatch{op: 'add', path: '/spec/groups', value: request.userInfo.groups}]
  : has(object.spec.groups) ? [JSONPatch{op: 'remove', path: '/spec/groups'}] : [])
+ (has(request.userInfo.extra)
  ? [JSONPatch{op: 'add', path: '/spec/extra', value: request.userInfo.extra}]
  : has(object.spec.extra) ? [JSONPatch{op: 'remove', path: '/spec/extra'}] : [])"""


def _told(holder: str, field: str) -> str:
    return f"(has({holder}.{field}) ? {holder}.{field} : {_IDENTITY[field]})"


CLAIMS_TRULY: Final = "oldObject != null || (\n  {})".format(
    "\n  && ".join(
        f"{_told('object.spec', field)} in [{empty}, {_told('request.userInfo', field)}]"
        for field, empty in _IDENTITY.items()
    )
)
"""At CREATE what is said of the requester is nothing, or what the API server says itself."""
KEEPS_REQUESTER: Final = "oldObject == null || (\n  {})".format(
    "\n  && ".join(f"{_told('object.spec', field)} == {_told('oldObject.spec', field)}" for field in _IDENTITY)
)

ANNOTATIONS: Final = "has(object.metadata.annotations) ? object.metadata.annotations : {}"
OLD_ANNOTATIONS: Final = (
    "oldObject != null && has(oldObject.metadata.annotations) ? oldObject.metadata.annotations : {}"
)
_GUARDED = "(key.startsWith('cert-manager.io') || key.startsWith('acme.cert-manager.io'))"
KEEPS_ANNOTATIONS: Final = f"""\
oldObject == null || (
  variables.was.all(key, !{_GUARDED} || key in variables.now)
  && variables.now.all(key, !{_GUARDED} || (key in variables.was && variables.was[key] == variables.now[key])))"""

ISSUER: Final = (
    "variables.scope == 'Cluster' ? object.spec.issuerRef.name"
    " : object.metadata.namespace + '.' + object.spec.issuerRef.name"
)
_SIGNERS = "authorizer.group('cert-manager.io').resource('signers')"
MAY_JUDGE: Final = f"""\
variables.signers != '' && (
  {_SIGNERS}.name(variables.signers + '/*').check('approve').allowed()
  || {_SIGNERS}.name(variables.signers + '/' + variables.issuer).check('approve').allowed())"""
WHY_NOT: Final = """\
variables.signers == ''
  ? 'there is no issuer kind ' + variables.kind + ' in group ' + variables.group
    + ': correct issuerRef, or install the issuer and try again in a minute'
  : request.userInfo.username + ' may not approve or deny for this issuer: let a ClusterRole grant the verb approve on '
    + 'signers.cert-manager.io with the name ' + variables.signers + '/* or '
    + variables.signers + '/' + variables.issuer"""

OUR_SCOPE: Final = "variables.kind == 'ClusterIssuer' ? 'Cluster' : 'Namespaced'"
OUR_SIGNERS: Final = (
    "variables.kind == 'Issuer' ? 'issuers.' + variables.group"
    " : variables.kind == 'ClusterIssuer' ? 'clusterissuers.' + variables.group : ''"
)
KNOWN_KINDS: Final = "has(params.metadata.annotations) ? params.metadata.annotations : {}"
TOLD_KIND: Final = """\
(variables.group + '/' + variables.kind) in variables.known
  ? variables.known[variables.group + '/' + variables.kind] : ''"""
FOUND_KIND: Final = """\
variables.told.matches('^(Namespaced|Cluster)/[a-z0-9.-]+$') ? variables.told.split('/') : ['', '']"""
"""The annotations of others say nothing of kinds."""
EXTERNAL_SCOPE: Final = "variables.found[0]"
EXTERNAL_SIGNERS: Final = "variables.found[1] == '' ? '' : variables.found[1] + '.' + variables.group"
