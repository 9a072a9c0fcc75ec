"""What a status write has to say: only what changes."""

from __future__ import annotations

from certwright.api.meta import ApiStruct, JSONObject, to_json


def status_changes(before: ApiStruct, after: ApiStruct) -> JSONObject:
    """The merge patch between two values of a status, null for what goes; empty where they are the same."""
    old, new = to_json(before), to_json(after)
    changes: JSONObject = {name: value for name, value in new.items() if name not in old or old[name] != value}
    return changes | {name: None for name in old if name not in new}
