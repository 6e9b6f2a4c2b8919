"""Sessions in processes of their own, meters taking turns on them, and a record of the machine they ran on."""
