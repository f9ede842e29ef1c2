"""Reports that people read: every figure in them can be added up again from the record."""
