"""Answers compared by a judge: both orders, agreement, what cannot be used, and nothing paid twice."""

import contextlib
import json
import math
import runpy
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import torch
from statsmodels.stats.proportion import proportion_confint
from transformers import AutoModelForCausalLM, AutoTokenizer

from evaluating import job
from instructmining.evaluations.pairwise import drawn, evaluate, reference_answers
from instructmining.jobs.errors import InputError
from instructmining.jobs.files import write_parquet
from instructmining.judge import client as judge_client
from instructmining.judge.records import Records
from judging import KEY, completion, examples, serving, settings
from tiny import tiny_llama

ROWS = 12


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Short waits, the key in the environment, and no proxy before loopback."""
    monkeypatch.setattr(judge_client, "FIRST_WAIT", 0.02)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


def answers(whose, rows=ROWS, **other):
    """Columns id, response; of the rows in ``other`` another response."""
    words = [(row * len(whose)) % 7 for row in range(rows)]
    texts = [other.get(f"row_{row}", f"{whose} {row} {'long ' * words[row]}") for row in range(rows)]
    return pl.DataFrame({"id": examples(range(rows))["id"], "response": texts})


def ours_first(body):
    said = str(body["messages"][1]["content"])
    return said.index("ours") < said.index("theirs")


def verdict(row, body):
    """Of row 0, 4, … always ours; of 1, 5, … always theirs; of 2, 6, … what stands first; of 3, 7, … a tie."""
    first = ours_first(body)
    letter = ["A" if first else "B", "B" if first else "A", "A", "C"][row % 4]
    return completion(f"Hm.\n[[{letter}]]")


def likely(first, **more):
    """An answer whose first token is m with probability ``first``, M with half of what is left."""
    tops = [("m", first), ("M", (1 - first) / 2), ("The", (1 - first) / 2)]
    entries = [{"token": token, "logprob": math.log(value)} for token, value in tops]
    content = [{**entries[0], "top_logprobs": entries}]
    choice = {"index": 0, "message": {"content": "m"}, "finish_reason": "length", "logprobs": {"content": content}}
    return json.dumps({"choices": [choice], "model": "j", **more}).encode()


def told(folder, **changed):
    """Settings as a rule has them among its params, with the size of a batch."""
    judge = settings(folder)
    judge = {key: judge[key] for key in ("backend", "model", "model_record")} | {"request": {}}
    found = {"prompt": "mt_bench_pair", "min_share_used": 0.9, "judge": judge, "batch_tokens": 0, "runs": []}
    return {**found, "generation": {"seed": 0}, **changed}


def called(folder, **changed):
    """The benchmark's entry in the config, as far as it says how the judge is called."""
    return {"kind": "pairwise", "judge": settings(folder, **changed)["calls"]}


def judged(folder, rows, details, one, other, told, **calls):
    """Figures and items; the judge's answers lie below ``folder``."""
    named = {"recipe": "r", "subset": "s", "benchmark": "mt", "entry": called(folder, **calls)}
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(folder):
        return evaluate(job(folder, examples(range(rows)), details, one, [other], **named), told)


def run(server, monkeypatch, folder, rows=ROWS, ours=None, theirs=None, categories=None, hard=None, **changed):
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    details = [{"category": None if categories is None else categories[row]} for row in range(rows)]
    details = [{**one, "difficulty": hard[row]} if hard else one for row, one in enumerate(details)]
    one = answers("ours", rows) if ours is None else ours
    other = answers("theirs", rows) if theirs is None else theirs
    calls = {key: changed.pop(key) for key in tuple(changed) if key in ("max_cost", "retries", "concurrency")}
    return judged(folder, rows, details, one, other, told(folder, **changed), **calls)


