"""Models as users name them: found, fetched, recognised, refused by their right names, merged, copied and sealed."""
