"""The shipped models against what their venues have published, changes to models, and their differences."""
