/**
 * Recognizes plain strings that are English phrases of ours: a part of a sentence that fills a place of a message, or a
 * sentence in a field of an answer. Such a phrase is the key of its translation, as a message's text is. Names are
 * none. Pure.
 */

/** Places of messages that are filled with phrases, also of one word. */
export const PHRASE_PLACES: ReadonlySet<string> = new Set(
  "advice call fault hindrance hint how instead keeper kind more operation problem reason remedy side thing things trouble verb what whose why work"
    .split(" "),
);

/** Places that are filled with names of things, which may have a blank in them. */
const NAME_PLACES: ReadonlySet<string> = new Set(
  "backup bridge device disk file folder group host name network path place pool project role snapshot source tag target template url user users version vm volume"
    .split(" "),
);

/** Fields of answers that are sentences. One word in them is a value that programs compare. */
export const SENTENCE_FIELDS: ReadonlySet<string> = new Set(
  "advice fault hindrance message notes problem reason remedy title waitsFor warnings what why".split(
    " ",
  ),
);

/** Whether a string that fills a place of a message is a phrase. */
export const isPhraseAt = (place: string, text: string): boolean =>
  PHRASE_PLACES.has(place) || text.includes(" ") && !NAME_PLACES.has(place);

/** Whether a string in a field of an answer is a sentence. */
export const isSentenceIn = (field: string, text: string): boolean =>
  SENTENCE_FIELDS.has(field) && text.includes(" ");
