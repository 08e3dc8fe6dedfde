"""What ``import study`` offers. It stands above all rooms, may use everything, and programs use it."""
