/**
 * Exit code of a search that found nothing although `--require` was given. Not that of something unavailable: a script has to tell
 * "it is not there" from "nobody could look".
 */
export const nothingFoundExitCode = 6;
