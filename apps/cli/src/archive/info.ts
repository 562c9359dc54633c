import { printResult } from "../output.ts";
import { bitrateBps, indexShare, lengthText, startText } from "./format.ts";
import { withArchive } from "./with-archive.ts";

/** `longwave archive info STORE ID`. */
export async function info(store: string, id: string, options: { json?: boolean }): Promise<void> {
  const found = await withArchive(store, (archive) => archive.info(id), { mustExist: true });
  const { counts, segments } = found;
  printResult(options.json === true, found, () => [
    `${found.id} (${found.state})`,
    `  length      ${lengthText(found.frames)} (${found.frames} sample frames, ${found.channels} channels)`,
    `  begins      ${startText(found)}`,
    `  source      ${found.source.name ?? "-"}${found.source.container ? ` (${found.source.container})` : ""}`,
    `  packets     ${found.packets}, ${(bitrateBps(found) / 1000).toFixed(1)} kbit/s, ${segments.length} segments`,
    `  irregular   ${counts.lost} lost, ${counts.malformed} malformed, ${counts.dtx} silent`,
    `  seek points ${counts.provenPoints} of ${counts.points} proven, ${counts.checkpoints} states, longest run-up ${counts.maxRunUp} packets`,
    `  index       ${counts.indexBytes} bytes (${indexShare(found).toFixed(2)} %), run-ups stored twice ${counts.preRollBytes} bytes`,
    `  decoder     ${found.profile}`,
    `  packets     sha256 ${found.packetsSha256}`,
  ]);
}
