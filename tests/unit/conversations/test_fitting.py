from hypothesis import given
from hypothesis import strategies as st

from conversations.excerpts import plain_size
from conversations.fitting import WHOLE, Fixed, Flexible, Piece, beside, fit
from conversations.markdown import parse
from conversations.markup import CodeBlock, literal, plain
from conversations.messages import Code, Message, Prose, TextFile, Tone
from tests.strategies import markdown

LONG = parse("\n".join(f"{number}. step" for number in range(1, 200)))
SHORT = literal("short")


def test_what_fits_stays_as_it_is() -> None:
    pieces: list[Piece] = [Fixed(text="a"), Flexible(markup=SHORT)]
    fitted = fit(pieces, 300, plain_size)
    assert (list(fitted.pieces), fitted.cut, fitted.dropped) == (pieces, (), False)


def test_long_texts_share_what_the_others_leave() -> None:
    fitted = fit([Flexible(markup=LONG), Fixed(text="a" * 50), Flexible(markup=SHORT)], 600, plain_size)
    long, fixed, short = fitted.pieces
    assert fitted.cut == (LONG,)
    assert fixed == Fixed(text="a" * 50)
    assert short == Flexible(markup=SHORT)
    assert isinstance(long, Flexible)
    assert 480 < plain_size(long.markup) <= 600 - 50 - 5
    assert plain(long.markup).endswith("more lines")


def test_the_last_pieces_go_first_where_there_is_no_room() -> None:
    fitted = fit([Fixed(text="a" * 50), Fixed(text="b" * 50)], 60, plain_size)
    assert fitted.pieces == (Fixed(text="a" * 50),)
    assert fitted.dropped


@given(
    st.lists(
        st.one_of(
            markdown.map(lambda text: Flexible(markup=parse(text))), st.text().map(lambda text: Fixed(text=text))
        ),
        max_size=6,
    ),
    st.integers(0, 900),
)
def test_the_room_is_kept(pieces: list[Piece], room: int) -> None:
    fitted = fit(pieces, room, plain_size)
    sizes = [plain_size(piece.markup) if isinstance(piece, Flexible) else len(piece.text) for piece in fitted.pieces]
    assert sum(sizes) + 2 * len(sizes) <= room or not sizes


def test_a_file_of_its_own_that_holds_the_text_is_enough() -> None:
    plan, log = (
        TextFile(name="plan.md", text="# Plan"),
        TextFile(name="log.txt", text="one\ntwo", media_type="text/plain"),
    )
    message = Message(tone=Tone.QUIET, parts=(Prose(markup=parse("# Plan")), Code(text="two")), files=(plan, log))
    cut = [parse("# Plan"), (CodeBlock(language="", text="two"),)]
    assert beside(message, cut, left_out=False) == ((plan, log), "plan.md")


def test_all_of_a_message_goes_into_a_file_when_something_of_it_is_shown_nowhere() -> None:
    message = Message(tone=Tone.QUIET, parts=(Prose(markup=LONG),))
    files, name = beside(message, [LONG], left_out=False)
    assert name == WHOLE == files[-1].name
    assert "199. step" in files[-1].text
    assert beside(message, [], left_out=True)[1] == WHOLE
    assert beside(message, [], left_out=False) == ((), "")
