import { signal } from "@preact/signals";
import { needsToken } from "../api.ts";
import { adviceFor, type Trouble, troubles } from "../live/health-feed.ts";
import { connection, lastProblem } from "../live/live.ts";
import { CloseIcon } from "./icons.tsx";

/** Notices that were put away; one comes back when its trouble comes back. */
const putAway = signal<ReadonlySet<string>>(new Set());

function keyOf({ part, stream, says }: Trouble): string {
  return `${part} ${stream} ${says}`;
}

/** What does not work, over the screen, which stays where it is. */
export function Notices() {
  const isLost = connection.value === "lost" && !needsToken.value;
  const known = new Set(troubles.value.map(keyOf));
  const shown = isLost ? [] : troubles.value.filter((each) => !putAway.value.has(keyOf(each)));
  if (!isLost && shown.length === 0) return null;
  return (
    <div class="notices">
      {isLost && (
        <div class="notice" role="alert">
          {lastProblem.value ?? "The connection was lost."} Trying again.
        </div>
      )}
      {shown.map((trouble) => (
        <div class="notice" role="alert" key={keyOf(trouble)}>
          <div class="wrap">
            <strong>{trouble.says}</strong> <TroubleText trouble={trouble} />
          </div>
          <button
            type="button"
            class="button icon"
            aria-label={`Put away: ${trouble.says}`}
            onClick={() => {
              const kept = [...putAway.value].filter((key) => known.has(key));
              putAway.value = new Set([...kept, keyOf(trouble)]);
            }}
          >
            <CloseIcon />
          </button>
        </div>
      ))}
    </div>
  );
}

/** Why, and what to do. */
export function TroubleText({ trouble }: { trouble: Trouble }) {
  const advice = adviceFor(trouble);
  return (
    <span class="muted">
      {trouble.reason !== null && `${sentence(trouble.reason)} `}
      {advice}
    </span>
  );
}

function sentence(text: string): string {
  const trimmed = text.trim();
  const first = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
