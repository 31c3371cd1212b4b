"""The errors a caller may show to a person: what failed, what was found, what to do."""


class MuraError(Exception):
    """Any failure this package raises on purpose; its text is fit for the screen."""


class ImageError(MuraError):
    """A file that is not a radiograph this package can read."""


class DatasetError(MuraError):
    """A dataset folder that is not laid out as documented."""


class WeightsError(MuraError):
    """Weights that are missing, altered, or made for something else."""


class SessionError(MuraError):
    """A review session that cannot be opened, or a step in it that its rules do not allow."""
