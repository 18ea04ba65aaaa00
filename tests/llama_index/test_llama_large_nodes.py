"""What Milvus has no room for is refused in LlamaIndex's words, with what to do."""

from __future__ import annotations

import base64

import pytest
from llama_index.core.schema import BaseNode, ImageDocument, ImageNode, TextNode

from hybridge.errors import InvalidInputError
from llama_index_hybridge import MilvusVectorStore
from support.llama_embedding import embed

LARGE = base64.b64encode(b"x" * 60_000).decode()


@pytest.mark.parametrize(
    ("node", "cure"),
    [
        (ImageNode(text="a cat", image=LARGE), "its image has 80,000 bytes.*image_path"),
        (ImageDocument(text="a cat", image=LARGE), "image_resource has 80,000 bytes.*image_path"),
        (TextNode(text="a", metadata={"key": LARGE}), "excluded_embed_metadata_keys"),
        (TextNode(text=LARGE), "split it into smaller chunks"),
        (
            TextNode(text="a", metadata={"key": LARGE}, excluded_embed_metadata_keys=["key"]),
            "store a reference",
        ),
    ],
)
def test_large_nodes(vector_store: MilvusVectorStore, node: BaseNode, cure: str) -> None:
    """Inline images, long texts and metadata: the node and the cure are named."""
    node.embedding = embed("a")
    with pytest.raises(InvalidInputError, match=cure):
        vector_store.add([node])
    assert vector_store.get_nodes() == []


def test_a_path_in_the_place_of_an_inline_image(vector_store: MilvusVectorStore) -> None:
    """Small images stay inline, large ones are given by path."""
    inline = ImageNode(id_="small", image=LARGE[:1000], embedding=embed("a"))
    by_path = ImageNode(id_="large", image_path="/images/cat.png", embedding=embed("b"))
    vector_store.add([inline, by_path])
    small, large = vector_store.get_nodes(["small", "large"])
    assert isinstance(small, ImageNode)
    assert isinstance(large, ImageNode)
    assert (small.image, large.image_path) == (LARGE[:1000], "/images/cat.png")


def test_an_update_of_metadata_is_found(vector_store: MilvusVectorStore) -> None:
    """What an index embeds with the text is indexed anew when it changes."""
    node = TextNode(id_="a", text="apple", metadata={"colour": "green"}, embedding=embed("apple"))
    vector_store.add([node])
    assert vector_store.update(["a"], metadata={"colour": "crimson"}) == 1
    search = vector_store.client.search
    assert [hit.id for hit in search("crimson", mode="sparse")] == ["a"]
    assert search("green", mode="sparse") == []
    assert [hit.id for hit in search(vector=embed("apple"), mode="dense")] == ["a"]
    [again] = vector_store.get_nodes(["a"])
    assert again.metadata == {"colour": "crimson"}
