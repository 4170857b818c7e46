"""An archive holds the study and nothing private; its crate names every file and every job."""

import base64
import copy
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from instructmining.config.loading import checked_config
from instructmining.jobs import software
from instructmining.jobs.errors import InputError
from instructmining.jobs.files import read_provenance, sha256, write_json, write_parquet, write_text
from instructmining.jobs.records import Job, read_jobs, read_summary
from instructmining.trail import crate, private
from instructmining.trail.archive import TEXTS, WEIGHTS, archive, beside, left_out
from instructmining.trail.crate import METADATA_FILE
from instructmining.trail.verify import opened, verify
from studies import CONFIG, build
from study_builder import HERE, MACHINE, ROOT, SOFTWARE, Builder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    return build(tmp_path_factory.mktemp("built") / "study")


@pytest.fixture
def study(built: Builder, tmp_path: Path) -> Builder:
    found = copy.deepcopy(built)
    found.root = Path(shutil.copytree(built.root, tmp_path / "study"))
    return found


def kept(study: Builder, *wanted: str, allowed: tuple[str, ...] = (), name: str = "kept") -> Path:
    target = study.root.parent / name
    archive(study.root, [study.root / "config.yaml"], study.summary(), target, wanted, allowed)
    return target


def entities(folder: Path) -> dict[str, dict]:
    return {entity["@id"]: entity for entity in json.loads((folder / METADATA_FILE).read_text())["@graph"]}


def test_every_file_is_in_the_crate_with_its_checksum_and_nothing_else_is(study: Builder):
    folder = kept(study)
    found, about = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}, entities(folder)
    files = {name: entity for name, entity in about.items() if entity["@type"] == "File"}
    assert found == {*files, METADATA_FILE}
    assert {part["@id"] for part in about["./"]["hasPart"]} == set(files)
    for name, entity in files.items():
        assert entity["sha256"] == sha256(folder / name)
        assert entity["contentSize"] == str((folder / name).stat().st_size)
    assert {"config.json", "requirements.lock", "CITATION.cff", "results/report.html"} <= set(files)
    assert "results/costs/rank_pool/best/unseen.tsv" in files


def test_texts_are_left_out_but_named_with_their_checksum(study: Builder):
    folder, name = kept(study), "results/datasets/alpaca/examples.parquet"
    assert not (folder / name).exists()
    told = entities(folder)[f"#left-out/{name}"]
    assert told["sha256"] == sha256(study.root / name)
    assert "texts" in told["description"]
    assert (kept(study, TEXTS, name="all") / name).exists()


@pytest.mark.parametrize(
    ("path", "wanted", "inside"),
    [
        ("results/runs/small/best/unseen/8/model", (), False),
        ("results/runs/small/best/unseen/8/model", (WEIGHTS,), True),
        ("results/runs/small/best/unseen/best-main/subset.jsonl", (WEIGHTS,), False),
        ("results/runs/small/best/unseen/best-main/subset.jsonl", (TEXTS,), True),
        ("results/runs/small/best/unseen/best-main/README.md", (), True),
        ("results/embeddings/alpaca/knn_6/000-of-001.parquet", (TEXTS, WEIGHTS), False),
        ("results/packages/a-1.archive", (TEXTS, WEIGHTS), False),
        ("results/datasets/alpaca/summary.json", (), True),
    ],
)
def test_what_is_left_out(path: str, wanted: tuple[str, ...], inside: bool):
    assert (left_out(path, wanted) is None) == inside


def test_what_judges_answered_and_cost_is_in_it(tmp_path: Path):
    config = {"comparisons": {}, "models": {}, "indicators": {"grade": {"scorer": "judge"}, "mtld": {"scorer": "mtld"}}}
    config["benchmarks"] = {"chats": {"kind": "pairwise"}, "held_out": {"kind": "loss"}}
    named = ["results/answers/grade/alpaca-000-of-001.jsonl", "results/answers/benchmarks/chats/small.best.jsonl"]
    named += ["results/costs/judge/alpaca/grade/000-of-001.json", "results/costs/judge_pairs/small/best/chats.json"]
    for name in [*named, "results/answers/other/a.jsonl", "results/answers/grade/.lock"]:
        write_text(tmp_path / name, "{}")
    jobs = [
        Job(name, name.split("/")[0], (), (), {}, (), 0.0, 1.0)
        for name in ("score/alpaca/grade/000-of-001", "evaluate_pairwise/small/best/chats", "rank_pool/best/unseen")
    ]
    assert sorted(beside(config, jobs, tmp_path)) == sorted(named)


