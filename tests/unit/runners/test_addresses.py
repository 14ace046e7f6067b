"""Addresses of repositories, and the credentials in them."""

from pathlib import Path

import pytest

from runners.addresses import read_address


@pytest.mark.parametrize(
    "text", ["https://github.com/acme/widgets.git", "ssh://git@host:22/widgets", "git@host:widgets.git", "host:a/b"]
)
def test_an_address_that_git_understands_stays_as_it_is(text: str) -> None:
    address = read_address(text)
    assert (address.url, address.local) == (text, None)


@pytest.mark.parametrize("text", ["/srv/widgets", "file:///srv/widgets", "/srv/x/../widgets"])
def test_a_path_is_made_absolute(text: str) -> None:
    address = read_address(text)
    assert (address.url, address.local) == ("/srv/widgets", Path("/srv/widgets"))


def test_a_path_may_hold_a_colon() -> None:
    assert read_address("./odd:name").local == Path("odd:name").resolve()


def test_the_credential_is_taken_out_of_an_address() -> None:
    address = read_address("https://dana:hunter%2F2@host.example:8443/widgets.git")
    assert address.url == "https://host.example:8443/widgets.git"
    assert (address.user, address.password) == ("dana", "hunter/2")


def test_who_asks_makes_no_other_mirror() -> None:
    assert read_address("https://a:b@host/x").key == read_address("https://host/x").key


def test_text_is_shown_without_credentials() -> None:
    address = read_address("https://dana:hunter2@host/x")
    said = "fatal: https://dana:hunter2@host/x: hunter2 is wrong; see http://tok@else.where/y"
    assert address.redact(said) == "fatal: https://host/x: *** is wrong; see http://else.where/y"


def test_plain_http_is_spoken_with_ourselves_only() -> None:
    assert "http" in read_address("http://127.0.0.1:8000/x").protocols.split(":")
    assert "http" not in read_address("http://example.org/x").protocols.split(":")
