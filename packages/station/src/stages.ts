/**
 * The stages of a station. Sound is handed on in blocks (see sound.ts) whose position is counted in sample frames since the
 * station began; a block belongs to the receiver only during the call.
 *
 * ```
 * ProgrammeSource -> SoundPath -> SoundSink (identify), SoundSink (scope), SoundSink (listeners), ...
 * ```
 */

/** What a part of the programme is. */
export type ItemKind = "song" | "announcement" | "jingle" | "file" | "live";

/** Says that an item of the programme has begun. */
export interface Cue {
  readonly item: ItemKind;
  /** The catalog's id of the recording, where it is enrolled. */
  readonly id: string;
  readonly title: string;
  /** Style, folder or other words below the title; may be empty. */
  readonly detail: string;
  /** Undefined for live sound. */
  readonly lengthFrames: number | undefined;
}

/**
 * Why there is no sound where there should be some: the source is not there (a stream that broke off, an input that ended), or it is
 * there and gives nothing.
 */
export type SourceAbsence = "source-away" | "source-silent";

/** Where the sound comes from. */
export interface ProgrammeSource {
  /**
   * Fills the whole block; what has no sound is silence. Returns how many sample frames are sound.
   * `onCue` is called for each item that begins in the block, with its first sample frame inside the block.
   */
  read(block: Float32Array, onCue: (cue: Cue, frameInBlock: number) => void): number;
  /** Set where the last block is silence only because the source had nothing; a pause of the programme is none. */
  readonly absence?: SourceAbsence | undefined;
  /** True once nothing will ever come again. */
  readonly ended: boolean;
  /** Waits for what is being prepared, so that a virtual run is the same every time. */
  settle?(): Promise<void>;
  close(): Promise<void>;
}

/** The way from the studio to the receiver: none, a codec, a network. It may deliver later, in order, and lose nothing silently. */
export interface SoundPath {
  /** Takes sample frames [startFrame, startFrame + blockFrames). */
  send(block: Float32Array, startFrame: number): void;
  /** One handler; it gets the received blocks in order. */
  onReceive(handler: (block: Float32Array, startFrame: number) => void): void;
  close(): Promise<void>;
}

/** What hears the received sound. */
export interface SoundSink {
  write(block: Float32Array, startFrame: number): void;
}
