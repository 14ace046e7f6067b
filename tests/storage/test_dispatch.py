"""Claiming sessions across workspaces."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sessions.errors import LaunchUnknown
from sessions.events import LaunchStarted
from sessions.models import Input, InputKind, Session, SessionState, Severity
from sessions.ports import Claim
from storage.database import Database
from tests.storage.estate import Estate, settle_in


async def test_claim_writes_launch_event_and_state_together(estate: Estate) -> None:
    ticket = await estate.file("aaaaa")
    claim = await estate.claim()
    assert claim.session.state is SessionState.WORKING
    assert claim.launch.fence == 1
    assert claim.ticket.last_event == 1
    async with estate.ledger.transaction(estate.workspace) as change:
        assert [entry.event for entry in await change.history(ticket.id)] == [LaunchStarted(fence=1, runner="process")]
        assert (await change.get_session(claim.session.id)).state is SessionState.WORKING
        assert await change.live_launch(claim.session.id) == claim.launch


async def test_nothing_queued_is_claimed_as_nothing(estate: Estate) -> None:
    await estate.file("aaaaa", queued=False)
    assert await estate.try_claim() is None


async def test_urgent_goes_before_older(estate: Estate) -> None:
    await estate.file("older")
    await estate.file("newer", severity=Severity.URGENT)
    assert [(await estate.claim()).ticket.key for _ in range(2)] == ["newer", "older"]


async def test_equally_urgent_are_claimed_oldest_first(estate: Estate) -> None:
    for key in ("aaaaa", "bbbbb", "ccccc"):
        await estate.file(key)
    assert [(await estate.claim()).ticket.key for _ in range(3)] == ["aaaaa", "bbbbb", "ccccc"]


async def test_replicas_that_claim_at_once_never_get_the_same_session(estate: Estate) -> None:
    for n in range(6):
        await estate.file(f"key{n}")
    claims = await asyncio.gather(*(estate.try_claim() for n in range(12)))
    keys = [claim.ticket.key for claim in claims if claim]
    assert len(keys) == len(set(keys))


async def test_a_locked_ticket_does_not_hold_up_the_others(estate: Estate) -> None:
    first = await estate.file("aaaaa")
    await estate.file("bbbbb")
    async with estate.ledger.transaction(estate.workspace) as change:
        await change.lock_ticket(first.id)
        assert (await estate.claim()).ticket.key == "bbbbb"


async def test_whoever_only_reads_a_ticket_hides_it_from_no_claim(estate: Estate) -> None:
    ticket = await estate.file("aaaaa")
    async with estate.ledger.transaction(estate.workspace) as reading:
        assert await reading.get_ticket(ticket.id) == ticket
        (session,) = await reading.sessions(ticket.id)
        assert await reading.get_session(session.id) == session
        assert (await estate.claim()).ticket.key == "aaaaa"


async def test_sessions_of_all_workspaces_are_claimed(database: Database, estate: Estate) -> None:
    other = await settle_in(database, number=2)
    await estate.file("aaaaa")
    await other.file("bbbbb")
    assert {(await estate.claim()).workspace for _ in range(2)} == {estate.workspace, other.workspace}


async def test_a_terminals_sessions_are_left_to_its_own_process(database: Database) -> None:
    terminal = await settle_in(database, platform="terminal")
    await terminal.file("aaaaa")
    assert await terminal.try_claim() is None
    assert await terminal.try_claim(installation=terminal.installation.id) is not None


async def test_a_terminal_takes_no_session_of_a_chat(database: Database, estate: Estate) -> None:
    terminal = await settle_in(database, number=2, platform="terminal")
    await estate.file("aaaaa")
    assert await terminal.try_claim(installation=terminal.installation.id) is None


async def test_a_new_launch_has_a_higher_fence(estate: Estate) -> None:
    await estate.file("aaaaa")
    first = await estate.claim()
    async with estate.ledger.transaction(estate.workspace) as change:
        assert await change.end_launch(first.launch.id)
        assert not await change.end_launch(first.launch.id)
        await change.put_session(queued_again(first))
    second = await estate.claim()
    assert (second.session.id, second.launch.fence) == (first.session.id, 2)


async def test_a_session_with_a_live_launch_is_not_claimed_again(estate: Estate) -> None:
    await estate.file("aaaaa")
    first = await estate.claim()
    async with estate.ledger.transaction(estate.workspace) as change:
        await change.put_session(queued_again(first))
    assert await estate.try_claim() is None


async def test_live_launches_are_those_of_the_engine(estate: Estate) -> None:
    await estate.file("aaaaa")
    claim = await estate.claim()
    await estate.dispatch.launched(claim.launch.id, reference="pid 7")
    (live,) = await estate.dispatch.live(engine="here")
    assert (live.launch.id, live.launch.reference, live.over, live.stopping_since) == (
        claim.launch.id,
        "pid 7",
        False,
        None,
    )
    assert await estate.dispatch.live(engine="elsewhere") == []
    assert await estate.dispatch.locate(claim.launch.id) == live


async def test_a_queued_stop_says_since_when(estate: Estate) -> None:
    ticket = await estate.file("aaaaa")
    claim = await estate.claim()
    stop = Input(
        ticket=ticket.id, session=claim.session.id, ordinal=1, kind=InputKind.STOP, author="U1", author_name="dana"
    )
    async with estate.ledger.transaction(estate.workspace) as change:
        await change.add_input(stop)
    since = (await estate.dispatch.locate(claim.launch.id)).stopping_since
    assert since is not None
    assert since <= datetime.now(UTC)


async def test_an_ended_launch_is_not_located(estate: Estate) -> None:
    await estate.file("aaaaa")
    claim = await estate.claim()
    async with estate.ledger.transaction(estate.workspace) as change:
        await change.end_launch(claim.launch.id)
    with pytest.raises(LaunchUnknown):
        await estate.dispatch.locate(claim.launch.id)


def queued_again(claim: Claim) -> Session:
    return replace(claim.session, state=SessionState.QUEUED)
