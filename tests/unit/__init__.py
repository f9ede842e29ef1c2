"""Does each rule hold? No store, no mock."""
