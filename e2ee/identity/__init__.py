"""Identity: accounts, devices, their certificates, and whom to trust (spec chapter Identity)."""
