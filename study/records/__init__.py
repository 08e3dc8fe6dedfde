"""What a study and its runs leave on disk, and how it is read back."""
