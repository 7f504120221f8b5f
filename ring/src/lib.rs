//! How events cross cores: bounded single-producer single-consumer rings and pinned, named threads.
