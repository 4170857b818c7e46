"""The border between prompt and response over the tokenizer families in use.

Nothing here reads character offsets: where the response begins is found again from what the tokens spell.
"""

from itertools import takewhile

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import bytes_to_unicode

from instructmining.jobs.errors import InputError
from instructmining.models.loading import load_tokenizer
from instructmining.models.prompts import TEMPLATES, encode, render
from instructmining.scorers import lengths
from instructmining.scorers.causal import QUESTIONS, SUFFIX, question_and_answers
from scoring import scored
from tokenizers_ import CHAT, FAMILIES, save_family

BEGIN = {
    **{"gpt_neox": [], "llama_3": ["<|begin_of_text|>"], "llama_2": ["<s>"], "mistral": ["<s>"], "metaspace": ["<s>"]},
    **{"gemma": ["<bos>"], "t5": [], "xlnet": [], "bert": ["[CLS]"]},
}
LOSSY = {"t5", "xlnet", "bert"}  # blanks stripped or made one, characters unknown: what a token spells may say less
CHATS = [CHAT, "[INST] {{ messages[0].content }} [/INST]", "{{ messages[0].content }}"]
BYTE = {character: byte for byte, character in bytes_to_unicode().items()}
PIECES = [
    *("a", "e", "x", "Is", "question", "Yes", "'ll", "12345", ".", ":", "``", "[", ">", "▁", "<0x41>"),
    *(" ", "  ", "    ", "\n", "\n\n", "\n  ", " \n", "\t", "\r\n", "\u00a0", "\u3000"),
    *("<s>", "</s>", "<", "s>", "<|endoftext|>", "<|begin_of_text|>", "<|assistant|>", "[SEP]", "<bos>"),
    *("🙂", "👩\u200d👩", "\u200d", "東京", "☃", "\u00e9", "\u0301", "\u0323", "\u0338", "ﬁ", "①", "½", "Å"),
    *("각", "\u1100", "\u1161", "\u11a8", "\u200b", "\u0000", "\ufeff", "\ufffd"),
]
texts = st.lists(st.sampled_from(PIECES), max_size=5).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=12
)
forms = st.sampled_from([*((name, CHAT) for name in TEMPLATES), *(("chat", chat) for chat in CHATS)])


@pytest.fixture(scope="module", params=FAMILIES)
def family(request, tmp_path_factory):
    return request.param, load_tokenizer(str(save_family(request.param, tmp_path_factory.mktemp(request.param))))


def frame(instruction, output):
    return pl.DataFrame({"instruction": [instruction], "input": [""], "output": [output]})


def encoded(tokenizer, form, instruction, output, max_length=10_000, max_prompt_length=None, end=False):
    template, tokenizer.chat_template = form
    [example] = encode(frame(instruction, output), tokenizer, template, max_length, max_prompt_length, end)
    return render(template, instruction, "", tokenizer), example


