"""Where trials run: in this process, or as Ray actors on one machine or many. All keep the contract of ``base.py``."""
