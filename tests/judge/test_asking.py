"""What surrounds the judge client: the keys of what was paid for stay, and shares are checked."""

import pytest

from instructmining.jobs.errors import InputError
from instructmining.judge.asking import benchmark_settings, check_share, may_fail, question
from instructmining.judge.messages import load_prompt, messages
from judging import examples, settings

# keys of the indicator's questions as version 2 asked them: another key would be paid for again
PAID = {
    "api": "335426532dab191f1dbe78c17a6a308cb390c97a2ccfb7bf60a5ed5523710449",
    "local": "81c4a98e1bf7db422718a5f8a89298b43cff3c8c8fe4ac5d08ccff056a32cc38",
}


@pytest.mark.parametrize("backend", PAID)
def test_what_was_paid_for_is_still_found(tmp_path, backend):
    told = settings(tmp_path, backend=backend)
    if backend == "local":
        told |= {"precision": "float32", "max_length": 1000, "model_record": {"model": "tiny", "revision": "local"}}
    prompt, row = load_prompt("alpagasus", None), examples(range(1)).row(0, named=True)
    assert question(row["id"], messages(prompt, row), prompt.version, told).key == PAID[backend]
    assert question(row["id"], messages(prompt, row), "another", told).key != PAID[backend]


def test_a_share_of_values():
    readings = [(1.0, None), (None, "b"), (None, "a"), (None, "b")]
    assert check_share(readings, 0.25, "rows have a score") == {"b": 2, "a": 1}
    with pytest.raises(InputError, match=r"^judge: 1 of 4 rows have a score; min_share_used asks for 26% \(2 b, 1 a\)"):
        check_share(readings, 0.26, "rows have a score")
    assert check_share([], 1.0, "rows have a score") == {}


@pytest.mark.parametrize("share", [0.0, 0.5, 0.55, 0.7, 0.9, 1.0])
@pytest.mark.parametrize("count", [0, 1, 3, 10, 40, 100, 805])
def test_as_many_may_fail_as_the_share_lets_pass(count, share):
    most = may_fail(count, share)
    check_share([(None, "x")] * most + [(1, None)] * (count - most), share, "rows")
    if most < count:
        with pytest.raises(InputError):
            check_share([(None, "x")] * (most + 1) + [(1, None)] * (count - most - 1), share, "rows")


def test_where_a_benchmark_s_answers_lie():
    judge = {"model": "m", "max_cost": 3.0, "concurrency": 2}
    found = benchmark_settings({"mt": {"judge": judge}}, recipe="r", subset="random-0/unseen/1000", benchmark="mt")
    assert found["answers"] == ["benchmarks/mt", "r.random-0.unseen.1000"]
    assert found["costs"] == "results/costs/judge_pairs/r/random-0/unseen/1000/mt.json"
    assert (found["calls"]["max_cost"], found["calls"]["concurrency"], found["calls"]["timeout"]) == (3.0, 2, None)
    assert "model" not in found["calls"]
