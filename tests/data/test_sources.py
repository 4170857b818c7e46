import csv
import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

import polars as pl
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from instructmining.data.sources import Malformed, read_rows
from instructmining.jobs.errors import InputError

ROWS = [
    {"instruction": 'quote " and \\ and ]},{[', "output": "x"},
    {"instruction": "zwei\nZeilen, ä 漢 🙂", "output": ["nested", {"a": 1.5}]},
    {"instruction": "", "output": None},
]
PACKERS = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}


def as_list(rows):
    return json.dumps(rows, ensure_ascii=False, indent=1).encode()


def as_object(rows):
    return json.dumps({"version": "1.0, [x]", "n": 3, "data": rows}).encode()


def as_lines(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


LAYOUTS = [("json", as_list), ("json", as_object), ("jsonl", as_lines), ("ndjson", as_lines)]


def read(path):
    return list(read_rows({"path": str(path)}))


def write(folder: Path, name: str, data: bytes) -> Path:
    folder.joinpath(name).write_bytes(data)
    return folder / name


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize(("ending", "layout"), LAYOUTS)
def test_json(tmp_path, ending, layout, packing):
    path = write(tmp_path, f"v1.2.{ending}{packing}", PACKERS[packing](layout(ROWS)))
    assert read(path) == list(enumerate(ROWS))
    assert read(write(tmp_path, f"none.{ending}{packing}", PACKERS[packing](layout([])))) == []


def test_byte_order_mark(tmp_path):
    for name, layout in (("a.json", as_list), ("a.jsonl", as_lines)):
        assert read(write(tmp_path, name, b"\xef\xbb\xbf" + layout(ROWS))) == list(enumerate(ROWS))


def test_lines_are_numbered_as_an_editor_does(tmp_path):
    path = write(tmp_path, "a.jsonl", b'{"a": 1}\r\n\n  \n{"a": 2')
    assert read(path) == [(0, {"a": 1}), (3, Malformed("malformed_json", '{"a": 2'))]


@pytest.mark.parametrize("line", [b"{", b"nul", b"[" * 100_000, b"1" * 10_000, b'{"a": "\n', b"{'a': 1}"])
def test_a_malformed_line_costs_one_row(tmp_path, line):
    rows = read(write(tmp_path, "a.jsonl", b'{"a": 1}\n' + line.rstrip(b"\n") + b'\n{"a": 2}\n'))
    assert [rows[0], rows[2]] == [(0, {"a": 1}), (2, {"a": 2})]
    assert rows[1] == (1, Malformed("malformed_json", line.decode().rstrip("\n")))


def test_bytes_that_are_not_utf8_stay_in_their_row(tmp_path):
    for name, data in (("a.jsonl", b'{"a": "\xff"}\n{"a": "b"}'), ("a.json", b'[{"a": "\xff"}, {"a": "b"}]')):
        assert read(write(tmp_path, name, data)) == [(0, {"a": "\udcff"}), (1, {"a": "b"})]


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize(("ending", "layout"), LAYOUTS[:3])
def test_truncated_at_any_byte_gives_a_prefix(tmp_path, ending, layout, packing):
    data = PACKERS[packing](layout(ROWS))
    counts = set()
    for length in range(len(data)):
        rows = read(write(tmp_path, f"a.{ending}{packing}", data[:length]))
        good = [row for row in rows if not isinstance(row[1], Malformed)]
        assert good == list(enumerate(ROWS))[: len(good)]
        assert rows[len(good) :] in ([], [(len(good), rows[-1][1])] if rows else [])
        # Plain lines that end with a line, and a packed file of no byte, are whole; nothing else is.
        whole = rows == good
        assert not whole or length == 0 or (packing == "" and ending == "jsonl")
        counts.add(len(good))
    # the compressors hold this little data in one block
    assert counts == {0, 1, 2, 3} if packing == "" else 0 in counts


@pytest.mark.parametrize("packing", [".gz", ".zst"])
def test_truncated_packed_file_keeps_what_came_before(tmp_path, packing):
    whole = [{"n": n, "text": str(n * 7919 % 100_003) * 9} for n in range(60_000)]
    data = PACKERS[packing](as_lines(whole))
    rows = read(write(tmp_path, f"a.jsonl{packing}", data[: len(data) * 2 // 3]))
    good = [row for _, row in rows[:-1]]
    assert 20_000 < len(good) < 50_000 and good == whole[: len(good)]
    assert rows[-1][0] == len(good) and rows[-1][1].reason == "truncated_file"
    assert as_lines(whole[len(good) :])[: len(rows[-1][1].data)].decode() == rows[-1][1].data


def test_truncated_list_keeps_its_rest(tmp_path):
    data = as_list(ROWS)
    rows = read(write(tmp_path, "a.json", data[:-20]))
    assert [row for _, row in rows[:2]] == ROWS[:2]
    assert rows[2][1] == Malformed("truncated_file", data[data.rindex(b"{") : -20].decode())


def test_packed_members_one_after_another(tmp_path):
    for packing, end in ((".gz", b"\0" * 9), (".zst", b"")):
        data = PACKERS[packing](as_lines(ROWS[:1])) + PACKERS[packing](as_lines(ROWS[1:])) + end
        assert read(write(tmp_path, f"a.jsonl{packing}", data)) == list(enumerate(ROWS))


def test_damaged_packed_file(tmp_path):
    data = bytearray(gzip.compress(as_lines(ROWS)))
    data[-6] ^= 1
    assert read(write(tmp_path, "a.jsonl.gz", bytes(data)))[-1][1].reason == "truncated_file"
    assert read(write(tmp_path, "b.jsonl.gz", b"not gzip")) == [(0, Malformed("truncated_file", ""))]


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc]}", max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.dictionaries(st.sampled_from("abc"), json_values), max_size=4), ascii=st.booleans())
def test_round_trip(tmp_path_factory, rows, ascii):
    folder = tmp_path_factory.mktemp("round")
    lines = "\n".join(json.dumps(row, ensure_ascii=ascii) for row in rows).encode()
    assert read(write(folder, "a.json", json.dumps(rows, ensure_ascii=ascii).encode())) == list(enumerate(rows))
    assert read(write(folder, "a.jsonl.gz", gzip.compress(lines))) == list(enumerate(rows))


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=60) | st.text('[]{}",:\\ 1a\n', max_size=30).map(str.encode))
def test_no_junk_raises_but_with_one_line(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("junk")
    for name in ("a.json", "a.jsonl", "a.csv", "a.jsonl.gz", "a.json.zst"):
        try:
            for number, _ in read(write(folder, name, data)):
                assert number >= 0
        except InputError as error:
            assert "\n" not in str(error) and name in str(error)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", b"", r"a\.txt: unknown ending, expected \.json"),
        ("a.parquet.gz", b"", "unknown ending"),
        ("a", b"", "unknown ending"),
        ("a.json", b'{"a": [1], "b": [2]}', "found 2 lists"),
        ("a.json", b'{"a": 1}', "found 0 lists"),
        ("a.json", b"3", "found 0 lists"),
        ("a.json", b'{"a": 1}\n{"a": 2}', r"a\.json: expected one JSON list, found more .* \.jsonl"),
        ("a.parquet", b"PAR1", r"a\.parquet: expected a Parquet file"),
    ],
)
def test_wrong_files(tmp_path, name, data, message):
    with pytest.raises(InputError, match=message) as caught:
        read(write(tmp_path, name, data))
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"gone\.jsonl: no such file or folder"):
        read(tmp_path / "gone.jsonl")


