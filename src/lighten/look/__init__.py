"""How pages of lighten look, those of reports and the one of a server: colours, fonts, and what both are made of."""
