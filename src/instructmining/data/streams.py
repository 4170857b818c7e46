"""Bytes of a file, plain or compressed, and lines of text: as far as they can be read."""

import codecs
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

import zstandard

CHUNK = 1 << 16


class Damaged(Exception):
    """A compressed stream broke off, or its checksum is wrong. ``args[0]``: bytes read, but not yet handed on."""


def plain(file: IO[bytes]) -> Iterator[bytes]:
    """The file's bytes in pieces."""
    while data := file.read(CHUNK):
        yield data


def decompressed(file: IO[bytes], new: Callable[[], Any]) -> Iterator[bytes]:
    """The decompressed bytes in pieces; ``new`` starts the next of a stream's members.

    Raises Damaged where the stream breaks off or is no longer valid, after everything that came before.
    """
    current = new()
    begun = False
    try:
        for data in plain(file):
            while data:
                # gzip members may be padded with zeros
                data = data if begun else data.lstrip(b"\0")
                begun = bool(data)
                yield current.decompress(data) if data else b""
                data = current.unused_data if current.eof else b""
                if current.eof:
                    current, begun = new(), False
    except (zlib.error, zstandard.ZstdError) as error:
        raise Damaged(b"") from error
    if begun:
        raise Damaged(b"")


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their end. Damaged passes through, with the beginning of the line that it cut."""
    pending: list[bytes] = []
    try:
        for chunk in chunks:
            first, *more = chunk.split(b"\n")
            pending.append(first)
            if more:
                yield b"".join(pending)
                yield from more[:-1]
                pending = [more[-1]]
    except Damaged as error:
        raise Damaged(b"".join(pending)) from error
    if last := b"".join(pending):
        yield last


def text_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """``lines`` as text, without a byte-order mark."""
    for number, line in enumerate(lines(chunks)):
        yield text_of(line.removeprefix(codecs.BOM_UTF8) if number == 0 else line)


def text_of(data: bytes) -> str:
    """UTF-8; other bytes become lone surrogates, so that one of them spoils its own row and no other."""
    return data.decode("utf-8", "surrogateescape")


DECOMPRESSORS: dict[str, Callable[[], Any]] = {
    ".gz": lambda: zlib.decompressobj(wbits=31),
    # 2 GiB, the largest window of the format: files made with --long ask for it
    ".zst": lambda: zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj(),
}
