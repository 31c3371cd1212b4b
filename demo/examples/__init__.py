"""Example studies that the project draws itself."""
