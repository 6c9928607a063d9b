"""``python -m tests.bench.mls``: what MLS costs a member."""

from tests.bench.mls.bench_mls import main

main()
