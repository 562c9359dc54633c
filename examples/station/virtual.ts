// A whole radio station in virtual time: songs are composed, carried over two bad links, heard and recognised. The events
// are the same on every machine.
import { eventLine, runVirtualStation } from "@longwave/station";

await runVirtualStation({
  seed: Number(process.argv[2] ?? 7),
  durationUs: Number(process.argv[3] ?? 10) * 1e6,
  songs: 1,
  onEvent: (event) => console.log(eventLine(event)),
});
