"""What a status write has to say: only what changes."""

from __future__ import annotations

from certwright.api.meta import JSON, ApiStruct, JSONObject, to_json


def status_changes(before: ApiStruct, after: ApiStruct) -> JSONObject:
    """The merge patch between two values of a status, null for what goes; empty where they are the same."""
    return _changes(to_json(before), to_json(after))


def _changes(old: JSONObject, new: JSONObject) -> JSONObject:
    changes = {
        name: _change(old.get(name), value) for name, value in new.items() if name not in old or old[name] != value
    }
    return changes | {name: None for name in old if name not in new}


def _change(before: JSON, after: JSON) -> JSON:
    """Of an object, what changes in it: a merge patch leaves there what it does not name."""
    return _changes(before, after) if isinstance(before, dict) and isinstance(after, dict) else after
