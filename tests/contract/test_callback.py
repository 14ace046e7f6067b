"""The worker protocol as `runners.wire` promises it, over a real unix socket."""

import asyncio
import errno
import io
import json
import os
import stat
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiohttp import ClientResponse, ClientSession, UnixConnector

from runners.callback import CallbackLimits, CallbackServer, blob_name
from runners.errors import SocketUnusable
from runners.wire import BATCH_BYTES, BATCH_FRAMES, WireBootstrap, WireInputs, WirePublished
from sessions.errors import IngestBusy, LaunchFenced, PublishRefused
from sessions.events import AgentSaid, Quarantined
from sessions.models import FailureKind
from sessions.ports import RepositoryUnusable, Unavailable
from tests.eventually import eventually
from tests.fakes_desk import SESSION, TICKET, FakeBlobs, FakeDesk, FakeMirrors, message

LIMITS = CallbackLimits(blob_bytes=100_000, wait_s=0.2, body_s=1.0, close_s=2.0)


@dataclass
class House:
    """A server and a worker's way to it."""

    desk: FakeDesk
    mirrors: FakeMirrors
    blobs: FakeBlobs
    server: CallbackServer
    http: ClientSession
    socket: Path

    async def call(self, method: str, what: str, **more: object) -> ClientResponse:
        headers = {"Authorization": f"Bearer {self.desk.token}"}
        url = f"http://bot/worker/v1/launches/{self.desk.launch}/{what}"
        return await self.http.request(method, url, **{"headers": headers, **more})  # type: ignore[arg-type]

    async def send(self, first: int, *frames: object) -> ClientResponse:
        return await self.call(
            "POST", "frames", data=io.BytesIO(json.dumps({"first": first, "frames": frames}).encode())
        )


def said(text: str) -> dict[str, str]:
    return {"kind": "agent_said", "message": "m", "text": text}


@pytest.fixture
def short() -> Iterator[Path]:
    """A directory whose path leaves room for a socket's name."""
    with tempfile.TemporaryDirectory(prefix="vb") as directory:
        yield Path(directory)


@asynccontextmanager
async def opened(directory: Path, limits: CallbackLimits = LIMITS) -> AsyncIterator[House]:
    desk, mirrors, blobs = FakeDesk(), FakeMirrors(), FakeBlobs(directory / "blobs")
    server = CallbackServer(desk, blobs, mirrors, spool=directory / "spool", limits=limits)
    socket = directory / "w.sock"
    await server.start(socket)
    try:
        async with ClientSession(connector=UnixConnector(path=str(socket))) as http:
            yield House(desk, mirrors, blobs, server, http, socket)
    finally:
        await server.close()


@pytest.fixture
async def house(short: Path) -> AsyncIterator[House]:
    async with opened(short) as house:
        yield house


# ── who may call ────────────────────────────────────────────────────────────────────────────────────────────────────


CALLS = (
    ("GET", "bootstrap"),
    ("POST", "frames"),
    ("GET", "inputs"),
    ("PUT", "blobs/a"),
    ("GET", "blobs/a"),
    ("POST", "publish"),
)


@pytest.mark.parametrize(("method", "what"), CALLS)
@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic token-of-the-launch"])
async def test_no_call_is_answered_without_the_launchs_token(house: House, method: str, what: str, header: str) -> None:
    answer = await house.call(method, what, headers={"Authorization": header})
    assert answer.status == 401
    assert not house.desk.frames


async def test_a_launch_that_cannot_be_one_answers_like_an_unknown_one(house: House) -> None:
    url = "http://bot/worker/v1/launches/%2e%2e/bootstrap"
    answer = await house.http.get(url, headers={"Authorization": f"Bearer {house.desk.token}"})
    assert answer.status in {401, 404}


@pytest.mark.parametrize(("method", "what"), CALLS)
async def test_every_call_of_a_launch_that_is_over_answers_409(house: House, method: str, what: str) -> None:
    house.desk.over = True
    assert (await house.call(method, what)).status == 409


# ── frames ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_frames_are_stored_in_order_and_the_last_number_is_answered(house: House) -> None:
    answer = await house.send(1, said("a"), said("b"))
    assert (answer.status, await answer.json()) == (200, {"last": 2})
    assert [frame.text for frame in house.desk.frames if isinstance(frame, AgentSaid)] == ["a", "b"]


async def test_the_same_frames_again_change_nothing(house: House) -> None:
    await house.send(1, said("a"), said("b"))
    answer = await house.send(1, said("a"), said("b"), said("c"))
    assert await answer.json() == {"last": 3}
    assert len(house.desk.frames) == 3


