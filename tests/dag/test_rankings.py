"""What a ranking reads and depends on."""

from types import SimpleNamespace

import pytest

from configs import SMALL, changed, check, selecting
from instructmining.dag import rankings
from instructmining.jobs.errors import InputError
from instructmining.settings import versions

SHARDS = [*(("dolly", f"00{k}-of-004") for k in range(4)), ("alpaca", "000-of-001")]


def of(ranking: str) -> SimpleNamespace:
    return SimpleNamespace(ranking=ranking, pool="unseen")


def test_a_ranking_is_made_again_for_its_strategy_and_for_all_strategies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "RANKINGS", 7)
    config = {"strategies": {"random": {"kind": "random", "seeds": 2}}}
    assert rankings.rank_version(config, of("random-1")) == [versions.STRATEGIES["random"], 7]


def test_a_baseline_reads_the_rankings_that_it_is_held_apart_from() -> None:
    settings = {"kind": "strict_random", "against": ["longest", "instructmining"]}
    config = check(changed("strategies.strict", settings))
    against = [f"results/rankings/{name}/unseen.parquet" for name in settings["against"]]
    assert rankings.rank_inputs(config, of("strict-2"))["against"] == against
    assert "against" not in rankings.rank_inputs(config, of("random-1"))


def test_rankings_by_embeddings_read_those_of_the_pool() -> None:
    config = check(selecting())
    for ranking, entry in (("cherry_seed", "prompts"), ("deita", "knn_6")):
        expected = [f"results/embeddings/{dataset}/{entry}/{shard}.parquet" for dataset, shard in SHARDS]
        assert rankings.rank_inputs(config, of(ranking))["embeddings"] == expected
    assert "embeddings" not in rankings.rank_inputs(config, of("cherry"))
    assert set(rankings.by_embeddings(config).split("|")) == {"cherry_seed", "deita"}


def test_a_subset_reads_its_ranking_and_the_search_that_found_its_size() -> None:
    ranking = "results/rankings/longest/unseen.parquet"
    wildcards = SimpleNamespace(ranking="longest", pool="unseen", size="16")
    assert rankings.select_inputs(check(SMALL), wildcards) == {"ranking": ranking}
    wildcards.size = "best-main"
    found = rankings.select_inputs(check(SMALL), wildcards)
    assert found == {"ranking": ranking, "search": "results/searches/main.json"}


def test_a_strategy_that_the_config_lacks_is_one_line() -> None:
    with pytest.raises(InputError, match=r"^no strategy randm in the config$"):
        rankings.rank_inputs(check(SMALL), of("randm"))
