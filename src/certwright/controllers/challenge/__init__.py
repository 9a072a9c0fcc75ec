"""Challenges: started in turn, presented, looked for, accepted, and cleaned up."""
