"""Language models: one interface over llama.cpp (GGUF files) and transformers (model folders)."""
