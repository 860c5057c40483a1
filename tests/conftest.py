import hypothesis
import torch

# Tests use tiny tensors, on which a second thread waits longer than it works.
torch.set_num_threads(1)

# A busy machine is no reason to fail.
hypothesis.settings.register_profile("timeless", deadline=None)
hypothesis.settings.load_profile("timeless")
