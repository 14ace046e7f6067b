import pytest

from conversations.links import LONGEST_LINK, addresses, is_disguised, is_followable


@pytest.mark.parametrize("url", ["https://a.example/x?y#z", "http://localhost:8080", "mailto:dana@a.example"])
def test_web_and_mail_addresses_may_be_followed(url: str) -> None:
    assert is_followable(url)


@pytest.mark.parametrize(
    "url",
    [
        *("javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "slack://x", "//a.example", "src/a.py", ""),
        *("http://", "http://[", "https://a b", "mailto:", "https://a.example/" + "x" * LONGEST_LINK),
    ],
)
def test_other_schemes_and_broken_or_endless_addresses_may_not(url: str) -> None:
    assert not is_followable(url)


@pytest.mark.parametrize(
    ("shown", "url"),
    [
        ("https://github.com", "https://evil.example"),
        ("github.com", "https://evil.example/github.com"),
        ("github.com/acme", "https://github.com.evil.example/acme"),
        ("https://github.com/acme/api", "https://github.com/evil/api"),
        ("GitHub.com", "https://github.com@evil.example"),
        ("github\uff0ecom", "https://evil.example"),
        ("see www.github.com now", "https://evil.example"),
        ("help@a.example", "mailto:help@evil.example"),
    ],
)
def test_text_that_looks_like_another_address_is_a_disguise(shown: str, url: str) -> None:
    assert is_disguised(shown, url)


@pytest.mark.parametrize(
    ("shown", "url"),
    [
        ("the pull request", "https://github.com/acme/api/pull/1"),
        ("https://github.com/acme", "https://github.com/acme/"),
        ("www.github.com", "https://github.com/acme"),
        ("README.md", "https://github.com/acme/api/blob/main/README.md"),
        ("version 3.11, e.g. here", "https://python.example"),
        ("help@a.example", "mailto:help@a.example"),
    ],
)
def test_honest_text_is_none(shown: str, url: str) -> None:
    assert not is_disguised(shown, url)


def test_bare_addresses_end_before_the_punctuation_of_the_sentence() -> None:
    text = "See https://a.example/x_(y), (https://b.example)."
    assert [text[start:end] for start, end in addresses(text)] == ["https://a.example/x_(y)", "https://b.example"]
