"""From a text to its terms, in every language."""

from __future__ import annotations

import json
import pickle
import string
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import pytest
import Stemmer
from hypothesis import given
from hypothesis import strategies as st

from hybridge.errors import InvalidInputError, MissingExtraError, ModelNotFoundError
from hybridge.sparse.analyzer import Analyzer, as_analyzer, build_default_analyzer
from hybridge.sparse.languages import LANGUAGES
from hybridge.sparse.nltk_analyzer import NLTKAnalyzer
from hybridge.sparse.snowball import SnowballAnalyzer
from hybridge.sparse.word_analyzer import Token
from support.retrieval_quality import SHARED

SEGMENTED = {"zh": "jieba", "ja": "fugashi", "ko": "kiwipiepy"}


def _words(text: str, language: str = "id") -> list[str]:
    """Return the words of a text in a language that changes few of them."""
    return build_default_analyzer(language, stop_words=())(text)


def test_english_is_stemmed_without_stop_words() -> None:
    """Words are lower-cased, stop words go, stems stay; repeats are kept in order."""
    terms = build_default_analyzer()("The rivers aren't the banks of a RIVER, and don't flow!")
    assert terms == ["river", "bank", "river", "flow"]


def test_content_words_are_no_stop_words() -> None:
    """Words that packages list as common, and that questions are about, are indexed."""
    terms = build_default_analyzer()("find copy system world page home text new value")
    assert terms == ["find", "copi", "system", "world", "page", "home", "text", "new", "valu"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("naïve Größe ÉTÉ", ["naive", "grosse", "ete"]),
        ("caf\N{LATIN SMALL LETTER E}\N{COMBINING ACUTE ACCENT}", ["cafe"]),
        ("ﬁnd Ｆｕｌｌ x² ٣", ["find", "full", "x2", "3"]),
        ("lru_cache é_è", ["lru", "cache", "e", "e"]),
        ("user's user’s", ["user", "user"]),
        ("hy\N{SOFT HYPHEN}phen", ["hyphen"]),
        ("İstanbul", ["istanbul"]),
        ("v2.3 — 1,000.50 €", ["v2", "3", "1", "000", "50"]),
        ("Milvus 数据库 です", ["milvus", "数", "据", "库", "で", "す"]),
        ("किताबें पढ़ीं", ["किताबें", "पढीं"]),
        ("\N{COMBINING ACUTE ACCENT} ?! …", []),
        ("", []),
    ],
)
def test_words_are_those_of_unicode(text: str, words: list[str]) -> None:
    """Letters, digits and their marks make a word, in one normal form."""
    assert _words(text) == words


@given(st.text(st.sampled_from(string.printable)))
def test_the_fast_path_for_ascii_cuts_alike(text: str) -> None:
    """A text has the same tokens whether or not something beyond ASCII stands beside it."""
    analyzer = build_default_analyzer()
    plain, beside = (
        [token for word in analyzer.split(one) for token in analyzer.tokens(word)]
        for one in (text, text + " é")
    )
    assert beside == [*plain, Token("e")]


@given(st.text())
def test_any_text_can_be_analyzed(text: str) -> None:
    """Words hold no white space, no underscore and no capital that has a small letter."""
    for word in _words(text):
        assert word
        assert word.split() == [word]
        assert "_" not in word
        assert word == word.lower()


@pytest.mark.parametrize(
    ("language", "text", "terms"),
    [
        ("fr", "L'intelligence d’hier, l'été", ["intelligent", "hi", "ete"]),
        ("ru", "Где хранятся векторные базы данных?", ["хран", "векторн", "баз", "дан"]),
        ("de", "STRASSENBAHN Straßenbahnen", ["strassenbahn", "strassenbahn"]),
        ("tr", "ISI IŞIK", ["ıs", "ışık"]),
        ("el", "ΣΟΦΟΣ σοφός", ["σοφ", "σοφ"]),
        ("ca", "col·legi collegis", ["colleg", "colleg"]),
        ("fa", "می‌خواهم کتاب‌ها", ["خواه", "کتاب"]),
        ("hi", "लड़कियों लड़की", ["लडक", "लडक"]),
    ],
)
def test_languages_keep_their_own_rules(language: str, text: str, terms: list[str]) -> None:
    """Elision, capitals, marks and joiners follow the language, so that forms of a word meet."""
    if language == "fa" and "persian" not in Stemmer.algorithms():
        pytest.skip("this PyStemmer is too old for Persian")
    analyzer = build_default_analyzer(language)
    assert analyzer(text) == terms


