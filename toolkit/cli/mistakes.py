"""What people get wrong at the command line becomes one to three lines and an exit code."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Callable

from toolkit.errors import EngineError, RunError, StoreUnavailable, ToolkitError

__all__ = ["STOPPED", "Mistake", "guarded"]


class Mistake(Exception):
    """Something in the command or around it that the person can mend; the text names the remedy. Exit code 2."""


STOPPED = 130
"""Exit code for Ctrl-C, as shells have it."""


def guarded(command: Callable[[], int]) -> int:
    """Run a command, say in short what stopped it, and give the exit code.

    2 for what was asked wrongly (as typer does), 1 for what was asked rightly and did not work, 130 for Ctrl-C.
    """
    try:
        return command()
    except StoreUnavailable as error:
        return _said(str(error), 1)
    except (Mistake, EngineError) as error:
        return _said(str(error), 2)
    except (RunError, ToolkitError) as error:
        return _said(str(error), 1)
    except KeyboardInterrupt:
        return _said("Stopped.", STOPPED)
    except BrokenPipeError:  # `toolkit ... | head` has read enough; nothing more may be written, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        return _outer(error)


def _outer(error: Exception) -> int:
    """Say what typer or the openai client raised; anything else is a fault of ours and keeps its traceback."""
    usage = getattr(error, "format_message", None)  # typer's usage errors, whichever module they live in this year
    if usage is not None:
        text = usage()
        if "\n" in text:  # a command without arguments: its whole help
            return _said(text, 2)
        context = getattr(error, "ctx", None)
        asked = context.command_path if context is not None else "toolkit"
        return _said(f"{text.rstrip('.')}{'' if text.endswith('?') else '.'} See: {asked} --help", 2)
    if type(error).__module__.partition(".")[0] == "openai":
        return _said(_from_server(error), 1)
    raise error


def _from_server(error: Exception) -> str:
    from openai import APIConnectionError, APIStatusError, AuthenticationError

    if isinstance(error, APIStatusError):
        said = error.message.removeprefix(f"Error code: {error.status_code} - ")
        if isinstance(error, AuthenticationError):
            return f"The server refused the key: {said.rstrip('.')}. Give it with --url-key, or set TOOLKIT_URL_KEY."
        return f"The server refused ({error.status_code}): {said}"
    if isinstance(error, APIConnectionError):
        address = str(error.request.url).partition("?")[0]
        return f"No server answers at {address}. Is it running? Start one with: toolkit serve"
    return str(error)


def _said(text: str, code: int) -> int:
    if sys.stderr.isatty():
        text = "\n".join(_filled(line, shutil.get_terminal_size().columns) for line in text.splitlines())
    print(text, file=sys.stderr)  # noqa: T201 - a command's own output
    return code


def _filled(line: str, width: int) -> str:
    """Break a line between words, where a terminal would do it anywhere; help that fits stays as it is."""
    if len(line) <= width:
        return line
    return textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