def records(folder):
    files = (folder / "results/answers/benchmarks/mt").glob("*.jsonl")
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_a_win_needs_both_orders(monkeypatch, tmp_path):
    with serving(reply=verdict) as server:
        figures, items = run(server, monkeypatch, tmp_path, categories=["writing", "math"] * 6)
        assert server.asked == dict.fromkeys(range(ROWS), 2)
    assert items["verdict"].to_list() == ["win", "lose", "tie", "tie"] * 3
    assert items["value"].to_list() == [1, 0, 0.5, 0.5] * 3
    assert items["order_1"].to_list() == [1, 0, 1, 0.5] * 3 and items["order_2"].to_list() == [1, 0, 0, 0.5] * 3
    assert figures["value"] == 0.5 == (items["value"] * items["weight"]).sum() / items["weight"].sum()
    assert (figures["n_used"], figures["n_expected"], figures["direction"]) == (12, 12, "higher_is_better")
    assert {name: figures[name]["count"] for name in ("wins", "ties", "losses")} == {"wins": 3, "ties": 6, "losses": 3}
    assert figures["ties"]["share"] == 0.5
    assert figures["wins"]["interval"] == pytest.approx(proportion_confint(3, 12, method="wilson"))
    assert figures["agreement"] == 0.5 and figures["first_place"] == 12 / 18 and figures["identical"] == 0
    writing, math_ = figures["by_category"]["writing"], figures["by_category"]["math"]
    assert (writing["value"], writing["n_used"], writing["wins"]["count"]) == (0.75, 6, 3)
    assert (math_["value"], math_["losses"]["share"], math_["wins"]["count"]) == (0.25, 0.5, 0)
    assert list(figures["by_category"]) == ["writing", "math"]
    assert items["length"].to_list() == [len(text) for text in items["response"]]
    assert figures["mean_length_other"] == items["length_other"].mean()
    json.dumps(figures, allow_nan=False)


def test_sides_changed_the_rest_is_won(monkeypatch, tmp_path):
    with serving(reply=verdict) as server:
        figures, _ = run(server, monkeypatch, tmp_path)
        asked = server.asked.total()
        other, _ = run(server, monkeypatch, tmp_path, ours=answers("theirs"), theirs=answers("ours"))
        # the same two questions an item: nothing is asked again
        assert server.asked.total() == asked
    assert figures["value"] + other["value"] == 1 and other["wins"] == figures["losses"]
    assert other["length_controlled"]["value"] == pytest.approx(1 - figures["length_controlled"]["value"])


def test_points_above_fifty_are_told_against_runs_and_difficulty_counts_against_references(monkeypatch, tmp_path):
    rows, hard = 12, list(np.linspace(-1, 1, 12))
    with serving(reply=verdict) as server:
        plain, _ = run(server, monkeypatch, tmp_path, rows=rows)
        against, _ = run(server, monkeypatch, tmp_path, rows=rows, runs=["small/random-0/unseen/16"], hard=hard)
        known, _ = run(server, monkeypatch, tmp_path, rows=rows, hard=hard)
    assert "mean_adjusted" not in plain and "mean_adjusted" not in known
    assert against["mean_adjusted"] == pytest.approx(100 * plain["length_controlled"]["value"] - 50)
    assert known["length_controlled"]["value"] != plain["length_controlled"]["value"]


def test_what_is_sent(monkeypatch, tmp_path):
    with serving(reply=verdict) as server:
        run(server, monkeypatch, tmp_path, rows=1)
    one, _ = server.bodies
    assert set(one) == {"model", "messages", "temperature", "max_tokens"}
    assert (one["temperature"], one["max_tokens"]) == (0.0, 2048)
    said = one["messages"][1]["content"]
    assert said.startswith("[User Question]\nQuestion 0: is {input} a brace?\nof old\n\n[The Start")


def test_preferences_are_weighed(monkeypatch, tmp_path):
    def reply(row, body):
        # ours: 0.9 and 0.6 where it stands first; what stands first always gets a little more
        ours = [0.9, 0.6, 0.1][row % 3]
        return likely((ours if ours_first(body) else 1 - ours) * 0.9 + 0.05)

    with serving(reply=reply) as server:
        figures, items = run(server, monkeypatch, tmp_path, prompt="alpaca_eval")
        [body, *_] = server.bodies
        assert (body["logprobs"], body["top_logprobs"], body["max_tokens"], body["temperature"]) == (True, 5, 1, 1.0)

    def share(first):
        return first / (first + (1 - first) / 2)

    ours = share(0.9 * 0.9 + 0.05), 1 - share(0.1 * 0.9 + 0.05)
    assert items["order_1"][0] == pytest.approx(ours[0]) and items["order_2"][0] == pytest.approx(ours[1])
    assert items["value"][0] == pytest.approx(sum(ours) / 2) and items["verdict"][0] == "win"
    assert items["verdict"].to_list() == ["win", "tie", "lose"] * 4
    assert figures["value"] == pytest.approx(items["value"].mean())
    # recorded whole: another process needs neither key nor server
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name)
    details = [{"category": None}] * ROWS
    told_again = told(tmp_path, prompt="alpaca_eval")
    again = judged(tmp_path, ROWS, details, answers("ours"), answers("theirs"), told_again)
    assert again[0] == figures and again[1].equals(items)


