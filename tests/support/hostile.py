"""Strings that have broken out of quotes, confused parsers or hidden in look-alikes elsewhere.

Each is at most 512 bytes of UTF-8, so that it can also be an id, and no two are equal.
"""

_BREAK_OUT = (
    '"', "'", '""', "''", '"""', "'''", '\\"', "\\'", '\\\\"', '\\\\\\"', '"\\', "`", "´", "';",
    '";', '" or id != "', '" or id != ""', "' or id != '", '" || id != "', '" or 1 == 1 or id == "',
    '" OR "1"=="1', "' OR '1'='1", "x' or 'x' == 'x", '"] or id not in ["', "'] or id not in ['",
    'x"] or id != "" or id in ["', "x'] or id not in ['", '") or (id != "', "') or (id != '",
    '" and id in [] or id != "', '" or document_id is null or id == "', '" or exists metadata or "',
    '" or meta_year > 0 or id == "', '"; drop collection', "'; DROP TABLE documents; --",
    '" or true', '" or not (id == "', '" or id like "%', '" or json_contains(metadata, "',
    '" in ["', '"]', "']", '")', "')", '"))', "(((((", ")))))", "[", "]", "[]", '["', '", "', "','",
    '","', ", ", "a, b",
)  # fmt: skip
_COMMENTS = (
    "--", "-- ", "a--b", "/*", "*/", "/* */", "//", "#", '" --', '" //', '" /*', '" #', "<!-- -->",
)  # fmt: skip
_TEMPLATES = (
    "{", "}", "{}", "{{", "}}", "{0}", "{id}", "{{id}}", "${id}", "$(id)", "$meta", '$meta["id"]',
    "$eq", "$or", "%s", "%(id)s", "%d", "%n", "%", "%%", "_", "__", "%_%", "\\%", "\\_",
    "<%= id %>", "#{id}", "{id in []}", "?", ":id", "@id", "*", ".*", "^$", "[a-z]",
)  # fmt: skip
_ESCAPES = (
    "\\", "\\\\", "\\\\\\", "a\\", "\\n", "\\r", "\\t", "\\0", "\\x22", "\\u0022", "\\u005c",
    "\\N{QUOTATION MARK}", "&quot;", "&#34;", "%22", "%27", "C:\\data\\x.db", "\\\\server\\share",
    '\\" or id != \\"',
)  # fmt: skip
_CONTROL = (
    "\n", "\r", "\r\n", "\t", "\v", "\f", "\b", "\a", "\x00", "a\x00b", '\x00" or id != "', "\x01",
    "\x1a", "\x1b[31m", "\x7f", "\x80", "\x85", "\u2028", "\u2029", "\n\n", 'a\n" or id != "',
    "line\nbreak", " ", "  ", " a", "a ", "\u00a0", "\u200b", "a\u200bb", "\ufeff",
    "\u202e" + "abc", "\u2066" + "a", "\u00ad", "\u0301",
)  # fmt: skip
_LOOK_ALIKES = (
    "\u201c", "\u201d", "\u2018", "\u2019", "\u201e", "\u2033", "\u02ba", "\u02bc", "\u02b9",
    "\uff02", "\uff07", "\u275d", "\uff02 or id != \uff02", "\u201d or id != \u201d",
    "\u2019 or id != \u2019", "\uff3c", "\u2216", "\uff05", "\uff3f", "\uff08\uff09",
    "\uff1d\uff1d", "\u037e", "a", "A", "\u0430", "\u0391", "\uff41", "\u00e9", "e\u0301", "\u212b",
    "\u00c5", "A\u030a", "\u00df", "ss", "SS", "\u0130", "i\u0307", "\u0131", "I", "\ufb01", "fi",
    "\u1e9e", "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\uffff", "\ufffd",
    "\ue000", "\U0010ffff", "日本語", "שלום",
)  # fmt: skip
_KEYWORDS = (
    "id", "ID", "text", "document_id", "metadata", "meta_year", "and", "or", "not", "in", "not in",
    "like", "is", "null", "NULL", "None", "nil", "undefined", "is null", "is not null", "exists",
    "true", "True", "TRUE", "false", "ISO", "INTERVAL", "nan", "NaN", "inf", "-inf", "Infinity",
    "0", "-0", "1", "01", "1.0", "1e5", "0x10", "1_000", "==", "!=", "<", ">=", "&&", "||", "!",
    "id == 1", "id in []", "1 == 1", "__proto__", "constructor", "../../etc/passwd", "a.b", "a[0]",
    'metadata["id"]', "text_match(text, 'a')", "json_contains(metadata, 1)",
)  # fmt: skip
_LONG = (
    "a" * 512, '"' * 512, "\\" * 511, "'" * 512, "(" * 512, "\n" * 512, "\x00" * 512, "%" * 512,
    "é" * 256, "\U0001f600" * 128, '" or id != "' * 42, "]" * 512, ("not " * 128).strip(),
    "-" * 512, "9" * 512,
)  # fmt: skip

HOSTILE: tuple[str, ...] = (
    *_BREAK_OUT, *_COMMENTS, *_TEMPLATES, *_ESCAPES, *_CONTROL, *_LOOK_ALIKES, *_KEYWORDS, *_LONG,
)  # fmt: skip
