"""Tiny models with random weights, in the formats in which real ones are distributed."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 66,
}
MAX_LENGTH = 32
WORDS = [*string.ascii_lowercase, "apple", "pear", "red", "green", "fruit"]


def tiny_sentence_transformer(
    folder: Path,
    pooling: str | tuple[str, ...] = "mean",
    prompts: dict[str, str] | None = None,
    normalized: bool = False,
    pools_prompts: bool = True,
) -> Path:
    """Save a BERT with a pooling, unnormalised unless told otherwise, and return the folder."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel

    base = folder / "bert"
    _save(BertModel, BertConfig, _bert_tokenizer(), base)
    transformer = Transformer(str(base), max_seq_length=MAX_LENGTH)
    parts = [transformer, Pooling(SIZES["hidden_size"], pooling, include_prompt=pools_prompts)]
    parts += [Normalize()] if normalized else []
    default = "query" if prompts else None
    model = SentenceTransformer(modules=parts, prompts=prompts, default_prompt_name=default)
    model.save(str(folder / "model"))
    return folder / "model"


def tiny_static_model(folder: Path) -> Path:
    """Save a static model in the format of model2vec, unnormalised, and return the folder."""
    import numpy as np
    from model2vec import StaticModel
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {token: number for number, token in enumerate(["[UNK]", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    vectors = np.random.default_rng(7).normal(size=(len(vocabulary), 16)).astype(np.float32)
    StaticModel(vectors, tokenizer).save_pretrained(folder)
    return folder


def tiny_splade(folder: Path) -> Path:
    """Save a masked-language model in the layout of a SPLADE checkpoint, and return the folder."""
    from sentence_transformers import SparseEncoder
    from sentence_transformers.sparse_encoder.modules import MLMTransformer, SpladePooling
    from transformers import BertConfig, BertForMaskedLM

    base = folder / "bert"
    _save(BertForMaskedLM, BertConfig, _bert_tokenizer(), base)
    transformer = MLMTransformer(str(base), max_seq_length=MAX_LENGTH)
    SparseEncoder(modules=[transformer, SpladePooling("max")]).save(str(folder / "model"))
    return folder / "model"


def tiny_cross_encoder(folder: Path, labels: int = 1) -> Path:
    """Save a sequence classifier, as cross-encoders are distributed, and return the folder."""
    from transformers import BertConfig, BertForSequenceClassification

    _save(BertForSequenceClassification, BertConfig, _bert_tokenizer(), folder, num_labels=labels)
    return folder


def tiny_bge_m3(folder: Path) -> Path:
    """Save an XLM-RoBERTa with BGE-M3's lexical layer beside it, and return the folder."""
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaModel

    _save(XLMRobertaModel, XLMRobertaConfig, _xlm_tokenizer(), folder)
    torch.manual_seed(7)
    layer = torch.nn.Linear(SIZES["hidden_size"], 1)
    torch.save(layer.state_dict(), folder / "sparse_linear.pt")
    return folder


def _save(model: Any, config: Any, tokenizer: Any, folder: Path, **settings: Any) -> None:
    import torch

    torch.manual_seed(7)
    # Random weights of the usual size make all texts nearly alike.
    settings = {**SIZES, "initializer_range": 0.5, **settings}
    special = {"pad_token_id": tokenizer.pad_token_id, "vocab_size": len(tokenizer)}
    model(config(**special, **settings)).eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _bert_tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = {token: number for number, token in enumerate([*special, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=64,
    )


def _xlm_tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["<s>", "<pad>", "</s>", "<unk>"]
    vocabulary = {token: number for number, token in enumerate([*special, *WORDS, "<mask>"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        unk_token="<unk>",
        cls_token="<s>",
        sep_token="</s>",
        bos_token="<s>",
        eos_token="</s>",
        mask_token="<mask>",
        model_max_length=64,
    )
