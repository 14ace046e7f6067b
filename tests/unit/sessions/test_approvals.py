"""Who may decide what, bound to what was shown."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from sessions.approvals import (
    check_press,
    decided,
    lapsed,
    permission_digest,
    permission_offers,
    require_decider,
    require_member,
    state_after,
)
from sessions.documents import digest
from sessions.errors import ApprovalAlreadyDecided, ApprovalStale, NotAllowed, SessionsError, VerdictNotOffered
from sessions.models import Approval, ApprovalState, PermissionOption, Person, Role, Verdict
from tests.unit.sessions.people import APPROVAL, DANA, GUEST, LEE, NOW, OTHER_TEAM, PROJECT, TICKET


def test_requester_decides_where_nobody_else_is_named() -> None:
    require_decider(DANA, PROJECT, TICKET)


def test_members_who_are_not_named_do_not_decide() -> None:
    with pytest.raises(NotAllowed) as refused:
        require_decider(LEE, PROJECT, TICKET)
    assert refused.value.allowed == ("dana",)


def test_requester_does_not_decide_where_others_are_named() -> None:
    project = replace(PROJECT, deciders=("slack:U2",))
    require_decider(LEE, project, TICKET)
    with pytest.raises(NotAllowed) as refused:
        require_decider(DANA, project, TICKET)
    assert refused.value.allowed == ("U2",)


def test_guests_decide_nothing_even_with_the_requesters_id() -> None:
    with pytest.raises(NotAllowed):
        require_decider(GUEST, PROJECT, TICKET)
    with pytest.raises(NotAllowed):
        require_decider(GUEST, replace(PROJECT, deciders=("slack:U1",)), TICKET)


def test_the_same_id_in_another_team_is_somebody_else() -> None:
    with pytest.raises(NotAllowed):
        require_decider(replace(DANA, installation=OTHER_TEAM), PROJECT, TICKET)


@pytest.mark.parametrize("deciders", [("discord:U1",), ("U1",), (":U1",), ("slack:",)])
def test_who_is_named_for_another_platform_or_for_none_does_not_decide(deciders: tuple[str, ...]) -> None:
    with pytest.raises(NotAllowed):
        require_decider(DANA, replace(PROJECT, deciders=deciders), TICKET)


def test_the_same_id_on_another_platform_is_somebody_else() -> None:
    with pytest.raises(NotAllowed):
        require_decider(replace(DANA, platform="discord"), replace(PROJECT, deciders=("slack:U1",)), TICKET)


def test_a_decider_decides_from_another_team_of_the_platform() -> None:
    require_decider(replace(DANA, installation=OTHER_TEAM), replace(PROJECT, deciders=("slack:U1",)), TICKET)


@pytest.mark.parametrize("role", list(Role))
def test_only_members_talk(role: Role) -> None:
    person = replace(DANA, role=role)
    if role is Role.GUEST:
        with pytest.raises(NotAllowed):
            require_member(person, "talk")
    else:
        require_member(person, "talk")


@pytest.mark.parametrize("shown", ["", "a", digest("something else"), APPROVAL.digest[:15], APPROVAL.digest + "0"])
def test_a_press_without_enough_of_the_right_digest_is_stale(shown: str) -> None:
    with pytest.raises(ApprovalStale):
        check_press(APPROVAL, Verdict.APPROVE, shown=shown)


@pytest.mark.parametrize("length", [16, 40, 64])
def test_sixteen_characters_of_the_digest_are_enough(length: int) -> None:
    check_press(APPROVAL, Verdict.APPROVE, shown=APPROVAL.digest[:length])


def test_what_is_not_offered_is_refused() -> None:
    with pytest.raises(VerdictNotOffered):
        check_press(APPROVAL, Verdict.APPROVE_ALWAYS, shown=APPROVAL.digest)


def test_a_second_press_says_who_was_first() -> None:
    done = decided(APPROVAL, Verdict.REJECT, by=DANA, at=NOW, comment="")
    with pytest.raises(ApprovalAlreadyDecided) as refused:
        check_press(done, Verdict.APPROVE, shown=APPROVAL.digest, decided_by_name="dana")
    assert (refused.value.by_name, refused.value.at_unix_s) == ("dana", NOW.timestamp())
    assert refused.value.state is ApprovalState.REJECTED


def test_options_are_offered_by_kind_and_no_is_always_among_them() -> None:
    offers, labels = permission_offers(
        [
            PermissionOption(kind="allow_once", label="Yes"),
            PermissionOption(kind="allow_once", label="Yes, in another way"),
            PermissionOption(kind="allow_for_ever_and_ever", label="?"),
        ]
    )
    assert offers == (Verdict.APPROVE, Verdict.REJECT)
    assert labels == ("Yes", "Reject")


def test_nothing_is_offered_twice_and_each_has_its_label() -> None:
    kinds = ("allow_once", "allow_always", "reject_once", "reject_always")
    offers, labels = permission_offers([PermissionOption(kind=kind, label=kind) for kind in kinds])
    assert offers == (Verdict.APPROVE, Verdict.APPROVE_ALWAYS, Verdict.REJECT, Verdict.REJECT_ALWAYS)
    assert labels == kinds


@given(st.tuples(st.text(), st.text(), st.text()), st.tuples(st.text(), st.text(), st.text()))
def test_different_permissions_have_different_digests(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    digests = [permission_digest(title=shown[0], tool=shown[1], input_text=shown[2]) for shown in (one, other)]
    assert (digests[0] == digests[1]) == (one == other)


PEOPLE = (DANA, LEE, GUEST, replace(DANA, installation=OTHER_TEAM))


class ApprovalsMachine(RuleBasedStateMachine):
    """Anybody presses anything at any time; the model is a dictionary of what was decided first."""

    asked = Bundle("asked")

    @initialize()
    def nothing_asked(self) -> None:
        self.held: dict[int, Approval] = {}
        self.first: dict[int, tuple[Person, Verdict] | None] = {}

    @rule(target=asked, text=st.text(max_size=5))
    def ask(self, text: str) -> int:
        ordinal = len(self.held) + 1
        self.held[ordinal] = replace(APPROVAL, ordinal=ordinal, digest=digest(text))
        self.first[ordinal] = None
        return ordinal

    @rule(ordinal=asked, who=st.sampled_from(PEOPLE), verdict=st.sampled_from(Verdict), shown=st.text(max_size=5))
    def press(self, ordinal: int, who: Person, verdict: Verdict, shown: str) -> None:
        before = self.held[ordinal]
        try:
            require_decider(who, PROJECT, TICKET)
            check_press(before, verdict, shown=digest(shown))
        except SessionsError:
            return
        assert who == DANA
        assert before.digest == digest(shown)
        assert self.first[ordinal] is None
        self.first[ordinal] = (who, verdict)
        self.held[ordinal] = decided(before, verdict, by=who, at=NOW, comment="")

    @rule(ordinal=asked)
    def lapse(self, ordinal: int) -> None:
        if self.held[ordinal].state is ApprovalState.PENDING:
            self.held[ordinal] = lapsed(self.held[ordinal])

    @invariant()
    def what_was_decided_first_stays(self) -> None:
        for ordinal, approval in getattr(self, "held", {}).items():
            first = self.first[ordinal]
            if first is None:
                assert approval.state in (ApprovalState.PENDING, ApprovalState.LAPSED)
            else:
                assert approval.decided_by == first[0].external_id
                assert approval.state is state_after(first[1])


TestApprovalsMachine = ApprovalsMachine.TestCase
