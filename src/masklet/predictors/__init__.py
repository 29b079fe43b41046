"""The classes that people type: segment images, and follow objects through videos."""
