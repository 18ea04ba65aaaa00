"""Files as they are read and cut: what each kind says, and where it says it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridge.errors import InvalidInputError
from hybridge.records import Record
from hybridge.tools.files import Reading, Settings
from hybridge.tools.files.part import Part
from hybridge.tools.files.splitting import Splitter

PAGE = """<!doctype html><title>The  Zoo</title><style>p {}</style><script>x = 1</script>
<h2>Birds</h2><p>Parrots <b>can</b>
speak.</p><pre>a  b</pre><ul><li>one<li>two</ul>"""


def read(path: Path, content: str | bytes, **settings: str) -> list[Record]:
    """The records of a file with some content."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(Reading(Settings(**settings), chunk_size=60).records(path, "0" * 64))


def pdf(*pages: str) -> bytes:
    """A PDF file with a line of text on each page."""
    from pypdf import PdfWriter
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    for text in pages:
        page = writer.add_blank_page(200, 200)
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET".encode())
        page[NameObject("/Contents")] = writer._add_object(stream)
        fonts = DictionaryObject({NameObject("/F1"): font})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def test_markdown_has_the_headings_above_as_its_context(tmp_path: Path) -> None:
    """A heading in a block of code is none, and one that begins a chunk is not above it."""
    text = "# Top\n\n## One\n\n```sh\n# no heading, but a comment of some length\n```\n\n" + (
        "Words that follow the block and fill a chunk.\n\n## Two\n\nMore of those words, and more."
    )
    records = read(tmp_path / "a.md", text)
    under = {record.text.split("\n")[0][:12]: record.context for record in records}
    assert under["Words that f"] == "Top > One"
    assert under["## Two"] == "Top"


def test_a_page_says_what_is_seen_of_it(tmp_path: Path) -> None:
    """No scripts and no styles; its title is the context."""
    [record] = read(tmp_path / "a.html", PAGE)
    assert record.context == "The Zoo"
    assert record.text.split("\n\n")[:2] == ["## Birds", "Parrots can speak."]
    assert "a  b" in record.text
    assert "- two" in record.text
    assert "x = 1" not in record.text
    declared = "<meta charset='cp1252'>caf\xe9".encode("cp1252")
    assert read(tmp_path / "b.html", declared)[0].text == "café"


def test_a_pdf_is_read_by_pages(tmp_path: Path) -> None:
    """A row says its page; a file of pictures alone is refused."""
    records = read(tmp_path / "a.pdf", pdf("First page", "", "Third page"))
    assert [(one.text, one.metadata["file"]["page"]) for one in records] == [
        ("First page", 1),
        ("Third page", 3),
    ]
    with pytest.raises(InvalidInputError, match="OCR"):
        read(tmp_path / "b.pdf", pdf(""))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_at_the_beginning_says_the_encoding(tmp_path: Path, encoding: str) -> None:
    """Of texts and of tables."""
    assert read(tmp_path / "a.txt", "Привет".encode(encoding))[0].text == "Привет"
    [row] = read(tmp_path / "a.csv", "text,year\nПривет,2020\n".encode(encoding))
    assert (row.text, row.metadata["year"]) == ("Привет", "2020")


def test_rows_are_of_their_file_whatever_their_columns(tmp_path: Path) -> None:
    """A column that is called as ours is refused, and so is a value that JSON cannot hold."""
    with pytest.raises(InvalidInputError, match="rename it"):
        read(tmp_path / "a.jsonl", '{"text": "x", "file": 1}')
    with pytest.raises(InvalidInputError, match="line 2"):
        read(tmp_path / "a.jsonl", '{"text": "x"}\n{"text": "x", "n": NaN}')
    with pytest.raises(InvalidInputError, match="more cells"):
        read(tmp_path / "a.tsv", "text\nx\ty\n")


def test_long_rows_have_several_chunks_and_the_last_says_so(tmp_path: Path) -> None:
    """The first has the row's id."""
    line = '{"id": "a", "text": "' + "some words " * 15 + '"}'
    records = read(tmp_path / "a.jsonl", line, id_column="id")
    assert [record.id for record in records] == ["a", "a#1", "a#2"]
    assert ["last" in record.metadata["file"] for record in records] == [False, False, True]


@given(text=st.text(alphabet="ab \n#`é𝄞", max_size=300), is_markdown=st.booleans())
def test_no_character_is_lost_but_blanks(text: str, is_markdown: bool) -> None:
    """Chunks are pieces of the text, in order, of the size that was asked for."""
    chunks = list(Splitter(20).split(Part(text, is_markdown=is_markdown)))
    assert "".join("".join(one.text for one in chunks).split()) == "".join(text.split())
    assert all(one.text.strip() and len(one.text) <= 20 for one in chunks)


def test_a_text_without_a_space_is_cut_in_time() -> None:
    """The splitter alone would take minutes for this one."""
    chunks = list(Splitter(1000).split(Part("x" * 300_000)))
    assert sum(len(one.text) for one in chunks) == 300_000
