"""SEA (Separate Learning for multimedia recommendation): data, model, losses, training and evaluation."""

import os

# PyTorch's OpenMP threads spin for milliseconds before they sleep, and on a machine that others use too, the core they
# spin on may be what the thread they wait for needs. This many turns are some 0.2 ms. GNU OpenMP reads it when torch is
# first imported; what the user has set stands.
if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
    os.environ["GOMP_SPINCOUNT"] = "20000"
