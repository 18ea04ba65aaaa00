"""The services behind the functions' names: addresses and keys, as data.

Sources: the providers' own clients and API references, read in November 2026.
"""

from __future__ import annotations

from hybridge.web_api.service import Service

SERVICES = {
    "azure": Service(
        "Azure OpenAI",
        "",
        ("AZURE_OPENAI_API_KEY",),
        base_url_variable="AZURE_OPENAI_ENDPOINT",
        header="api-key",
    ),
    "cohere": Service(
        "Cohere",
        "https://api.cohere.com/v2",
        ("COHERE_API_KEY", "CO_API_KEY"),
        "https://dashboard.cohere.com/api-keys",
    ),
    "gemini": Service(
        "Gemini",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        "https://aistudio.google.com/apikey",
    ),
    "infinity": Service("Infinity", "http://localhost:7997", ("INFINITY_API_KEY",)),
    "jina": Service(
        "Jina",
        "https://api.jina.ai/v1",
        ("JINA_API_KEY", "JINAAI_API_KEY"),
        "https://jina.ai/api-dashboard",
    ),
    "litellm": Service("LiteLLM", "http://localhost:4000/v1", ("LITELLM_API_KEY",)),
    "llama.cpp": Service("llama.cpp", "http://localhost:8080/v1", ("LLAMA_API_KEY",)),
    "lm-studio": Service("LM Studio", "http://localhost:1234/v1", ("LM_API_TOKEN",)),
    "mistral": Service(
        "Mistral",
        "https://api.mistral.ai/v1",
        ("MISTRAL_API_KEY", "MISTRALAI_API_KEY"),
        "https://console.mistral.ai/api-keys",
    ),
    "nomic": Service(
        "Nomic",
        "https://api-atlas.nomic.ai/v1",
        ("NOMIC_API_KEY",),
        "https://atlas.nomic.ai",
    ),
    "ollama": Service("Ollama", "http://localhost:11434/v1", ("OLLAMA_API_KEY",)),
    "openai": Service(
        "OpenAI",
        "https://api.openai.com/v1",
        ("OPENAI_API_KEY",),
        "https://platform.openai.com/api-keys",
        "OPENAI_BASE_URL",
    ),
    "tei": Service("Text Embeddings Inference", "http://localhost:8080", ("TEI_API_KEY",)),
    "together": Service(
        "Together",
        "https://api.together.xyz/v1",
        ("TOGETHER_API_KEY",),
        "https://api.together.ai/settings/api-keys",
    ),
    "vllm": Service("vLLM", "http://localhost:8000/v1", ("VLLM_API_KEY",)),
    "voyage": Service(
        "Voyage",
        "https://api.voyageai.com/v1",
        ("VOYAGE_API_KEY",),
        "https://dashboard.voyageai.com",
    ),
}
