"""``python -m tests.bench.group``: what group calls take."""

from tests.bench.group.bench_group import main

main()
