"""The report: ``compute`` says what the page holds (pure data), ``render`` how it looks, ``write`` puts it on disk."""
