from __future__ import annotations

from typing import Any

import pytest

from toolkit import DefinitionError
from toolkit.openapi.auth import Auth, Keys, Seal
from toolkit.openapi.document import Document

SCHEMES: dict[str, Any] = {
    "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "api_key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
    "bearer": {"type": "http", "scheme": "Bearer"},
    "basic": {"type": "http", "scheme": "basic"},
    "oauth": {"type": "oauth2", "flows": {}},
    "digest": {"type": "http", "scheme": "digest"},
}


def keys(auth: Auth, *schemes: str) -> Keys:
    components = {"securitySchemes": {name: SCHEMES[name] for name in schemes}}
    return Keys(Document({"openapi": "3.1.0", "paths": {}, "components": components}), auth)


@pytest.mark.parametrize(
    ("scheme", "auth", "seal"),
    [
        ("header", "sesame", Seal(headers={"X-Key": "sesame"}, secrets=("sesame",))),
        ("query", "sesame", Seal(query={"api_key": "sesame"}, secrets=("sesame",))),
        ("cookie", "sesame", Seal(cookies={"session": "sesame"}, secrets=("sesame",))),
        ("bearer", "sesame", Seal(headers={"Authorization": "Bearer sesame"}, secrets=("Bearer sesame", "sesame"))),
        ("oauth", "sesame", Seal(headers={"Authorization": "Bearer sesame"}, secrets=("Bearer sesame", "sesame"))),
        (
            "basic",
            ("ann", "pass"),
            Seal(
                headers={"Authorization": "Basic YW5uOnBhc3M="}, secrets=("Basic YW5uOnBhc3M=", "YW5uOnBhc3M=", "pass")
            ),
        ),
    ],
)
def test_a_key_goes_where_the_document_says(scheme: str, auth: Auth, seal: Seal) -> None:
    assert keys(auth, scheme).seal(None) == seal
    assert keys({scheme: auth}, *SCHEMES).seal(None) == seal  # type: ignore[dict-item]
    assert keys(lambda: auth, scheme).seal(None) == seal  # type: ignore[arg-type, return-value]


def test_without_a_scheme_it_is_a_bearer_token_or_a_user() -> None:
    assert keys("sesame").seal(None).headers == {"Authorization": "Bearer sesame"}
    assert keys(("a", "b")).seal((frozenset({"other"}),)).headers == {"Authorization": "Basic YTpi"}
    assert keys("sesame").seal(()) == Seal()
    assert keys(None, "header").seal(None) == Seal()


def test_an_operation_gets_what_it_takes_and_no_more() -> None:
    both = keys({"header": "sesame", "query": "open1"}, *SCHEMES)
    assert both.seal((frozenset({"bearer"}), frozenset({"query"}))) == Seal(
        query={"api_key": "open1"}, secrets=("open1",)
    )
    assert both.seal((frozenset({"header", "query"}),)).headers == {"X-Key": "sesame"}
    assert both.seal((frozenset(), frozenset({"header"}))).headers == {"X-Key": "sesame"}
    for nothing in ((), (frozenset(),), (frozenset({"bearer"}),)):
        assert both.seal(nothing) == Seal()


def test_keys_are_no_parameters_where_the_app_gives_them() -> None:
    assert set(keys({"header": "sesame"}, "header", "query").hidden) == {("header", "x-key"), ("query", "api_key")}
    assert keys(None, "header").hidden == ()


@pytest.mark.parametrize(
    ("auth", "schemes", "why"),
    [
        (
            "sesame",
            ["header", "query"],
            "takes keys in several ways: say which, auth={'header': ...}; they are header, query",
        ),
        ({"none": "sesame"}, ["header"], "auth= names 'none'; the document's security schemes are header"),
        ({"basic": "sesame"}, ["basic"], r"the document's security scheme basic takes \(user, password\)"),
        ({"digest": "sesame"}, ["digest"], "takes a way that is not known here"),
        ({"header": ("a", "sesame")}, ["header"], "header takes no user and password"),
        ("sesame\r\nX-Admin: 1", ["header"], "plain ASCII without spaces and line breaks"),
        ("", ["header"], "plain ASCII"),
        (("a:b", "sesame"), ["basic"], "the user's without a colon"),
        (("a", "b", "sesame"), ["basic"], "takes two texts"),
        ({"header": 1}, ["header"], "takes a key, a token"),
    ],
)
def test_what_has_no_place(auth: Any, schemes: list[str], why: str) -> None:
    with pytest.raises(DefinitionError, match=why) as caught:
        keys(auth, *schemes)
    assert "sesame" not in str(caught.value)


def test_secrets_are_never_shown() -> None:
    seal = keys("sesame", "bearer").seal(None)
    assert "sesame" not in repr(seal)
    assert seal.struck("you sent Bearer sesame, and sesame") == "you sent ***, and ***"
    assert keys("abc", "header").seal(None).struck("abc") == "abc"  # as short as that, it is no secret
