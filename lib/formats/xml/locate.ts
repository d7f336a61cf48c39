/**
 * Finding the place in a document that a validator does not like. A validator of interleaved patterns (libvirt's
 * schemas are made of them) can only say that something in `<devices>` is wrong; what makes the document valid when it
 * is taken out, is what is wrong.
 */
import { parseXml, type XmlElement } from "./tree.ts";

/** Most documents that are tried: a VM full of devices needs a hundred. */
const MOST_TRIALS = 400;

/** A fault and its location. */
export interface LocatedFault {
  readonly element: XmlElement;
  /** The attribute that is wrong, when it is one. */
  readonly attribute: string | undefined;
}

/** The line of a character, from 1. */
export function lineOf(source: string, offset: number): number {
  let line = 1;
  for (let at = source.indexOf("\n"); at >= 0 && at < offset; at = source.indexOf("\n", at + 1)) line++;
  return line;
}

/**
 * The innermost element that an invalid document's fault is in: the one whose removal, or the removal of one of whose
 * attributes, makes the document valid. When no single removal does (something is missing, or there are several
 * faults), the outer element it is in.
 *
 * @param isValid whether the validator accepts a document
 * @param isLate whether it has taken long enough: then the place found so far is given
 * @throws {XmlError} when the document is not well-formed
 */
export function locateFault(
  source: string,
  isValid: (source: string) => boolean,
  isLate: () => boolean = () => false,
): LocatedFault {
  let trials = 0;
  const mends = (from: number, to: number) =>
    trials++ < MOST_TRIALS && !isLate() && isValid(source.slice(0, from) + source.slice(to));
  let element = parseXml(source);
  for (;;) {
    const inner = element.children.find(({ from, to }) => mends(from, to)) ??
      firstOfSeveral(element, (from) => mends(from, element.closing));
    if (inner === undefined) break;
    element = inner;
  }
  // An element that must be there is not found by taking it out; what is wrong in it may be.
  for (const within of [element, ...below(element)]) {
    if (isLate()) break;
    const attribute = attributeAt(source, within, mends);
    if (attribute !== undefined) return { element: within, attribute };
  }
  return { element, attribute: undefined };
}

/** Every element inside another, in the document's order. */
function below({ children }: XmlElement): XmlElement[] {
  return children.flatMap((child) => [child, ...below(child)]);
}

/**
 * If several children are wrong: the first of them, when everything from it to the end may be left out. Tried from the
 * end, so that as little as possible is left out.
 */
function firstOfSeveral({ children }: XmlElement, mends: (from: number) => boolean): XmlElement | undefined {
  return children.toReversed().find(({ from }) => mends(from));
}

function attributeAt(
  source: string,
  { from, inner, attributes }: XmlElement,
  mends: (from: number, to: number) => boolean,
): string | undefined {
  const tag = source.slice(from, inner);
  return Object.keys(attributes).find((name) => {
    const found = new RegExp(`\\s${name.replace(/[^\w]/g, "\\$&")}\\s*=\\s*("[^"]*"|'[^']*')`).exec(tag);
    return found !== null && mends(from + found.index, from + found.index + found[0].length);
  });
}
