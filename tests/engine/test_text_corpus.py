"""Texts to learn from: files, folders, JSONL, what is wrong with them, and what is held out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import folders
from engine.data import shakespeare
from engine.data.jsonl import ROLES, Document, Message, parse_line
from engine.data.text_corpus import TextCorpus, load_corpus, split
from engine.errors import DatasetError, OutOfMemory
from engine.events import Event, Notice

STORY = "".join(f"This is line {number} of the story.\n" for number in range(100))


def load(path: Path, events: list[Event] | None = None) -> TextCorpus:
    return load_corpus(str(path), (events if events is not None else []).append)


def notices(events: list[Event]) -> list[str]:
    return [event.message for event in events if isinstance(event, Notice)]


def texts(documents: tuple[Document, ...]) -> list[str]:
    return [document.text for document in documents]


def save(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


class TestSplit:
    def test_the_end_of_a_text_is_held_out_from_a_line_break_on(self, tmp_path: Path) -> None:
        corpus = load(save(tmp_path / "story.txt", STORY))
        (training,), (held_out,) = texts(corpus.training), texts(corpus.held_out)
        assert training + held_out == STORY
        assert held_out.startswith("This is line 9")
        assert 0.04 < len(held_out) / len(STORY) < 0.1

    def test_of_many_documents_some_are_held_out_whole_whatever_their_order(self) -> None:
        documents = [Document(f"{number} " * 50) for number in range(100)]
        training, held_out = split(documents, whole=True)
        assert len(held_out) in (5, 6) and len(training) + len(held_out) == 100
        assert split(documents[::-1], whole=True)[1][::-1] == held_out

    def test_a_copy_of_a_held_out_document_is_not_learned_from(self) -> None:
        documents = [Document(f"{number} " * 50) for number in range(30)] * 2
        training, held_out = split(documents, whole=True)
        assert not set(training) & set(held_out)

    def test_conversations_are_never_cut(self, tmp_path: Path) -> None:
        lines = [
            {
                "messages": [
                    {"role": "user", "content": f"{n}?"},
                    {"role": "assistant", "content": n},
                ]
            }
            for n in "abc"
        ]
        corpus = load(save(tmp_path / "c.jsonl", "\n".join(map(json.dumps, lines))))
        assert len(corpus.training) == 2 and len(corpus.held_out) == 1
        assert all(len(document.messages) == 2 for document in corpus.training)

    def test_too_little_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetError, match="too little text"):
            load(save(tmp_path / "one.txt", "a"))

    @given(st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip))
    def test_nothing_is_lost_and_nothing_is_seen_twice(self, text: str) -> None:
        try:
            training, held_out = split([Document(text)], whole=False)
        except DatasetError:
            return
        assert "".join(texts(training) + texts(held_out)) == text

    def test_the_hash_tells_text_and_split(self, tmp_path: Path) -> None:
        first = load(save(tmp_path / "a.txt", STORY))
        assert first.sha256() == load(save(tmp_path / "b.txt", STORY)).sha256()
        assert first.sha256() != load(save(tmp_path / "c.txt", STORY + "x")).sha256()
        a, b, c = (Document(name) for name in "abc")
        assert TextCorpus("", (a, b), (c,)).sha256() != TextCorpus("", (a,), (b, c)).sha256()


class TestFiles:
    def test_a_folder_is_read_in_the_order_of_its_paths(self, tmp_path: Path) -> None:
        for name in ("b.md", "a.txt", "sub/c.txt", "z.jsonl"):
            content = json.dumps({"text": name * 20}) if name == "z.jsonl" else name * 20
            save(tmp_path / "texts" / name, content)
        save(tmp_path / "texts" / "picture.png", b"\x89PNG")
        save(tmp_path / "texts" / ".hidden" / "d.txt", "hidden " * 20)
        events: list[Event] = []
        corpus = load(tmp_path / "texts", events)
        found = {text[:5].strip() for text in texts(corpus.training + corpus.held_out)}
        assert {"a.txt", "sub/c"} <= found and "hidde" not in found
        assert notices(events) == []

    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
    def test_what_is_not_utf_8_is_named_with_its_place(self, tmp_path: Path, mark: bytes) -> None:
        path = save(tmp_path / "latin.txt", mark + b"caf\xe9 au lait")
        with pytest.raises(DatasetError) as caught:
            load(path)
        assert f"{path} is not UTF-8: byte {len(mark) + 3} (0xe9)" in caught.value.message
        save(tmp_path / "good.txt", STORY)
        events: list[Event] = []
        assert load(tmp_path, events).training
        assert "latin.txt is not UTF-8: byte" in notices(events)[0]

    def test_line_breaks_and_byte_order_marks_are_no_text(self, tmp_path: Path) -> None:
        windows = save(tmp_path / "w.txt", b"\xef\xbb\xbf" + STORY.replace("\n", "\r\n").encode())
        assert load(windows).sha256() == load(save(tmp_path / "unix.txt", STORY)).sha256()

    @pytest.mark.parametrize("name", ["empty.txt", "empty.jsonl"])
    @pytest.mark.parametrize("content", ["", " \n\n"])
    def test_empty_text_is_refused(self, tmp_path: Path, name: str, content: str) -> None:
        with pytest.raises(DatasetError, match=f"{name} is empty"):
            load(save(tmp_path / name, content))

    def test_what_is_not_there_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetError, match="no text at"):
            load(tmp_path / "nothing.txt")
        with pytest.raises(DatasetError, match="no texts in"):
            load(tmp_path)

    def test_more_text_than_memory_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("engine.memory.free_memory", lambda: 20_000)
        with pytest.raises(OutOfMemory):
            load(save(tmp_path / "long.txt", STORY))

    def test_the_embedded_text_is_there_with_its_licence(self) -> None:
        corpus = load(Path("shakespeare"))
        assert len(corpus.training) == len(corpus.held_out) == len(shakespeare.WORKS)
        assert sum(map(len, texts(corpus.training))) > 1_100_000
        assert "Gutenberg" not in "".join(texts(corpus.training + corpus.held_out))
        licence = (folders.RESOURCES / "licences" / "shakespeare.txt").read_text(encoding="utf-8")
        assert "public domain" in licence and shakespeare.path().name in licence


class TestJsonl:
    def test_three_kinds_of_records(self) -> None:
        assert parse_line('{"text": "日本", "more": 1}').text == "日本"
        assert parse_line('{"prompt": "Q: ", "completion": "A"}').text == "Q: A"
        assert parse_line('{"prompt": "Q?", "completion": "A"}').text == "Q?\nA"
        told = parse_line('{"messages": [{"role": "user", "content": "Hi"}]}')
        assert told == Document("user: Hi\n", (Message("user", "Hi"),))

    @pytest.mark.parametrize(
        ("line", "problem"),
        [
            ("{", "Expecting"),
            ("[1]", "not a JSON object"),
            ('{"text": 3}', '"text" is not a text'),
            ('{"text": " "}', "no text"),
            ('{"prompt": "a"}', "it has neither"),
            ('{"text": "a", "text": "b"}', "twice"),
            ('{"text": "\\ud800"}', "half a character"),
            ('{"messages": [{"role": "tool", "content": "x"}]}', "is no role"),
            ('{"messages": {"role": "user"}}', "not a list of messages"),
            ("[" * 100_000, "nested too deeply"),
        ],
    )
    def test_what_cannot_be_used_is_said(self, line: str, problem: str) -> None:
        with pytest.raises(ValueError, match=problem):
            parse_line(line)

    def test_broken_lines_are_named_and_left_out(self, tmp_path: Path) -> None:
        good = [json.dumps({"text": f"text {number}"}) for number in range(4)]
        path = save(tmp_path / "r.jsonl", "\n".join([good[0], "{", *good[1:], '{"text": 1}']))
        events: list[Event] = []
        corpus = load(path, events)
        assert sorted(texts(corpus.training + corpus.held_out)) == [f"text {n}" for n in range(4)]
        (said,) = notices(events)
        assert said.startswith("2 texts were left out.")
        assert "r.jsonl, line 2:" in said and "r.jsonl, line 6:" in said

    def test_all_broken_is_refused_and_the_list_is_short(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetError, match=r"line 1: .*line 5: .* And 95 more\.") as caught:
            load(save(tmp_path / "r.jsonl", "{\n" * 100))
        assert '"messages"' in caught.value.hint

    @given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
    def test_any_line_is_a_text_or_refused(self, line: str) -> None:
        _text_or_refused(line)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from(ROLES),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(
                    st.sampled_from(
                        ["text", "prompt", "completion", "messages", "role", "content"]
                    ),
                    inner,
                )
            ),
        )
    )
    def test_any_record_is_a_text_or_refused(self, record: Any) -> None:
        _text_or_refused(json.dumps(record))

    @given(st.text(st.characters(codec="utf-8")).filter(str.strip))
    def test_every_text_survives(self, text: str) -> None:
        assert parse_line(json.dumps({"text": text})).text == text


def _text_or_refused(line: str) -> None:
    try:
        document = parse_line(line)
    except ValueError:
        return
    assert document.text.strip() and document.text.encode()
