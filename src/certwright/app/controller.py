"""The controller process: everything that runs in it is built here."""
