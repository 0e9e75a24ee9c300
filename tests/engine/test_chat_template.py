"""Chat templates: those of real models work, those of an enemy end quickly and reach nothing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine.errors import InvalidTask, ModelError
from engine.language.chat import Chat

SMOLLM2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
NO_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}{{ bos_token }}{{ messages[0].content | trim }}{{ eos_token }}"
)


def test_the_system_prompt_takes_the_place_of_the_models_own() -> None:
    chat = Chat(SMOLLM2)
    assert "named SmolLM" in chat.render("Hello", "")
    rendered = chat.render("Hello", "You are a poet.")
    assert rendered == (
        "<|im_start|>system\nYou are a poet.<|im_end|>\n"
        "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
    )


def test_what_people_write_is_no_template() -> None:
    assert "{{ 7 * 7 }}" in Chat(SMOLLM2).render("{{ 7 * 7 }} 🦊", "")


def test_special_tokens_and_the_names_templates_use() -> None:
    assert Chat(NO_SYSTEM, "<s>", "</s>").render(" Hello ", "") == "<s>Hello</s>"
    template = (
        "{% generation %}{{ messages | tojson }}{% endgeneration %}"
        "{% for m in messages %}{% break %}{% endfor %}{{ strftime_now('%Y') | length }}"
    )
    assert Chat(template).render("ü", "") == '[{"role": "user", "content": "ü"}]4'


def test_a_model_without_system_role_says_so_at_the_field() -> None:
    with pytest.raises(InvalidTask) as refused:
        Chat(NO_SYSTEM).render("Hello", "Be brief.")
    assert refused.value.field == "system_prompt"
    assert "System role not supported" in refused.value.message


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}"
        "{% endfor %}{% endfor %}{% endfor %}",
        "{{ 'A' * 2000000000 }}",
        "{{ 'A' * 5000000 }}",
        "{{ 10 ** (10 ** 10) }}",
        "{{ messages.__class__.__mro__ }}",
        "{{ ''.__class__.__base__.__subclasses__() }}",
        "{{ cycler.__init__.__globals__.os.system('touch marker') }}",
        "{% set x = namespace(a=1) %}{{ x.__init__.__globals__ }}",
        "{% include 'x' %}",
        "{% for x in messages %}",
        "{{ 1 / 0 }}",
        "{{ messages[7].content }}",
        "x" * 70_000,
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    ],
)
def test_a_hostile_template_ends_in_an_error(
    template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    started = time.perf_counter()
    with pytest.raises(ModelError, match="chat template"):
        Chat(template).render("Hello", "")
    assert time.perf_counter() - started < 10
    assert list(tmp_path.iterdir()) == []


def test_many_conversations_are_rendered_as_each_alone() -> None:
    chat = Chat(
        "{% for m in messages %}[{{ m.role }}] {{ m.content }}{{ eos_token }}{% endfor %}"
        "{% if add_generation_prompt %}>{% endif %}",
        "",
        "|",
    )
    told = [
        [{"role": "user", "content": f"{n} é"}, {"role": "assistant", "content": "!"}]
        for n in range(120)
    ]
    assert list(chat.render_all(told)) == [f"[user] {n} é|[assistant] !|" for n in range(120)]
    assert list(chat.render_all([])) == []
    with pytest.raises(ModelError, match="cannot write these conversations: no"):
        list(Chat("{{ raise_exception('no') }}").render_all(told[:1]))
