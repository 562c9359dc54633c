// npm run fuzz -- fingerprint 60s | --count 1000000: mutated fingerprint envelopes and audiofp files through their parsers. In two
// of three rounds the checksum is made right again, so that the mutation reaches what lies behind it.
import { crc32c } from "@longwave/base";
import {
  extract,
  fromEnvelope,
  fromSerialV1,
  matchPair,
  toEnvelope,
  toSerialV1,
} from "@longwave/fingerprint";
import { song } from "../corpus/song.ts";
import { runFuzz } from "../fuzz-run.ts";

const fingerprints = (["wang-v1", "panako-v2", "haitsma-v1", "mark-v1"] as const).map((profile) =>
  extract(profile, song({ seed: 5, seconds: 4, sampleRate: 8000 }), { sampleRate: 8000 }),
);
const envelopes = fingerprints.map(toEnvelope);
const serial = fingerprints.slice(0, 3).map(toSerialV1);

runFuzz(
  "fingerprint",
  {
    seeds: [...envelopes, ...serial],
    parse(bytes, round) {
      if (bytes[0] === 0x41) return fromSerialV1(bytes).records.byteLength;
      if (round % 3 !== 0 && bytes.length > 4) {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        view.setUint32(bytes.length - 4, crc32c(bytes, 0, bytes.length - 4), true);
      }
      const fingerprint = fromEnvelope(bytes);
      const original = fingerprints.find(({ profile }) => profile === fingerprint.profile)!;
      // Records are data of strangers: no matcher may fail on them.
      if (
        round % 64 === 1 &&
        fingerprint.configHash === original.configHash &&
        original.profile !== "mark-v1"
      ) {
        matchPair(fingerprint, original);
      }
      return fingerprint.records.byteLength;
    },
    maxHeldBytes: 1 << 20,
  },
  process.argv.slice(2),
);
