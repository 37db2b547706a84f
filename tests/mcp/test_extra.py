from __future__ import annotations

import sys

import pytest

from toolkit import ServerUnavailable, Toolset
from toolkit.mcp import mcp_server, mcp_tools


def test_the_missing_package_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    for use in (lambda: mcp_tools("uvx", "server"), lambda: mcp_server(Toolset())):
        with pytest.raises(ServerUnavailable) as caught:
            use()
        assert str(caught.value) == 'MCP needs one more package: pip install "assistants-toolkit[mcp]"'
