export { composeSong } from "./songs/composer.ts";
export type { DrumEvent, NoteEvent, PartName, Score } from "./songs/score.ts";
export { SongRenderer } from "./songs/song-renderer.ts";
