"""Which packages sessions can import."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.sandbox.packages import extra, parts


def test_the_extra_is_what_the_project_says() -> None:
    names = extra()
    assert {"numpy", "pandas", "matplotlib", "openpyxl", "pillow", "scipy", "python-pptx", "plotly"} == set(names)


def test_a_package_brings_what_it_needs_and_nothing_else() -> None:
    names = {part.name.split("-")[0] for part in parts(["openpyxl"])}
    assert names == {"openpyxl", "et_xmlfile"}
    assert all(part.path.exists() for part in parts(["openpyxl"]))


def test_site_packages_are_never_a_part() -> None:
    for part in parts(extra()):
        assert part.path.name == part.name != "site-packages"
        assert "/" not in part.name
        assert part.path.parent != Path(part.path.anchor)


def test_files_elsewhere_bring_no_folder_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "odd-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
    (told / "RECORD").write_text("odd.py,,\n/usr/share/odd,,\n./odd.py,,\n../../bin/odd,,\n")
    (tmp_path / "odd.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert [part.name for part in parts(["odd"])] == ["odd.py"]


def test_what_the_engine_stands_on_is_not_among_them() -> None:
    names = {part.name for part in parts(extra())}
    assert names.isdisjoint(
        {"openai", "pydantic", "pydantic_core", "uvicorn", "httpx2", "toolkit", "starlette", "anyio"}
    )


def test_what_is_not_installed_is_left_out() -> None:
    assert parts(["no-such-package-at-all"]) == ()
