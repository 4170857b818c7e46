"""What every job needs: files, locks, logs, full disks, and the record of what it ran with."""
