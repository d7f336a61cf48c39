/** Message of a thrown value: in JavaScript any value can be thrown. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown);

/** The same without its full stop: for the middle of a sentence. */
export const clauseOf = (thrown: unknown): string => messageOf(thrown).replace(/(?<!\.)\.$/, "");
