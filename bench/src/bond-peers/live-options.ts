import type { LinkModel } from "@longwave/netsim";
import type { UdpProxy } from "@longwave/netsim/node";

/** Who plays a role, each in a process of its own: our command line, librist's tools, or a GStreamer pipeline. */
export type Peer = "own" | "librist" | "gstreamer";

export interface LiveRunOptions {
  readonly sender: Peer;
  readonly receiver: Peer;
  readonly profile: "simple" | "main";
  readonly links: readonly {
    readonly forward: LinkModel;
    readonly backward: LinkModel;
    readonly weight?: number;
  }[];
  readonly bufferMs: number;
  readonly bitrateBps: number;
  readonly seconds: number;
  readonly warmupSeconds?: number;
  readonly secret?: string;
  /** Of the receiver, where it differs. */
  readonly receiverSecret?: string;
  readonly aesBits?: 128 | 256;
  /** EAP-SRP: what the calling end says, and the file of verifiers that the waiting end reads. */
  readonly srp?: { readonly username: string; readonly password: string; readonly file: string };
  /** Receiver calls, sender waits (Main profile). */
  readonly isSwapped?: boolean;
  /** Removes null packets; the test stream then has some. */
  readonly hasNulls?: boolean;
  /** More flags of our own ends, such as a configuration. */
  readonly ownSenderFlags?: readonly string[];
  readonly ownReceiverFlags?: readonly string[];
  readonly seed?: number;
  /** Something to do during the run. */
  readonly actions?: readonly { readonly atSeconds: number; run(proxies: readonly UdpProxy[]): void }[];
}
