"""Lines of a text file in bounded memory, with exact line numbers, in the encodings that exports come in."""

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO

from connectors.contract import SourceError
from connectors.files import CountedFile

ENCODINGS = ("detect", "utf-8", "utf-16", "windows-1252", "iso-8859-1", "iso-8859-15")
MAX_ROW_CHARS = 131_072  # of one row, over all its lines: a wide row of a case system has some thousands
_CHUNK = 65_536
_SAMPLE = 4096
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class TextLines:
    """Iterates the lines of a file with their ends; raises SourceError naming the line.

    The caller says where a row begins: `begin_row()`. Afterwards `row_line` is its first line, `row_null` tells
    whether a null byte stands in it. `ended` is true when the file has been read to its end.
    """

    def __init__(self, stream: BinaryIO, name: str, encoding: str) -> None:
        self.name = name
        self.number = 0
        self.row_line = 1
        self.row_null = False
        self.ended = False
        self._row_chars = 0
        self._encoding, bom = _encoding_of(stream, name, encoding)
        stream.seek(bom)
        self.file = CountedFile(stream)

    def begin_row(self) -> None:
        """A new row begins with the next line."""
        self.row_line = self.number + 1
        self.row_null = False
        self._row_chars = 0

    def __iter__(self) -> Iterator[str]:
        rest = ""
        for piece in self._pieces():
            lines = list(io.StringIO(rest + piece, newline=""))
            # A carriage return at the end of the piece may be the first half of a line end.
            rest = lines.pop() if lines and not lines[-1].endswith("\n") else ""
            for line in lines:
                yield self._counted(line)
            if len(rest) > MAX_ROW_CHARS:
                self._too_long(self.number + 1)
        if rest:
            yield self._counted(rest)
        self.ended = True

    def _counted(self, line: str) -> str:
        self.number += 1
        self._row_chars += len(line)
        if self._row_chars > MAX_ROW_CHARS:
            self._too_long(self.row_line)
        if "\0" in line:
            self.row_null = True
        return line

    def _too_long(self, line: int) -> None:
        raise SourceError(
            f"{self.name} line {line}: a row longer than {MAX_ROW_CHARS} characters begins here; "
            "is a closing quotation mark missing, or is this another kind of file?"
        )

    def _pieces(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(self._encoding)("strict")
        chunk = b"-"
        while chunk:
            chunk = self.file.read(_CHUNK)
            try:
                yield decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                # What stands before the bad byte goes out first, so that the line number is right.
                yield error.object[: error.start].decode(self._encoding)
                hint = "; set the option 'encoding'" if self._encoding == "utf-8" else ""
                raise SourceError(
                    f"{self.name} line {self.number + 1}: byte 0x{error.object[error.start]:02x} "
                    f"is not {self._encoding}{hint}"
                ) from None


def _encoding_of(stream: BinaryIO, name: str, encoding: str) -> tuple[str, int]:
    """The codec to use and how many bytes its byte order mark has; reads the file once where it must."""
    sample = stream.read(_SAMPLE)
    for bom, codec in _BOMS:
        if sample.startswith(bom) and encoding in ("detect", codec[: len(encoding)]):
            return codec, len(bom)
    if encoding not in ("detect", "utf-16"):
        return encoding, 0
    if codec := _utf_16_without_bom(sample):
        return codec, 0
    if encoding == "utf-16":
        raise SourceError(f"{name} line 1: this is not UTF-16")
    stream.seek(0)
    return _utf_8_or_windows(stream, name), 0


def _utf_16_without_bom(sample: bytes) -> str:
    """Western text in UTF-16 has a null in almost every second byte, and hardly any in the others."""
    third = len(sample) // 6
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if even <= third and odd > 2 * third:
        return "utf-16-le"
    if odd <= third and even > 2 * third:
        return "utf-16-be"
    return ""


def _utf_8_or_windows(stream: BinaryIO, name: str) -> str:
    """Valid UTF-8 is UTF-8; a file without any valid multi-byte sequence is Windows-1252; a mixture is refused."""
    strict = codecs.getincrementaldecoder("utf-8")("strict")
    lenient = codecs.getincrementaldecoder("utf-8")("ignore")
    lines, bad_line, multibyte, chunk = 1, 0, False, b"-"
    while chunk:
        chunk = stream.read(_CHUNK)
        if not bad_line:
            try:
                strict.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                before = error.object[: error.start].count(b"\n") - (error.object.count(b"\n") - chunk.count(b"\n"))
                bad_line = lines + before
        lines += chunk.count(b"\n")
        multibyte = multibyte or not lenient.decode(chunk, final=not chunk).isascii()
    if bad_line and multibyte:
        raise SourceError(
            f"{name} line {bad_line}: a byte that is not UTF-8, in a file that has UTF-8 elsewhere; "
            "set the option 'encoding' if that is a coincidence"
        )
    return "windows-1252" if bad_line else "utf-8"