async def test_a_gap_answers_416_with_the_last_number_stored(house: House) -> None:
    await house.send(1, said("a"))
    answer = await house.send(5, said("e"))
    assert (answer.status, await answer.json()) == (416, {"last": 1})


async def test_a_frame_that_cannot_be_read_spoils_no_other(house: House) -> None:
    odd = [{"kind": "mystery"}, 7, None, {"kind": "agent_said", "text": ["no"]}, {}]
    answer = await house.send(1, said("before"), *odd, said("after"))
    assert await answer.json() == {"last": 7}
    first, *middle, last = house.desk.frames
    assert isinstance(first, AgentSaid)
    assert isinstance(last, AgentSaid)
    assert [(frame.frame, frame.size_bytes) for frame in middle if isinstance(frame, Quarantined)] == [
        (2, 19), (3, 1), (4, 4), (5, 38), (6, 2),
    ]  # fmt: skip


async def test_a_quarantined_frames_problem_does_not_tell_what_stood_in_it(house: House) -> None:
    await house.send(1, {"kind": "agent_said", "message": "m", "text": {"hunter2": 1}}, {"kind": "hunter2"})
    assert house.desk.frames
    assert "hunter2" not in repr(house.desk.frames)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"a\\u0000b", "a\N{SYMBOL FOR NULL}b"),
        (b"a\\ud800b", "a\N{REPLACEMENT CHARACTER}b"),
        (b"a\\ud83d\\ude00b", "a\N{GRINNING FACE}b"),
        (b"a\xff\xfeb", "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}b"),
        (b"a\x00b\x1b[31m", "a\N{SYMBOL FOR NULL}b\x1b[31m"),
        (b"NaN \\\\u0000", "NaN \\u0000"),
    ],
)
async def test_text_that_jsonb_cannot_hold_is_mended_and_stored(house: House, written: bytes, read: str) -> None:
    frame = b'{"kind":"agent_said","message":"m","text":"%s"}' % written
    answer = await house.call("POST", "frames", data=b'{"first":1,"frames":[%s]}' % frame)
    assert answer.status == 200
    assert house.desk.frames == [AgentSaid(message="m", text=read)]


async def test_a_number_that_is_none_is_quarantined(house: House) -> None:
    tests = '{"kind":"tests_run","command":"x","attempt":0,"passed":true,"exit_code":0,"output":"","took_s":NaN}'
    await house.call("POST", "frames", data=f'{{"first":1,"frames":[{tests}]}}')
    assert isinstance(house.desk.frames[0], Quarantined)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"first":0,"frames":[]}', b'{"frames":[]}', b"\x1f\x8b\x08", b"[" * 100_000]
)
async def test_a_body_that_is_no_batch_answers_400(house: House, body: bytes) -> None:
    assert (await house.call("POST", "frames", data=body)).status == 400
    assert not house.desk.frames


async def test_a_compressed_body_is_not_unpacked(house: House) -> None:
    answer = await house.call("POST", "frames", data=json.dumps({"first": 1, "frames": [said("a")]}), compress="gzip")
    assert answer.status == 400


async def test_a_batch_twice_the_limits_is_taken_and_a_larger_one_answers_413(house: House) -> None:
    frames = [said("x")] * (2 * BATCH_FRAMES)
    assert (await house.send(1, *frames)).status == 200
    assert (await house.send(401, *frames, said("x"))).status == 413
    assert (await house.send(401, said("x" * 2 * BATCH_BYTES))).status == 413
    assert len(house.desk.frames) == 2 * BATCH_FRAMES


async def test_a_busy_desk_answers_429_with_whole_seconds_to_wait(house: House) -> None:
    house.desk.trouble = IngestBusy(1.2)
    answer = await house.send(1, said("a"))
    assert (answer.status, answer.headers["Retry-After"]) == (429, "2")


async def test_a_desk_out_of_reach_answers_503(house: House) -> None:
    house.desk.trouble = Unavailable("database", "gone")
    assert (await house.send(1, said("a"))).status == 503


async def test_a_launch_fenced_while_it_sends_answers_409(house: House) -> None:
    house.desk.trouble = LaunchFenced()
    assert (await house.send(1, said("a"))).status == 409


async def test_a_body_that_does_not_come_answers_408(short: Path) -> None:
    async def dribble() -> AsyncIterator[bytes]:
        yield b'{"first":1'
        await asyncio.sleep(30)

    async with opened(short, CallbackLimits(body_s=0.05, close_s=1.0)) as house:
        assert (await house.call("POST", "frames", data=dribble())).status == 408


