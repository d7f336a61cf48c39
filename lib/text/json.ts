/** Reading JSON that somebody else wrote. Pure. */

/** Levels of arrays and objects in each other. Commands need about ten; what walks a value needs some stack for each. */
export const DEEPEST_JSON = 100;

/**
 * Reads JSON, refusing what is nested too deeply before anything is made of it.
 *
 * @throws {SyntaxError}
 */
export function parseJson(text: string): unknown {
  let depth = 0, isText = false;
  for (let at = 0; at < text.length; at++) {
    const letter = text.charCodeAt(at);
    if (isText) {
      if (letter === 0x5c /* \ */) at++;
      else if (letter === 0x22 /* " */) isText = false;
    } else if (letter === 0x22) isText = true;
    else if (letter === 0x5b /* [ */ || letter === 0x7b /* { */) {
      if (++depth > DEEPEST_JSON) {
        throw new SyntaxError(`it is nested more than ${DEEPEST_JSON} levels deep (at position ${at})`);
      }
    } else if (letter === 0x5d /* ] */ || letter === 0x7d /* } */) depth--;
  }
  return JSON.parse(text);
}
