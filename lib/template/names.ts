/** Names of VMs that are made of a template. Pure. */
import { NUMBER_MARK } from "../contract/template_bounds.ts";

/** A run of marks: as many digits at least. */
const MARKS = new RegExp(`${NUMBER_MARK}+`);

/** Pattern of names, their count, and the number of the first. */
export interface NameRequest {
  /** With marks for the number, or without. */
  readonly name: string;
  readonly count: number;
  /** Number of the first. */
  readonly first: number;
}

/**
 * The names: `web-##` → `web-01`, `web-02`; `web` → `web` for one VM, `web-1`, `web-2` for several. Only the first run
 * of marks is a number; a mark that is left makes a name that no VM can have.
 */
export function vmNames({ name, count, first }: NameRequest): string[] {
  const marks = MARKS.exec(name)?.[0];
  if (marks === undefined && count === 1) return [name];
  const pattern = marks === undefined ? `${name}-${NUMBER_MARK}` : name;
  return Array.from(
    { length: count },
    (_, index) => pattern.replace(MARKS, String(first + index).padStart(marks?.length ?? 1, "0")),
  );
}

/** Names that are shown one by one; of more, the first ones and the last. */
const SHOWN = 4;

/** The names in short: what is left out stands between the last two. */
export function shortened(
  names: readonly string[],
): { readonly first: readonly string[]; readonly last?: string } {
  if (names.length <= SHOWN) return { first: names };
  return { first: names.slice(0, SHOWN - 2), last: names.at(-1)! };
}

/** The first number from which on all names are free. */
export function freeNumber(wish: Omit<NameRequest, "first">, taken: ReadonlySet<string>): number {
  let first = 1;
  while (vmNames({ ...wish, first }).some((name) => taken.has(name))) first++;
  return first;
}
