"""What a note says, where it goes, the push protocol."""
