"""A local server that answers as OpenAI's embeddings API does; faults come from `jina_server`."""

from __future__ import annotations

from typing import Any

from support.jina_server import MOST_DIMENSIONS, Answer, JinaServer, vector

MOST_TEXTS = 2_048
MOST_TOKENS = 300_000
WIDTH = 1_536


class OpenAIServer(JinaServer):
    """Runs from entry to exit of a `with` block; it counts a token for every byte."""

    def unauthorized(self, given: str) -> Answer:
        """Return the body of a 401; it quotes the key, as the API does in part."""
        return _error(f"Incorrect API key provided: {given}", "invalid_api_key")

    def answer(self, path: str, payload: dict[str, Any]) -> tuple[int, Answer]:
        """Return the status and body that the API would answer with."""
        texts = payload["input"]
        tokens = sum(len(text.encode()) for text in texts)
        if path != "/v1/embeddings":
            return 404, _error("Invalid URL", "not_found")
        if not 1 <= len(texts) <= MOST_TEXTS or "" in texts:
            return 400, _error("'$.input' is invalid.", "invalid_request_error")
        if tokens > MOST_TOKENS:
            return 400, _error("Requested too many tokens", "max_tokens_per_request")
        width = payload.get("dimensions", WIDTH)
        if width > MOST_DIMENSIONS:
            return 400, _error(f"dimensions: at most {MOST_DIMENSIONS}", "invalid_value")
        data = [
            {"object": "embedding", "index": index, "embedding": vector(text, None, width)}
            for index, text in enumerate(texts)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return 200, {"object": "list", "model": payload["model"], "data": data, "usage": usage}


def _error(message: str, code: str) -> Answer:
    return {"error": {"message": message, "type": "invalid_request_error", "code": code}}
