from __future__ import annotations

import pytest
from yarl import URL

from certwright.rest import Proxies

HTTP, HTTPS = "http://proxy.test:3128", "http://proxy.test:3129"


@pytest.mark.parametrize(
    ("rules", "url", "is_proxied"),
    [
        ("", "https://api.test/", True),
        ("*", "https://api.test/", False),
        ("api.test", "https://api.test/", False),
        ("api.test", "https://eu.api.test/", False),
        ("api.test", "https://otherapi.test/", True),
        (".api.test", "https://eu.api.test/", False),
        ("*.api.test", "https://eu.api.test/", False),
        ("API.test", "https://api.TEST./", False),
        ("other, api.test ,", "https://api.test/", False),
        ("api.test:443", "https://api.test/", False),
        ("api.test:8443", "https://api.test/", True),
        ("10.0.0.0/8", "https://10.1.2.3/", False),
        ("10.0.0.0/8", "https://11.1.2.3/", True),
        ("10.0.0.0/8", "https://api.test/", True),
        ("fd00::/8", "https://[fd00::1]/", False),
        ("10.1.2.3", "https://10.1.2.3/", False),
        ("fd00::1", "https://[fd00::1]/", False),
        ("[fd00::1]:443", "https://[fd00::1]/", False),
        ("10.0.0.0/99", "https://10.1.2.3/", True),
        ("", "https://localhost:8443/", False),
        ("", "https://127.0.0.2/", False),
        ("", "https://[::1]/", False),
    ],
)
def test_no_proxy_is_read_as_go_reads_it(rules: str, url: str, is_proxied: bool) -> None:
    proxies = Proxies.from_environment({"HTTP_PROXY": HTTP, "HTTPS_PROXY": HTTPS, "NO_PROXY": rules})

    assert proxies.for_url(URL(url)) == (HTTPS if is_proxied else None)


def test_the_scheme_chooses_the_proxy_and_lower_case_wins() -> None:
    proxies = Proxies.from_environment({"HTTP_PROXY": "http://upper.test", "http_proxy": HTTP})

    assert proxies.for_url(URL("http://api.test/")) == HTTP
    assert proxies.for_url(URL("https://api.test/")) is None


def test_credentials_are_in_no_repr() -> None:
    assert "hunter2" not in repr(Proxies("http://user:hunter2@proxy.test:1", "http://user:hunter2@proxy.test:1"))
