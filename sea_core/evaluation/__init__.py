"""Full-ranking metrics, one value per user."""
