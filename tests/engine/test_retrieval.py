"""Passages of files: cut, found by meaning, named under an answer; with tiny real models."""

from __future__ import annotations

import json
from pathlib import Path

import docx
import numpy as np
import pytest
import tiny_encoder
import tiny_language_models as tiny
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import cache, folders, library
from engine.errors import DatasetError, ModelError
from engine.events import Event, Notice, Progress, Saved, Token
from engine.generators.chat_answer import ChatAnswer
from engine.retrieval import embedding, passages, search
from engine.retrieval.passages import OVERLAP, WORDS, Passage

BOATS = "The boats sail from the harbour at nine."
TRAINS = "Trains leave from platform two at noon."


def ignore(event: Event) -> None:
    pass


def pdf(path: Path, *pages: str) -> None:
    """A PDF of lines of text, written by hand: the smallest that a reader takes."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
    kids = []
    for text in pages:
        stream = f"BT /F1 12 Tf 50 700 Td ({text}) Tj ET"
        page = len(objects) + 1
        kids.append(f"{page} 0 R")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /Contents {page + 1} 0 R /MediaBox [0 0 612 792] "
            "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> "
            ">> >> >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    data, places = "%PDF-1.4\n", []
    for number, told in enumerate(objects, start=1):
        places.append(len(data))
        data += f"{number} 0 obj\n{told}\nendobj\n"
    start = len(data)
    data += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n"
    data += "".join(f"{place:010} 00000 n \n" for place in places)
    data += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    path.write_text(data, encoding="latin-1")


def shelf(folder: Path) -> Path:
    folder.mkdir()
    (folder / "boats.md").write_text(f"# Boats\n\n\n{BOATS}\n", encoding="utf-8")
    (folder / "sub").mkdir()
    pdf(folder / "sub" / "trains.pdf", "Nothing here.", TRAINS)
    document = docx.Document()
    document.add_paragraph("Buses are green.")
    document.save(str(folder / "buses.docx"))
    (folder / ".hidden.md").write_text("secret", encoding="utf-8")
    (folder / "picture.png").write_bytes(b"no text")
    return folder


def test_files_of_every_kind_are_read_and_their_places_named(tmp_path) -> None:
    found = passages.read_passages(shelf(tmp_path / "notes"), ignore)
    told = {(each.path.name, each.place): each.text for each in found}
    assert told["boats.md", "line 1"] == f"# Boats {BOATS}"
    assert told["trains.pdf", "page 2"] == TRAINS
    assert told["buses.docx", "paragraph 1"] == "Buses are green."
    assert len(told) == 4


def test_paragraphs_are_joined_up_to_the_length_of_a_passage(tmp_path) -> None:
    text = "\n\n".join(f"Paragraph {n} " + "word " * 50 for n in range(5))
    (tmp_path / "a.txt").write_text(f"\n\n{text}", encoding="utf-8")
    found = list(passages.passages_of(tmp_path / "a.txt"))
    assert [each.place for each in found] == ["line 3", "line 7", "line 11"]
    assert all(len(each.text.split()) <= WORDS for each in found)


@given(st.lists(st.sampled_from(["a", "b.", "c!", "d"]), max_size=700))
def test_a_long_paragraph_is_cut_so_that_nothing_is_lost(words: list[str]) -> None:
    pieces = [piece.split() for piece in passages.cut(" ".join(words))]
    assert all(0 < len(piece) <= WORDS for piece in pieces)
    told = pieces[0] if pieces else []
    for piece in pieces[1:]:
        assert piece[:OVERLAP] == told[-OVERLAP:]
        told = told + piece[OVERLAP:]
    assert told == words


def test_broken_files_are_named_and_left_out(tmp_path) -> None:
    notes = shelf(tmp_path / "notes")
    (notes / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (notes / "broken.docx").write_bytes(b"PK\x03\x04")
    (notes / "latin.txt").write_bytes("Grüße".encode("latin-1"))
    events: list[Event] = []
    found = passages.read_passages(notes, events.append)
    assert "Gr\ufffd\ufffde" in [each.text for each in found]
    (notice,) = (event for event in events if isinstance(event, Notice))
    assert "broken.docx, broken.pdf" in notice.message


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_no_damage_to_a_file_is_more_than_a_file_left_out(tmp_path, data) -> None:
    notes = tmp_path / "damaged"
    if not notes.exists():
        shelf(notes)
    name = data.draw(st.sampled_from(["buses.docx", "sub/trains.pdf"]))
    whole = (notes / name).read_bytes()
    start = data.draw(st.integers(0, len(whole) - 1))
    damage = data.draw(st.binary(max_size=20))
    try:
        (notes / name).write_bytes(
            whole[:start] + damage + whole[start + data.draw(st.integers(0, 40)) :]
        )
        assert BOATS in passages.read_passages(notes, ignore)[0].text
    finally:
        (notes / name).write_bytes(whole)


@pytest.mark.parametrize("name", ["nowhere", "empty", "broken"])
def test_nothing_to_read_is_told(tmp_path, name) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.pdf").write_bytes(b"%PDF-1.4 nothing")
    with pytest.raises(DatasetError, match=r"nothing at|no file that|Not readable: a\.pdf"):
        passages.read_passages(tmp_path / name, ignore)


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder.save_folder(
        tmp_path_factory.mktemp("encoder") / "tiny", f"{BOATS} {TRAINS}"
    )


def test_vectors_have_unit_length_and_do_not_depend_on_their_neighbours(encoder_folder) -> None:
    encoder = embedding.load(encoder_folder, ignore)
    texts = ["boats", BOATS, "trains leave", ""] * 20
    vectors = encoder.embed(texts, ignore)
    assert vectors.shape == (80, 32) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(vectors[1], encoder.embed([BOATS], ignore)[0], atol=1e-5)


def test_the_closest_passages_come_first_and_the_same_words_once(encoder_folder, tmp_path) -> None:
    encoder = embedding.load(encoder_folder, ignore)
    held = [Passage(tmp_path / f"{n}", "line 1", t) for n, t in enumerate([TRAINS, BOATS, BOATS])]
    found = search.best_passages(BOATS, held, encoder, 3, ignore)
    assert [each.passage.text for each in found] == [BOATS, TRAINS]
    assert found[0].score == pytest.approx(1, abs=1e-4) and found[1].score < 1


class Compass:
    """Embeds a text as the direction, in degrees, that it names."""

    fingerprint = "compass"

    def embed(self, texts, report):
        angles = np.radians([float(text) for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_what_is_far_from_the_question_is_left_out(tmp_path) -> None:
    held = [Passage(tmp_path / "a", "line 1", text) for text in ("80", "10", "50", "170")]
    found = search.best_passages("0", held, Compass(), 4, ignore)
    assert [each.passage.text for each in found] == ["10", "50"]  # cos 80° is 0.17


def test_where_nothing_is_near_the_nearest_is_told(tmp_path) -> None:
    held = [Passage(tmp_path / "a", "line 1", text) for text in ("170", "120")]
    assert search.best_passages("0", held, Compass(), 2, ignore)[0].passage.text == "120"


def test_a_file_is_embedded_once_until_it_changes(encoder_folder, tmp_path, monkeypatch) -> None:
    encoder = embedding.load(encoder_folder, ignore)
    held = [Passage(tmp_path / "a", "line 1", BOATS), Passage(tmp_path / "b", "line 1", TRAINS)]
    embedded: list[str] = []
    embed = encoder.embed

    def counted(texts, report):
        embedded.extend(texts)
        return embed(texts, report)

    monkeypatch.setattr(encoder, "embed", counted)
    search.best_passages("boats", held, encoder, 2, ignore)
    search.best_passages("trains", held, encoder, 2, ignore)
    assert embedded == [BOATS, TRAINS, "boats", "trains"]
    held[1] = Passage(tmp_path / "b", "line 1", "Trains are late.")
    search.best_passages("late", held, encoder, 2, ignore)
    assert embedded[4:] == ["Trains are late.", "late"]
    for path in (folders.cache() / "embeddings").iterdir():
        path.write_bytes(b"half")
    assert search.best_passages("boats", held, encoder, 1, ignore)[0].passage.text == BOATS


def test_a_model_that_is_none_is_named(tmp_path) -> None:
    base = tiny.save_folder(tmp_path / "base")
    with pytest.raises(ModelError, match="does not turn texts into vectors"):
        embedding.load(base, ignore)
    with pytest.raises(ModelError, match="does not exist"):
        embedding.load(tmp_path / "nowhere", ignore)


def test_encoders_and_writers_are_told_apart(tmp_path, encoder_folder, home) -> None:
    folders.models().mkdir(parents=True)
    (folders.models() / "finder").symlink_to(encoder_folder)
    tiny.save_folder(folders.models() / "writer")
    assert library.embedding_models() == (library.STARTER_EMBEDDING_MODEL, "finder")
    assert "writer" in library.text_models() and "finder" not in library.text_models()


@pytest.fixture(scope="module", params=["folder", "gguf"])
def writer(request, tmp_path_factory: pytest.TempPathFactory) -> Path:
    room = tmp_path_factory.mktemp("writer")
    if request.param == "folder":
        return tiny.save_folder(room / "instruct", tiny.CHAT_TEMPLATE)
    return tiny.save_gguf(room / "instruct.gguf", tiny.CHAT_TEMPLATE)


def test_an_answer_reads_the_passages_and_names_them(writer, encoder_folder, tmp_path) -> None:
    cache.clear()
    events: list[Event] = []
    task = ChatAnswer(
        prompt="boats",
        model=str(writer),
        documents=str(shelf(tmp_path / "notes")),
        embedding_model=str(encoder_folder),
        passages=1,
        max_new_tokens=8,
        do_sample=False,
        repetition_penalty=1.0,
    )
    task.run(events.append, tmp_path / "out")
    text = "".join(event.text for event in events if isinstance(event, Token))
    assert text.partition("\n\n**Read for this answer**\n\n")[2].startswith("1. ")
    stages = [event.stage for event in events if isinstance(event, Progress)]
    assert "reading the files" in stages and "learning what the files are about" in stages
    saved = [event.path for event in events if isinstance(event, Saved)]
    assert saved[0].read_text("utf-8") == text
    record = json.loads(saved[1].read_text("utf-8"))
    assert record["fields"]["prompt"] == "boats"
    assert record["prompt_tokens"] > 20


def test_a_pack_that_is_missing_is_named(writer, tmp_path, home) -> None:
    task = ChatAnswer(prompt="boats", model=str(writer), documents=str(shelf(tmp_path / "notes")))
    with pytest.raises(ModelError, match="all-MiniLM-L6-v2 is not on this machine") as missing:
        task.run(ignore, tmp_path / "out")
    assert "fetch_pack --pack all-MiniLM-L6-v2" in missing.value.hint
