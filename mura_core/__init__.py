"""Read musculoskeletal radiographs, call them normal or abnormal, and show where."""

__version__ = "0.1.0"
