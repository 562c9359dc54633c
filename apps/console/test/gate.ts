import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A way to a server that can be shut: then it is as if the server were gone. */
export class Gate {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #isShut = false;

  private constructor(port: number) {
    this.#server = createServer((near) => {
      if (this.#isShut) return near.destroy();
      const far = connect(port, "127.0.0.1");
      for (const socket of [near, far]) {
        this.#open.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => {
          this.#open.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
      return undefined;
    });
  }

  static async to(url: string): Promise<Gate> {
    const gate = new Gate(Number(new URL(url).port));
    await new Promise<void>((resolve) => gate.#server.listen(0, "127.0.0.1", resolve));
    return gate;
  }

  /** Where the server is behind it, with a slash at its end. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  shut(): void {
    this.#isShut = true;
    for (const socket of this.#open) socket.destroy();
  }

  open(): void {
    this.#isShut = false;
  }

  close(): void {
    this.shut();
    this.#server.close();
  }
}
