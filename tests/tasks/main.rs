//! What becomes of tasks: submitted, refused, ordered, leased, retried, cancelled, finished.
