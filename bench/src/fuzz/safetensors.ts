// npm run fuzz -- safetensors 60s | --count 1000000: mutated weights, voices, tokenizers and configurations through their parsers.

import { byteTokenizer, smallSpeechConfig } from "@longwave/testkit";
import {
  MemoryByteSource,
  parseModelConfig,
  SafetensorsFile,
  SentencePieceTokenizer,
  writeSafetensors,
} from "@longwave/tts";
import { runFuzz } from "../fuzz-run.ts";

const file = writeSafetensors(
  new Map([
    [
      "transformer.layers.0.self_attn/cache",
      { dtype: "F32", shape: [2, 1, 3, 2, 4], data: new Float32Array(48) },
    ],
    ["transformer.layers.0.self_attn/offset", { dtype: "I64", shape: [1], data: [3] }],
    ["half", { dtype: "BF16", shape: [5], data: new Uint16Array(5) }],
  ]),
  { format: "pt" },
);
const empty = writeSafetensors(new Map());
const tokenizer = byteTokenizer(300);
const config = new TextEncoder().encode(smallSpeechConfig);

runFuzz(
  "safetensors",
  {
    seeds: [file, tokenizer, config, file, empty, config],
    parse(bytes, round) {
      const kind = round % 6;
      if (kind === 1) return new SentencePieceTokenizer(bytes).encode("Hello, wörld! \u{1f642}").length;
      if (kind === 2 || kind === 5)
        return parseModelConfig(new TextDecoder().decode(bytes)).mimi.ratios.length;
      const read = SafetensorsFile.open(new MemoryByteSource(bytes));
      let held = 0;
      for (const { name, dtype, elements } of read.tensors.values()) {
        if (dtype === "I64") held += read.integers(name).length * 8;
        else if (elements > 0) held += read.floats(name).byteLength;
      }
      return held;
    },
    maxHeldBytes: 1 << 20,
  },
  process.argv.slice(2),
);
