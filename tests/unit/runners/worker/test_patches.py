from runners.worker.patches import SHOWN_LINES, file_change


def test_a_change_counts_its_lines_and_shows_them() -> None:
    change = file_change("a.py", "one\ntwo\nthree\n", "one\n2\nthree\nfour\n")
    assert (change.added, change.removed, change.patch_cut) == (2, 1, 0)
    assert change.patch == "@@ -1,3 +1,4 @@\n one\n-two\n+2\n three\n+four"


def test_a_new_file_is_all_added() -> None:
    change = file_change("a.py", "", "one\ntwo\n")
    assert (change.added, change.removed, change.patch) == (2, 0, "@@ -0,0 +1,2 @@\n+one\n+two")


def test_no_change_shows_nothing() -> None:
    change = file_change("a.py", "one\n", "one\n")
    assert (change.added, change.removed, change.patch) == (0, 0, "")


def test_a_long_patch_is_cut_and_says_by_how_much() -> None:
    change = file_change("a.py", "", "\n".join(str(n) for n in range(300)))
    assert change.added == 300
    assert len(change.patch.splitlines()) == SHOWN_LINES
    assert change.patch_cut == 301 - SHOWN_LINES


def test_files_with_nothing_in_common_take_no_long_time() -> None:
    before = "\n".join(f"a{n}" for n in range(50_000))
    after = "\n".join(f"b{n}" for n in range(50_000))
    change = file_change("a.py", before, after)
    assert (change.added, change.removed) == (50_000, 50_000)


def test_a_small_change_in_a_large_file_is_found() -> None:
    lines = [str(n) for n in range(50_000)]
    change = file_change("a.py", "\n".join(lines), "\n".join([*lines[:25_000], "new", *lines[25_000:]]))
    assert (change.added, change.removed) == (1, 0)
    assert "+new" in change.patch.splitlines()
