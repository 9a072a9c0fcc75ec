"""Orders: placed at the CA once, proved by Challenges, finalized, and their certificates fetched."""
