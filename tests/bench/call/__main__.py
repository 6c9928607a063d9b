"""``python -m tests.bench.call``: what calls and their service take."""

from tests.bench.call.bench_call import main

main()
