"""What scoring one shard, or one reference set, reads and depends on."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from configs import changed, check, selecting
from instructmining.dag import embeddings, indicators
from instructmining.jobs.errors import InputError


def near(reference: str, **settings: Any) -> dict[str, Any]:
    """The small configuration with a second entry by neighbours, of this reference."""
    return check(changed("indicators.near", {"scorer": "knn", "model": "tiny", "reference": reference, **settings}))


def test_a_reference_set_reads_the_embeddings_of_the_first_entry_with_its_model() -> None:
    def inputs(reference_set: str, reference: str, **settings: Any) -> dict[str, Any]:
        wildcards = SimpleNamespace(reference_set=reference_set, entry="near")
        return indicators.neighbour_inputs(near(reference, **settings), wildcards)

    dolly = [f"results/embeddings/dolly/knn_6/00{k}-of-004.parquet" for k in range(4)]
    alpaca = ["results/embeddings/alpaca/knn_6/000-of-001.parquet"]
    assert inputs("dolly", "pool") == {"embeddings": dolly}
    assert inputs("pools/unseen", "pool") == {"embeddings": dolly + alpaca}
    assert inputs("mixtures/base", "pool") == {"embeddings": alpaca + dolly}
    size = {"reference_size": 20}
    assert inputs("pools/unseen", "mixture", **size) == {"embeddings": dolly + alpaca}
    mixtures = [f"results/subsets/mixtures/base-00{k}.parquet" for k in range(9)]
    assert inputs("mixtures/base", "mixture", **size) == {"embeddings": alpaca + dolly, "mixtures": mixtures}
    assert inputs("dolly", "mixture", **size) == {"embeddings": dolly}
    assert inputs("dolly", "pool", precision="bfloat16")["embeddings"][0].startswith("results/embeddings/dolly/near/")
    with pytest.raises(InputError, match=r"indicators\.near has reference dataset"):
        inputs("pools/unseen", "dataset")


def judged(**settings: Any) -> dict[str, Any]:
    """The small configuration with an indicator by a judge."""
    return check(changed("indicators.rated", {"scorer": "judge", "model": "tiny", **settings}))


def test_how_an_endpoint_is_asked_is_no_param_and_needs_no_gpu_and_no_file() -> None:
    here = SimpleNamespace(entry="rated", dataset="alpaca")
    one = judged()
    other = judged(concurrency=99, max_cost=2.0, price_input=1, price_output=1, key_env="MINE")
    assert indicators.score_settings(one, here) == indicators.score_settings(other, here)
    assert indicators.score_settings(one, here) == {
        **{"scorer": "judge", "backend": "api", "model": "tiny", "model_record": {"model": "tiny"}},
        **{"prompt": "alpagasus", "scale": None, "request": {"temperature": 0.0, "max_tokens": 256}},
        **{"min_share_used": 0.9, "outputs": {"score": "rated"}},
    }
    assert indicators.score_inputs(one, here) == {"examples": "results/datasets/alpaca/examples.parquet"}
    assert (embeddings.gpus(one, here), indicators.judge_places(one, here)) == (0, 1)
    assert "rated" in indicators.by_models(one).split("|")
    assert "rated" not in indicators.by_counting(one).split("|")


def test_a_local_judge_reads_its_model_and_any_judge_its_prompt_file(tmp_path: Path) -> None:
    here = SimpleNamespace(entry="rated", dataset="alpaca")
    file = tmp_path / "mine.txt"
    config = judged(backend="local", device="cuda", prompt=str(file), scale=[0, 1])
    assert indicators.score_settings(config, here)["model_path"] == "models/tiny"
    assert (embeddings.gpus(config, here), indicators.judge_places(config, here)) == (1, 0)
    assert "prompt" not in indicators.score_inputs(config, here)
    file.write_text("{output}")
    assert indicators.score_inputs(config, here)["prompt"] == str(file)


def test_scores_under_a_run_are_the_pool_s_and_read_its_weights() -> None:
    config = check(selecting())
    here = SimpleNamespace(entry="ifd", pool="unseen", dataset="dolly", shard="000-of-004")
    weights = "results/runs/small/cherry_seed/unseen/all/model"
    assert indicators.score_under_run_inputs(config, here)["model"] == weights
    settings = indicators.score_settings(config, here)
    assert (settings["model_path"], settings["model_record"]["model"]) == (weights, "small/cherry_seed/unseen/all")
    assert indicators.under_runs(config) == "ifd" and "ifd" not in indicators.by_models(config).split("|")


def test_the_order_of_outputs_and_what_is_kept_are_no_params() -> None:
    here = SimpleNamespace(entry="ifd", pool="unseen")
    kept = {"recipe": "small", "strategy": "cherry_seed", "keep_model": True}
    one, *others = (
        repr(indicators.score_settings(check(raw), here))
        for raw in (
            selecting(),
            selecting("indicators.ifd.outputs", {"perplexity": "ifd_ppl", "ifd": "ifd"}),
            selecting("indicators.ifd.run", kept),
        )
    )
    assert others == [one, one]


def test_a_preference_head_is_read_where_a_reward_is_asked_for() -> None:
    config = check(selecting())
    found = indicators.score_inputs(config, SimpleNamespace(entry="judge", dataset="alpaca"))
    assert found["preference_head"] == "results/preference_heads/judge.json"
    assert "preference_head" not in indicators.score_inputs(config, SimpleNamespace(entry="mtld", dataset="alpaca"))
    assert "outputs" not in indicators.preference_head_settings(config, SimpleNamespace(entry="judge"))
