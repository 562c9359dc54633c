import { defaultMaxTextBytes, TtsError } from "@longwave/tts";

/** The text given, or standard input for `-` and nothing; stops reading at the limit. */
export async function readText(
  text: string | undefined,
  input: AsyncIterable<Uint8Array> = process.stdin,
  maxBytes: number = defaultMaxTextBytes,
): Promise<string> {
  if (text !== undefined && text !== "-") return text;
  const blocks: Uint8Array[] = [];
  let bytes = 0;
  for await (const block of input) {
    bytes += block.length;
    if (bytes > maxBytes) {
      throw new TtsError("tts/text-too-long", `Standard input has more than ${maxBytes} bytes of text.`);
    }
    blocks.push(block);
  }
  return Buffer.concat(blocks).toString("utf8");
}
