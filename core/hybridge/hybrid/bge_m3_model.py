"""The BGE-M3 network: an XLM-RoBERTa, and a linear layer that weighs its tokens.

The last hidden state of the first token is the dense vector.
Chen et al., "M3-Embedding", 2024 (arXiv:2402.03216), section 3.2: the lexical weight of a term is
the largest ReLU(w·h) over its places in the text. Special tokens weigh nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack
from tqdm.auto import tqdm

from hybridge.errors import ModelNotFoundError
from hybridge.hub import fetch_folder, load_model, model_errors

_LEXICAL_LAYER = "sparse_linear.pt"
_PATTERNS = ["*.json", "*.model", "*.safetensors", "pytorch_model.bin", _LEXICAL_LAYER]

Pair = tuple[NDArray[np.float32], csr_array]


class BGEM3Model:
    """The network on one device. Safe to use from several threads.

    Args:
        name: A name on the hub, or the path of a folder.
        device: Such as "cpu" or "cuda:0"; None takes a GPU where there is one.
        half: Whether to compute in 16 bits; a CPU always computes in 32.

    Attributes:
        device: The device.
        dense_dim: The length of the dense vectors.
        sparse_dim: The size of the vocabulary.
        longest: How many tokens the network can read at once.

    Raises:
        ModelNotFoundError: The weights are neither here nor reachable.
        InvalidInputError: The files are not a usable model, or the device is not there.
    """

    def __init__(self, name: str, device: str | None, half: bool) -> None:
        import torch

        if device is None:
            device = "cuda" if torch.cuda.is_available() else "cpu"
        with model_errors(name):
            self.device = torch.device(device)
            dtype = torch.float16 if half and self.device.type != "cpu" else torch.float32
            self.tokenizer, network, lexical = load_model(name, _open, markers=(_LEXICAL_LAYER,))
            self.network = network.to(self.device, dtype).eval()
            self.lexical = lexical.to(self.device, dtype).eval()
        self.dense_dim = int(network.config.hidden_size)
        self.sparse_dim = len(self.tokenizer)
        # XLM-RoBERTa counts places from one above the padding token's id.
        places = int(network.config.max_position_embeddings)
        self.longest = places - int(network.config.pad_token_id) - 1
        self._tokenizing = Lock()
        with model_errors(name):
            self.encode(["a text to try the model on"], self.longest, batch_size=1)

    def encode(
        self, texts: list[str], max_length: int, batch_size: int, progress: bool = False
    ) -> Pair:
        """Return dense vectors, not normalised, and lexical weights, from one pass per batch.

        Args:
            texts: At least one text.
            max_length: Tokens of a text that count.
            batch_size: Texts in one forward pass.
            progress: Whether to show a progress bar.

        Returns:
            A float32 array of shape `(len(texts), dense_dim)` and a float32 `csr_array` of shape
            `(len(texts), sparse_dim)`.
        """
        ids = self._ids(texts, max_length)
        # Texts of similar length share a batch, so that little of it is padding.
        order = sorted(range(len(ids)), key=lambda place: -len(ids[place]))
        pairs: list[Pair] = []
        with tqdm(total=len(texts), unit="text", disable=not progress) as bar:
            for start in range(0, len(order), batch_size):
                batch = order[start : start + batch_size]
                pairs.append(self._forward([ids[place] for place in batch]))
                bar.update(len(batch))
        back = np.argsort(order)
        dense = np.concatenate([pair[0] for pair in pairs])[back]
        stacked = csr_array(vstack([pair[1] for pair in pairs], format="csr"))
        return dense, csr_array(stacked[back])

    def _ids(self, texts: list[str], max_length: int) -> list[list[int]]:
        # Truncation is part of a tokenizer's state, which two threads must not change at once.
        with self._tokenizing:
            encoded = self.tokenizer(texts, truncation=True, max_length=max_length)
        ids: list[list[int]] = encoded["input_ids"]
        return ids

    def _forward(self, ids: Sequence[Sequence[int]]) -> Pair:
        import torch

        lengths = [len(tokens) for tokens in ids]
        mask = np.arange(max(lengths)) < np.array(lengths, dtype=np.int64)[:, None]
        padded = np.full(mask.shape, self.tokenizer.pad_token_id, dtype=np.int64)
        padded[mask] = np.concatenate([np.asarray(tokens) for tokens in ids])
        with torch.inference_mode():
            hidden = self.network(
                input_ids=torch.as_tensor(padded, device=self.device),
                attention_mask=torch.as_tensor(mask, dtype=torch.int64, device=self.device),
            ).last_hidden_state
            weights = torch.relu(self.lexical(hidden))[:, :, 0].float().cpu().numpy()
            dense = hidden[:, 0].float().cpu().numpy()
        counted = mask & (weights > 0) & ~np.isin(padded, self._special_ids())
        rows = np.nonzero(counted)[0]
        shape = (len(ids), self.sparse_dim)
        return dense, largest_per_term(rows, padded[counted], weights[counted], shape)

    def _special_ids(self) -> list[int]:
        names = ("cls_token_id", "eos_token_id", "pad_token_id", "unk_token_id")
        found = (getattr(self.tokenizer, name) for name in names)
        return [number for number in found if number is not None]


def largest_per_term(
    rows: NDArray[np.int64],
    terms: NDArray[np.int64],
    weights: NDArray[np.float32],
    shape: tuple[int, int],
) -> csr_array:
    """Return a sparse array that holds, for each row and term, the largest of its weights.

    Args:
        rows: The row of each weight.
        terms: The column of each weight.
        weights: The weights, all above 0.
        shape: Rows and columns.
    """
    places = rows * shape[1] + terms
    order = np.argsort(places, kind="stable")
    places, weights = places[order], weights[order]
    first = np.flatnonzero(np.diff(places, prepend=-1))
    largest = np.maximum.reduceat(weights, first) if len(first) else weights
    found = places[first]
    return csr_array((largest, (found // shape[1], found % shape[1])), shape=shape)


def _open(place: str, local_files_only: bool) -> tuple[Any, Any, Any]:
    """Return tokenizer, network and lexical layer."""
    import torch

    transformers: Any = import_module("transformers")
    folder = fetch_folder(place, _PATTERNS, local_files_only)
    if not (folder / _LEXICAL_LAYER).is_file():
        msg = f"{folder} holds no {_LEXICAL_LAYER}: it is not a BGE-M3 model"
        raise ModelNotFoundError(msg)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.AutoModel.from_pretrained(folder)
    state = torch.load(folder / _LEXICAL_LAYER, map_location="cpu", weights_only=True)
    lexical = torch.nn.Linear(network.config.hidden_size, 1)
    lexical.load_state_dict(state)
    return tokenizer, network, lexical
