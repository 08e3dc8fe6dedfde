"""What ``import study`` offers. It stands where the programs stand, above all rooms, and may use everything."""
