"""The page: upload a study, read the call and the maps."""