def test_a_server_without_log_probabilities_is_a_reason(monkeypatch, tmp_path):
    with serving(always='text "m"') as server, pytest.raises(InputError, match="too few answers can be used"):
        run(server, monkeypatch, tmp_path, prompt="alpaca_eval", rows=40)
    assert server.asked.total() < 20
    with serving({3: ['text "m"']}, reply=lambda *_: likely(0.4)) as server:
        figures, items = run(server, monkeypatch, tmp_path / "one", prompt="alpaca_eval")
    assert figures["unused"] == {"no log-probabilities in the answer": 1} and figures["n_used"] == 11
    assert items["reason"][3] == "no log-probabilities in the answer" and items["value"][3] is None


def test_only_questions_for_log_probabilities_record_them(monkeypatch, tmp_path):
    with serving(reply=verdict) as server:
        run(server, monkeypatch, tmp_path, rows=2)
    assert len(records(tmp_path)) == 4 and not [one for one in records(tmp_path) if "logprobs" in one]


def test_equal_answers_are_a_tie_and_nobody_is_asked(monkeypatch, tmp_path):
    same = dict.fromkeys(("row_0", "row_1"), "the same")
    with serving(reply=verdict) as server:
        figures, items = run(
            server, monkeypatch, tmp_path, ours=answers("ours", **same), theirs=answers("theirs", **same)
        )
        assert set(server.asked) == set(range(2, ROWS))
    assert items["verdict"][:2].to_list() == ["tie", "tie"] and items["value"][0] == 0.5 and figures["identical"] == 2
    assert items["order_1"][0] is None and figures["agreement"] == 0.4  # of ten


def test_equal_answers_everywhere_need_no_judge(monkeypatch, tmp_path):
    monkeypatch.delenv("OPENAI_API_KEY")
    one = answers("ours")
    figures, _ = judged(tmp_path, ROWS, [{}] * ROWS, one, one, told(tmp_path))
    assert (figures["value"], figures["identical"], figures["agreement"], figures["first_place"]) == (
        *(0.5, ROWS, None, None),
    )
    assert figures["length_controlled"]["value"] == 0.5


def test_what_cannot_be_used_has_a_reason(monkeypatch, tmp_path):
    plan = {3: ["400"], 5: ['text "Both_are_fine."'], 6: ['text "[[A]]_no_[[B]]"']}
    with serving(plan, reply=verdict) as server:
        figures, items = run(
            server, monkeypatch, tmp_path, ours=answers("ours", row_1=None), theirs=answers("theirs", row_2=None),
            min_share_used=0.5,
        )  # fmt: skip
        assert set(server.asked) == {0, *range(3, ROWS)}
    assert figures["unused"] == dict.fromkeys(
        (
            "no answer of the other: its prompt is too long",
            "no answer of this run: its prompt is too long",
            "no verdict",
            "refused: HTTP 400 (some_code)",
            "several verdicts",
        ),
        1,
    )
    assert figures["n_used"] == 7 == items["value"].count() and items["reason"].count() == 5
    assert items["length"][1] is None and items["length_other"][1] > 0 and items["verdict"][1] is None


def test_too_few_answers_are_an_error_before_anything_is_paid(monkeypatch, tmp_path):
    none = dict.fromkeys(("row_0", "row_1"), None)
    with serving(reply=verdict) as server:
        with pytest.raises(
            InputError, match=r"judge: 10 of 12 items have two answers; min_share_used asks for 90% \(2"
        ):
            run(server, monkeypatch, tmp_path, ours=answers("ours", **none))
        assert not server.asked
        _, items = run(server, monkeypatch, tmp_path, ours=answers("ours", **none), min_share_used=10 / 12)
    assert items["value"].count() == 10


def test_a_judge_that_never_says_a_verdict_is_not_paid_to_the_end(monkeypatch, tmp_path):
    with serving(always='text "Good."') as server, pytest.raises(InputError, match="too few answers can be used"):
        run(server, monkeypatch, tmp_path, rows=40)
    assert 9 <= server.asked.total() <= 9 + 3  # two answers of each of 4 items may fail; three were on their way