def test_a_job_is_an_action_with_its_inputs_and_outputs(study: Builder):
    about = entities(kept(study))
    action = about["#job/evaluate_loss/small/best/unseen/8/held_out"]
    made = {part["@id"] for part in action["result"]}
    own = {f"results/costs/{action['name']}.tsv", f"results/jobs/{action['name']}.json"}
    assert {"results/evaluations/small/best/unseen/8/held_out.json"} | own <= made
    assert {part["@id"] for part in action["object"]} == {
        "#left-out/results/datasets/held_out/examples.parquet",
        "#left-out/results/runs/small/best/unseen/8/model",
    }
    assert action["instrument"][0]["@id"] == "#rule/evaluate_loss"
    assert action["startTime"] == "2023-11-14T22:13:20+00:00"
    assert "'device': 'cpu'" in action["description"]


def test_the_crate_keeps_what_the_specification_must_have(study: Builder):
    folder = kept(study)
    graph = json.loads((folder / METADATA_FILE).read_text())
    about = entities(folder)
    assert graph["@context"] == "https://w3id.org/ro/crate/1.2/context"
    assert len(about) == len(graph["@graph"])
    assert about[METADATA_FILE]["about"] == {"@id": "./"}
    assert about[METADATA_FILE]["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.2"}
    assert {"name", "description", "datePublished", "license", "hasPart"} <= set(about["./"])
    for entity in about.values():
        assert entity["@type"], entity
        assert entity["name"], entity
        for value in entity.values():
            # flat: an entity within another is a reference, to an entity that is there or an address
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, dict):
                    assert set(part) == {"@id"}
                    assert part["@id"] in about or part["@id"].startswith("https://")
    for entity in about.values():
        if entity["@type"] == "SoftwareApplication":
            assert {"version", "url"} <= set(entity)
    mentioned = {part["@id"] for part in about["./"]["mentions"]}
    assert {name for name, entity in about.items() if entity["@type"] == "CreateAction"} <= mentioned


def used_by(about: dict[str, dict], job: str) -> tuple[dict, dict]:
    """Software and machine of an action."""
    _, *used = about[job]["instrument"] if job.startswith("#job/") else (None, *about[job]["instrument"])
    software_, machine_ = (about[part["@id"]] for part in used)
    return software_, machine_


def packages(about: dict[str, dict], software_: dict) -> dict[str, str]:
    found = (about[part["@id"]] for part in software_["softwareRequirements"])
    return {package["name"]: package["version"] for package in found}


def test_every_job_says_with_what_it_ran_and_the_archive_with_what_it_was_written(study: Builder):
    about = entities(kept(study))
    scored, on_cores = used_by(about, "#job/score/alpaca/mtld/000-of-001")
    trained, on_gpus = used_by(about, "#job/finetune/small/best/unseen/8")
    assert scored["version"] == SOFTWARE["commit"]
    assert trained["version"] == f"{SOFTWARE['commit']}, changed since"
    assert SOFTWARE["sources"] in scored["identifier"]
    assert scored["runtimePlatform"] == "Python 3.11.7"
    assert packages(about, scored) == {"numpy": "2.4.6", "polars": "2.0.0"}
    assert packages(about, trained) == {"numpy": "2.4.6", "polars": "2.1.0"}
    assert on_cores["name"] == "4 cores, 16 GiB"
    assert on_gpus["name"] == "64 cores, 512 GiB, 8 NVIDIA H200"
    assert "processor A processor, cores 4, memory_gib 16, gpus none, system Linux" in on_cores["description"]
    writer, here = used_by(about, "#archiving")
    assert writer["version"] == "not a git checkout"
    assert packages(about, writer)["polars"] == pl.__version__
    assert here["name"].startswith(f"{os.cpu_count()} cores, ")
    kinds = [name.split("/")[0] for name in about]
    assert (kinds.count("#software"), kinds.count("#machine")) == (3, 3)
    assert len([name for name in about if name.startswith("#package/numpy@")]) == len({"2.4.6", np.__version__})


