"""Hypothesis strategies for text as agents, people and enemies write it."""

from hypothesis import strategies as st

WORDS = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel")
SYNTAX = (
    *("\n", "\n\n", " ", "  ", "    ", "\t", "# ", "- ", "* ", "3. ", "> ", "[ ] ", "[x] ", "---\n", "===\n"),
    *("*", "**", "_", "~~", "`", "``", "```\n", "\n```\n", "~~~\n", "\\", "&amp;", "&#8238;", "<br>", "<!--", "-->"),
    *("[", "](", ")", "](https://a.example/x)", "](javascript:x)", "![", "<https://b.example>", "https://c.example/d"),
    *("|", "\n|a|b|\n|-|-|\n", "|c|", "<!channel>", "<@U1>", "@everyone", "\x1b[31m", "\x1b]8;;", "\x00", "\u202e"),
    *("\ud800", "👩\u200d👩\u200d👧", "é", "`" * 40, "aaaa" * 40, "\r\n", "\u2028", '"', "mailto:a@b.example"),
    "[1]: https://e.example\n",
)

markdown = st.lists(st.sampled_from((*WORDS, *SYNTAX)), max_size=60).map("".join)
"""Markdown that is mostly syntax, well formed or not; its words are known, so that a lost one is seen."""

anything = markdown | st.text(st.characters(), max_size=300)
