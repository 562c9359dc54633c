import { computed, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { getJson } from "../api.ts";
import { clock, thousands } from "../format.ts";
import { events, stream } from "../live/live.ts";
import type { Track } from "../model.ts";

const tracks = signal<readonly Track[] | undefined>(undefined);
const total = signal(0);
const postings = signal(0);
const problem = signal("");
/** Changes whenever something was enrolled. */
const lastEnrolled = computed(
  () => events.value.find((event) => event.type === "catalog.enrolled")?.seq ?? -1,
);

async function load(): Promise<void> {
  try {
    const page = await getJson<{ total: number; postings: number; tracks: Track[] }>(
      "/v1/catalog/tracks?limit=500",
    );
    tracks.value = page.tracks;
    total.value = page.total;
    postings.value = page.postings;
    problem.value = "";
  } catch (error) {
    problem.value = (error as Error).message;
  }
}

/** What can be recognised. */
export function CatalogScreen() {
  useEffect(() => void load(), [lastEnrolled.value]);
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
  if (problem.value !== "") {
    return (
      <div class="state">
        <strong>The catalog cannot be read</strong>
        <span>{problem.value}</span>
        <button type="button" class="button" onClick={() => void load()}>
          Try again
        </button>
      </div>
    );
  }
  if (tracks.value === undefined) return <div class="state">Reading the catalog</div>;
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
            <th scope="col">Id</th>
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
              <td>{track.title ?? track.id}</td>
              <td class="faint">{track.id}</td>
              <td class="number">{clock(track.durationSeconds * 1000)}</td>
              <td class="number">{thousands(track.hashes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
