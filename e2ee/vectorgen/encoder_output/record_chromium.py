"""Makes the files of a browser's encoders anew: ``python -m e2ee.vectorgen.encoder_output.record_chromium [chromium]``.

A page encodes with WebCodecs what ``record`` encodes with libraries, in a headless Chromium, and posts what came out. Its H.264
is OpenH264's, as in its calls. (In calls libwebrtc may rewrite a sequence parameter set between encoder and transform: CODEC-16.)
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from e2ee.vectorgen.encoder_output.record import write

__all__: list[str] = []

_PAGE = """<!doctype html><script>
const hex = chunk => { const bytes = new Uint8Array(chunk.byteLength); chunk.copyTo(bytes);
  return [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(''); };
async function encoded(Encoder, settings, inputs) {
  const frames = [];
  const encoder = new Encoder({output: chunk => frames.push([chunk.type == 'key', hex(chunk)]), error: e => { throw e; }});
  encoder.configure(settings);
  inputs.forEach((input, i) => { encoder.encode(input, {keyFrame: i == 0}); input.close(); });
  await encoder.flush();
  return frames;
}
function picture(n) {
  const rgba = new Uint8Array(32 * 32 * 4);
  for (let y = 0; y < 32; y++) for (let x = 0; x < 32; x++)
    rgba.set([x * 8 + n * 16, y * 8, (x ^ y) * 8, 255].map(v => v & 255), (y * 32 + x) * 4);
  return new VideoFrame(rgba, {format: 'RGBA', codedWidth: 32, codedHeight: 32, timestamp: n * 33333});
}
function sound(n) {
  const data = Float32Array.from({length: 960}, (_, i) => 0.4 * Math.sin(2 * Math.PI * 440 * (n * 960 + i) / 48000));
  return new AudioData({format: 'f32', sampleRate: 48000, numberOfFrames: 960, numberOfChannels: 1, timestamp: n * 20000, data});
}
const video = {width: 32, height: 32, bitrate: 40000, framerate: 30, latencyMode: 'realtime'};
(async () => {
  const pictures = () => [0, 1, 2].map(picture);
  const result = {
    'h264-chromium': await encoded(VideoEncoder, {codec: 'avc1.42e01f', avc: {format: 'annexb'}, ...video}, pictures()),
    'vp8-chromium': await encoded(VideoEncoder, {codec: 'vp8', ...video}, pictures()),
    'vp9-chromium': await encoded(VideoEncoder, {codec: 'vp09.00.10.08', ...video}, pictures()),
    'opus-chromium': await encoded(AudioEncoder, {codec: 'opus', sampleRate: 48000, numberOfChannels: 1, bitrate: 24000},
                                   [0, 1, 2].map(sound)),
  };
  await fetch('/', {method: 'POST', body: JSON.stringify(result)});
})();
</script>"""

_FILES = {
    "h264-chromium": ("H264", "OpenH264", "32 x 32, avc1.42e01f, 40 kbit/s, realtime"),
    "vp8-chromium": ("VP8", "libvpx", "32 x 32, vp8, 40 kbit/s, realtime"),
    "vp9-chromium": ("VP9", "libvpx", "32 x 32, vp09.00.10.08, 40 kbit/s, realtime"),
    "opus-chromium": ("opus", "libopus", "20 ms, mono, 24 kbit/s"),
}


class _Handler(BaseHTTPRequestHandler):
    result: Any = None

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(_PAGE.encode())

    def do_POST(self) -> None:
        _Handler.result = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()


def main(chromium: str = "chromium") -> None:
    version = subprocess.run(  # noqa: S603 - whose browser it is, its owner says
        [chromium, "--version"], capture_output=True, check=True
    ).stdout
    named = " ".join(version.decode().split()[:2])
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    with tempfile.TemporaryDirectory() as profile:
        options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
        options += ["--remote-debugging-port=0"]  # else it ends at once
        address = f"http://127.0.0.1:{server.server_port}/"
        with subprocess.Popen([chromium, *options, address]) as browser:  # noqa: S603 - as above
            while _Handler.result is None:
                server.handle_request()
            browser.terminate()
    for name, (codec, encoder, settings) in _FILES.items():
        frames = [(is_key, bytes.fromhex(data)) for is_key, data in _Handler.result[name]]
        write(name, codec, f"{encoder} in {named}, by WebCodecs", settings, frames)


if __name__ == "__main__":
    main(*sys.argv[1:])
