// Half a second of a tone through AudioEncoder and AudioDecoder, as a program for the browser does it, in Node.
import { AudioData, AudioDecoder, AudioEncoder } from "@longwave/opus/webcodecs";

const sampleRate = 48000;
const decoder = new AudioDecoder({
  output: (data) => {
    console.log(`${data.timestamp} us: ${data.numberOfFrames} frames`);
    data.close();
  },
  error: (error) => console.error(error.name, error.message),
});
const encoder = new AudioEncoder({
  output: (chunk, { decoderConfig }) => {
    if (decoderConfig !== undefined) decoder.configure(decoderConfig); // with the first chunk
    decoder.decode(chunk);
  },
  error: (error) => console.error(error.name, error.message),
});
encoder.configure({
  codec: "opus",
  sampleRate,
  numberOfChannels: 1,
  bitrate: 32000,
  opus: { signal: "music" },
});

const numberOfFrames = 4800; // 100 ms; packets have 20 ms whatever comes in
for (let block = 0; block < 5; block++) {
  const data = Float32Array.from(
    { length: numberOfFrames },
    (_, i) => 0.3 * Math.sin((block * numberOfFrames + i) / 17),
  );
  const timestamp = block * 100_000;
  encoder.encode(
    new AudioData({ format: "f32", sampleRate, numberOfChannels: 1, numberOfFrames, timestamp, data }),
  );
}
await encoder.flush();
await decoder.flush();
encoder.close();
decoder.close();