def test_what_jobs_say_of_themselves_is_in_the_archive_and_no_other_jobs(study: Builder):
    study.ran_with("score/another_study/mtld/000-of-001", {**HERE, "machine": {**MACHINE, "cores": 3}})
    folder = kept(study)
    jobs = {path.relative_to(folder / "results/jobs").with_suffix("") for path in folder.glob("results/jobs/**/*.json")}
    assert {f"#job/{job}" for job in jobs} == {name for name in entities(folder) if name.startswith("#job/")}
    assert len(list(folder.glob("results/surroundings/*"))) == 2


def test_a_job_without_a_record_is_said_to_have_none(study: Builder, caplog: pytest.LogCaptureFixture):
    kept(study)
    assert caplog.messages == []
    (study.root / "results/jobs/score/alpaca/mtld/000-of-001.json").unlink()
    about = entities(kept(study, name="again"))
    jobs = [entity for name, entity in about.items() if name.startswith("#job/")]
    assert caplog.messages == [f"1 of {len(jobs)} jobs have not on record with which software and machine they ran"]
    (without,) = [job for job in jobs if not isinstance(job["instrument"], list)]
    assert without["name"] == "score/alpaca/mtld/000-of-001"
    assert without["instrument"] == {"@id": "#rule/score"}
    assert without["description"] == "With which software and on which machine it ran is not on record."
    evaluated = about["#job/evaluate_loss/small/best/unseen/8/held_out"]
    assert "on record" not in evaluated["description"]


def test_the_job_behind_a_temporary_file_is_in_the_crate(study: Builder):
    """Mixtures that one job trained: their runs are taken out of its folder, which is gone."""
    batch, run = "results/batches/small/base-000", "runs/small/mixtures/base-000/train.json"
    study.job("finetune_mixtures/small/base-000", ["subsets/mixtures/base-000.parquet"], "batches/small/base-000")
    study.made.remove(batch)
    study.made.remove(f"results/{run}")
    study.job("take_run/small/mixtures/base-000", [batch], run)
    study.gone += [batch, "results/batches/small/never-made"]
    folder = kept(study)
    about = entities(folder)
    assert about["#job/finetune_mixtures/small/base-000"]["object"] == {
        "@id": "results/subsets/mixtures/base-000.parquet"
    }
    assert about["#job/take_run/small/mixtures/base-000"]["object"] == {"@id": f"#left-out/{batch}"}
    assert (folder / "results/costs/finetune_mixtures/small/base-000.tsv").exists()
    assert used_by(about, "#job/finetune_mixtures/small/base-000")[1]["name"] == "4 cores, 16 GiB"


def test_models_and_licences_are_said(study: Builder):
    about = entities(kept(study))
    assert about["#model/tiny@local"]["version"] == "local"
    assert "alpaca: CC-BY-4.0" in about["#licence"]["description"]


def test_configs_named_together_are_laid_over_one_another(study: Builder, tmp_path):
    laid = tmp_path / "laid.yaml"
    laid.write_text(yaml.safe_dump({"report": {"examples": 3}, "costs": {"cpu_hour": 0.25}}))
    found = checked_config([study.root / "config.yaml", laid])
    assert found == {**study.config, "report": {**study.config["report"], "examples": 3}, "costs": found["costs"]}
    assert found["costs"]["cpu_hour"] == 0.25


def test_the_config_in_it_is_the_checked_one_and_is_accepted_again(study: Builder):
    folder = kept(study)
    found = json.loads((folder / "config.json").read_text())
    assert found == study.config
    assert Builder(study.root.parent / "again", yaml.safe_dump(found)).config == found


def test_a_zip_holds_the_same(study: Builder):
    folder, packed = kept(study), kept(study, name="kept.zip")
    with opened(packed) as unpacked:
        assert verify(unpacked)[0] == []
        assert {p.name for p in unpacked.iterdir()} == {p.name for p in folder.iterdir()}
    assert zipfile.is_zipfile(packed)


