"""What happens when things are not fine: clocks, disks, damaged files (issue 4)."""
