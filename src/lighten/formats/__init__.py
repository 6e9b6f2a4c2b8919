"""One file = one format on disk: recognise, bring, open, save, facts."""
