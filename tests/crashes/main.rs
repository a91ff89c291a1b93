//! Hub and agent are killed at each step of a task's life, and every task still comes to one end.
