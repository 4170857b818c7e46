"""What embedding one shard reads and depends on."""

from types import SimpleNamespace

from configs import changed, check, selecting
from instructmining.config import EMBEDDING_KEYS
from instructmining.dag import embeddings
from instructmining.settings import versions


def test_how_fast_a_model_embeds_is_no_param() -> None:
    slow, fast = check(selecting()), check(selecting("embeddings.prompts.batch_tokens", 9))
    here = SimpleNamespace(entry="prompts")
    assert embeddings.embed_settings(slow, here) == embeddings.embed_settings(fast, here)
    assert embeddings.embed_settings(slow, here)["pooling"] == "mean"
    assert embeddings.batch_tokens(fast, here) == 9
    by_neighbours = embeddings.embed_settings(slow, SimpleNamespace(entry="knn_6"))
    assert set(by_neighbours) == {*EMBEDDING_KEYS, "model_path", "model_record"}


def test_the_two_kinds_of_embeddings_have_versions_of_their_own() -> None:
    config = check(selecting())
    found = [embeddings.embed_version(config, SimpleNamespace(entry=entry)) for entry in ("prompts", "knn_6")]
    assert found == [versions.EMBEDDINGS[kind] for kind in ("hidden_embeddings", "embeddings")]


def test_entries_with_the_same_model_share_their_embeddings() -> None:
    config = check(changed("indicators.near", {"scorer": "knn", "model": "tiny", "i": 3}))
    assert embeddings.embedding_entries(config) == "knn_6"
    files = ["results/embeddings/alpaca/knn_6/000-of-001.parquet"]
    assert embeddings.embedding_files(config, ["alpaca"], "near") == files


def test_gpus_are_of_one_job_and_of_one_machine() -> None:
    raw = selecting("embeddings.prompts.device", "cuda")
    raw["embeddings"]["prompts"]["gpus"] = 4
    config, here, other = check(raw), SimpleNamespace(entry="prompts"), SimpleNamespace(entry="mtld")
    asked = (embeddings.gpus, embeddings.gpu_nodes, embeddings.one_gpu)
    assert [function(config, here) for function in asked] == [4, 1, 1]
    assert [function(config, other) for function in asked] == [0, None, 0]