@pytest.mark.parametrize("algorithm", sorted({*Stemmer.algorithms()} - {"porter", "dutch_porter"}))
def test_every_snowball_language_has_an_analyzer(algorithm: str) -> None:
    """Each language of the installed PyStemmer is known by name and by code, and stems by it."""
    [language] = [language for language in LANGUAGES if language.name == algorithm]
    analyzer = build_default_analyzer(algorithm)
    assert isinstance(analyzer, SnowballAnalyzer)
    assert algorithm in analyzer.identity
    assert f"PyStemmer {version('PyStemmer')}" in analyzer.identity
    assert build_default_analyzer(language.code).identity == analyzer.identity


@pytest.mark.parametrize(
    ("spelling", "code"),
    [("EN", "en"), ("pt-BR", "pt"), ("de_AT", "de"), ("nb", "no"), ("sp", "es")],
)
def test_languages_are_found_by_any_usual_spelling(spelling: str, code: str) -> None:
    """Case and region do not matter, and `pymilvus.model`'s own codes are known."""
    assert build_default_analyzer(spelling).identity == build_default_analyzer(code).identity


@pytest.mark.parametrize("language", ["xx", "klingon", "", "bm25:ru"])
def test_an_unknown_language_is_refused(language: str) -> None:
    """The error names the language, lists those known and says what else can be done."""
    with pytest.raises(InvalidInputError, match=r"russian \(ru\).*function") as refusal:
        as_analyzer(language)
    assert repr(language) in str(refusal.value)


def test_own_stop_words_take_the_place_of_the_list() -> None:
    """A list of one's own is used as given, and gives the analyzer an identity of its own."""
    own = build_default_analyzer(stop_words=["River", "don't"])
    assert own("the river don't flow") == ["the", "flow"]
    assert build_default_analyzer(stop_words=())("the river") == ["the", "river"]
    identities = {
        build_default_analyzer(stop_words=words).identity for words in (None, (), ["a"], ["a", "b"])
    }
    assert len(identities) == 4
    assert own.language is None


def test_stop_words_as_a_string_are_refused() -> None:
    """A single string would be taken for a list of letters."""
    with pytest.raises(InvalidInputError, match="stop_words must be a list of texts"):
        build_default_analyzer(stop_words="the")


def test_an_analyzer_can_be_made_again_from_its_language() -> None:
    """`language` gives an equal analyzer, which is how a store makes one from what it holds."""
    for language in LANGUAGES:
        if language.name in Stemmer.algorithms():
            analyzer = build_default_analyzer(language.name)
            assert analyzer.language is not None
            assert as_analyzer(analyzer.language).identity == analyzer.identity


@pytest.mark.parametrize(
    ("language", "text", "terms"),
    [
        (
            "zh",
            "Milvus是向量数据库，支持２种检索。",
            ["milvus", "向量", "数据", "据库", "数据库", "支持", "2", "种", "检索"],
        ),
        ("ja", "美味しいラーメンを食べました。２つ", ["美味しい", "ラーメン", "食べる", "2", "つ"]),
        ("ko", "서울에서 벡터를 먹었습니다. Python!", ["서울", "벡터", "먹", "python"]),
    ],
)
def test_segmented_languages(language: str, text: str, terms: list[str]) -> None:
    """Words are found without spaces, brought to dictionary forms, and cleared of particles."""
    pytest.importorskip(SEGMENTED[language])
    analyzer = build_default_analyzer(language)
    assert analyzer(text) == terms
    assert SEGMENTED[language] in analyzer.identity
    assert analyzer.language == language
    assert pickle.loads(pickle.dumps(analyzer))(text) == terms


