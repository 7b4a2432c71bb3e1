"""The user's pip settings reach uv, and what the user told uv itself wins."""

import pytest

from bench.pip_config import parse_pip_config, uv_variables

LISTING = """\
:env:.find-links='./wheels'
global.find-links='./old'
global.extra-index-url='https://one.example/simple https://two.example/simple'
install.index-url='https://mirror.example/simple'
global.index-url='https://other.example/simple'
freeze.timeout='10'
global.broken='unterminated
"""


def test_the_install_section_beats_global_and_the_environment_beats_both() -> None:
    assert parse_pip_config(LISTING) == {
        "find-links": "./wheels",
        "extra-index-url": "https://one.example/simple https://two.example/simple",
        "index-url": "https://mirror.example/simple",
    }


def test_the_winning_section_does_not_depend_on_the_order_of_lines() -> None:
    reversed_listing = "\n".join(reversed(LISTING.splitlines()))
    assert parse_pip_config(reversed_listing) == parse_pip_config(LISTING)


def test_every_place_pip_looks_is_handed_on() -> None:
    pip = {"index-url": "https://m/simple", "extra-index-url": "https://a\nhttps://b", "find-links": "./x ./y"}
    pip |= {"cert": "/ca.pem", "trusted-host": "m a", "proxy": "http://p:1", "timeout": "60", "no-index": "true"}
    assert uv_variables(pip, {}) == {
        "UV_DEFAULT_INDEX": "https://m/simple",
        "UV_EXTRA_INDEX_URL": "https://a https://b",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "./x,./y",
        "SSL_CERT_FILE": "/ca.pem",
        "UV_INSECURE_HOST": "m a",
        "ALL_PROXY": "http://p:1",
        "UV_HTTP_TIMEOUT": "60",
        "UV_NO_INDEX": "1",
    }


@pytest.mark.parametrize("seconds", ["", "soon", "inf", "-1"])
def test_a_timeout_that_is_no_number_of_seconds_is_left_out(seconds: str) -> None:
    assert uv_variables({"timeout": seconds}, {}) == {}


@pytest.mark.parametrize("own", ["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_an_index_set_for_uv_is_left_alone(own: str) -> None:
    assert "UV_DEFAULT_INDEX" not in uv_variables({"index-url": "https://m/simple"}, {own: "https://mine/simple"})


def test_nothing_configured_changes_nothing() -> None:
    assert uv_variables({}, {}) == {}
