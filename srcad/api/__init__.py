"""The functional interface: transforms of functions, with JAX's names and conventions."""
