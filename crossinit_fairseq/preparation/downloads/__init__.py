"""Downloads of the translation recipes: found, resumed, checked, and turned into text of one sentence a line."""
