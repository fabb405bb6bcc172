"""Programs that are not what srcad expects: mutants of the zoo, and what may happen to them."""
