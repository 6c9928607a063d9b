"""``python -m tests.bench``: the speed of frames."""

from tests.bench.bench_frames import main

main()