def test_absolute_paths_of_data_become_relative_everywhere(tmp_path: Path):
    text = CONFIG.replace("path: data/", "path: /nowhere/of/mine/").replace("models/tiny}", "/nowhere/else/tiny}", 1)
    study = build(tmp_path / "study", text, source="/nowhere/of/mine/{}.json")
    folder = kept(study, TEXTS)
    summary = json.loads((folder / "results/datasets/alpaca/summary.json").read_text())
    assert summary["source"] == "outside/alpaca.json"
    assert json.loads((folder / "config.json").read_text())["datasets"]["alpaca"]["path"] == "outside/alpaca.json"
    assert read_provenance(folder / "results/datasets/alpaca/examples.parquet")["source"] == "outside/alpaca.json"
    assert "nowhere" not in (folder / METADATA_FILE).read_text()
    entity = entities(folder)["results/datasets/alpaca/summary.json"]
    assert sha256(study.root / "results/datasets/alpaca/summary.json") in entity["description"]
    assert verify(folder)[0] == []


def test_two_sources_of_one_name_stay_two():
    places = private.Places(Path("/study"), ["/a/data.json", "/b/data.json", "/study/data/c.json", "/d"])
    assert places.relative("/a/data.json /b/data.json") == "outside/data.json outside/2/data.json"
    assert places.relative("'/study/data/c.json' and /study2/c") == "'data/c.json' and /study2/c"
    assert places.relative("/study in a/d or /dd") == ". in a/d or /dd"


def test_a_path_inside_a_page_of_the_report_becomes_relative(study: Builder):
    page = base64.b64encode(f"<td>{study.root}/data/a.json</td>".encode()).decode()
    write_text(study.root / "results/report.html", f'<a href="data:text/html;charset=utf8;base64,{page}">')
    told = (kept(study) / "results/report.html").read_text()
    assert base64.b64decode(told.split("base64,")[1].split('"')[0]) == b"<td>data/a.json</td>"


SECRETS = {
    "an API key": "sk-" + "proj4" * 6,
    "an absolute path": "/data/people/me/model.bin",
    "a bearer token": "Authorization: Bearer " + "x1y2" * 6,
    "an address with a password": "https://me:" + "secret" + "@judge.example/v1",
}


@pytest.mark.parametrize("what", SECRETS)
def test_what_looks_private_is_one_line_with_the_file_and_not_the_secret(tmp_path: Path, what: str):
    machine = private.this_machine(tmp_path / "study", [])
    write_json(tmp_path / "train.json", {"settings": [{"a": SECRETS[what]}]})
    with pytest.raises(InputError, match=f"^results/train.json: holds {what}") as refused:
        private.refuse(tmp_path / "train.json", "results/train.json", machine)
    assert "\n" not in str(refused.value)
    assert (SECRETS[what] in str(refused.value)) == (what == "an absolute path")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("github" + "_pat_" + "11AB0" * 12, "an API key"),
        ("AI" + "zaSy" + "A1b2-" * 6 + "abc", "an API key"),
        ("glp" + "at-" + "A1b2_" * 4, "an API key"),
        ("xo" + "xb-" + "123456789012-" * 2 + "abcdef", "an API key"),
        (".".join(["ey" + "JhbGciOiJIUzI1NiJ9", "ey" + "JzdWIiOiIxMjM0NSJ9", "dozjgNryP4J3"]), "a web token"),
        ("our copy, see /data/people/me/x.csv", "an absolute path"),
        ("columns as in (~/mine/columns.txt)", "an absolute path"),
    ],
)
def test_what_is_private_within_a_sentence_of_the_config_is_refused(tmp_path: Path, text: str, what: str):
    machine = private.this_machine(tmp_path / "study", [])
    write_json(tmp_path / "config.json", {"origin": f"a table: {text}, 2024"})
    with pytest.raises(InputError, match=f"^config.json: holds {what}: "):
        private.refuse(tmp_path / "config.json", "config.json", machine)


def test_what_only_resembles_something_private_is_archived(tmp_path: Path):
    machine = private.this_machine(tmp_path / "study", [])
    told = "https://arxiv.org/abs/2307.06290 and/or tatsu-lab/alpaca, 7.80 a / b, /rank, xoxb-is-a-prefix-of-some-keys"
    write_json(tmp_path / "config.json", {"origin": told, "sub": "results/a/b.csv"})
    private.refuse(tmp_path / "config.json", "config.json", machine)


def test_nothing_is_left_of_an_archive_that_was_refused(study: Builder):
    name = "results/datasets/held_out/summary.json"
    summary = json.loads((study.root / name).read_text())
    write_json(study.root / name, {**summary, "note": SECRETS["an API key"]})
    with pytest.raises(InputError, match=f"^{name}: holds an API key"):
        kept(study)
    assert not [path for path in study.root.parent.iterdir() if "kept" in path.name]


