"""What is searched, who proposes and who stops; trials in Optuna's storage."""