# ── bootstrap ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_bootstrap_names_the_mirror_and_the_commit_to_begin_from(house: House) -> None:
    answer = await house.call("GET", "bootstrap")
    told = WireBootstrap.model_validate_json(await answer.read())
    assert (told.mirror, told.base, told.base_commit) == (str(house.mirrors.at), "main", "c" * 40)
    assert (told.ticket_key, told.agent.command) == ("4f2aa", ("agent", "--acp"))
    assert (told.author_name, told.author_email) == ("Dana", "dana@example.org")
    assert house.mirrors.refreshed == 0


async def test_bootstrap_fetches_a_mirror_that_is_not_there(house: House) -> None:
    house.mirrors.known = False
    assert (await house.call("GET", "bootstrap")).status == 200
    assert house.mirrors.refreshed == 1


async def test_later_work_begins_at_the_branch_that_was_published(house: House) -> None:
    house.desk.told = replace(house.desk.told, start="viberator/before")
    house.mirrors.others["viberator/before"] = "d" * 40
    told = WireBootstrap.model_validate_json(await (await house.call("GET", "bootstrap")).read())
    assert (told.base, told.base_commit) == ("main", "d" * 40)


async def test_later_work_begins_at_the_base_when_that_branch_is_gone(house: House) -> None:
    house.desk.told = replace(house.desk.told, start="viberator/before")
    house.mirrors.gone = ("viberator/before",)
    told = WireBootstrap.model_validate_json(await (await house.call("GET", "bootstrap")).read())
    assert told.base_commit == "c" * 40


async def test_bootstrap_of_an_unusable_repository_says_why(house: House) -> None:
    house.mirrors.trouble = RepositoryUnusable("/srv/widgets.git", "There is no branch main.")
    answer = await house.call("GET", "bootstrap")
    assert (answer.status, await answer.json()) == (
        422,
        {"kind": FailureKind.REPOSITORY, "detail": "There is no branch main."},
    )


# ── inputs ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_input_ends_the_wait_at_once(house: House) -> None:
    async with asyncio.TaskGroup() as group:
        poll = group.create_task(house.call("GET", "inputs?after=0&wait=0.2"))
        await eventually(lambda: house.desk.waiting > 0)
        await house.desk.say(message(1, "and the changelog"))
    inputs = WireInputs.model_validate_json(await poll.result().read())
    assert [(held.ordinal, held.text) for held in inputs.inputs] == [(1, "and the changelog")]


async def test_the_wait_is_never_longer_than_ours(house: House) -> None:
    async with asyncio.timeout(5):
        answer = await house.call("GET", "inputs?after=0&wait=3600")
    assert await answer.json() == {"inputs": [], "over": False}


async def test_inputs_up_to_the_number_given_are_not_sent_again(house: House) -> None:
    await house.desk.say(message(1))
    await house.desk.say(message(2))
    answer = await house.call("GET", "inputs?after=1&wait=0")
    assert [held["ordinal"] for held in (await answer.json())["inputs"]] == [2]


@pytest.mark.parametrize("query", ["after=x", "after=-1", "wait=nan", "wait=-1", "after=99999999999"])
async def test_a_number_that_is_none_answers_400(house: House, query: str) -> None:
    assert (await house.call("GET", f"inputs?{query}")).status == 400


async def test_closing_ends_the_long_polls_at_once(short: Path) -> None:
    async with opened(short, CallbackLimits(wait_s=60)) as house, asyncio.TaskGroup() as group:
        poll = group.create_task(house.call("GET", "inputs?after=0&wait=60"))
        await eventually(lambda: house.desk.waiting > 0)
        async with asyncio.timeout(5):
            await house.server.close()
            assert await (await poll).json() == {"inputs": [], "over": False}


# ── blobs ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_blob_comes_back_as_it_was_sent(house: House) -> None:
    data = bytes(range(256)) * 300
    assert (await house.call("PUT", "blobs/shots/first%20one.png", data=data)).status == 204
    answer = await house.call("GET", "blobs/shots/first%20one.png")
    assert await answer.read() == data


async def test_a_blob_belongs_to_its_session(house: House) -> None:
    await house.call("PUT", "blobs/state", data=b"mine")
    assert await house.blobs.path(blob_name(SESSION.id, "state"))
    assert await house.blobs.path("state") is None


