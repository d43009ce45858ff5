"""How dates and figures are written, where the usual reader expects it otherwise than Django has it."""
