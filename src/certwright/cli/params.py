"""Parameter types of the command line, in the spelling that the flags of other Kubernetes controllers have."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from certwright.api.meta import parse_duration


class Duration(click.ParamType[timedelta]):
    """A Go duration: `90s`, `1h30m`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Level(click.ParamType[int]):
    """A number; `-v=4` is taken too, as Go's flags have it."""

    name = "level"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return int(str(value).removeprefix("="))
        except ValueError:
            self.fail(f"{value!r} is not a number", param, ctx)


class List(click.ParamType[tuple[str, ...]]):
    """Values joined by commas; the flag may also be given several times."""

    name = "list"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,  # noqa: ARG002  click calls it so
        ctx: click.Context | None,  # noqa: ARG002  likewise
    ) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        return tuple(part.strip() for part in str(value).split(",") if part.strip())


class ConnectTo(click.ParamType[tuple[str, str]]):
    """`HOST:PORT:TARGET:PORT`, as curl's --connect-to has it; IPv6 targets stand in brackets."""

    name = "HOST:PORT:TARGET:PORT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        host, _, rest = str(value).partition(":")
        port, _, target = rest.partition(":")
        name, _, target_port = target.rpartition(":")
        if not (host and port.isdigit() and name and target_port.isdigit()):
            self.fail(
                f"{value!r} is not HOST:PORT:TARGET:PORT, such as acme.example.com:443:127.0.0.1:14000", param, ctx
            )
        return f"{host}:{port}", f"{name}:{target_port}"


class Setting(click.ParamType[tuple[str, str]]):
    """`NAME=VALUE`."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, found = str(value).partition("=")
        if not equals or not name:
            self.fail(f"{value!r} is not NAME=VALUE", param, ctx)
        return name, found


DURATION = Duration()
LEVEL = Level()
LIST = List()
CONNECT_TO = ConnectTo()
SETTING = Setting()


def joined(values: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """All values of a list flag that was given several times."""
    return tuple(value for part in values for value in part)
