import type { Server } from "node:http";
import type { Socket } from "node:net";

/** Of these places, so many are left to connections that are about to say what they want. */
const reservedShare = 1 / 8;

/**
 * The connections of a server. One waits until the header of a request is there, and again when its requests are answered; what
 * waits longest gives way when there are too many, so that somebody who opens connections and says nothing shuts nobody out.
 */
export class Connections {
  readonly #limit: number;
  readonly #onShed: () => void;
  /** Who waits longest comes first. */
  readonly #waiting = new Set<Socket>();
  /** Requests under way. */
  readonly #busy = new Map<Socket, number>();
  #isClosing = false;

  /** @param onShed told for each connection that gave way */
  constructor(server: Server, limit: number, onShed: () => void) {
    this.#limit = limit;
    this.#onShed = onShed;
    // Connections with a request under way are bounded by the routes; this bounds them whatever happens.
    server.maxConnections = 2 * limit;
    server.on("connection", (socket: Socket) => {
      this.#waiting.add(socket);
      socket.once("close", () => {
        this.#waiting.delete(socket);
        this.#busy.delete(socket);
      });
      this.#shed();
    });
    server.on("request", ({ socket }, response) => {
      this.#waiting.delete(socket);
      this.#busy.set(socket, (this.#busy.get(socket) ?? 0) + 1);
      response.once("close", () => this.#answered(socket));
    });
  }

  /** From now on every connection ends with its last answer; those that wait end at once. */
  close(): void {
    this.#isClosing = true;
    for (const socket of this.#waiting) socket.destroy();
  }

  #answered(socket: Socket): void {
    if (socket.destroyed) return;
    const requests = (this.#busy.get(socket) ?? 1) - 1;
    if (requests > 0) {
      this.#busy.set(socket, requests);
      return;
    }
    this.#busy.delete(socket);
    if (this.#isClosing) socket.destroySoon();
    else {
      this.#waiting.add(socket);
      this.#shed();
    }
  }

  #shed(): void {
    const reserved = Math.ceil(this.#limit * reservedShare);
    for (const socket of this.#waiting) {
      if (this.#waiting.size + this.#busy.size <= this.#limit || this.#waiting.size <= reserved) return;
      this.#waiting.delete(socket);
      socket.destroy();
      this.#onShed();
    }
  }
}
