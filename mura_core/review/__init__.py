"""Review sessions: readers call studies with and without the model, and are compared with the truth."""
