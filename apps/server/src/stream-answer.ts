/** Bytes that are taken piece by piece. */
export interface ByteSource {
  /** The next piece; waits for it. Undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
  /** Gives everything back. What waits in `next` ends, after the rest where the format has an end of its own. */
  close(): unknown;
}

export interface StreamAnswerOptions {
  /** Default 200. */
  readonly status?: number;
  /** It goes on for as long as the client listens: it has places of its own, and ends when the server stops. */
  readonly isEndless?: boolean;
}

/**
 * An answer whose body is made as the client takes it: one that reads slowly slows nobody else, one that leaves ends the making.
 * Nothing is opened before the body is wanted, which for HEAD is never.
 */
export class StreamAnswer {
  readonly isEndless: boolean;
  readonly #open: () => ByteSource;
  readonly #init: { readonly status: number; readonly headers: Readonly<Record<string, string>> };
  #source: ByteSource | undefined;
  #isOver = false;

  /** @param open takes the places and opens what the body is made of; what it throws is the answer */
  constructor(
    open: () => ByteSource,
    headers: Readonly<Record<string, string>>,
    { status = 200, isEndless = false }: StreamAnswerOptions = {},
  ) {
    this.#open = open;
    this.#init = { status, headers };
    this.isEndless = isEndless;
  }

  /** Status and headers alone: what HEAD is answered with. */
  head(): Response {
    return new Response(null, this.#init);
  }

  /** @param onOver told once: the last piece was taken, the making failed, or the client went away */
  response(onOver: () => void): Response {
    const source = this.#open();
    this.#source = source;
    const over = () => {
      if (this.#isOver) return;
      this.#isOver = true;
      onOver();
    };
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          try {
            const piece = await source.next();
            if (piece !== undefined) return controller.enqueue(piece);
          } catch (error) {
            over();
            throw error;
          }
          over();
          controller.close();
        },
        async cancel() {
          over();
          await source.close();
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(body, this.#init);
  }

  /** Ends a body that would go on: the client gets what is there, and a proper end. */
  end(): void {
    if (!this.#isOver) this.#source?.close();
  }

  /** Gives back what was begun for an answer that nobody will take any more. */
  async discard(): Promise<void> {
    await this.#open().close();
  }
}

/** The pieces of a generator. */
export function sourceOf(pieces: AsyncGenerator<Uint8Array>): ByteSource {
  return {
    next: async () => {
      const { done, value } = await pieces.next();
      return done === true ? undefined : value;
    },
    close: () => pieces.return(undefined),
  };
}
