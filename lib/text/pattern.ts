/** Names by a shell's patterns: `web-*`, `db?`, `web[1-5]`, `web[!0-9]`. Pure. */

/** Parts of a pattern: a set of characters, any characters, one character. */
const SET = /\[!?[^\]]+\]/, WILD = new RegExp(`${SET.source}|[*?]`, "g");

/** Whether a text stands for several names. */
export const isPattern = (text: string) => text.search(WILD) >= 0;

/** Compiled pattern. */
export interface Matcher {
  test(text: string): boolean;
}

/** One place of a pattern: any run of characters, or what one character must be. */
type Step = "any" | ((character: string) => boolean);

const literal = (text: string): Step[] =>
  [...text.toLowerCase()].map((wanted) => (character) => character === wanted);

/** Compiles a set of characters; undefined for a range that goes backwards. */
function setOf(wild: string): Step | undefined {
  const isNot = wild[1] === "!", inside = wild.slice(isNot ? 2 : 1, -1).replace(/[\\^\[]/g, "\\$&");
  try {
    const set = new RegExp(`^[${isNot ? "^" : ""}${inside}]$`, "isu");
    return (character) => set.test(character);
  } catch {
    return undefined;
  }
}

/** The places of a pattern; undefined for one that has a set which is none. */
function stepsOf(pattern: string): Step[] | undefined {
  const steps: Step[] = [];
  let at = 0;
  for (const { 0: wild, index } of pattern.matchAll(WILD)) {
    steps.push(...literal(pattern.slice(at, index)));
    const step: Step | undefined = wild === "*" ? "any" : wild === "?" ? () => true : setOf(wild);
    if (step === undefined) return undefined;
    steps.push(step);
    at = index + wild.length;
  }
  return [...steps, ...literal(pattern.slice(at))];
}

/** Whether places fit characters, in time that grows with the product of both: patterns come from outside. */
function fits(steps: readonly Step[], characters: readonly string[]): boolean {
  let at = 0, step = 0, star = -1, from = 0;
  while (at < characters.length) {
    const wanted = steps[step];
    if (wanted === "any") [star, from] = [step++, at];
    else if (wanted !== undefined && wanted(characters[at]!)) step++, at++;
    else if (star >= 0) [step, at] = [star + 1, ++from];
    else return false;
  }
  return steps.slice(step).every((left) => left === "any");
}

/** Compiles a pattern, in any case of letters. A pattern with a backward range means its own text. */
export function matcher(pattern: string): Matcher {
  const steps = stepsOf(pattern) ?? literal(pattern);
  return { test: (text) => fits(steps, [...text.toLowerCase()]) };
}
