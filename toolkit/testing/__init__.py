"""For your own tests: a model that says what you tell it to, and a server that fails where you tell it to."""
