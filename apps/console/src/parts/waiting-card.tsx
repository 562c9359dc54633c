import { connection, lastProblem } from "../live/live.ts";

/** What a part of a screen waits for; `problem` is empty while nothing is wrong. */
export function waitingFor(problem: string): string {
  return problem === "" && connection.value !== "lost" ? "Asking the server" : "Waiting for the server";
}

/** In place of a screen that has nothing to show yet: what it waits for. `problem` is empty while nothing is wrong. */
export function WaitingCard(props: { name: string; title: string; text?: string; problem: string }) {
  const lost = connection.value === "lost" ? (lastProblem.value ?? "The connection was lost.") : "";
  const problem = props.problem || (lost && `${lost} Trying again.`);
  return (
    <section class="card">
      <div class="eyebrow">{props.name}</div>
      <h1 class="title small wrap">{problem === "" ? props.title : "Waiting for the server"}</h1>
      <p class="subtitle wrap" role="status">
        {problem || props.text}
      </p>
    </section>
  );
}
