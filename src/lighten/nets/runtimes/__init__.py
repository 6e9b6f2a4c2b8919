"""Files of runtimes, checked before native code sees them."""
