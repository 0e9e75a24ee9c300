"""Projects: what a canvas holds, as one file for the person and as an autosave while they work.

Plain data in and out: neither Qt nor torch is known here, and nothing that is read is believed.
"""
