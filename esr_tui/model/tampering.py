"""What somebody did to the recorder, or to what it stands on: causes of gaps, and what each means."""

from __future__ import annotations

TAMPERING = {
    "programs_detached": "Kernel programs of the recorder were detached while the session lived.",
    "map_changed": "What the kernel programs knew of the session was changed by somebody else.",
    "store_altered": "Files of the recording were changed or removed while it was being written.",
    "clock_stepped": "The wall clock was set while the session lived; the recording keeps its own time.",
    "recorder_traced": "Somebody traced the recorder while the session lived.",
    "recorder_paused": "The recorder stood still for a while.",
}
"""By cause, a sentence for people."""
