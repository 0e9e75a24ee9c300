"""What a person types as a prompt: its weights, its wildcards, its styles, its length."""
