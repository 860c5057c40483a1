"""The page that says what a demo did; one file per section, and `page` joins them."""
