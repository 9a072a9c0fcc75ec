"""Options, markers and fixtures of the whole suite."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import settings
from tests import judges
from tests.cluster import api_server, cluster, cluster_kind

__all__ = ["api_server", "cluster", "cluster_kind"]


def pytest_configure() -> None:
    """No event loop but those of the tests: asyncio would make one unasked, which nobody closes."""
    asyncio.set_event_loop(None)
    # How long an example takes says more of the machine than of the code.
    settings.register_profile("certwright", deadline=None)
    settings.load_profile("certwright")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which API server `cluster` is, and whether the long tests run."""
    parser.addoption("--cluster", choices=["embedded", "real"], default="embedded", help="what the cluster fixture is")
    parser.addoption("--long", action="store_true", help="run the tests marked long too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long tests run only when asked for; on a real server only the tests that ask for one."""
    if config.getoption("--cluster") == "real":
        others = [item for item in items if "api_server" not in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in set(others)]
    if not config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="long: give --long"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests marked `needs` are skipped where their judge is absent."""
    for marker in item.iter_markers("needs"):
        for judge in marker.args:
            judges.require(judge)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The very last line names the judges that were missed."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    absent = judges.absent_in(str(report.longrepr) for report in reporter.stats.get("skipped", []))
    if absent:
        reporter.write_line(f"absent judges, whose tests were skipped: {', '.join(absent)}")
