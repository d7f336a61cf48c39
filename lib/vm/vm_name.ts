/** Names from elsewhere as names that a VM may have here. Pure. */

/** Characters of the longest name. */
const MOST = 64;
/** Numbers tried where a name is taken. */
const MOST_TRIES = 1000;

/** The name that is nearest to one from elsewhere, with a number where it is taken. */
export function vmNameOf(original: string, isTaken: (name: string) => boolean): string {
  const letters = original.normalize("NFKD").replace(/\p{M}/gu, "").trim()
    .replace(/[^A-Za-z0-9._-]+/g, "-").replace(/\.{2,}/g, ".").replace(/^[.-]+|[.-]+$/g, "");
  const named = /^[A-Za-z_]/.test(letters) ? letters : `vm-${letters}`;
  const stem = named.replace(/-+$/, "").slice(0, MOST).replace(/[.-]+$/, "");
  if (!isTaken(stem)) return stem;
  for (let number = 2; number < MOST_TRIES; number++) {
    const end = `-${number}`;
    const name = stem.slice(0, MOST - end.length) + end;
    if (!isTaken(name)) return name;
  }
  return stem;
}
