"""Read musculoskeletal radiographs, call them normal or abnormal, and show where."""

import sys

__version__ = "0.2.1"

# At its import, OpenVINO tells its maker of each start and keeps a number for this machine in the home
# folder, unless the package that does so cannot be imported. Here, before any module could import OpenVINO.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
