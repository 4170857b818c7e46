"""What a quality rule reads and depends on."""

from pathlib import Path
from types import SimpleNamespace

from configs import SMALL, changed, check
from instructmining.dag import quality_rules


def test_a_table_that_does_not_exist_is_no_input_and_what_it_is_compared_with_no_param(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    rule = {"observations": str(table), "indicators": ["mtld"], "origin": "a paper", "against": "instructmining-v2"}
    config, here = check(changed("quality_rules.read", rule)), SimpleNamespace(quality_rule="read")
    assert quality_rules.fit_inputs(config, here) == {}
    table.write_text("mtld,loss\n")
    assert quality_rules.fit_inputs(config, here) == {"observations": str(table)}
    settings = quality_rules.fit_settings(config, here)
    assert settings["observations"] == "table.csv" and settings["origin"] == "a paper" and "against" not in settings
    assert quality_rules.compared_preset(config, here) == "instructmining-v2"
    assert quality_rules.compared_preset(config, SimpleNamespace(quality_rule="published")) is None


def test_a_fitted_rule_reads_its_mixtures_and_their_losses_in_one_order_and_a_published_one_nothing() -> None:
    config = check(SMALL)
    found = quality_rules.fit_inputs(config, SimpleNamespace(quality_rule="fitted"))
    names = [f"base-00{i}" for i in range(9)]
    assert found["mixtures"] == [f"results/subsets/mixtures/{name}.parquet" for name in names]
    runs = [f"small/mixtures/{name}" for name in names]
    assert found["evaluations"] == [f"results/evaluations/{run}/held_out.json" for run in runs]
    assert quality_rules.fit_inputs(config, SimpleNamespace(quality_rule="published")) == {}
