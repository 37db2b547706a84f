"""MCP, both ways: the tools of an MCP server as a toolset, and a toolset as an MCP server.

connection.py  a server that runs while its toolset is used     listing.py  what a server lists -> a toolset
results.py     what a server answers -> an output               serving.py  a toolset -> an MCP server

Everything here needs the extra `mcp`, which is imported when it is used.
"""

from __future__ import annotations

from toolkit.mcp.connection import Connection, mcp_tools
from toolkit.mcp.serving import mcp_server

__all__ = ["Connection", "mcp_server", "mcp_tools"]
