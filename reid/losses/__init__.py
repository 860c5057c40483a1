"""One file per loss, read like its equation. Standard losses come from other libraries."""