def tokens_of(tokenizer, text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def spelled(name, tokenizer, ids):
    """What each token spells, as bytes; an unknown one a byte that no text has."""
    found, added = [], tokenizer.added_tokens_decoder
    for token, word in zip(ids, tokenizer.convert_ids_to_tokens(ids), strict=True):
        if token in added:
            found.append(b"\xff" if token == tokenizer.unk_token_id else word.encode())
        elif name in ("gpt_neox", "llama_3"):
            found.append(bytes(BYTE[character] for character in word))
        elif len(word) == 6 and word.startswith("<0x"):
            found.append(bytes([int(word[3:5], 16)]))
        else:
            found.append(word.removeprefix("##").encode() if name == "bert" else word.encode())
    return found


def common(*spellings):
    """The length in bytes of the whole characters that the spellings begin with together."""
    whole = [b"".join(parts).decode("utf-8", "surrogateescape") for parts in spellings]
    shared = "".join(c[0] for c in takewhile(lambda c: len(set(c)) == 1, zip(*whole, strict=False)))
    return len(shared.encode("utf-8", "surrogateescape"))


def starts(name, tokenizer, prompt, text):
    """Where the response may begin among the tokens of ``text``: one place, but for the lossy families."""

    def spell(text):
        return spelled(name, tokenizer, tokens_of(tokenizer, text))

    whole = spell(text)
    ends = [sum(map(len, whole[: i + 1])) for i in range(len(whole))]

    def first_behind(border):
        return next((i for i, end in enumerate(ends) if end > border), len(ends))

    low = first_behind(common(spell(prompt), whole))
    if name not in LOSSY:
        return {low}
    # a stripped blank stands once something follows; blanks and unknown characters of both sides may be one token
    high = first_behind(common(spell(prompt + "Q"), spell(prompt + "Z"), whole))
    low, high = min(low, high), max(low, high)
    while low and whole[low - 1] in (b"\xff", "▁".encode()):
        low -= 1
    return set(range(low, high + 1))


@settings(max_examples=100)
@given(form=forms, instruction=texts, output=texts)
@example(form=("chat", CHATS[2]), instruction="a e", output="\u0301b")
@example(form=("chat", CHATS[2]), instruction="\u1100\u1161", output="\u11a8a")
@example(form=("chat", CHATS[2]), instruction="o\u0302", output="\u0301")
@example(form=("chat", CHAT), instruction="a", output="\u0338")
@example(form=("alpaca_short", CHAT), instruction="a", output="   b")
def test_the_ids_are_those_of_the_whole_text_and_the_response_begins_where_they_spell_it(
    family, form, instruction, output
):
    name, tokenizer = family
    prompt, example = encoded(tokenizer, form, instruction, output)
    begin = tokenizer.convert_tokens_to_ids(BEGIN[name])
    bare = tokens_of(tokenizer, prompt + output)
    brought = bool(begin) and tokens_of(tokenizer, prompt)[:1] == begin
    assert example.ids == (bare if brought else begin + bare)
    assert not example.truncated
    added = len(begin) - brought
    assert example.start - added in starts(name, tokenizer, prompt, prompt + output)


@settings(max_examples=50)
@given(
    form=forms, instruction=texts, output=texts, limit=st.integers(1, 60), most=st.integers(0, 30), end=st.booleans()
)
def test_a_cut_keeps_the_beginning_the_prompts_end_and_the_responses_beginning(
    family, form, instruction, output, limit, most, end
):
    name, tokenizer = family
    _, whole = encoded(tokenizer, form, instruction, output, end=end)
    _, cut = encoded(tokenizer, form, instruction, output, limit, most, end=end)
    begin = tokenizer.convert_tokens_to_ids(BEGIN[name])
    prompt, response = whole.ids[len(begin) : whole.start], whole.ids[whole.start :]
    kept = prompt[len(prompt) - min(most, len(prompt)) :]
    assert cut.ids == [*begin, *kept, *response][:limit]
    assert cut.truncated == (len(cut.ids) < len(whole.ids))
    left = max(0, limit - len(begin) - len(kept))
    assert cut.ids[cut.start :] == response[:left]


@settings(max_examples=25)
@given(form=forms, instruction=texts)
def test_an_empty_response_leaves_the_end_token_or_nothing(family, form, instruction):
    _, tokenizer = family
    _, without = encoded(tokenizer, form, instruction, "")
    _, with_end = encoded(tokenizer, form, instruction, "", end=True)
    assert without.start == len(without.ids)
    assert with_end.ids[with_end.start :] == [tokenizer.eos_token_id]


@settings(max_examples=25)
@given(output=texts, asked=st.sampled_from(list(QUESTIONS)), answer=st.sampled_from([0, 1]))
def test_questions_and_answers_are_the_tokens_of_the_whole_text(family, output, asked, answer):
    _, tokenizer = family
    question, answers = question_and_answers(tokenizer, asked)
    # behind a response that ends in a word, where no token can hold both of it and of the question
    response = f"Some {output} text"
    whole = tokens_of(tokenizer, response + SUFFIX.format(question=QUESTIONS[asked]) + (" Yes", " No")[answer])
    before = tokens_of(tokenizer, response)
    assert whole[: len(before)] == before
    assert whole[len(before) :][: len(question) + 1] == [*question, answers[answer]]


def small(vocabulary, merges=(), unknown=None):
    model = models.BPE(vocab={w: i for i, w in enumerate(vocabulary)}, merges=list(merges), unk_token=unknown)
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(model), unk_token=unknown)


LETTERS = sorted(set("".join(SUFFIX.format(question=q) for q in QUESTIONS.values())) | set("YesNo"))


