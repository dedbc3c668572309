"""Pages whose printed commands are run, and whose printed output is compared with what comes out."""
