// Decodes an Ogg Opus file to 16-bit samples. Node 24 and later run it as it is (after npm run build):
//   node examples/opus-decode/node.ts in.opus out.raw
import { createReadStream, createWriteStream } from "node:fs";
import { OggOpusReader } from "@longwave/media";
import { OpusDecoder } from "@longwave/opus";

const [input, output] = process.argv.slice(2);
if (input === undefined || output === undefined) throw new Error("Give an input and an output file.");

const reader = await OggOpusReader.open(createReadStream(input));
const { head } = reader.links[0]!;
using decoder = new OpusDecoder({ channels: head.channels === 1 ? 1 : 2, gainQ8: head.gainQ8 });
const pcm = new Int16Array(5760 * decoder.channels); // 120 ms, the longest packet
const sink = createWriteStream(output);
for await (const { data, skipStart, trimEnd } of reader.packets()) {
  const frames = decoder.decodeInt16(data, pcm);
  const sound = pcm.slice(skipStart * decoder.channels, (frames - trimEnd) * decoder.channels);
  sink.write(new Uint8Array(sound.buffer));
}
sink.end();
