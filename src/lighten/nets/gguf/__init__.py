"""GGUF files: header, tokenizer, tensors, and the network in them."""
