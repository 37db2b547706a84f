"""Lists, page by page: `limit`, `order`, `after` and `before`, as every list of the API takes them.

A list that is called `assistant.page` has three statements in the queries of its noun:

- `assistant.page_asc` and `assistant.page_desc` select `id`, `body` (or what else `wire` needs), `created_at` and `seq`
  of the rows between `:low_at, :low_seq` and `:high_at, :high_seq`, both excluded, in the list's order or backwards, at
  most `:limit` of them. A list that is ordered by `seq` alone looks at the two `_seq` bounds only.
- `assistant.page_cursor` selects `created_at` and `seq` of the object `:id`.

All of them take the scope's own parameters, such as `:project`. Pages are found by keys, never by offsets, so a page
costs the same anywhere in a list. Where a deleted object stood is remembered (`bury`): clients delete while they page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from toolkit.engine.store import Row, Tx
from toolkit.errors import Refused

__all__ = ["PageQuery", "bury", "page"]

_Position = tuple[int, int]
_FIRST: Final[_Position] = (-1, -1)
_LAST: Final[_Position] = (2**62, 2**62)
_BURIED_KEPT: Final = 10_000


class PageQuery(BaseModel):
    """The query of a list, from the URL: values come as text. An empty cursor is none."""

    limit: Annotated[int, Field(ge=1, le=100)] = 20
    order: Literal["asc", "desc"] = "desc"
    after: str | None = None
    before: str | None = None


def _body(row: Row) -> str:
    body: str = row["body"]
    return body


def page(
    tx: Tx, name: str, query: PageQuery, *, wire: Callable[[Row], str] = _body, within: str = "", **scope: Any
) -> str:
    """Read a page of the list `name` as JSON text. Raises Refused (400) for a cursor that names nothing.

    `within` is what ids are told apart by where the same one stands in several lists, as in `bury`.

    With `before` alone it is the page that ends at the cursor, in the order of the list; else it starts at `after`, or
    at the list's head. `has_more` says whether the list goes on in the direction that was asked for.
    """
    after = _position(tx, name, query.after, "after", within, scope)
    before = _position(tx, name, query.before, "before", within, scope)
    low, high = (after, before) if query.order == "asc" else (before, after)
    backwards = before is not None and after is None
    way = "asc" if (query.order == "asc") != backwards else "desc"
    low_at, low_seq = low or _FIRST
    high_at, high_seq = high or _LAST
    bounds = {"low_at": low_at, "low_seq": low_seq, "high_at": high_at, "high_seq": high_seq}
    rows = tx.all(f"{name}_{way}", limit=query.limit + 1, **bounds, **scope)
    has_more = len(rows) > query.limit
    rows = rows[: query.limit]
    if backwards:
        rows = rows[::-1]
    first, last = (f'"{rows[0]["id"]}"', f'"{rows[-1]["id"]}"') if rows else ("null", "null")
    data = ",".join(map(wire, rows))
    more = "true" if has_more else "false"
    return f'{{"object":"list","data":[{data}],"first_id":{first},"last_id":{last},"has_more":{more}}}'


def bury(tx: Tx, project: str, row: Row, *, within: str = "") -> None:
    """Remember where an object stood that is being deleted; `row` has its id, created_at and seq."""
    values = {"id": within + row["id"], "project": project, "created_at": row["created_at"], "seq": row["seq"]}
    buried = tx.one("gone.insert", **values)
    if buried is not None:
        tx.run("gone.forget", up_to=buried["number"] - _BURIED_KEPT)


def _position(
    tx: Tx, name: str, cursor: str | None, param: str, within: str, scope: dict[str, Any]
) -> _Position | None:
    if not cursor:
        return None
    row = tx.one(f"{name}_cursor", id=cursor, **scope)
    row = row or tx.one("gone.get", id=within + cursor, project=scope["project"])
    if row is None:
        raise Refused(f"No object found with id '{cursor}' to list from.", param=param, code="invalid_value")
    return row["created_at"], row["seq"]
