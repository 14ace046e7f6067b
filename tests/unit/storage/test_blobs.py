"""Blobs in a directory."""

from pathlib import Path

import pytest

from storage.blobs import DirectoryBlobs


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "upload"
    path.write_bytes(b"content")
    return path


@pytest.fixture
def blobs(tmp_path: Path) -> DirectoryBlobs:
    return DirectoryBlobs(tmp_path / "store" / "blobs")


async def test_a_blob_is_moved_in_and_found_by_its_name(blobs: DirectoryBlobs, source: Path) -> None:
    await blobs.put("session/shot.png", source)
    found = await blobs.path("session/shot.png")
    assert found is not None
    assert found.read_bytes() == b"content"
    assert not list(source.parent.glob("upload*"))


async def test_a_newer_blob_replaces_an_older_one(blobs: DirectoryBlobs, source: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    newer.write_bytes(b"newer")
    await blobs.put("a", source)
    await blobs.put("a", newer)
    found = await blobs.path("a")
    assert found is not None
    assert found.read_bytes() == b"newer"
    assert [path.name for path in found.parent.iterdir()] == ["a"]


async def test_no_such_blob_is_none(blobs: DirectoryBlobs, source: Path) -> None:
    assert await blobs.path("a") is None
    await blobs.put("folder/a", source)
    assert await blobs.path("folder") is None


NAMES = (
    "../../outside",
    "..",
    ".hidden",
    "/etc/passwd",
    "a/../../b",
    "nul\0byte",
    "new\nline",
    "x" * 300,
    "ünï/cödé ✋",
    "\ud800",
    "%2e%2e/up",
    "a%2Fb",
)


@pytest.mark.parametrize("name", NAMES)
async def test_no_name_leads_out_of_the_directory(
    blobs: DirectoryBlobs, source: Path, tmp_path: Path, name: str
) -> None:
    await blobs.put(name, source)
    found = await blobs.path(name)
    assert found is not None
    assert found.is_relative_to(tmp_path / "store" / "blobs")
    assert ".." not in found.relative_to(tmp_path).parts
    assert not found.name.startswith(".")


async def test_different_names_are_different_blobs(blobs: DirectoryBlobs, tmp_path: Path) -> None:
    names = [f"session/{name}" for name in (*NAMES, "x" * 301, "a/b", "A", "a", "a b")]
    for number, name in enumerate(names):
        upload = tmp_path / f"upload{number}"
        upload.write_text(str(number))
        await blobs.put(name, upload)
    found = [await blobs.path(name) for name in names]
    assert [path.read_text() for path in found if path] == [str(number) for number in range(len(names))]
