// Before the add-on is loaded: the pool has its size from then on.
process.env.NABLA_NUM_THREADS = "7";
