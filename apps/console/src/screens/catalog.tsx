import { computed, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { getJson } from "../api.ts";
import { clock, thousands } from "../format.ts";
import { events, stream } from "../live/live.ts";
import { repeat } from "../live/repeat.ts";
import type { Track } from "../model.ts";

const tracks = signal<readonly Track[] | undefined>(undefined);
const total = signal(0);
const postings = signal(0);
const problem = signal("");
/** Changes whenever something was enrolled. */
const lastEnrolled = computed(
  () => events.value.find((event) => event.type === "catalog.enrolled")?.seq ?? -1,
);

/** Others may enroll, too, and not tell this page. */
const refreshMs = 30_000;

async function load(signal: AbortSignal): Promise<void> {
  const page = await getJson<{ total: number; postings: number; tracks: Track[] }>(
    "/v1/catalog/tracks?limit=500",
    signal,
  );
  tracks.value = page.tracks;
  total.value = page.total;
  postings.value = page.postings;
}

/** What can be recognised. */
export function CatalogScreen() {
  useEffect(() => repeat(load, refreshMs, problem), [lastEnrolled.value]);
  const heard = stream.value?.heard?.track;
  return (
    <section class="card">
      <div class="eyebrow">
        Catalog
        <span class="aside">
          {tracks.value === undefined
            ? ""
            : `${thousands(total.value)} recordings, ${thousands(postings.value)} hashes`}
        </span>
      </div>
      <h1 class="title small wrap">Recordings that can be recognised</h1>
      <div style="margin-top: 16px">
        <Body heard={heard} />
      </div>
    </section>
  );
}

function Body({ heard }: { heard: string | undefined }) {
  if (tracks.value === undefined) {
    return (
      <div class="state">
        <strong>{problem.value === "" ? "Reading the catalog" : "The catalog cannot be read"}</strong>
        <span role="status">{problem.value}</span>
      </div>
    );
  }
  if (tracks.value.length === 0) {
    return (
      <div class="state">
        <strong>Nothing is enrolled</strong>
        <span>
          Enroll recordings with <code>longwave id enroll FILES --catalog DIR</code> and start the station
          with that catalog.
        </span>
      </div>
    );
  }
  return (
    <div class="table-wrap">
      <table>
        <thead>
          <tr>
            <th scope="col">Title</th>
            <th scope="col" class="roomy">
              Id
            </th>
            <th scope="col" class="number">
              Length
            </th>
            <th scope="col" class="number">
              Hashes
            </th>
          </tr>
        </thead>
        <tbody>
          {tracks.value.map((track) => (
            <tr key={track.id} data-playing={track.id === heard}>
              <td>
                {track.title ?? track.id}
                {track.title !== null && <div class="faint narrow">{track.id}</div>}
              </td>
              <td class="faint roomy">{track.id}</td>
              <td class="number">{clock(track.durationSeconds * 1000)}</td>
              <td class="number">{thousands(track.hashes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
