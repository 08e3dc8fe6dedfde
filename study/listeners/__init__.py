"""Who hears a study's events: the display, trackers, and what users add. One file a listener."""
