"""Results as DICOM objects, and the way to and from an archive."""