def test_a_run_that_is_cut_goes_on_and_pays_nothing_twice(monkeypatch, tmp_path):
    bad = {0: ["cut", "500"], 1: ["garbage", "hang_up"], 2: ["429 0.1"], 7: ["good", "401"]}
    with serving(bad, reply=verdict) as server:
        with pytest.raises(InputError, match=r"HTTP 401 .*run again to go on"):
            run(server, monkeypatch, tmp_path)
        kept = len(records(tmp_path)) - sum("error" in one for one in records(tmp_path))
        assert 0 < kept == server.paid.total() < 2 * ROWS
        figures, items = run(server, monkeypatch, tmp_path)
        assert server.paid == dict.fromkeys(range(ROWS), 2)
        asked = server.asked.total()
        again = run(server, monkeypatch, tmp_path)
        assert again[0] == figures and again[1].equals(items) and server.asked.total() == asked
    costs = json.loads((tmp_path / "results/costs/judge_pairs/r/s/mt.json").read_text())
    assert (costs["questions"], costs["answers"]) == (24, 24)


def test_money_holds_for_pairs(monkeypatch, tmp_path):
    with serving(reply=verdict) as server, pytest.raises(InputError, match=r"max_cost 0\.024 would be exceeded"):
        run(server, monkeypatch, tmp_path, max_cost=0.024)
    assert 0 < server.paid.total() < 24


def test_the_key_is_nowhere(monkeypatch, tmp_path, caplog):
    for number, action in enumerate(["echo", "401", "400"]):
        with serving(always=action) as server, pytest.raises(InputError) as at:
            run(server, monkeypatch, tmp_path / str(number), retries=1)
        assert KEY not in f"{at.value} {at.value.__context__!r} {caplog.text}"
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert any(b"Your key is Bearer [key]" in data for data in written)
    assert not [data for data in written if KEY.encode() in data]


def test_an_item_that_is_not_among_the_answers(tmp_path):
    with pytest.raises(InputError, match=r"generations: 2 of 12 items are not in them, first '0000000000000000000a'"):
        judged(tmp_path, ROWS, [{}] * ROWS, answers("ours", 10), answers("theirs"), told(tmp_path))


def test_answers_are_drawn_by_item_and_seed():
    ids = examples(range(300))["id"].to_list()
    frames = [pl.DataFrame({"id": ids, "response": [f"{seed} {one}" for one in ids]}) for seed in range(3)]
    found = drawn(ids, frames, 0)
    assert found["id"].to_list() == ids
    assert all(response.endswith(one) for one, response in found.iter_rows())
    counts = [sum(text.startswith(str(seed)) for text in found["response"]) for seed in range(3)]
    assert min(counts) > 70
    some = [ids[200], ids[3], ids[40]]
    assert dict(drawn(some, frames, 0).iter_rows()) == {one: dict(found.iter_rows())[one] for one in some}
    assert drawn(ids, [frame.reverse() for frame in frames], 0).equals(found)
    assert not drawn(ids, frames, 1).equals(found)
    assert drawn(ids, frames[:1], 5)["response"].to_list() == frames[0]["response"].to_list()


def test_reference_answers():
    rows = examples(range(3)).with_columns(row=pl.int_range(10, 13))
    assert reference_answers(rows, "f")["response"].to_list() == [f"Answer é {row}" for row in range(3)]
    with pytest.raises(InputError, match=r"^f: 1 of 3 items have no reference answer .*, first row 11: give one"):
        reference_answers(rows.with_columns(output=pl.when(row=11).then(pl.lit("")).otherwise("output")), "f")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tiny_llama(tmp_path_factory.mktemp("judge")))


def local(root, folder, **changed):
    judge = {
        **{"backend": "local", "model_path": folder, "revision": "main", "precision": "float32", "device": "cpu"},
        **{"model_record": {"model": "tiny", "revision": "local"}, "max_length": 1500, "request": {}},
    }
    return told(root, judge=judge, batch_tokens=3000, min_share_used=0.0, **changed)


def test_a_local_judge_weighs_its_next_token(tmp_path, folder):
    figures, items = judged(
        *(tmp_path, 4, [{}] * 4, answers("ours", 4), answers("theirs", 4)),
        local(tmp_path, folder, prompt="alpaca_eval"),
    )
    assert figures["n_used"] == 4 and items["order_1"].n_unique() == 4
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    found = Records("benchmarks/mt", "r.s", tmp_path / "results").answers.values()
    assert len(found) == 8
    for record in found:
        text = tokenizer.apply_chat_template(record["asked"]["messages"], tokenize=False, add_generation_prompt=True)
        ids = tokenizer(text, add_special_tokens=False, return_tensors="pt").input_ids
        ids = torch.cat([torch.tensor([tokenizer("a").input_ids[:-1]], dtype=torch.int64), ids], dim=1)
        with torch.inference_mode():
            logits = model(ids).logits[0, -1].log_softmax(-1)
        expected = [[one, logits[tokenizer.convert_tokens_to_ids(one)].item()] for one in ("m", "M")]
        assert [token for token, _ in record["logprobs"]] == ["m", "M"]
        assert [value for _, value in record["logprobs"]] == pytest.approx([value for _, value in expected], abs=1e-4)
        assert record["answer"] == max(expected, key=lambda one: one[1])[0]
        assert record["usage"] == {"input": ids.shape[1], "output": 1}
    nowhere = local(tmp_path, str(tmp_path / "no model"), prompt="alpaca_eval")
    again = judged(tmp_path, 4, [{}] * 4, answers("ours", 4), answers("theirs", 4), nowhere)
    assert again[0] == figures and again[1].equals(items)


