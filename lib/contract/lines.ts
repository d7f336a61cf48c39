/** Answers that come line by line, of commands that tell what comes while they work. */

/** The type of such an answer: one JSON a line. */
export const LINES_TYPE = "application/x-ndjson";
