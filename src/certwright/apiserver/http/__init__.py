"""The door: paths, bodies and content types in; objects, tables, streams and Status out."""