def test_a_segmenter_makes_no_noise(capfd: pytest.CaptureFixture[str]) -> None:
    """Jieba tells how it loads its dictionary, and is kept from it."""
    pytest.importorskip("jieba")
    build_default_analyzer("chinese")("数据库")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("language", "package", "extra"),
    [("zh", "jieba", "chinese"), ("ja", "fugashi", "japanese"), ("ko", "kiwipiepy", "korean")],
)
def test_a_missing_segmenter_names_its_extra(
    language: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the package the constructor fails, and says how to install it."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"'{package}'.*hybridge\[{extra}\]"):
        build_default_analyzer(language)


@pytest.fixture
def nltk_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """NLTK's data as llama-index-core ships them, if it is installed."""
    nltk = pytest.importorskip("nltk")
    core = pytest.importorskip("llama_index.core")
    shipped = f"{core.__path__[0]}/_static/nltk_cache"
    monkeypatch.setattr(nltk.data, "path", [shipped])


@pytest.mark.usefixtures("nltk_data")
@pytest.mark.parametrize("language", ["en", "de", "fr", "ru", "sp", "it", "pt"])
def test_nltk_terms_are_those_of_pymilvus_model(language: str) -> None:
    """The NLTK analyzer gives the golden tokens of `pymilvus.model` in each of its languages."""
    path = SHARED / "golden" / "analyzers.tokens.json"
    if not path.is_file():
        pytest.skip(f"no golden tokens in {path}: set HYBRIDGE_SHARED")
    analyzer = NLTKAnalyzer(language)
    for golden in json.loads(path.read_text("utf-8"))[language]:
        assert analyzer(golden["text"]) == golden["tokens"]
        assert pickle.loads(pickle.dumps(analyzer))(golden["text"]) == golden["tokens"]


@pytest.mark.usefixtures("nltk_data")
def test_nltk_has_seven_languages() -> None:
    """A language that `pymilvus.model` does not analyze by NLTK is refused."""
    with pytest.raises(InvalidInputError, match="use one of de, en"):
        NLTKAnalyzer("finnish")


def test_missing_nltk_data_are_not_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its data the constructor fails, and names the command that fetches them."""
    nltk = pytest.importorskip("nltk")
    from nltk.corpus.util import LazyCorpusLoader

    monkeypatch.setattr(nltk.data, "path", [])
    stopwords = LazyCorpusLoader("stopwords", nltk.corpus.reader.WordListCorpusReader, r".*")
    monkeypatch.setattr(nltk.corpus, "stopwords", stopwords)
    with pytest.raises(ModelNotFoundError, match=r"nltk\.downloader stopwords"):
        NLTKAnalyzer()


def test_missing_nltk_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without NLTK the constructor says how to install it."""
    monkeypatch.setitem(sys.modules, "nltk", None)
    with pytest.raises(MissingExtraError, match=r"hybridge\[nltk\]"):
        NLTKAnalyzer()


class _Shouting:
    """A user's own analyzer."""

    identity = "shouting 1"

    def __call__(self, text: str) -> list[str]:
        """Return the words in capitals."""
        return text.upper().split()


class _Callable:
    def __call__(self, text: str) -> list[str]:
        return text.split()


def _split_commas(text: str) -> list[str]:
    return text.split(",")


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (_split_commas, f"{__name__}._split_commas"),
        (lambda text: text.split(","), f"{__name__}.<lambda>"),
        (str.split, "builtins.str.split"),
        (_Callable(), f"{__name__}._Callable"),
    ],
)
def test_any_function_is_an_analyzer(function: Callable[[str], list[str]], name: str) -> None:
    """A function's terms are taken as they are; its identity is where it is written."""
    analyzer = as_analyzer(function)
    assert isinstance(analyzer, Analyzer)
    assert analyzer("a,b c") == function("a,b c")
    assert analyzer.identity == f"function {name}"


def test_an_analyzer_stays_itself() -> None:
    """What is an analyzer already is not wrapped."""
    own = _Shouting()
    assert as_analyzer(own) is own


@pytest.mark.parametrize("value", [None, 5, ["en"], str])
def test_other_things_are_no_analyzers(value: object) -> None:
    """What cannot take a text to its terms is refused."""
    with pytest.raises(InvalidInputError, match="is not an analyzer"):
        as_analyzer(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("result", ["one string", None, 7, ["a", 1]])
def test_a_function_must_return_terms(result: object) -> None:
    """A function that gives something other than strings is told so, by name."""
    with pytest.raises(InvalidInputError, match="<lambda>"):
        as_analyzer(lambda text: result)("text")  # type: ignore[arg-type, return-value]


def test_analyzers_pickle() -> None:
    """A copy sent to another process gives the same terms and has the same identity."""
    own = build_default_analyzer(stop_words=["a"])
    for analyzer in (as_analyzer("ru"), as_analyzer(_split_commas), own):
        copy = pickle.loads(pickle.dumps(analyzer))
        assert copy.identity == analyzer.identity
        assert copy("a векторы, b") == analyzer("a векторы, b")


def test_threads_may_share_an_analyzer() -> None:
    """Eight threads at once get the terms that one gets alone."""
    stems = ("nation", "rational", "run")
    words = [f"{stem}{number}ing" for stem in stems for number in range(500)]
    analyzer = build_default_analyzer()
    expected = Stemmer.Stemmer("english").stemWords(words)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(analyzer, [" ".join(words)] * 32))
    assert results == [expected] * 32
