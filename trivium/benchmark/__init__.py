"""The benchmark: policies and baselines on the tasks of `trivium.gym.tasks`, scores, results and the leaderboard."""