def test_what_the_user_allows_is_archived(study: Builder):
    name = "results/datasets/held_out/summary.json"
    write_json(study.root / name, {**json.loads((study.root / name).read_text()), "a": SECRETS["an absolute path"]})
    assert (kept(study, allowed=(SECRETS["an absolute path"],)) / name).exists()


def test_the_value_of_a_key_and_the_home_folder_are_refused(study: Builder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", "/nowhere/of/somebody")
    write_text(study.root / "results/report.html", "<p>in /nowhere/of/somebody/work</p>")
    with pytest.raises(InputError, match=r"report\.html: holds the path of the home folder"):
        kept(study)
    monkeypatch.setenv("JUDGE_KEY", "a plain phrase as key")
    monkeypatch.setenv("HF_TOKEN", "a token of the hub")
    told = private.key_variables({"a": [{"calls": {"key_env": "JUDGE_KEY"}}]})
    assert sorted(told) == ["a plain phrase as key", "a token of the hub"]


def test_names_of_user_and_machine_are_refused_as_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("getpass.getuser", lambda: "ritchie")
    monkeypatch.setattr("socket.gethostname", lambda: "node-17.cluster.example")
    machine = private.this_machine(tmp_path, [])
    for text, what in (("by ritchie", "the user's name"), ("on node-17", "the name of this machine")):
        write_text(tmp_path / "a.md", text)
        with pytest.raises(InputError, match=f"holds {what}"):
            private.refuse(tmp_path / "a.md", "a.md", machine)
    write_text(tmp_path / "a.md", "ritchies and node-170")
    private.refuse(tmp_path / "a.md", "a.md", machine)


def test_texts_of_examples_may_hold_paths_and_records_may_not(tmp_path: Path):
    machine = private.this_machine(Path("/study"), [])
    frame = pl.DataFrame({"id": ["a"], "response": ["/usr/share/words"]})
    write_parquet(frame, tmp_path / "a.parquet", {})
    private.refuse(tmp_path / "a.parquet", "a.parquet", machine)
    write_parquet(frame, tmp_path / "a.parquet", {"model": "/data/models/tiny"})
    with pytest.raises(InputError, match=r"a\.parquet: holds an absolute path: /data/models/tiny"):
        private.refuse(tmp_path / "a.parquet", "a.parquet", machine)
    write_parquet(frame.with_columns(response=pl.lit("/study/results")), tmp_path / "a.parquet", {})
    with pytest.raises(InputError, match="holds the path of the study"):
        private.refuse(tmp_path / "a.parquet", "a.parquet", machine)


def test_a_folder_with_anything_but_an_older_archive_is_not_replaced(study: Builder):
    folder = kept(study)
    assert kept(study) == folder and (folder / METADATA_FILE).is_file()
    (folder / "paper.tex").write_text("mine")
    with pytest.raises(InputError, match=r"kept: holds paper\.tex, which is of no archive and would be lost"):
        kept(study)
    assert (folder / "paper.tex").read_text() == "mine"
    with pytest.raises(InputError, match=r"results: holds .*, which is of no archive"):
        kept(study, name="study/results")
    with pytest.raises(InputError, match=r"there is no folder .*/new"):
        kept(study, name="new/kept.zip")
    (study.root.parent / "folder.zip").mkdir()
    with pytest.raises(InputError, match=r"folder\.zip: is a folder; expected the name of a zip"):
        kept(study, name="folder.zip")
    with pytest.raises(InputError, match=r"paper\.tex: is a file; expected the name of a folder"):
        kept(study, name="kept/paper.tex")


def test_names_with_spaces_and_texts_to_allow_reach_the_commands_whole(tmp_path: Path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "bin").mkdir()
    for name in ("python", "snakemake"):
        (tmp_path / "bin" / name).write_text('#!/bin/sh\nprintf "<%s>" "$@" >> called\n')
        (tmp_path / "bin" / name).chmod(0o755)
    given = ["ARCHIVE=my study.zip", "ALLOW=-----BEGIN (a) PRIVATE KEY-----", "WITH=texts weights"]
    make = ["make", "-o", ".venv/installed", "-o", "install", "BIN=./bin", *given, "archive", "verify"]
    subprocess.run(make, cwd=tmp_path, check=True, capture_output=True)
    called = (tmp_path / "called").read_text()
    assert called.count("<--archive><my study.zip>") == 3
    assert "<--with><texts><weights><--allow=-----BEGIN (a) PRIVATE KEY----->" in called


def test_a_study_that_is_not_finished_is_refused(study: Builder):
    summary = study.summary()
    text = summary.read_text()
    summary.write_text(text.replace("ok\tno update", "missing\tupdate pending", 1))
    with pytest.raises(InputError, match=r"^results/.+: missing, update pending: 1 files"):
        read_summary(summary)
    summary.write_text("something else")
    with pytest.raises(InputError, match="expected the table of snakemake --summary"):
        read_summary(summary)


def test_a_file_made_from_another_input_than_is_there_is_refused(study: Builder):
    ranking = study.root / "results/rankings/best/unseen.parquet"
    write_parquet(pl.read_parquet(ranking).reverse(), ranking, {})
    with pytest.raises(InputError, match=r"made from a results/rankings/best/unseen\.parquet with sha256"):
        kept(study)


def test_a_record_of_another_format_or_none_is_refused(study: Builder):
    records = study.root / ".snakemake/metadata"
    with pytest.raises(InputError, match=r"^results/none\.csv: no record"):
        read_jobs(["results/none.csv"], records)
    (record,) = [path for path in records.iterdir() if b"report_overlaps" in path.read_bytes()]
    record.write_text(record.read_text().replace('"record_format_version": 6', '"record_format_version": 7'))
    with pytest.raises(InputError, match=r"^results/tables/overlaps/first\.csv: its record .* format 7"):
        read_jobs(["results/tables/overlaps/first.csv"], records)


def test_records_of_long_names_are_found_as_snakemake_writes_them(tmp_path: Path):
    name = "results/" + "a" * 400
    folder = tmp_path / "metadata"
    code = base64.urlsafe_b64encode(name.encode()).decode()
    path = folder / f"@{code[:254]}" / f"@{code[254:508]}" / code[508:]
    path.parent.mkdir(parents=True)
    record = {"rule": "x", "input": [], "log": [], "params": None, "input_checksums": None, "starttime": 0.0}
    path.write_text(json.dumps({**record, "endtime": 1.0, "record_format_version": 6}))
    (job,) = read_jobs([name], folder)
    assert job.outputs == (name,)


def test_the_digest_changes_with_the_code(tmp_path: Path):
    write_text(tmp_path / "src/a.py", "1")
    before = software.digest(tmp_path)
    write_text(tmp_path / "src/__pycache__/a.pyc", "2")
    assert software.digest(tmp_path) == before
    write_text(tmp_path / "src/a.py", "2")
    assert software.digest(tmp_path) != before


def test_the_command_says_what_it_wrote_or_one_line(study: Builder):
    command = [
        sys.executable,
        "-m",
        "instructmining.trail.archive",
        "--config",
        "config.yaml",
        "--summary",
        "summary.tsv",
    ]

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        environment = {"PYTHONPATH": str(ROOT / "src"), "HOME": "/nowhere/at/all"}
        return subprocess.run([*command, *more], cwd=study.root, env=environment, capture_output=True, text=True)

    done = run("--archive", "out.zip")
    assert (done.returncode, done.stderr) == (0, "")
    assert sha256(study.root / "out.zip") in done.stdout
    summary = study.root / "results/datasets/held_out/summary.json"
    write_json(summary, {**json.loads(summary.read_text()), "a": SECRETS["a bearer token"]})
    assert "held_out/summary.json: holds a bearer token" in run("--archive", "out.zip").stderr
    token = SECRETS["a bearer token"].removeprefix("Authorization: ")
    assert run("--archive", "out.zip", f"--allow={token}").returncode == 0
    (study.root / "results/report.html").unlink()
    done = run("--archive", "out.zip")
    assert done.returncode == 1
    assert done.stderr == "error: results/report.html: not there: make run writes it once everything else is made\n"


def test_the_citation_file_names_the_software_and_both_papers():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "version", "license"} <= set(citation)
    assert citation["version"] == software.version_here(ROOT)
    assert {reference["url"] for reference in citation["references"]} == set(crate.PAPERS)
    assert [reference["title"] for reference in citation["references"]] == list(crate.PAPERS.values())