@pytest.mark.parametrize("packing", PACKERS)
def test_csv(tmp_path, packing):
    rows = [{"a": 'x, "y"', "b": "two\nlines"}, {"a": "", "b": "ä" * 200_000}]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, ["a", "b"])
    writer.writeheader()
    writer.writerows(rows)
    path = write(tmp_path, f"a.csv{packing}", PACKERS[packing](text.getvalue().encode("utf-8-sig")))
    assert read(path) == list(enumerate(rows))


def test_csv_row_with_a_field_too_many(tmp_path):
    path = write(tmp_path, "a.csv", b"a,b\n1,2\n1,2,3\n4\n\n5,6\n")
    found = read(path)
    assert [row for _, row in found[:1] + found[3:]] == [{"a": "1", "b": "2"}, {"a": "5", "b": "6"}]
    assert found[1:3] == [
        (1, Malformed("malformed_csv", ["1", "2", "3"])),
        (2, Malformed("malformed_csv", ["4"])),
    ]


def test_parquet(tmp_path):
    rows = [{"n": n, "turns": [{"from": "human", "value": f"{n} ä"}]} for n in range(2500)]
    pl.DataFrame(rows).write_parquet(tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == list(enumerate(rows))


def test_saved_folder(tmp_path):
    import datasets

    rows = [{"a": str(n), "turns": [{"from": "human", "value": "x"}]} for n in range(1500)]
    saved = datasets.Dataset.from_list(rows)
    saved.save_to_disk(tmp_path / "plain")
    datasets.DatasetDict({"train": saved, "test": saved.select([0])}).save_to_disk(tmp_path / "splits")
    assert read(tmp_path / "plain") == list(enumerate(rows))
    assert read(tmp_path / "splits" / "test") == [(0, rows[0])]
    with pytest.raises(InputError, match="splits: holds several splits, name one of their folders: train, test"):
        read(tmp_path / "splits")
    with pytest.raises(InputError, match="expected a folder saved by `datasets`"):
        read(tmp_path)


def test_hub(tmp_path, monkeypatch):
    """`load_dataset` treats a local folder as it does a repository of the hub."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "repo").mkdir()
    write(tmp_path / "repo", "train.jsonl", as_lines([{"a": "x"}, {"a": "y"}]))
    source = {"hub": str(tmp_path / "repo"), "revision": "main", "split": "train"}
    assert list(read_rows(source)) == [(0, {"a": "x"}), (1, {"a": "y"})]
    write(tmp_path / "repo", "other.jsonl", as_lines([{"b": "z"}]))
    assert list(read_rows({**source, "data_files": "other.jsonl"})) == [(0, {"b": "z"})]
    with pytest.raises(InputError, match="repo@main: cannot load split 'dev'") as caught:
        list(read_rows({**source, "split": "dev"}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_member_of_an_archive(tmp_path, kind):
    archive = tmp_path / "any-1.0.archive"
    parquet = io.BytesIO()
    pl.DataFrame(ROWS[:1]).write_parquet(parquet)
    members = {
        "data/a.json": as_list(ROWS),
        "b.jsonl.gz": gzip.compress(as_lines(ROWS)),
        "c.parquet": parquet.getvalue(),
    }
    if kind == "wheel":
        with zipfile.ZipFile(archive, "w") as file:
            for name, data in members.items():
                file.writestr(name, data)
    else:
        with tarfile.open(archive, "w:gz") as file:
            for name, data in members.items():
                info = tarfile.TarInfo(f"any-1.0/{name}")
                info.size = len(data)
                file.addfile(info, io.BytesIO(data))

    def rows(member):
        return list(read_rows({"package": "any", "version": "1.0", "file": member}, archive))

    assert rows("data/a.json") == rows("b.jsonl.gz") == list(enumerate(ROWS))
    assert rows("c.parquet") == [(0, ROWS[0])]
    with pytest.raises(InputError, match=r"any-1\.0\.archive: no file 'a\.json' in this archive"):
        rows("a.json")


def test_archive_of_no_kind(tmp_path):
    source = {"package": "any", "version": "1.0", "file": "a.json"}
    with pytest.raises(InputError, match="expected a wheel"):
        list(read_rows(source, write(tmp_path, "any-1.0.archive", b"hello")))
    with pytest.raises(InputError, match="any: its archive has not been fetched"):
        list(read_rows(source))
