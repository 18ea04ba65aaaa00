"""PDF files, page by page."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

from hybridge.errors import InvalidInputError
from hybridge.extras import import_extra
from hybridge.tools.files.decoding import read_whole
from hybridge.tools.files.part import Part, Settings


def read_pdf(path: Path, settings: Settings) -> Iterator[Part]:
    """Yield the text of each page that has some.

    Raises:
        InvalidInputError: If it is no PDF, needs a password, or is without text, as scans are.
        MissingExtraError: If pypdf is not installed.
    """
    pypdf = import_extra("pypdf", "reading PDF files", "cli")
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it says much of what it can mend
    content, has_text = io.BytesIO(read_whole(path)), False
    try:
        for number, page in enumerate(pypdf.PdfReader(content).pages, 1):
            # A lone surrogate, which broken fonts give, cannot be stored.
            text = page.extract_text().encode("utf-8", "replace").decode()
            has_text |= bool(text.strip())
            yield Part(text, place={"page": number})
    except pypdf.errors.FileNotDecryptedError as error:
        msg = "it needs a password: save it without one"
        raise InvalidInputError(msg) from error
    except Exception as error:  # a damaged file makes pypdf raise anything
        msg = f"it cannot be read as PDF ({type(error).__name__}: {error})"
        raise InvalidInputError(msg) from error
    if not has_text:
        msg = "no page has text: is it scanned? Recognise its text first (OCR)"
        raise InvalidInputError(msg)
