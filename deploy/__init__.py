"""What it takes to put the page elsewhere."""