async def test_what_is_stored_for_the_ticket_can_be_read_and_not_written(house: House, tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_bytes(b"attached")
    await house.blobs.put(f"{TICKET.id}/in.txt", source)
    await house.call("PUT", f"blobs/{TICKET.id}/in.txt", data=b"forged")
    assert await (await house.call("GET", f"blobs/{TICKET.id}/in.txt")).read() == b"attached"


async def test_no_such_blob_answers_404(house: House) -> None:
    assert (await house.call("GET", "blobs/nothing")).status == 404


async def test_a_blob_over_the_limit_answers_413_whether_announced_or_not(house: House) -> None:
    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 10_000

    assert (await house.call("PUT", "blobs/a", data=b"x" * 100_001)).status == 413
    assert (await house.call("PUT", "blobs/a", data=unannounced())).status == 413
    assert (await house.call("GET", "blobs/a")).status == 404


async def test_a_blob_that_breaks_off_is_not_stored(house: House, short: Path) -> None:
    reader, writer = await asyncio.open_unix_connection(house.socket)
    path = f"/worker/v1/launches/{house.desk.launch}/blobs/half"
    writer.write(
        f"PUT {path} HTTP/1.1\r\nHost: bot\r\nAuthorization: Bearer {house.desk.token}\r\n"
        "Content-Length: 1000\r\n\r\nhalf of it".encode()
    )
    await writer.drain()
    await eventually(lambda: bool(list((short / "spool").iterdir())))
    writer.close()
    await writer.wait_closed()
    await eventually(lambda: not list((short / "spool").iterdir()))
    assert reader.at_eof() or not await reader.read()
    assert (await house.call("GET", "blobs/half")).status == 404


async def test_a_full_disk_answers_503_and_says_so(house: House) -> None:
    house.blobs.trouble = OSError(errno.ENOSPC, "No space left on device")
    answer = await house.call("PUT", "blobs/a", data=b"x")
    assert (answer.status, (await answer.json())["kind"]) == (503, FailureKind.DISK_FULL)


# ── publish ─────────────────────────────────────────────────────────────────────────────────────────────────────────


ASKED = {"bundle": "work.bundle", "branch": SESSION.branch, "base": "main", "head": "d" * 40}


async def test_publishing_hands_the_desk_the_bundle_that_was_uploaded(house: House) -> None:
    await house.call("PUT", "blobs/work.bundle", data=b"a bundle")
    answer = await house.call("POST", "publish", json=ASKED)
    published = WirePublished.model_validate_json(await answer.read())
    assert (answer.status, published.publication.head) == (200, "d" * 40)
    assert house.desk.bundles == [b"a bundle"]


async def test_a_refused_publication_answers_422_with_whose_refusal_it_is(house: House) -> None:
    await house.call("PUT", "blobs/work.bundle", data=b"a bundle")
    house.desk.trouble = PublishRefused("policy", "setup.py is protected.")
    answer = await house.call("POST", "publish", json=ASKED)
    assert (answer.status, await answer.json()) == (422, {"kind": "policy", "detail": "setup.py is protected."})


async def test_publishing_without_the_bundle_is_refused(house: House) -> None:
    assert (await house.call("POST", "publish", json=ASKED)).status == 422
    assert (await house.call("POST", "publish", data=b"{}")).status == 400


# ── the socket ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_only_the_bots_own_user_may_open_the_socket(house: House) -> None:
    assert stat.S_IMODE(house.socket.stat().st_mode) == 0o600


async def test_a_stale_socket_is_replaced_and_a_living_one_is_not(short: Path) -> None:
    async with opened(short):
        with pytest.raises(SocketUnusable, match="another bot"):
            async with opened(short):
                pass
    async with opened(short) as house:
        await house.http.close()
        house.socket.rename(short / "old.sock")
    (short / "old.sock").rename(short / "w.sock")
    async with opened(short) as house:
        assert (await house.call("GET", "bootstrap")).status == 200


async def test_closing_removes_the_socket(short: Path) -> None:
    async with opened(short) as house:
        assert house.socket.exists()
    assert not house.socket.exists()


async def test_a_file_in_the_sockets_place_is_left_alone(short: Path) -> None:
    (short / "w.sock").write_text("precious")
    with pytest.raises(SocketUnusable, match="no socket"):
        async with opened(short):
            pass
    assert (short / "w.sock").read_text() == "precious"


async def test_a_path_too_long_for_a_socket_is_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(SocketUnusable) as refused:
        async with opened(tmp_path / ("d" * 100)):
            pass
    assert "data_dir" in refused.value.advice


async def test_uploads_left_by_an_earlier_run_are_thrown_away(short: Path) -> None:
    left, coming = short / "spool" / "left", short / "spool" / "coming"
    left.parent.mkdir()
    for file in (left, coming):
        file.write_text("half")
    os.utime(left, (0, 0))
    async with opened(short):
        # Another bot over the same folder may be receiving what was written just now.
        assert list((short / "spool").iterdir()) == [coming]
