"""Whole launches of a real worker with a scripted agent, against a bot that only keeps what it hears."""

from sessions.events import AgentSaid
from tests.repositories import git
from tests.stage import stage


async def test_execution_ends_with_a_published_bundle() -> None:
    async with stage() as on:
        on.script([{"say": "I change it."}, {"write": ["src/app.py", "answer = 42\n"]}])
        await on.act()
        ended = await on.ends()
        assert (ended.reason, ended.failure) == ("finished", None)
        assert [p.branch for p in on.bot.published] == ["viberator/4f2ab-fix-the-answer"]
        assert "I change it." in "".join(said.text for said in on.bot.of(AgentSaid))
        (on.root / "b").write_bytes(on.bot.blobs["branch.bundle"])
        mirror = on.bot.bootstrap.mirror
        git(on.root, f"--git-dir={mirror}", "fetch", "-q", str(on.root / "b"), "viberator/4f2ab-fix-the-answer:x")
        assert git(on.root, f"--git-dir={mirror}", "show", "x:src/app.py") == "answer = 42"
        assert (
            git(on.root, f"--git-dir={mirror}", "log", "-1", "--format=%an <%ae> %cn", "x")
            == "Dana <dana@example.org> Viberator"
        )