def test_a_tokenizer_that_cannot_be_asked_is_an_error_of_one_line():
    question, answers = question_and_answers(small(LETTERS), "coherence")
    assert (len(question), answers) == (
        len(SUFFIX.format(question=QUESTIONS["coherence"])) + 1,
        (LETTERS.index("Y"), LETTERS.index("N")),
    )
    with pytest.raises(InputError, match="merges the end of a response"):
        question_and_answers(small([*LETTERS, "a\n"], [("a", "\n")]), "coherence")
    for missing in ("Y", "N"):
        known = [letter for letter in LETTERS if letter != missing]
        with pytest.raises(InputError, match="does not tell"):
            question_and_answers(small([*known, "<unk>"], unknown="<unk>"), "coherence")


def test_an_end_token_is_asked_for_only_where_there_is_one():
    tokenizer = small(sorted({*LETTERS, *TEMPLATES["alpaca_short"][0]}))
    [example] = encode(frame("", "Yes"), tokenizer, "alpaca_short", 100, end=False)
    assert tokenizer.convert_ids_to_tokens(example.ids[example.start :]) == ["Y", "e", "s"]
    with pytest.raises(InputError, match="no end token"):
        encode(frame("", "Yes"), tokenizer, "alpaca_short", 100)


@pytest.mark.parametrize(
    ("name", "prompt", "response", "supervised"),
    [
        ("gpt_neox", "a\n", "   b", ["ĊĠ", "Ġ", "Ġb"]),  # the offsets of the first, trimmed, end in the prompt
        ("gpt_neox", "a e", "\u0301b", ["Ã", "©", "b"]),  # one character of both sides
        ("gpt_neox", "<|assistant|>", "\u0338", ["Ì", "\u00b8"]),  # none: nothing joins an added token
        ("llama_3", "a.", "\n\nb", [".ĊĊ", "b"]),
        ("llama_3", "🙂", "\u200d🙂", ["â", "Ģį", "ðŁ", "ĻĤ"]),
        ("llama_2", "<|assistant|>", "foo", ["▁", "f", "o", "o"]),  # the blank is the tokenizer's own
        ("mistral", "<|assistant|>", "foo", ["f", "o", "o"]),
        ("gemma", "a<", "/s>b", ["</s>", "b"]),
        ("t5", "x", "e\u0301", ["é"]),
        ("t5", "x e", "\u0301a", ["é", "a"]),
        ("t5", "x", "\u0001\ufeffb", ["▁b"]),  # nothing, and a blank
        ("t5", "x\u2603", "\u2604b", ["<unk>", "b"]),  # unknown characters in a row are one token
        ("xlnet", "x e", "\u0301a", ["a"]),
        ("xlnet", "x ", " \n", []),
        ("bert", "x", "\n\n", []),
    ],
)
def test_the_supervised_tokens_of(tmp_path, name, prompt, response, supervised):
    tokenizer = load_tokenizer(str(save_family(name, tmp_path)))
    _, example = encoded(tokenizer, ("chat", CHATS[2]), prompt, response)
    assert tokenizer.convert_ids_to_tokens(example.ids[example.start :]) == supervised


def test_each_row_has_one_beginning_whether_its_text_brings_one_or_not(tmp_path):
    tokenizer = load_tokenizer(str(save_family("llama_2", tmp_path)))
    tokenizer.chat_template = CHATS[2]
    rows = [frame(text, "b") for text in ("<s>a", "a", "<s><s>a")]
    found = encode(pl.concat(rows), tokenizer, "chat", 100, max_prompt_length=1, end=False)
    assert [tokenizer.convert_ids_to_tokens(example.ids) for example in found] == [["<s>", "▁a", "b"]] * 3
    assert [example.truncated for example in found] == [False, False, True]


def test_lengths_count_the_tokens_without_special_ones(family, tmp_path):
    _, tokenizer = family
    tokenizer.save_pretrained(tmp_path)
    outputs = ["", " ", "\n", "a", " a b\n", "🙂 東京 ☃", "e\u0301", "def add(a, b):\n    return a", *PIECES]
    examples = pl.DataFrame({"id": outputs, "instruction": outputs, "input": [""] * len(outputs), "output": outputs})
    found = scored(lengths, examples, {"model_path": str(tmp_path), "revision": "main"})
    assert found["output_length"].to_list() == [len(tokenizer.tokenize(text)) for text in outputs]
    assert found["input_length"].to_list() == found["output_length"].to_list()
