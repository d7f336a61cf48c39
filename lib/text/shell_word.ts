/** A word as a shell takes it, whatever is in it: in single quotes nothing is special but the quote itself. */
export const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
