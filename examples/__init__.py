"""Things to try `replay` on."""
