"""The dense function to begin with: all-MiniLM-L6-v2, 384 dimensions, English."""

from hybridge.dense.sentence_transformer import SentenceTransformerEmbeddingFunction

DefaultEmbeddingFunction = SentenceTransformerEmbeddingFunction