def test_a_local_judge_that_explains_and_one_that_is_asked_too_much(tmp_path, folder):
    pairs = (tmp_path, 3, [{}] * 3, answers("ours", 3), answers("theirs", 3))
    told_short = local(tmp_path, folder)
    told_short["judge"] |= {"request": {"max_tokens": 4}}
    with pytest.raises(InputError, match="win rate: no item has a preference"):
        judged(*pairs, told_short)  # four random tokens are no verdict
    assert {len(one["asked"]["request"]) for one in records(tmp_path)} == {2} and len(records(tmp_path)) == 6
    told_short["judge"] |= {"max_length": 20}
    with pytest.raises(InputError, match=r"0 of 3 items are judged; .*\(3 refused: question over max_length tokens\)"):
        judged(*pairs, {**told_short, "min_share_used": 0.5})


@pytest.mark.parametrize("seeds", [0, 2])
def test_the_job(monkeypatch, tmp_path, seeds):
    """The script as Snakemake runs it: against drawn runs, or the items' own answers; the config's calls are used."""
    io = pytest.importorskip("snakemake.iocontainers")
    monkeypatch.chdir(tmp_path)
    details = pl.lit('{"category": "x"}')
    rows = examples(range(ROWS)).with_columns(
        output=answers("theirs")["response"], dataset=pl.lit("d"), row=pl.int_range(ROWS), details=details
    )
    write_parquet(rows, "examples.parquet")
    theirs = [f"{seed}.parquet" for seed in range(seeds)]
    for path in ("ours.parquet", *theirs):
        whose = "ours" if path == "ours.parquet" else f"theirs of {path[0]}:"
        write_parquet(answers(whose).with_columns(tokens=pl.lit(3), finish=pl.lit("stop")), path)
    judge = {key: told(tmp_path)["judge"][key] for key in ("backend", "model", "model_record", "request")}
    params = {"prompt": "mt_bench_pair", "min_share_used": 0.9, "judge": judge, "generation": {"seed": 0}, "runs": []}
    given = SimpleNamespace(
        input=io.Namedlist(
            fromdict={"examples": "examples.parquet", "answers": "ours.parquet", "others": io.Namedlist(theirs)}
        ),
        output=SimpleNamespace(figures="out/f.json", per_item="out/i.parquet"),
        params=SimpleNamespace(settings=params, version=1),
        wildcards=io.Namedlist(fromdict={"recipe": "r", "subset": "longest/p/10", "benchmark": "mt"}),
        resources=io.Namedlist(fromdict={"batch_tokens": 0}),
        config={"benchmarks": {"mt": called(tmp_path, concurrency=2)}},
        log=["job.log"],
        threads=1,
    )
    script = Path(__file__).parents[2] / "workflow/scripts/evaluate.py"
    with serving(reply=verdict, seconds=0.02) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        process = get_context("spawn").Process(target=runpy.run_path, args=(str(script), {"snakemake": given}))
        process.start()
        process.join()
    assert process.exitcode == 0, Path("job.log").read_text()
    assert server.most_at_once == 2
    found, items = json.loads(Path("out/f.json").read_text()), pl.read_parquet("out/i.parquet")
    assert found["value"] == 0.5 and found["by_category"]["x"]["n_used"] == ROWS
    assert found["provenance"]["subset"] == "longest/p/10" and str(tmp_path) not in json.dumps(found)
    if seeds:
        assert set(items["response_other"].str.slice(0, 12)) == {"theirs of 0:", "theirs of 1:"}
    else:
        assert items["response_other"].to_list() == rows["output"].to_list()
    assert Path("results/answers/benchmarks/mt/r.longest.p.10.jsonl").exists()
    assert json.loads(Path("results/costs/judge_pairs/r/longest/p/10/mt.json").read_text())["answers"] == 24
