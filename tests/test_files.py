import json

import polars as pl
import pytest

from instructmining.errors import InputError
from instructmining.files import read_json, read_provenance, replacing, write_csv, write_json, write_parquet


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "deep" / "file.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match=r"NaN|nan|Out of range"):
        write_json(path, {"a": float("nan")})
    with pytest.raises(KeyboardInterrupt), replacing(path) as temporary:
        temporary.write_text("half of")
        raise KeyboardInterrupt
    assert read_json(path) == {"a": 1}
    assert [p.name for p in path.parent.iterdir()] == ["file.json"]


def test_parquet_holds_its_provenance_and_gives_the_same_bytes(tmp_path):
    frame = pl.DataFrame({"id": ["a", "b"], "score": [1.5, None]})
    for name in ("one", "two"):
        write_parquet(frame, tmp_path / name, {"seed": 0, "model": "tiny"})
    assert read_provenance(tmp_path / "one") == {"seed": 0, "model": "tiny"}
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_csv_floats_read_back_the_same(tmp_path):
    frame = pl.DataFrame({"x": [0.1 + 0.2, 1e-17, 123456789.123456789]})
    write_csv(frame, tmp_path / "x.csv")
    assert pl.read_csv(tmp_path / "x.csv").equals(frame)


def test_bad_json_names_the_file(tmp_path):
    (tmp_path / "x.json").write_text(json.dumps({"a": 1})[:-2])
    with pytest.raises(InputError, match=r"x\.json: expected a JSON file"):
        read_json(tmp_path / "x.json")
