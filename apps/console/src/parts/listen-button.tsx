import { stream } from "../live/live.ts";
import { isListening, toggleListening } from "../live/player.ts";
import { PlayIcon, StopIcon } from "./icons.tsx";

/** Starts and stops listening to the received sound. */
export function ListenButton() {
  const id = stream.value?.id;
  const active = isListening.value;
  return (
    <button
      type="button"
      class="button primary"
      style="min-width: 112px"
      disabled={id === undefined}
      aria-pressed={active}
      onClick={() => id !== undefined && void toggleListening(id)}
    >
      {active ? <StopIcon /> : <PlayIcon />}
      {active ? "Stop" : "Listen"}
    </button>
  );
}
